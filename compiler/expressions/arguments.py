"""The kinds of values that layers take as arguments: what each accepts, and how it is spelled."""

from collections.abc import Callable, Iterator
from itertools import islice
from math import isfinite
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ...grammar.records import record
from ..ir.initializers import AUTO, INITIALIZERS, Init
from ..ir.types import DType

BEYOND_REAL = (2 - 2**-24) * 2.0**127  # what no float32 is nearest to: halfway to 2^128
INFINITE = "inf"  # as a word, which only what takes infinite numbers reads as one
LONGEST_SPELLING = 80  # characters
LARGEST_WHOLE = 2**53  # beyond it, a float no longer distinguishes whole numbers
LONGEST_WHOLE = 1e15  # beyond it, a whole number in a list of real ones keeps its exponent


class Word(str):
    """A bare word that stands for a choice: `max`, `same`."""

    __slots__ = ()


SCALAR = Word("scalar")  # in place of a size: one number for each sample


class Quotient(float):
    """A real number that `/` made of whole ones; where it is whole, it counts as one."""

    __slots__ = ()


class Listed(tuple[Any, ...]):
    """A list that cannot change, as a layer's arguments are."""

    __slots__ = ()


@record
class Keyword:
    """An argument that is given by its name: `bias=no`."""

    name: str
    value: Any

    def __str__(self) -> str:
        return f"{self.name}={spell(self.value)}"


@record
class WordCall:
    """A choice with arguments: `normal(0.01)`, and `Cell(16, bias=no)` with a `Keyword`."""

    name: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(spell, self.arguments))})"


class Mismatch(Exception):
    """A value that a kind does not accept; its text, if any, is help for the author."""


@record
class Kind:
    """What an argument accepts.

    Attributes:
        expected: The accepted values in words, with an article.
        convert: Returns the value in canonical form, or raises `Mismatch`.
        words: The bare words among the accepted values.
        takes_lists: Whether lists and calls among them need no keyword.
    """

    expected: str
    convert: Callable[[Any], Any]
    words: tuple[str, ...] = ()
    takes_lists: bool = False


def fitted(kind: Kind, value: Any) -> Any:
    """The value in the kind's canonical form; whole quotients are integers where it needs them.

    Raises:
        Mismatch: The kind does not accept it.
    """
    try:
        return kind.convert(value)
    except Mismatch:
        return kind.convert(whole(value))


def spell(value: Any) -> str:
    """A value as a program spells it; what is long ends in `...`."""
    text = "".join(islice(_pieces(value), LONGEST_SPELLING + 1))
    return text if len(text) <= LONGEST_SPELLING else f"{text[:LONGEST_SPELLING]}..."


def _pieces(value: Any) -> Iterator[str]:
    """The text of a value, piece by piece, so that nothing long is spelled for nothing."""
    if isinstance(value, bool):
        yield "yes" if value else "no"
    elif _is_size(value):
        yield "x".join(map(str, value)) if len(value) > 1 else f"({value[0]},)"
    elif isinstance(value, list | tuple):
        opening, closing = "[]" if isinstance(value, list | Listed) or _is_literal(value) else "()"
        yield opening
        for place, item in enumerate(value):
            if place:
                yield ", "
            is_whole = isinstance(item, float) and item.is_integer() and abs(item) < LONGEST_WHOLE
            yield from _pieces(int(item) if is_whole else item)
        yield closing
    elif isinstance(value, str) and not isinstance(value, Word):
        yield f'"{value}"'
    elif isinstance(value, DType):
        yield value.value
    else:
        yield str(whole(value))


def _is_size(value: Any) -> bool:
    is_tuple = isinstance(value, tuple) and not isinstance(value, Listed)
    return is_tuple and bool(value) and all(isinstance(i, int) and i >= 0 for i in value)


