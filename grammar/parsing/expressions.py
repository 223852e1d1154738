"""Flat operands and operators to an expression tree, by precedence, without recursion."""

from collections.abc import Iterable
from typing import NamedTuple

from ..ast import Binary, Comparison, Expression, Syntax, Token, Unary
from ..source import Source, Span

# From loose to tight, by type of token: `-2^2` is `-(2^2)`, and `not a == b` is `not (a == b)`.
_INFIX = {"OR": 1, "AND": 2, "CMP": 4, "ADDOP": 5, "CARET": 8}
_INFIX |= dict.fromkeys(("STAR", "SLASH", "DSLASH", "PCT"), 6)
_PREFIX = {"NOT": 3, "ADDOP": 7}
_COMPARISON = _INFIX["CMP"]
_RIGHT = {_INFIX["CARET"], _COMPARISON}  # `a < b < c` is gathered into one from the right


class _Sign(NamedTuple):
    """An operator that waits for its right operand.

    Attributes:
        text: The operator as written.
        span: Where it stands.
        binding: How tightly it binds; a larger number binds tighter.
        prefix: Whether it has one operand.
    """

    text: str
    span: Span
    binding: int
    prefix: bool


def build_expression(source: Source, parts: Iterable[Token | Expression]) -> Expression:
    """The tree of a flat expression, whose operators are tokens.

    Dijkstra's shunting-yard with prefix operators: an operator is applied as soon as the next one
    binds no tighter.
    """
    operands: list[Expression] = []
    waiting: list[_Sign] = []
    after_operand = False
    for part in parts:
        if isinstance(part, Syntax):
            operands.append(part)
            after_operand = True
            continue
        binding = (_INFIX if after_operand else _PREFIX)[part.type]
        if after_operand:
            _apply_tighter(binding, waiting, operands)
        span = Span(source, part.start_pos, part.end_pos)
        waiting.append(_Sign(part.value, span, binding, not after_operand))
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
