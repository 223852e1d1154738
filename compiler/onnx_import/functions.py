"""Functions that a model defines: checked by themselves, then put in the place of their calls."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto

from .attributes import described, subgraphs
from .faults import fault, shown
from .graphs import MAX_DEPTH, ONNX, Checker, too_deep

Key = tuple[str, str, str]


def key_of(node: NodeProto | FunctionProto) -> Key:
    """What a call and a function are matched by."""
    domain = "" if node.domain == ONNX else node.domain
    name = node.op_type if isinstance(node, NodeProto) else node.name
    return domain, name, node.overload


def functions(model: ModelProto) -> Mapping[Key, FunctionProto]:
    """The functions of a model by what calls name them."""
    return {key_of(function): function for function in model.functions}


def check_functions(model: ModelProto, folder: Path | None) -> None:
    """Check the functions of a model, and put their nodes in order.

    Raises:
        NetError: E576, a function is defined twice, calls itself, or breaks a rule of graphs;
            E402, functions call each other too deep.
    """
    table = functions(model)
    if len(table) < len(model.functions):
        raise fault("the model defines a function twice")
    for function in model.functions:
        _check_function(function, folder)
    _check_calls(table)


def _check_function(function: FunctionProto, folder: Path | None) -> None:
    inputs = frozenset(function.input)
    if len(inputs) < len(function.input):
        raise fault(f"function {shown(function.name)} has two inputs of the same name")
    made = Checker(folder, in_function=True).check_nodes(function.node, inputs, frozenset())
    for name in function.output:
        if name not in made | inputs:
            raise fault(f"function {shown(function.name)} does not make {shown(name)}")


def walk(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Nodes and those in their subgraphs."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        for inner in subgraphs(node):
            pending.extend(inner.node)


def _check_calls(table: Mapping[Key, FunctionProto]) -> None:
    """No function calls itself, and no chain of calls is too long."""
    calls = {
        key: {key_of(node) for node in walk(function.node)} & table.keys()
        for key, function in table.items()
    }
    depths: dict[Key, int] = {}
    left = dict(calls)
    while left:
        settled = [key for key, called in left.items() if called <= depths.keys()]
        if not settled:
            raise fault(f"function {shown(next(iter(left))[1])} calls itself")
        for key in settled:
            depths[key] = 1 + max((depths[called] for called in calls[key]), default=0)
            del left[key]
            if depths[key] > MAX_DEPTH:
                raise too_deep()


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
        for inner in subgraphs(node):
            scope = dict(local)
            own = {i.name for i in inner.input} | {t.name for t in inner.initializer}
            own |= {name for n in inner.node for name in n.output}
            scope.update({name: self.prefix + name for name in own if name})
            for held in (*inner.input, *inner.output, *inner.value_info, *inner.initializer):
                held.name = self.named(held.name, scope)
            for below in inner.node:
                self.settle(below, scope)
