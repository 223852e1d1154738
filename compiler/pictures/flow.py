"""Drawing -> how tensors flow: what comes after what, what runs side by side, what does neither.

A part of a network is a series of items. Between two of them, which all paths pass, branches run
side by side; each is a series again. What cannot be taken apart so is a knot, whose boxes are
ranked one by one. A frame stays where its edges enter at its top, leave at its bottom, or reach a
box that lies open at its side; any other frame is taken apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..emit.clusters import Cluster, boxes_of
from ..emit.collapse import Drawing
from ..emit.layer_view import Edge

Child = int | Cluster
START, END = -1, -2  # stand for what comes before a part of the network, and after it


@dataclass(eq=False)
class Leaf:
    """A box."""

    box: int


@dataclass(eq=False)
class Framed:
    """A cluster with a frame around it."""

    cluster: Cluster
    body: "Series"


@dataclass(eq=False)
class Knot:
    """Boxes and frames that are no series of branches, with the edges between them.

    Attributes:
        items: By the number of their first box.
        edges: Between these numbers.
        entries, exits: The items that something before reads into, and that something after reads.
    """

    items: "dict[int, Leaf | Framed]"
    edges: list[Edge]
    entries: list[int]
    exits: list[int]

    @property
    def boxes(self) -> list[int]:
        """All boxes."""
        return [box for item in self.items.values() for box in _members(item)]


@dataclass(eq=False)
class Parallel:
    """Branches between two items; `skips` pass them all by."""

    branches: "list[Series]"
    skips: list[Edge]


@dataclass(eq=False)
class Series:
    """Items one after the other.

    Attributes:
        items: No two of them, one after the other, are `Parallel`.
        entries, exits: The tensors that come from before, and that are read after.
    """

    items: "list[Item]"
    entries: list[Edge]
    exits: list[Edge]

    def open_boxes(self, side: int) -> Iterator[int]:
        """The boxes that no other lies beside on the left (side 0) or on the right (-1)."""
        for item in self.items:
            if isinstance(item, Leaf):
                yield item.box
            elif isinstance(item, Framed):
                yield from item.body.open_boxes(side)
            elif isinstance(item, Parallel):
                yield from item.branches[side].open_boxes(side)


Item = Leaf | Framed | Knot | Parallel


def frames_of(items: Iterable[Item]) -> Iterator[Cluster]:
    """The clusters that have a frame, at any depth."""
    for item in items:
        if isinstance(item, Framed):
            yield item.cluster
            yield from frames_of(item.body.items)
        elif isinstance(item, Parallel):
            for branch in item.branches:
                yield from frames_of(branch.items)
        elif isinstance(item, Knot):
            yield from frames_of(item.items.values())


def flow(drawing: Drawing) -> Series:
    """How tensors flow through a drawing."""
    return _Flow(drawing.edges).series(drawing.root, entries=[], exits=[])


@dataclass(frozen=True, slots=True)
class _Link:
    """An edge between the children of a cluster, or from its start, or to its end.

    `edge` is None where nothing is drawn: a child that reads nothing, or that nothing reads.
    """

    source: int
    target: int
    edge: Edge | None


class _Flow:
    def __init__(self, edges: Sequence[Edge]) -> None:
        self.edges = edges

    def series(self, cluster: Cluster, entries: list[Edge], exits: list[Edge]) -> Series:
        """A cluster's content; `entries` and `exits` are the edges that cross its ends."""
        children = list(cluster.children)
        while True:
            found, unclean = self._attempt(children, entries, exits)
            if not unclean:
                return found
            children = [
                each
                for child in children
                for each in (child.children if child in unclean else [child])
                if isinstance(child, Cluster) or each is child
            ]

    def _attempt(
        self, children: list[Child], entries: list[Edge], exits: list[Edge]
    ) -> tuple[Series, set[Cluster]]:
        """The series of children, and the clusters among them that cannot be framed."""
        home: dict[int, int] = {}
        for number, child in enumerate(children):
            home.update(dict.fromkeys(boxes_of(child), number))
        links = [
            _Link(home[e.source], home[e.target], e)
            for e in self.edges
            if e.source in home and e.target in home and home[e.source] != home[e.target]
        ]
        links += [_Link(START, home[e.target], e) for e in entries]
        links += [_Link(home[e.source], END, e) for e in exits]
        reading = {link.target for link in links}
        read = {link.source for link in links}
        numbers = range(len(children))
        links += [_Link(START, n, None) for n in numbers if n not in reading]
        links += [_Link(n, END, None) for n in numbers if n not in read]
        items: dict[int, Item] = {}
        side: dict[Edge, Cluster] = {}
        unclean: set[Cluster] = set()
        for number, child in enumerate(children):
            if isinstance(child, Cluster):
                items[number], ends, open_ = self._framed(child, number, links)
                side.update(dict.fromkeys(ends, child))
                if not open_:
                    unclean.add(child)
            else:
                items[number] = Leaf(child)
        region = _Region(items, links, self.edges)
        found = region.series(list(numbers), START, END)
        unclean |= {child for edge, child in side.items() if edge not in region.free}
        return found, unclean

    def _framed(
        self, cluster: Cluster, number: int, links: Iterable[_Link]
    ) -> tuple[Framed, list[Edge], bool]:
        """A cluster with its frame, the edges at its sides, and whether these reach open boxes."""
        coming = [w.edge for w in links if w.target == number and w.edge is not None]
        going = [w.edge for w in links if w.source == number and w.edge is not None]
        first = min(coming, key=lambda e: e.target).source if coming else None
        last = max((e.source for e in going), default=None)
        entries = [e for e in coming if e.source == first]
        exits = [e for e in going if e.source == last]
        body = self.series(cluster, entries, exits)
        open_ = {*body.open_boxes(0), *body.open_boxes(-1)}
        at_side = [e for e in coming if e.source != first], [e for e in going if e.source != last]
        reached = [e.target for e in at_side[0]] + [e.source for e in at_side[1]]
        return Framed(cluster, body), [*at_side[0], *at_side[1]], open_.issuperset(reached)


