"""Graph -> the boxes and edges of its diagram: layers, or at a depth what folds them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..analysis.counts import Counts, LayerCounts
from ..ir.dim import Dim
from ..ir.graph import CONSTANT, PARAMETER, Graph, Layer, Node, Output, Turn, Value
from ..ir.types import author_size
from .details import details

OUTPUT = "OUTPUT"
IDENTITY = "ID"
MEASURE = "Shape"  # the operator that reads extents alone


@dataclass(frozen=True, slots=True)
class Box:
    """A layer, an output of the network, or several layers folded into one.

    Attributes:
        path: The layer's path, the output's name, or the path that the folded layers share.
        kind: The language's name of the layer, `OUTPUT`, or nothing for folded layers.
        details: The arguments that matter, as texts.
        output: The output's shape as the author writes it.
        params: Learned parameters that it holds itself.
        layers: How many layers it stands for.
        turns: The turns of repetitions that all of these are in, outermost first.
        joined: The kinds of the layers that follow it in the same box.
        macs: Multiply-accumulates for one sample.
        lender: The layer that holds the parameters which it shares, or nothing.
    """

    path: str
    kind: str
    details: tuple[str, ...] = ()
    output: str = ""
    params: int = 0
    layers: int = 1
    turns: tuple[Turn, ...] = ()
    joined: tuple[str, ...] = ()
    macs: Dim = 0
    lender: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor's way from box to box, by position; a skip is what a branch `ID` passes on."""

    source: int
    target: int
    skip: bool = False


@dataclass(eq=False)
class LayerView:
    """Boxes in order of appearance, and the distinct edges between them."""

    boxes: list[Box] = field(default_factory=list)
    edges: dict[Edge, None] = field(default_factory=dict)


def layer_view(graph: Graph, counts: Counts, depth: int | None = None) -> LayerView:
    """The layers and how tensors flow between them, in time linear in the graph.

    A layer reads what the last layer before it provides: one without operators of its own (a
    FLATTEN of what is flat already) stands between its neighbours. A branch `ID` that ends in a
    merge is not a box, but an edge.

    Args:
        graph: The network, not optimised.
        counts: Its counts.
        depth: Paths of more parts than this fold into one box per common beginning.
    """
    return _Viewer(graph, counts, depth).view()


@dataclass(eq=False)
class _Viewer:
    graph: Graph
    counts: Counts
    depth: int | None
    result: LayerView = field(default_factory=LayerView)
    places: dict[str, int] = field(default_factory=dict)
    providers: dict[Output, tuple[str, bool]] = field(default_factory=dict)

    def view(self) -> LayerView:
        nodes = _nodes_by_scope(self.graph)
        reads = {path: list(_reads(self.graph, path, found)) for path, found in nodes.items()}
        skips = _skips(self.graph, reads)
        for path in nodes:
            layer = self.graph.layers.get(path)
            if path in skips:
                self._pass_on(reads[path][0], *skips[path])
                continue
            place = self._place(path, nodes[path])
            passed = layer.outputs if layer and not nodes[path] else ()
            self._connect([*reads[path], *passed], place)
            self._provide(path, layer, nodes[path])
        for name, value in self.graph.outputs.items():
            self.result.boxes.append(Box(name, OUTPUT, output=author_size(value.type)))
            self._connect([value], len(self.result.boxes) - 1)
        return self.result

    def _place(self, path: str, nodes: Sequence[tuple[int, Node]]) -> int:
        """The position of a layer's box, or of the box that it folds into."""
        box = _box(self.graph, path, nodes, self.counts)
        scope = folded(path, self.depth)
        if scope not in self.places:
            self.places[scope] = len(self.result.boxes)
            whole = box if scope == path else replace(box, path=scope, kind="", details=())
            self.result.boxes.append(whole)
            return self.places[scope]
        place = self.places[scope]
        before = self.result.boxes[place]
        self.result.boxes[place] = replace(
            before,
            kind="",
            details=(),
            output=box.output,
            params=before.params + box.params,
            macs=before.macs + box.macs,
            layers=before.layers + 1,
            turns=_common(before.turns, box.turns),
        )
        return place

    def _connect(self, values: Sequence[Value], place: int) -> None:
        for value in values:
            if (value.node, value.output) in self.providers:
                path, skip = self.providers[value.node, value.output]
                source = self.places[folded(path, self.depth)]
                if source != place:
                    whole = self.result.boxes[place].kind != ""
                    self.result.edges[Edge(source, place, skip and whole)] = None

    def _provide(self, path: str, layer: Layer | None, nodes: Sequence[tuple[int, Node]]) -> None:
        for identifier, node in nodes:
            if node.op_type not in (PARAMETER, CONSTANT):
                for output in range(len(node.outputs)):
                    self.providers[identifier, output] = (path, False)
        for value in layer.outputs if layer else ():
            self.providers[value.node, value.output] = (path, False)

    def _pass_on(self, read: Value, passed: Value, merged: bool) -> None:
        source = self.providers.get((read.node, read.output))
        if source is not None:
            self.providers[passed.node, passed.output] = (source[0], merged or source[1])


