"""A network as a file of Python that defines it in PyTorch."""
