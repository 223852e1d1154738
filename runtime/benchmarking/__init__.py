"""Networks timed on their engines, beside PyTorch, each in a separate process."""
