"""Clusters and edges -> what is to be drawn: runs of equal turns of a repetition are drawn once."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from .clusters import Cluster, hold_flow, nest
from .layer_view import Box, Edge, LayerView

Link = tuple[int, int, bool]

_MORE = " \N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn.

    Attributes:
        boxes: All boxes, also those that are not drawn; clusters and edges name their positions.
            Parameters and multiply-accumulates of those that are drawn are totals, so that they add
            up to the network's; layers are those of one turn.
        root: The outermost cluster.
        edges: The edges between boxes that are drawn.
        repeated: Boxes that stand for several.
        homes: For boxes that are not drawn the one that stands for them.
    """

    boxes: tuple[Box, ...]
    root: Cluster
    edges: tuple[Edge, ...]
    repeated: frozenset[int]
    homes: Mapping[int, int] = field(default_factory=dict)


def collapse(view: LayerView) -> Drawing:
    """Nest a view's boxes in clusters, and draw runs of equal turns once.

    A repetition whose turns all differ, and have no names, is not framed.

    Turns are equal where their boxes agree in everything but names, with the same edges inside,
    and where each reads only the one before it or what the first reads, too. The edges that leave
    the last turn of a run leave the one that is drawn.
    """
    root = nest(view.boxes)
    hold_flow(root, ((edge.source, edge.target) for edge in view.edges))
    return _Collapse(view, root).drawing()


