"""Plan and inputs -> results: runs kernels one after another."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ...compiler.ir.dim import is_unknown
from ...compiler.ir.graph import Graph, Node
from ...compiler.ir.types import HolderType, TensorType
from ...grammar.diagnostics import NetError, error, listing
from ..arrays.element_types import numpy_type
from ..arrays.feeds import CheckedFeeds, check_feeds, is_array, shapes_as_taken, spell
from ..kerneldef import Array, OperandError
from ..kernels.workers import arithmetic, limited, workers
from ..weights.state import State, weight_of
from .binding import check_binding, exceeds_memory, place
from .bodies import Body
from .calls import KernelCall
from .lookups import check_lookups
from .plan import Plan
from .threads import one_thread

# What a kernel may raise on operands that no layer would give it.
UNFORESEEN = (ArithmeticError, LookupError, TypeError, ValueError)

Watch = Callable[[Node, tuple[Array, ...]], None]
Ready = Callable[[str, Array], None]
"""Gets an output by name as soon as it is computed, and keeps nothing of it."""
NOWHERE: Mapping[str, Array] = MappingProxyType({})


def run(
    plan: Plan,
    feeds: Mapping[str, Any],
    state: State,
    *,
    watch: Watch | None = None,
    ready: Ready | None = None,
    into: Mapping[str, Array] = NOWHERE,
) -> dict[str, Array]:
    """Compute what a plan fetches.

    Args:
        plan: What to compute.
        feeds: The network's inputs by name, channels first, batch first.
        state: Parameters and buffers by name; each is read once, when it is first needed.
        watch: Gets each operator with its results as soon as they are computed; it must neither
            keep nor change them.
        ready: Gets what is fetched as soon as a step has computed it.
        into: Arrays, row-major, that kernels which can write what is fetched by these names to.

    Returns:
        The fetched arrays by name, which share no memory with feeds, state or each other.

    Raises:
        NetError: An input does not fit (E206), a weight is missing or does not fit (E501), or
            memory does not suffice (E507).
    """
    checked = admit(plan, feeds)
    _check_names(plan, state)
    with one_thread(), limited(workers()), arithmetic():
        found = _compute(plan, checked, state, watch, ready, into)
    return {name: _apart(value) for name, value in found.items()}


def _compute(
    plan: Plan,
    checked: CheckedFeeds,
    state: State,
    watch: Watch | None = None,
    ready: Ready | None = None,
    into: Mapping[str, Array] = NOWHERE,
) -> dict[str, Array]:
    """What a plan fetches, of inputs that fit."""
    slots: list[Any] = [None] * plan.slots
    leaving: dict[int, list[str]] = {}
    for name, slot in plan.fetches.items():
        leaving.setdefault(slot, []).append(name)
    given = {plan.fetches[n]: array for n, array in into.items() if n not in plan.shared}
    for name, slot in plan.feeds.items():
        slots[slot] = checked.arrays[name]
    for slot, array in plan.constants:
        slots[slot] = array
    for slot, name in plan.loads:
        slots[slot] = _parameter(name, plan.parameters[name], state)
    with plan.memories.taken(checked.symbols) as memory:
        for position, step in enumerate(plan.steps):
            outs = [None] * len(step.outputs) if memory is None else memory.arrays(position)
            if given:
                outs = [
                    out if out is None else given.get(slot, out)
                    for out, slot in zip(outs, step.outputs, strict=True)
                ]
            _take(step, slots, plan, state, checked, outs)
            if watch is not None:
                watch(plan.graph[step.node], tuple(slots[slot] for slot in step.outputs))
            if ready is not None:
                for slot in step.outputs:
                    for name in leaving.get(slot, ()):
                        ready(name, slots[slot])
            del outs  # or what is released here would live through the next kernel
            for slot in step.release:
                slots[slot] = None
    return {name: _result(slots[slot], name in plan.shared) for name, slot in plan.fetches.items()}


def compute_inside(plan: Plan, checked: CheckedFeeds) -> dict[str, Array]:
    """A subgraph, which holds no parameters."""
    return _compute(plan, checked, {})


def admit(plan: Plan, feeds: Mapping[str, Any]) -> CheckedFeeds:
    """Check inputs before any engine computes with them; each combination of shapes once.

    Raises:
        NetError: E206 and E507, as in `run`.
    """
    shapes = shapes_as_taken(plan.inputs, feeds)
    symbols = None if shapes is None else plan.fitting.get(shapes)
    if symbols is not None:
        checked = CheckedFeeds({name: feeds[name] for name in plan.inputs}, symbols)
    else:
        checked = check_feeds(plan.inputs, feeds)
        shapes = tuple(array.shape for array in checked.arrays.values() if is_array(array))
        if shapes not in plan.fitting:
            check_binding(plan.graph, plan.order, checked.symbols)
            plan.fitting[shapes] = checked.symbols
    check_lookups(plan.lookups, checked.arrays)
    return checked


def _take(
    step: KernelCall,
    slots: list[Array | None],
    plan: Plan,
    state: State,
    feeds: CheckedFeeds,
    outs: Sequence[Array | None],
) -> None:
    """Call one kernel, and put its results into their slots."""
    try:
        for slot, name in step.loads:
            slots[slot] = _parameter(name, plan.parameters[name], state)
        arguments = [None if slot is None else slots[slot] for slot in step.arguments]
        given: dict[str, Any] = {}
        if step.kernel.outs:
            given["outs"] = outs
        elif (out := outs[0] if step.reuse is None else slots[step.reuse]) is not None:
            given["out"] = out
        for name, subplan in step.subplans.items():
            given[name] = Body(subplan, slots, compute_inside)
        results = step.kernel.function(*arguments, **step.attributes, **given)
        results = results if isinstance(results, tuple) else (results,)
        for slot, result, dtype in zip(step.outputs, results, step.dtypes, strict=True):
            slots[slot] = _typed(result, dtype)
    except OperandError as failure:
        node = plan.graph[step.node]
        raise error("E206", f"{place(plan.graph, node)} {failure}", node.span) from None
    except (MemoryError, *UNFORESEEN) as failure:
        if _exceeds_memory(failure):
            raise _no_memory(plan, step, feeds) from None
        node = plan.graph[step.node]
        if not (_is_named(plan.graph, node) or _is_open(node)):
            raise
        message = f"{place(plan.graph, node)} cannot be computed: {failure}"
        raise error("E206", message, node.span) from failure


def _typed(result: Any, dtype: np.dtype[Any]) -> Any:
    """An array of an element type; a list of arrays and nothing are what they are."""
    return result if result is None or isinstance(result, list) else np.asarray(result, dtype)


def _is_named(graph: Graph, node: Node) -> bool:
    """Whether the program names the operator, and so may give it what no layer would."""
    layer = graph.layers.get(node.scope)
    return layer is not None and layer.kind == node.op_type


def _is_open(node: Node) -> bool:
    """Whether types cannot tell the extents of what it takes."""
    types = [value.type for value in node.inputs if value is not None]
    if any(isinstance(type, HolderType) for type in types):
        return True
    return any(is_unknown(extent) for type in types for extent in type.shape)


def read_weights(plan: Plan, state: State) -> dict[str, Array]:
    """All weights that a plan reads, in the element types that it computes in.

    Raises:
        NetError: E501, one is missing or does not fit.
    """
    _check_names(plan, state)
    return {name: _parameter(name, type, state) for name, type in plan.parameters.items()}


def _check_names(plan: Plan, state: State) -> None:
    missing = [name for name in plan.parameters if name not in state]
    if missing:
        what = "weight is" if len(missing) == 1 else "weights are"
        raise error("E501", f"the {what} missing: {listing(missing, 5)}")


def _parameter(name: str, type: TensorType, state: State) -> Array:
    """A parameter in the element type that the plan computes in."""
    array = weight_of(state, name)
    if array.shape != type.shape:
        raise error(
            "E501",
            f"the weight `{name}` has {spell(type.shape)} numbers, but got {spell(array.shape)}",
        )
    return array.astype(numpy_type(type.dtype), copy=False)


def _result(array: Any, shared: bool) -> Any:
    """A result in row-major order, with its own memory; what lists hold has its own anyway."""
    if array is None or isinstance(array, list):
        return array
    return array.copy() if shared else np.ascontiguousarray(array).reshape(array.shape)


def _apart(value: Any) -> Any:
    """What leaves a run: lists share arrays, and those of inputs, only within it."""
    return [array.copy() for array in value] if isinstance(value, list) else value


def _exceeds_memory(failure: Exception) -> bool:
    """NumPy refuses arrays beyond the address space with a ValueError."""
    if isinstance(failure, MemoryError):
        return True
    return any(text in str(failure) for text in ("array is too big", "Maximum allowed dimension"))


def _no_memory(plan: Plan, step: KernelCall, feeds: CheckedFeeds) -> NetError:
    type, *_ = plan.graph[step.node].outputs
    return exceeds_memory(plan.graph, step.node, type.bind(feeds.symbols))
