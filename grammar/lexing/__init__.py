"""Text to tokens: Lark, which reads `net.lark`, and the tables that it makes of it."""
