"""What the application does, in terms of the interfaces below it; no web framework and no vendor library."""
