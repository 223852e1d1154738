"""Multi-head attention, with its dense layers of queries, keys, values and results, or without."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import isclose, prod, sqrt
from typing import Any

import numpy as np

from ...ir.graph import Node, Value
from .movements import Moved, Places, all_moved, extents, moved, natural
from .score_biases import ScoreBias, explain, named_table, score_bias
from .score_masks import Masks, Seen, Shape, is_low, is_mask, seen
from .shaping import dropout_rate
from .trail import RULES, SHAPING, Label, Layout, Match, NoMatch, Stack, Trail, Weight, rule

SCORES = ("MatMul", "Add", "Mul", "Div", "Where", *SHAPING)


@dataclass(frozen=True, slots=True)
class Heads:
    """A sequence, divided among heads, perhaps the result of a dense layer.

    Attributes:
        x: The sequence, or what the dense layer takes.
        dense: The dense layer, if it is one.
        rows: The unit of each feature of the heads, one head after the other.
        shape: Samples, heads, positions, features of a head.
        by_sample: Whether a sample's positions follow each other, or a position's samples.
        factor: What all of it is multiplied by.
        lies: How the sequence lies, where that is its own matter: (N, L, E), (N, E, L), or heads
            apart, (N, L, heads, D) or (N, heads, L, D), as an image of which these are channels.
    """

    x: Value
    dense: Match | None
    rows: tuple[int, ...]
    shape: tuple[int, int, int, int]
    by_sample: tuple[bool, bool]
    factor: float
    lies: Layout | None = None

    def operand(self, trail: Trail) -> tuple[Value, set[Layout]]:
        """The sequence that the layer takes, and how it may lie: (N, L, E) or (L, N, E)."""
        x = self.x
        if self.lies is not None:
            return x, {(0, 1, 2)}
        while x.type.rank != 3:
            x = trail.argument(trail.back(x, "Reshape", "Flatten", "Squeeze", "Unsqueeze"), 0)
        samples, _, length, _ = self.shape
        shape = extents(x.shape)
        possible = {
            (0, 1, 2): self.by_sample[0] and shape[:2] == (samples, length),
            (1, 0, 2): self.by_sample[1] and shape[:2] == (length, samples),
        }
        return x, {layout for layout, holds in possible.items() if holds}


@dataclass(frozen=True, slots=True)
class Part:
    """What is moved from a tensor: its extents, the places in it, and a factor."""

    shape: tuple[int, ...]
    places: Places
    factor: float


@rule("Add", "Gemm", "MatMul", "Reshape")
def attention(trail: Trail) -> Match:
    """`ATTENTION`: what is computed is told by where each element of its parts comes from."""
    y = Value(trail.last, 0, trail.node.outputs[0])
    trail.need(y.type.rank == 3 and y.dtype.is_float)
    if trail.node.op_type == "Reshape":
        y = trail.argument(trail.back(y, "Reshape"), 0)
    out = dense_layer(trail, y)
    found = _between(trail, out.operands[0], _projected)
    units, rows = out.arguments["units"], tuple(len(each.rows) for each in found.parts)
    trail.need(found.operands[0].shape[2] == units and rows[1] == rows[2])
    if rows[0] != units:
        found.arguments["width"] = rows[0]
    held = _weights(trail, found.parts, out)
    if "in_proj_bias" not in held:
        found.arguments["bias"] = False
    return found.match(held)


@rule("MatMul", "Reshape")
def attention_by_itself(trail: Trail) -> Match:
    """`ATTENTION` without dense layers, of queries, keys and values as they stand."""
    y = Value(trail.last, 0, trail.node.outputs[0])
    trail.need(y.type.rank == 3 and y.dtype.is_float)
    found = _between(trail, y, _standing)
    found.arguments["project"] = False
    return found.match({})


@dataclass(slots=True)
class Between:
    """An attention without its last dense layer.

    Attributes:
        parts: Queries, keys and values.
        operands: What it takes: one sequence, or three.
        layout: How they lie.
        arguments: Its arguments.
        weights: What else it learns.
        labels: The arguments that name tensors.
        lies: How those lie that do otherwise.
    """

    parts: tuple[Heads, Heads, Heads]
    operands: tuple[Value, ...]
    layout: Layout
    arguments: dict[str, Any]
    weights: Mapping[str, Stack]
    labels: Mapping[str, Label]
    lies: Mapping[Value, Layout]

    def match(self, weights: Mapping[str, Weight | Stack]) -> Match:
        """The layer, with the weights of its dense layers."""
        held = {**weights, **self.weights}
        more: dict[str, Any] = {"labels": self.labels, "lies": self.lies}
        return Match("ATTENTION", self.operands, self.arguments, held, self.layout, **more)


def _between(trail: Trail, y: Value, take: Callable[[Trail, Value, bool], Heads]) -> Between:
    """The attention whose heads' results stand side by side in a value.

    Args:
        trail: The way back.
        y: The value.
        take: Queries, keys or values (..., L, D), or keys (..., D, L), as `Heads`.
    """
    joined = moved(trail, y)
    trail.need(joined.factor == 1)
    core = _core(trail, joined.source)
    arguments = core.arguments
    is_transposed = trail.is_by(joined.source, "MatMul")
    q, k, v = (
        take(trail, part, is_keys and is_transposed)
        for part, is_keys in zip(core.parts, (False, True, False), strict=True)
    )
    samples, heads, length, depth = q.shape
    factor = arguments.pop("factor") * q.factor * k.factor
    trail.need(v.factor == 1)
    if not isclose(factor, 1 / sqrt(depth), rel_tol=1e-4):
        arguments["scale"] = float(f"{factor:.7g}")
    trail.need(k.shape[:3] == v.shape[:3] and k.shape[0] == samples and k.shape[3] == depth)
    trail.need(k.shape[1] == heads or (core.shares and heads % k.shape[1] == 0))
    order = _order(joined.places, (*q.shape[:3], v.shape[3]))
    operands, layouts = zip(*(each.operand(trail) for each in (q, k, v)), strict=True)
    common = set.intersection(*layouts, order)
    trail.need(common)
    if len(set(operands)) == 1:
        operands = operands[:1]
    labels: dict[str, Label] = {}
    for term in [*core.masks]:
        table = named_table(trail, term[1], operands[0], heads, length, k.shape[2])
        if table is not None and term[0].op_type == "Add" and term[2] == 1:
            trail.need("relative" not in labels)
            labels["relative"] = table
            core.masks.remove(term)
    masks, biases = _masks(trail, core, (*q.shape[:3], k.shape[2]))
    held: dict[str, Stack] = {}
    for bias, mask in biases:
        try:
            shape = heads, length, samples
            more, weights = explain(trail, bias, operands[0], shape, k.shape[2])
        except NoMatch:
            masks.add(mask)
            continue
        trail.need(not more.keys() & {*arguments, *labels})
        arguments |= more
        held |= weights
        trail.passed |= bias.passed
    if masks.causal:
        arguments["causal"] = True
    trail.need(len(masks.labels) + ("mask" in arguments) < 2)
    kept = len(k.rows) // depth
    trail.need(len(q.rows) == heads * depth and len(v.rows) == kept * v.shape[3])
    if kept != heads:
        arguments["kv_heads"] = kept
    labels |= dict(zip(("mask",), masks.labels, strict=False))
    arguments = {"heads": heads, **arguments}
    lies = {each.x: each.lies for each in (q, k, v) if each.lies is not None}
    return Between((q, k, v), operands, min(common), arguments, held, labels, lies)


def _projected(trail: Trail, part: Value, is_transposed: bool) -> Heads:
    """Queries, keys or values as parts of a dense layer's result."""
    found = moved(trail, part)
    taken = Part(extents(found.source.shape), found.places, found.factor)
    return heads_of(
        trail, taken, found.source, dense_layer(trail, found.source), is_transposed=is_transposed
    )


