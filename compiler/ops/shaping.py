"""Operators that move data and compute nothing; gradients are moved back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim, Polynomial, equal, is_unknown, substitute, unknown
from ..ir.graph import Node
from ..ir.signature import InferenceError, OpCall
from ..ir.types import BroadcastError, DType, TensorType, broadcast, product
from .building import AxisExtent, extent, reshape_like, sum_to, vector
from .cuts import are_known, axis_of, extents_of, known_value, length_of, opened
from .opdef import Cotangents, Moves, OpDef, VjpCall, define, free
from .receptive_field import Field, elementwise, everything, reshape


def infer_flatten(call: OpCall) -> Sequence[TensorType]:
    """x (*A, *B) split at `axis` => y (prod A, prod B)."""
    x, axis = call.type(0), call.attributes["axis"]
    return (x.with_shape((product(x.shape[:axis]), product(x.shape[axis:]))),)


def infer_reshape(call: OpCall) -> Sequence[TensorType]:
    """x and a shape; 0 copies an extent, -1 takes what is left; unknown where the shape is."""
    x, target = call.type(0), call.vector(1)
    if target is None:
        return (x.with_shape(unknown() for _ in range(length_of(call, 1))),)
    copies = 0 if not call.attributes["allowzero"] else None
    dims: list[Dim] = [
        x.shape[i] if extent == copies else extent for i, extent in enumerate(target)
    ]
    if -1 in target:
        dims[target.index(-1)] = _remainder(
            x, [d for d, t in zip(dims, target, strict=True) if t != -1]
        )
    elif equal(product(dims), x.size) is False:
        raise InferenceError(f"Reshape cannot make {target} of {x}")
    return (x.with_shape(dims),)


def _remainder(x: TensorType, known: Sequence[Dim]) -> Dim:
    """The extent that is left over: x.size / prod(known), common extents cancelled first."""
    total, fixed = list(x.shape), list(known)
    for dim in known:
        if dim in total:
            fixed.remove(dim)
            total.remove(dim)
    divisor = product(fixed)
    size = product(total)
    if (times := _quotient(size, divisor)) is not None:
        return times
    if not isinstance(divisor, int) or divisor == 0 or (isinstance(size, int) and size % divisor):
        raise InferenceError(f"Reshape cannot divide {x} among {', '.join(map(str, known))}")
    return size // divisor


def _quotient(size: Dim, divisor: Dim) -> int | None:
    """How often an open extent is in a size that is a whole number of times as much."""
    if isinstance(divisor, int):
        return None
    a, b = (substitute(extent, {}, others=1) for extent in (size, divisor))
    times = a // b if isinstance(a, int) and isinstance(b, int) and b > 0 else 0
    return times if times and equal(divisor * times, size) is True else None


def infer_squeeze(call: OpCall) -> Sequence[TensorType]:
    """x without the axes of extent 1; without all such axes where none are given.

    An extent that depends on the data then counts as another one.
    """
    x = call.type(0)
    if not are_known(call, 1):
        return (x.with_shape(unknown() for _ in range(x.rank - _count(call))),)
    if call.has(1):
        axes = _axes(call, x.rank)
    elif any(isinstance(extent, Polynomial) and not is_unknown(extent) for extent in x.shape):
        raise InferenceError(f"Squeeze needs its `axes`: an open extent of {x} may be 1")
    else:
        axes = {i for i, extent in enumerate(x.shape) if extent == 1}
    if any(equal(x.shape[axis], 1) is False for axis in axes):
        raise InferenceError(f"Squeeze cannot drop axes {sorted(axes)} of {x}")
    return (x.with_shape(extent for i, extent in enumerate(x.shape) if i not in axes),)


def squeeze_values(call: OpCall) -> Any:
    """The one entry of a known vector."""
    known = call.known(0)
    return known[0] if isinstance(known, tuple) and call.type(0).rank == 1 else None


def infer_unsqueeze(call: OpCall) -> Sequence[TensorType]:
    """x with an extent of 1 at each axis, counted in the output."""
    x, given = call.type(0), _given(call)
    if given is None:
        return (x.with_shape(unknown() for _ in range(x.rank + _count(call))),)
    rank = x.rank + len(given)
    axes = _axes(call, rank)
    if len(axes) < len(given):
        raise InferenceError(f"Unsqueeze cannot add axes {given} to {x}")
    extents = iter(x.shape)
    return (x.with_shape(1 if i in axes else next(extents) for i in range(rank)),)


def unsqueeze_values(call: OpCall) -> Any:
    """A known number as a vector."""
    known = call.known(0)
    return (known,) if known is not None and call.type(0).rank == 0 else None


def _count(call: OpCall) -> int:
    """How many axes are given; a number stands for one, as engines take it."""
    return length_of(call, 1) if call.type(1).rank else 1


def _given(call: OpCall) -> tuple[Any, ...] | None:
    """The axes that are given, where they are known."""
    known = call.known(1)
    return call.vector(1) if call.type(1).rank or known is None else (known,)


def reshape_values(call: OpCall) -> Any:
    """A known number or vector, where it becomes a number or a vector."""
    known, target = call.known(0), call.vector(1)
    if known is None or target is None or len(target) > 1 or call.type(0).rank > 1:
        return None
    if not target:
        return known[0] if isinstance(known, tuple) else known
    return known if isinstance(known, tuple) else (known,)


def _axes(call: OpCall, rank: int) -> set[int]:
    axes = _given(call)
    if axes is None or not all(-rank <= axis < rank for axis in axes):
        raise InferenceError(f"{call.op_type} needs constant axes within {rank}, not {axes}")
    return {axis % rank for axis in axes}


def reshaped(build: Builder, call: VjpCall) -> Cotangents:
    """The elements in another shape: those of dy in x's shape."""
    return [reshape_like(build, call.cotangent, call.input(0))]


