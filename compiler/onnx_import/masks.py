"""Products with masks that are added up, as Keras writes them -> `Where`."""

from collections.abc import Iterator

from ..ir.builder import Builder
from ..ir.graph import CONSTANT, Node, Value, present
from ..ops.opdef import Operands


def chosen(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """x times what a mask keeps, plus a number times what it does not: x, or the number."""
    for kept, filled in (operands, operands[::-1]):
        for x, keeps in _factors(build, kept):
            for number, drops in _factors(build, filled):
                mask, other = _cast(build, keeps), _cast(build, drops)
                inverse = None if other is None else build.graph.producer(other)
                if mask is None or inverse is None or inverse.op_type != "Not":
                    continue
                if inverse.inputs[0] != mask or number.type.size != 1:
                    continue
                y = build.Where(_shared(build, mask), x, number)
                return (y,) if y.type == node.outputs[0] else None
    return None


def _factors(build: Builder, value: Value | None) -> Iterator[tuple[Value, Value]]:
    """The two factors of a product, in both orders."""
    node = None if value is None else build.graph.producer(value)
    if node is not None and node.op_type == "Mul":
        a, b = present(node.inputs)
        yield from ((a, b), (b, a))


def _cast(build: Builder, value: Value) -> Value | None:
    """The truth values that a value is the numbers of."""
    node = build.graph.producer(value)
    x = node.inputs[0] if node.op_type == "Cast" else None
    return x if x is not None and x.dtype.value == "bool" else None


def _shared(build: Builder, mask: Value) -> Value:
    """A mask without what is true everywhere, which only gives it the shape of the scores."""
    node = build.graph.producer(mask)
    if node.op_type == "And":
        a, b = present(node.inputs)
        for some, all in ((a, b), (b, a)):
            if _is_true(build, all):
                return _shared(build, some)
    return mask


def _is_true(build: Builder, value: Value) -> bool:
    node = build.graph.producer(value)
    if node.op_type == "Expand" and node.inputs[0] is not None:
        return _is_true(build, node.inputs[0])
    return node.op_type == CONSTANT and set(node.attributes["value"].numbers() or ()) == {True}
