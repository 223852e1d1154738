"""NumPy kernels, a file per family of operators, mirroring the compiler's.

Importing this package fills the kernel table.
"""

from . import (  # noqa: F401  (each enters its rows)
    bitwise,
    control_flow,
    convolution,
    counting,
    elementwise,
    filling,
    indexing,
    linear,
    logic,
    max_pool_gradient,
    normalization,
    pooling,
    quantization,
    recurrence,
    reduction,
    resampling,
    sampling,
    scattering,
    selection,
    sequences,
    shaping,
    signal,
    transposed_convolution,
    weight_gradient,
)
