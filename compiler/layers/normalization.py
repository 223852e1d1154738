"""Normalization and dropout layers."""

from ..arguments import Flag, PositiveReal, Rate
from ..graph import Value
from ..initializers import ONES, ZEROS
from ..layer_builder import LayerBuilder
from ..layerdef import layer
from ..types import DType
from .activation import real
from .spatial import as_before, channels_first


@layer("BN")
def batch_normalization(
    build: LayerBuilder,
    x: Value,
    *,
    eps: PositiveReal = 1e-5,
    affine: Flag = True,
    momentum: Rate = 0.1,
) -> Value:
    """Batch normalization per channel (Ioffe and Szegedy 2015; ONNX `BatchNormalization`).

    `momentum` weighs the new statistics, as in PyTorch; ONNX's attribute weighs the old ones.
    """
    source = None if x.type.rank == 2 else channels_first(build, real(build, x))
    features = source.value if source else x
    (channels,) = build.concrete(features, (1,))
    scale, shift = _affine(build, channels, affine)
    mean = build.buffer("running_mean", (channels,), init=ZEROS)
    variance = build.buffer("running_var", (channels,), init=ONES)
    y = build.BatchNormalization(
        features, scale, shift, mean, variance, epsilon=eps, momentum=1.0 - momentum
    )
    return as_before(build, y, source) if source else y


def _affine(build: LayerBuilder, channels: int, learned: bool) -> tuple[Value, Value]:
    """Scale and shift per channel: learned, or fixed at one and zero."""
    if learned:
        return build.weight((channels,), init=ONES), build.bias(channels)
    return (
        build.constant((1.0,) * channels, build.dtype),
        build.constant((0.0,) * channels, build.dtype),
    )


@layer("DROPOUT", number="rate")
def dropout(build: LayerBuilder, x: Value, *, rate: Rate = 0.5) -> Value:
    """Drops elements in training and scales the rest by 1 / (1 - rate) (ONNX `Dropout`)."""
    return build.Dropout(real(build, x), build.constant(rate, DType.FLOAT32))
