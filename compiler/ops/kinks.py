"""On which side of its kinks an operator is.

A function such as max(x, 0) has another formula on each side of its kink. Differences across one
say nothing of a gradient; differences within one side do.
"""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Node, Value
from .opdef import Kinks


def around(*bounds: float) -> Kinks:
    """The first operand's place among some numbers."""

    def sides(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
        x = node.input(0)
        return [build.Greater(x, build.constant(bound, x.dtype)) for bound in bounds]

    return sides


def beyond(attribute: str) -> Kinks:
    """Whether the first operand's size is above an attribute."""

    def sides(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
        x = node.input(0)
        bound = build.constant(float(node.attributes[attribute]), x.dtype)
        return [build.Greater(build.Abs(x), bound), build.Greater(x, bound)]

    return sides


def chosen(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    """Which operands, or which of an operand's elements, are the result."""
    return [build.Equal(x, results[0]) for x in node.inputs if x is not None]


def stepped(build: Builder, node: Node, results: Sequence[Value]) -> Sequence[Value]:
    """The steps of a function that is constant between them."""
    return results


ZERO = around(0.0)
