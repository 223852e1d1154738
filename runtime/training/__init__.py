"""Training: steps on an engine, the loop around them, and what it leaves behind."""
