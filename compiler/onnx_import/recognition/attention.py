"""Multi-head attention, from the dense layers of queries, keys and values to the last one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose, sqrt
from typing import Any

import numpy as np

from ...ir.graph import Node, Value
from .movements import Moved, Places, extents, moved
from .score_biases import ScoreBias, explain, score_bias
from .trail import RULES, SHAPING, Layout, Match, NoMatch, Stack, Trail, Weight, rule

LOWEST = -1e4  # what exporters of old models add to the scores of masked keys, or less
SCORES = ("MatMul", "Add", "Mul", "Div", "Where", *SHAPING)


@dataclass(frozen=True, slots=True)
class Heads:
    """A dense layer's result, divided among heads.

    Attributes:
        dense: The dense layer.
        rows: The layer's unit of each feature of the heads, one head after the other.
        shape: Samples, heads, positions, features of a head.
        by_sample: Whether a sample's positions follow each other, or a position's samples.
    """

    dense: Match
    rows: tuple[int, ...]
    shape: tuple[int, int, int, int]
    by_sample: tuple[bool, bool]

    def operand(self, trail: Trail) -> tuple[Value, set[Layout]]:
        """The sequence that the dense layer takes, and how it may lie: (N, L, E) or (L, N, E)."""
        (x,) = self.dense.operands
        while x.type.rank != 3:
            x = trail.argument(trail.back(x, "Reshape", "Flatten", "Squeeze", "Unsqueeze"), 0)
        samples, _, length, _ = self.shape
        shape = extents(x.shape)
        possible = {
            (0, 1, 2): self.by_sample[0] and shape[:2] == (samples, length),
            (1, 0, 2): self.by_sample[1] and shape[:2] == (length, samples),
        }
        return x, {layout for layout, holds in possible.items() if holds}


@rule("Add", "Gemm", "MatMul", "Reshape")
def attention(trail: Trail) -> Match:
    """`ATTENTION`: what is computed is told by where each element of its parts comes from."""
    y = Value(trail.last, 0, trail.node.outputs[0])
    trail.need(y.type.rank == 3 and y.dtype.is_float)
    if trail.node.op_type == "Reshape":
        y = trail.argument(trail.back(y, "Reshape"), 0)
    out = dense_layer(trail, y)
    joined = moved(trail, out.operands[0])
    trail.need(joined.factor == 1)
    core = _core(trail, joined.source)
    arguments, labels, parts = core.arguments, core.labels, core.parts
    queries, keys, values = (moved(trail, part) for part in parts)
    q = heads_of(trail, queries)
    k = heads_of(trail, keys, is_transposed=trail.is_by(joined.source, "MatMul"))
    v = heads_of(trail, values)
    _, heads, _, depth = q.shape
    factor = arguments.pop("factor") * queries.factor * keys.factor
    if not isclose(factor, 1 / sqrt(depth), rel_tol=1e-4):
        arguments["scale"] = float(f"{factor:.7g}")
    trail.need(k.shape == v.shape and k.shape[:2] == q.shape[:2] and k.shape[3] == depth)
    order = _order(joined.places, q.shape)
    operands, layouts = zip(*(each.operand(trail) for each in (q, k, v)), strict=True)
    common = set.intersection(*layouts, order)
    trail.need(common and operands[0].shape[2] == out.arguments["units"])
    if heads * depth != out.arguments["units"]:
        arguments["width"] = heads * depth
    if len(set(operands)) == 1:
        operands = operands[:1]
    held = _weights(trail, (q, k, v), out)
    for bias in core.biases:
        x = operands[0] if len(operands) == 1 else None
        more, weights = explain(trail, bias, x, (heads, q.shape[2], q.shape[0]), k.shape[2])
        trail.need(not more.keys() & arguments.keys())
        arguments |= more
        held |= weights
    trail.need("mask" not in arguments or not labels)
    if "in_proj_bias" not in held:
        arguments["bias"] = False
    kept = len(k.rows) // depth
    trail.need(len(q.rows) == heads * depth and len(v.rows) == len(k.rows))
    if kept != heads:
        arguments["kv_heads"] = kept
    return Match(
        "ATTENTION",
        operands,
        {"heads": heads, **arguments},
        held,
        min(common),
        labels=labels,
    )


def dense_layer(trail: Trail, y: Value) -> Match:
    """The dense layer that yields a value."""
    trail.need(not y.output)
    for dense in RULES.get(trail.graph.producer(y).op_type, ()):
        if dense.__module__.endswith(".dense"):
            inner = Trail(trail.graph, y.node)
            try:
                found = dense(inner)
            except NoMatch:
                continue
            if found.kind in ("FC", "LINEAR"):
                trail.passed |= inner.passed | {y.node}
                return found
    raise NoMatch


def heads_of(trail: Trail, part: Moved, *, is_transposed: bool = False) -> Heads:
    """Queries, keys or values (..., L, D), or keys (..., D, L), as parts of a dense layer's result.

    Raises:
        NoMatch: They are not what each head takes of it.
    """
    dense = dense_layer(trail, part.source)
    units = extents(part.source.shape)[-1]
    places = part.places.swapaxes(-1, -2) if is_transposed else part.places
    trail.need(places.ndim > 2)
    length, depth = places.shape[-2:]
    samples = int(np.prod(extents(part.source.shape)[:-1])) // length
    trail.need(samples and places.size % (samples * length * depth) == 0)
    places = places.reshape(samples, -1, length, depth)
    rows, columns = places // units, places % units
    trail.need((columns == columns[:1, :, :1]).all() and (rows == rows[:, :1, :, :1]).all())
    found = rows[:, 0, :, 0]
    natural = np.arange(samples * length)
    by_sample = (
        bool((found == natural.reshape(samples, length)).all()),
        bool((found == natural.reshape(length, samples).T).all()),
    )
    by_head = columns[0, :, 0]
    shared = len(by_head) // len(np.unique(by_head[:, 0]))
    trail.need((by_head == by_head[::shared].repeat(shared, 0)).all())
    units_of = tuple(by_head[::shared].ravel().tolist())
    trail.need(len(set(units_of)) == len(units_of))
    shape = (samples, places.shape[1], length, depth)
    return Heads(dense, units_of, shape, by_sample)


def _order(joined: Places, shape: tuple[int, int, int, int]) -> set[Layout]:
    """How the last dense layer's operand lies, whose rows are heads side by side."""
    natural = np.arange(np.prod(shape)).reshape(shape)
    found = joined.ravel()
    if found.size != natural.size:
        raise NoMatch
    by_layout: Mapping[Layout, Sequence[int]] = {(0, 1, 2): (0, 2, 1, 3), (1, 0, 2): (2, 0, 1, 3)}
    return {
        layout
        for layout, perm in by_layout.items()
        if (natural.transpose(perm).ravel() == found).all()
    }


