"""The way out where branches do not fit each other: a step that brings one to another's size."""

from collections.abc import Sequence

from ..dim import Dim
from ..graph import Value
from ..types import author_extents


def made_alike(xs: Sequence[Value], *, channels: bool = True) -> str | None:
    """Help that ends a branch in a step which gives it the first one's size, or None.

    Args:
        xs: The branches.
        channels: Whether the channels must agree, too.
    """
    sizes = [author_extents(x.type) for x in xs]
    first = sizes[0]
    if len(first) == 0 or len({len(size) for size in sizes}) > 1:
        return None
    for number, size in enumerate(sizes[1:], start=2):
        kept = size if channels else (*size[:-1], first[-1])
        if kept != first:
            return _step(kept, first, number)
    return None


def _step(size: tuple[Dim, ...], target: tuple[Dim, ...], number: int) -> str | None:
    """What brings branch `number` to the target's size, or branch 1 to its."""
    (*positions, own), (*wanted, meant) = size, target
    if not isinstance(own, int) or not isinstance(meant, int) or meant < 1:
        return None
    if positions == wanted:
        return f"end branch {number} in `{_projection(len(positions), meant)}`"
    if down := _factor(positions, wanted):
        return f"end branch {number} in `{_reduction(down, meant, own != meant)}`"
    if up := _factor(wanted, positions):
        return f"end branch 1 in `{_reduction(up, own, own != meant)}`"
    return None


def _factor(larger: Sequence[Dim], smaller: Sequence[Dim]) -> tuple[int, ...] | None:
    """How many times larger one is than the other along each axis, where that is whole."""
    factor: list[int] = []
    for a, b in zip(larger, smaller, strict=True):
        if not (isinstance(a, int) and isinstance(b, int) and b > 0 and a % b == 0 and a > 0):
            return None
        factor.append(a // b)
    return tuple(factor)


def _projection(rank: int, channels: int) -> str:
    if rank < 2:
        return f"LINEAR({channels})" if rank else f"FC({channels})"
    return f"CONV({'x'.join('1' * rank)}, {channels})"


def _reduction(factor: tuple[int, ...], channels: int, projects: bool) -> str:
    """A pool, or where the channels differ as well, a convolution of that stride."""
    size = "x".join(map(str, factor))
    if not projects:
        return f"POOL(kernel={size})" if len(factor) == 1 else f"POOL({size})"
    kernel = "kernel=1" if len(factor) == 1 else "x".join("1" * len(factor))
    stride = size if len(set(factor)) > 1 else str(factor[0])
    return f"CONV({kernel}, {channels}, stride={stride})".replace("=1, ", "=1, filters=")
