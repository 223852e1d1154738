"""Drawing -> Drawing with fewer boxes and frames: folded, joined and listed, as papers do it."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..analysis.counts import total
from ..emit.clusters import Cluster
from ..emit.collapse import Drawing
from ..emit.layer_view import Box, Edge
from ..emit.palette import family
from .cells import times_of

# What is drawn in the box of the layer before it, where nothing else reads that layer.
FOLLOWING = frozenset({"activation", "normalization", "regularization"})
SHAPING = "shaping"
LEADING = frozenset({"convolution", "dense", "normalization", "pooling"})

FEW_KINDS = 3  # of layers that what is folded names
BETWEEN = " | "  # numbers of a list
_NUMBER = re.compile(r"\d[\d,]*")


def compact(drawing: Drawing) -> Drawing:
    """A drawing in which a layer's normalization and activation are in its box."""
    readers = Counter(edge.source for edge in drawing.edges)
    reads: dict[int, list[int]] = defaultdict(list)
    for edge in drawing.edges:
        reads[edge.target].append(edge.source)
    boxes = list(drawing.boxes)
    stands_for: dict[int, int] = {}

    def joined(cluster: Cluster) -> Cluster:
        copy = replace(cluster, children=[])
        here: set[int] = set()  # the boxes that what follows may join
        for child in cluster.children:
            if isinstance(child, Cluster):
                inner = joined(child)
                copy.children.append(inner)
                if child.times == 1 and child.turn is None:
                    here.update(inner.boxes())
                continue
            sources = reads[child]
            home = stands_for.get(sources[0], sources[0]) if len(sources) == 1 else None
            if home in here and readers[sources[0]] == 1 and _follows(boxes[home], boxes[child]):
                boxes[home] = _together(boxes[home], boxes[child])
                stands_for[child] = home
            else:
                here.add(child)
                copy.children.append(child)
        return copy

    root = joined(drawing.root)
    repeated = frozenset(stands_for.get(box, box) for box in drawing.repeated)
    return replace(_fewer(drawing, boxes, root, stands_for), repeated=repeated)


def _follows(box: Box, following: Box) -> bool:
    """Whether a layer is drawn in the box before it."""
    kind = family(following.kind)
    if family(box.kind) == "merge":  # a sum and its normalization, as transformers are drawn
        return kind == "normalization" and not box.joined
    if family(box.kind) == SHAPING:  # a run of layers that only move numbers
        return kind == SHAPING
    return family(box.kind) in LEADING and kind in FOLLOWING


def _together(box: Box, following: Box) -> Box:
    return replace(
        box,
        joined=(*box.joined, following.kind),
        output=following.output,
        params=box.params + following.params,
        macs=box.macs + following.macs,
        layers=box.layers + following.layers,
    )


def unframed(drawing: Drawing) -> Drawing:
    """A drawing without frames around a single box, which says the frame's name itself."""

    def children(cluster: Cluster) -> Cluster:
        copy = replace(cluster, children=[])
        for child in cluster.children:
            if isinstance(child, Cluster):
                child = children(child)
                if len(child.children) == 1 and child.times == 1 and not child.listed:
                    copy.children += child.children
                    continue
            copy.children.append(child)
        return copy

    return replace(drawing, root=children(drawing.root))


def opened(drawing: Drawing) -> Drawing:
    """A drawing without frames but those that stand for several."""

    def children(cluster: Cluster) -> Iterator[int | Cluster]:
        for child in cluster.children:
            if isinstance(child, Cluster) and child.times == 1 and not child.listed:
                yield from children(child)
            elif isinstance(child, Cluster):
                yield replace(child, children=list(children(child)))
            else:
                yield child

    return replace(drawing, root=replace(drawing.root, children=list(children(drawing.root))))


def folded(
    drawing: Drawing,
    depth: int,
    *,
    repeats: bool = False,
    alike: bool = False,
    spared: Cluster | None = None,
) -> Drawing:
    """A drawing whose frames of paths with `depth` parts are one box each.

    So are, with `repeats`, all frames that stand for several turns, and, with `alike`, those that
    hold the same kinds of layers as a frame which is folded. One frame may be spared.
    """
    boxes = list(drawing.boxes)
    stands_for: dict[int, int] = {}
    deep = {_kinds(f, drawing) for f in _frames(drawing.root) if _is_deep(f, depth)}
    kinds = deep if alike else set()

    def children(cluster: Cluster) -> Cluster:
        copy = replace(cluster, children=[])
        for child in cluster.children:
            if not isinstance(child, Cluster) or child is spared:
                copy.children.append(child)
            elif (
                _is_deep(child, depth)
                or (repeats and child.times > 1)
                or _kinds(child, drawing) in kinds
            ):
                first = next(child.boxes())
                boxes[first] = _whole(child, drawing)
                stands_for.update(dict.fromkeys(child.boxes(), first))
                copy.children.append(first)
            else:
                copy.children.append(children(child))
        return copy

    root = children(drawing.root)
    return _fewer(drawing, boxes, root, stands_for)


