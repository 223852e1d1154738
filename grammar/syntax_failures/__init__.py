"""What to say where the parser stops."""
