"""Settings from Python -> entries of a `train` block, in which values stay values.

Each entry has a place in a text, which is for messages alone. Only what Python gives as text, such
as `"l2(5e-4)"`, is parsed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from reprlib import Repr
from typing import Any, NamedTuple

from ...grammar import ast
from ...grammar.parsing.literals import check_integer, write_key
from ...grammar.parsing.parser import parse_setting
from ...grammar.source import SETTINGS as SOURCE
from ...grammar.source import Source, Span
from ..expressions.arguments import spell
from .foreign import is_file
from .term_table import given_arguments, is_known, spell_term
from .terms import Term

MOST_BITS = 10_000  # bits of an integer that is shown in decimal digits

_SHORTENED = Repr()
_SHORTENED.maxother = 60  # characters


@dataclass(frozen=True, slots=True)
class Unknown:
    """What stands for a value that no setting takes: its text, for the message that refuses it."""

    text: str

    def __str__(self) -> str:
        return self.text


def keyword_spans(
    name: str, texts: Mapping[str, str], *, before: str = "", between: str = ", ", after: str = ""
) -> tuple[Span, dict[str, Span]]:
    """A text that is made of keyword arguments for messages, and where in it each stands.

    Args:
        name: What the text is called.
        texts: The values by keyword, as text.
        before: What goes before them.
        between: What goes between each two.
        after: What goes after them.
    """
    arguments = [f"{keyword}={text}" for keyword, text in texts.items()]
    source = Source(name, before + between.join(arguments) + after)
    spans = _placed(source, len(before), arguments, gap=len(between))
    return Span(source, 0, len(source.text)), dict(zip(texts, spans, strict=True))


def entries_of(settings: Mapping[str, Any]) -> tuple[ast.Entry, ...]:
    """The entries of a `train` block that settings from Python stand for.

    Args:
        settings: By name: text, terms, numbers, lists of these, or such by the output's name.

    Raises:
        NetError: A text cannot be parsed, or an integer is too large.
    """
    written = {name: _written(value) for name, value in settings.items()}
    texts = {name: text for name, (text, _) in written.items()}
    _, spans = keyword_spans(SOURCE, texts, between="\n")
    return tuple(
        ast.Entry(name, read(_last(spans[name], text)), span=spans[name])
        for name, (text, read) in written.items()
    )


def spell_setting(value: Any) -> str:
    """A setting from Python as a program spells it; text is taken as it is."""
    return _written(value).text


def spell_plain(value: Any) -> str:
    """A single value from Python as a program spells it; text is quoted."""
    value = plain(value)
    is_long = isinstance(value, int) and value.bit_length() > MOST_BITS
    return hex(value) if is_long else spell(value)


def held(value: Any, span: Span) -> ast.Held:
    """A single value from Python in the place of an expression.

    Raises:
        NetError: E404, an integer is too large.
    """
    value = plain(value)
    if isinstance(value, int):
        check_integer(value, span)
    return ast.Held(value, span=span)


def plain(value: Any) -> Any:
    """A number of any type, such as NumPy's, as Python's; what no setting takes as `Unknown`.

    NumPy's truth values are no numbers; they and its arrays without axes say themselves what they
    are in Python.
    """
    if not isinstance(value, str) and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, bool | str | list | tuple):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        with suppress(OverflowError):  # a fraction may be beyond any float
            return float(value)
    return Unknown(" ".join(_SHORTENED.repr(value).split()))


class _Written(NamedTuple):
    """A value as text, and what makes syntax of it, given where the text stands."""

    text: str
    read: Callable[[Span], Any]


def _written(value: Any) -> _Written:
    """A setting: a list, values by the output's name, or a single value."""
    if isinstance(value, list | tuple):
        items = list(map(_single, value))
        return _Written(f"[{', '.join(text for text, _ in items)}]", partial(_list, items))
    if isinstance(value, Mapping):
        named = {str(name): _single(item) for name, item in value.items()}
        texts = [f"{write_key(name)}: {text}" for name, (text, _) in named.items()]
        return _Written(f"{{{', '.join(texts)}}}", partial(_mapping, named, texts))
    return _single(value)


def _single(value: Any) -> _Written:
    """Text, a choice, or any other value as it is; so is the path of a file, which is no syntax."""
    if isinstance(value, str) and is_file(value):
        return _Written(value, partial(held, value))
    if isinstance(value, str):
        return _Written(value, parse_setting)
    if isinstance(value, Term) and is_known(value):
        return _Written(spell_term(value), partial(_call, value))
    return _Written(spell_plain(value), partial(held, value))


def _list(items: Sequence[_Written], span: Span) -> ast.ListOf:
    spans = _placed(span.source, span.start + 1, [text for text, _ in items], gap=2)
    values = [item.read(place) for item, place in zip(items, spans, strict=True)]
    return ast.ListOf(tuple(values), span=span)


def _mapping(named: Mapping[str, _Written], texts: Sequence[str], span: Span) -> ast.MapOf:
    spans = _placed(span.source, span.start + 1, texts, gap=2)
    pairs = [
        ast.Argument(name, read(_last(place, text)), span=place)
        for (name, (text, read)), place in zip(named.items(), spans, strict=True)
    ]
    return ast.MapOf(tuple(pairs), span=span)


def _call(term: Term, span: Span) -> ast.Apply:
    arguments = [
        ast.Argument(name, ast.Held(value, span=span), span=span)
        for name, value in given_arguments(term).items()
    ]
    return ast.Apply(term.name, tuple(arguments), span=span)


def _placed(source: Source, start: int, texts: Iterable[str], *, gap: int) -> list[Span]:
    """Where texts stand that follow each other."""
    spans = []
    for text in texts:
        spans.append(Span(source, start, start + len(text)))
        start += len(text) + gap
    return spans


def _last(span: Span, text: str) -> Span:
    """Where a text stands that a span ends with."""
    return Span(span.source, span.end - len(text), span.end)
