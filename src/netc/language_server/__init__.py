"""What editors ask of a program, answered from the compiler's own tables: `netc lsp`."""
