"""Gradients of operators that read or write single elements: each is another's transpose."""

from collections.abc import Sequence

from ....grammar.diagnostics import error
from ...builder import Builder
from ...graph import Value
from ...opdef import VjpCall
from .shapes import shape_value

Parts = Sequence[Value | None]


def gather_elements(build: Builder, call: VjpCall) -> Parts:
    """y = x[indices]: dx is dy added up at the indices, 0 elsewhere."""
    zeros = _zeros_like(build, call.input(0))
    axis = call.attributes["axis"]
    return [
        build.ScatterElements(zeros, call.input(1), call.cotangent, axis=axis, reduction="add"),
        None,
    ]


def scatter_elements(build: Builder, call: VjpCall) -> Parts:
    """y = x with updates u at the indices: dx = dy, with 0 at the indices unless u was added.

    du is dy at the indices. Where an index comes twice and nothing is added, ONNX leaves open
    which update stays, and the gradient goes to each.
    """
    reduction, axis = call.attributes["reduction"], call.attributes["axis"]
    if reduction not in ("none", "add"):
        raise error(
            "E131",
            f"no gradient passes through `ScatterElements` with reduction `{reduction}`",
            build.span,
            help="add the updates, with reduction `add`",
        )
    indices, updates, dy = call.input(1), call.input(2), call.cotangent
    dx: Value | None = None
    if call.wanted[0]:
        replaced = reduction == "none"
        zeros = _zeros_like(build, updates) if replaced else None
        dx = build.ScatterElements(dy, indices, zeros, axis=axis) if replaced else dy
    du = build.GatherElements(dy, indices, axis=axis) if call.wanted[2] else None
    return [dx, None, du]


def one_hot(build: Builder, call: VjpCall) -> Parts:
    """y = off + (on - off) hot: (sum dy (1 - hot), sum dy hot) to the two values."""
    indices, depth, values = (call.input(i) for i in range(3))
    numbers = build.constant((0.0, 1.0), values.dtype)
    hot = build.OneHot(indices, depth, numbers, axis=call.attributes["axis"])
    on = build.ReduceSum(build.Mul(call.cotangent, hot), keepdims=0)
    off = build.Sub(build.ReduceSum(call.cotangent, keepdims=0), on)
    first = build.index_constant((0,))
    parts = [build.Unsqueeze(part, first) for part in (off, on)]
    return [None, None, build.op("Concat", parts, {"axis": 0})[0]]


def _zeros_like(build: Builder, x: Value) -> Value:
    return build.Expand(build.constant(0.0, x.dtype), shape_value(build, x))
