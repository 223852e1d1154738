"""Text to syntax tree: the grammar of `.net`, its parser, and diagnostics for every stage."""
