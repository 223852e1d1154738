"""What operators that cut and pad say in their arguments: places on axes, as constants."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim, unknown
from ..ir.signature import InferenceError, OpCall
from ..ir.tensor import Tensor
from ..ir.types import TensorType
from .opdef import VjpCall

# How ONNX spells "to the end", forwards and backwards.
END = 2**63 - 1
START = -(2**63)
ANY_END = 2**31 - 1  # ONNX: INT_MAX, or more, where the extent is not known


class UnknownValueError(InferenceError):
    """An argument whose value is known only at run time, where a rule needs it earlier."""


def length_of(call: OpCall, index: int) -> int:
    """How many numbers a vector among the arguments holds.

    Raises:
        InferenceError: The argument is no vector, or its extent is open.
    """
    type = call.type(index)
    (extent,) = type.shape if type.rank == 1 else (None,)
    if not isinstance(extent, int):
        raise InferenceError(
            f"{call.op_type} needs a vector of known length for argument {index}, not {type}"
        )
    return extent


def opened(call: OpCall, index: int, *, first: int | None = None) -> TensorType:
    """The first argument's type where extents are open on the axes that an argument names.

    Args:
        call: The application.
        index: The argument that names the axes.
        first: How many of the first axes are open where no axes are named; all where it is None.
    """
    x = call.type(0)
    axes: Any = range(x.rank if first is None else first)
    if call.has(index):
        axes = call.vector(index)
    places = range(x.rank) if axes is None else [axis_of(call, axis, x.rank) for axis in axes]
    return x.with_shape(unknown() if i in places else e for i, e in enumerate(x.shape))


def are_known(call: OpCall, *indices: int) -> bool:
    """Whether the values of some arguments, as far as they are given, are known."""
    return all(call.known(i) is not None for i in indices if call.has(i))


def known_value(build: Builder, call: VjpCall, index: int) -> Any:
    """The value of an argument, for a gradient that needs it.

    Raises:
        UnknownValueError: It is known only at run time.
    """
    known = build.known(call.input(index))
    if known is None:
        raise UnknownValueError(f"{call.op_type} needs a constant for argument {index}")
    return known


def slices(call: OpCall) -> dict[int, slice]:
    """What `Slice` keeps of each axis that it cuts."""
    x = call.type(0)
    starts, ends = vector_of(call, 1), extents_of(call, 2)
    axes = vector_of(call, 3) if call.has(3) else tuple(range(len(starts)))
    steps = vector_of(call, 4) if call.has(4) else (1,) * len(starts)
    if len({len(part) for part in (starts, ends, axes, steps)}) > 1 or 0 in steps:
        raise InferenceError(f"Slice cannot cut {x} by {starts}, {ends}, {axes}, {steps}")
    cuts = map(slice, starts, ends, steps)
    return dict(zip((axis_of(call, a, x.rank) for a in axes), cuts, strict=True))


def padding(call: OpCall) -> Mapping[int, tuple[int, int]]:
    """What `Pad` adds before and after each axis that it pads."""
    x, pads = call.type(0), vector_of(call, 1)
    axes = vector_of(call, 3) if call.has(3) else tuple(range(x.rank))
    if len(pads) != 2 * len(axes):
        raise InferenceError(f"Pad takes two numbers per axis for {x}, not {pads}")
    sides = zip(pads[: len(axes)], pads[len(axes) :], strict=True)
    return dict(zip((axis_of(call, a, x.rank) for a in axes), sides, strict=True))


def vector_of(call: OpCall, index: int) -> tuple[int, ...]:
    """A constant vector of integers among the arguments."""
    known = extents_of(call, index)
    numbers = tuple(number for number in known if isinstance(number, int))
    if len(numbers) < len(known):
        raise UnknownValueError(f"{call.op_type} needs a constant for argument {index}")
    return numbers


def extents_of(call: OpCall, index: int) -> tuple[Dim, ...]:
    """A vector among the arguments, whose value is known."""
    found = call.vector(index) if index < len(call.inputs) else None
    if found is None:
        raise UnknownValueError(f"{call.op_type} needs a constant for argument {index}")
    return found


def axis_of(call: OpCall, axis: int, rank: int) -> int:
    """An axis counted from 0."""
    if not -rank <= axis < rank:
        raise InferenceError(f"{call.op_type} has no axis {axis} in a tensor of rank {rank}")
    return axis % rank


def check_indices(call: OpCall, index: int, extent: Dim) -> None:
    """Constant indices among the arguments lie within an axis; those below 0 count from its end."""
    if not isinstance(extent, int) or index >= len(call.constants):
        return
    for number in numbers_of(call.constants[index]):
        if isinstance(number, int) and not -extent <= number < extent:
            raise InferenceError(f"{call.op_type} needs indices below {extent}, not {number}")


def numbers_of(known: Any) -> Iterator[Any]:
    """The numbers of an argument, as far as they are known."""
    waiting = [known]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Tensor):
            yield from item.numbers() or ()
        elif isinstance(item, tuple):
            waiting.extend(reversed(item))
        elif item is not None:
            yield item
