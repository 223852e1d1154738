"""Feature maps -> where they stand: ranks from left to right, lanes for branches, rows."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from .feature_maps import FeatureMaps


def ranks(found: FeatureMaps) -> list[int]:
    """How many maps come before each one, at most."""
    result = [0] * len(found.maps)
    for connection in sorted(found.connections, key=lambda connection: connection.target):
        result[connection.target] = max(result[connection.target], result[connection.source] + 1)
    return result


def lanes(found: FeatureMaps, rank: Sequence[int]) -> list[int]:
    """The lane of each map: 0 for the longest chain, others below it where there is room."""
    sources: dict[int, list[int]] = defaultdict(list)
    targets: dict[int, list[int]] = defaultdict(list)
    for connection in found.connections:
        sources[connection.target].append(connection.source)
        targets[connection.source].append(connection.target)
    lane = [-1] * len(found.maps)
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    left = set(range(len(found.maps)))
    while left:
        chain = _longest(left, sources)
        before = [rank[s] for s in sources[chain[0]] if s not in left]
        after = [rank[t] for t in targets[chain[-1]] if t not in left]
        first = min([rank[chain[0]], *(r + 1 for r in before)])
        last = max([rank[chain[-1]], *(r - 1 for r in after)])
        own = next(n for n in range(len(lane)) if all(last < a or b < first for a, b in taken[n]))
        taken[own].append((first, last))
        for position in chain:
            lane[position] = own
        left -= set(chain)
    return lane


def _longest(left: set[int], sources: dict[int, list[int]]) -> list[int]:
    """The longest chain among maps, the first of several."""
    length: dict[int, int] = {}
    before: dict[int, int] = {}
    for position in sorted(left):
        inside = [s for s in sources[position] if s in left]
        if inside:
            before[position] = max(inside, key=lambda s: (length[s], -s))
        length[position] = 1 + (length[before[position]] if inside else 0)
    chain = [max(left, key=lambda position: (length[position], -position))]
    while chain[-1] in before:
        chain.append(before[chain[-1]])
    return chain[::-1]


def cuts(found: FeatureMaps, rank: Sequence[int], widths: Sequence[float], rows: int) -> list[int]:
    """The ranks that begin rows, so that rows are about as wide and few connections are cut.

    Args:
        found: The maps.
        rank: Their ranks.
        widths: The width that each rank takes.
        rows: How many rows there are.
    """
    count = len(widths)
    crossing = [0.0] * (count + 1)
    for connection in found.connections:
        ahead = rank[connection.target] - rank[connection.source] > 1 or connection.skip
        for cut in range(rank[connection.source] + 1, rank[connection.target] + 1):
            crossing[cut] += 0.3 if ahead else 0.1
    for repeat in found.repeats:
        for cut in range(rank[repeat.first] + 1, rank[repeat.last] + 1):
            crossing[cut] += 100
    ends = [0.0]
    for width in widths:
        ends.append(ends[-1] + width)
    ideal = ends[-1] / rows
    best: list[list[tuple[float, int]]] = [[(0.0, 0)] + [(float("inf"), 0)] * count]
    for _ in range(rows):
        before = best[-1]
        row: list[tuple[float, int]] = [(float("inf"), 0)]
        for end in range(1, count + 1):
            costs = (
                (
                    before[start][0]
                    + ((ends[end] - ends[start]) / ideal - 1) ** 2
                    + (crossing[end] if end < count else 0),
                    start,
                )
                for start in range(end)
            )
            row.append(min(costs))
        best.append(row)
    found_cuts, end = [], count
    for row in best[:0:-1]:
        end = row[end][1]
        found_cuts.append(end)
    return found_cuts[::-1]


def nested(spans: Sequence[tuple[float, float, Hashable]]) -> list[int]:
    """The height, from 1, of arcs over a line; those that nothing distinguishes share theirs.

    Args:
        spans: Of each arc the start, the end, and what distinguishes it: its source, its words.
    """
    groups: dict[Hashable, tuple[float, float]] = {}
    for start, end, key in spans:
        low, high = groups.get(key, (start, end))
        groups[key] = min(low, start, end), max(high, start, end)
    level: dict[Hashable, int] = {}
    for key, (low, high) in sorted(groups.items(), key=lambda each: each[1][1] - each[1][0]):
        met = [level[k] for k, (a, b) in groups.items() if k in level and a < high and low < b]
        level[key] = max(met, default=0) + 1
    return [level[key] for _, _, key in spans]
