"""What the language's layers mean, in operators, a file per family.

Importing this package fills the table of layers.
"""

from . import activation, convolution, dense, merge, normalization, pooling, source

__all__ = ["activation", "convolution", "dense", "merge", "normalization", "pooling", "source"]
