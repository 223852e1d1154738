"""The axes of a tensor as the author counts and names them: no batch, channels last."""

from collections.abc import Sequence
from typing import Annotated, Any

from ..expressions.arguments import Kind, Mismatch, Word
from ..ir.graph import Value
from ..ir.types import AUTHOR_AXES
from .layer_builder import LayerBuilder

POSITIONS_ALONG = {"depth": "slices", "height": "rows", "width": "columns", "length": "positions"}
AXIS_WORDS = ("channels", "height", "width", "depth", "length")


def _axis(value: Any) -> int | str:
    """An axis by its name or its number."""
    if isinstance(value, Word) and value in AXIS_WORDS:
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Mismatch


def _axes(value: Any) -> tuple[int | str, ...]:
    """Several axes, or one."""
    return tuple(map(_axis, value if isinstance(value, list | tuple) else (value,)))


_LISTED = ", ".join(f"`{word}`" for word in AXIS_WORDS)

AxisName = Annotated[
    int | str, Kind(f"one of {_LISTED}, or the axis's number from 0", _axis, AXIS_WORDS)
]
AxisNames = Annotated[
    tuple[int | str, ...],
    Kind("a list of axes such as `(width, height, channels)` or `(1, 0, 2)`", _axes, AXIS_WORDS),
]


def axis_names(x: Value) -> tuple[str, ...]:
    """What the author calls the axes of `x`, in the author's order.

    Token ids (N, L) have a length and no channels.
    """
    if x.type.rank == 2 and x.dtype.is_categorical:
        return ("length",)
    return AUTHOR_AXES.get(x.type.rank - 1, ("",) * (x.type.rank - 1))


def axis_places(rank: int) -> tuple[int, ...]:
    """For each of the author's axes, where it lies in a tensor of `rank`, the batch included.

    Images and volumes (N, C, *S) have their channels in front, sequences (N, L, C) and vectors
    (N, C) last.
    """
    return (*range(2, rank), 1) if rank >= 4 else tuple(range(1, rank))


def author_axis(build: LayerBuilder, x: Value, axis: int | str, *, at: str = "axis") -> int:
    """The author's number, from 0, of an axis of `x` that the author named or numbered.

    Raises:
        NetError: `x` has no such axis.
    """
    names = axis_names(x)
    if axis in names:
        return names.index(str(axis))
    if isinstance(axis, int) and -len(names) <= axis < len(names):
        return axis % len(names)
    known = ", ".join(f"`{name}` ({i})" if name else str(i) for i, name in enumerate(names))
    raise build.fail(
        "E103",
        f"finds no axis `{axis}` in its input",
        at=at,
        help=f"its axes are {known}" if names else None,
    )


def placed_axis(build: LayerBuilder, x: Value, axis: int | str) -> int:
    """Where an axis lies in `x` that the author named or numbered, the batch included."""
    return axis_places(x.type.rank)[author_axis(build, x, axis)]


def arranged(build: LayerBuilder, x: Value, order: Sequence[int]) -> Value:
    """`x` transposed so that the author's axis i is the axis that lies at `order[i]` in `x`."""
    perm = [0] * x.type.rank
    for place, axis in zip(axis_places(x.type.rank), order, strict=True):
        perm[place] = axis
    return x if perm == sorted(perm) else build.Transpose(x, perm=tuple(perm))


def spatial_places(x: Value) -> list[int]:
    """Where the axes lie in `x` that are not its channels."""
    places = zip(axis_places(x.type.rank), axis_names(x), strict=True)
    return [place for place, name in places if name != "channels"]


def units(x: Value, place: int) -> str:
    """What the axis at a place in `x` counts: `rows`, `columns`, `channels`."""
    name = axis_names(x)[axis_places(x.type.rank).index(place)]
    return POSITIONS_ALONG.get(name, name or "elements")
