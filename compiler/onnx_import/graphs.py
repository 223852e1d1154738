"""Graphs of a model: names are made once and before they are read, tensors hold what they say."""

from collections import Counter
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from heapq import heappop, heappush
from pathlib import Path

from onnx import AttributeProto, FunctionProto, GraphProto, NodeProto, TypeProto

from ...grammar.diagnostics import NetError, error
from ..onnx_standard.protos import HELD
from .attributes import check_attributes, described, find, subgraphs
from .faults import fault, shown
from .tensors import MAX_DENSE, MAX_RANK, bring_in, check_tensor, dense

ONNX = "ai.onnx"  # the long name of the domain whose short name is empty
Nodes = MutableSequence[NodeProto]
Scopes = tuple[frozenset[str], ...]  # names of graphs, from the outermost one on
MAX_DEPTH = 30  # of graphs within graphs; protobuf itself reads about as many


class Checker:
    """Walks a graph, or the nodes of a function, and the graphs within.

    Its methods raise NetError: E576, E577, E402 and E404, as `read_model` says.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.in_function = False  # whose attributes may refer to those of its calls
        self.room = MAX_DENSE

    def check_graph(self, graph: GraphProto, outer: Scopes = (), depth: int = 0) -> None:
        """Check a graph, which also sees the names of those around it, and order its nodes."""
        if depth > MAX_DEPTH:
            raise too_deep()
        self._sparse(graph)
        for tensor in graph.initializer:
            check_tensor(tensor, self.folder)
        for info in (*graph.input, *graph.output, *graph.value_info):
            check_type(info.type, info.name)
        own = given(graph)
        made = self.check_nodes(graph.node, own, outer, depth)
        _check_outputs(graph, (*outer, own, made), depth)

    def check_function(self, function: FunctionProto) -> None:
        """Check a function by itself, and order its nodes."""
        inputs = frozenset(function.input)
        what = f"function {shown(function.name)}"
        if len(inputs) < len(function.input):
            raise fault(f"{what} has two inputs of the same name")
        self.in_function = True
        made = self.check_nodes(function.node, inputs, ())
        self.in_function = False
        for name in function.output:
            if name not in made and name not in inputs:
                raise fault(f"{what} does not make {shown(name)}")

    def check_nodes(
        self, nodes: Nodes, own: frozenset[str], outer: Scopes, depth: int = 0
    ) -> frozenset[str]:
        """Check nodes, and put them in order; returns the names that they make."""
        for node in nodes:
            self._node(node)
        made = order(nodes, own, outer)
        for node in nodes:
            for inner in subgraphs(node):
                self.check_graph(inner, (*outer, own, made), depth + 1)
        return made

    def _node(self, node: NodeProto) -> None:
        """Check a node by itself: it has an operator, its attributes hold what they say."""
        if not node.op_type:
            raise fault(f"a node without an operator makes {', '.join(map(shown, node.output))}")
        if node.domain == ONNX:
            node.domain = ""
        check_attributes(node, in_function=self.in_function)
        parts = find(node, "num_outputs") if node.op_type == "Split" else None
        if parts is not None and not parts.ref_attr_name and parts.i != len(node.output):
            raise fault(f"{described(node)} has {len(node.output)} outputs, not {parts.i}")
        for attribute in node.attribute:
            tensors = [attribute.t] if attribute.type == AttributeProto.TENSOR else []
            for tensor in (*tensors, *attribute.tensors):
                check_tensor(tensor, self.folder)
                bring_in(tensor, self.folder)
        self._constant(node)

    def _sparse(self, graph: GraphProto) -> None:
        for sparse in graph.sparse_initializer:
            tensor = dense(sparse, self.folder, self.room)
            self.room -= len(tensor.raw_data)
            graph.initializer.append(tensor)
        graph.ClearField("sparse_initializer")

    def _constant(self, node: NodeProto) -> None:
        """Write out what a Constant holds as a sparse tensor."""
        if node.domain or node.op_type != "Constant":
            return
        for attribute in node.attribute:
            if attribute.type == AttributeProto.SPARSE_TENSOR:
                tensor = dense(attribute.sparse_tensor, self.folder, self.room)
                self.room -= len(tensor.raw_data)
                attribute.ClearField("sparse_tensor")
                attribute.name, attribute.type = "value", AttributeProto.TENSOR
                attribute.t.CopyFrom(tensor)


def too_deep() -> NetError:
    """The error for graphs within graphs, or functions within functions."""
    return error(
        "E402",
        f"the model nests graphs or functions more than {MAX_DEPTH} deep",
        help="export it with fewer `If`, `Loop` and `Scan` within each other",
    )


def check_type(type: TypeProto, name: str) -> None:
    """Leave extents open that are negative, as some exporters write those that are not known.

    Raises:
        NetError: E576, there is no name, or too many axes.
    """
    if not name:
        raise fault("an input, an output or a type is without a name")
    while (kind := type.WhichOneof("value")) in HELD:
        type = getattr(type, kind).elem_type
    if type.HasField("tensor_type"):
        if len(type.tensor_type.shape.dim) > MAX_RANK:
            raise fault(f"the type of {shown(name)} has more than {MAX_RANK} axes")
        for extent in type.tensor_type.shape.dim:
            if extent.dim_value < 0:
                extent.ClearField("dim_value")


def given(graph: GraphProto) -> frozenset[str]:
    """The names that a graph has before its first node runs: of inputs and initializers.

    Raises:
        NetError: E576, one has no name, or two of a kind have the same.
    """
    inputs = [info.name for info in graph.input]
    tensors = [tensor.name for tensor in graph.initializer]
    for kind, names in (("input", inputs), ("initializer", tensors)):
        name, count = next(iter(Counter(names).most_common(1)), ("", 1))
        if count > 1:
            raise fault(f"two {kind}s have the name {shown(name)}")
        if "" in names:
            raise fault(f"an {kind} has no name")
    return frozenset([*inputs, *tensors])


def _check_outputs(graph: GraphProto, known: Scopes, depth: int) -> None:
    names = [info.name for info in graph.output]
    if not names and not depth:
        raise fault("the model has no outputs")
    name, count = next(iter(Counter(names).most_common(1)), ("", 1))
    if count > 1 and not depth:
        raise fault(f"two outputs have the name {shown(name)}")
    for name in names:
        if not _is_in(name, known):
            raise fault(f"no node makes the output {shown(name)}")


def _is_in(name: str, scopes: Scopes) -> bool:
    return any(name in names for names in scopes)


def order(nodes: Nodes, own: frozenset[str], outer: Scopes) -> frozenset[str]:
    """Put nodes in an order in which each finds its arguments: their own, where that is one.

    Args:
        nodes: The repeated field of a graph or a function, which is sorted in place.
        own: The names of inputs and initializers.
        outer: The names that graphs around it hold, which a node may hide.

    Returns:
        The names that the nodes make.

    Raises:
        NetError: E576, a name is made twice or never, or nodes wait for each other.
    """
    listed = list(nodes)
    makers = _makers(listed, own)
    reads = [reading(node) for node in listed]
    waits: list[set[int]] = []
    for position, names in enumerate(reads):
        for name in names:
            if name not in makers and name not in own and not _is_in(name, outer):
                what = described(listed[position])
                raise fault(f"{what} reads {shown(name)}, which nothing makes")
        waits.append({makers[name] for name in names if name in makers})
    places = _sorted(waits, listed)
    if places is not None:
        keys = iter(places)
        nodes.sort(key=lambda _: next(keys))  # type: ignore[attr-defined]  # a repeated field has it
    return frozenset(makers)


def _makers(nodes: Iterable[NodeProto], own: frozenset[str]) -> dict[str, int]:
    makers: dict[str, int] = {}
    for position, node in enumerate(nodes):
        for name in filter(None, node.output):
            if name in own or name in makers:
                raise fault(
                    f"{described(node)} makes {shown(name)}, which is there already",
                    help="give each value its own name",
                )
            makers[name] = position
    return makers


def _sorted(waits: Sequence[set[int]], nodes: Sequence[NodeProto]) -> Sequence[int] | None:
    """The place of each node, earlier ones first where they may be; None where all stand right."""
    if all(max(before, default=-1) < position for position, before in enumerate(waits)):
        return None
    left = [len(before) for before in waits]
    followers: list[list[int]] = [[] for _ in waits]
    ready: list[int] = []
    for position, before in enumerate(waits):
        for other in before:
            followers[other].append(position)
        if not before:
            heappush(ready, position)
    places = [-1] * len(waits)
    place = 0
    while ready:
        position = heappop(ready)
        places[position] = place
        place += 1
        for follower in followers[position]:
            left[follower] -= 1
            if not left[follower]:
                heappush(ready, follower)
    if place < len(waits):
        stuck = next(node for node, where in zip(nodes, places, strict=True) if where < 0)
        raise fault(f"{described(stuck)} waits for what itself makes: the graph has a cycle")
    return places


def reading(node: NodeProto, depth: int = 0) -> set[str]:
    """The names that a node reads, in its subgraphs what they do not hold themselves."""
    if depth > MAX_DEPTH:
        raise too_deep()
    names = set(filter(None, node.input))
    for inner in subgraphs(node):
        names |= set(_free(inner, depth + 1))
    return names


def _free(graph: GraphProto, depth: int) -> Iterator[str]:
    own = {info.name for info in graph.input}
    own.update(tensor.name for tensor in graph.initializer)
    own.update(sparse.values.name for sparse in graph.sparse_initializer)
    own.update(name for node in graph.node for name in node.output)
    for node in graph.node:
        yield from reading(node, depth) - own
    yield from {info.name for info in graph.output} - own
