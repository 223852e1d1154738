"""A graph -> the steps that compute it in PyTorch, and the modules and tensors that they use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ....grammar.diagnostics import error, listing
from ...ir.builder import Builder
from ...ir.graph import CONSTANT, LEAVES, PARAMETER, Graph, Node, Value
from .code import Code, Input, Ref, code, filled, mapped, operand, walk
from .layer_view import LayerView, Module
from .modules import MODULES
from .operator_call import DTYPES, OperatorCall
from .operators import OPERATORS
from .tensors import buffer, parameter, scalar

Key = tuple[int, int]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One expression.

    Attributes:
        place: The path of the scope whose class computes it.
        expression: It, of its operands; what it uses is named by its path.
        inputs: Its operands.
        outputs: Its results.
        layer: The path of its layer.
        definition: The module that does the same; None where there is none.
        learned: Whether the module holds weights, or something else that has a name of its own.
        heavy: Whether a line holds no other like it.
        follows: Whether it may end a chain of layers that is a module.
    """

    place: Path
    expression: Code
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    layer: str
    definition: Code | None = None
    learned: bool = False
    heavy: bool = False
    follows: bool = False

    @property
    def refs(self) -> list[str]:
        """The paths of the modules and tensors that it uses."""
        return [part.path for part in walk(self.expression) if isinstance(part, Ref)]


@dataclass(slots=True)
class Steps:
    """The steps of a network.

    Attributes:
        steps: In the order of the graph.
        modules: The constructions of modules, by path.
        tensors: The constructions of parameters and buffers that are in no module, by path.
        inputs, outputs: The network's, by name.
        frozen: Modules that training leaves alone, by path: whether they keep statistics.
    """

    graph: Graph
    steps: list[Step] = field(default_factory=list)
    modules: dict[str, Code] = field(default_factory=dict)
    tensors: dict[str, tuple[str, Code]] = field(default_factory=dict)
    inputs: dict[str, Key] = field(default_factory=dict)
    outputs: dict[str, Key] = field(default_factory=dict)
    frozen: dict[str, bool] = field(default_factory=dict)


def steps_of(graph: Graph) -> Steps:
    """The steps of a mode-neutral network.

    Raises:
        NetError: E506, something has no counterpart in PyTorch.
    """
    _check_names(graph)
    return _Translator(graph).translated()


def _check_names(graph: Graph) -> None:
    """Refuse names of weights that no module can have, as those of ONNX models may be."""
    paths = {path_of(name): value for name, value in graph.parameters.items()}
    held = {path[:end] for path in paths for end in range(1, len(path))}
    for path, value in paths.items():
        if path in held or not all(path):
            name = ".".join(path)
            raise error(
                "E506",
                f"PyTorch cannot hold a weight of the name `{name}`",
                graph.producer(value).span,
                help="its parts, between dots, must not be empty, or hold other weights",
            )


def path_of(name: str) -> Path:
    """A dotted path as its parts."""
    return tuple(name.split(".")) if name else ()


