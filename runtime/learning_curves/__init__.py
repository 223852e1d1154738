"""Learning curves: what they say about bias and variance, and what to do about it."""
