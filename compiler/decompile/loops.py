"""Series of like steps in a chain as loops."""

import re
from collections.abc import Iterator
from dataclasses import replace

from .spelling import is_reference
from .tree import Argument, Call, Chain, Loop, Step, Text, inner_chains, with_chains

LEAST_UNLIKE = 3  # how many calls with other numbers are worth a list
_NUMBERED = re.compile(r"(.*?)(0|[1-9]\d*)\Z")


def with_loops(chain: Chain) -> Chain:
    """The chain with loops for series of calls whose labels count up."""
    steps: list[Step] = []
    for run in _runs(chain):
        if len(run) > 1:
            steps += _looped(run)
            continue
        inner = tuple(map(with_loops, inner_chains(run[0])))
        steps.append(with_chains(run[0], inner))
    return tuple(steps)


def _runs(chain: Chain) -> Iterator[list[Step]]:
    """The chain cut into series of calls of one kind whose labels count up."""
    run: list[Step] = []
    for step in chain:
        if run and not _follows(run[-1], step):
            yield run
            run = []
        run.append(step)
    if run:
        yield run


def _follows(before: Step, step: Step) -> bool:
    if not isinstance(before, Call) or not isinstance(step, Call) or before.kind != step.kind:
        return False
    a, b = _numbered(before), _numbered(step)
    return a is not None and b is not None and a[0] == b[0] and a[1] + 1 == b[1]


def _numbered(call: Call) -> tuple[str, int] | None:
    """What comes before the number at the end of a call's label, and the number."""
    if call.label is None or "{" in call.label:
        return None
    found = _NUMBERED.match(call.label)
    if found is None:
        return None
    prefix = found[1]
    if prefix and not is_reference(f"{prefix}0"):
        return None
    return prefix, int(found[2])


def _looped(run: list[Step]) -> list[Step]:
    """Loops for like calls among a series, and for a series of unlike ones if it is long."""
    calls = [step for step in run if isinstance(step, Call)]
    alike: list[list[Call]] = []
    for call in calls:
        if alike and alike[-1][0].arguments == call.arguments:
            alike[-1].append(call)
        else:
            alike.append([call])
    steps: list[Step] = []
    singles: list[Call] = []
    for group in [*alike, []]:
        if len(group) == 1:
            singles += group
            continue
        steps += _listed(singles) if len(singles) >= LEAST_UNLIKE else singles
        singles = []
        if group:
            steps.append(_counted(group))
    return steps


def _counted(calls: list[Call]) -> Loop:
    """A loop over the numbers of like calls."""
    first = _numbered(calls[0])
    assert first is not None
    prefix, start = first
    body = replace(calls[0], label=f"{prefix}{{i}}")
    return Loop((body,), start=start, stop=start + len(calls))


def _listed(calls: list[Call]) -> list[Step]:
    """A loop over the values in which calls differ."""
    first = calls[0]
    if len({tuple(a.name for a in call.arguments) for call in calls}) > 1:
        return [*calls]
    places = [
        place
        for place in range(len(first.arguments))
        if len({repr(call.arguments[place].value) for call in calls}) > 1
    ]
    if not 1 <= len(places) <= 3:
        return [*calls]
    names = [first.arguments[place].name for place in places]
    rows = [", ".join(_text(call.arguments[place]) for place in places) for call in calls]
    items = ", ".join(rows if len(places) == 1 else (f"({row})" for row in rows))
    target = names[0] if len(places) == 1 else f"({', '.join(names)})"
    arguments: list[Argument] = []
    for place, argument in enumerate(first.arguments):
        held = place in places
        arguments.append(
            replace(argument, value=Text(argument.name), default=None) if held else argument
        )
    numbered = _numbered(first)
    assert numbered is not None
    prefix, start = numbered
    index = "{i}" if start == 0 else f"{{i + {start}}}"
    body = replace(first, arguments=tuple(arguments), label=f"{prefix}{index}")
    return [Loop((body,), head=f"(i, {target}) in enumerate([{items}])")]


def _text(argument: Argument) -> str:
    value = argument.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.text if isinstance(value, Text) else str(value)