@dataclass(slots=True)
class Core:
    """What attention computes between its dense layers.

    Attributes:
        arguments: Its arguments, and the `factor` of the scores.
        labels: Its computed mask.
        biases: What is stored and added to the scores.
        parts: Queries, keys and values of all heads.
    """

    arguments: dict[str, Any]
    labels: dict[str, Value] = field(default_factory=dict)
    biases: list[ScoreBias] = field(default_factory=list)
    parts: tuple[Value, ...] = ()


def _core(trail: Trail, value: Value) -> Core:
    node = trail.back(value, "MatMul", "Attention")
    if node.op_type == "Attention":
        attributes, given = node.attributes, [*node.inputs, None][:4]
        trail.need(not any(node.inputs[4:]) and len(node.outputs) == 1 and value.type.rank == 4)
        trail.need(not attributes["softcap"])
        queries, keys, values = (trail.argument(node, place) for place in range(3))
        depth = extents(queries.shape)[-1]
        factor = 1 / sqrt(depth) if attributes["scale"] is None else attributes["scale"]
        arguments = {"factor": factor} | ({"causal": True} if attributes["is_causal"] else {})
        labels = {} if given[3] is None else {"mask": given[3]}
        trail.need(not labels or not trail.is_stored(labels["mask"]))
        return Core(arguments, labels, parts=(queries, keys, values))
    weights, values = (trail.argument(node, place) for place in range(2))
    core = Core({"factor": 1.0})
    scores = _scores(trail, _softmax(trail, weights), core)
    core.parts = trail.argument(scores, 0), trail.argument(scores, 1), values
    return core


def _softmax(trail: Trail, weights: Value) -> Value:
    """The scores of attention weights; some exporters replace what has no key by zeros."""
    extents = weights.shape[-2:]
    while trail.is_by(weights, "Dropout", *SHAPING):
        weights = trail.argument(trail.back(weights, "Dropout", *SHAPING), 0)
    trail.need(weights.shape[-2:] == extents)
    if trail.is_by(weights, "Where"):
        node = trail.back(weights, "Where")
        is_nan = trail.back(trail.argument(node, 0), "IsNaN")
        weights = trail.argument(node, 2)
        trail.need(is_nan.inputs == (weights,))
    node = trail.back(weights, "Softmax")
    trail.need(node.attributes["axis"] % node.outputs[0].rank == node.outputs[0].rank - 1)
    return trail.argument(node, 0)


def _scores(trail: Trail, value: Value, core: Core) -> Node:
    """The product of queries and keys under masks, biases and a factor, which are noted."""
    arguments = core.arguments
    while not trail.is_by(value, "MatMul"):
        node = trail.back(value, *SCORES)
        if node.op_type in SHAPING:
            value = trail.argument(node, 0)
        elif node.op_type in ("Mul", "Div"):
            x, number = (trail.argument(node, place) for place in range(2))
            if node.op_type == "Mul" and trail.is_by(x, "Constant"):
                x, number = number, x
            factor = trail.number(number)
            arguments["factor"] *= factor if node.op_type == "Mul" else 1 / factor
            value = x
        else:
            value, mask = _masked(trail, node)
            if _is_causal(trail, node, mask):
                arguments["causal"] = True
            elif bias := _stored(trail, node, mask):
                trail.need(arguments["factor"] == 1)
                core.biases.append(bias)
            else:
                trail.need(not core.labels and not trail.is_stored(mask))
                trail.need(arguments["factor"] == 1)
                core.labels["mask"] = _integers(trail, mask)
    return trail.back(value, "MatMul")