def _nodes_by_scope(graph: Graph) -> dict[str, list[tuple[int, Node]]]:
    """The nodes of every layer, in the layers' order, then those of scopes that are not layers."""
    found: dict[str, list[tuple[int, Node]]] = {path: [] for path in graph.layers}
    for identifier, node in graph.nodes():
        found.setdefault(node.scope, []).append((identifier, node))
    return found


def _reads(graph: Graph, path: str, nodes: Sequence[tuple[int, Node]]) -> Iterator[Value]:
    """The values that a layer takes from others, each once, in order; what it measures is none."""
    seen: set[Output] = set()
    for _, node in nodes:
        for value in node.inputs if node.op_type != MEASURE else ():
            if value is None or graph.producer(value).scope == path:
                continue
            if (value.node, value.output) not in seen:
                seen.add((value.node, value.output))
                yield value


def _skips(graph: Graph, reads: Mapping[str, Sequence[Value]]) -> dict[str, tuple[Value, bool]]:
    """The `ID` layers that are branches, with what they yield and whether merges read it.

    They only lead into merges, or have no name and only lead into a block, which takes several
    tensors then.
    """
    outputs = {(value.node, value.output) for value in graph.outputs.values()}
    found: dict[str, tuple[Value, bool]] = {}
    for path, layer in graph.layers.items():
        if layer.kind != IDENTITY or len(reads[path]) != 1:
            continue
        (value,) = layer.outputs
        readers = {graph[reader].scope for reader in graph.consumers(value)}
        if not readers or (value.node, value.output) in outputs:
            continue
        merged = all(len(reads[reader]) > 1 for reader in readers)
        around = path.rpartition(".")[0]
        entered = not layer.labelled and all(_is_inside(reader, around) for reader in readers)
        if merged or entered:
            found[path] = (value, merged)
    return found


def _is_inside(path: str, scope: str) -> bool:
    """Whether a layer is in a scope within another."""
    inner = path.rpartition(".")[0]
    return inner != scope and (not scope or inner.startswith(f"{scope}."))


def _box(graph: Graph, path: str, nodes: Sequence[tuple[int, Node]], counts: Counts) -> Box:
    layer, found = graph.layers.get(path), counts.layers.get(path, LayerCounts())
    if layer is None:
        kinds = [node.op_type for _, node in nodes if node.op_type not in (PARAMETER, CONSTANT)]
        kind = kinds[0] if len(kinds) == 1 else ""
        output = author_size(nodes[-1][1].outputs[0])
        return Box(path, kind, output=output, params=found.params, macs=found.macs)
    types = [value.type for value in layer.outputs]
    lenders = (graph.producer(graph.parameters[name]).scope for name in found.shared)
    return Box(
        path,
        layer.kind,
        details(layer),
        ", ".join(map(author_size, types)),
        found.params,
        turns=layer.turns,
        macs=found.macs,
        lender=next(lenders, ""),
    )


def folded(path: str, depth: int | None) -> str:
    """The scope that holds a path at a depth."""
    return path if depth is None else ".".join(path.split(".")[:depth])


def _common(left: tuple[Turn, ...], right: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns that both are in."""
    same = 0
    for a, b in zip(left, right, strict=False):
        if (a.serial, a.index) != (b.serial, b.index):
            break
        same += 1
    return left[:same]