class _Translator:
    """What is computed of a graph, step by step."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.build = Builder(graph)
        self.found = Steps(graph)
        self.reached, self.read = _reached(graph)
        self.results: dict[Key, Code] = {}  # parameters, constants, and what these alone tell
        self.same: dict[Key, Key] = {}  # what is another value by a second name
        self.static: set[Key] = set()
        self.taken: dict[Path, set[str]] = {}
        self.by_scope: dict[str, dict[int, Node]] = {}
        for identifier in self.reached:
            node = graph[identifier]
            if node.op_type not in LEAVES:
                self.by_scope.setdefault(node.scope, {})[identifier] = node

    def translated(self) -> Steps:
        """All steps."""
        rows, claimed = self._modules()
        for identifier in self.reached:
            node = self.graph[identifier]
            if node.op_type in LEAVES:
                self._leaf(identifier, node)
            elif identifier in rows:
                self._module(node, rows[identifier])
            elif identifier not in claimed:
                self._operator(identifier, node)
        for name, value in self.graph.inputs.items():
            self.found.inputs[name] = (value.node, 0)
        for name, value in self.graph.outputs.items():
            self.found.outputs[name] = self._output(value)
        self._freeze()
        return self.found

    def _modules(self) -> tuple[dict[int, Module], set[int]]:
        """Modules by the node that yields what they give, and the nodes that they stand for."""
        rows: dict[int, Module] = {}
        claimed: set[int] = set()
        for path, operators in self.by_scope.items():
            layer = self.graph.layers.get(path)
            row = None if layer is None else MODULES.get(layer.kind)
            if layer is None or row is None:
                continue
            module = row(LayerView(self.graph, path, layer, operators, self.read))
            if module is None or not self._is_free(module, path):
                continue
            rows[module.gives[0].node] = module
            claimed |= self._ancestors(module, operators)
        return rows, claimed

    def _ancestors(self, module: Module, operators: dict[int, Node]) -> set[int]:
        """The nodes of a layer that only a module's results come from."""
        stop = {value.node for value in module.takes}
        pending, found = [value.node for value in module.gives], set()
        while pending:
            identifier = pending.pop()
            if identifier in operators and identifier not in found and identifier not in stop:
                found.add(identifier)
                pending += [v.node for v in self.graph[identifier].inputs if v is not None]
        return found

    def _is_free(self, module: Module, path: str) -> bool:
        """Whether a module's weights are not those of a module that is constructed otherwise."""
        if not module.learned or module.definition is None:
            return True
        name = self._weights_path(module, path)
        held = self.found.modules.setdefault(name, module.definition)
        return held == module.definition

    def _weights_path(self, module: Module, path: str) -> str:
        """The path that a module's weights have in common."""
        for identifier in sorted(self._ancestors(module, self.by_scope[path])):
            for value in self.graph[identifier].inputs:
                node = None if value is None else self.graph[value.node]
                if node is not None and node.op_type == PARAMETER:
                    return str(node.attributes["name"]).rpartition(".")[0]
        return path

    def _leaf(self, identifier: int, node: Node) -> None:
        key = (identifier, 0)
        if node.op_type == PARAMETER:
            self.results[key] = Code((Ref(node.attributes["name"]),))
        elif node.op_type == CONSTANT:
            self.static.add(key)

    def _module(self, node: Node, module: Module) -> None:
        path = self._weights_path(module, node.scope) if module.learned else node.scope
        uses_itself = any(isinstance(p, Ref) for p in walk(module.expression))
        if uses_itself and module.definition is not None:
            self.found.modules.setdefault(path, module.definition)

        def change(part: object) -> Code | None:
            return Code((Ref(path),)) if part == Ref("") else None

        expression = mapped(module.expression, change)
        outputs = tuple((value.node, value.output) for value in module.gives)
        takes = list(module.takes)
        for expression_before in module.before:
            key = (outputs[0][0], -100 - len(takes))
            step = Step(path_of(node.scope)[:-1], expression_before, (), (key,), node.scope)
            self._append(step, module.takes)
            takes.append(Value(*key, takes[0].type))
        self._append(
            Step(
                path_of(node.scope)[:-1],
                expression,
                (),
                outputs,
                node.scope,
                module.definition,
                module.learned,
                module.heavy,
                module.follows,
            ),
            takes,
        )

    def _append(self, step: Step, operands: Sequence[Value], literals: bool = False) -> None:
        """A step with its operands in place: values of other steps, tensors, or numbers."""
        arguments: list[Code] = []
        inputs: list[Key] = []
        place = step.place
        used = {part.index for part in walk(step.expression) if isinstance(part, Input)}
        for index, value in enumerate(operands):
            if index not in used:
                arguments.append(code(""))
                continue
            found = self._operand(value, place, step.layer, literals)
            if isinstance(found, Code):
                arguments.append(found)
                continue
            if found not in inputs:
                inputs.append(found)
            arguments.append(operand(inputs.index(found)))
        expression = _placed(step.expression, arguments)
        step = replace(step, expression=expression, inputs=tuple(inputs))
        self.found.steps.append(replace(step, place=_common(place, step.refs, step.definition)))

    def _operand(self, value: Value, place: Path, layer: str, literals: bool) -> Code | Key:
        key = self._resolved((value.node, value.output))
        if key in self.results:
            self._hold(key)
            return self.results[key]
        if key in self.static or self._told(value) is not None:
            number = self._number(value)
            if literals and number is not None:
                return code(number)
            return self._buffer(value, place, layer)
        return key

    def _hold(self, key: Key) -> None:
        """Note that a parameter is used by an expression, and is no module's alone."""
        name = self.graph[key[0]].attributes["name"]
        module = name.rpartition(".")[0]
        if module not in self.found.modules:
            self.found.tensors.setdefault(name, parameter(self.graph[key[0]]))

    def _told(self, value: Value) -> Any:
        if value.output < 0:
            return None
        node = self.graph[value.node]
        told = None if node.row is None else self.build.known(value)
        return told if _is_numbers(told) else None

    def _number(self, value: Value) -> Any:
        node = self.graph[value.node]
        if node.op_type != CONSTANT or node.outputs[0].rank:
            return None
        return scalar(node)

    def _buffer(self, value: Value, place: Path, layer: str) -> Code:
        """A constant, as a buffer that is no part of the state."""
        taken = self.taken.setdefault(place, set())
        base = _identifier(layer.rpartition(".")[2] or "constant")
        name = next(n for n in _numbered(f"{base}_constant") if n not in taken)
        taken.add(name)
        path = ".".join((*place, name))
        self.found.tensors[path] = ("buffer", self._static_code(value))
        return Code((Ref(path),))

    def _static_code(self, value: Value) -> Code:
        """An expression of a value that no input changes."""
        node = self.graph[value.node]
        if node.op_type == CONSTANT:
            return buffer(node.attributes["value"].nested(), value.type)
        told = self._told(value)
        if told is not None:
            return buffer(told, value.type)
        return self.results[value.node, -1]

    def _operator(self, identifier: int, node: Node) -> None:
        key = (identifier, 0)
        if node.op_type == "Identity":
            (source,) = node.inputs
            assert source is not None
            self.same[key] = self._resolved((source.node, source.output))
            return
        if self._told(Value(identifier, 0, node.outputs[0])) is not None:
            self.static.add(key)
            return
        if node.op_type == "Shape":
            return
        try:
            expression, operands, numbers = self._written(identifier, node)
        except NotImplementedError as failure:
            raise lacking(self.graph, node, str(failure)) from None
        if all(self._is_static(v) for v in operands) and not node.outputs[1:]:
            self._fold(identifier, expression, operands, numbers)
            return
        outputs = tuple((identifier, k) for k in range(len(node.outputs)))
        if OPERATORS[node.op_type].several is False:
            outputs = outputs[:1]
        self._append(
            Step(self._place(node), expression, (), outputs, node.scope), operands, numbers
        )

    def _fold(
        self, identifier: int, expression: Code, operands: Sequence[Value], literals: bool
    ) -> None:
        """A value that constants alone determine is computed once."""
        arguments = []
        for value in operands:
            number = self._number(value)
            literal = literals and number is not None
            arguments.append(code(number) if literal else self._static_code(value))
        self.static.add((identifier, 0))
        self.results[identifier, -1] = filled(expression, arguments)

    def _is_static(self, value: Value) -> bool:
        key = self._resolved((value.node, value.output))
        return key in self.static or self._told(value) is not None

    def _written(self, identifier: int, node: Node) -> tuple[Code, list[Value], bool]:
        """The expression of an operator, and its operands."""
        row = OPERATORS.get(node.op_type)
        if row is None:
            raise NotImplementedError("")
        if others := {t.dtype.value for t in _types(node)} - DTYPES:
            raise NotImplementedError(listing(sorted(others)))
        wanted = max((k + 1 for i, k in self.read if i == identifier), default=1)
        if wanted > 1 and not row.several:
            raise NotImplementedError("several results")
        operands = [v for i, v in enumerate(node.inputs) if v is not None and i not in row.known]
        positions = {
            i: len(
                [j for j, u in enumerate(node.inputs[:i]) if u is not None and j not in row.known]
            )
            for i, v in enumerate(node.inputs)
            if v is not None and i not in row.known
        }
        operands += self._shapes(node, row.known)
        expression = row.write(self._call(identifier, node, operands, wanted))

        def change(part: object) -> Code | None:
            if not isinstance(part, Input):
                return None
            index = part.index
            placed = positions[index] if index < len(node.inputs) else index - len(node.inputs)
            return Code((Input(placed, part.level),))

        return mapped(expression, change), operands, row.numbers

    def _call(
        self, identifier: int, node: Node, operands: Sequence[Value], wanted: int
    ) -> OperatorCall:
        suppliers = [
            (dim, len(node.inputs) + index, axis)
            for index, value in enumerate(operands)
            for axis, dim in enumerate(value.shape)
            if not isinstance(dim, int)
        ]
        return OperatorCall(
            node.attributes,
            tuple(None if v is None else v.type for v in node.inputs),
            node.outputs,
            tuple(None if v is None else self._known(v) for v in node.inputs),
            "self.training",
            wanted,
            suppliers,
        )

    def _known(self, value: Value) -> Any:
        node = self.graph[value.node]
        if node.op_type == CONSTANT and not value.type.rank and value.dtype.is_float:
            return scalar(node)
        return self.build.known(value)

    def _shapes(self, node: Node, known: frozenset[int]) -> list[Value]:
        """The values whose extents an argument that is no operand is made of."""
        pending = [v for i, v in enumerate(node.inputs) if v is not None and i in known]
        found: list[Value] = []
        while pending:
            producer = self.graph[pending.pop().node]
            sources = [v for v in producer.inputs if v is not None]
            if producer.op_type == "Shape":
                found += sources
            else:
                pending += sources
        return found

    def _place(self, node: Node) -> Path:
        """The scope that computes an operator: that of its layer where this has weights."""
        path = path_of(node.scope)
        if node.scope not in self.graph.layers:
            return (
                path if any(n.startswith(f"{node.scope}.") for n in self.graph.parameters) else ()
            )
        own = any(
            value is not None
            and self.graph[value.node].op_type == PARAMETER
            and self.graph[value.node].attributes["name"].startswith(f"{node.scope}.")
            for other in self.by_scope[node.scope].values()
            for value in other.inputs
        )
        return path if own and node.scope not in self.found.modules else path[:-1]

    def _output(self, value: Value) -> Key:
        key = self._resolved((value.node, value.output))
        if key in self.results or key in self.static:
            step = Step((), operand(0), (), ((value.node, -2 - value.output),), "")
            self._append(step, [Value(key[0], key[1], value.type)])
            return (value.node, -2 - value.output)
        return key

    def _resolved(self, key: Key) -> Key:
        return self.same.get(key, key)

    def _freeze(self) -> None:
        for path, layer in self.graph.layers.items():
            if layer.frozen and path in self.found.modules:
                self.found.frozen[path] = layer.kind == "BN"


