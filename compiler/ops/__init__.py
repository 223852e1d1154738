"""The instruction set: what each operator means at compile time, a file per family.

Importing this package fills the op table.
"""

from . import convolution, elementwise, linear, normalization, pooling, shaping

__all__ = ["convolution", "elementwise", "linear", "normalization", "pooling", "shaping"]