def _standing(trail: Trail, part: Value, is_transposed: bool) -> Heads:
    """Queries, keys or values as they are in the first sequence whose features they all are.

    Raises:
        NoMatch: There is none.
    """
    for lies, order in SEQUENCES.items():
        for found in all_moved(trail, part, rank=len(order)):
            if part.type.rank == 4 and found.source.shape[0] != part.shape[0]:
                continue  # heads are samples there
            with suppress(NoMatch):
                taken = _as_sequence(found, order)
                heads = heads_of(trail, taken, found.source, None, is_transposed=is_transposed)
                if heads.rows == tuple(range(len(heads.rows))) and _is_whole(heads, found):
                    trail.passed |= found.passed
                    return replace(heads, lies=None if order == IN_ORDER else lies)
    raise NoMatch


# How a sequence may lie as a layer's, and the order of its axes as (N, L, E) or (N, L, heads, D).
IN_ORDER = (0, 1, 2)
SEQUENCES: Mapping[Layout, Layout] = {
    (0, 1, 2): IN_ORDER,
    (0, 2, 1): (0, 2, 1),
    (0, 2, 3, 1): (0, 1, 2, 3),
    (0, 3, 2, 1): (0, 2, 1, 3),
}


def _as_sequence(found: Moved, order: Layout) -> Part:
    """What is moved from a tensor, as if from a sequence (N, L, E) of its elements."""
    index = natural(extents(found.source.shape)).transpose(order)
    shape = (*index.shape[:2], prod(index.shape[2:]))
    if order == tuple(range(len(order))):
        return Part(shape, found.places, found.factor)
    places = np.empty(index.size, np.int64)
    places[index.ravel()] = natural((index.size,))
    return Part(shape, places[found.places], found.factor)


