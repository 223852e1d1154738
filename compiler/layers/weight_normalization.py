"""Weights that are normalized before they are used, under PyTorch's names."""

from math import prod
from typing import Any, Literal

from ..ir.graph import Value
from ..ir.initializers import LEFT, NORM, RIGHT, Init
from .layer_builder import LayerBuilder

# What a weight is divided by: nothing, the norm of each row, or its largest singular value.
WeightNormalization = Literal["none", "weight", "spectral"]

PREFIX = "parametrizations.weight"  # as in `torch.nn.utils.parametrizations`


def weight_of(
    build: LayerBuilder,
    shape: tuple[int, ...],
    norm: WeightNormalization,
    *,
    init: Init,
    literal: Any,
    fans: tuple[int, int] | None = None,
    axis: int = 0,
) -> Value:
    """The weight of a layer, or what a normalization makes of the tensors that are learned.

    Weight normalization (Salimans and Kingma 2016) learns v and a factor g for each v[i]: the
    weight is g v / |v|. Spectral normalization (Miyato, Kataoka, Koyama and Yoshida 2018) divides
    by the largest singular value, u W v, of the weight as a matrix with `axis` before all others;
    u and v are buffers, which training moves by a step of the power method.
    """
    given: dict[str, Any] = {"init": init, "literal": literal, "fans": fans, "at": "weight"}
    if norm == "none":
        return build.weight(shape, **given)
    if norm == "spectral":
        return _spectral(build, shape, axis, **given)
    g = build.weight(
        (shape[0], *(1,) * (len(shape) - 1)), name=f"{PREFIX}.original0", init=Init(NORM)
    )
    v = build.weight(shape, name=f"{PREFIX}.original1", **given)
    axes = build.index_constant(tuple(range(1, len(shape))))
    return build.Mul(v, build.Div(g, build.ReduceL2(v, axes, keepdims=1)))


def _spectral(build: LayerBuilder, shape: tuple[int, ...], axis: int, **given: Any) -> Value:
    weight = build.weight(shape, name=f"{PREFIX}.original", **given)
    rows = shape[axis]
    u = build.buffer(f"{PREFIX}.0._u", (rows,), init=Init(LEFT, (axis,)))
    v = build.buffer(f"{PREFIX}.0._v", (prod(shape) // rows,), init=Init(RIGHT, (axis,)))
    return build.op("netc.SpectralNorm", (weight, u, v), {"axis": axis})[0]