def typical(drawing: Drawing, depth: int) -> Sequence[Cluster]:
    """The frames that show best what `folded` hides: the first of those that hold most, the first.

    Frames are counted together where they hold the same kinds of layers.
    """
    frames = list(_outermost(drawing.root, depth))
    held = Counter[tuple[str, ...]]()
    for frame in frames:
        kinds = _kinds(frame, drawing)
        held[kinds] += len(kinds)
    most = max(frames, key=lambda frame: held[_kinds(frame, drawing)], default=None)
    return [] if most is None else list(dict.fromkeys((most, frames[0])))


def _outermost(cluster: Cluster, depth: int) -> Iterator[Cluster]:
    """The frames that are folded at a depth, without those inside them."""
    for child in cluster.children:
        if isinstance(child, Cluster):
            yield from (child,) if _is_deep(child, depth) else _outermost(child, depth)


def _is_deep(cluster: Cluster, depth: int) -> bool:
    return bool(cluster.scope) and cluster.scope.count(".") + 1 >= depth


def _kinds(cluster: Cluster, drawing: Drawing) -> tuple[str, ...]:
    return tuple(drawing.boxes[box].kind for box in cluster.boxes())


def _frames(cluster: Cluster) -> Iterator[Cluster]:
    """All frames within one, outer ones first."""
    for child in cluster.children:
        if isinstance(child, Cluster):
            yield child
            yield from _frames(child)


def _whole(cluster: Cluster, drawing: Drawing) -> Box:
    """A frame as one box; its output is that of the last box which something else reads.

    It says what one turn holds: equal layers with their arguments, else a few kinds, else how
    many. Parameters and multiply-accumulates are those of all turns, as everywhere.
    """
    members = set(cluster.boxes())
    going = (e for e in drawing.edges if e.source in members and e.target not in members)
    last = max((e.source for e in going), default=max(members))
    layers = _layers(cluster, drawing.boxes)
    inside = [drawing.boxes[box] for box in sorted(members)]
    kinds = Counter(kind for box in inside for kind in (box.kind, *box.joined) if kind)
    first, details = inside[0], [f"{cluster.sizes or f'{layers:,}'} layers"]
    alike = len({(box.kind, box.details, box.joined) for box in inside}) == 1 and layers > 1
    if alike and first.kind:
        kind = f"{layers // (1 + len(first.joined)):,} {first.kind}"
        details = [" ".join([kind, *first.details[:1]]), *first.details[1:]]
    elif len(kinds) <= FEW_KINDS and kinds.total() == layers:
        details = [f"{n} {kind}" for kind, n in kinds.items()]
    details += filter(None, [times_of(cluster)])
    lenders = {b.lender.removesuffix(b.path[len(cluster.scope) :]) for b in inside if b.lender}
    return Box(
        cluster.name or cluster.scope,
        "",
        tuple(details),
        drawing.boxes[last].output,
        sum(box.params for box in inside),
        layers,
        joined=first.joined if alike else (),
        macs=total(box.macs for box in inside),
        lender=", ".join(sorted(lenders)),
    )


def _layers(cluster: Cluster, boxes: Sequence[Box]) -> int:
    """The layers of one turn of a frame."""
    return sum(
        _layers(child, boxes) * child.times if isinstance(child, Cluster) else boxes[child].layers
        for child in cluster.children
    )


def _fewer(
    drawing: Drawing, boxes: Sequence[Box], root: Cluster, stands_for: Mapping[int, int]
) -> Drawing:
    """A drawing in which boxes stand for others, with the edges between those that are left."""
    edges = tuple(_redirected(drawing.edges, stands_for))
    homes = {box: stands_for.get(home, home) for box, home in drawing.homes.items()}
    homes |= {box: home for box, home in stands_for.items() if box != home}
    return replace(drawing, boxes=tuple(boxes), root=root, edges=edges, homes=homes)


def _redirected(edges: Iterable[Edge], stands_for: Mapping[int, int]) -> Iterator[Edge]:
    """Edges between the boxes that are left, each pair once."""
    found: dict[tuple[int, int], Edge] = {}
    for edge in edges:
        ends = stands_for.get(edge.source, edge.source), stands_for.get(edge.target, edge.target)
        if ends[0] != ends[1] and ends not in found:
            found[ends] = Edge(*ends, edge.skip)
    yield from found.values()


def listed(drawing: Drawing) -> Drawing:
    """A drawing in which frames that follow each other and differ by numbers only are one.

    Its boxes list the numbers that differ; parameters are those of all of them.
    """
    return _Lister(drawing).drawing()


