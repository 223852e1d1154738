"""`upgrade`: a model of any opset to one of the opset that graphs speak, or of a newer one."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, defs

from ...grammar.diagnostics import error
from ..onnx_standard.schemas import IR_VERSION, OPSET
from .attributes import described, graphs_in, subgraphs
from .faults import fault
from .functions import functions, instance, key_of
from .known_types import KnownTypes
from .rewriting import Context, Draft
from .rules import RULES
from .rules.classical import CLASSICAL, PLAIN


def upgrade(model: ModelProto) -> ModelProto:
    """Raise a model to opset 22, or leave it at a newer one, and put functions in their calls.

    The model itself is changed: its weights may fill memory, and are not copied.

    Args:
        model: A model as `read_model` gives it.

    Returns:
        The same model.

    Raises:
        NetError: E578, a version of ONNX's operators that is not known, or an operator that
            means something that no newer version can say; E576, an operator lacks what its
            version demands.
    """
    _Upgrade(model).run()
    return model


class _Upgrade:
    """The state of one upgrade: versions, functions, names."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.functions = functions(model)
        self.version = _version(model.opset_import, "the model")
        others = [_version(f.opset_import, f"function `{f.name}`") for f in model.functions]
        self.target = max(OPSET, self.version or 0, *(other or 0 for other in others))
        self.names = _names(model.graph)
        self.prefixes: dict[str, Iterator[int]] = {}
        self.context = Context(KnownTypes(model), self.names, _read(model.graph))

    def run(self) -> None:
        """Rewrite the graph, then what the model says of versions."""
        model = self.model
        self._graph(model.graph, self.version)
        model.graph.initializer.extend(self.context.weights)
        versions: dict[str, int] = {}
        for opset in (o for f in (*model.functions, model) for o in f.opset_import):
            versions[opset.domain] = max(opset.version, versions.get(opset.domain, 0))
        versions.pop("ai.onnx", None)
        versions[""] = self.target
        own = {domain for domain, _, _ in self.functions}
        used = {node.domain for graph in graphs_in(model.graph) for node in graph.node}
        for domain in used:
            versions.setdefault(domain, 1)  # a model should say, and some do not
        del model.functions[:], model.opset_import[:]
        for domain, version in versions.items():
            if domain in used or domain not in own:
                model.opset_import.add(domain=domain, version=version)
        if model.ir_version < 4:
            _drop_given_inputs(model.graph)
        model.ir_version = max(model.ir_version, IR_VERSION)

    def _graph(self, graph: GraphProto, version: int | None) -> None:
        """Rewrite the nodes of a graph in place; those that stay are not copied."""
        stays = list(graph.node)
        becomes = [node for before in stays for node in self._raised(before, version)]
        _replace(graph, stays, becomes)

    def _raised(self, node: NodeProto, version: int | None) -> Iterator[NodeProto]:
        """What a node becomes: step by step upward, calls of functions their nodes."""
        key = key_of(node)
        if key in self.functions:
            yield from self._called(node, self.functions[key])
            return
        for inner in subgraphs(node):
            self._graph(inner, version)
        yield from self._steps(node, version)

    def _steps(self, node: NodeProto, version: int | None) -> Iterator[NodeProto]:
        if node.domain:
            yield from self._plain(node)
            return
        if version is None:
            raise fault(f"the model has {described(node)}, but names no version of ONNX's opset")
        rules = RULES.get(node.op_type, {})
        since = min((v for v in rules if version < v <= self.target), default=None)
        if since is None:
            yield node
            return
        draft = Draft(node, self.context)
        rules[since](draft)
        if not draft.is_placed:
            draft.place()
        for made in draft.nodes:
            yield from self._steps(made, since)

    def _plain(self, node: NodeProto) -> Iterator[NodeProto]:
        """An operator of another domain in terms of ONNX's own, or else itself."""
        draft = Draft(node, self.context)
        if node.domain == CLASSICAL and node.op_type in PLAIN:
            PLAIN[node.op_type](draft)
        yield from draft.nodes or [node]

    def _called(self, call: NodeProto, function: FunctionProto) -> Iterator[NodeProto]:
        """The nodes of a function for one call, named after it."""
        stem = call.name or next((name for name in call.output if name), function.name)
        nodes = instance(call, function, self._prefix(stem, function))
        version = _version(function.opset_import, f"function `{function.name}`")
        for node in nodes:
            yield from self._raised(node, version or self.version)

    def _prefix(self, stem: str, function: FunctionProto) -> str:
        """What names of a function start with for one call of it, so that each is new."""
        inner = _names(function)
        for number in self.prefixes.setdefault(stem, count()):
            prefix = f"{stem}_{number}/" if number else f"{stem}/"
            names = {prefix + name for name in inner}
            if not names & self.names:
                self.names |= names
                return prefix
        raise AssertionError("there is always a next number")


def _version(imports: Iterable[object], what: str) -> int | None:
    """The version of ONNX's own operators; None where none is named."""
    found = next((o for o in imports if o.domain in ("", "ai.onnx")), None)  # type: ignore[attr-defined]
    if found is None:
        return None
    version: int = found.version  # type: ignore[attr-defined]
    newest = defs.onnx_opset_version()
    if not 1 <= version <= newest:
        raise error(
            "E578",
            f"{what} has ONNX opset {version}; the onnx that is installed knows 1 to {newest}",
            help="install a newer onnx, or export the model with an older opset",
        )
    return version


def _names(graph: GraphProto | FunctionProto) -> set[str]:
    """All names of values in a graph or a function."""
    found: set[str] = set()
    for each in graphs_in(graph):
        if isinstance(each, GraphProto):
            found.update(info.name for info in (*each.input, *each.output))
            found.update(tensor.name for tensor in each.initializer)
        found.update(name for node in each.node for name in (*node.input, *node.output))
    return found


def _read(graph: GraphProto) -> set[str]:
    """The names that nodes, or graphs as their outputs, read."""
    found: set[str] = set()
    for each in graphs_in(graph):
        found.update(info.name for info in each.output)
        found.update(name for node in each.node for name in node.input)
    return found


def _replace(graph: GraphProto, stays: Sequence[NodeProto], becomes: Sequence[NodeProto]) -> None:
    """Give a graph other nodes; those that it holds already are moved, never copied."""
    places = {id(node): place for place, node in enumerate(becomes)}
    keys = [places.pop(id(node), None) for node in stays]
    for position in reversed(range(len(keys))):
        if keys[position] is None:
            del graph.node[position], keys[position]
    for place in places.values():
        graph.node.append(becomes[place])
        keys.append(place)
    following = iter(keys)
    graph.node.sort(key=lambda _: next(following))


def _drop_given_inputs(graph: GraphProto) -> None:
    """Remove inputs that are initializers, as old models had to list them."""
    tensors = {tensor.name for tensor in graph.initializer}
    for position in reversed(range(len(graph.input))):
        if graph.input[position].name in tensors:
            del graph.input[position]