def _integers(trail: Trail, mask: Value) -> Value:
    """What a mask of scores (N, 1, L or 1, S) is of integers (N, S) or (N, L, S), if it is."""
    way = Trail(trail.graph, trail.last)
    value = mask
    while way.is_by(value, "Cast", *SHAPING) and not value.dtype.is_float:
        value = way.argument(way.back(value, "Cast", *SHAPING), 0)
    samples, *others = mask.shape
    wanted = {2: [1, 1, *value.shape[1:]], 3: [1, *value.shape[1:]]}.get(value.type.rank)
    if value.dtype.is_float or value.shape[0] != samples or others != wanted:
        return mask
    trail.passed |= way.passed
    return value


def _stored(trail: Trail, node: Node, mask: Value) -> ScoreBias | None:
    return score_bias(trail, mask, node.outputs[0].rank) if node.op_type == "Add" else None


def _masked(trail: Trail, node: Node) -> tuple[Value, Value]:
    """The scores that an operator masks, and the mask, which holds where keys are kept."""
    if node.op_type == "Where":
        mask, x, other = (trail.argument(node, place) for place in range(3))
        if _is_low(trail, other):
            return x, mask
        trail.need(_is_low(trail, x) and trail.is_by(mask, "Constant"))
        return other, mask
    a, b = (trail.argument(node, place) for place in range(2))
    return (a, b) if _leads_to_product(trail, a) else (b, a)


def _leads_to_product(trail: Trail, value: Value) -> bool:
    """Whether a value is a product of two computed tensors, scaled or masked."""
    for _ in range(4):
        node = trail.graph.producer(value)
        if node.op_type == "MatMul":
            return not trail.is_stored(trail.argument(node, 1))
        if node.op_type not in SCORES:
            return False
        first = 1 if node.op_type == "Where" else 0
        value = trail.argument(node, first)
    return False


def _is_low(trail: Trail, value: Value) -> bool:
    try:
        return all(number <= LOWEST for number in trail.numbers(value))
    except NoMatch:
        return False


def _is_causal(trail: Trail, node: Node, mask: Value) -> bool:
    """Whether a mask leaves each position the keys up to its own."""
    if trail.is_by(mask, "Trilu"):
        return _is_future(trail, mask)
    if not trail.is_by(mask, "Constant") or mask.type.rank < 2:
        return False
    held = trail.tensor(mask)
    length, keys = held.shape[-2:]
    if length * keys != held.size or held.size > 2**22:
        return False
    numbers = np.reshape(held.numbers() or (), (length, keys))
    kept = np.tri(length, keys, dtype=bool)
    if node.op_type != "Where":
        return bool((numbers[kept] == 0).all() and (numbers[~kept] <= LOWEST).all())
    keeps = numbers.astype(bool)
    if not _is_low(trail, trail.argument(node, 2)):
        keeps = ~keeps
    return bool((keeps == kept).all())


def _is_future(trail: Trail, mask: Value) -> bool:
    """Whether a mask of any extent is minus infinity after each position."""
    node = trail.graph.producer(mask)
    filled = trail.argument(node, 0)
    after = node.inputs[1] if len(node.inputs) > 1 else None
    if not node.attributes["upper"] or after is None or not trail.is_number(after, 1):
        return False
    if not trail.is_by(filled, "Expand"):
        return False
    maker = trail.graph.producer(filled)
    if not _is_low(trail, trail.argument(maker, 0)):
        return False
    for value in (mask, filled):
        trail.passed.add(value.node)
    shape = trail.argument(maker, 1)
    if not trail.is_stored(shape):
        trail.back(shape, "Shape")
    return True


def _weights(
    trail: Trail, parts: tuple[Heads, Heads, Heads], out: Match
) -> dict[str, Weight | Stack]:
    """The weights by their names in the layer."""
    width = out.arguments["units"]
    selected = _selected(parts, "weight")
    found: dict[str, Weight | Stack] = {}
    widths = {part.dense.operands[0].shape[-1] for part in parts}
    if widths | {len(part.rows) for part in parts} == {width}:
        found["in_proj_weight"] = Stack(tuple(selected))
    else:
        for name, each in zip("qkv", selected, strict=True):
            found[f"{name}_proj_weight"] = Stack((each,))
    biases = _selected(parts, "bias")
    trail.need(len(biases) in (0, 3))
    found["out_proj.weight"] = out.weights["weight"]
    if biases:
        found["in_proj_bias"] = Stack(tuple(biases))
        found["out_proj.bias"] = out.weights.get("bias", Stack(((None, tuple(range(width))),)))
    else:
        trail.need("bias" not in out.weights)
    return found


def _selected(parts: Sequence[Heads], name: str) -> list[tuple[Weight, tuple[int, ...]]]:
    """The rows that the parts take of their dense layers' weights, as far as they have any."""
    found = ((part.dense.weights.get(name), part.rows) for part in parts)
    return [(weight, rows) for weight, rows in found if isinstance(weight, Weight)]
