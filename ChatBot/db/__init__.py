"""The only home of pymongo: the connection, the embedded server and one repository per noun."""
