"""Source text and the spans that point into it."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from .records import record

# What neither XML nor UTF-8 can hold, or what steers a terminal: in no name, in no program.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


SETTINGS, PYTHON = "<settings>", "<Python>"  # settings from outside, and calls of our classes
OUTSIDE = frozenset({SETTINGS, PYTHON})  # texts that no program stands in


@dataclass(frozen=True, eq=False)
class Source:
    """A named text: a file, a quoted chain, or standard input.

    Attributes:
        name: What diagnostics call it: a path, `<chain>` or `<stdin>`.
        text: The text itself, without a byte-order mark.
    """

    name: str
    text: str = field(repr=False)

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which lines begin."""
        starts = [0]
        starts.extend(i + 1 for i, char in enumerate(self.text) if char == "\n")
        return tuple(starts)

    def locate(self, offset: int) -> tuple[int, int]:
        """The line and column, both counted from 1, of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def locate_utf16(self, offset: int) -> tuple[int, int]:
        """As `locate`, with columns in code units of UTF-16, as editors and SARIF count them."""
        line, column = self.locate(offset)
        before = self.text[offset - column + 1 : offset]
        return line, 1 + sum(2 if char > "\uffff" else 1 for char in before)

    def offset_utf16(self, line: int, column: int) -> int:
        """The offset of a place as `locate_utf16` yields it; beyond a line, where the line ends."""
        if line > len(self.line_starts):
            return len(self.text)
        start, units = self.line_starts[line - 1], 1
        text = self.line(line)
        for place, char in enumerate(text):
            if units >= column:
                return start + place
            units += 2 if char > "\uffff" else 1
        return start + len(text)

    def line(self, number: int) -> str:
        """The text of a line (counted from 1), without its line break."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


class PlacedText(str):
    """A word of a program that knows its place, for errors that are found later.

    Attributes:
        span: The place; None where it is not known.
    """

    span: "Span | None" = None

    @classmethod
    def at(cls, text: str, span: "Span | None") -> "PlacedText":
        """A word and its place."""
        made = cls(text)
        made.span = span
        return made


def place_of(text: str) -> "Span | None":
    """The place of a word, where it is known."""
    return text.span if isinstance(text, PlacedText) else None


@record
class Span:
    """The half-open range `[start, end)` of a source's text."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text that the span covers."""
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> str:
        """Where it starts, as `name:line:column`."""
        line, column = self.source.locate(self.start)
        return f"{self.source.name}:{line}:{column}"

    def __repr__(self) -> str:
        return f"<Span {self.place}>"

    def to(self, other: "Span") -> "Span":
        """The span from the start of this one to the end of `other`."""
        return Span(self.source, self.start, other.end)
