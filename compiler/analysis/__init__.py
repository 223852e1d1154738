"""What can be read off a graph without running it; nothing here changes one."""
