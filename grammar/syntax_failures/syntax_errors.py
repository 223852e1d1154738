"""A failure of the parser to a diagnostic that names the fix.

Most messages come from a table of labelled examples (`malformed.py`): each malformed text is parsed
once, and the parser's state and the type of the token at which it stops are the key of its message.
The rest is found from the text around the failure (`mistakes.py`).
"""

import re
from bisect import bisect_right
from collections.abc import Callable

from ..diagnostics import Diagnostic, NetError
from ..lexing.automaton import Failure
from ..source import Source, Span
from ..translation.programs import foreign_program
from ..translation.sketches import sketched_chain, sketched_lines
from ..translation.typeset import plain
from .cuts import find_cuts, previous_token
from .expected import described
from .malformed import EXAMPLES, MalformedExample
from .mistakes import Place, find_mistake

MAX_REPORTED = 20  # syntax errors in one run

_BOUND = re.compile(r"\s*\w+\s*=(?!=)\s*")

_DOLLAR = re.compile(r"\bas\s+\w+\$\{?\w+\}?(?!\$)")

Outcome = Failure | NetError
Attempt = Callable[[Source, int], Outcome | None]
ExampleTable = dict[tuple[int, str], MalformedExample]


def build_table(attempt: Attempt) -> ExampleTable:
    """The examples by (state, type) of their failures; the first of two that share a key wins.

    Raises:
        ValueError: If an example parses or stops the lexer: the table would have a hole.
    """
    table: ExampleTable = {}
    for example in EXAMPLES:
        for text in example.texts:
            failure = attempt(Source("<example>", text), 0)
            if not isinstance(failure, Failure) or not failure.type:
                raise ValueError(f"no example of a syntax error: {text!r}")
            table.setdefault((failure.state, "" if example.any_token else failure.type), example)
    return table


def report(source: Source, first: Outcome, attempt: Attempt, table: ExampleTable) -> NetError:
    """All syntax errors of a text, found by parsing on from the statement after each failure.

    At most `MAX_REPORTED` are reported, and at most four times the text is parsed for them.
    """
    foreign = foreign_program(source) or _sketch(source) or _typeset(source, attempt)
    if foreign is not None:
        return NetError([foreign])
    cuts = find_cuts(source)
    found: list[Diagnostic] = []
    start, budget = 0, 4 * len(source.text)
    outcome: Outcome | None = first
    while outcome is not None:
        if isinstance(outcome, NetError):
            found.extend(outcome.diagnostics)
        else:
            # The statement before may be to blame, too: for an arrow without a step after it.
            piece = bisect_right(cuts, outcome.span.start) - 2
            found.append(explain(outcome, max(start, cuts[piece] if piece >= 0 else 0), table))
        span = found[-1].span
        end = max(start, span.start if span else 0)
        after = bisect_right(cuts, end)
        budget -= end - start
        if after == len(cuts) or budget < 0 or len(found) >= MAX_REPORTED:
            break
        start = cuts[after]
        outcome = attempt(source, start)
    return NetError([each for i, each in enumerate(found) if each not in found[:i]])


def _sketch(source: Source) -> Diagnostic | None:
    """The one diagnostic of a text whose lines are sketches of steps."""
    sketch = sketched_lines(source.text)
    if sketch is None:
        return None
    span = Span(source, sketch.start, sketch.end)
    message = "steps are joined by `->`, their arguments in parentheses"
    return Diagnostic("E011", message, span, help=f"write `{sketch.meant}`")


def _typeset(source: Source, attempt: Attempt) -> Diagnostic | None:
    """The one diagnostic of a program that is right in plain characters, and spelled in others.

    A single one of them is reported where it stands.
    """
    change = plain(source.text)
    if change is None or not change.text.strip():
        return None
    if change.changes == 1 and not change.is_markup:
        return None
    if _DOLLAR.search(source.text):  # which does not set a formula
        return None
    meant = Source(source.name, change.text)
    inside = foreign_program(meant) or _sketch(meant)
    if inside is None and attempt(meant, 0) is not None:
        return None
    lines, others = source.text.split("\n"), [_translated(s) for s in change.text.split("\n")]
    first = next(i for i, line in enumerate(lines) if [line] != others[i : i + 1])
    inner, start = lines[first].strip() or lines[first], source.line_starts[first]
    start += lines[first].index(inner)
    span = Span(source, start, start + len(inner))
    if inside is not None:
        return Diagnostic("E011", inside.message, span, help=inside.help)
    is_one = lines[:first] + lines[first + 1 :] == others[:first] + others[first + 1 :]
    meant_text = others[first] if is_one else "\n".join(others)
    help = f"write `{meant_text.strip()}`"
    return Diagnostic("E010", "a program is written in plain characters", span, help=help)


def _translated(line: str) -> str:
    """A line of a program, its chain in netc's words."""
    bound = _BOUND.match(line)
    sketch = sketched_chain(line, bound.end() if bound else 0, len(line))
    return line if sketch is None else line[: sketch.start] + sketch.meant + line[sketch.end :]


def explain(
    failure: Failure, start: int, table: ExampleTable, *, statement: bool = True
) -> Diagnostic:
    """The diagnostic for a failure in a statement, or in a value, that starts at `start`."""
    before = previous_token(failure.span.source, start, failure.span.start)
    place = Place(failure, start, before)
    mistake = find_mistake(place, statement=statement)
    if mistake is not None:
        return mistake
    example = table.get((failure.state, failure.type)) or table.get((failure.state, ""))
    if example is None or not failure.type:
        return _unexpected(place)
    lacks = example.behind or failure.type == "$END" or (example.any_token and place.ends)
    span = place.behind if lacks else failure.span
    message = example.message.format(found=failure.span.text)
    return Diagnostic(example.code, message, span, help=example.help)


def _unexpected(place: Place) -> Diagnostic:
    """What to say where nothing better is known."""
    failure = place.failure
    label = described(failure.expected)
    if failure.type == "$END":
        return Diagnostic("E012", "the text ends in the middle of a statement", place.behind, label)
    if not failure.type:
        character = failure.span.text
        message = f"`{character}` is not part of the language"
        return Diagnostic("E010", message, failure.span, help="remove it, or put it in a string")
    if place.starts_line and place.before is not None:
        return Diagnostic("E011", "a statement breaks off", place.behind, label)
    return Diagnostic("E011", f"`{failure.span.text}` does not fit here", failure.span, label)
