"""Derivatives that are several operators -> one box each, with what lectures write."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ..ir.graph import CONSTANT, Graph, Node, Value
from ..ops.gradient import NodeGradient
from ..ops.opdef import Notation, definition


@dataclass(frozen=True, slots=True)
class RuleBox:
    """A derivative that is drawn as one box.

    Attributes:
        text: How lectures write it.
        members: The nodes that the box stands for.
        reads: What these take from elsewhere.
    """

    text: str
    members: frozenset[int]
    reads: tuple[Value, ...]


def notation_of(graph: Graph, node: Node) -> Notation | None:
    """How lectures write an operator; None where its own sign says it."""
    row = definition(node)
    return row.notation(graph, node) if row and row.notation else None


def rule_boxes(
    graph: Graph, steps: Iterable[NodeGradient], left_out: AbstractSet[str]
) -> dict[int, RuleBox]:
    """The boxes on the way back, each by the node that yields its gradient.

    Args:
        graph: The forward and the backward graph.
        steps: What the rule of each node appended.
        left_out: Scopes that are drawn otherwise.
    """
    boxes: dict[int, RuleBox] = {}
    for step in steps:
        node = graph[step.node]
        notation = None if node.scope in left_out else notation_of(graph, node)
        for part, text in zip(step.parts, notation.gradients if notation else (), strict=False):
            if part is not None and text is not None and part.node in step.appended:
                boxes[part.node] = _box(graph, part, step.appended, text)
    return boxes


def _box(graph: Graph, part: Value, appended: range, text: str) -> RuleBox:
    """The box of all that one of a rule's gradients is computed by."""
    members: dict[int, None] = {}
    reads: dict[Value, None] = {}
    pending: list[Value | None] = [part]
    while pending:
        value = pending.pop()
        if value is None or value.node in members:
            continue
        if value.node in appended:
            members[value.node] = None
            pending.extend(graph[value.node].inputs)
        elif graph[value.node].op_type != CONSTANT:
            reads[value] = None
    return RuleBox(text, frozenset(members), tuple(reads))
