"""What people write in the words of other frameworks and languages -> netc's own."""
