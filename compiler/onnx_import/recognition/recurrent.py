"""Recurrent layers, from ONNX's operators and what brings their results into other shapes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...ir.graph import Node, Value
from ...ir.types import DType
from ...layers.recurrent import CELLS, ONNX_DIRECTIONS, SUFFIXES
from .movements import extents, moved
from .trail import SHAPING, Layout, Match, NoMatch, Stack, Trail, Weight, identity, rule, weight_of

Rows = list[tuple[Weight, int]]
DIRECTIONS = {theirs: ours for ours, theirs in ONNX_DIRECTIONS.items()}
TIME_FIRST: Layout = (1, 0, 2)
RESULT = "Sum"  # of one tensor, itself: a result as layers have it, which no rule looks through


@rule("Concat", "Gather", "Reshape", "Slice", "Squeeze")
def recurrent(trail: Trail) -> Match:
    """`LSTM`, `GRU` and `RNN`, of all elements of a sequence or of the last state."""
    found = moved(trail, Value(trail.last, 0, trail.node.outputs[0]))
    source, places = found.source, found.places
    trail.need(found.factor == 1)
    node = trail.graph.producer(source)
    trail.need(node.op_type in CELLS and source.output < 2)
    trail.passed.add(source.node)
    arguments = {**_arguments(trail, node)}
    shape = extents(source.shape)
    states = np.arange(int(np.prod(shape))).reshape(shape)
    is_batch_first = node.attributes["layout"] == 1
    result = None
    if source.output:  # (D, N, H), or (N, D, H)
        last = states if is_batch_first else states.transpose(1, 0, 2)
    else:  # (L, D, N, H), or (N, L, D, H)
        ordered = states if is_batch_first else states.transpose(2, 0, 1, 3)
        result = _lies(ordered.reshape(*ordered.shape[:2], -1), places)
        ends = [-1 if suffix == "" else 0 for suffix in _suffixes(node)]
        last = np.stack([ordered[:, end, place] for place, end in enumerate(ends)], 1)
    if result is None:
        last = last.reshape(len(last), -1)
        trail.need(places.shape == last.shape and (places == last).all())
        arguments["return"], result = "last", identity(2)
    layout = identity(3) if is_batch_first else TIME_FIRST
    x, weights = trail.argument(node, 0), _weights(trail, node)
    labels = _mask(trail, node)
    return Match(node.op_type, (x,), arguments, weights, layout, result=result, labels=labels)


@rule(*CELLS)
def with_states(trail: Trail) -> Match:
    """`LSTM`, `GRU` and `RNN` with first states, or of which more than one result is read."""
    node = trail.node
    arguments, weights = {**_arguments(trail, node, has_firsts=True)}, _weights(trail, node)
    operands = [trail.argument(node, 0)]
    for place in range(5, min(len(node.inputs), 7)):
        first = trail.back(trail.argument(node, place), "Transpose")
        spread = trail.back(trail.argument(first, 0), "Reshape")
        operands.append(trail.argument(spread, 0))
    trail.need(len(operands) in (1, 1 + CELLS[node.op_type].states))
    ends: dict[int, Value] = {}
    for output, type in enumerate(node.outputs):
        value = Value(trail.last, output, type)
        for op_type in ("Transpose", "Reshape", RESULT):
            readers = trail.graph.consumers(value)
            if not readers and op_type == "Transpose":
                break
            trail.need(len(readers) == 1 and trail.graph[readers[0]].op_type == op_type)
            value = Value(readers[0], 0, trail.graph[readers[0]].outputs[0])
            trail.passed.add(value.node)
        else:
            ends[output] = value
    trail.need(ends)
    if set(ends) == {1}:
        arguments["return"], ends = "last", {0: ends[1]}
    elif set(ends) != {0}:
        arguments["return"] = "states"
    layout = identity(3) if node.attributes["layout"] == 1 else TIME_FIRST
    labels = _mask(trail, node)
    return Match(
        node.op_type, tuple(operands), arguments, weights, layout, labels=labels, ends=ends
    )


def _mask(trail: Trail, node: Node) -> Mapping[str, Value]:
    """The integers (N, L) whose sums, of truth values, are how long samples are."""
    if node.optional(4) is None:
        return {}
    total = trail.back(trail.argument(node, 4), "ReduceSum")
    trail.need(not total.attributes["keepdims"])
    trail.need(trail.is_number(trail.argument(total, 1), 1))
    numbers = trail.back(trail.argument(total, 0), "Cast")
    truths = trail.argument(numbers, 0)
    trail.need(truths.dtype is DType.BOOL)
    mask = trail.argument(trail.back(truths, "Cast"), 0) if trail.is_by(truths, "Cast") else truths
    trail.need(mask.type.rank == 2 and not mask.dtype.is_float)
    return {"mask": mask}


def _lies(ordered: Any, places: Any) -> Layout | None:
    """How a result lies that holds (N, L, D H); None where it holds something else."""
    for layout in (identity(3), TIME_FIRST):
        lying = ordered.transpose(layout)
        if places.shape == lying.shape and (places == lying).all():
            return layout
    return None


def _arguments(trail: Trail, node: Node, *, has_firsts: bool = False) -> Mapping[str, Any]:
    """What a call gives; nothing may be given that PyTorch's layers do not have."""
    held = node.attributes
    others = node.inputs[7:] if has_firsts else node.inputs[5:]
    trail.need(not any(others) and not held["clip"] and held["hidden_size"])
    functions = list(held["activations"] or ())
    found: dict[str, Any] = {"hidden": held["hidden_size"]}
    if held["direction"] != "forward":
        found["direction"] = DIRECTIONS[held["direction"]]
    if node.op_type == "RNN":
        trail.need(set(functions) in (set(), {"Tanh"}, {"Relu"}))
        if "Relu" in functions:
            found["activation"] = "relu"
    else:
        usual = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}[node.op_type]
        trail.need(functions in ([], usual, usual * 2))
        trail.need(node.op_type != "GRU" or held["linear_before_reset"])
        trail.need(not held.get("input_forget"))
    if node.optional(3) is None:
        found["bias"] = False
    return found


