"""Graph -> its feature maps and the connections between them, as papers draw a network.

What leaves the extents of a map as they are belongs to the map: activations, normalizations, sums
with a shortcut. Shortcuts are connections, also those through one projection.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..analysis.counts import Counts
from ..emit.layer_view import IDENTITY, OUTPUT, Box, folded, layer_view
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
TIED = "\N{NO-BREAK SPACE}"
# Arguments that turns may differ in, or that extents, kernel and dilation show.
UNSEEN = frozenset({"stride", "pad", "kernel", "dilation", "filters", "units", "width", "bias"})
MOST_KINDS = 3  # of layers that a caption names of what it folds

Sources = dict[int, str]  # a map's sources, with what is done on the way there


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """A tensor that is drawn.

    Attributes:
        path, kind: Those of the layer that yields it; folded layers have no kind.
        extents: As the author writes them: channels last.
        words: What the layer does: `5x5 conv`, `fc 120`.
        kernel: The extents of its kernel, if it has one.
        dilation: How far the kernel's elements are apart; of several maps, `1...32`.
        traits: What else distinguishes its layer from others of its kind, such as arguments.
        activation: The kind of the activation that follows, if any.
        merge: The sign of the sum or product that it absorbed, if any.
        parts: The kinds and channels that are concatenated, from below; empty for other maps.
        times: How often the map follows itself.
        start: The channels of the first of several maps that it stands for, if they differ.
        layers: The paths of all layers that it stands for.
        outputs: Its names among the network's outputs, where that has several.
    """

    path: str
    kind: str
    extents: tuple[Dim, ...]
    words: str = ""
    kernel: tuple[int, ...] = ()
    dilation: str = "1"
    traits: tuple[Any, ...] = ()
    activation: str = ""
    merge: str = ""
    parts: tuple[tuple[str, Dim], ...] = ()
    times: int = 1
    start: Dim | None = None
    layers: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def channels(self) -> Dim:
        """The last extent; a scalar has one channel."""
        return self.extents[-1] if self.extents else 1

    @property
    def spatial(self) -> tuple[Dim, ...]:
        """All extents but the channels."""
        return self.extents[:-1]

    @property
    def description(self) -> str:
        """What the layer does, with its dilation unless that is 1."""
        return (
            self.words if self.dilation == "1" else f"{self.words}, dilation{TIED}{self.dilation}"
        )

    @property
    def caption(self) -> str:
        """Channels and extents: `6@28x28`; the length of a vector."""
        sizes = "x".join(map(str, self.spatial))
        start = "" if self.start is None else f"{self.start}\N{HORIZONTAL ELLIPSIS}"
        return f"{start}{self.channels}@{sizes}" if sizes else f"{start}{self.channels}"


@dataclass(frozen=True, slots=True)
class Connection:
    """A tensor's connection from map to map, by position.

    Attributes:
        source, target: The positions of the maps.
        words: What happens on it.
        skip: Whether it passes by the layer that yields the target, into what the target absorbed.
        merge: The sign of the sum or product that a skip ends at, if any.
        first: Whether that happens in the first of several turns only, and the others pass on what
            they read.
    """

    source: int
    target: int
    words: str = ""
    skip: bool = False
    merge: str = ""
    first: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """Maps that are drawn once and stand for several turns, by their first and last position."""

    first: int
    last: int
    times: int


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """Maps in order of appearance, the connections between them, and what is repeated."""

    maps: tuple[FeatureMap, ...]
    connections: tuple[Connection, ...]
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
    connections = (
        Connection(source, target, words)
        for target, sources in reader.sources.items()
        for source, words in sources.items()
        if (source, target) not in reader.beside
    )
    placed = tuple(
        replace(connection, source=order[connection.source], target=order[connection.target])
        for connection in (*connections, *reader.skips)
        if {connection.source, connection.target} <= order.keys()
    )
    return FeatureMaps(tuple(reader.maps.values()), placed)


class _Reader:
    """Boxes of the layer view; those that are no maps are absorbed, one after the other."""

    def __init__(self, graph: Graph, counts: Counts, depth: int | None) -> None:
        view = layer_view(graph, counts, depth)
        types, inside, ends = _types(graph, depth), _inside(graph, depth), _ends(graph, depth)
        self.boxes = view.boxes
        self.maps: dict[int, FeatureMap] = {}
        self.sources: dict[int, Sources] = {i: {} for i in range(len(view.boxes))}
        self.readers: dict[int, set[int]] = defaultdict(set)
        self.skips: list[Connection] = []
        self.beside: set[tuple[int, int]] = set()  # skips from what the layer itself does not read
        for edge in view.edges:
            self.sources[edge.target][edge.source] = ""
            self.readers[edge.source].add(edge.target)
        for position, box in enumerate(view.boxes):
            if box.kind in (OUTPUT, "PARAM", "CONST"):
                for source in self.sources[position] if len(graph.outputs) > 1 else ():
                    found = self.maps[source]
                    self.maps[source] = replace(found, outputs=(*found.outputs, box.path))
                self._drop(position)
            else:
                held = inside.get(box.path, ())
                layer = graph.layers.get(box.path) or (held[0] if len(held) == 1 else None)
                self.maps[position] = _map(box, layer, types.get(box.path))
                if layer is None and held:
                    self._say(position, contents(held))
                    parts = ends.get(box.path, ())
                    self.maps[position] = replace(self.maps[position], parts=parts)
                if (own := counts.layers.get(box.path)) and own.shared:
                    self._say(position, "(shared)")
                self._simplify(position)

    def _simplify(self, position: int) -> None:
        """Absorb a map in one that it belongs to."""
        found, sources = self.maps[position], list(self.sources[position])
        if not self.maps.keys() >= set(sources):
            return  # a folded scope stands where its first layer does, which may be before these
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
        sign = MERGES[found.kind]
        for main in sorted(sources, reverse=True):
            fits = self.maps[main].extents == found.extents and self.readers[main] == {position}
            mixed = any(
                connection.target == main and connection.merge != sign for connection in self.skips
            )
            if fits and not mixed and self._shortcuts(position, main, sources):
                self.maps[main] = replace(self.maps[main], merge=sign)
                self._absorb(position, main)
                return
        for main in sources if found.kind == "MUL" else ():
            gates = [source for source in sources if source != main]
            chains = [self._chain(gate, main, position) for gate in gates]
            if self.maps[main].extents == found.extents and all(chains):
                for gate in {each for chain in chains for each in chain}:
                    self._drop(gate)
                self._say(main, f"+{TIED}gate")
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
        alone = self.readers[main] == {position} and not self.maps[main].merge
        if alone and self._shortcuts(position, main, sources):
            kept = replace(self.maps[main], extents=found.extents, parts=shown, activation="")
            self.maps[main] = kept
            self._say(main, f"+{TIED}concat")
            self._absorb(position, main)

    def _say(self, position: int, words: str) -> None:
        """Add to what a map's layer does."""
        before = self.maps[position]
        if not before.words.endswith(words):
            traits = (*before.traits, words)
            self.maps[position] = replace(before, words=f"{before.words} {words}", traits=traits)

    def _shortcuts(self, position: int, main: int, sources: Sequence[int]) -> bool:
        """Whether the other sources are what the main branch starts from, or its projections.

        Projections become words on the connections.
        """
        before = self._before(main)
        projections: list[int] = []
        for source in sources:
            if source == main or source in before:
                continue
            origins = list(self.sources[source])
            if self.readers[source] != {position} or len(origins) != 1:
                return False
            if origins[0] not in before or origins == list(self.sources[main]):
                return False  # two branches that are as long are no shortcut and what it passes
            projections.append(source)
        for source in projections:
            (origin,) = self.sources[source]
            words = self.maps[source].description
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
            if source == into:
                continue
            sign = MERGES.get(gone.kind, "")
            self.skips.append(Connection(source, into, words, skip=True, merge=sign))
            if source not in self.sources[into]:
                self.sources[into][source] = words
                self.readers[source].add(into)
                self.beside.add((source, into))

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
        found[folded(node.scope, depth)] = node.outputs[0]
    for path, layer in graph.layers.items():
        found[folded(path, depth)] = layer.outputs[0].type
    return found


