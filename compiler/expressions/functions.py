"""The functions of expressions: one row of `FUNCTIONS` each.

They raise TypeError, ValueError or ArithmeticError for operands that they cannot take.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...grammar.limits import MAX_INTEGER
from .arguments import whole

LONGEST_LIST = 100_000
MOST_DIGITS = 400


class TooLong(Exception):
    """A list that a function would compute has more than `LONGEST_LIST` items."""


def _range(*bounds: int) -> list[int]:
    numbers = range(*whole(bounds))
    if len(numbers) > LONGEST_LIST:
        raise TooLong
    return list(numbers)


def _enumerate(items: Sequence[Any], start: int = 0) -> list[tuple[int, Any]]:
    (first,) = whole((start,))
    if isinstance(first, bool):
        raise TypeError
    if first + len(_sequence(items)) > MAX_INTEGER:
        raise OverflowError
    return list(enumerate(items, first))


def _zip(*lists: Sequence[Any]) -> list[tuple[Any, ...]]:
    return list(zip(*map(_sequence, lists), strict=True))


def _reversed(items: Sequence[Any]) -> list[Any]:
    return list(reversed(_sequence(items)))


def _round(number: float, digits: int = 0) -> float:
    """The number at the given decimals: beyond what a float holds, more of them change nothing."""
    result = round(number, max(-MOST_DIGITS, min(digits, MOST_DIGITS)))
    return result if digits else int(result)


def _sum(items: Sequence[float], start: float = 0) -> float:
    """The sum of numbers alone: joining lists one by one would take quadratic time."""
    if not all(isinstance(number, int | float) for number in (start, *_sequence(items))):
        raise TypeError
    return sum(items, start)


def _length(items: Sequence[Any]) -> int:
    return len(_sequence(items))


def _sorted(items: Sequence[Any]) -> list[Any]:
    if not all(isinstance(item, bool | int | float | str) for item in _sequence(items)):
        raise TypeError
    return sorted(items)


def _concat(*lists: Sequence[Any]) -> list[Any]:
    """Lists, or the lists of a list, one after the other."""
    parts = _sequence(lists[0]) if len(lists) == 1 else lists
    if sum(len(_sequence(part)) for part in parts) > LONGEST_LIST:
        raise TooLong
    return [item for part in parts for item in part]


def _any(items: Sequence[bool]) -> bool:
    return any(_truths(items))


def _all(items: Sequence[bool]) -> bool:
    return all(_truths(items))


def _truths(items: Sequence[bool]) -> Sequence[bool]:
    if not all(isinstance(item, bool) for item in _sequence(items)):
        raise TypeError
    return items


def _sequence(items: Any) -> Sequence[Any]:
    if not isinstance(items, list | tuple):
        raise TypeError
    return items


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": _round,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log2": math.log2,
    "len": _length,
    "sum": _sum,
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "reversed": _reversed,
    "sorted": _sorted,
    "concat": _concat,
    "any": _any,
    "all": _all,
}

# What functions take, and a call of each, for the help where they are given something else.
TAKEN: Mapping[str, tuple[str, str]] = {
    **{name: ("one list of truth values", f"{name}([yes, no])") for name in ("all", "any")},
    **{name: ("one list", f"{name}([1, 2])") for name in ("len", "sum", "sorted", "reversed")},
    **{name: ("one number", f"{name}(2.5)") for name in ("abs", "floor", "ceil")},
    **{name: ("numbers, or one list with some", f"{name}(2, 3)") for name in ("max", "min")},
    "concat": ("lists", "concat([1], [2])"),
    "enumerate": ("a list, and from where it counts", "enumerate([16, 32], 1)"),
    "exp": ("one number up to 709", "exp(1)"),
    "log": ("one number above 0, and a base other than e", "log(100, 10)"),
    "log2": ("one number above 0", "log2(8)"),
    "range": ("its bounds, whole numbers, and a step other than 0", "range(1, 10, 2)"),
    "round": ("a number, and how many decimals to keep", "round(2.5, 1)"),
    "sqrt": ("one number, 0 or more", "sqrt(16)"),
    "zip": ("lists of equal length", "zip([1, 2], [3, 4])"),
}


def taken(name: str) -> str:
    """The help that says what a function takes."""
    what, example = TAKEN[name]
    return f"it takes {what}, as in `{example}`"


# They walk a list and yield none, which would count.
WALKING = frozenset({"all", "any", "concat", "max", "min", "sum"})
