"""Two sequences of layers to pairs that correspond, in order."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

LARGEST_GAP = 1_000_000  # pairs of layers that are compared with each other

# What a pair of layers is worth by what they have in common; their sum is made the largest. A name
# that the author gave says more than an automatic one, which shifts, and neither says as much as
# what a layer is.
SAME_IN_ALL = 12  # kind, arguments, output and parameters
SAME_CALL = 10  # kind and arguments
KIND = 4
LABEL = 3
NAME = 1

Pair = tuple[int, int]
Gap = tuple[range, range]


@dataclass(frozen=True, slots=True)
class LayerKey:
    """A layer as alignment sees it.

    Attributes:
        kind: The language's name of the layer.
        call: Its kind and its arguments.
        exact: The same with its output and its parameters.
        path: Its name.
        labelled: Whether the author gave it that name.
    """

    kind: str
    call: Hashable
    exact: Hashable
    path: str
    labelled: bool


LayerKeys = Sequence[LayerKey]
Same = Callable[[LayerKey, LayerKey], bool]


def align(before: LayerKeys, after: LayerKeys) -> list[Pair]:
    """The places of layers that correspond; both rise from pair to pair.

    The pairs have most in common in all: a longest common subsequence in which equal layers weigh
    more than similar ones. Between equal layers of equal names at both ends everything is compared
    with everything. Where that would be too much, equal layers at both ends and then layers with
    equal names are settled first.
    """
    whole = (range(len(before)), range(len(after)))
    pairs = _named_ends(before, after, whole)
    gaps = list(_between(whole, pairs))
    for divide in (_ends, _anchors):
        parts: list[Gap] = []
        for gap in gaps:
            found = [] if _is_small(gap) else divide(before, after, gap)
            pairs += found
            parts += _between(gap, found)
        gaps = parts
    for gap in gaps:
        pairs += (_best if _is_small(gap) else _by_place)(before, after, gap)
    return sorted(pairs)


def _is_small(gap: Gap) -> bool:
    return len(gap[0]) * len(gap[1]) <= LARGEST_GAP


def _equal(a: LayerKey, b: LayerKey) -> bool:
    return a.exact == b.exact


def _between(gap: Gap, pairs: Sequence[Pair]) -> Iterator[Gap]:
    """What pairs leave of a gap, where both sides have something left."""
    a, b = gap
    i, j = a.start, b.start
    for x, y in [*pairs, (a.stop, b.stop)]:
        if i < x and j < y:
            yield range(i, x), range(j, y)
        i, j = x + 1, y + 1


def _named_ends(before: LayerKeys, after: LayerKeys, gap: Gap) -> list[Pair]:
    """Equal layers of equal names at the start and at the end."""
    return _ends(before, after, gap, lambda a, b: a.exact == b.exact and a.path == b.path)


def _ends(before: LayerKeys, after: LayerKeys, gap: Gap, same: Same = _equal) -> list[Pair]:
    """Equal layers at the start and at the end."""
    a, b = gap
    head = tail = 0
    while head < min(len(a), len(b)) and same(before[a[head]], after[b[head]]):
        head += 1
    most = min(len(a), len(b)) - head
    while tail < most and same(before[a[-1 - tail]], after[b[-1 - tail]]):
        tail += 1
    ends = [(a[-1 - k], b[-1 - k]) for k in reversed(range(tail))]
    return [(a[k], b[k]) for k in range(head)] + ends


def _anchors(before: LayerKeys, after: LayerKeys, gap: Gap) -> list[Pair]:
    """Equal layers of equal names, as many as keep their order (patience sorting)."""
    places = {(after[j].path, after[j].call): j for j in gap[1]}
    keys = ((i, (before[i].path, before[i].call)) for i in gap[0])
    pairs = [(i, places[key]) for i, key in keys if key in places]
    ends: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for place, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        previous.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [place]
    found: list[Pair] = []
    place = last[-1] if last else -1
    while place >= 0:
        found.append(pairs[place])
        place = previous[place]
    return found[::-1]


def _by_place(before: LayerKeys, after: LayerKeys, gap: Gap) -> list[Pair]:
    """Layers at the same place, where they are of the same kind: for what nothing divides."""
    return [(i, j) for i, j in zip(*gap, strict=False) if before[i].kind == after[j].kind]


def _best(before: LayerKeys, after: LayerKeys, gap: Gap) -> list[Pair]:
    """The pairs that are worth most (Needleman and Wunsch 1970, without a price for gaps)."""
    a, b = gap
    right = [after[j] for j in b]
    steps: list[bytearray] = []
    above = [0] * (len(b) + 1)
    for i in a:
        row, step, best = [0], bytearray(len(b)), 0
        item = before[i]
        for k, other in enumerate(right):
            worth = _similarity(item, other)
            paired = above[k] + worth if worth else -1
            if paired >= above[k + 1] and paired >= best:
                best, step[k] = paired, _PAIR
            elif above[k + 1] >= best:
                best, step[k] = above[k + 1], _SKIP_BEFORE
            else:
                step[k] = _SKIP_AFTER
            row.append(best)
        above = row
        steps.append(step)
    return _retraced(steps, gap)


_PAIR, _SKIP_BEFORE, _SKIP_AFTER = range(3)


def _retraced(steps: Sequence[bytearray], gap: Gap) -> list[Pair]:
    """The pairs on the best way, from its end to its start."""
    a, b = gap
    x, y = len(a) - 1, len(b) - 1
    found: list[Pair] = []
    while x >= 0 and y >= 0:
        step = steps[x][y]
        if step == _PAIR:
            found.append((a[x], b[y]))
        x, y = x - (step != _SKIP_AFTER), y - (step != _SKIP_BEFORE)
    return found[::-1]


def _similarity(a: LayerKey, b: LayerKey) -> int:
    """What two layers have in common; 0 where they cannot correspond."""
    named = 0
    if a.path == b.path:
        named = LABEL if a.labelled and b.labelled else NAME
    if a.kind != b.kind:
        return named if named == LABEL else 0
    return (SAME_IN_ALL if a.exact == b.exact else SAME_CALL if a.call == b.call else KIND) + named
