"""What operators yield of arguments that are known when a graph is built, such as shapes."""

from collections.abc import Callable
from operator import add, mul, sub
from typing import Any

from ..ir.dim import Dim, Polynomial, equal
from ..ir.signature import Known, OpCall
from ..ir.types import DType, product

FOLLOWED = frozenset({DType.INT32, DType.INT64, DType.BOOL})


def by_element(function: Callable[..., Any]) -> Known:
    """The rule of a function of extents and truth values; it yields None where that is unknown.

    Arguments are numbers and vectors of the types of shapes; no rounding or overflow is followed.
    """

    def rule(call: OpCall) -> Any:
        arguments = [call.known(i) for i in range(len(call.inputs))]
        vectors = [a for a in arguments if isinstance(a, tuple)]
        if None in arguments or not all(t and t.dtype in FOLLOWED for t in call.inputs):
            return None
        if any(isinstance(item, tuple) for vector in vectors for item in vector):
            return None
        most = max((t.dtype.range[1] for t in call.inputs if t), default=0)
        if not vectors:
            return _within(function(*arguments), most)
        length = max(map(len, vectors)) if all(vectors) else 0
        spread = (_spread(argument, length) for argument in arguments)
        found = tuple(_within(function(*items), most) for items in zip(*spread, strict=True))
        return None if None in found else found

    return rule


def _within(found: Any, most: int) -> Any:
    """What was found, unless it is beyond its type."""
    return None if isinstance(found, int) and not -most <= found <= most else found


def _spread(argument: Any, length: int) -> tuple[Any, ...]:
    """A number, or a vector of one, as often as the longest vector is long."""
    if not isinstance(argument, tuple):
        return (argument,) * length
    return argument * length if len(argument) == 1 else argument


def _quotient(a: Dim, b: Dim) -> Dim | None:
    """a / b, rounded towards zero; an extent, which is not negative, by a positive number."""
    if isinstance(a, int) and isinstance(b, int):
        return (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1) if b else None
    return a // b if isinstance(b, int) and b > 0 else None


def _largest(*items: Dim) -> Dim | None:
    """The largest of numbers, or of extents that are the same."""
    if all(isinstance(item, int) for item in items):
        return max(items)  # type: ignore[type-var]  # all are numbers
    return items[0] if all(equal(items[0], item) is True for item in items[1:]) else None


def _chosen(condition: bool, then: Any, otherwise: Any) -> Any:
    return then if condition else otherwise


KNOWN_SUM, KNOWN_DIFFERENCE, KNOWN_PRODUCT = by_element(add), by_element(sub), by_element(mul)
KNOWN_QUOTIENT = by_element(_quotient)
KNOWN_NEGATIVE = by_element(lambda x: -x)
KNOWN_EQUALITY = by_element(equal)
KNOWN_MAXIMUM = by_element(_largest)
KNOWN_CHOICE = by_element(_chosen)
KNOWN_IDENTITY = by_element(lambda x: x)


def known_product(call: OpCall) -> Any:
    """The product of all elements of a vector."""
    x, axes = call.known(0), call.known(1)
    whole = axes in (None, (0,), (-1,)) and isinstance(x, tuple) and bool(x)
    if not whole or None in x or not all(isinstance(item, int | Polynomial) for item in x):
        return None
    found = product(x)
    return (found,) if call.attributes["keepdims"] else found


def known_cast(call: OpCall) -> Any:
    """A whole number of another type, where it is sure to fit."""
    wide = call.attributes["to"] in (DType.INT64, DType.INT32)
    return KNOWN_IDENTITY(call) if wide and call.type(0).dtype.is_integer else None