@dataclass(eq=False)
class _Collapse:
    view: LayerView
    root: Cluster
    members: dict[Cluster, list[int]] = field(default_factory=dict)
    offsets: dict[Cluster, dict[int, int]] = field(default_factory=dict)
    chains: dict[int, tuple[Cluster, ...]] = field(default_factory=dict)
    inner: dict[Cluster, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    incoming: dict[Cluster, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    outgoing: dict[Cluster, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    interned: dict[Hashable, int] = field(default_factory=dict)
    signatures: dict[Cluster, int] = field(default_factory=dict)
    stands_for: dict[int, int] = field(default_factory=dict)
    removed: dict[int, Cluster] = field(default_factory=dict)
    dropped: set[Edge] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)

    def drawing(self) -> Drawing:
        self._index(self.root, ())
        for edge in self.view.edges:
            self._file(edge)
        self._sign(self.root)
        self._merge_turns(self.root)
        edges = dict.fromkeys(filter(None, map(self._redirected, self.view.edges)))
        homes = {position: self._drawn(position) for position in self.stands_for}
        boxes = tuple(self._with_totals(homes))
        return Drawing(boxes, self.root, tuple(edges), frozenset(self.repeated), homes)

    def _with_totals(self, homes: Mapping[int, int]) -> list[Box]:
        """The boxes, with the parameters and multiply-accumulates of all that they stand for."""
        boxes = list(self.view.boxes)
        for position, home in homes.items():
            one, all_ = self.view.boxes[position], boxes[home]
            boxes[home] = replace(all_, params=all_.params + one.params, macs=all_.macs + one.macs)
        return boxes

    def _index(self, cluster: Cluster, around: tuple[Cluster, ...]) -> None:
        """Note which boxes are in which clusters, and where."""
        around = (*around, cluster)
        self.members[cluster] = list(cluster.boxes())
        self.offsets[cluster] = {box: i for i, box in enumerate(self.members[cluster])}
        for child in cluster.children:
            if isinstance(child, Cluster):
                self._index(child, around)
            else:
                self.chains[child] = around

    def _file(self, edge: Edge) -> None:
        """Enter an edge with the innermost cluster around it, and those that it crosses."""
        source, target = self.chains[edge.source], self.chains[edge.target]
        shared = 0
        for a, b in zip(source, target, strict=False):
            if a is not b:
                break
            shared += 1
        self.inner[source[shared - 1]].append(edge)
        for left in source[shared:]:
            self.outgoing[left].append(edge)
        for entered in target[shared:]:
            self.incoming[entered].append(edge)

    def _sign(self, cluster: Cluster) -> int:
        """A number that clusters share which look alike."""
        inside = self.offsets[cluster]
        content = tuple(
            self._sign(child) if isinstance(child, Cluster) else self._sign_box(child)
            for child in cluster.children
        )
        edges = sorted((inside[e.source], inside[e.target], e.skip) for e in self.inner[cluster])
        entries = sorted((inside[e.target], e.skip) for e in self.incoming[cluster])
        self.signatures[cluster] = self._intern((content, tuple(edges), tuple(entries)))
        return self.signatures[cluster]

    def _sign_box(self, position: int) -> int:
        box = self.view.boxes[position]
        sizes = box.output, box.params, box.layers, box.lender
        return self._intern((box.kind, box.details, *sizes))

    def _intern(self, content: Hashable) -> int:
        return self.interned.setdefault(content, len(self.interned))

    def _merge_turns(self, cluster: Cluster) -> None:
        """Replace runs of equal turns among the children by their first, at every level."""
        children: list[int | Cluster] = []
        for run in self._runs(cluster):
            first = run[0]
            children.append(first)
            if isinstance(first, Cluster):
                self._merge_run(first, [turn for turn in run[1:] if isinstance(turn, Cluster)])
                self._merge_turns(first)
        cluster.children = list(_unframed(children))
        _absorb(cluster)

    def _merge_run(self, first: Cluster, others: list[Cluster]) -> None:
        first.times += len(others)
        if others:
            self.repeated.update(self.members[first])
            first.name += _MORE if first.name else ""
        for turn in others:
            pairs = zip(self.members[turn], self.members[first], strict=True)
            self.stands_for.update(pairs)
            self.removed.update(dict.fromkeys(self.members[turn], turn))
        for turn in [first, *others][:-1]:
            self.dropped.update(self.outgoing[turn])

    def _runs(self, cluster: Cluster) -> Iterator[list[int | Cluster]]:
        """The children, with those together that are drawn as one."""
        run: list[int | Cluster] = []
        for child in cluster.children:
            if run and not self._continues(run, child):
                yield run
                run = []
            run.append(child)
        if run:
            yield run

    def _continues(self, run: list[int | Cluster], following: int | Cluster) -> bool:
        first, last = run[0], run[-1]
        if isinstance(first, int) or isinstance(last, int) or isinstance(following, int):
            return False
        if first.turn is None or last.turn is None or following.turn is None:
            return False
        serials, step = first.turn.serial == following.turn.serial, following.turn.index
        if not serials or step != last.turn.index + 1:
            return False
        if self.signatures[first] != self.signatures[following]:
            return False
        return self._linked_alike(run, first, last, following)

    def _linked_alike(
        self, run: list[int | Cluster], first: Cluster, last: Cluster, following: Cluster
    ) -> bool:
        """Whether a turn hangs on the one before it as those before do."""
        inside = self.offsets[following]
        if any(edge.target not in inside for edge in self.outgoing[last]):
            return False
        before = self.offsets[last]
        entries = {(e.source, self.offsets[first][e.target]) for e in self.incoming[first]}
        for edge in self.incoming[following]:
            if edge.source not in before and (edge.source, inside[edge.target]) not in entries:
                return False
        turns = [turn for turn in run[:2] if isinstance(turn, Cluster)]
        links = self._links(last, following)
        return all(self._links(a, b) == links for a, b in pairwise(turns))

    def _links(self, turn: Cluster, following: Cluster) -> frozenset[Link]:
        """The edges from a turn to the next one, by the places of their ends."""
        inside, before = self.offsets[following], self.offsets[turn]
        return frozenset(
            (before[edge.source], inside[edge.target], edge.skip)
            for edge in self.incoming[following]
            if edge.source in before
        )

    def _redirected(self, edge: Edge) -> Edge | None:
        """An edge between boxes that are drawn, or None where it is not drawn."""
        within = self.removed.get(edge.source)
        if edge in self.dropped or (within and within is self.removed.get(edge.target)):
            return None
        source, target = self._drawn(edge.source), self._drawn(edge.target)
        return Edge(source, target, edge.skip) if source != target else None

    def _drawn(self, position: int) -> int:
        while position in self.stands_for:
            position = self.stands_for[position]
        return position


def _unframed(children: list[int | Cluster]) -> Iterator[int | Cluster]:
    """Children without the frames of turns that have no name, where no two turns are one frame."""
    merged = {c.turn.serial for c in children if isinstance(c, Cluster) and c.turn and c.times > 1}
    for child in children:
        turn = child.turn if isinstance(child, Cluster) else None
        if isinstance(child, Cluster) and turn and not child.name and turn.serial not in merged:
            yield from child.children
        else:
            yield child


def _absorb(cluster: Cluster) -> None:
    """Let a labelled repetition whose turns are all drawn as one be one frame, not two."""
    if cluster.turn is not None or not cluster.scope or len(cluster.children) != 1:
        return
    (only,) = cluster.children
    if isinstance(only, Cluster) and only.turn and only.times == only.turn.count:
        cluster.turn, cluster.times, cluster.scope = only.turn, only.times, only.scope
        cluster.children = only.children
