"""A graph and weights -> the same network in PyTorch: a list of calls, run in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from ...compiler.emit.torch.code import Code, code, filled, flat
from ...compiler.emit.torch.helpers import HELPERS
from ...compiler.emit.torch.operator_call import DTYPES, OperatorCall
from ...compiler.emit.torch.operators import OPERATORS
from ...compiler.ir.builder import Builder
from ...compiler.ir.dim import substitute
from ...compiler.ir.graph import CONSTANT, INPUT, LEAVES, PARAMETER, Graph, Node, Value
from ...grammar.diagnostics import error, listing
from ..kerneldef import Array

Tensor = Any
Compute = Callable[..., Tensor]
SHOWN = 5  # operators in a message


@dataclass(frozen=True, slots=True)
class Step:
    """One call: where its arguments are, where its results go, and what nothing reads later."""

    compute: Compute
    arguments: tuple[int | None, ...]
    results: tuple[int, ...]
    release: tuple[int, ...] = ()


class TorchNetwork:
    """A network in PyTorch.

    Attributes:
        parameters: Tensors by name; those that are trained require gradients.

    Args:
        graph: The network, mode-neutral, or in inference mode.
        state: Weights by name; they are copied.
        symbols: The extents that inputs determine, such as the batch `N`.
        training: Whether Dropout drops, and BatchNormalization uses the batch's statistics.
        channels_last: Whether images and their weights lie with the channels innermost.

    Raises:
        NetError: E506, an operator has no call in PyTorch.
    """

    def __init__(
        self,
        graph: Graph,
        state: Mapping[str, Array],
        symbols: Mapping[str, int],
        *,
        training: bool,
        channels_last: bool = False,
    ) -> None:
        self.graph = graph
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.parameters: dict[str, Tensor] = {}
        self._slots: dict[tuple[int, int], int] = {}
        self._values: list[Tensor] = []
        planner = _Planner(graph, symbols, training)
        self._steps: list[Step] = []
        for identifier in planner.needed:
            node = graph[identifier]
            if node.op_type == PARAMETER:
                name = node.attributes["name"]
                tensor = self.laid(torch.tensor(state[name]))
                tensor.requires_grad_(training and node.attributes["trainable"])
                self.parameters[name] = tensor
                self._slot((identifier, 0), tensor)
            elif node.op_type == INPUT:
                self._slot((identifier, 0))
            elif (known := planner.known(identifier)) is not None:
                self._slot((identifier, 0), torch.tensor(known))
            else:
                self._steps.append(self._step(identifier, planner))
        self._inputs = {
            name: self._slots[v.node, v.output]
            for name, v in graph.inputs.items()
            if (v.node, v.output) in self._slots
        }
        self._outputs = {n: self._slots[v.node, v.output] for n, v in graph.outputs.items()}
        self._steps = _releasing(self._steps, set(self._outputs.values()))

    def __call__(self, feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs by name."""
        values = self._values.copy()
        for name, slot in self._inputs.items():
            values[slot] = feeds[name]
        for step in self._steps:
            result = step.compute(*[None if a is None else values[a] for a in step.arguments])
            if isinstance(result, tuple):
                for slot, part in zip(step.results, result, strict=False):
                    values[slot] = part
            else:
                values[step.results[0]] = result
            for slot in step.release:
                values[slot] = None
            del result
        return {name: values[slot] for name, slot in self._outputs.items()}

    def laid(self, tensor: Tensor) -> Tensor:
        """A tensor in the memory format of the network."""
        return tensor.contiguous(memory_format=self.layout) if tensor.dim() == 4 else tensor

    def _slot(self, output: tuple[int, int], value: Tensor = None) -> int:
        self._slots[output] = len(self._values)
        self._values.append(value)
        return self._slots[output]

    def _step(self, identifier: int, planner: "_Planner") -> Step:
        node = self.graph[identifier]
        passed = planner.passed(node)
        row, call = OPERATORS[node.op_type], planner.call(identifier)
        try:
            if call.wanted > 1 and not row.several:
                raise NotImplementedError("several results")
            if others := {type.dtype.value for type in call.types} - DTYPES:
                raise NotImplementedError(listing(sorted(others)))
            compute = _compiled(row.write(call), len(node.inputs), row.known)
        except NotImplementedError as failure:
            raise lacking([f"{node.op_type} with {failure}"]) from None
        arguments = tuple(None if v is None else self._slots[v.node, v.output] for v in passed)
        results = tuple(self._slot((identifier, k)) for k in range(len(node.outputs)))
        return Step(compute, arguments, results)


