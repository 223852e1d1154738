"""What expressions ask of operands, and what they say where that does not hold."""

import math
from collections.abc import Sequence
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ...grammar.limits import MAX_INTEGER
from ...grammar.source import Span
from ..ir.graph import Value
from .arguments import INFINITE, Word, spell
from .functions import LONGEST_LIST


def items_of(value: Any, blame: ast.Expression) -> Sequence[Any]:
    """A value that `for` takes.

    Raises:
        NetError: E302, it is no list.
    """
    if isinstance(value, list | tuple):
        return value
    counts = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    help = f"`range({value})` counts from 0" if counts else None
    raise error("E302", f"`for` takes a list, not {described(value)}", blame.span, help=help)


def truth_of(value: Any, blame: ast.Expression) -> bool:
    """A value that is a condition.

    Raises:
        NetError: E302, it is none.
    """
    if isinstance(value, bool):
        return value
    text, help = blame.span.text, None
    if isinstance(blame, ast.Apply) and isinstance(value, int | float | tuple):
        help = f"compare it, as in `{text} == {spell(value)}`"
    elif isinstance(value, int | float):
        help = f"compare it, as in `{text} > 0`"
    message = f"a condition must be `yes` or `no`, not {described(value)}"
    raise error("E302", message, blame.span, help=help)


def number_of(value: Any, blame: ast.Expression) -> Any:
    """A value that is a number.

    Raises:
        NetError: E302, it is none.
    """
    if isinstance(value, Word) and value.isidentifier() and value != INFINITE:
        raise unknown_name(value, blame.span)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unfit(f"this needs a number, not {described(value)}", blame)
    return value


def unknown_name(name: str, span: Span) -> NetError:
    """That an argument of a step names nothing."""
    help = f"give it a value above the chain, such as `let {name} = 16`"
    return error("E101", f"unknown name `{name}`", span, help=asserted(name) or help)


def asserted(name: str) -> str | None:
    """Help for a quantity of the whole network where that is not lowered yet, or None."""
    return f"`{name}` is known in assertions alone" if name in QUANTITIES else None


QUANTITIES = frozenset("params trainable macs flops memory shape receptive_field".split())


def in_range(value: Any, blame: ast.Expression) -> Any:
    """A value, which an int64 or a float64 holds if it is a number.

    Raises:
        NetError: E404, none does.
    """
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise too_large(blame)
    if isinstance(value, float) and not math.isfinite(value):
        raise too_large(blame)
    return value


def too_long(blame: ast.Expression) -> NetError:
    """That a list has too many items."""
    return error("E404", f"a list of more than {LONGEST_LIST:_} items", blame.span)


def too_large(blame: ast.Expression) -> NetError:
    """That no int64 holds a number."""
    return error("E404", "this number is beyond 2^63 - 1", blame.span)


def unfit(message: str, blame: ast.Expression, help: str | None = None) -> NetError:
    """That an operand is of the wrong kind."""
    return error("E302", message, blame.span, help=help)


def described(value: Any) -> str:
    """A value's kind in words, with the value where it is short."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a truth value"),
        ((int, float), "a number"),
        (Word, "a word"),
        (str, "a string"),
        (tuple, "a size"),
        (list, "a list"),
    )
    kind = next((words for type, words in kinds if isinstance(value, type)), "a value")
    if isinstance(value, Value):
        return "a tensor"
    text = spell(value)
    return f"the {kind.split(' ', 1)[1]} `{text}`" if len(text) <= 30 else kind
