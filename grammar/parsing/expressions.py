"""Flat operands and operators to an expression tree, by precedence, without recursion."""

from collections.abc import Iterable

from ..ast import Binary, Comparison, Expression, Unary
from ..source import Span

# From loose to tight. `-2^2` is `-(2^2)`, and `not a == b` is `not (a == b)`.
_INFIX = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "^": 8}
_COMPARISON = 4
_PREFIX = {"not": 3, "+": 7, "-": 7}
_RIGHT = {_INFIX["^"], _COMPARISON}  # `a < b < c` is gathered into one comparison from the right


class _Sign:
    """An operator that waits for its right operand.

    Attributes:
        text: The operator as written.
        binding: How tightly it binds; a larger number binds tighter.
        span: Where it stands.
        prefix: Whether it has one operand.
    """

    __slots__ = ("binding", "prefix", "span", "text")

    def __init__(self, text: str, span: Span, *, prefix: bool) -> None:
        self.text = text
        self.span = span
        self.prefix = prefix
        table = _PREFIX if prefix else _INFIX
        self.binding = table.get(text, _COMPARISON)


def build_expression(parts: Iterable[tuple[str, Span] | Expression]) -> Expression:
    """The tree of a flat expression: operands are expressions, operators are (text, span).

    Dijkstra's shunting-yard with prefix operators: an operator is applied as soon as the next one
    binds no tighter.
    """
    operands: list[Expression] = []
    waiting: list[_Sign] = []
    after_operand = False
    for part in parts:
        if not isinstance(part, tuple):
            operands.append(part)
            after_operand = True
            continue
        sign = _Sign(*part, prefix=not after_operand)
        if after_operand:
            _apply_tighter(sign.binding, waiting, operands)
        waiting.append(sign)
        after_operand = False
    while waiting:
        _apply_last(waiting, operands)
    return operands[0]


def _apply_tighter(binding: int, waiting: list[_Sign], operands: list[Expression]) -> None:
    """Apply the operators that take the last operand before an operator of this binding does."""
    while waiting:
        last = waiting[-1].binding
        if last < binding or (last == binding and binding in _RIGHT):
            return
        _apply_last(waiting, operands)


def _apply_last(waiting: list[_Sign], operands: list[Expression]) -> None:
    """Replace the last operands by the last operator applied to them."""
    sign = waiting.pop()
    right = operands.pop()
    if sign.prefix:
        operands.append(Unary(sign.text, right, span=sign.span.to(right.span)))
    elif sign.binding != _COMPARISON:
        left = operands.pop()
        operands.append(Binary(sign.text, left, right, span=left.span.to(right.span)))
    else:
        operands.append(_comparison(sign, waiting, operands, right))


def _comparison(
    sign: _Sign, waiting: list[_Sign], operands: list[Expression], last: Expression
) -> Comparison:
    """The run of comparisons that ends with `sign` and `last`: `a < b <= c` is one node."""
    signs = [sign.text]
    compared = [last, operands.pop()]
    while waiting and waiting[-1].binding == _COMPARISON:
        signs.append(waiting.pop().text)
        compared.append(operands.pop())
    compared.reverse()
    signs.reverse()
    return Comparison(tuple(signs), tuple(compared), span=compared[0].span.to(last.span))