def _releasing(steps: Sequence[Step], kept: set[int]) -> list[Step]:
    """Steps that let go of what was read for the last time, as variables of a function do."""
    found: list[Step] = []
    for step in reversed(steps):
        last = {slot for slot in (*step.arguments, *step.results) if slot is not None} - kept
        kept = kept | last
        found.append(replace(step, release=tuple(sorted(last))))
    return found[::-1]


def _compiled(expression: Code, count: int, known: frozenset[int]) -> Compute:
    """The function of an expression, of those of `count` arguments that are tensors."""
    names = [f"a{index}" for index in range(count)]
    text = flat(filled(expression, list(map(code, names))))
    taken = ", ".join(name for index, name in enumerate(names) if index not in known)
    scope: dict[str, Any] = {"torch": torch, "F": F}
    for name, helper in HELPERS.items():
        if f"{name}(" in text:
            exec(helper, scope)
    compute: Compute = eval(f"lambda {taken}: {text}", scope)
    return compute


class _Planner:
    """What is computed of a graph, and what is known of arguments before."""

    def __init__(self, graph: Graph, symbols: Mapping[str, int], training: bool) -> None:
        self.graph, self.symbols, self.training = graph, symbols, training
        self.build = Builder(graph)
        self._reached: set[int] = set()
        self._read: set[tuple[int, int]] = set()
        pending = list(graph.outputs.values())
        while pending:
            value = pending.pop()
            self._read.add((value.node, value.output))
            if value.node not in self._reached:
                self._reached.add(value.node)
                if self.known(value.node) is None:
                    pending += [v for v in self.passed(graph[value.node]) if v is not None]
        self.needed = sorted(self._reached)
        computed = {graph[i].op_type for i in self.needed if self.known(i) is None}
        types = computed - OPERATORS.keys() - LEAVES
        if types:
            raise lacking(sorted(types))

    def passed(self, node: Node) -> Sequence[Value | None]:
        """The arguments that are tensors when it is computed."""
        row = OPERATORS.get(node.op_type)
        known = row.known if row else ()
        return [v for i, v in enumerate(node.inputs) if i not in known]

    def call(self, identifier: int) -> OperatorCall:
        """The application of an operator."""
        node = self.graph[identifier]
        return OperatorCall(
            node.attributes,
            tuple(None if v is None else v.type.bind(self.symbols) for v in node.inputs),
            tuple(type.bind(self.symbols) for type in node.outputs),
            tuple(None if v is None else self._known(v) for v in node.inputs),
            str(self.training and not self._is_frozen(node)),
            max((k + 1 for i, k in self._read if i == identifier), default=1),
        )

    def _is_frozen(self, node: Node) -> bool:
        """Whether the author froze a normalization, which then uses its running statistics."""
        if node.op_type != "BatchNormalization":
            return False
        layer, scale = self.graph.layers.get(node.scope), node.inputs[1]
        assert scale is not None
        trainable = self.graph.producer(scale).attributes.get("trainable", True)
        return not trainable or (layer is not None and layer.frozen)

    def known(self, identifier: int) -> Array | None:
        """What a node yields where that is known: constants, and what follows from shapes."""
        node = self.graph[identifier]
        type = node.outputs[0]
        if node.op_type == CONSTANT:
            return np.array(node.attributes["value"]).astype(type.dtype.value)
        known = self._known(Value(identifier, 0, type)) if node.row is not None else None
        return None if known is None else np.array(known, type.dtype.value)

    def _known(self, value: Value) -> Any:
        return self._bound(self.build.known(value))

    def _bound(self, known: Any) -> Any:
        if isinstance(known, tuple):
            return tuple(map(self._bound, known))
        return (
            known if known is None or isinstance(known, float) else substitute(known, self.symbols)
        )


def lacking(names: Sequence[str]) -> Exception:
    """The error of operators or losses without a counterpart."""
    return error("E506", f"no call of PyTorch is known for {listing(names, SHOWN)}")
