"""NumPy kernels, a file per family of operators, mirroring the compiler's.

Importing this package fills the kernel table.
"""

from . import (
    bitwise,
    control_flow,
    convolution,
    counting,
    elementwise,
    indexing,
    linear,
    logic,
    max_pool_gradient,
    normalization,
    pooling,
    recurrence,
    reduction,
    resampling,
    scattering,
    shaping,
    transposed_convolution,
    weight_gradient,
)

__all__ = [
    "bitwise",
    "control_flow",
    "convolution",
    "counting",
    "elementwise",
    "indexing",
    "linear",
    "logic",
    "max_pool_gradient",
    "normalization",
    "pooling",
    "recurrence",
    "reduction",
    "resampling",
    "scattering",
    "shaping",
    "transposed_convolution",
    "weight_gradient",
]
