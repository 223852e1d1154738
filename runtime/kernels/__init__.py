"""NumPy kernels, a file per family of operators, mirroring the compiler's.

Importing this package fills the kernel table.
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