def _inside(graph: Graph, depth: int | None) -> Mapping[str, list[Layer]]:
    """The layers that each path stands for, without those that lead on what they read."""
    found: dict[str, list[Layer]] = defaultdict(list)
    for path, layer in graph.layers.items():
        if layer.kind not in LEADING_ON and family(layer.kind) not in TRANSPARENT:
            found[folded(path, depth)].append(layer)
    return found


def _ends(graph: Graph, depth: int | None) -> Mapping[str, tuple[tuple[str, Dim], ...]]:
    """What is concatenated at the end of each path."""
    last = {folded(path, depth): layer for path, layer in graph.layers.items() if layer.outputs}
    found: dict[str, tuple[tuple[str, Dim], ...]] = {}
    for path, layer in last.items():
        if layer.kind == "CONCAT":
            tensors = filter(None, graph.producer(layer.outputs[0]).inputs)
            found[path] = tuple(("", author_extents(t.type)[-1]) for t in tensors)
    return found


def contents(layers: Sequence[Layer]) -> str:
    """What layers are, for a caption: `7 conv, 1 pool`; sums and concatenations go unsaid."""
    kinds = Counter(
        layer.kind.lower()
        for layer in layers
        if layer.kind not in MERGES and layer.kind not in ("CONCAT", OUTPUT)
    )
    return ", ".join(f"{n:,}{TIED}{kind}" for kind, n in kinds.most_common(MOST_KINDS))