def settle_transpose(
    attributes: Mapping[str, Any], types: Sequence[TensorType | None]
) -> Mapping[str, Any]:
    """Without an order all axes are reversed."""
    x = types[0] if types else None
    if attributes["perm"] is not None or x is None:
        return attributes
    return {**attributes, "perm": tuple(reversed(range(x.rank)))}


def infer_transpose(call: OpCall) -> Sequence[TensorType]:
    """y's axis i is x's axis perm[i]."""
    x, perm = call.type(0), call.attributes["perm"]
    if sorted(perm) != list(range(x.rank)):
        raise InferenceError(f"Transpose cannot apply {perm} to {x}")
    return (x.with_shape(x.shape[axis] for axis in perm),)


def transpose(build: Builder, call: VjpCall) -> Cotangents:
    """Axis i is x's axis perm[i]: x's axis perm[i] is dy's axis i."""
    perm = call.attributes["perm"]
    return [build.Transpose(call.cotangent, perm=tuple(map(perm.index, range(len(perm)))))]


def transposed(node: Node, operands: Sequence[Field]) -> Field:
    """Places move along: y's axis i is x's axis perm[i]."""
    position = {axis: i for i, axis in enumerate(node.attributes["perm"])}
    return tuple(
        replace(axis, places=frozenset(position[a] for a in axis.places)) for axis in operands[0]
    )


def infer_concat(call: OpCall) -> Sequence[TensorType]:
    """Extents add up on `axis` and agree elsewhere."""
    types = [call.type(i) for i in range(len(call.inputs))]
    first = types[0]
    axis = axis_of(call, call.attributes["axis"], first.rank)
    for other in types[1:]:
        same_rank = other.rank == first.rank
        if not same_rank or any(
            equal(a, b) is False and i != axis
            for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True))
        ):
            raise InferenceError(f"Concat cannot join {first} and {other} on axis {axis}")
    shape = list(first.shape)
    shape[axis] = sum((type.shape[axis] for type in types[1:]), first.shape[axis])
    return (first.with_shape(shape),)


def concat_values(call: OpCall) -> tuple[Dim, ...] | None:
    """Known vectors joined, such as a batch extent and constants; other entries are unknown."""
    parts = [call.known(i) for i in range(len(call.inputs))]
    if call.type(0).rank != 1 or all(part is None for part in parts):
        return None
    for position, part in enumerate(parts):
        if part is None:
            (count,) = call.type(position).shape
            if not isinstance(count, int):
                return None
            parts[position] = tuple(unknown() for _ in range(count))
    return tuple(extent for part in parts for extent in part)


