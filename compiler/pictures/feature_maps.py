"""Graph -> its feature maps and the ways between them, as papers draw a network.

What leaves the extents of a map as they are belongs to the map: activations, normalizations, sums
with a shortcut. Shortcuts are ways, also those through one projection.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..analysis.counts import Counts
from ..emit.layer_view import IDENTITY, OUTPUT, Box, layer_view
from ..emit.palette import family
from ..ir.dim import Dim
from ..ir.graph import Graph, Layer
from ..ir.types import TensorType, author_extents

TRANSPARENT = frozenset({"activation", "normalization", "regularization"})
# Kinds of other families that lead on what they read; `SCALE` is one of them, too.
LEADING_ON = frozenset(
    {IDENTITY, "FLATTEN", "CROP", "PAD", "SCALE", "ROLL", "PERMUTE", "CHANNELSHUFFLE", "POSEMBED"}
)
# The signs of sums and products.
MERGES = {
    "ADD": "+",
    "SUB": "\N{MINUS SIGN}",
    "MUL": "\N{MULTIPLICATION SIGN}",
    "MAX": "max",
    "MEAN": "mean",
    "DOT": "\N{MIDDLE DOT}",
}
LONGEST_BLOCK = 16  # maps that are drawn once, with the number of their turns

Sources = dict[int, str]  # a map's sources, with what the way there does


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """A tensor that is drawn.

    Attributes:
        path, kind: Those of the layer that yields it; folded layers have no kind.
        extents: As the author writes them: channels last.
        words: What the layer does: `5x5 conv`, `fc 120`.
        kernel: The extents of its kernel, if it has one.
        activation: The kind of the activation that follows, if any.
        merge: The sign of the sum or product that ends there, if any.
        parts: The kinds and channels that are concatenated, from below; empty for other maps.
        times: How often the map follows itself.
        start: The channels of the first of several maps that it stands for, if they differ.
        layers: The paths of all layers that it stands for.
    """

    path: str
    kind: str
    extents: tuple[Dim, ...]
    words: str = ""
    kernel: tuple[int, ...] = ()
    activation: str = ""
    merge: str = ""
    parts: tuple[tuple[str, Dim], ...] = ()
    times: int = 1
    start: Dim | None = None
    layers: tuple[str, ...] = ()

    @property
    def channels(self) -> Dim:
        """The last extent; a scalar has one channel."""
        return self.extents[-1] if self.extents else 1

    @property
    def spatial(self) -> tuple[Dim, ...]:
        """All extents but the channels."""
        return self.extents[:-1]

    @property
    def caption(self) -> str:
        """Channels and extents: `6@28x28`; the length of a vector."""
        sizes = "x".join(map(str, self.spatial))
        start = "" if self.start is None else f"{self.start}\N{HORIZONTAL ELLIPSIS}"
        return f"{start}{self.channels}@{sizes}" if sizes else f"{start}{self.channels}"


@dataclass(frozen=True, slots=True)
class Way:
    """A tensor's way from map to map, by position.

    Attributes:
        source, target: The positions of the maps.
        words: What happens on it.
        skip: Whether it passes by the layer that leads from the one to the other.
    """

    source: int
    target: int
    words: str = ""
    skip: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """Maps that are drawn once and stand for several turns, by their first and last position."""

    first: int
    last: int
    times: int


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """Maps in order of appearance, the ways between them, and what is repeated."""

    maps: tuple[FeatureMap, ...]
    ways: tuple[Way, ...]
    repeats: tuple[Repeat, ...] = ()


def feature_maps(graph: Graph, counts: Counts, depth: int | None = None) -> FeatureMaps:
    """The feature maps of a network.

    Args:
        graph: The network, not optimised.
        counts: Its counts.
        depth: Paths of more parts than this fold into one map per common beginning.
    """
    reader = _Reader(graph, counts, depth)
    order = {position: i for i, position in enumerate(reader.maps)}
    ways = tuple(
        Way(order[source], order[target], words)
        for target, sources in reader.sources.items()
        if target in order
        for source, words in sources.items()
    )
    skips = (Way(order[a], order[b], skip=True) for a, b in reader.skips if {a, b} <= order.keys())
    return FeatureMaps(tuple(reader.maps.values()), (*ways, *skips))


class _Reader:
    """Boxes of the layer view; those that are no maps are absorbed, one after the other."""

    def __init__(self, graph: Graph, counts: Counts, depth: int | None) -> None:
        view = layer_view(graph, counts, depth)
        types, inside = _types(graph, depth), _inside(graph, depth)
        self.boxes = view.boxes
        self.maps: dict[int, FeatureMap] = {}
        self.sources: dict[int, Sources] = {i: {} for i in range(len(view.boxes))}
        self.readers: dict[int, set[int]] = defaultdict(set)
        self.skips: list[tuple[int, int]] = []
        for edge in view.edges:
            self.sources[edge.target][edge.source] = ""
            self.readers[edge.source].add(edge.target)
        for position, box in enumerate(view.boxes):
            if box.kind in (OUTPUT, "PARAM"):
                self._drop(position)
            else:
                layer = graph.layers.get(box.path) or _only(inside.get(box.path, ()))
                self.maps[position] = _map(box, layer, types.get(box.path))
                if (own := counts.layers.get(box.path)) and own.shared:
                    self._say(position, "(shared)")
                self._simplify(position)

    def _simplify(self, position: int) -> None:
        """Absorb a map in one that it belongs to."""
        found, sources = self.maps[position], list(self.sources[position])
        if len(sources) == 1 and self._leads_on(found, self.maps[sources[0]]):
            self._absorb(position, sources[0])
        elif found.kind in MERGES and len(sources) > 1:
            self._merge(position, sources)
        elif found.kind == "CONCAT" and len(sources) > 1:
            self._concatenate(position, sources)

    def _leads_on(self, found: FeatureMap, source: FeatureMap) -> bool:
        if found.kind in LEADING_ON or family(found.kind) in TRANSPARENT:
            return True
        return found.kind in MERGES and found.extents == source.extents

    def _merge(self, position: int, sources: Sequence[int]) -> None:
        """Absorb a sum in the branch that shortcuts pass by, a gate in what it is applied to."""
        found = self.maps[position]
        for main in sorted(sources, reverse=True):
            fits = self.maps[main].extents == found.extents and self.readers[main] == {position}
            if fits and self._shortcuts(position, main, sources):
                self.maps[main] = replace(self.maps[main], merge=MERGES[found.kind])
                self._absorb(position, main)
                return
        for main in sources if found.kind == "MUL" else ():
            gates = [source for source in sources if source != main]
            chains = [self._chain(gate, main, position) for gate in gates]
            if self.maps[main].extents == found.extents and all(chains):
                for gate in {each for chain in chains for each in chain}:
                    self._drop(gate)
                self._say(main, "+ gate")
                self._absorb(position, main)
                return

    def _concatenate(self, position: int, sources: Sequence[int]) -> None:
        """Absorb a concatenation in the branch that the other tensors pass by."""
        found = self.maps[position]
        parts = tuple((self.maps[s].kind, self.maps[s].channels) for s in sources)
        sizes = {self.maps[s].spatial for s in sources} | {found.spatial}
        shown = parts if len(sizes) == 1 or found.spatial else ()
        self.maps[position] = replace(found, parts=shown)
        main = max(sources)
        if self.readers[main] == {position} and self._shortcuts(position, main, sources):
            kept = replace(self.maps[main], extents=found.extents, parts=shown, activation="")
            self.maps[main] = kept
            self._say(main, "+ concat")
            self._absorb(position, main)

    def _say(self, position: int, words: str) -> None:
        """Add to what a map's layer does."""
        before = self.maps[position]
        if not before.words.endswith(words):
            self.maps[position] = replace(before, words=f"{before.words} {words}")

    def _shortcuts(self, position: int, main: int, sources: Sequence[int]) -> bool:
        """Whether the other sources are what the main branch starts from, or its projections.

        Projections become words on the ways.
        """
        before = self._before(main)
        projections: list[int] = []
        for source in sources:
            if source == main or source in before:
                continue
            origins = list(self.sources[source])
            if self.readers[source] != {position} or len(origins) != 1:
                return False
            if origins[0] not in before:
                return False
            projections.append(source)
        for source in projections:
            (origin,) = self.sources[source]
            words = self.maps[source].words
            self._drop(source)
            self.sources[position].setdefault(origin, words)
            self.readers[origin].add(position)
        return True

    def _before(self, position: int) -> set[int]:
        """All that a map depends on."""
        found: set[int] = set()
        left = list(self.sources[position])
        while left:
            each = left.pop()
            if each not in found:
                found.add(each)
                left += self.sources[each]
        return found

    def _chain(self, last: int, first: int, reader: int) -> list[int]:
        """The maps of a chain from one to another, which none else reads; nothing where none is."""
        found: list[int] = []
        while last != first:
            if self.readers[last] != {reader} or len(self.sources[last]) != 1:
                return []
            found.append(last)
            reader, (last,) = last, self.sources[last]
        return found

    def _absorb(self, position: int, into: int) -> None:
        """Let a map's readers read another instead, which also reads what it read."""
        gone, kept = self.maps.pop(position), self.maps[into]
        activation = gone.kind if family(gone.kind) == "activation" else kept.activation
        layers = (*kept.layers, *gone.layers)
        self.maps[into] = replace(kept, activation=activation, layers=layers)
        for reader in self.readers.pop(position, set()):
            self.sources[reader] = {
                into if source == position else source: words
                for source, words in self.sources[reader].items()
            }
            self.readers[into].add(reader)
        for source, words in self.sources.pop(position).items():
            self.readers[source].discard(position)
            if source in self.sources[into]:
                self.skips.append((source, into))
            elif source != into:
                self.sources[into][source] = words
                self.readers[source].add(into)

    def _drop(self, position: int) -> None:
        """Forget a box and its edges."""
        self.maps.pop(position, None)
        for source in self.sources.pop(position, {}):
            self.readers[source].discard(position)
        for reader in self.readers.pop(position, set()):
            self.sources[reader].pop(position, None)