@dataclass(eq=False)
class _Region:
    """The children of a cluster, numbered in the order of the flow, and the links between them."""

    items: dict[int, Item]
    links: Sequence[_Link]
    edges: Sequence[Edge]
    free: set[Edge] = field(default_factory=set)  # edges that may end at the side of a frame

    def series(self, numbers: list[int], before: int, after: int) -> Series:
        """Some children between two others, or the ends of the cluster."""
        inside = set(numbers)
        coming = [w for w in self.links if w.source == before and w.target in inside]
        going = [w for w in self.links if w.target == after and w.source in inside]
        cuts = self._cuts(numbers, inside, before, after)
        ends = [before, *cuts, after]
        found: list[Item] = []
        cut = set(cuts)
        rest = [n for n in numbers if n not in cut]
        for low, high in pairwise(ends):
            upper = high if high >= 0 else len(self.items)
            between = [n for n in rest if (low < n if low >= 0 else True) and n < upper]
            rest = [n for n in rest if n not in between]
            if between:
                found.append(self._between(between, low, high, whole=not cuts))
            if high in inside:
                found.append(self.items[high])
        return Series(found, _drawn(coming), _drawn(going))

    def _cuts(self, numbers: list[int], inside: set[int], before: int, after: int) -> list[int]:
        """The children that all paths from before to after pass."""
        furthest: dict[int, int] = defaultdict(int)
        place = {number: i for i, number in enumerate(numbers)} | {after: len(numbers)}
        for link in self.links:
            if link.target in place and (link.source in inside or link.source == before):
                if link.target == after and link.source == before:
                    continue
                furthest[link.source] = max(furthest[link.source], place[link.target])
        reach, cuts = furthest[before], []
        for i, number in enumerate(numbers):
            if reach <= i:
                cuts.append(number)
            reach = max(reach, furthest[number])
        return cuts

    def _between(self, numbers: list[int], before: int, after: int, *, whole: bool) -> Item:
        """What lies between two children that all paths pass."""
        parts = self._parts(numbers)
        if whole and len(parts) == 1:  # what skips all of it is drawn beside the knot
            return self._knot(numbers, before, after)
        skips = _drawn(w for w in self.links if (w.source, w.target) == (before, after))
        branches = [self.series(part, before, after) for part in parts]
        self.free.update(skips)
        for branch in branches:
            last = branch.items[-1]
            if isinstance(last, Leaf):  # its edges start at its lower end, wherever they lead
                self.free.update(edge for edge in branch.exits if edge.source == last.box)
        return Parallel(branches, skips)

    def _parts(self, numbers: list[int]) -> list[list[int]]:
        """Children that links connect, each part in order, the parts in order of their first."""
        inside, leader = set(numbers), {n: n for n in numbers}

        def find(number: int) -> int:
            while leader[number] != number:
                leader[number] = leader[leader[number]]
                number = leader[number]
            return number

        for link in self.links:
            if link.source in inside and link.target in inside:
                low, high = sorted((find(link.source), find(link.target)))
                leader[high] = low
        parts: dict[int, list[int]] = defaultdict(list)
        for number in numbers:
            parts[find(number)].append(number)
        return list(parts.values())

    def _knot(self, numbers: list[int], before: int, after: int) -> Knot:
        items: dict[int, Leaf | Framed] = {}
        home: dict[int, int] = {}
        for number in numbers:
            item = self.items[number]
            assert isinstance(item, Leaf | Framed)
            boxes = list(_members(item))
            items[boxes[0]] = item
            home.update(dict.fromkeys(boxes, boxes[0]))
        inside = set(numbers)
        coming = _drawn(w for w in self.links if w.source == before and w.target in inside)
        going = _drawn(w for w in self.links if w.target == after and w.source in inside)
        within = (e for e in self.edges if e.source in home and e.target in home)
        ends = (Edge(home[e.source], home[e.target], e.skip) for e in within)
        return Knot(
            dict(sorted(items.items())),
            list(dict.fromkeys(edge for edge in ends if edge.source != edge.target)),
            list(dict.fromkeys(home[edge.target] for edge in coming)),
            list(dict.fromkeys(home[edge.source] for edge in going)),
        )


def _members(item: Item) -> Iterable[int]:
    if isinstance(item, Leaf):
        return (item.box,)
    assert isinstance(item, Framed)
    return item.cluster.boxes()


def _drawn(links: Iterable[_Link]) -> list[Edge]:
    return [link.edge for link in links if link.edge is not None]