def _is_whole(heads: Heads, found: Moved) -> bool:
    """Whether heads have all elements of a tensor."""
    samples, _, length, _ = heads.shape
    return samples * length * len(heads.rows) == prod(extents(found.source.shape))


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


def heads_of(
    trail: Trail, part: Part, x: Value, dense: Match | None, *, is_transposed: bool = False
) -> Heads:
    """Queries, keys or values (..., L, D), or keys (..., D, L), as parts of a sequence.

    `x` is what they are moved from, the result of the dense layer, if there is one.

    Raises:
        NoMatch: They are not what each head takes of it.
    """
    units = part.shape[-1]
    places = part.places.swapaxes(-1, -2) if is_transposed else part.places
    trail.need(places.ndim > 2)
    length, depth = places.shape[-2:]
    samples = prod(part.shape[:-1]) // length
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
    x = x if dense is None else dense.operands[0]
    return Heads(x, dense, units_of, shape, by_sample, part.factor)


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
        masks: Operators that add to the scores or choose among them, what they add or choose by,
            and what the scores are multiplied by after that.
        parts: Queries, keys and values of all heads.
        shares: Whether heads of queries may share those of keys, several next to each other.
    """

    arguments: dict[str, Any]
    masks: list[tuple[Node, Value, float]] = field(default_factory=list)
    parts: tuple[Value, ...] = ()
    shares: bool = False


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
        masks = [] if given[3] is None else [(node, given[3], 1.0)]
        return Core(arguments, masks, parts=(queries, keys, values), shares=True)
    weights, values = (trail.argument(node, place) for place in range(2))
    core = Core({"factor": 1.0})
    scores = _scores(trail, _softmax(trail, weights, core), core)
    core.parts = trail.argument(scores, 0), trail.argument(scores, 1), values
    return core


def _softmax(trail: Trail, weights: Value, core: Core) -> Value:
    """The scores of attention weights; some exporters replace what has no key by zeros."""
    extents = weights.shape[-2:]
    while trail.is_by(weights, "Dropout", *SHAPING):
        node = trail.back(weights, "Dropout", *SHAPING)
        if node.op_type == "Dropout":
            trail.need("dropout" not in core.arguments)
            core.arguments["dropout"] = dropout_rate(trail, node)
        weights = trail.argument(node, 0)
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
            added = _cut_off(trail, node, value, mask)
            if added is not None:
                node = added
                value, mask = _masked(trail, added)
            core.masks.append((node, mask, arguments["factor"]))
    return trail.back(value, "MatMul")


def _masks(trail: Trail, core: Core, shape: Shape) -> tuple[Masks, list[tuple[ScoreBias, Seen]]]:
    """What keeps keys apart from queries, and what else is stored and added to the scores.

    Args:
        trail: The way back.
        core: What attention computes.
        shape: Samples, heads, queries and keys.
    """
    masks, biases = Masks(trail, shape), []
    for node, value, factor in core.masks:
        rank = node.outputs[0].rank
        added = node.op_type == "Add" or (node.op_type == "Attention" and value.dtype.is_float)
        bias = score_bias(trail, value, rank) if added else None
        if bias is not None and (bias.by_window or not is_mask(bias.numbers)):
            trail.need(factor == 1)
            places = np.arange(prod(extents(value.shape))).reshape(extents(value.shape))
            biases.append((bias, Seen(value, places)))
            continue
        scores = shape if node.op_type == "Attention" else extents(node.outputs[0].shape)
        mask = seen(value, scores, shape)
        if value.dtype.is_float:
            masks.add(mask)
            trail.need(factor == 1 or not any(each.value.dtype.is_float for each in masks.labels))
        else:
            is_masked = node.op_type == "Where" and is_low(trail, trail.argument(node, 1))
            masks.keep(mask, holds=not is_masked)
    return masks, biases


def _masked(trail: Trail, node: Node) -> tuple[Value, Value]:
    """The scores that an operator masks, and the mask, which holds where keys are kept."""
    if node.op_type == "Where":
        mask, x, other = (trail.argument(node, place) for place in range(3))
        if is_low(trail, other):
            return x, mask
        trail.need(is_low(trail, x))
        return other, mask
    a, b = (trail.argument(node, place) for place in range(2))
    return (a, b) if _leads_to_product(trail, a) else (b, a)


def _cut_off(trail: Trail, node: Node, value: Value, condition: Value) -> Node | None:
    """The sum of scores and a mask, where a low number takes its place for a mask as low as that.

    netc writes masks so, which keeps scores of what is masked for all alike.
    """
    found = trail.graph.producer(condition)
    perm, compared = None, condition
    if found.op_type == "Transpose":  # of the mask and of what it is compared with, alike
        perm, compared = found.attributes["perm"], trail.argument(found, 0)
    added = trail.graph.producer(value)
    if (
        node.op_type != "Where"
        or added.op_type != "Add"
        or not trail.is_by(compared, "LessOrEqual")
    ):
        return None
    mask, lowest = (trail.argument(trail.graph.producer(compared), place) for place in range(2))
    makers = [trail.graph.producer(x) for x in added.inputs if x is not None]
    moved_alike = any(
        each.op_type == "Transpose" and each.inputs == (mask,) and each.attributes["perm"] == perm
        for each in makers
    )
    if not is_low(trail, lowest) or not (mask in added.inputs if perm is None else moved_alike):
        return None
    trail.passed |= {condition.node, compared.node}
    return trail.back(value, "Add")


def _leads_to_product(trail: Trail, value: Value) -> bool:
    """Whether a value is a product of two computed tensors, scaled or masked."""
    for _ in range(4):
        node = trail.graph.producer(value)
        if node.op_type == "MatMul":
            return not trail.is_stored(trail.argument(node, 1))
        if node.op_type not in SCORES:
            return False
        first = 1 if node.op_type == "Where" else 0
        if first and is_low(trail, trail.argument(node, 1)):
            first = 2
        value = trail.argument(node, first)
    return False


def _weights(
    trail: Trail, parts: tuple[Heads, Heads, Heads], out: Match
) -> dict[str, Weight | Stack]:
    """The weights by their names in the layer."""
    width = out.arguments["units"]
    selected = _selected(parts, "weight")
    found: dict[str, Weight | Stack] = {}
    widths = {part.x.shape[-1] for part in parts}
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
    found = ((part.dense.weights.get(name), part.rows) for part in parts if part.dense)
    return [(weight, rows) for weight, rows in found if isinstance(weight, Weight)]
