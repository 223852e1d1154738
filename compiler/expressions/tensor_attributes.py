"""What expressions read off tensors: `in.channels`, `x.height`, `x.rank`."""

from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, did_you_mean, error
from ...grammar.source import Span
from ..ir.graph import Value
from ..ir.types import AUTHOR_AXES, author_extents, author_size, product

# What can stand after a tensor's dot.
TENSOR_ATTRIBUTES = frozenset({"rank", "size"}.union(*AUTHOR_AXES.values()))


def tensor_attribute(value: Value, expression: ast.Attribute) -> int:
    """An extent of a tensor as the author sees it, its rank, or its size without the batch.

    Raises:
        NetError: The tensor has no such attribute, or only a concrete input determines it.
    """
    known = _attributes(value)
    if expression.name not in known:
        raise no_attribute(value, expression.name, expression.span)
    extent = known[expression.name]
    if not isinstance(extent, int):
        message = f"`.{expression.name}` is {extent}, which depends on the input's size"
        help = "write a number in its place, or give the input that extent as a number"
        raise error("E302", message, expression.span, help=help)
    return extent


def no_attribute(value: Value, name: str, span: Span) -> NetError:
    """The error for what a tensor does not have."""
    known = _attributes(value)
    near = did_you_mean(name, known)
    help = near.replace("`", "`.", 1) if near else None
    if help is None:
        help = f"it has {', '.join(f'`.{each}`' for each in known)}"
    message = f"a tensor of {author_size(value.type)} has no `.{name}`"
    return error("E302", message, span, help=help)


def _attributes(value: Value) -> dict[str, Any]:
    """What can stand after a tensor's dot, and what it is."""
    extents = author_extents(value.type)
    known: dict[str, Any] = dict(zip(AUTHOR_AXES.get(len(extents), ()), extents, strict=True))
    return {**known, "rank": len(extents), "size": product(extents)}
