"""The parts of the embedded MongoDB server: its binary, address, owner, process and replica set."""
