"""A flow -> columns on a page: where a long chain is cut, and how much it is scaled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..emit.clusters import Cluster
from ..emit.layer_view import Edge
from .flow import Framed, Item, Leaf, Parallel, Series
from .layout import Layout
from .piece import GAP, Piece, Route

GUTTER = 26.0  # between columns, for the line that leads to the next one


@dataclass(frozen=True)
class _Part:
    """Items that stay together, and the frames around them, outermost first."""

    items: tuple[Item, ...]
    frames: tuple[Framed, ...]


@dataclass(frozen=True)
class Parts:
    """What of a flow may be in different columns, with the lengths."""

    parts: Sequence[_Part]
    lengths: Sequence[float]


def parts_of(layout: Layout, series: Series, level: int) -> Parts:
    """Where columns may end: between frames, or in those that have at most `level` around them."""
    parts = list(_parts(series, (), level))
    return Parts(parts, [_length(layout, part) for part in parts])


def columns(layout: Layout, series: Series, parts: Parts, count: int) -> Piece:
    """A flow in at most `count` columns, about as long as each other, led from one to the next."""
    if count == 1 or len(parts.parts) < 2:
        return layout.series(series)
    cut = _cut(layout, series, parts.parts, parts.lengths, count)
    arrows = [isinstance(each.items[0], Leaf) for each in cut]
    return _beside([layout.series(each) for each in cut], arrows)


def _parts(series: Series, frames: tuple[Framed, ...], level: int) -> Iterator[_Part]:
    """What may be in different columns; branches stay with what merges them."""
    items = list(series.items)
    i = 0
    while i < len(items):
        item = items[i]
        held: tuple[Item, ...] = (item,)
        if isinstance(item, Parallel) and i + 1 < len(items):
            held = (item, items[i + 1])
        i += len(held)
        fixed = isinstance(item, Framed) and i < len(items) and _reaches_into(items[i], item)
        if fixed and isinstance(items[i], Parallel):
            held = (*held, *items[i : i + 2])
            i += 2
        if len(held) == 1 and isinstance(item, Framed) and level and len(item.body.items) > 1:
            yield from _parts(item.body, (*frames, item), level - 1)
        else:
            yield _Part(held, frames)


def _reaches_into(item: Item, frame: Framed) -> bool:
    """Whether a line starts at the side of a frame."""
    ends = {edge.source for edge in frame.body.exits}
    return isinstance(item, Parallel) and any(edge.source not in ends for edge in item.skips)


def _length(layout: Layout, part: _Part) -> float:
    return layout.series(Series(list(part.items), [], [])).length + GAP


def _cut(
    layout: Layout, series: Series, parts: Sequence[_Part], lengths: Sequence[float], count: int
) -> list[Series]:
    """The flow in pieces of about the same length."""
    low, high = max(lengths), sum(lengths)
    for _ in range(24):
        middle = (low + high) / 2
        if len(_filled(lengths, middle)) <= count:
            high = middle
        else:
            low = middle
    seen: set[Cluster] = set()
    found = []
    for start, end in _filled(lengths, high):
        chosen = parts[start:end]
        found.append(_regrouped(chosen, 0, series, seen, layout))
    return found


def _filled(lengths: Sequence[float], limit: float) -> list[tuple[int, int]]:
    """Runs of parts, none longer than a limit."""
    runs, start, total = [], 0, 0.0
    for i, length in enumerate(lengths):
        if total + length > limit and i > start:
            runs.append((start, i))
            start, total = i, 0.0
        total += length
    return [*runs, (start, len(lengths))]


def _regrouped(
    parts: Sequence[_Part], level: int, around: Series, seen: set[Cluster], layout: Layout
) -> Series:
    """A column's parts, in their frames again."""
    items: list[Item] = []
    i = 0
    while i < len(parts):
        frames = parts[i].frames
        if len(frames) == level:
            items += parts[i].items
            i += 1
            continue
        frame, j = frames[level], i
        while j < len(parts) and parts[j].frames[level : level + 1] == (frame,):
            j += 1
        cluster = frame.cluster
        if cluster in seen:
            cluster = replace(cluster)
            layout.continued.add(cluster)
        seen.add(frame.cluster)
        body = _regrouped(parts[i:j], level + 1, frame.body, seen, layout)
        items.append(Framed(cluster, body))
        i = j
    first, last = items[0] is around.items[0], items[-1] is around.items[-1]
    some = [Edge(0, 0)]
    entries = around.entries if first or _is_start(items[0], around) else some
    exits = around.exits if last or _is_end(items[-1], around) else some
    return Series(items, entries, exits)


def _is_start(item: Item, around: Series) -> bool:
    first = around.items[0]
    return (
        isinstance(item, Framed)
        and isinstance(first, Framed)
        and (item.body.items[0] is first.body.items[0] or _is_start(item.body.items[0], first.body))
    )


def _is_end(item: Item, around: Series) -> bool:
    last = around.items[-1]
    return (
        isinstance(item, Framed)
        and isinstance(last, Framed)
        and (item.body.items[-1] is last.body.items[-1] or _is_end(item.body.items[-1], last.body))
    )


def _beside(pieces: Sequence[Piece], arrows: Sequence[bool]) -> Piece:
    """Columns from left to right, with lines from each one's end to the next one's start."""
    lead = GAP  # above all columns, where lines come in
    whole = Piece(length=max(piece.length for piece in pieces) + 2 * lead)
    axis = 0.0
    for number, piece in enumerate(pieces):
        axis += piece.left
        whole.put(piece, axis, lead)
        if number + 1 < len(pieces):
            after = axis + piece.right + GUTTER + pieces[number + 1].left
            lane = axis + piece.right + GUTTER / 2
            low = lead + piece.length
            points = (
                (axis, low),
                (axis, low + lead / 2),
                (lane, low + lead / 2),
                (lane, lead / 3),
                (after, lead / 3),
                (after, lead),
            )
            whole.routes.append(Route(points, arrow=arrows[number + 1]))
        axis += piece.right + GUTTER
    whole.right = axis - GUTTER
    return whole