def _placed(expression: Code, arguments: Sequence[Code]) -> Code:
    return filled(expression, arguments)


def _common(place: Path, refs: Sequence[str], definition: Code | None) -> Path:
    """The innermost scope that reaches all that a step uses."""
    for path in map(path_of, refs):
        scope = path[:-1]
        count = next(
            (i for i, (a, b) in enumerate(zip(place, scope, strict=False)) if a != b),
            min(len(place), len(scope)),
        )
        # A parameter of a deeper scope is reached from above, one of another scope is not.
        place = place[:count]
    return place


def _is_numbers(told: Any) -> bool:
    if isinstance(told, tuple):
        return all(map(_is_numbers, told))
    return isinstance(told, int | float)


def _types(node: Node) -> Iterator[Any]:
    yield from (v.type for v in node.inputs if v is not None)
    yield from node.outputs


def _reached(graph: Graph) -> tuple[list[int], frozenset[Key]]:
    """The nodes that layers come from, in order, and the results that are read.

    What only says extents, places and the like stands in the expressions of others.
    """
    reached: set[int] = set()
    read: set[Key] = set()
    pending = [*graph.outputs.values()]
    pending += [value for layer in graph.layers.values() for value in layer.outputs]
    while pending:
        value = pending.pop()
        if value.node not in reached:
            reached.add(value.node)
            node = graph[value.node]
            row = OPERATORS.get(node.op_type)
            known = row.known if row else frozenset()
            operands = [v for i, v in enumerate(node.inputs) if v is not None and i not in known]
            read |= {(v.node, v.output) for v in operands}
            pending += operands
    return sorted(reached), frozenset(read)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}{number}"
        number += 1


def _identifier(name: str) -> str:
    text = "".join(c if c.isalnum() or c == "_" else "_" for c in name)
    return text if text.isidentifier() else f"_{text}"


def lacking(graph: Graph, node: Node, what: str) -> Exception:
    """That a layer has no counterpart in PyTorch."""
    layer = graph.layers.get(node.scope)
    name = f"`{node.scope}`" if node.scope else f"`{node.op_type}`"
    kind = f", {layer.kind}," if layer else ""
    reason = f"{node.op_type} with {what}" if what else node.op_type
    return error(
        "E506",
        f"the layer {name}{kind} has no counterpart in PyTorch: it lacks {reason}",
        node.span,
    )
