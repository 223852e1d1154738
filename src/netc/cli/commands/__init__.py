"""A module per command: it parses options, calls what is public in `netc`, and prints."""
