"""Boxes -> nested clusters of scopes and repetitions."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..ir.graph import Turn
from .layer_view import Box

MAX_SCOPES = 16  # levels of dotted paths that become clusters

ScopeOrTurn = tuple[str, int] | tuple[int, int]  # a scope and its number of parts, or a turn


@dataclass(eq=False)
class Cluster:
    """Boxes that share a scope, a turn of a repetition, or both.

    Attributes:
        scope: The path that they share, or nothing.
        turn: The turn that they share.
        children: Boxes by position, and clusters, in order of appearance.
        times: How many equal turns it stands for, itself included.
        name: What stands above it.
        listed: How often parts of what it stands for are repeated, where these differ: `3 | 5`.
        sizes: How many layers each of them has, where these differ: `42 | 62`.
    """

    scope: str = ""
    turn: Turn | None = None
    children: "list[int | Cluster]" = field(default_factory=list)
    times: int = 1
    name: str = ""
    listed: str = ""
    sizes: str = ""

    @property
    def depth(self) -> int:
        """The most parts that the path of a cluster inside has, or its own."""
        inner = (child.depth for child in self.children if isinstance(child, Cluster))
        return max([self.scope.count(".") + 1 if self.scope else 0, *inner])

    def boxes(self) -> Iterator[int]:
        """All boxes inside, at any depth, in order."""
        for child in self.children:
            if isinstance(child, Cluster):
                yield from child.boxes()
            else:
                yield child


def nest(boxes: list[Box]) -> Cluster:
    """The tree of clusters; of two that hold the same boxes there is one."""
    groups = [_groups(box) for box in boxes]
    sizes = Counter(group for found in groups for group in found)
    root = Cluster()
    made: dict[Hashable, Cluster] = {(): root}
    for position, box in enumerate(boxes):
        around, key = root, tuple[Hashable, ...]()
        levels = {sizes[g] for g in groups[position] if sizes[g] > 1 or not isinstance(g[0], str)}
        for size in sorted(levels, reverse=True):
            level = [group for group in groups[position] if sizes[group] == size]
            key = (*key, tuple(level))
            if key not in made:
                made[key] = _cluster(box, level)
                around.children.append(made[key])
            around = made[key]
        around.children.append(position)
    return root


def _groups(box: Box) -> list[ScopeOrTurn]:
    """The scopes and turns that a box is in, outermost first."""
    parts = box.path.split(".")[:-1] if box.kind != "OUTPUT" else []
    scopes: list[ScopeOrTurn] = [
        (".".join(parts[: i + 1]), i) for i in range(min(len(parts), MAX_SCOPES))
    ]
    return scopes + [(turn.serial, turn.index) for turn in box.turns if turn.count > 1]


def _cluster(box: Box, level: list[ScopeOrTurn]) -> Cluster:
    scopes = [group[0] for group in level if isinstance(group[0], str)]
    turns = [turn for turn in box.turns if (turn.serial, turn.index) in level]
    scope = max(scopes, key=len, default="")
    return Cluster(scope, turns[0] if turns else None, name=scope)


def hold_flow(root: Cluster, edges: Iterable[tuple[int, int]]) -> None:
    """Let every cluster hold all that flows between its members.

    What lies on a way from one member to another moves into the cluster. Where a part of another
    cluster lies there, this one is taken apart: no frame could be drawn around it.
    """
    after: dict[int, list[int]] = defaultdict(list)
    before: dict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    pending = [root]
    while pending:
        cluster = pending.pop()
        waiting = [child for child in cluster.children if isinstance(child, Cluster)]
        while waiting:
            child = waiting.pop()
            members = set(child.boxes())
            between = _reached(members, after) & _reached(members, before)
            if between and not _take_in(cluster, child, between):
                place = cluster.children.index(child)
                cluster.children[place : place + 1] = child.children
                waiting += [each for each in child.children if isinstance(each, Cluster)]
            else:
                pending.append(child)
        cluster.children.sort(key=_first)


def _reached(members: set[int], neighbours: Mapping[int, Sequence[int]]) -> set[int]:
    """What is reached from a cluster's members outside of it, no further than they lie apart."""
    low, high = min(members), max(members)
    found: set[int] = set()
    pending = list(members)
    while pending:
        for box in neighbours.get(pending.pop(), ()):
            if low < box < high and box not in members and box not in found:
                found.add(box)
                pending.append(box)
    return found


def _take_in(cluster: Cluster, child: Cluster, boxes: set[int]) -> bool:
    """Move boxes, and clusters of them alone, from a cluster into one of its children."""
    held = [c for c in cluster.children if c is not child and boxes >= set(boxes_of(c))]
    if boxes != {box for each in held for box in boxes_of(each)}:
        return False
    cluster.children = [each for each in cluster.children if each not in held]
    child.children += held
    return True


def boxes_of(child: "int | Cluster") -> Iterable[int]:
    """The boxes of a cluster, or a box alone."""
    return child.boxes() if isinstance(child, Cluster) else (child,)


def _first(child: "int | Cluster") -> int:
    return next(iter(boxes_of(child)))
