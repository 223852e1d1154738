"""Operators that read or write single elements by their index on an axis: transposes of another."""

from collections.abc import Sequence
from math import prod
from typing import Any

from ...grammar.diagnostics import error
from ..ir.builder import Builder
from ..ir.dim import Dim, equal, unknown
from ..ir.graph import Value, present
from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType
from .building import extent, vector, zeros_like
from .cuts import UnknownValueError, check_indices
from .opdef import Cost, Cotangents, Moves, OpDef, Operands, Precision, VjpCall, define, free
from .receptive_field import elementwise, everything

INDICES = frozenset({DType.INT32, DType.INT64})
SCATTER_REDUCTIONS = ("none", "add", "mul", "min", "max")


def infer_gather_elements(call: OpCall) -> Sequence[TensorType]:
    """x (*S), indices (*I) of the same rank => y (*I): y[i, j] = x[indices[i, j], j] on axis 0."""
    x, indices = call.type(0), call.type(1)
    _check_indices(call, x, indices)
    return (x.with_shape(indices.shape),)


def gather_elements(build: Builder, call: VjpCall) -> Cotangents:
    """y = x[indices]: dx is dy added up at the indices, 0 elsewhere."""
    zeros = zeros_like(build, call.input(0))
    axis = call.attributes["axis"]
    return [
        build.ScatterElements(zeros, call.input(1), call.cotangent, axis=axis, reduction="add"),
        None,
    ]


def infer_scatter_elements(call: OpCall) -> Sequence[TensorType]:
    """x (*S), indices (*I), updates (*I) => y like x, its elements at the indices updated."""
    x, indices, updates = call.type(0), call.type(1), call.type(2)
    _check_indices(call, x, indices)
    if updates.dtype != x.dtype or not _alike(updates.shape, indices.shape):
        raise InferenceError(f"ScatterElements cannot write {updates} at {indices} to {x}")
    if call.attributes["reduction"] not in SCATTER_REDUCTIONS:
        reduction = call.attributes["reduction"]
        raise InferenceError(f"ScatterElements does not support the reduction {reduction}")
    return (x,)


def _check_indices(call: OpCall, x: TensorType, indices: TensorType) -> None:
    """Indices have x's rank, and on all axes but one no more than its extents."""
    axis = call.attributes["axis"]
    if indices.dtype not in INDICES:
        raise InferenceError(f"{call.op_type} takes int64 indices, not {indices}")
    if indices.rank != x.rank or not -x.rank <= axis < x.rank:
        raise InferenceError(f"{call.op_type} cannot index {x} by {indices} on axis {axis}")
    check_indices(call, 1, x.shape[axis])
    for place, (count, most) in enumerate(zip(indices.shape, x.shape, strict=True)):
        if place == axis % x.rank or not (isinstance(count, int) and isinstance(most, int)):
            continue
        if count > most:
            raise InferenceError(f"{call.op_type} cannot index {x} by {indices} on axis {axis}")


def _alike(a: Sequence[Dim], b: Sequence[Dim]) -> bool:
    return len(a) == len(b) and all(equal(*pair) is not False for pair in zip(a, b, strict=True))


def scatter_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per update, where they are combined with what was there."""
    combines = call.attributes["reduction"] != "none"
    return Cost(elementwise=call.type(2).size if combines else 0)


def scatter_elements(build: Builder, call: VjpCall) -> Cotangents:
    """y = x with updates u at the indices: dx = dy, with 0 at the indices unless u was added.

    du is dy at the indices. Where an index comes twice and nothing is added, ONNX leaves open
    which update stays, and the gradient goes to each.
    """
    reduction, axis = _added_or_written(build, call), call.attributes["axis"]
    indices, updates, dy = call.input(1), call.input(2), call.cotangent
    dx: Value | None = None
    if call.wanted[0]:
        replaced = reduction == "none"
        zeros = zeros_like(build, updates) if replaced else None
        dx = build.ScatterElements(dy, indices, zeros, axis=axis) if replaced else dy
    du = build.GatherElements(dy, indices, axis=axis) if call.wanted[2] else None
    return [dx, None, du]


def infer_gather_nd(call: OpCall) -> Sequence[TensorType]:
    """x (*B, *S, *R), index vectors (*B, *I, Q) into the Q extents S => y (*B, *I, *R)."""
    x, indices, batch = call.type(0), call.type(1), call.attributes["batch_dims"]
    return (x.with_shape((*indices.shape[:-1], *x.shape[_depth_of(x, indices, batch) :])),)


def _depth_of(x: TensorType, indices: TensorType, batch: int = 0) -> int:
    """How many of x's axes the batch and index vectors take."""
    length = indices.shape[-1] if indices.rank else None
    if indices.dtype not in INDICES or not isinstance(length, int):
        raise InferenceError(f"index vectors are int64 and of known length, not {indices}")
    if not batch < min(x.rank, indices.rank) or batch + length > x.rank:
        raise InferenceError(f"cannot index {x} by vectors {indices}")
    return batch + length


