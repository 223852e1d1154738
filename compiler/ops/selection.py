"""Operators that choose among elements by what they are; how many there are depends on the data."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.dim import unknown
from ..ir.graph import Value, present
from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType
from .building import zeros_like
from .cuts import axis_of
from .opdef import Cost, Cotangents, Moves, OpDef, Operands, VjpCall, define, free
from .receptive_field import everything, throughout


def infer_top_k(call: OpCall) -> Sequence[TensorType]:
    """x (*A, S, *B) and a number k => the k largest or smallest along `axis`, and their indices."""
    x, most = call.type(0), call.known(1)
    axis = axis_of(call, call.attributes["axis"], x.rank)
    (most,) = most if isinstance(most, tuple) and len(most) == 1 else (most,)
    extent = x.shape[axis]
    if isinstance(most, int) and isinstance(extent, int) and not 0 <= most <= extent:
        raise InferenceError(f"TopK cannot take {most} of the {extent} elements of an axis")
    shape = (*x.shape[:axis], unknown() if most is None else most, *x.shape[axis + 1 :])
    return (x.with_shape(shape), TensorType(DType.INT64, shape))[: call.outputs]


def top_k(build: Builder, call: VjpCall) -> Cotangents:
    """y is x at the indices: dx is dy at them, 0 elsewhere."""
    if call.cotangents[0] is None:
        return [None]
    zeros, axis = zeros_like(build, call.input(0)), call.attributes["axis"]
    indices = (
        call.outputs[1]
        if len(call.outputs) > 1
        else build.op("TopK", call.inputs, call.attributes, outputs=2)[1]
    )
    return [build.ScatterElements(zeros, indices, call.cotangent, axis=axis)]


def sorting_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per input element."""
    return Cost(elementwise=call.type(0).size)


def infer_non_zero(call: OpCall) -> Sequence[TensorType]:
    """x of rank R => the indices (R, n) of the n elements that are not 0."""
    return (TensorType(DType.INT64, (call.type(0).rank, unknown())),)


def infer_compress(call: OpCall) -> Sequence[TensorType]:
    """x, and a truth value for each of the first places of `axis`, or of all => where it holds."""
    x, condition, axis = call.type(0), call.type(1), call.attributes["axis"]
    if condition.dtype != DType.BOOL or condition.rank != 1:
        raise InferenceError(f"Compress takes a vector of truth values, not {condition}")
    sizes = call.vector(1)
    count = unknown() if sizes is None else sum(sizes)
    if axis is None:
        return (x.with_shape((count,)),)
    axis = axis_of(call, axis, x.rank)
    return (x.with_shape((*x.shape[:axis], count, *x.shape[axis + 1 :])),)


def compress(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """A Gather of the places where the condition holds."""
    x, condition = present(operands)
    line, axis = build.index_constant((-1,)), call.attributes["axis"]
    places = build.Reshape(build.NonZero(condition), line)
    x = build.Reshape(x, line) if axis is None else x
    return [build.Gather(x, places, axis=axis or 0)]


def infer_unique(call: OpCall) -> Sequence[TensorType]:
    """x => different elements or slices of an axis; where each is first; which x are; counts."""
    x, axis = call.type(0), call.attributes["axis"]
    found = unknown()
    if axis is None:
        y, length = x.with_shape((found,)), x.size
    else:
        axis = axis_of(call, axis, x.rank)
        y, length = x.with_shape((*x.shape[:axis], found, *x.shape[axis + 1 :])), x.shape[axis]
    each, every = TensorType(DType.INT64, (found,)), TensorType(DType.INT64, (length,))
    return (y, each, every, each)[: call.outputs]


def infer_non_maximum(call: OpCall) -> Sequence[TensorType]:
    """boxes (B, n, 4), scores (B, C, n), bounds => chosen (batch, class, box), (m, 3)."""
    boxes, scores = call.type(0), call.type(1)
    if boxes.rank != 3 or scores.rank != 3 or boxes.shape[2] != 4:
        raise InferenceError(f"NonMaxSuppression cannot choose from {boxes} by {scores}")
    return (TensorType(DType.INT64, (unknown(), 3)),)


define(
    OpDef(
        "TopK",
        11,
        infer=infer_top_k,
        cost=sorting_cost,
        sees=throughout,
        attributes={"axis": -1, "largest": 1, "sorted": 1},
        vjp=top_k,
    ),
    OpDef("NonZero", 13, infer=infer_non_zero, cost=free, sees=everything, constant=True),
    OpDef(
        "Compress",
        11,
        infer=infer_compress,
        cost=free,
        sees=throughout,
        attributes={"axis": None},
        function=compress,
        moves=Moves.SOME,
    ),
    OpDef(
        "Unique",
        11,
        infer=infer_unique,
        cost=sorting_cost,
        sees=everything,
        attributes={"axis": None, "sorted": 1},
        optional_outputs=True,
    ),
    OpDef(
        "NonMaxSuppression",
        11,
        infer=infer_non_maximum,
        cost=sorting_cost,
        sees=everything,
        attributes={"center_point_box": 0},
        constant=True,
    ),
)
