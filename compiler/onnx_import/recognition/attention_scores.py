"""What attention computes between its dense layers: products, masks, biases and a softmax."""

from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from ...ir.graph import Node, Value
from .movements import extents
from .score_masks import is_low
from .shaping import dropout_rate
from .trail import SHAPING, Trail

SCORES = ("MatMul", "Add", "Mul", "Div", "Where", *SHAPING)


@dataclass(slots=True)
class Core:
    """An attention without dense layers.

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


def core_of(trail: Trail, value: Value) -> Core:
    """The attention whose result a value is, of queries, keys and values of all heads."""
    node = trail.back(value, "MatMul", "Attention")
    if node.op_type == "Attention":
        attributes, given = node.attributes, [*node.inputs, None][:4]
        trail.need(not any(node.inputs[4:]) and len(node.outputs) == 1 and value.type.rank == 4)
        trail.need(not attributes["softcap"])
        queries, keys, values = trail.arguments(node, 3)
        depth = extents(queries.shape)[-1]
        factor = 1 / sqrt(depth) if attributes["scale"] is None else attributes["scale"]
        arguments = {"factor": factor} | ({"causal": True} if attributes["is_causal"] else {})
        masks = [] if given[3] is None else [(node, given[3], 1.0)]
        return Core(arguments, masks, parts=(queries, keys, values), shares=True)
    weights, values = trail.arguments(node, 2)
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
            x, number = trail.arguments(node, 2)
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


def _masked(trail: Trail, node: Node) -> tuple[Value, Value]:
    """The scores that an operator masks, and the mask, which holds where keys are kept."""
    if node.op_type == "Where":
        mask, x, other = trail.arguments(node, 3)
        if is_low(trail, other):
            return x, mask
        trail.need(is_low(trail, x))
        return other, mask
    a, b = trail.arguments(node, 2)
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
    mask, lowest = trail.arguments(trail.graph.producer(compared), 2)
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
