"""Operators that old models have and that ONNX dropped, in terms of those that it kept."""

import numpy as np
from onnx import AttributeProto

from ..attributes import described, value
from ..faults import fault
from ..rewriting import Draft, rule

DROPPED = 10  # the opset that has none of them any more
INT64_MAX = 2**63 - 1


@rule("Affine", since=DROPPED)
def affine(draft: Draft) -> None:
    """y = alpha x + beta."""
    x = draft.input(0)
    alpha = draft.number(draft.float_of("alpha", 1.0), x, "alpha")
    beta = draft.number(draft.float_of("beta", 0.0), x, "beta")
    draft.become("Add", draft.add("Mul", x, alpha, hint="scaled"), beta)


@rule("ImageScaler", since=DROPPED)
def image_scaler(draft: Draft) -> None:
    """y = scale x + bias, which is per channel."""
    x = draft.input(0)
    bias = np.array(value(draft.node, "bias", AttributeProto.FLOATS, ()), np.float32)
    scale = draft.number(draft.float_of("scale", 1.0), x, "scale")
    column = draft.constant(bias.reshape(-1, 1, 1), "bias")
    draft.become("Add", draft.add("Mul", x, scale, hint="scaled"), column)


@rule("ScaledTanh", since=DROPPED)
def scaled_tanh(draft: Draft) -> None:
    """y = alpha tanh(beta x)."""
    _scaled(draft, "Tanh")


@rule("ParametricSoftplus", since=DROPPED)
def parametric_softplus(draft: Draft) -> None:
    """y = alpha log(1 + exp(beta x))."""
    _scaled(draft, "Softplus")


def _scaled(draft: Draft, function: str) -> None:
    """y = alpha f(beta x)."""
    x = draft.input(0)
    alpha, beta = (draft.number(draft.float_of(name, 1.0), x, name) for name in ("alpha", "beta"))
    inner = draft.add(function, draft.add("Mul", x, beta, hint="scaled"))
    draft.become("Mul", inner, alpha)


@rule("Crop", since=DROPPED)
def crop(draft: Draft) -> None:
    """A part of an image: without borders (left, top, right, bottom), or of a size (h, w)."""
    border = value(draft.node, "border", AttributeProto.INTS, ())
    size = value(draft.node, "scale", AttributeProto.INTS)
    if len(border) != 4 or (size is not None and len(size) != 2):
        raise fault(f"{described(draft.node)} lacks `border`, or has a `scale` of other than two")
    left, top, right, bottom = border
    starts = (top, left)
    if size is None:
        ends = (-bottom or INT64_MAX, -right or INT64_MAX)
    else:
        ends = (top + size[0], left + size[1])
    bounds = ((starts, "starts"), (ends, "ends"), ((2, 3), "axes"))
    draft.become("Slice", draft.input(0), *(draft.ints(*bound) for bound in bounds))


@rule("MeanVarianceNormalization", since=9)
def mean_variance(draft: Draft) -> None:
    """Samples are normalized together, channels where that is said; perhaps the mean alone."""
    axes = [0, 1, 2, 3] if draft.int_of("across_channels", 0) else [0, 2, 3]
    if draft.int_of("normalize_variance", 1):
        draft.drop("across_channels", "normalize_variance")
        draft.set(axes=axes)
        return
    x = draft.input(0)
    draft.become("Sub", x, draft.add("ReduceMean", x, hint="mean", axes=axes, keepdims=1))
