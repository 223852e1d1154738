"""Graph -> Plan: kernel calls in order, with numbered slots for the arrays between them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...compiler.ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Node, Output, Value
from ...compiler.ir.schedule import Schedule, schedule
from ...compiler.ir.types import DType, HolderType, TensorType
from ...compiler.ops.opdef import OPS, Precision, definition
from ...grammar.diagnostics import did_you_mean, error
from .. import kernels  # noqa: F401 - fills the kernel table
from ..arrays.element_types import array_of, numpy_type
from ..kerneldef import KERNELS, Array, Kernel, in_single
from .calls import KernelCall, Subplan
from .fallback import reference_kernel
from .fusion import fused
from .lookups import Lookup, lookups
from .memory import Memories, Result


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do to compute some values of a graph.

    Attributes:
        graph: The graph that the plan was made from.
        order: The nodes of the steps.
        slots: How many arrays there are at most.
        inputs: What the network takes, by name.
        feeds: Slots of the inputs that are read.
        parameters: What the plan reads of the state, by name.
        loads: Parameters that are fetched and that no step reads, by slot.
        constants: Slots and their arrays.
        steps: Kernel calls in order.
        fetches: Slots of the results by name.
        shared: Names of the results whose memory may be an argument's or another result's.
        lookups: The tables that inputs look up, by the input's name.
        memories: The memory of its runs.
        fitting: Shapes of inputs that were found to fit, and the extents that they determine;
            filled in as the plan runs.
    """

    graph: Graph
    order: tuple[int, ...]
    slots: int
    inputs: Mapping[str, TensorType]
    feeds: Mapping[str, int]
    parameters: Mapping[str, TensorType]
    loads: tuple[tuple[int, str], ...]
    constants: tuple[tuple[int, Array], ...]
    steps: tuple[KernelCall, ...]
    fetches: Mapping[str, int]
    shared: frozenset[str]
    lookups: Mapping[str, Lookup]
    memories: Memories
    fitting: dict[tuple[tuple[int, ...], ...], dict[str, int]] = field(
        default_factory=dict, repr=False
    )


def plan(
    graph: Graph,
    fetch: Iterable[str] | None = None,
    *,
    dtype: str | None = None,
    fuse: bool = False,
) -> Plan:
    """Plan the computation of a graph's outputs, or of the values that `fetch` names.

    Args:
        graph: What to compute.
        fetch: Labels, bindings, or outputs; the graph's outputs where it is None.
        dtype: The element type to compute in, `float32` or `float64`, in place of the graph's.
        fuse: Whether chains of elementwise operators are one step, which nobody can watch.

    Raises:
        NetError: E101, a name is not known; E575, NumPy has no arrays of an input's or parameter's
            type. What computes other types that NumPy lacks says so when it runs (E502).
    """
    values = resolve_fetches(graph, fetch)
    return _Planner(graph, values, dtype).plan(fuse=fuse)


def resolve_fetches(graph: Graph, fetch: Iterable[str] | None) -> dict[str, Value]:
    """The values that names stand for; the graph's outputs where `fetch` is None.

    Raises:
        NetError: E101, a name is not known.
    """
    if fetch is None:
        return dict(graph.outputs)
    if isinstance(fetch, str):
        fetch = [fetch]
    known = {**graph.labels, **graph.outputs}
    for name in fetch:
        if name not in known:
            help = did_you_mean(str(name), known) or "any layer's name or label can be fetched"
            raise error("E101", f"unknown layer or value `{name}`", help=help)
    return {name: known[name] for name in fetch}


def own_kernel(node: Node) -> Kernel | None:
    """Our kernel of an operator that the table has; what only onnx defines has none."""
    row = definition(node)
    return KERNELS.get(node.op_type) if row is not None and row.key in OPS else None