def _map(box: Box, layer: Layer | None, type: TensorType | None) -> FeatureMap:
    extents = author_extents(type) if type is not None else ()
    if layer is None:
        return FeatureMap(box.path, box.kind, extents, box.path or box.kind, layers=(box.path,))
    kernel = layer.arguments.get("kernel") or ()
    if isinstance(kernel, int):
        kernel = (kernel,) * max(len(extents) - 1, 1)
    size = f"k{kernel[0]}" if len(kernel) == 1 else "x".join(map(str, kernel))
    words = WORDS.get(layer.kind, _plain)(layer, size)
    if layer.kind == "INPUT":
        words = box.path if box.path != "input" else ""
    return FeatureMap(
        *(box.path, layer.kind, extents, words, tuple(kernel)),
        dilation=_one(layer.arguments.get("dilation", 1)),
        traits=tuple(
            (name, argument)
            for name, argument in layer.arguments.items()
            if name not in UNSEEN and isinstance(argument, int | float | str | tuple)
        ),
        layers=(box.path,),
    )


def _plain(layer: Layer, kernel: str) -> str:
    return f"{kernel} {layer.kind.lower()}".strip()


def _named(name: str) -> Callable[[Layer, str], str]:
    """A kernel, what it does, and its stride unless that is usual."""
    return lambda layer, kernel: (
        f"{kernel} {name}{_stride(layer)}{_more(layer, 'groups', 1)}".strip()
    )


def _more(layer: Layer, name: str, usual: int) -> str:
    """An argument, unless it is the usual one."""
    argument = layer.arguments.get(name, usual)
    return "" if argument == usual else f", {name}{TIED}{_one(argument)}"


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


def _recurrent(layer: Layer) -> str:
    words = {"both": "two-way ", "backward": "backward "}
    return f"{words.get(layer.arguments.get('direction', ''), '')}{layer.kind}"


# What layers are called in captions; others by their kinds.
WORDS: Mapping[str, Callable[[Layer, str], str]] = {
    "CONV": _named("conv"),
    "DWCONV": _named("depthwise"),
    "LOCAL": _named("local"),
    "UPCONV": lambda layer, kernel: f"{kernel} up-conv{_more(layer, 'groups', 1)}",
    "POOL": _pool,
    "GAP": lambda layer, kernel: "global avg pool",
    "GMP": lambda layer, kernel: "global max pool",
    "ADAPTIVEPOOL": _adaptive_pool,
    "FC": _units("fc"),
    "LINEAR": _units("linear"),
    "EMBED": lambda layer, kernel: "embedding",
    "ATTENTION": lambda layer, kernel: "causal " * layer.arguments["causal"] + "attention",
    **dict.fromkeys(("LSTM", "GRU", "RNN"), lambda layer, kernel: _recurrent(layer)),
    "WINDOW": lambda layer, kernel: f"window{_more(layer, 'shift', 0)}",
}
