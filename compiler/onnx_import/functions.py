"""Functions that a model defines: checked by themselves, then put in the place of their calls."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto

from ...grammar.diagnostics import error
from .attributes import described, subgraphs
from .faults import fault, shown
from .graphs import MAX_DEPTH, ONNX, Checker, too_deep

MAX_NODES = 200_000  # that calls of functions may become
MAX_BYTES = 2**28  # and the bytes that these take

Key = tuple[str, str, str]


def key_of(node: NodeProto | FunctionProto) -> Key:
    """What a call and a function are matched by."""
    domain = "" if node.domain == ONNX else node.domain
    name = node.op_type if isinstance(node, NodeProto) else node.name
    return domain, name, node.overload


def functions(model: ModelProto) -> Mapping[Key, FunctionProto]:
    """The functions of a model by what calls name them."""
    return {key_of(function): function for function in model.functions}


def check_functions(model: ModelProto, checker: Checker) -> None:
    """Check the functions of a model, and put their nodes in order.

    Raises:
        NetError: E576, a function is defined twice, calls itself, or breaks a rule of graphs;
            E402, functions call each other too deep; E401, they come to too many nodes.
    """
    table = functions(model)
    if len(table) < len(model.functions):
        raise fault("the model defines a function twice")
    for function in model.functions:
        checker.check_function(function)
    _check_calls(model, table)


def walk(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Nodes and those in their subgraphs."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        for inner in subgraphs(node):
            pending.extend(inner.node)


class _Size(NamedTuple):
    """A function with all calls in it replaced by nodes."""

    depth: int
    nodes: int
    bytes: int


def _check_calls(model: ModelProto, table: Mapping[Key, FunctionProto]) -> None:
    """No function calls itself, no chain of calls is too long, and all come to few nodes."""
    calls = {key: _calls(function.node, table) for key, function in table.items()}
    sizes: dict[Key, _Size] = {}
    left = dict(calls)
    while left:
        settled = [key for key, called in left.items() if called.keys() <= sizes.keys()]
        if not settled:
            raise fault(f"function {shown(next(iter(left))[1])} calls itself")
        for key in settled:
            nodes = sum(1 for _ in walk(table[key].node))
            sizes[key] = _total(left.pop(key), sizes, nodes, table[key].ByteSize())
            if sizes[key].depth > MAX_DEPTH:
                raise too_deep()
    whole = _total(_calls(model.graph.node, table), sizes, 0, 0)
    if whole.nodes > MAX_NODES or whole.bytes > MAX_BYTES:
        raise error(
            "E401",
            f"the functions of the model come to {whole.nodes} nodes of {whole.bytes} bytes",
            help=f"at most {MAX_NODES} nodes of {MAX_BYTES} bytes may be made of functions",
        )


def _calls(nodes: Iterable[NodeProto], table: Mapping[Key, FunctionProto]) -> Counter[Key]:
    """How often each function is called."""
    return Counter(key for node in walk(nodes) if (key := key_of(node)) in table)


def _total(calls: Mapping[Key, int], sizes: Mapping[Key, _Size], nodes: int, bytes: int) -> _Size:
    depth = 1 + max((sizes[key].depth for key in calls), default=0)
    nodes += sum(count * sizes[key].nodes for key, count in calls.items())
    bytes += sum(count * sizes[key].bytes for key, count in calls.items())
    return _Size(depth, nodes, bytes)


def instance(call: NodeProto, function: FunctionProto, prefix: str) -> list[NodeProto]:
    """The nodes of a function for one call of it: with its arguments, attributes and outputs.

    Inner values and nodes are named after the call.

    Raises:
        NetError: E576, the call has more arguments or outputs than the function.
    """
    if len(call.input) > len(function.input) or len(call.output) > len(function.output):
        raise fault(f"{described(call)} has more arguments or outputs than its function")
    names = dict.fromkeys(function.input, "")
    names.update(zip(function.input, call.input, strict=False))
    outputs = {f: c for f, c in zip(function.output, call.output, strict=False) if c}
    made = {name for node in function.node for name in node.output}
    names.update({f: c for f, c in outputs.items() if f in made})
    attributes = {a.name: a for a in function.attribute_proto}
    attributes.update({a.name: a for a in call.attribute})
    nodes = [NodeProto.FromString(node.SerializeToString()) for node in function.node]
    instantiation = _Instance(names, attributes, prefix)
    for node in nodes:
        instantiation.settle(node, {})
    for inner, outer in outputs.items():
        if inner not in made:  # an input that is handed through
            nodes.append(NodeProto(op_type="Identity", input=[names[inner]], output=[outer]))
    return nodes


class _Instance:
    """Renames and fills in the nodes of one call."""

    def __init__(
        self, names: dict[str, str], attributes: Mapping[str, AttributeProto], prefix: str
    ) -> None:
        self.names, self.attributes, self.prefix = names, attributes, prefix

    def named(self, name: str, local: Mapping[str, str]) -> str:
        """What a name of the function is called outside it."""
        if not name or name in local:
            return local.get(name, "")
        return self.names.setdefault(name, self.prefix + name)

    def settle(self, node: NodeProto, local: Mapping[str, str]) -> None:
        """Rename a node and what it reads and makes, and give it the attributes of the call."""
        if node.name:
            node.name = self.prefix + node.name
        node.input[:] = [self.named(name, local) for name in node.input]
        node.output[:] = [self.named(name, local) for name in node.output]
        for inner in subgraphs(node):
            scope = dict(local)
            own = {i.name for i in inner.input} | {t.name for t in inner.initializer}
            own |= {name for n in inner.node for name in n.output}
            scope.update({name: self.prefix + name for name in own if name})
            for held in (*inner.input, *inner.output, *inner.value_info, *inner.initializer):
                held.name = self.named(held.name, scope)
            for below in inner.node:
                self.settle(below, scope)
        self._fill_in(node)  # last: graphs that the call gives keep the names of its surroundings

    def _fill_in(self, node: NodeProto) -> None:
        """Give a node the attributes that it takes from the call; none where the call has none."""
        for position in reversed(range(len(node.attribute))):
            attribute = node.attribute[position]
            if attribute.ref_attr_name:
                found = self.attributes.get(attribute.ref_attr_name)
                name = attribute.name
                if found is None:
                    del node.attribute[position]
                else:
                    attribute.CopyFrom(found)
                    attribute.name = name