class _Planner:
    """Collects what a plan consists of."""

    def __init__(self, graph: Graph, values: Mapping[str, Value], dtype: str | None) -> None:
        self.graph = graph
        self.values = values
        self.dtype = dtype
        self.schedule: Schedule = schedule(graph, values.values())
        needed = sorted((*self.schedule.leaves, *self.schedule.order))
        outputs = [(i, k) for i in needed for k in range(len(graph[i].outputs))]
        self.slot: dict[Output, int] = {output: slot for slot, output in enumerate(outputs)}
        self.roots = self._roots(needed)
        self.dies = self._deaths()

    def plan(self, *, fuse: bool) -> Plan:
        """The plan."""
        fetches = {name: self.slot[v.node, v.output] for name, v in self.values.items()}
        leaves = {i: self.graph[i] for i in self.schedule.leaves}
        named = {
            node.attributes["name"]: i for i, node in leaves.items() if node.op_type == PARAMETER
        }
        first_use = self._first_uses()
        steps: Sequence[KernelCall] = self._steps({i: name for name, i in named.items()}, first_use)
        places: Sequence[int] = range(len(steps))
        if fuse:
            types = {slot: self.graph[i].outputs[k].shape for (i, k), slot in self.slot.items()}
            read = {slot: self.schedule.last_use.get(i, -1) for (i, _), slot in self.slot.items()}
            steps, places = fused(steps, types, read)
        return Plan(
            graph=self.graph,
            order=self.schedule.order,
            slots=len(self.slot),
            inputs={name: self.type(name, value.type) for name, value in self.graph.inputs.items()},
            feeds={
                node.attributes["name"]: self.slot[i, 0]
                for i, node in leaves.items()
                if node.op_type == INPUT
            },
            parameters={
                name: self.type(name, self.graph[i].outputs[0]) for name, i in named.items()
            },
            loads=tuple((self.slot[i, 0], name) for name, i in named.items() if i not in first_use),
            constants=tuple(
                (self.slot[i, 0], self._constant(node))
                for i, node in leaves.items()
                if node.op_type == CONSTANT
            ),
            steps=tuple(steps),
            fetches=fetches,
            shared=self._shared(fetches),
            lookups=lookups(self.graph),
            memories=Memories(self._results(steps, places)),
        )

    def type(self, name: str, type: TensorType) -> TensorType:
        """An input or parameter as it is computed."""
        if self.dtype is None or not type.dtype.is_float:
            return type
        return type.with_dtype(DType(self.dtype))

    def _dtype(self, dtype: DType) -> np.dtype[Any]:
        """What NumPy computes in."""
        return np.dtype(self.dtype) if self.dtype and dtype.is_float else numpy_type(dtype)

    def _constant(self, node: Node) -> Array:
        (type,) = node.outputs
        array = array_of(node.attributes["value"]).astype(self._dtype(type.dtype), copy=False)
        array.flags.writeable = False
        return array

    def _roots(self, needed: Iterable[int]) -> dict[int, frozenset[int]]:
        """For each slot the slots whose memory its array may lie in; itself unless it is a view."""
        roots: dict[int, frozenset[int]] = {}
        for identifier in needed:
            node = self.graph[identifier]
            origins = [self.slot[v.node, v.output] for v in node.inputs if v is not None]
            # Of a kernel that is not ours nothing is known. Lists share the arrays that they hold.
            kernel = own_kernel(node)
            has_lists = any(isinstance(type, HolderType) for type in node.outputs)
            is_view = kernel is None or kernel.view or has_lists
            for k in range(len(node.outputs)):
                slot = self.slot[identifier, k]
                own = frozenset([slot])
                roots[slot] = own.union(*(roots[o] for o in origins)) if is_view else own
        return roots

    def _deaths(self) -> dict[int, int]:
        """For each root the position of the last step that reads it or a view of it."""
        dies: dict[int, int] = {}
        for (identifier, _), slot in self.slot.items():
            position = self.schedule.last_use.get(identifier, -1)
            for root in self.roots[slot]:
                dies[root] = max(dies.get(root, -1), position)
        return dies

    def _first_uses(self) -> dict[int, int]:
        """For each node that is read, the position of its first reader."""
        first: dict[int, int] = {}
        for position, identifier in enumerate(self.schedule.order):
            for value in self.graph[identifier].inputs:
                if value is not None:
                    first.setdefault(value.node, position)
        return first

    def _steps(
        self, names: Mapping[int, str], first_use: Mapping[int, int]
    ) -> tuple[KernelCall, ...]:
        loads: dict[int, list[tuple[int, str]]] = {}
        for identifier, name in names.items():
            if identifier in first_use:
                slot = self.slot[identifier, 0]
                loads.setdefault(first_use[identifier], []).append((slot, name))
        release: dict[int, list[int]] = {}
        for (identifier, _), slot in self.slot.items():
            position = self.schedule.last_use.get(identifier, -1)
            release.setdefault(position, []).append(slot)
        return tuple(
            self._step(position, identifier, loads.get(position, ()), release.get(position, ()))
            for position, identifier in enumerate(self.schedule.order)
        )

    def _results(
        self, steps: Sequence[KernelCall], places: Sequence[int]
    ) -> list[tuple[Result, ...]]:
        """What steps yield, and how long its memory is needed.

        Args:
            steps: The steps.
            places: For each position in the schedule the step that takes it.
        """
        at = [*places, len(steps)]
        lives = {
            slot: at[position] if position >= 0 else -1 for slot, position in self.dies.items()
        }
        types = {slot: self.graph[i].outputs[k] for (i, k), slot in self.slot.items()}
        for step in reversed(steps):  # what takes the memory of another prolongs that one's life
            if step.reuse is not None:
                lives[step.reuse] = max(lives[step.reuse], lives[step.outputs[0]])
        return [
            tuple(
                Result(
                    types[slot],
                    dtype,
                    step.kernel.layout,
                    slot=slot,
                    arguments=tuple(slot for slot in step.arguments if slot is not None),
                    lives_until=lives[slot]
                    if step.reuse is None and (step.kernel.outs or (step.kernel.out and not number))
                    else None,
                )
                for number, (slot, dtype) in enumerate(zip(step.outputs, step.dtypes, strict=True))
            )
            for step in steps
        ]

    def _step(
        self,
        position: int,
        identifier: int,
        loads: Iterable[tuple[int, str]],
        release: Iterable[int],
    ) -> KernelCall:
        node = self.graph[identifier]
        found = self._kernel(node)
        asked = {"outputs": len(node.outputs)} if found.counts_outputs else {}
        return KernelCall(
            kernel=found,
            arguments=tuple(
                None if v is None else self.slot[v.node, v.output] for v in node.arguments
            ),
            outputs=tuple(self.slot[identifier, k] for k in range(len(node.outputs))),
            dtypes=tuple(self._dtype(type.dtype) for type in node.outputs),
            attributes={**self._attributes(node), **asked},
            loads=tuple(loads),
            reuse=self._reusable(position, node) if found.inplace else None,
            release=tuple(release),
            node=identifier,
            subplans={key: self._subplan(node, inner) for key, inner in node.subgraphs.items()},
        )

    def _subplan(self, node: Node, inner: Graph) -> Subplan:
        """The plan of a subgraph, which nobody watches."""
        held = {name: node.inputs[position] for name, position in inner.captures.items()}
        captured = {n: self.slot[v.node, v.output] for n, v in held.items() if v is not None}
        own = tuple(name for name in inner.inputs if name not in captured)
        dtypes = tuple(self._dtype(value.dtype) for value in inner.outputs.values())
        return Subplan(plan(inner, dtype=self.dtype, fuse=True), own, captured, dtypes)

    def _kernel(self, node: Node) -> Kernel:
        types = [*(v.type for v in node.inputs if v is not None), *node.outputs]
        own = (type.dtype.in_numpy or (self.dtype and type.dtype.is_float) for type in types)
        if not all(own) and not any(isinstance(type, HolderType) for type in types):
            return self._reference(node)  # ours count on NumPy's own rules for mixed types
        kernel = own_kernel(node) or self._reference(node)
        row = definition(node)
        is_product = row is not None and row.precision is Precision.HALF
        is_half = any(type.dtype is DType.FLOAT16 for type in types)
        return in_single(kernel) if is_product and is_half else kernel

    def _reference(self, node: Node) -> Kernel:
        return reference_kernel(node, self.graph.opsets)

    def _attributes(self, node: Node) -> dict[str, Any]:
        """A node's attributes, element types among them being those that are computed in."""
        return {
            name: DType(self.dtype)
            if isinstance(value, DType) and self.dtype and value.is_float
            else value
            for name, value in node.attributes.items()
        }

    def _reusable(self, position: int, node: Node) -> int | None:
        """An argument of the result's type whose memory nobody else reads, now or later."""
        slots = [self.slot[v.node, v.output] for v in node.inputs if v is not None]
        for value in node.inputs:
            if value is None or value.type != node.outputs[0]:
                continue
            slot = self.slot[value.node, value.output]
            others = [o for o in slots if o != slot]
            alone = slots.count(slot) == 1 and not any(
                self.roots[slot] & self.roots[o] for o in others
            )
            own = own_kernel(self.graph.producer(value))
            owned = self.roots[slot] == {slot} and own is not None
            if alone and owned and self.dies[slot] == position:
                return slot
        return None

    def _shared(self, fetches: Mapping[str, int]) -> frozenset[str]:
        """Results whose memory is not theirs alone."""
        computed = {
            self.slot[i, k] for i in self.schedule.order for k in range(len(self.graph[i].outputs))
        }
        seen: set[int] = set()
        shared: set[str] = set()
        for name, slot in fetches.items():
            roots = self.roots[slot]
            if roots & seen or not roots <= computed:
                shared.add(name)
            seen |= roots
        return frozenset(shared)
