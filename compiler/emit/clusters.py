"""Boxes -> nested clusters of scopes and repetitions."""

from collections import Counter
from collections.abc import Hashable, Iterator
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
    """

    scope: str = ""
    turn: Turn | None = None
    children: "list[int | Cluster]" = field(default_factory=list)
    times: int = 1
    name: str = ""

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
