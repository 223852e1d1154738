"""Fixes where a layer does not take the tensor that meets it (E201, E203, E204)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isqrt, prod

from ...ir.types import DType, author_extents
from .alike import CAST, projection, resized
from .case import NO_TENSOR, Case, Fix


def laid_out(case: Case) -> Iterator[Fix]:
    """Positions for a vector, and a vector for a single number."""
    size = author_extents(case.x.type)
    if not case.x.dtype.is_float or len(size) > 1:
        return
    count = prod(extent for extent in size if isinstance(extent, int))
    if not size:
        yield case.after("RESHAPE(1)")
    elif isinstance(size[0], int):
        if case.call.spelling in STARTS_SMALL:
            yield case.after(f"RESHAPE(1x1x{count})")
        for side, channels in _squares(count):
            yield case.after(f"RESHAPE({side}x{side}x{channels})")
        yield case.after(f"RESHAPE({count}x1)")


STARTS_SMALL = ("UPCONV", "DECONV")  # at one position


def picture(case: Case) -> Iterator[Fix]:
    """An input of a square picture's size in place of a vector."""
    size = author_extents(case.x.type)
    is_vector = case.source is not None and case.source.kind == "INPUT" and len(size) == 1
    if (
        is_vector
        and case.call.spelling not in STARTS_SMALL
        and case.x.dtype.is_float
        and isinstance(size[0], int)
    ):
        for side, channels in _squares(size[0]):
            if side > 1 and channels in (1, 3):
                text = f"INPUT({side}x{side}{'x3' if channels == 3 else ''})"
                yield Fix(f"write `{text}`", f"{text} -> {case.call.span.text}")


def another_layer(case: Case) -> Iterator[Fix]:
    """What does for a single number as the layer does for several."""
    if case.call.spelling == "SOFTMAX" and case.x.type.rank == 1:
        yield case.written("SIGMOID")


def _squares(count: int) -> Iterator[tuple[int, int]]:
    """Square pictures of `count` numbers: gray, in color, or with the fewest channels."""
    for channels in (1, 3):
        side = isqrt(count // channels)
        if count > channels and side * side * channels == count:
            yield side, channels
    sides = range(isqrt(min(count, LONGEST_VECTOR)), 0, -1)
    yield from ((side, count // side**2) for side in sides if count % side**2 == 0)


LONGEST_VECTOR = 10**6  # of a vector that is laid out


def embedded(case: Case) -> Iterator[Fix]:
    """A vector for each token id."""
    if case.x.dtype is DType.INT64 and case.x.type.rank == 2:
        fix = case.after("EMBED(1000, 64)")
        yield replace(fix, help=f"{fix.help} for the ids of 1000 tokens")


def real_numbers(case: Case) -> Iterator[Fix]:
    """Real numbers for whole ones."""
    if case.x.dtype.is_float or case.x is NO_TENSOR:
        return
    if case.x.dtype is DType.UINT8:
        fix = case.after("NORMALIZE(mean=0, std=255)")
        yield replace(fix, help=f"{fix.help} for numbers from 0 to 1")
    if case.source is not None and case.source.span and case.source.kind == "INPUT":
        text = _DTYPE.sub("", case.source.span.text)
        yield Fix(f"write `{text}` for real numbers", f"{text} -> {case.call.span.text}")
    yield case.after(CAST.format("float32"))


_DTYPE = re.compile(r",\s*dtype=\w+")


def over_positions(case: Case) -> Iterator[Fix]:
    """The mean over positions whose number is open."""
    if any(not isinstance(extent, int) for extent in author_extents(case.x.type)):
        yield case.after("GAP")


def known_extents(case: Case) -> Iterator[Fix]:
    """An input of known size where a layer needs one."""
    extents = author_extents(case.x.type)
    if any(not isinstance(extent, int) for extent in extents):
        size = "x".join(str(e if isinstance(e, int) else SOME) for e in extents)
        known = f"INPUT({size}{', sequence' if case.x.type.rank == 3 else ''})"
        call = case.call.span.text
        yield Fix("give the input numbers in place of names", f"{known} -> {call}")


SOME = 32  # positions, where a number may stand for any


def as_labelled(case: Case) -> Iterator[Fix]:
    """The size of the tensor that an argument names."""
    for argument in case.call.given:
        found = case.site.scope.find(argument.value) if isinstance(argument.value, str) else None
        if found is not None:
            yield from (case.after(s.text) for s in resized(case.x.type, found.type) if s.text)


def fewer_axes(case: Case) -> Iterator[Fix]:
    """A size whose first axes are one."""
    size = case.arguments.get("size")
    if isinstance(size, tuple) and len(size) > 4 and all(isinstance(e, int) for e in size):
        merged = (prod(size[:-3]), *size[-3:])
        yield case.written(case.changed("size", "x".join(map(str, merged))))


def unstrided(case: Case) -> Iterator[Fix]:
    """A stride of 1 where each turn of a repetition divides the size."""
    if _divides_in_turns(case):
        yield Fix("give the layer a stride of 1", case.chain(""))


def _divides_in_turns(case: Case) -> bool:
    turns, kernel = case.state.turns, case.arguments.get("kernel")
    stride = case.arguments.get("stride") or kernel
    sides = stride if isinstance(stride, tuple) else (stride,)
    return bool(turns) and turns[-1].index > 0 and any(side != 1 for side in sides)


def smaller_kernel(case: Case) -> Iterator[Fix]:
    """A kernel as large as its input."""
    if _divides_in_turns(case):
        return
    kernel = case.arguments.get("kernel")
    extents = [e for e in author_extents(case.x.type)[:-1] if isinstance(e, int)]
    sides = (kernel,) * len(extents) if isinstance(kernel, int) else kernel
    if not isinstance(sides, tuple) or len(sides) != len(extents):
        return
    fitting = [min(pair) for pair in zip(sides, extents, strict=True)]
    if "filters" in case.arguments or set(fitting) != {1}:  # a pool of one element does nothing
        yield case.written(case.changed("kernel", "x".join(map(str, fitting))))


def padded(case: Case) -> Iterator[Fix]:
    """Padding that keeps the size."""
    if "pad" in case.arguments and not _divides_in_turns(case):
        yield case.written(case.changed("pad", "same"))


# What divides channels, or an axis, and the least number of it that does anything.
DIVIDERS: Mapping[str, int] = {"groups": 1, "heads": 1, "parts": 2, "factor": 2}
MOST_DIVISORS = 1_000


def dividing(case: Case) -> Iterator[Fix]:
    """The nearest number that divides the channels."""
    extents = [e for e in author_extents(case.x.type) if isinstance(e, int)]
    for name, least in DIVIDERS.items():
        if isinstance(given := case.arguments.get(name), int):
            numbers = range(least, min(max(extents, default=0), MOST_DIVISORS) + 1)
            near = sorted(numbers, key=lambda n: (abs(n - given), n))
            dividing = [n for n in near if n != given and any(e % n == 0 for e in extents)]
            yield from (case.written(case.changed(name, str(n))) for n in dividing)


def divided(case: Case) -> Iterator[Fix]:
    """As many channels as can be divided."""
    size = author_extents(case.x.type)
    given = [case.arguments[name] for name in DIVIDERS if name in case.arguments]
    if given and size and isinstance(channels := size[-1], int):
        divisor = given[0] ** (len(size) - 1) if "factor" in case.arguments else given[0]
        more = channels + -channels % divisor
        yield case.after(projection(size, more))
