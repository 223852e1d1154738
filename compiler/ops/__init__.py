"""The instruction set: what each operator means at compile time, a file per family.

Importing this package fills the op table.
"""

from . import (  # noqa: F401  (each enters its rows)
    activation,
    arithmetic,
    bitwise,
    collective,
    control_flow,
    convolution,
    counting,
    dropout,
    einsum,
    filling,
    functions,
    indexing,
    linear,
    logic,
    max_pool_gradient,
    noise,
    normalization,
    normalization_gradient,
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
    softmax,
    spectral_norm,
    weight_gradient,
)
