"""Transposed convolutions: what the gradient of a convolution by its input computes."""

from collections.abc import Sequence

from ..dim import equal
from ..opdef import Cost, InferenceError, OpCall, defop
from ..types import TensorType, product
from ..windows import window_of
from .convolution import WINDOW, check_weights
from .gradients.convolution import RULES


def infer_conv_transpose(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), w (C, M / group, *K), b (M) => y (N, M, *(S - 1) stride - 2P + reach + extra).

    The reach is d (K - 1) + 1; the extra, `output_padding`, adds rows at the end.
    """
    x, w = call.type(0), call.type(1)
    if x.rank != w.rank or equal(x.shape[1], w.shape[0]) is False:
        raise InferenceError(f"ConvTranspose cannot apply {w} to {x}")
    window = window_of(call.attributes)
    extra = call.attributes["output_padding"] or (0,) * window.rank
    spatial = tuple(o + e for o, e in zip(window.scattered(x.shape[2:]), extra, strict=True))
    filters = w.shape[1] * call.attributes["group"]
    check_weights(call, filters)
    return (x.with_shape((x.shape[0], filters, *spatial)),)


def conv_transpose_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Each input element takes M / group * K products; a bias adds one operation per output."""
    (y,) = outputs
    taps = product(call.type(1).shape[1:])
    return Cost(macs=call.type(0).size * taps, elementwise=y.size if call.has(2) else 0)


defop(
    "ConvTranspose",
    infer=infer_conv_transpose,
    cost=conv_transpose_cost,
    attributes={**WINDOW, "output_padding": None},
    vjp=RULES["ConvTranspose"],
)