@dataclass(eq=False)
class _Lister:
    before: Drawing
    boxes: list[Box] = field(init=False)
    going: dict[int, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    coming: dict[int, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    stands_for: dict[int, int] = field(default_factory=dict)
    removed: set[Edge] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.boxes = list(self.before.boxes)
        for edge in self.before.edges:
            self.going[edge.source].append(edge)
            self.coming[edge.target].append(edge)

    def drawing(self) -> Drawing:
        """What is drawn now."""
        root = self._merged(self.before.root)
        kept = tuple(edge for edge in self.before.edges if edge not in self.removed)
        return _fewer(replace(self.before, edges=kept), self.boxes, root, self.stands_for)

    def _merged(self, cluster: Cluster) -> Cluster:
        copy = replace(cluster, children=[])
        run: list[Cluster] = []
        for child in [*cluster.children, None]:
            if isinstance(child, Cluster) and run and self._continues(run[-1], child):
                run.append(child)
                continue
            if run:
                copy.children.append(self._merged(run[0]) if len(run) == 1 else self._as_one(run))
            run = [child] if isinstance(child, Cluster) else []
            if isinstance(child, int):
                copy.children.append(child)
        return copy

    def _continues(self, last: Cluster, following: Cluster) -> bool:
        """Whether a frame follows another one, reads it alone, and is built like it."""
        a, b = list(last.boxes()), list(following.boxes())
        if not 1 < len(a) == len(b) or self._sign(last) != self._sign(following):
            return False
        inside, before = set(b), set(a)
        coming = [e for box in b for e in self.coming[box] if e.source not in inside]
        going = [e for box in a for e in self.going[box] if e.target not in before]
        if {e.source for e in coming} - before or {e.target for e in going} - inside:
            return False
        entered = {e.target for box in a for e in self.coming[box] if e.source not in before}
        same = {b.index(e.target) for e in coming} == {a.index(target) for target in entered}
        return same and len({e.source for e in coming}) == 1

    def _sign(self, cluster: Cluster) -> Hashable:
        """What frames that differ by numbers only share."""
        members = {box: i for i, box in enumerate(cluster.boxes())}
        content = tuple(
            self._sign(child) if isinstance(child, Cluster) else self._masked(child)
            for child in cluster.children
        )
        edges = (e for box in members for e in self.going[box] if e.target in members)
        inside = sorted((members[e.source], members[e.target], e.skip) for e in edges)
        return cluster.turn is not None, cluster.times > 1, content, tuple(inside)

    def _masked(self, position: int) -> Hashable:
        box = self.boxes[position]
        return box.kind, box.joined, tuple(_NUMBER.sub("#", text) for text in box.details)

    def _as_one(self, run: Sequence[Cluster]) -> Cluster:
        """Frames in a row as the first one."""
        for head, *others in zip(*(cluster.boxes() for cluster in run), strict=True):
            self.boxes[head] = _list_of([self.boxes[p] for p in (head, *others)])
            self.stands_for.update(dict.fromkeys(others, head))
        for cluster in run:
            inside = set(cluster.boxes())
            for edge in [edge for box in inside for edge in self.going[box]]:
                stays = edge.target in inside
                if (stays and cluster is not run[0]) or (not stays and cluster is not run[-1]):
                    self.removed.add(edge)
        found = self._counted(run)
        ends = [cluster.name or cluster.scope for cluster in (run[0], run[-1])]
        name = f"{ends[0]} \N{HORIZONTAL ELLIPSIS} {ends[1].rpartition('.')[2]}"
        count = found.listed or str(len(run) * run[0].times)
        sizes = [f"{_layers(cluster, self.before.boxes):,}" for cluster in run]
        several = BETWEEN.join(sizes) if len(set(sizes)) > 1 else ""
        return replace(found, name=name, times=1, listed=count, sizes=several)

    def _counted(self, run: Sequence[Cluster]) -> Cluster:
        """The first of some frames that are built alike, with how often each is repeated."""
        children: list[int | Cluster] = []
        for alike in zip(*(cluster.children for cluster in run), strict=True):
            inner = [child for child in alike if isinstance(child, Cluster)]
            children.append(self._counted(inner) if inner else alike[0])
        times = [cluster.times for cluster in run]
        several = BETWEEN.join(map(str, times)) if len(set(times)) > 1 else ""
        return replace(run[0], children=children, listed=several)


def _list_of(boxes: Sequence[Box]) -> Box:
    """Boxes that differ by numbers, as one that lists these."""
    details = zip(*(box.details for box in boxes), strict=True)
    return replace(
        boxes[0],
        details=tuple(map(_list_numbers, details)),
        output=_ends(list(dict.fromkeys(box.output for box in boxes))),
        params=sum(box.params for box in boxes),
        macs=total(box.macs for box in boxes),
    )


def _list_numbers(texts: Sequence[str]) -> str:
    """`64 filters`, `128 filters` as `64 | 128 filters`."""
    if len(set(texts)) == 1:
        return texts[0]
    numbers = [_NUMBER.findall(text) for text in texts]
    if len(numbers[0]) == 1 and len(texts) <= 6:
        return _NUMBER.sub(BETWEEN.join(found[0] for found in numbers), texts[0])
    return _ends(texts)


def _ends(texts: Sequence[str]) -> str:
    """Some texts where there are few, else the first and the last."""
    if len(texts) <= 2:
        return BETWEEN.join(texts)
    return f"{texts[0]} \N{HORIZONTAL ELLIPSIS} {texts[-1]}"
