"""Diagnostics: errors and warnings with a code, a span, and advice, and how they are shown."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches
from itertools import islice
from operator import eq
from typing import Any, Literal

from .codes import CODES
from .records import record
from .source import UNPRINTABLE, Span

Severity = Literal["error", "warning"]

WIDEST = 160  # characters of a line that are shown; of a longer one, those around the carets
MOST_CANDIDATES = 2_000  # names that are compared with a misspelled one


@record
class Pointer:
    """A second place that a diagnostic refers to, with a word about it."""

    span: Span
    text: str


def pointers(span: Span | None, text: str) -> tuple[Pointer, ...]:
    """A pointer to a place, or none where the place is not in a text."""
    return () if span is None else (Pointer(span, text),)


@record
class Diagnostic:
    """One finding about a program.

    Attributes:
        code: A key of `CODES`, such as `E203`; warnings start with `W`.
        message: What is wrong, in lower case, without advice.
        span: The smallest text that is to blame, or None where no text is (a missing file).
        label: A word after the carets, such as `in repetition 6 of 9`.
        also: The second culprits.
        notes: Facts that explain the message.
        help: How to fix it.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    also: tuple[Pointer, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unregistered diagnostic code {self.code}")

    def __repr__(self) -> str:
        place = "" if self.span is None else f" at {self.span.place}"
        return f"<Diagnostic {self.code}{place}: {self.message}>"

    @property
    def severity(self) -> Severity:
        """`error` or `warning`, by the code's first letter."""
        return "warning" if self.code.startswith("W") else "error"

    def _repr_html_(self) -> str:
        """What a notebook shows: the text with its place, coloured."""
        return _html(self)

    def to_dict(self) -> dict[str, object]:
        """The form that `--json` prints; lines and columns count from 1."""
        place: dict[str, object] = {}
        if self.span is not None:
            line, column = self.span.source.locate(self.span.start)
            end_line, end_column = self.span.source.locate(self.span.end)
            place = {
                "file": self.span.source.name,
                "line": line,
                "column": column,
                "end_line": end_line,
                "end_column": end_column,
            }
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            **place,
            "notes": list(self.notes),
            "help": self.help,
        }


class NetError(Exception):
    """The only exception that user input can cause; carries every diagnostic of the run.

    Attributes:
        diagnostics: The errors, at least one, and warnings that were found before them.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        if not diagnostics:
            raise ValueError("a NetError needs a diagnostic")
        super().__init__(diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy has what was found, and not what an error of a kind of its own holds besides."""
        return NetError, (self.diagnostics,)

    def __str__(self) -> str:
        return render_all(self.diagnostics)

    def _repr_html_(self) -> str:
        return "".join(map(_html, self.diagnostics))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows, not a traceback, which shows netc's code and not the program."""
        return str(self).splitlines()


def error(
    code: str,
    message: str,
    span: Span | None = None,
    *,
    label: str = "",
    also: Iterable[Pointer] = (),
    notes: Iterable[str] = (),
    help: str | None = None,
) -> NetError:
    """A `NetError` with one diagnostic, ready to raise."""
    return NetError([Diagnostic(code, message, span, label, tuple(also), tuple(notes), help)])


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """All diagnostics as text, a blank line between each two."""
    return "\n\n".join(render(diagnostic) for diagnostic in diagnostics)


def render(diagnostic: Diagnostic) -> str:
    """One diagnostic as text: message, place, the lines with carets, notes and help.

    Names of files and texts of programs may hold what steers a terminal, or no UTF-8: it is shown
    as replaced.
    """
    pointers = [] if diagnostic.span is None else [Pointer(diagnostic.span, diagnostic.label)]
    pointers += diagnostic.also
    lines = [pointer.span.source.locate(pointer.span.start)[0] for pointer in pointers]
    margin = len(str(max(lines))) if lines else 0
    notes = [f"note: {note}" for note in diagnostic.notes]
    if diagnostic.help is not None:
        notes.append(f"help: {diagnostic.help}")

    rows = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    for position, pointer in enumerate(pointers):
        rows += _excerpt(pointer, margin, arrow="-->" if position == 0 else ":::")
    if pointers and notes:
        rows.append(f" {'':{margin}} |")
    indent = f" {'':{margin}} "
    rows += [f"{indent}= {note}".replace("\n", f"\n{indent}  ") for note in notes]
    text = "\n".join(rows)
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


# As `html.escape` has them, which loads the names of all characters.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
# By the first character of a line's text, after its margin.
_COLOURS = {"^": "#c0392b", "-": "#2471a3", "=": "#1e8449"}


def _html(diagnostic: Diagnostic) -> str:
    """A diagnostic as HTML."""
    head, *lines = render(diagnostic).translate(_ESCAPES).split("\n")
    colour = "#c0392b" if diagnostic.severity == "error" else "#9a6700"
    rows = [f'<b style="color:{colour}">{head}</b>']
    for line in lines:
        text = line.lstrip(" |0123456789")
        shade = _COLOURS.get(text[:1]) if "--&gt;" not in line else None
        rows.append(f'<span style="color:{shade}">{line}</span>' if shade else line)
    return f"<pre>{chr(10).join(rows)}</pre>"


def _excerpt(pointer: Pointer, margin: int, *, arrow: str) -> list[str]:
    """The place of a pointer, its line of text, and carets under the part that it covers."""
    source = pointer.span.source
    line, column = source.locate(pointer.span.start)
    text = source.line(line)
    shown, before = _window(text.replace("\t", " "), column - 1)
    covered = min(pointer.span.end - pointer.span.start, len(shown) - before)
    marks = ("^" if arrow == "-->" else "-") * max(covered, 1)
    return [
        f" {'':{margin}}{arrow} {pointer.span.place}",
        f" {'':{margin}} |",
        f" {line:>{margin}} | {shown}".rstrip(),
        f" {'':{margin}} | {' ' * before}{marks} {pointer.text}".rstrip(),
    ]


def _window(text: str, place: int) -> tuple[str, int]:
    """A line, or where it is too wide the part around `place`, and where `place` is in it."""
    if len(text) <= WIDEST:
        return text, place
    start = max(min(place - WIDEST // 4, len(text) - WIDEST), 0)
    left, right = "..." * (start > 0), "..." * (start + WIDEST < len(text))
    return f"{left}{text[start : start + WIDEST]}{right}", place - start + len(left)


def listing(names: Iterable[object], most: int | None = None) -> str:
    """Names as a message lists them, of many the first and how many more there are."""
    every = [f"`{name}`" for name in names]
    shown = every[:most]
    more = f" and {len(every) - len(shown)} more" if len(shown) < len(every) else ""
    return ", ".join(shown) + more


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A help text that names the nearest candidate, or None where nothing is near."""
    by_folded = {name.casefold(): name for name in islice(candidates, MOST_CANDIDATES)}
    folded = word.casefold()
    near = get_close_matches(folded, by_folded, n=5, cutoff=0.6)
    if not near:
        return None
    # Of equally near names, the one that agrees in most places: E2O3 is E203 rather than E523.
    scores = {name: SequenceMatcher(None, name, folded).ratio() for name in near}
    tied = [name for name in near if scores[name] == scores[near[0]]]
    nearest = max(tied, key=lambda name: sum(map(eq, folded, name)))
    return f"did you mean `{by_folded[nearest]}`?"