def _weights(trail: Trail, node: Node) -> Mapping[str, Stack]:
    """PyTorch's weights by name: rows of ONNX's, whose gates are in another order."""
    gates, hidden = CELLS[node.op_type].gates, node.attributes["hidden_size"]
    units, suffixes = range(hidden), _suffixes(node)
    order = [gates.index(gate) * hidden + unit for gate in range(len(gates)) for unit in units]
    found: dict[str, Stack] = {}
    for place, kind in ((1, "weight_ih"), (2, "weight_hh"), (3, "bias_")):
        value = node.inputs[place] if place < len(node.inputs) else None
        if value is None:
            continue
        rows = _rows(trail, value, 1 if place == 3 else extents(value.shape)[-1])
        parts = [kind] if place < 3 else ["bias_ih", "bias_hh"]
        names = [f"{part}_l0{suffix}" for suffix in suffixes for part in parts]
        trail.need(len(rows) == len(names) * len(order))
        for number, name in enumerate(names):
            found[name] = _stack([rows[number * len(order) + row] for row in order])
    return found


def _suffixes(node: Node) -> tuple[str, ...]:
    """What the names of weights end with in each direction."""
    return SUFFIXES[DIRECTIONS[node.attributes["direction"]]]


def _rows(trail: Trail, value: Value, width: int) -> Rows:
    """The rows of stored tensors that a value shows, or puts one below the other."""
    weight = weight_of(trail.graph, value)
    if weight is not None and weight.part is None and weight.axes is None:
        count = weight.size // width
        whole = Weight(weight.value, shape=(count, width) if width > 1 else (count,))
        return [(whole, row) for row in range(count)]
    node = trail.graph.producer(value)
    trail.need(node.op_type in ("Concat", "Split", *SHAPING))
    trail.passed.add(value.node)
    if node.op_type == "Concat":
        trail.need(node.attributes["axis"] == 0 or value.type.rank == 1)
        return [row for x in node.inputs if x is not None for row in _rows(trail, x, width)]
    rows = _rows(trail, trail.argument(node, 0), width)
    if node.op_type != "Split":
        return rows
    trail.need(node.attributes["axis"] == 0)
    sizes = [int(np.prod(extents(type.shape))) // width for type in node.outputs]
    first = sum(sizes[: value.output])
    return rows[first : first + sizes[value.output]]


def _stack(rows: Rows) -> Stack:
    """Rows, those of one tensor together."""
    parts: list[tuple[Weight | None, tuple[int, ...]]] = []
    for weight, row in rows:
        if parts and parts[-1][0] == weight:
            parts[-1] = weight, (*parts[-1][1], row)
        else:
            parts.append((weight, (row,)))
    if not parts:
        raise NoMatch
    return Stack(tuple(parts))
