"""A graph -> the steps that compute it in PyTorch, and the modules and tensors that they use."""

from collections.abc import Sequence
from dataclasses import replace

from ....grammar.diagnostics import error
from ...ir.graph import CONSTANT, LEAVES, PARAMETER, Graph, Node, Value, present
from ...layers.layerdef import LAYERS
from .code import Code, Input, Ref, code, filled, mapped, operand, walk
from .layer_view import LayerView, Module
from .modules import MODULES
from .names import numbered
from .operator_expressions import OperatorExpressions
from .operators import OPERATORS
from .static_values import StaticValues
from .steps import Key, Path, Step, Steps, path_of
from .tensors import parameter


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


class _Translator:
    """What is computed of a graph, step by step."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.static = StaticValues(graph)
        self.found = Steps(graph)
        self.reached, self.read = _reached(graph)
        self.expressions = OperatorExpressions(graph, self.static.build, self.read)
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
                    return module_of(node.attributes["name"])
        return path

    def _leaf(self, identifier: int, node: Node) -> None:
        key = (identifier, 0)
        if node.op_type == PARAMETER:
            self.static.results[key] = Code((Ref(node.attributes["name"]),))
        elif node.op_type == CONSTANT:
            self.static.found.add(key)

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
        expression = filled(step.expression, arguments)
        step = replace(step, expression=expression, inputs=tuple(inputs))
        self.found.steps.append(replace(step, place=_common(place, step.refs)))

    def _operand(self, value: Value, place: Path, layer: str, literals: bool) -> Code | Key:
        key = self.static.resolved((value.node, value.output))
        if key in self.static.results:
            self._hold(key)
            return self.static.results[key]
        if key in self.static.found or self.static.known(value) is not None:
            number = self.static.number(value)
            if literals and number is not None:
                return code(number)
            return self._buffer(value, place, layer)
        return key

    def _hold(self, key: Key) -> None:
        """Note that a parameter is used by an expression, and is no module's alone."""
        name = self.graph[key[0]].attributes["name"]
        module = module_of(name)
        if module not in self.found.modules:
            self.found.tensors.setdefault(name, parameter(self.graph[key[0]]))

    def _buffer(self, value: Value, place: Path, layer: str) -> Code:
        """A constant, as a buffer that is no part of the state."""
        taken = self.taken.setdefault(place, set())
        base = _identifier(layer.rpartition(".")[2] or "constant")
        name = next(n for n in numbered(f"{base}_constant") if n not in taken)
        taken.add(name)
        path = ".".join((*place, name))
        self.found.tensors[path] = ("buffer", self.static.code(value))
        return Code((Ref(path),))

    def _operator(self, identifier: int, node: Node) -> None:
        key = (identifier, 0)
        if node.op_type == "Identity":
            (source,) = present(node.inputs)
            self.static.same[key] = self.static.resolved((source.node, source.output))
            return
        if self.static.known(Value(identifier, 0, node.outputs[0])) is not None:
            self.static.found.add(key)
            return
        try:
            expression, operands, numbers = self.expressions.written(identifier, node)
        except NotImplementedError as failure:
            raise lacking(self.graph, node, str(failure)) from None
        if all(self.static.is_static(v) for v in operands) and not node.outputs[1:]:
            self.static.fold(identifier, expression, operands, numbers)
            return
        outputs = tuple((identifier, k) for k in range(len(node.outputs)))
        if OPERATORS[node.op_type].several is False:
            outputs = outputs[:1]
        self._append(
            Step(self._place(node), expression, (), outputs, node.scope), operands, numbers
        )

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
        key = self.static.resolved((value.node, value.output))
        if key in self.static.results or key in self.static.found:
            step = Step((), operand(0), (), ((value.node, -2 - value.output),), "")
            self._append(step, [Value(key[0], key[1], value.type)])
            return (value.node, -2 - value.output)
        return key

    def _freeze(self) -> None:
        for path, layer in self.graph.layers.items():
            if layer.frozen and path in self.found.modules:
                self.found.frozen[path] = layer.kind == "BN"


def _common(place: Path, refs: Sequence[str]) -> Path:
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


def _reached(graph: Graph) -> tuple[list[int], frozenset[Key]]:
    """The nodes that layers come from, in order, and the results that are read.

    What only says extents, places and the like stands in the expressions of others.
    """
    reached: set[int] = set()
    pending = [*graph.outputs.values()]
    read = {(value.node, value.output) for value in pending}
    layers = [layer for layer in graph.layers.values() if layer.kind in LAYERS.keys() - {"ID"}]
    pending += [value for layer in layers for value in layer.outputs]
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


def module_of(weight: str) -> str:
    """The path of the module that holds a weight, which may be normalized."""
    module, normalized, _ = weight.partition(".parametrizations.")
    return module if normalized else weight.rpartition(".")[0]
