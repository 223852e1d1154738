"""A body that does the same with members whose names count up -> one turn of a loop."""

import re
from collections.abc import Sequence

from .bodies import ARGUMENT, Body, Line, Local, Member, masked, numbers_of
from .code import SUM, Code, Keyword, Number, Part, Ref, mapped

LEAST = 3  # members that are worth a loop
TURN = "{i}"  # what a member of a turn is called by
_NUMBERED = re.compile(r"(.*?[^\d])(0|[1-9]\d*)\Z")


def as_series(body: Body) -> Body:
    """The body as one turn, where its whole is that; else as it is.

    A series has one member of the kind `series`, whose construction begins with the number of
    turns, and the lines of a turn.
    """
    names = [_numbered(member) for member in body.members]
    first = names[0] if names else None
    if first is None or len(names) < LEAST or body.arguments != 1:
        return body
    word, start = first
    if names != [(word, start + i) for i in range(len(names))]:
        return body
    turns = _turns(body)
    construction = _counted([member.construction for member in body.members])
    if construction is None or not turns or any(turn != turns[0] for turn in turns):
        return body
    place = TURN if not start else f"{{i + {start}}}"
    count = Number(len(names), "layers")
    whole = Code((count, *construction.parts), construction.level)
    outputs = ((len(turns[0]) - 1, 0),)
    return Body([Member((word + place,), "series", whole)], turns[0], 1, outputs)


def _numbered(member: Member) -> tuple[str, int] | None:
    found = _NUMBERED.match(member.path[0])
    if found is None or len(member.path) > 1 or member.kind != "module":
        return None
    return found[1], int(found[2])


def _turns(body: Body) -> list[list[Line]]:
    """The lines of each turn, of what flows into it; none where something else does."""
    count = len(body.members)
    length, rest = divmod(len(body.lines), count)
    if rest or body.outputs != ((len(body.lines) - 1, 0),):
        return []
    turns: list[list[Line]] = []
    for place, member in enumerate(body.members):
        first = place * length
        flowing = (first - 1, 0) if place else (ARGUMENT, 0)
        lines = body.lines[first : first + length]
        turn = [_turned(line, member.path[0], first, flowing) for line in lines]
        if any(line is None for line in turn):
            return []
        turns.append([line for line in turn if line is not None])
    return turns


def _turned(line: Line, name: str, first: int, flowing: Local) -> Line | None:
    """A line of a turn; None where it takes what comes from outside."""
    inputs: list[Local] = []
    for local in line.inputs:
        if local != flowing and local[0] < first:
            return None
        inputs.append((ARGUMENT, 0) if local == flowing else (local[0] - first, local[1]))

    def renamed(part: Part) -> Code | None:
        if not isinstance(part, Ref):
            return None
        return Code((Ref(TURN if part.path == name else f"{part.path} of another turn"),))

    return Line(mapped(line.expression, renamed), tuple(inputs), line.results, line.heavy, "")


def _counted(constructions: Sequence[Code]) -> Code | None:
    """A member's construction in each turn, numbers that count up as sums."""
    if len(set(map(masked, constructions))) > 1:
        return None
    columns = zip(*([n.value for n in numbers_of(c)] for c in constructions), strict=True)
    steps: list[int] = []
    for column in columns:
        if len(set(map(repr, column))) == 1:
            steps.append(0)
            continue
        if not all(type(value) is int for value in column):
            return None
        step = column[1] - column[0]
        if step < 1 or any(value != column[0] + i * step for i, value in enumerate(column)):
            return None
        steps.append(step)
    remaining = iter(steps)

    def change(part: Part) -> Code | None:
        if isinstance(part, Keyword):
            return None if not next(remaining) else Code(("?",))
        if not isinstance(part, Number) or not (step := next(remaining)):
            return None
        return Code((part, " + ", Number(step, "growth"), " * i"), SUM)

    found = mapped(constructions[0], change)
    return None if any(part == "?" for part in found.parts) else found
