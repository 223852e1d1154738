"""A transposed convolution as a convolution, where that takes onnxruntime less."""

from collections.abc import Sequence
from math import prod
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import Value, present
from ..ir.signature import OpCall
from ..ir.types import TensorType
from ..ir.windows import Window, window_of
from .cuts import START
from .one_window import as_transposed_product, is_free

# Bytes of a sample's columns that a cache holds. onnxruntime's `ConvTranspose` computes all of
# them before it adds them up; its `Conv` gathers as many as it multiplies at once. Beyond the cache
# `Conv` takes 0.4 to 0.8 times as long, and below it 0.9 to 8 times, the more the fewer channels.
CACHE = 3 * 2**19
FEW_TAPS = 9  # with up to as many taps, depthwise `Conv` takes 0.5 to 0.9 times as long


def as_gradient(
    build: Builder, inputs: Sequence[Value | None], call: OpCall
) -> Sequence[Value] | None:
    """A product of matrices, a convolution, or itself."""
    return as_transposed_product(build, inputs, call) or as_convolution(build, inputs, call)


def as_convolution(
    build: Builder, inputs: Sequence[Value | None], call: OpCall
) -> Sequence[Value] | None:
    """The convolution with the flipped weight, its in- and outputs exchanged, and K - 1 - P around.

    Only with a stride of 1, and of gradients: a transposed convolution of a network, which has a
    bias or a weight that stays, is exported as it is.
    """
    (dy, w), bias = present(inputs[:2]), inputs[2:]
    window, group = window_of(call.attributes), call.attributes["group"]
    found = turned(call)
    free = is_free(build, w) and not any(bias)
    if found is None or not free or not _pays(dy.type, w.type, window, group):
        return None
    return (build.Conv(dy, _flipped(build, w, group), **found),)


def turned(call: OpCall) -> dict[str, Any] | None:
    """The geometry of the convolution that a transposed one is; None where that has none."""
    window = window_of(call.attributes)
    extra = call.attributes["output_padding"] or (0,) * window.rank
    befores = [r - 1 - b for r, b in zip(window.reach, window.before, strict=True)]
    afters = [r - 1 - a + e for r, a, e in zip(window.reach, window.after, extra, strict=True)]
    if set(window.strides) != {1} or min(*befores, *afters) < 0:
        return None
    return {
        "kernel_shape": window.kernel,
        "dilations": window.dilations,
        "pads": (*befores, *afters),
        "group": call.attributes["group"],
    }


def _pays(dy: TensorType, w: TensorType, window: Window, group: int) -> bool:
    """Whether columns are as they are, too many for the cache, or depthwise."""
    taps = prod(window.kernel)
    if taps == 1:
        return True
    if w.shape[:2] == (group, 1):
        return taps <= FEW_TAPS
    columns = dy.with_shape((w.shape[1], taps, *dy.shape[2:])).bytes
    return isinstance(columns, int) and columns > CACHE


def _flipped(build: Builder, w: Value, group: int) -> Value:
    """w (group O, C, *K) as (group C, O, *K), each axis of K from its end."""
    rank = len(w.shape) - 2
    axes = tuple(range(2, 2 + rank))
    outputs, inputs = (extent for extent in w.shape[:2] if isinstance(extent, int))
    kernel = tuple(extent for extent in w.shape[2:] if isinstance(extent, int))
    outputs //= group
    if group == 1:
        w = build.Transpose(w, perm=(1, 0, *axes))
    elif (outputs, inputs) != (1, 1):
        split = build.Reshape(w, build.index_constant((group, outputs, inputs, *kernel)))
        moved = build.Transpose(split, perm=(0, 2, 1, *range(3, 3 + rank)))
        w = build.Reshape(moved, build.index_constant((group * inputs, outputs, *kernel)))
    if set(kernel) == {1}:
        return w
    last = [(-1,) * rank, (START,) * rank, axes, (-1,) * rank]
    return build.Slice(w, *map(build.index_constant, last))
