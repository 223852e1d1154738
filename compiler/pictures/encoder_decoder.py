"""A flow -> the levels of an encoder and a decoder, one per resolution; None for other networks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from ..emit.layer_view import Box
from .flow import Framed, Item, Leaf, Parallel, Series

FEWEST_LEVELS = 2
SHORT = 2  # boxes that a skip may pass on its way, such as a crop


@dataclass(frozen=True)
class Level:
    """What one resolution has on its way down and up, and what lies on its skip.

    Attributes:
        skip: Where it starts, and where it ends.
    """

    down: Sequence[Item]
    skip: tuple[int, int]
    on_skip: Series | None
    up: Sequence[Item]

    @property
    def leaves_over(self) -> bool:
        """Whether the skip starts before the end of the way down."""
        return self.skip[0] != last(self.down)

    @property
    def enters_over(self) -> bool:
        """Whether the skip ends after the beginning of the way up."""
        return self.skip[1] != first(self.up)


@dataclass(frozen=True)
class Ladder:
    """Levels from the highest resolution down, and what is below them."""

    levels: Sequence[Level]
    bottom: Sequence[Item]

    @property
    def items(self) -> Iterator[Item]:
        """All that it holds."""
        yield from self.bottom
        for level in self.levels:
            yield from (*level.down, *(level.on_skip.items if level.on_skip else ()), *level.up)


def ladder(series: Series, boxes: Sequence[Box]) -> Ladder | None:
    """The levels of an encoder and a decoder; None for networks of other shapes."""
    levels: list[Level] = []
    while True:
        items = _opened(series.items, boxes)
        found = [(p, i) for i, item in enumerate(items) if (p := _passed(item, boxes))]
        if not found:
            break
        passed, at = max(found, key=lambda pair: _count(pair[0].main))
        levels.append(Level(items[:at], passed.skip, passed.on_skip, items[at + 1 :]))
        series = passed.main
    complete = len(levels) >= FEWEST_LEVELS and all(level.down and level.up for level in levels)
    return _by_resolution(levels, series.items, boxes) if complete and series.items else None


def _by_resolution(levels: Sequence[Level], bottom: Sequence[Item], boxes: Sequence[Box]) -> Ladder:
    """A ladder whose rows are one resolution each.

    What a skip passes by may begin before it is made smaller, and ends after it is made larger
    again: that belongs to the row of the skip.
    """
    found: list[Level] = []
    for level in reversed(levels):
        below = found[-1] if found else None
        down, up = (below.down, below.up) if below else (bottom, bottom)
        size = _extents(iter(level.skip[1:]), boxes)
        if below and size == _extents(iter(below.skip[1:]), boxes):
            found.append(level)  # two skips of one resolution
            continue
        before = _sized(down, size, boxes)
        after = _sized(up[::-1], size, boxes)
        raised = up[len(up) - after :]
        if below:
            found[-1] = replace(below, down=down[before:], up=up[: len(up) - after])
        else:
            bottom = bottom[before : len(bottom) - after]
        found.append(replace(level, down=[*level.down, *down[:before]], up=[*raised, *level.up]))
    return Ladder(found[::-1], bottom)


def _sized(items: Sequence[Item], size: Sequence[int], boxes: Sequence[Box]) -> int:
    """How many items at the beginning, but not all, yield only maps of a size."""
    found = (set(_extents(boxes_of([item]), boxes)) == {*size} for item in items)
    return min(sum(takewhile(bool, found)), len(items) - 1) if size else 0


def _opened(items: Sequence[Item], boxes: Sequence[Box]) -> list[Item]:
    """Items, and in place of a frame around a level what it holds."""
    found: list[Item] = []
    for item in items:
        inner = _opened(item.body.items, boxes) if isinstance(item, Framed) else []
        found += inner if any(_passed(each, boxes) for each in inner) else [item]
    return found


@dataclass(frozen=True)
class _Passed:
    """What a skip passes by, what lies on the skip, and where it starts and ends."""

    main: Series
    on_skip: Series | None
    skip: tuple[int, int]


def _passed(item: Item, boxes: Sequence[Box]) -> _Passed | None:
    """What a skip passes by that becomes smaller and then as large as the skip; None for others."""
    if not isinstance(item, Parallel):
        return None
    main = max(item.branches, key=_count)
    others = [branch for branch in item.branches if branch is not main]
    longest = max(map(_count, others), default=0)
    if len(others) + len(item.skips) != 1 or longest > SHORT or _count(main) <= longest:
        return None
    ends = [*item.skips * 2, *(edge for b in others for edge in (*b.entries, *b.exits))]
    if len(ends) != 2 or not main.entries or not main.exits:
        return None
    skip = ends[0].source, ends[1].target
    inside = _extents(boxes_of(main.items), boxes)
    back, outside = (_extents(iter([box]), boxes) for box in (main.exits[0].source, skip[1]))
    if back in ([], [1]) or min(inside) >= min(outside, default=0):
        return None  # gates are spread over what they are applied to
    return _Passed(main, next(iter(others), None), skip)


def _count(series: Series) -> int:
    return sum(1 for _ in boxes_of(series.items))


def boxes_of(items: "Sequence[Item] | Iterator[Item]") -> Iterator[int]:
    """All boxes of some items, in the order of the flow."""
    for item in items:
        if isinstance(item, Leaf):
            yield item.box
        elif isinstance(item, Framed):
            yield from boxes_of(item.body.items)
        elif isinstance(item, Parallel):
            for branch in item.branches:
                yield from boxes_of(branch.items)
        else:
            yield from item.boxes


def _extents(positions: Iterator[int], boxes: Sequence[Box]) -> list[int]:
    """The first extent of all outputs that have several."""
    sizes = (boxes[position].output.split("x") for position in positions)
    return [int(size[0]) for size in sizes if len(size) > 1 and size[0].isdigit()]


def first(items: Sequence[Item]) -> int:
    """The box that some items begin with."""
    return next(boxes_of(items[:1]))


def last(items: Sequence[Item]) -> int:
    """The box that some items end with."""
    return list(boxes_of(items[-1:]))[-1]
