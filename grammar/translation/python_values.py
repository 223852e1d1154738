"""What names stand for while a program of Python is read, and what is computed with them."""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .python_layers import ForeignLayer, ForeignTensor, NotUnderstoodError
from .recipes import own_name
from .words import OUR_VALUES

MOST_ITEMS = 1000  # of a list, and characters of a text
_LARGEST = 2**40
_DEEPEST = 4  # lists in lists
_LONGEST = 10_000  # characters of an argument


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that is not known, by the dotted name that leads to it."""

    name: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class PythonFunction:
    """A function, or a method of an object."""

    node: ast.FunctionDef | ast.Lambda
    scope: "PythonScope"
    bound: Any = None


@dataclass(frozen=True, eq=False, slots=True)
class Class:
    """A class of the program."""

    node: ast.ClassDef
    scope: "PythonScope"
    methods: Mapping[str, ast.FunctionDef]
    fields: Mapping[str, Any]


@dataclass(eq=False, slots=True)
class Instance:
    """An object of a class of the program."""

    kind: Class
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Method:
    """A method of a tensor or of a list."""

    value: Any
    name: str


@dataclass(eq=False, slots=True)
class KerasModel:
    """Layers that are added one after the other, or a model by its inputs and outputs."""

    items: list[Any] = field(default_factory=list)
    outputs: tuple[ForeignTensor, ...] = ()


@dataclass(eq=False, slots=True)
class PythonScope:
    """Names and their values, those outside where they are not found."""

    names: dict[str, Any] = field(default_factory=dict)
    outer: "PythonScope | None" = None

    def find(self, name: str) -> Any:
        """The value of a name; what nothing binds is another module's."""
        scope: PythonScope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return Opaque(name)


def texts(value: Any, depth: int = 0) -> str | None:
    """A value as an argument's text; None for a tensor, which is no argument."""
    if isinstance(value, ForeignTensor) or depth > _DEEPEST:
        return None
    if isinstance(value, list | tuple):
        inner = ", ".join(t for item in value if (t := texts(item, depth + 1)) is not None)
        if len(inner) > _LONGEST:
            raise NotUnderstoodError("a long list")
        return f"({inner})"
    if isinstance(value, ForeignLayer):
        given = ", ".join(f"{a.name}={a.text}" if a.name else a.text for a in value.arguments)
        return f"{value.name}({given})"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Opaque):
        return value.name or "None"
    return str(value) if isinstance(value, bool | int | float) else "None"


def tensors(values: Sequence[Any]) -> list[ForeignTensor]:
    """The tensors among values, those in lists included."""
    return [value for value in _inner(values) if isinstance(value, ForeignTensor)]


def modules(values: Sequence[Any]) -> list[Any]:
    """The layers of `Sequential(...)`: listed, or in pairs with their names."""
    found: list[Any] = []
    for value in _inner(values):
        if isinstance(value, dict):
            found += value.values()
        elif isinstance(value, tuple):
            found.append(value[1])
        elif value is not None:
            found.append(value)
    return found


def _inner(values: Sequence[Any]) -> list[Any]:
    """Values, and in place of lists what is in them; a pair of a name and a value is one."""
    found: list[Any] = []
    waiting = [(value, 0) for value in reversed(values)]
    for _ in range(10 * MOST_ITEMS):
        if not waiting:
            return found
        value, depth = waiting.pop()
        if not isinstance(value, list | tuple) or _is_named(value):
            found.append(value)
        elif depth < _DEEPEST:
            waiting += [(item, depth + 1) for item in reversed(value)]
    raise NotUnderstoodError("a long list")


def _is_named(value: Sequence[Any]) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def unknown_size(value: Any) -> str | None:
    """The name of a size that the program does not say."""
    if not isinstance(value, Opaque) or not re.fullmatch(r"[A-Za-z_]\w*", value.name):
        return None
    known = own_name(value.name) is not None or value.name in OUR_VALUES
    return None if known else value.name


