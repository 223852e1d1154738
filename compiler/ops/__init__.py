"""The instruction set: what each operator means at compile time, a file per family.

Importing this package fills the op table.
"""

from . import (
    convolution,
    elementwise,
    indexing,
    linear,
    normalization,
    pooling,
    reduction,
    resampling,
    shaping,
    transposed_convolution,
)

__all__ = [
    "convolution",
    "elementwise",
    "indexing",
    "linear",
    "normalization",
    "pooling",
    "reduction",
    "resampling",
    "shaping",
    "transposed_convolution",
]
