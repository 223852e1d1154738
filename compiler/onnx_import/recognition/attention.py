"""Multi-head attention, with its dense layers of queries, keys, values and results, or without."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose, prod, sqrt
from typing import Any

import numpy as np

from ...ir.graph import Value
from .attention_scores import Core, core_of
from .heads import Heads, dense_layer, projected_heads, standing_heads
from .movements import Places, extents, moved
from .score_biases import ScoreBias, explain, named_table, score_bias
from .score_masks import Masks, Seen, Shape, is_low, is_mask, seen
from .trail import Label, Layout, Match, NoMatch, Stack, Trail, Weight, rule


@rule("Add", "Gemm", "MatMul", "Reshape")
def attention(trail: Trail) -> Match:
    """`ATTENTION`, recognized by where each element of its parts comes from."""
    y = Value(trail.last, 0, trail.node.outputs[0])
    trail.need(y.type.rank == 3 and y.dtype.is_float)
    if trail.node.op_type == "Reshape":
        y = trail.argument(trail.back(y, "Reshape"), 0)
    out = dense_layer(trail, y)
    found = _multi_head(trail, out.operands[0], projected_heads)
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
    found = _multi_head(trail, y, standing_heads)
    found.arguments["project"] = False
    return found.match({})


@dataclass(slots=True)
class MultiHead:
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


def _multi_head(trail: Trail, y: Value, take: Callable[[Trail, Value, bool], Heads]) -> MultiHead:
    """The attention whose heads' results stand side by side in a value.

    Args:
        trail: The way back.
        y: The value.
        take: Queries, keys or values (..., L, D), or keys (..., D, L), as `Heads`.
    """
    joined = moved(trail, y)
    trail.need(joined.factor == 1)
    core = core_of(trail, joined.source)
    arguments = core.arguments
    is_transposed = trail.is_by(joined.source, "MatMul")
    q, k, v = (
        take(trail, part, is_keys and is_transposed)
        for part, is_keys in zip(core.parts, (False, True, False), strict=True)
    )
    samples, heads, length, depth = q.shape
    kept = _kept_heads(trail, core, q, k, v)
    factor = arguments.pop("factor") * q.factor * k.factor
    if not isclose(factor, 1 / sqrt(depth), rel_tol=1e-4):
        arguments["scale"] = float(f"{factor:.7g}")
    order = _order(joined.places, (*q.shape[:3], v.shape[3]))
    operands, layouts = zip(*(each.operand(trail) for each in (q, k, v)), strict=True)
    common = set.intersection(*layouts, order)
    trail.need(common)
    if len(set(operands)) == 1:
        operands = operands[:1]
    scores = (samples, heads, length, k.shape[2])
    labels = _named_tables(trail, core, operands[0], scores)
    masks, biases = _masks(trail, core, scores)
    more, held = _explained(trail, biases, masks, operands[0], scores)
    trail.need(not more.keys() & {*arguments, *labels})
    arguments |= more
    if masks.causal:
        arguments["causal"] = True
    trail.need(len(masks.labels) + ("mask" in arguments) < 2)
    if kept != heads:
        arguments["kv_heads"] = kept
    labels |= dict(zip(("mask",), masks.labels, strict=False))
    arguments = {"heads": heads, **arguments}
    lies = {each.x: each.lies for each in (q, k, v) if each.lies is not None}
    return MultiHead((q, k, v), operands, min(common), arguments, held, labels, lies)


def _kept_heads(trail: Trail, core: Core, q: Heads, k: Heads, v: Heads) -> int:
    """How many heads keys and values have, which fit together and to the queries."""
    samples, heads, _, depth = q.shape
    trail.need(v.factor == 1)
    trail.need(k.shape[:3] == v.shape[:3] and k.shape[0] == samples and k.shape[3] == depth)
    trail.need(k.shape[1] == heads or (core.shares and heads % k.shape[1] == 0))
    kept = len(k.rows) // depth
    trail.need(len(q.rows) == heads * depth and len(v.rows) == kept * v.shape[3])
    return kept


def _explained(
    trail: Trail, biases: list[tuple[ScoreBias, Seen]], masks: Masks, x: Value, scores: Shape
) -> tuple[dict[str, Any], dict[str, Stack]]:
    """The arguments and weights that stored biases amount to; any others are masks.

    Args:
        trail: The way back.
        biases: What is stored and added to the scores.
        masks: Takes those that no argument explains.
        x: The sequence of the queries.
        scores: Samples, heads, queries and keys.
    """
    samples, heads, queries, keys = scores
    arguments: dict[str, Any] = {}
    held: dict[str, Stack] = {}
    for bias, mask in biases:
        try:
            more, weights = explain(trail, bias, x, (heads, queries, samples), keys)
        except NoMatch:
            masks.add(mask)
            continue
        trail.need(not more.keys() & arguments.keys())
        arguments |= more
        held |= weights
        trail.passed |= bias.passed
    return arguments, held


def _named_tables(trail: Trail, core: Core, x: Value, scores: Shape) -> dict[str, Label]:
    """The table of relative positions that another layer yields; it is taken out of the masks."""
    found: dict[str, Label] = {}
    for term in [*core.masks]:
        table = named_table(trail, term[1], x, *scores[1:])
        if table is not None and term[0].op_type == "Add" and term[2] == 1:
            trail.need("relative" not in found)
            found["relative"] = table
            core.masks.remove(term)
    return found


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
