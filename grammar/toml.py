"""TOML text -> its values, and where each stands.

Python's `tomllib` reads the values; places, which it does not yield, come from the tokens.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .diagnostics import error
from .source import Source, Span

Path = tuple[str, ...]

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*)
    | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    | (?P<sign>[\[\]{}=,.\n])
    | (?P<word>[^\s\[\]{}=,.#"']+)""",
    re.VERBOSE | re.DOTALL,
)
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_OPEN, _CLOSE = ("[", "{"), ("]", "}")
DEEPEST = 4  # keys of a path whose places are kept


@dataclass(frozen=True)
class Toml:
    """What a TOML file says.

    Attributes:
        source: The text.
        values: Tables as dictionaries.
        keys: Where a key, by the keys around it, stands first.
        places: Where a value stands that is no table.
    """

    source: Source
    values: dict[str, Any]
    keys: dict[Path, Span] = field(default_factory=dict)
    places: dict[Path, Span] = field(default_factory=dict)


def parse_toml(source: Source, code: str) -> Toml:
    """Read TOML.

    Args:
        source: The text.
        code: The diagnostic code of text that is not TOML.

    Raises:
        NetError: It is not TOML; with the place where reading stopped.
    """
    try:
        values = tomllib.loads(source.text)
        found = Toml(source, values)
        _Reader(found, list(_tokens(source))).statements()
    except RecursionError:
        raise error(code, f"`{source.name}` nests values too deeply") from None
    except ValueError as failure:
        message = str(failure)
        place = _PLACE.search(message)
        span = _at(source, place.groups()) if place else None
        reason = message[: place.start()] if place else message
        message = f"`{source.name}` is not TOML: {reason[:1].lower()}{reason[1:]}"
        raise error(code, message, span, help="see https://toml.io") from None
    return found


def _at(source: Source, place: Sequence[str | None]) -> Span:
    """The character that a message of `tomllib` names, which has none past the end of a line."""
    line, column = place
    end = len(source.text.rstrip())
    start = end if line is None else source.line_starts[int(line) - 1] + int(column or 1) - 1
    start = min(start, len(source.text))
    return Span(source, start, min(start + 1, len(source.text)))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    span: Span


def _tokens(source: Source) -> Iterator[_Token]:
    for found in _TOKEN.finditer(source.text):
        kind = found.lastgroup or ""
        if kind != "space":
            yield _Token(kind, found.group(), Span(source, *found.span()))


@dataclass(eq=False)
class _Reader:
    """Walks the tokens of text that `tomllib` has read without complaint."""

    found: Toml
    tokens: list[_Token]
    at: int = 0

    @property
    def sign(self) -> str:
        """The sign ahead; nothing where a word or a string is, or the end."""
        if self.at >= len(self.tokens):
            return "\n"
        token = self.tokens[self.at]
        return token.text if token.kind == "sign" else ""

    def statements(self) -> None:
        """All lines: headers of tables, and keys with values."""
        table: Path = ()
        while self.at < len(self.tokens):
            if self.sign == "\n":
                self.at += 1
            elif self.sign == "[":
                while self.sign == "[":
                    self.at += 1
                table = self._key(())
                while self.sign == "]":
                    self.at += 1
            else:
                self._pair(table)

    def _pair(self, table: Path) -> None:
        path = self._key(table)
        self.at += 1  # the sign `=`
        self._value(path)

    def _key(self, table: Path) -> Path:
        """A key with its dots; the places of its parts are noted."""
        path = table
        while self.sign in ("", "."):
            token = self.tokens[self.at]
            self.at += 1
            if token.kind == "sign":
                continue
            path = (*path, _text(token))[: DEEPEST + 1]
            self.found.keys.setdefault(path, token.span)
        return path

    def _value(self, path: Path) -> None:
        if self.sign == "{":
            self.at += 1
            while self.sign != "}":
                if self.sign in (",", "\n"):
                    self.at += 1
                else:
                    self._pair(path)
            self.at += 1
            return
        first, depth = self.at, 0
        while depth or self.sign not in ("\n", ",", "}"):
            depth += (self.sign in _OPEN) - (self.sign in _CLOSE)
            self.at += 1
        self.found.places[path] = self.tokens[first].span.to(self.tokens[self.at - 1].span)


def _text(token: _Token) -> str:
    """What a key says, which may be in quotes."""
    if token.kind == "word":
        return token.text
    return str(tomllib.loads(f"key = {token.text}")["key"])
