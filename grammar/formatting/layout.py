"""Pieces of text with the places where lines may break, to lines of a given width.

After Wadler ("A prettier printer", 2003) and Oppen ("Prettyprinting", 1980): a `Group` is on
one line if it fits, or else breaks at each of its `Break`s; a `Soft` breaks where what follows it
does not fit. A `Remark` ends its line wherever it stands, so that no comment can swallow code. The
printer keeps its own stack and never recurses.
"""

from collections.abc import Callable, Iterator
from dataclasses import field
from itertools import groupby
from typing import Any, Literal

from ..records import record

LINE_WIDTH = 100
ENDLESS = 2**40  # the width of what cannot be on one line


@record
class Text:
    """Text without a line break; blanks at the start of a line are dropped."""

    text: str

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return len(self.text)


@record
class Break:
    """A new line where its group is broken, else `flat`."""

    flat: str

    @property
    def width(self) -> int:
        """How many columns it takes on one line."""
        return len(self.flat)


@record
class Soft(Break):
    """A new line where its group is broken and what follows does not fit, else `flat`."""


@record
class Before(Break):
    """A new line where its group is broken and a piece behind it fits only there, else `flat`.

    Attributes:
        needed: The width of the piece; what follows it is not looked at.
    """

    needed: int


@record
class Hard:
    """A new line, with an empty one before it if it is blank; `flat` where there must be none."""

    blank: bool = False
    flat: str = " "
    width: int = ENDLESS


@record
class Remark:
    """A comment, after what is on the line or on its own line; it ends the line."""

    text: str
    own_line: bool
    width: int = ENDLESS


@record
class Concat:
    """Several pieces, one after the other."""

    parts: tuple["Doc", ...]
    width: int


@record
class Nest:
    """A piece whose new lines are indented by `columns` more than its origin.

    Attributes:
        columns: How much further.
        doc: The piece.
        origin: `outer` is the indentation around it, `line` that of the line on which the piece
            starts, `column` the column in which it starts.
    """

    columns: int
    doc: "Doc"
    origin: Literal["outer", "line", "column"] = "outer"
    width: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", self.doc.width)


@record
class Together:
    """A piece that is on one line or breaks at each of its own `Break`s.

    Attributes:
        doc: The piece.
        hug: Whether a line break further inside leaves the group's own `Break`s as they are:
            `f(x, [` ... `])`.
    """

    doc: "Doc"
    hug: bool = False
    width: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", self.doc.width)


Doc = Text | Break | Hard | Remark | Concat | Nest | Together


def concat(*parts: Doc) -> Concat:
    """Several pieces, one after the other."""
    return Concat(parts, sum([part.width for part in parts]))


def one_line(doc: Doc) -> Doc:
    """A piece on one line, however long, save that one with comments stays as it is."""
    texts: list[str] = []
    pending: list[Doc] = [doc]
    while pending:
        match pending.pop():
            case Text(text):
                texts.append(text)
            case Remark():
                return doc
            case Concat(parts):
                pending.extend(reversed(parts))
            case Nest(doc=inner) | Together(doc=inner):
                pending.append(inner)
            case Break(flat) | Hard(flat=flat):
                texts.append(flat)
    return Text("".join(texts))


def lay_out(doc: Doc) -> str:
    """The text of a piece, in lines of at most `WIDTH` columns where it can be broken so."""
    printer = _Printer()
    printer.print(doc)
    return "".join(f"{line}\n" for line in _joined(printer.lines))


# What is still to be printed: the indentation of its new lines, whether it is on one line.
_Task = tuple[int, bool, Doc]