# What stands for a value that a program does not say, by a part of its name.
_SAMPLES: Mapping[str, Any] = {
    "shape": (32, 32, 3),
    "class": 10,
    "labels": 10,
    "act": "relu",
    "drop": 0.5,
    "rate": 0.5,
    "stride": 1,
    "kernel": 3,
    "head": 8,
    "vocab": 10_000,
    "token": 10_000,
    "layers": 2,
    "depth": 2,
    "len": 128,
    "downsample": None,
    "norm": Opaque("nn.BatchNorm2d"),
    "group": 1,
    "bias": True,
}
SAMPLE = 64


def sample(name: str) -> Any:
    """A value for a parameter, or a name, that the program does not say."""
    return next((value for part, value in _SAMPLES.items() if part in name.lower()), SAMPLE)


def computed(sign: ast.operator, left: Any, right: Any) -> Any:
    """The result of an operator, of numbers and short lists."""
    compute = _ARITHMETIC.get(type(sign))
    known = (bool, int, float, str, list, tuple)
    if compute is None or not isinstance(left, known) or not isinstance(right, known):
        return Opaque()
    sizes = [len(v) for v in (left, right) if isinstance(v, str | list | tuple)]
    if sum(sizes) > MOST_ITEMS or (len(sizes) == 1 and _is_large(left, right, sizes[0])):
        raise NotUnderstoodError("too long")
    if isinstance(sign, ast.Pow) and not (_is_small(left) and _is_small(right)):
        raise NotUnderstoodError("a power")
    if isinstance(left, str) and isinstance(sign, ast.Mod) and _WIDE.search(left):
        raise NotUnderstoodError("a wide text")
    result = as_python(compute, left, right)
    if isinstance(result, int) and abs(result) > _LARGEST:
        raise NotUnderstoodError("a large number")
    return result if isinstance(result, known) else Opaque()


_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\*|\d{3})")  # a format that could fill the memory


def as_python(function: Callable[..., Any], *given: Any) -> Any:
    """What one of Python's own functions or operators makes of a program's values.

    Raises:
        NotUnderstoodError: It refuses them, as it would in that program.
    """
    try:
        return function(*given)
    except (TypeError, ValueError, ArithmeticError, LookupError):
        raise NotUnderstoodError("what Python refuses") from None


def _is_small(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= MOST_ITEMS // 16


def _is_large(left: Any, right: Any, size: int) -> bool:
    times = left if isinstance(left, int) else right
    return isinstance(times, int) and times * size > MOST_ITEMS


def compared(sign: ast.cmpop, left: Any, right: Any) -> Any:
    """The result of a comparison; what is not known decides nothing."""
    test = _COMPARISONS.get(type(sign))
    if test is None or isinstance(left, Opaque) or isinstance(right, Opaque):
        return Opaque()
    _check_flat(left, right)
    return as_python(test, left, right)


def built_in(name: str, given: Sequence[Any]) -> Any:
    """The result of one of Python's own functions."""
    if any(isinstance(value, Opaque) for value in given):
        return Opaque()
    for value in given:
        _check_flat(*(value if isinstance(value, list | tuple) else ()))
    return as_python(_BUILT_IN[name], *given)


def _check_flat(*values: Any) -> None:
    """Refuse values whose comparison could take forever: lists of lists of lists."""
    lists = [value for value in values if isinstance(value, list | tuple)]
    inner = [item for value in lists for item in value if isinstance(item, list | tuple)]
    if any(isinstance(item, list | tuple) for value in inner for item in value):
        raise NotUnderstoodError("lists of lists")


def _ranged(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > MOST_ITEMS:
        raise NotUnderstoodError("a long range")
    return list(numbers)


def _summed(numbers: Sequence[Any]) -> Any:
    return sum(number for number in numbers if isinstance(number, int | float))


_BUILT_IN: Mapping[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (len, int, float, max, min, abs, round, list, tuple, dict, sorted)},
    "range": _ranged,
    "sum": _summed,
    "reversed": lambda items: list(reversed(items)),
    "enumerate": lambda items: list(enumerate(items)),
    "zip": lambda *lists: list(zip(*lists, strict=False)),
}
BUILT_IN = frozenset(_BUILT_IN)
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
