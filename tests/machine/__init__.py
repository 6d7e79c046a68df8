"""A hypothesis state machine over the real services, and the mutations it must catch."""
