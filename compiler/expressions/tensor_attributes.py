"""What expressions read off tensors: `in.channels`, `x.height`, `x.rank`."""

from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import error
from ..ir.graph import Value
from ..ir.types import AUTHOR_AXES, author_extents, author_size, product

# What can stand after a tensor's dot.
TENSOR_ATTRIBUTES = frozenset({"rank", "size"}.union(*AUTHOR_AXES.values()))


def tensor_attribute(value: Value, expression: ast.Attribute) -> int:
    """An extent of a tensor as the author sees it, its rank, or its size without the batch.

    Raises:
        NetError: The tensor has no such attribute, or only a concrete input determines it.
    """
    extents = author_extents(value.type)
    known: dict[str, Any] = dict(zip(AUTHOR_AXES.get(len(extents), ()), extents, strict=True))
    known["rank"] = len(extents)
    known["size"] = product(extents)
    if expression.name not in known:
        message = f"a tensor of {author_size(value.type)} has no `.{expression.name}`"
        names = ", ".join(f"`.{name}`" for name in known)
        raise error("E302", message, expression.span, help=f"it has {names}")
    extent = known[expression.name]
    if not isinstance(extent, int):
        message = f"`.{expression.name}` is {extent}, which depends on the input's size"
        raise error("E302", message, expression.span)
    return extent
