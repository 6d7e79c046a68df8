"""The real server under load, killed again and again, and an audit of what it promised."""
