"""Networks timed on their engines, beside PyTorch, each in a process of its own."""