def _is_literal(value: Any) -> bool:
    """Whether a tuple holds real numbers, as weights do, at any depth: a program lists them."""
    while isinstance(value, tuple) and value:
        value = value[0]
    return isinstance(value, float)


def whole(value: Any) -> Any:
    """The value with an integer in place of each whole quotient, as in `pad=(3 - 1) / 2`."""
    if isinstance(value, list | tuple):
        return type(value)(map(whole, value))
    is_whole = isinstance(value, Quotient) and value.is_integer() and abs(value) < LARGEST_WHOLE
    return int(value) if is_whole else value


def _require(condition: bool) -> None:
    if not condition:
        raise Mismatch


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integer(least: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        _require(_is_integer(value) and value >= least)
        return int(value)

    return convert


def _size(value: Any) -> tuple[int, ...]:
    _require(isinstance(value, tuple) and len(value) > 0)
    _require(all(_is_integer(extent) and extent >= 1 for extent in value))
    return tuple(value)


def _extent(value: Any) -> int | str:
    """A positive integer, or a bare capital name for an extent that inputs determine."""
    if isinstance(value, Word):
        _require(value.isupper() and value.isidentifier() and value != "N")
        return value
    return _integer(1)(value)


def _input_size(value: Any) -> int | str | tuple[int | str, ...]:
    if value == SCALAR:
        return SCALAR
    if not isinstance(value, tuple):
        return _integer(1)(value)
    _require(len(value) > 0)
    words = [extent for extent in value if isinstance(extent, Word)]
    if "N" in words:
        raise Mismatch("`N` is the batch, which is never written: choose another name")
    if any(word.isidentifier() and not word.isupper() for word in words):
        meant = ", ".join(_open(extent) if extent in words else str(extent) for extent in value)
        raise Mismatch(f"an extent that inputs determine has a capital name: `({meant})`")
    return tuple(_extent(extent) for extent in value)


def _open(word: str) -> str:
    """A name in capitals for an extent that inputs determine; `N` is the batch's."""
    return word.upper() if word.upper() not in ("N", "NONE") else "L"


def _per_axis(least: int) -> Callable[[Any], int | tuple[int, ...]]:
    def convert(value: Any) -> int | tuple[int, ...]:
        extents = value if isinstance(value, tuple) else (value,)
        _require(len(extents) > 0 and all(_is_integer(e) and e >= least for e in extents))
        return value if _is_integer(value) else tuple(value)

    return convert


def _padding(value: Any) -> Any:
    """`same`, `valid`, an integer, a size, or a pair of sizes (before, after)."""
    if isinstance(value, Word):
        _require(value in ("same", "valid"))
        return str(value)
    return _sides(value)


def _sides(value: Any) -> Any:
    """An integer, a size, or a pair of sizes (before, after)."""
    convert = _per_axis(0)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        _require(len(value) == 2)
        return tuple(convert(side) for side in value)
    return convert(value)


def _integers(value: Any) -> int | tuple[int, ...]:
    """An integer or a tuple of integers, of any sign."""
    numbers = value if isinstance(value, tuple) else (value,)
    _require(len(numbers) > 0 and all(map(_is_integer, numbers)))
    return value if _is_integer(value) else tuple(numbers)


def _real(low: float, high: float) -> Callable[[Any], float]:
    def convert(value: Any) -> float:
        _require(isinstance(value, int | float) and not isinstance(value, bool))
        _require(isfinite(value) and low <= value < high)
        return _fitting(float(value))

    return convert


def _fitting(number: float) -> float:
    """The number itself, where a float32 can hold it."""
    if not abs(number) < BEYOND_REAL:
        raise Mismatch("a float32 holds numbers up to 3.4e38")
    return number


def _factors(value: Any) -> float | tuple[float, ...]:
    """A number of at least 0, or a list of them."""
    convert = _real(0.0, float("inf"))
    if not isinstance(value, list | tuple):
        return convert(value)
    _require(len(value) > 0)
    return tuple(map(convert, value))


def _listed_factors(value: Any) -> tuple[float, ...]:
    _require(isinstance(value, list | tuple))
    return _factors(value)  # type: ignore[return-value]  # of a list


def _positive_real(value: Any) -> float:
    number = _real(0.0, float("inf"))(value)
    _require(number > 0)
    return number


def _probability(value: Any) -> float:
    number = _real(0.0, float("inf"))(value)
    _require(number <= 1)
    return number


def _label(value: Any) -> str:
    _require(isinstance(value, str))
    return str(value)


def _shared(value: Any) -> str | bool | None:
    """A label, or whether the first turn of a repetition is meant."""
    return (value or None) if isinstance(value, bool) else _label(value)


def _text(value: Any) -> str:
    _require(isinstance(value, str) and not isinstance(value, Word))
    return str(value)


def _flag(value: Any) -> bool:
    _require(isinstance(value, bool))
    return bool(value)


def _initializer(value: Any) -> Init:
    if isinstance(value, Word):
        value = WordCall(str(value), ())
    _require(isinstance(value, WordCall) and value.name in INITIALIZERS)
    numbers = tuple(_real(float("-inf"), float("inf"))(number) for number in value.arguments)
    if len(numbers) < INITIALIZERS[value.name]:
        raise Mismatch(f"`{value.name}` takes a number, as in `init={value.name}(0.01)`")
    _require(len(numbers) == INITIALIZERS[value.name])
    return Init(value.name, numbers)


def _literal(value: Any) -> Any:
    """A number or rectangular nested lists of numbers, as nested tuples."""
    if isinstance(value, list | tuple):
        if not value:
            raise Mismatch("a list needs at least one number")
        if set(map(type, value)) <= {int, float}:  # lists may be long, and this is fast
            numbers = tuple(map(float, value))
            _fitting(max(map(abs, numbers)))
            return numbers
        items = tuple(_literal(item) for item in value)
        if len({_nesting(item) for item in items}) > 1:
            raise Mismatch("the lists within a list are of one length")
        return items
    return _real(float("-inf"), float("inf"))(value)


def _nesting(value: Any) -> tuple[int, ...]:
    return (len(value), *_nesting(value[0])) if isinstance(value, tuple) else ()


def _choice(words: tuple[str, ...]) -> Kind:
    def convert(value: Any) -> str:
        _require(isinstance(value, Word) and value in words)
        return str(value)

    listed = ", ".join(f"`{word}`" for word in words)
    return Kind(f"one of {listed}" if len(words) > 1 else listed, convert, words)


_INITIALIZER_NAMES = ", ".join(
    f"`{name}`" if count == 0 else f"`{name}(number)`" for name, count in INITIALIZERS.items()
)

PerAxis = Annotated[
    int | tuple[int, ...], Kind("a positive integer or a size such as `3x3`", _per_axis(1))
]
NaturalPerAxis = Annotated[
    int | tuple[int, ...],
    Kind("a non-negative integer, or a size such as `1x0`", _per_axis(0)),
]
InputSize = Annotated[
    int | str | tuple[int | str, ...],
    Kind(
        "a positive integer, a size such as `32x32x3` or `(H, W, 3)`, or `scalar`",
        _input_size,
        (SCALAR,),
    ),
]
ExtentPerAxis = Annotated[tuple[int, ...], Kind("a size such as `3x3`", _size)]
Positive = Annotated[int, Kind("a positive integer", _integer(1))]
Integer = Annotated[int, Kind("an integer", _integer(-(2**63)))]
Integers = Annotated[
    int | tuple[int, ...], Kind("an integer or a tuple such as `(-3, -3)`", _integers)
]
Natural = Annotated[int, Kind("a non-negative integer", _integer(0))]
Rate = Annotated[float, Kind("a number at least 0 and below 1", _real(0.0, 1.0))]
Nonnegative = Annotated[float, Kind("a non-negative number", _real(0.0, float("inf")))]
Factors = Annotated[
    float | tuple[float, ...], Kind("a non-negative number, or a list of them", _factors)
]
FactorList = Annotated[
    tuple[float, ...], Kind("a list of non-negative numbers", _listed_factors, takes_lists=True)
]
Probability = Annotated[float, Kind("a number from 0 to 1", _probability)]
PositiveReal = Annotated[float, Kind("a positive number", _positive_real)]
NonNegativeReal = Annotated[float, Kind("a non-negative number", _real(0.0, float("inf")))]
Real = Annotated[float, Kind("a number", _real(float("-inf"), float("inf")))]
Flag = Annotated[bool, Kind("`yes` or `no`", _flag)]
LabelName = Annotated[str, Kind("a label", _label)]
Shared = Annotated[
    str | bool | None,
    Kind("a label, or `yes` for those of the first turn of a repetition", _shared),
]
QuotedText = Annotated[str, Kind("a string in quotes", _text)]
Padding = Annotated[
    int | str | tuple[Any, ...],
    Kind(
        "`same`, `valid`, an integer, a size, or a size per side such as `(1x1, 0x2)`",
        _padding,
        ("same", "valid"),
    ),
]
Sides = Annotated[
    int | tuple[Any, ...],
    Kind("an integer, a size, or a size per side such as `(1x1, 0x2)`", _sides),
]
Initializer = Annotated[
    Init, Kind(f"one of {_INITIALIZER_NAMES}", _initializer, tuple(INITIALIZERS))
]
Numbers = Annotated[Any, Kind("a number or nested lists of numbers", _literal)]


def or_none(kind: Kind) -> Kind:
    """What a kind accepts, or the word `none`, which stands for None."""

    def convert(value: Any) -> Any:
        return None if isinstance(value, Word) and value == "none" else kind.convert(value)

    return Kind(f"{kind.expected}, or `none`", convert, (*kind.words, "none"))


def or_word(kind: Kind, word: str) -> Kind:
    """What a kind accepts, or a word, which stays one."""

    def convert(value: Any) -> Any:
        return str(value) if isinstance(value, Word) and value == word else kind.convert(value)

    expected = f"{kind.expected}, or `{word}`"
    return Kind(expected, convert, (*kind.words, word), takes_lists=kind.takes_lists)


def kind_of(annotation: Any) -> Kind:
    """The kind that a layer function's annotation stands for; `X | None` is X.

    Raises:
        TypeError: The annotation names no kind: a bug in the layer.
    """
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is Literal:
        return _choice(get_args(annotation))
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Kind):
            return extra
    raise TypeError(f"{annotation} is not a kind of argument")


def keyword_only(function: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of a function's keyword-only parameters, and their defaults.

    `inspect.signature` yields more and takes ten times as long, for each row of the tables.
    """
    code = function.__code__
    end = code.co_argcount + code.co_kwonlyargcount
    return code.co_varnames[code.co_argcount : end], dict(function.__kwdefaults__ or {})


OptionalProbability = Annotated[float | None, or_none(kind_of(Probability))]


__all__ = [
    "AUTO",
    "SCALAR",
    "ExtentPerAxis",
    "FactorList",
    "Factors",
    "Flag",
    "Initializer",
    "InputSize",
    "Integer",
    "Integers",
    "Keyword",
    "Kind",
    "LabelName",
    "Listed",
    "Mismatch",
    "Natural",
    "NaturalPerAxis",
    "Nonnegative",
    "Numbers",
    "OptionalProbability",
    "Padding",
    "PerAxis",
    "Positive",
    "PositiveReal",
    "Probability",
    "QuotedText",
    "Rate",
    "Real",
    "Shared",
    "Sides",
    "Word",
    "WordCall",
    "keyword_only",
    "kind_of",
    "or_none",
    "spell",
]