def gather_nd(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """A Gather of rows, those of the index vectors in row-major order.

    Raises:
        UnknownValueError: The extents that the vectors index are unknown.
    """
    x, indices = present(operands)
    batch = call.attributes["batch_dims"]
    depth = _depth_of(x.type, indices.type, batch)
    extents = [dim for dim in x.shape[:depth] if isinstance(dim, int)]
    if len(extents) < depth:
        raise UnknownValueError(f"GatherND needs known extents of {x.type}")
    sizes = build.constant(tuple(extents[batch:]), indices.dtype)
    below = build.Less(indices, build.constant(0, indices.dtype))
    indices = build.Where(below, build.Add(indices, sizes), indices)
    steps = tuple(prod(extents[i + 1 :]) for i in range(batch, depth))
    numbers = build.Mul(indices, build.constant(steps, indices.dtype))
    rows = build.ReduceSum(numbers, build.index_constant((-1,)), keepdims=0)
    for axis in range(batch):
        step = prod(extents[axis + 1 :])
        first: Any = tuple(i * step for i in range(extents[axis]))
        for _ in range(len(rows.shape) - 1 - axis):
            first = tuple((item,) for item in first)
        rows = build.Add(rows, build.constant(first, indices.dtype))
    flat = vector(build, [prod(extents), *(extent(x, i) for i in range(depth, len(x.shape)))])
    return [build.Gather(build.Reshape(x, flat), rows, axis=0)]


def infer_scatter_nd(call: OpCall) -> Sequence[TensorType]:
    """x (*S, *R), index vectors (*I, Q), updates (*I, *R) => y like x."""
    x, indices, updates = call.type(0), call.type(1), call.type(2)
    depth = _depth_of(x, indices)
    if updates.dtype != x.dtype or not _alike(
        updates.shape, (*indices.shape[:-1], *x.shape[depth:])
    ):
        raise InferenceError(f"ScatterND cannot write {updates} at {indices} to {x}")
    if call.attributes["reduction"] not in SCATTER_REDUCTIONS:
        reduction = call.attributes["reduction"]
        raise InferenceError(f"ScatterND does not support the reduction {reduction}")
    return (x,)


def scatter_nd(build: Builder, call: VjpCall) -> Cotangents:
    """As ScatterElements, with parts of x for elements."""
    reduction = _added_or_written(build, call)
    indices, updates, dy = call.input(1), call.input(2), call.cotangent
    dx: Value | None = None
    if call.wanted[0]:
        replaced = reduction == "none"
        dx = build.ScatterND(dy, indices, zeros_like(build, updates)) if replaced else dy
    return [dx, None, build.GatherND(dy, indices) if call.wanted[2] else None]


def _added_or_written(build: Builder, call: VjpCall) -> str:
    """How updates meet what is there, of the ways that have a gradient."""
    reduction: str = call.attributes["reduction"]
    if reduction not in ("none", "add"):
        raise error(
            "E131",
            f"no gradient passes through `{call.op_type}` with reduction `{reduction}`",
            build.span,
            help="add the updates, with reduction `add`",
        )
    return reduction


def infer_one_hot(call: OpCall) -> Sequence[TensorType]:
    """indices (*I), a depth, values (off, on) => y (*I) with the depth at `axis`."""
    indices, values = call.type(0), call.type(2)
    depth = _depth(call)
    if isinstance(depth, int | float) and not (isinstance(depth, int) and depth > 0):
        raise InferenceError(f"OneHot needs a positive depth, not {depth}")
    axis, rank = call.attributes["axis"], indices.rank + 1
    if values.shape != (2,) or not -rank <= axis < rank:
        raise InferenceError(f"OneHot cannot write {values} for {indices} on axis {axis}")
    axis %= rank
    return (values.with_shape((*indices.shape[:axis], depth, *indices.shape[axis:])),)


def _depth(call: OpCall) -> Dim:
    """How many positions the new axis has, given as a number or a vector of one."""
    known: Any = call.known(1)
    depth: Dim | None = known[0] if isinstance(known, tuple) and len(known) == 1 else known
    return unknown() if depth is None else depth


def one_hot(build: Builder, call: VjpCall) -> Cotangents:
    """y = off + (on - off) hot: (sum dy (1 - hot), sum dy hot) to the two values."""
    indices, depth, values = (call.input(i) for i in range(3))
    numbers = build.constant((0.0, 1.0), values.dtype)
    hot = build.OneHot(indices, depth, numbers, axis=call.attributes["axis"])
    on = build.ReduceSum(build.Mul(call.cotangent, hot), keepdims=0)
    off = build.Sub(build.ReduceSum(call.cotangent, keepdims=0), on)
    first = build.index_constant((0,))
    parts = [build.Unsqueeze(part, first) for part in (off, on)]
    return [None, None, build.op("Concat", parts, {"axis": 0})[0]]


define(
    OpDef(
        "GatherElements",
        13,
        infer=infer_gather_elements,
        cost=free,
        sees=elementwise,
        attributes={"axis": 0},
        vjp=gather_elements,
        moves=Moves.SOME,
    ),
    OpDef(
        "ScatterElements",
        18,
        infer=infer_scatter_elements,
        cost=scatter_cost,
        sees=elementwise,
        attributes={"axis": 0, "reduction": "none"},
        vjp=scatter_elements,
    ),
    OpDef(
        "GatherND",
        13,
        infer=infer_gather_nd,
        cost=free,
        sees=everything,
        attributes={"batch_dims": 0},
        function=gather_nd,
        moves=Moves.SOME,
    ),
    OpDef(
        "ScatterND",
        18,
        precision=Precision.FULL,
        infer=infer_scatter_nd,
        cost=scatter_cost,
        sees=everything,
        attributes={"reduction": "none"},
        vjp=scatter_nd,
    ),
    OpDef(
        "OneHot",
        11,
        infer=infer_one_hot,
        cost=free,
        sees=elementwise,
        attributes={"axis": -1},
        vjp=one_hot,
    ),
)
