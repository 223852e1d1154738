"""Windows over images, volumes and sequences, as the author writes them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...grammar.limits import MAX_INTEGER
from ..ir.graph import Value
from ..ir.types import author_extents, author_size
from ..ir.windows import Window
from .layer_builder import LayerBuilder

UNITS = {1: ("position",), 2: ("row", "column"), 3: ("slice", "row", "column")}


class SpatialInput(NamedTuple):
    """A channels-first view of a layer's input, and whether the layer must transpose back."""

    value: Value
    was_sequence: bool


def channels_first(build: LayerBuilder, x: Value) -> SpatialInput:
    """`x` as (N, C, *S); a sequence (N, L, C) is transposed.

    Raises:
        NetError: `x` is a vector or not made of real numbers.
    """
    if x.type.rank not in (3, 4, 5) or not x.dtype.is_float:
        raise build.fail(
            "E201",
            f"needs a sequence, an image or a volume, but its input is {describe(x)}",
        )
    if x.type.rank == 3:
        return SpatialInput(build.Transpose(x, perm=(0, 2, 1)), True)
    return SpatialInput(x, False)


def as_before(build: LayerBuilder, y: Value, x: SpatialInput) -> Value:
    """The layer's output in the layout that its input had."""
    return build.Transpose(y, perm=(0, 2, 1)) if x.was_sequence else y


def describe(x: Value) -> str:
    """A tensor in the author's words: `a vector of 84`, `28x28x6`."""
    extents = author_extents(x.type)
    if not x.dtype.is_float:
        return f"{author_size(x.type)} of {x.dtype.value}"
    if len(extents) == 0:
        return "a single number"
    return f"a vector of {extents[0]}" if len(extents) == 1 else author_size(x.type)


def window_on(
    build: LayerBuilder,
    x: Value,
    *,
    kernel: int | tuple[int, ...],
    stride: int | tuple[int, ...],
    pad: Any,
    dilation: int | tuple[int, ...] = 1,
    ceil: bool = False,
) -> Window:
    """The window that slides over `x` (N, C, *S), checked against its extents.

    Raises:
        NetError: A size of the wrong rank, a kernel larger than the padded input, or one that
            spans more than an int64 counts.
    """
    rank = x.type.rank - 2
    sizes = per_axis(build, kernel, "kernel", rank)
    dilations = per_axis(build, dilation, "dilation", rank)
    before, after = padding_of(build, pad, sizes, dilations)
    window = Window(sizes, per_axis(build, stride, "stride", rank), before, after, dilations, ceil)
    _check_span(build, window)
    _check_fits(build, x, window)
    _warn_of_unseen(build, x, window)
    return window


def per_axis(
    build: LayerBuilder, given: int | tuple[int, ...], name: str, rank: int
) -> tuple[int, ...]:
    """One number per spatial axis: an integer holds for all of them."""
    if isinstance(given, int):
        return (given,) * rank
    if len(given) != rank:
        size = "x".join(map(str, given))
        axes = "axis" if rank == 1 else "axes"
        fitted = given[:rank] if len(given) > rank else given[:1] * rank
        raise build.fail(
            "E201",
            f"is given a {name} of {size}, but its input has {rank} spatial {axes}",
            at=name,
            help=f"write `{name}={'x'.join(map(str, fitted))}`",
        )
    return given


def padding_of(
    build: LayerBuilder, pad: Any, kernel: tuple[int, ...], dilations: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Padding before and after; `same` adds d (K - 1) in all, an odd one at the end."""
    rank = len(kernel)
    if pad == "valid":
        return (0,) * rank, (0,) * rank
    if pad == "same":
        total = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    if isinstance(pad, tuple) and isinstance(pad[0], tuple):
        before, after = (per_axis(build, side, "pad", rank) for side in pad)
        return before, after
    both = per_axis(build, pad, "pad", rank)
    return both, both


def _check_span(build: LayerBuilder, window: Window) -> None:
    widest = max((*window.reach, *window.pads, *window.strides))
    if widest > MAX_INTEGER:
        raise build.fail("E404", f"has a window that spans {widest:_} positions, beyond 2^63 - 1")


def _check_fits(build: LayerBuilder, x: Value, window: Window) -> None:
    counts = window.output(x.shape[2:])
    short = [i for i, count in enumerate(counts) if isinstance(count, int) and count < 1]
    if not short:
        return
    units = UNITS[window.rank]
    needed = " and ".join(counted(window.reach[i], units[i]) for i in short)
    if len(short) == 2 and window.reach[short[0]] == window.reach[short[1]]:
        needed = f"{window.reach[short[0]]} {units[short[0]]}s and {units[short[1]]}s"
    padded = " with its padding" if any(window.pads) else ""
    kernel = "x".join(map(str, window.kernel))
    raise build.fail(
        "E203",
        f"{kernel} needs at least {needed}, but its input is {build.input_size(x)}{padded}",
        at="kernel",
    )


def _warn_of_unseen(build: LayerBuilder, x: Value, window: Window) -> None:
    """Warn of a last row or column that is missed by windows that otherwise leave no gap.

    A stride beyond the kernel, as in a 1x1 shortcut, skips rows on purpose.
    """
    extents = [extent for extent in x.shape[2:] if isinstance(extent, int)]
    if len(extents) < window.rank:
        return
    lost = [
        counted(count, unit)
        for count, unit, reach, stride in zip(
            window.unseen(extents), UNITS[window.rank], window.reach, window.strides, strict=True
        )
        if count and reach >= stride
    ]
    if lost:
        help = "`ceil=yes` adds a window for them" if "ceil" in build.bound.arguments else None
        build.warn("W101", f"never sees the last {' and '.join(lost)} of its input", help=help)


def counted(count: int, unit: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count} {unit}{'s' if count != 1 else ''}"


def lying_along(numbers: Sequence[float], trailing: int) -> tuple[Any, ...]:
    """A vector as nested tuples with `trailing` axes of extent 1 after it, to broadcast it."""
    nested: tuple[Any, ...] = tuple(numbers)
    for _ in range(trailing):
        nested = tuple((item,) for item in nested)
    return nested