def concat(build: Builder, call: VjpCall) -> Cotangents:
    """Parts side by side: each gets its part of dy."""
    parts = [value for value in call.inputs if value is not None]
    axis = call.attributes["axis"]
    if len(parts) == 1:
        return [call.cotangent]
    extents = vector(build, [extent(part, axis) for part in parts])
    return build.op("Split", (call.cotangent, extents), {"axis": axis}, outputs=len(parts))


def infer_shape(call: OpCall) -> Sequence[TensorType]:
    """The extents from `start` to `end` as a vector of int64."""
    return (TensorType(DType.INT64, (len(shape_values(call)),)),)


def shape_values(call: OpCall) -> tuple[Dim, ...]:
    """The extents themselves."""
    return call.type(0).shape[call.attributes["start"] : call.attributes["end"]]


def infer_expand(call: OpCall) -> Sequence[TensorType]:
    """x broadcast with a shape; extents are unknown where the shape is."""
    x, target = call.type(0), call.vector(1)
    if target is None:
        rank = max(x.rank, length_of(call, 1))
        return (x.with_shape(unknown() for _ in range(rank)),)
    try:
        return (x.with_shape(broadcast([x.shape, target])),)
    except BroadcastError as mismatch:
        raise InferenceError(f"Expand cannot make {target} of {x}") from mismatch


def expand(build: Builder, call: VjpCall) -> Cotangents:
    """x broadcast: dy summed over what was repeated."""
    return [sum_to(build, call.cotangent, call.input(0))]


def infer_tile(call: OpCall) -> Sequence[TensorType]:
    """x, and how often it is repeated along each axis => y (*S repeats)."""
    x = call.type(0)
    if not are_known(call, 1):
        return (opened(call, 2),)
    repeats = extents_of(call, 1)
    if len(repeats) != x.rank or any(isinstance(n, int) and n < 0 for n in repeats):
        raise InferenceError(f"Tile takes a number from 0 per axis of {x}, not {repeats}")
    return (x.with_shape(e * n for e, n in zip(x.shape, repeats, strict=True)),)


def tile(build: Builder, call: VjpCall) -> Cotangents:
    """x repeated: dy summed over the repetitions."""
    x, repeats = call.input(0), known_value(build, call, 1)
    apart: list[AxisExtent] = []
    for axis, number in enumerate(repeats):
        apart += [number, extent(x, axis)]
    column = build.Reshape(call.cotangent, vector(build, apart), allowzero=1)
    axes = build.index_constant(tuple(range(0, 2 * len(repeats), 2)))
    return [build.ReduceSum(column, axes, keepdims=0)]


_reshaping = partial(OpDef, cost=free, vjp=reshaped, view=True, moves=Moves.ALL, passes=True)

define(
    _reshaping("Flatten", 21, infer=infer_flatten, sees=everything, attributes={"axis": 1}),
    _reshaping(
        "Reshape",
        21,
        infer=infer_reshape,
        sees=reshape,
        known=reshape_values,
        attributes={"allowzero": 0},
    ),
    _reshaping(
        "Squeeze", 21, infer=infer_squeeze, sees=reshape, known=squeeze_values, symbol="reshape"
    ),
    _reshaping(
        "Unsqueeze",
        21,
        infer=infer_unsqueeze,
        sees=reshape,
        known=unsqueeze_values,
        symbol="reshape",
    ),
    OpDef(
        "Transpose",
        21,
        infer=infer_transpose,
        cost=free,
        sees=transposed,
        attributes={"perm": None},
        settles=settle_transpose,
        vjp=transpose,
        moves=Moves.ALL,
        passes=True,
    ),
    OpDef(
        "Concat",
        13,
        infer=infer_concat,
        cost=free,
        sees=elementwise,
        attributes={"axis": 1},
        known=concat_values,
        vjp=concat,
        moves=Moves.JOINED,
        passes=True,
    ),
    OpDef(
        "Shape",
        21,
        infer=infer_shape,
        cost=free,
        sees=elementwise,
        attributes={"start": 0, "end": None},
        known=shape_values,
        constant=True,
    ),
    OpDef("Tile", 13, infer=infer_tile, cost=free, sees=everything, vjp=tile, moves=Moves.SOME),
    OpDef(
        "Expand",
        13,
        infer=infer_expand,
        cost=free,
        sees=elementwise,
        vjp=expand,
        moves=Moves.SOME,
        symbol="copy",
    ),
)