class _Printer:
    """Prints pieces to `lines`, each a pair of its code and the comment after it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._code: list[str] = []
        self._remark = ""
        self._indent = 0
        self._column = 0
        self._is_empty = True  # nothing is on the line but its indentation
        self._is_over = False  # what comes next starts a new line
        self._blank = False  # an empty line comes before that
        self._stack: list[_Task] = []

    def print(self, doc: Doc) -> None:
        """Print a whole piece."""
        self._stack.append((0, False, doc))
        while self._stack:
            indent, flat, doc = self._stack.pop()
            _RULES[type(doc)](self, doc, indent, flat)
        self._end_line()

    def text(self, doc: Text, indent: int, flat: bool) -> None:
        """Print text, on a new line if the one before is over."""
        text = doc.text
        if self._is_over or self._is_empty:
            text = text.lstrip(" ")
            if not text:
                return
        if self._is_over:
            self._start_line(indent)
        self._code.append(text)
        self._column += len(text)
        self._is_empty = False

    def remark(self, doc: Remark, indent: int, flat: bool) -> None:
        """Print a comment after the code, or on its own line."""
        if doc.own_line or self._is_over or self._is_empty:
            if not self._is_empty:
                self._start_line(indent)
            self._code.append(doc.text)
        else:
            self._remark = doc.text
        self._is_empty = False
        self._is_over = True

    def hard(self, doc: Hard, indent: int, flat: bool) -> None:
        """Break the line."""
        if not self._is_empty:
            self._is_over = True
            self._blank = self._blank or doc.blank

    def soft(self, doc: Soft, indent: int, flat: bool) -> None:
        """Break the line if what comes up to the next place for a break does not fit."""
        if flat or self._fits(self._column + doc.width):
            self.text(Text(doc.flat), indent, flat)
        else:
            self.hard(Hard(), indent, flat)

    def before(self, doc: Before, indent: int, flat: bool) -> None:
        """Break the line if one piece does not fit on it, but on the next."""
        fits = self._column + doc.width + doc.needed <= LINE_WIDTH
        if flat or fits or indent + doc.needed > LINE_WIDTH:
            self.text(Text(doc.flat), indent, flat)
        else:
            self.hard(Hard(), indent, flat)

    def break_(self, doc: Break, indent: int, flat: bool) -> None:
        """Break the line if the group is broken."""
        if flat:
            self.text(Text(doc.flat), indent, flat)
        else:
            self.hard(Hard(), indent, flat)

    def concat(self, doc: Concat, indent: int, flat: bool) -> None:
        """Print the parts in order."""
        self._stack.extend([(indent, flat, part) for part in reversed(doc.parts)])

    def nest(self, doc: Nest, indent: int, flat: bool) -> None:
        """Print a piece with its own indentation."""
        origin = indent
        if not self._is_over and doc.origin != "outer":
            origin = self._column if doc.origin == "column" else self._indent
        self._stack.append((origin + doc.columns, flat, doc.doc))

    def group(self, doc: Together, indent: int, flat: bool) -> None:
        """Decide whether a group is broken, and print it."""
        start = indent if self._is_over else self._column
        if doc.width < ENDLESS:
            flat = flat or self._fits(start + doc.width)
            self._stack.append((indent, flat, doc.doc))
        else:
            self._stack.append((indent, doc.hug, doc.doc))
            if doc.hug and not self._fits(start):
                self._stack[-1] = (indent, False, doc.doc)

    def _fits(self, column: int) -> bool:
        """Whether what is to be printed fits from a column on, up to where it may break."""
        for width in _widths_to_break(self._stack):
            column += width
            if column > LINE_WIDTH:
                return False
        return column <= LINE_WIDTH

    def _start_line(self, indent: int) -> None:
        self._end_line()
        if self._blank:
            self.lines.append(("", ""))
        self._code = [" " * indent]
        self._remark = ""
        self._indent = self._column = indent
        self._is_empty = True
        self._is_over = self._blank = False

    def _end_line(self) -> None:
        self.lines.append(("".join(self._code).rstrip(" "), self._remark))


def _widths_to_break(stack: list[_Task]) -> Iterator[int]:
    """The widths of the pieces on top of a stack, up to the first place where a line may break.

    A group that fits on its own line counts as a whole.
    """
    below = len(stack)
    tasks: list[tuple[bool, Doc]] = []
    while tasks or below:
        if not tasks:
            below -= 1
            tasks.append(stack[below][1:])
        flat, doc = tasks.pop()
        if isinstance(doc, Text) or (doc.width < ENDLESS and (flat or isinstance(doc, Together))):
            yield doc.width
        elif isinstance(doc, Concat):
            tasks.extend([(flat, part) for part in reversed(doc.parts)])
        elif isinstance(doc, Nest):
            tasks.append((flat, doc.doc))
        elif isinstance(doc, Together):
            tasks.append((doc.hug, doc.doc))
        else:
            return


_RULES: dict[type, Callable[[_Printer, Any, int, bool], None]] = {
    Text: _Printer.text,
    Break: _Printer.break_,
    Soft: _Printer.soft,
    Before: _Printer.before,
    Hard: _Printer.hard,
    Remark: _Printer.remark,
    Concat: _Printer.concat,
    Nest: _Printer.nest,
    Together: _Printer.group,
}


def _joined(lines: list[tuple[str, str]]) -> Iterator[str]:
    """Lines with their comments, which are in one column where lines with comments follow."""
    for alignment, run in groupby(enumerate(lines), key=_alignment):
        if alignment == _NO_REMARK:
            yield from (code for _, (code, _) in run)
            continue
        together = [line for _, line in run]
        column = max(len(code) for code, _ in together) + 2
        aligned = all(column + len(remark) <= LINE_WIDTH for _, remark in together)
        for code, remark in together:
            yield f"{code:{column if aligned else len(code) + 2}}{remark}"


_NO_REMARK, _ALIGNED = -1, -2


def _alignment(numbered: tuple[int, tuple[str, str]]) -> int:
    """What successive lines share whose comments are in one column.

    The comment after an opening bracket refers to what is inside, and stands for itself.
    """
    number, (code, remark) = numbered
    if not remark:
        return _NO_REMARK
    return number if code[-1] in "([{" else _ALIGNED
