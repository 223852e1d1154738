"""Graph -> Graph: removes operators that leave all numbers as they are, to the bit."""

from collections.abc import Mapping
from math import copysign

from ..ir.builder import MOST_KNOWN, Builder
from ..ir.graph import CONSTANT, LEAVES, Graph, Node, Value, required
from ..ops.opdef import Operands
from .rewrite import RewriteRule, copy, rewrite_if_any

# The second operand that leaves the first as it is; -0.0 + 0.0 is 0.0, and -0.0 + -0.0 is not.
NEUTRAL: Mapping[str, float] = {"Add": -0.0, "Div": 1.0, "Mul": 1.0, "Pow": 1.0, "Sub": 0.0}
COMMUTATIVE = frozenset({"Add", "Mul"})


def remove_identities(graph: Graph) -> Graph:
    """Remove x * 1, x - 0 and their like, -(-x), casts to x's own type, and `Identity`.

    An `Expand` goes, too, where an operator reads it that broadcasts by itself. An `Identity` of
    an input, a parameter or a constant stays, so that an output remains something computed.
    """
    return rewrite_if_any(graph, RULES)


def _pass_on(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    x = required(operands[0])
    return None if build.graph.producer(x).op_type in LEAVES else (x,)


def _uncast(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    x = required(operands[0])
    return (x,) if x.type == node.outputs[0] else None


def _unnegate(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    before = build.graph.producer(required(operands[0]))
    return (before.input(0),) if before.op_type == node.op_type else None


def _compute(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """One operand where the other is neutral; both before they are expanded to the result."""
    a, b = map(required, operands)
    (type,) = node.outputs
    neutral = NEUTRAL[node.op_type]
    if a.type == type and _holds(build, b, neutral):
        return (a,)
    if b.type == type and node.op_type in COMMUTATIVE and _holds(build, a, neutral):
        return (b,)
    if a.type != type or b.type != type:
        return None
    for position, value in enumerate((a, b)):
        before = build.graph.producer(value)
        if before.op_type == "Expand":
            shorter = (*operands[:position], before.inputs[0], *operands[position + 1 :])
            return copy(build, node, shorter)
    return None


def _holds(build: Builder, value: Value, number: float) -> bool:
    """Whether a constant holds a number, and nothing else; of real zeros the sign counts."""
    node = build.graph.producer(value)
    if node.op_type != CONSTANT or node.attributes["value"].size > MOST_KNOWN:
        return False
    held = node.attributes["value"].numbers() or ()
    signed = value.dtype.is_float
    return bool(held) and all(
        each == number and (not signed or copysign(1, each) == copysign(1, number)) for each in held
    )


RULES: Mapping[str, RewriteRule] = {
    "Cast": _uncast,
    "Identity": _pass_on,
    "Neg": _unnegate,
    **dict.fromkeys(NEUTRAL, _compute),
}
