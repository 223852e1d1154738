"""Activations: layers that map each element, or the channels, and hold no weights."""

from ..graph import Value
from ..layer_builder import LayerBuilder
from ..layerdef import layer
from .spatial import describe


def real(build: LayerBuilder, x: Value) -> Value:
    """`x`, which must hold real numbers."""
    if not x.dtype.is_float:
        raise build.fail("E201", f"needs real numbers, but its input is {describe(x)}")
    return x


def channel_axis(x: Value) -> int:
    """The axis of the channels: 1 in images and volumes, the last one in sequences and vectors."""
    return 1 if x.type.rank >= 4 else x.type.rank - 1


@layer("RELU")
def relu(build: LayerBuilder, x: Value) -> Value:
    """max(0, x) (ONNX `Relu`)."""
    return build.Relu(real(build, x))


@layer("TANH")
def tanh(build: LayerBuilder, x: Value) -> Value:
    """The hyperbolic tangent (ONNX `Tanh`)."""
    return build.Tanh(real(build, x))


@layer("SIGMOID")
def sigmoid(build: LayerBuilder, x: Value) -> Value:
    """1 / (1 + exp(-x)) (ONNX `Sigmoid`)."""
    return build.Sigmoid(real(build, x))


@layer("SOFTMAX")
def softmax(build: LayerBuilder, x: Value) -> Value:
    """exp(x) / sum exp(x) over the channels at every position (ONNX `Softmax`)."""
    return build.Softmax(real(build, x), axis=channel_axis(x))