def _types(graph: Graph, depth: int | None) -> Mapping[str, TensorType]:
    """The type that each scope yields: that of its last operator."""
    found: dict[str, TensorType] = {}
    for _, node in graph.nodes():
        found[_folded(node.scope, depth)] = node.outputs[0]
    for path, layer in graph.layers.items():
        found[_folded(path, depth)] = layer.outputs[0].type
    return found


def _inside(graph: Graph, depth: int | None) -> Mapping[str, list[Layer]]:
    """The layers that each path stands for, without those that lead on what they read."""
    found: dict[str, list[Layer]] = defaultdict(list)
    for path, layer in graph.layers.items():
        if layer.kind not in LEADING_ON and family(layer.kind) not in TRANSPARENT:
            found[_folded(path, depth)].append(layer)
    return found


def _only(layers: Sequence[Layer]) -> Layer | None:
    return layers[0] if len(layers) == 1 else None


def _folded(path: str, depth: int | None) -> str:
    return path if depth is None else ".".join(path.split(".")[:depth])


def _map(box: Box, layer: Layer | None, type: TensorType | None) -> FeatureMap:
    extents = author_extents(type) if type is not None else ()
    if layer is None:
        return FeatureMap(box.path, box.kind, extents, box.path or box.kind, layers=(box.path,))
    kernel = layer.arguments.get("kernel") or ()
    if isinstance(kernel, int):
        kernel = (kernel,) * max(len(extents) - 1, 1)
    words = WORDS.get(layer.kind, _plain)(layer, "x".join(map(str, kernel)))
    if layer.kind == "INPUT":
        words = box.path if box.path != "input" else ""
    return FeatureMap(box.path, layer.kind, extents, words, tuple(kernel), layers=(box.path,))


