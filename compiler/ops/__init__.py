"""The instruction set: what each operator means at compile time, a file per family.

Importing this package fills the op table.
"""

from . import (
    bitwise,
    convolution,
    counting,
    elementwise,
    indexing,
    linear,
    logic,
    max_pool_gradient,
    normalization,
    pooling,
    reduction,
    resampling,
    scattering,
    selection,
    shaping,
    transposed_convolution,
    weight_gradient,
)

__all__ = [
    "bitwise",
    "convolution",
    "counting",
    "elementwise",
    "indexing",
    "linear",
    "logic",
    "max_pool_gradient",
    "normalization",
    "pooling",
    "reduction",
    "resampling",
    "scattering",
    "selection",
    "shaping",
    "transposed_convolution",
    "weight_gradient",
]
