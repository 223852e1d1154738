"""Text to tokens: the tables that Lark makes of `net.lark`, and the automaton that runs them."""