def _plain(layer: Layer, kernel: str) -> str:
    return f"{kernel} {layer.kind.lower()}".strip()


def _named(name: str) -> Callable[[Layer, str], str]:
    """A kernel, what it does, and its stride unless that is usual."""
    return lambda layer, kernel: f"{kernel} {name}{_stride(layer)}".strip()


def _stride(layer: Layer) -> str:
    stride, kernel = layer.arguments.get("stride", 1), layer.arguments.get("kernel")
    usual = kernel if family(layer.kind) == "pooling" else 1
    short, other = _one(stride), _one(usual)
    return "" if stride is None or short == other else f" /{short}"


def _one(size: Any) -> str:
    """A size as one number where it is the same along all axes."""
    sizes = set(size) if isinstance(size, tuple) else {size}
    return str(sizes.pop()) if len(sizes) == 1 else "x".join(map(str, size))


def _pool(layer: Layer, kernel: str) -> str:
    mode = layer.arguments.get("mode", "max")
    return f"{kernel} {mode} pool{_stride(layer)}"


def _adaptive_pool(layer: Layer, kernel: str) -> str:
    sizes = set(author_extents(layer.outputs[0].type)[:-1])
    mode = layer.arguments.get("mode", "avg")
    return f"global {mode} pool" if sizes == {1} else f"adaptive {mode} pool"


