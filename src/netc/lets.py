"""A program and values from outside -> the program with these in the place of its own `let`s."""

from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any

from .compiler.training.held_settings import plain, spell_plain
from .grammar import ast
from .grammar.diagnostics import did_you_mean, error, listing
from .grammar.parsing.parser import parse
from .grammar.source import Source


def with_lets(source: Source, values: Mapping[str, Any]) -> Source:
    """The program in which each of these names has the value that is given.

    Args:
        source: The program.
        values: Numbers, truth values, texts, or lists of these, by the name of a `let` of the
            file's top level.

    Raises:
        NetError: E101, there is no such `let`; E125, the language has no such value.
    """
    if not values:
        return source
    module = parse(source)
    own = _lets(module)
    spelled = {
        own[_known(source, name, own)].value.span: _spelled(name, values[name]) for name in values
    }
    text = module.source.text
    for span in sorted(spelled, key=lambda span: span.start, reverse=True):
        text = text[: span.start] + spelled[span] + text[span.end :]
    return Source(source.name, text)


def let_names(source: Source) -> tuple[str, ...]:
    """The names that `with_lets` takes."""
    return tuple(_lets(parse(source)))


def _lets(module: ast.Module) -> dict[str, ast.LetStatement]:
    """The statements of the top level that give one name a value; the last one counts."""
    return {
        statement.target.id: statement
        for statement in module.statements
        if isinstance(statement, ast.LetStatement) and isinstance(statement.target, ast.NameTarget)
    }


def _known(source: Source, name: str, own: Mapping[str, Any]) -> str:
    if name in own:
        return name
    known = f"it has {listing(own)}" if own else f"write `let {name} = ...` in the program"
    message = f"`{source.name}` has no `let {name}`"
    raise error("E101", message, help=did_you_mean(name, own) or known)


def _spelled(name: str, given: Any) -> str:
    """A value as a program spells it."""
    value = plain(given)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_spelled(name, each) for each in value)}]"
    is_number = isinstance(value, Real) and isfinite(value)
    if is_number or (isinstance(value, str) and '"' not in value and value.isprintable()):
        return spell_plain(value)
    message = f"`{name}` cannot be `{given!r:.60}`"
    raise error("E125", message, help="give a number, a truth value, a text, or a list of these")