def _units(name: str) -> Callable[[Layer, str], str]:
    return lambda layer, kernel: f"{name} {layer.arguments['units']}"


# What layers are called in captions; others by their kinds.
WORDS: Mapping[str, Callable[[Layer, str], str]] = {
    "CONV": _named("conv"),
    "DWCONV": _named("depthwise"),
    "LOCAL": _named("local"),
    "UPCONV": lambda layer, kernel: f"{kernel} up-conv",
    "POOL": _pool,
    "GAP": lambda layer, kernel: "global avg pool",
    "GMP": lambda layer, kernel: "global max pool",
    "ADAPTIVEPOOL": _adaptive_pool,
    "FC": _units("fc"),
    "LINEAR": _units("linear"),
    "EMBED": lambda layer, kernel: "embedding",
}


def fold(found: FeatureMaps, *, loosely: bool = False) -> FeatureMaps:
    """Draw runs of maps that repeat once.

    Turns are equal where extents, kinds, kernels and ways agree; strides and projections of the
    first turn may differ. Loosely, channels may differ, too.
    """
    maps, before = found.maps, _sources(found)
    signatures = [
        (m.kind, m.kernel, m.extents[:-1] if loosely else m.extents, m.merge) for m in maps
    ]

    def alike(a: int, b: int) -> bool:
        """Whether two maps look alike, and read what is as far before them, or the same."""
        if signatures[a] != signatures[b] or not len(before[a]) == len(before[b]) > 0:
            return False
        pairs = zip(before[a], before[b], strict=True)
        return all(x == y or a - x == b - y for x, y in pairs)

    def turns(start: int, length: int) -> int:
        """How often a block follows itself; what ends branches ends it."""
        merging = [bool(m.merge or m.parts) for m in maps[start : start + length]]
        if any(merging) and not merging[-1]:
            return 1
        place = start + length
        while place < len(maps) and alike(place - length, place):
            if (place - start) % length == 0 and place - 1 not in before[place]:
                break
            place += 1
        return (place - start) // length if start - 1 in before[start] else 1

    kept: list[FeatureMap] = []
    repeats: list[Repeat] = []
    places: dict[int, int] = {}
    position = 0
    while position < len(maps):
        length, times = 1, 1
        for size in range(1, LONGEST_BLOCK + 1):
            repeated = turns(position, size)
            if repeated > 1 and size * repeated > length * times:
                length, times = size, repeated
        start = len(kept)
        for i in range(length * times):
            places[position + i] = start + i % length
        block = list(maps[position : position + length])
        last = maps[position + length * (times - 1) : position + length * times]
        block = [_widened(a, b) for a, b in zip(block, last, strict=True)]
        if length == 1:
            block[0] = replace(block[0], times=times)
        elif times > 1:
            repeats.append(Repeat(start, start + length - 1, times))
        kept += block
        position += length * times
    ways: dict[tuple[int, int, bool], Way] = {}
    for way in found.ways:
        source, target = places[way.source], places[way.target]
        if source < target:
            place = replace(way, source=source, target=target)
            ways.setdefault((source, target, way.skip), place)
    return FeatureMaps(tuple(kept), tuple(ways.values()), tuple(repeats))


def _widened(first: FeatureMap, last: FeatureMap) -> FeatureMap:
    """A map that stands for several: its channels are those of the first to those of the last."""
    start = first.channels if first.channels != last.channels else None
    return replace(first, extents=last.extents, parts=last.parts, start=start)


def _sources(found: FeatureMaps) -> list[list[int]]:
    """The positions that each map reads."""
    sources: list[list[int]] = [[] for _ in found.maps]
    for way in sorted(found.ways, key=lambda way: way.source):
        sources[way.target].append(way.source)
    return sources
