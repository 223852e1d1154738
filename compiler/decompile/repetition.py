"""Like steps in a row -> repetitions, and loops over the numbers in which they differ."""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from .alignment import Template, fixed
from .automatic import without_automatic
from .spelling import is_reference, spelled
from .tree import Call, Chain, Choice, Loop, Reference, Step, calls_in, inner_chains, with_chains
from .writing import chain_text

LEAST_UNLIKE = 3  # how many turns with other numbers are worth a list
LONGEST_PERIOD = 64  # steps that are looked for again behind them
LONGEST_HEAD = 80  # characters before the body
MOST_TRIED = 12  # turns of which any may be left out
MOST_LISTED = 4  # numbers in which turns may differ
# Of what is written without a repetition, what may be written with one at most: in a block, whose
# calls may repeat the same more often, it may be more.
WORTH = 0.85
WORTH_IN_BLOCKS = 1.25
VARIABLES = "ijkl"
_TOKENS = re.compile(r"(\{[^}]*\}|(?<!\d)(?:0|[1-9]\d*)(?!\d))")


def with_repetitions(chain: Chain, worth: float = WORTH) -> Chain:
    """The chain with repetitions for what follows itself, shortest periods first."""
    steps = tuple(
        with_chains(s, tuple(with_repetitions(c, worth) for c in inner_chains(s))) for s in chain
    )
    period = 1
    while period <= min(len(steps) // 2, LONGEST_PERIOD):
        shorter = _with_period(steps, period, worth)
        period = period + 1 if shorter is None else 1
        steps = shorter or steps
    return steps


def outermost_first(chain: Chain, names: Mapping[str, str] = MappingProxyType({})) -> Chain:
    """The chain whose loops count with `i`, and those within them with `j`."""
    steps: list[Step] = []
    for step in chain:
        inner = names
        if isinstance(step, Loop) and step.variable:
            own = VARIABLES[len(names)]
            inner = {**names, step.variable: own}
            head = step.head.replace(f"({step.variable},", f"({own},", 1)
            step = replace(step, head=head, variable=own)
        if isinstance(step, Call | Loop) and step.label is not None:
            step = replace(step, label=_renamed(step.label, inner))
        elif isinstance(step, Reference):
            step = Reference(_renamed(step.name, inner))
        branches = tuple(outermost_first(branch, inner) for branch in inner_chains(step))
        steps.append(with_chains(step, branches))
    return tuple(steps)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """A label or a name with other names for the numbers of turns."""

    def in_hole(hole: re.Match[str]) -> str:
        return re.sub(r"\b[a-z]\b", lambda word: names.get(word[0], word[0]), hole[0])

    return re.sub(r"\{[^}]*\}", in_hole, text)


def _with_period(steps: Chain, period: int, worth: float) -> Chain | None:
    """The chain with all series of a period that are worth it; None where there is none."""
    numbers: dict[Hashable, int] = {}
    shapes = [numbers.setdefault(_shape(step), len(numbers)) for step in steps]
    found: list[Step] = []
    place = 0
    while place < len(steps):
        count = _turns(shapes, place, period)
        phases = range(place, place + period) if count > 1 else ()
        later = [p for p in phases if _turns(shapes, p, period) == count]
        start = next((p for p in later if not _is_plain(steps[p])), place)
        end = start + count * period
        turns = [steps[at : at + period] for at in range(start, end, period)]
        made = _repeated(turns, worth) if count > 1 else None
        if made is None:
            found.append(steps[place])
            place += 1
        else:
            found += (*steps[place:start], *made)
            place = end
    return tuple(found) if len(found) < len(steps) else None


def _turns(shapes: Sequence[Hashable], start: int, period: int) -> int:
    """How often a period of steps is there in a row, by their shapes."""
    count = 1
    if shapes[start] != shapes[min(start + period, len(shapes) - 1)]:
        return count
    first = shapes[start : start + period]
    while (
        len(first) == period
        and shapes[start + count * period : start + (count + 1) * period] == first
    ):
        count += 1
    return count


def _is_plain(step: Step) -> bool:
    """Whether a step follows others, as activations do, and begins nothing."""
    return isinstance(step, Call) and step.label is None and len(step.arguments) < 2


def _shape(step: Step) -> Hashable:
    """What steps have in common that differ in numbers alone, those in names among them."""
    inner = tuple(tuple(map(_shape, chain)) for chain in inner_chains(step))
    if isinstance(step, Call):
        names = tuple(argument.name for argument in step.arguments)
        return step.kind, names, tuple(map(repr, fixed(step))), _pattern(step.label)
    if isinstance(step, Reference):
        return "name", _pattern(step.name)
    if isinstance(step, Loop):
        return "loop", step.head, step.variable, _pattern(step.label), inner
    return (step.condition if isinstance(step, Choice) else type(step).__name__), inner


def _pattern(name: str | None) -> Hashable:
    return None if name is None else _TOKENS.sub("#", name)


def _repeated(turns: list[Chain], worth: float) -> Chain | None:
    """Turns as repetitions: all as one, or those alike; None where neither is worth it."""
    plain = _joined(turns)
    options = [option for option in (_looped(turns), _in_parts(turns)) if option is not None]
    best = min(options, key=_length, default=plain)
    limit = WORTH if any(isinstance(s, Loop) and s.head for s in best) else worth
    return best if best != plain and _length(best) <= limit * _length(plain) else None


def _length(chain: Chain) -> int:
    return len(chain_text(chain))


def _in_parts(turns: list[Chain]) -> Chain:
    """Loops for like turns among others, and one for a series of unlike ones."""
    parts: list[list[Chain]] = []
    for turn in turns:
        if parts and _looped([*parts[-1], turn], listed=False) is not None:
            parts[-1].append(turn)
        else:
            parts.append([turn])
    found: list[Step] = []
    singles: list[Chain] = []
    for part in [*parts, []]:
        if len(part) == 1:
            singles += part
            continue
        found += _listed_in_part(singles)
        singles = []
        found += (_looped(part) if part else None) or ()
    return tuple(found)


def _listed_in_part(turns: list[Chain]) -> Chain:
    """Unlike turns with the series among them as a loop that leaves least to write."""
    plain = _joined(turns)
    options = [plain]
    last = len(turns)
    for start in range(last - LEAST_UNLIKE + 1 if last <= MOST_TRIED else 1):
        for end in range(start + LEAST_UNLIKE if last <= MOST_TRIED else last, last + 1):
            made = _looped(turns[start:end]) if end - start >= LEAST_UNLIKE else None
            if made is not None:
                options.append((*_joined(turns[:start]), *made, *_joined(turns[end:])))
    best = min(options, key=_length)
    return best if _length(best) <= WORTH * _length(plain) else plain


def _joined(turns: Sequence[Chain]) -> Chain:
    return tuple(step for turn in turns for step in turn)


def _looped(turns: list[Chain], *, listed: bool = True) -> Chain | None:
    """Turns as one loop; None where none says them."""
    template = Turns(len(turns), _variable(turns))
    try:
        body = template.chain(turns)
        if template.found and template.first:  # `enumerate` counts from 0
            template = Turns(len(turns), template.variable, first=0)
            body = template.chain(turns)
    except Unlike:
        return None
    names = [p.name for p in template.ordered()]
    if names and (not listed or len(turns) < LEAST_UNLIKE or len(names) > MOST_LISTED):
        return None
    variable = template.variable if template.counts else ""
    rows = [[argument.value for argument in call] for call in template.calls()]
    head = _listed(names, rows, variable) if names else ""
    if len(head) > LONGEST_HEAD:
        return None
    first = template.first or 0
    loop = Loop(body, first, first + len(turns), head, None, variable)
    return (_scoped(loop),)


def _variable(turns: Sequence[Chain]) -> str:
    """A name for the number of the turn that no loop within has."""
    taken = {v for turn in turns for v in _variables(turn)}
    return next(name for name in VARIABLES if name not in taken)


def _variables(chain: Chain) -> Iterator[str]:
    for step in chain:
        if isinstance(step, Loop):
            yield from step.variable
        for inner in inner_chains(step):
            yield from _variables(inner)


def _listed(names: Sequence[str], rows: Sequence[Sequence[Any]], variable: str) -> str:
    """What stands between `for` and the body of a loop over rows of numbers."""
    texts = [", ".join(map(spelled, row)) for row in rows]
    items = ", ".join(texts if len(names) == 1 else (f"({text})" for text in texts))
    target = names[0] if len(names) == 1 else f"({', '.join(names)})"
    return (
        f"({variable}, {target}) in enumerate([{items}])" if variable else f"{target} in [{items}]"
    )


class Unlike(Exception):
    """Names do not count up from turn to turn."""


class Turns(Template):
    """The body of a loop, for what its turns are."""

    def __init__(self, size: int, variable: str, first: int | None = None) -> None:
        super().__init__(size)
        self.variable = variable
        self.first = first  # the number of the first turn; None as long as no name determines it
        self.counts = False

    def name(self, names: Sequence[str | None]) -> str | None:
        """A name with the number of the turn in the place of what counts up."""
        given = [name for name in names if name is not None]
        if len(set(given)) < 2:
            return given[0] if given else None
        columns = list(zip(*(_TOKENS.split(name) for name in given), strict=True))
        text = "".join(self._part(column, place, columns) for place, column in enumerate(columns))
        if not is_reference(_TOKENS.sub("0", text)) and not text.startswith("{"):
            raise Unlike
        return text

    def _part(self, column: Sequence[str], place: int, columns: Sequence[Sequence[str]]) -> str:
        if len(set(column)) == 1:
            return column[0]
        if not all(text.isdigit() for text in column):
            raise Unlike
        numbers = [int(text) for text in column]
        step = numbers[1] - numbers[0]
        if any(b - a != step for a, b in pairwise(numbers)):
            raise Unlike
        before = "".join(columns[place - 1][:1]) if place else ""
        self.counts = True
        if self.first is None:
            # A number alone counts what a loop counts; one behind a word starts at 1.
            is_index = step == 1 and (not before or before.endswith(".") or numbers[0] != 1)
            self.first = numbers[0] if is_index else 0
        return f"{{{_linear(step, self.variable, numbers[0] - step * self.first)}}}"


def _linear(factor: int, variable: str, offset: int) -> str:
    text = variable if abs(factor) == 1 else f"{abs(factor)} * {variable}"
    if factor < 0:
        return f"{offset} - {text}"
    return f"{text} {'+' if offset > 0 else '-'} {abs(offset)}" if offset else text


def _scoped(loop: Loop) -> Loop:
    """A loop whose turns are scopes, where all labels in it are in one that counts up."""
    labels = [call.label for call in calls_in(loop.body) if call.label is not None]
    scope = _scope(labels, loop.variable)
    if not scope or not all(label.startswith(f"{scope}.") for label in labels):
        return loop
    body = _relative(loop.body, f"{scope}.")
    if body is None:
        return loop
    body = with_repetitions(without_automatic(body))
    counted = f".{{{loop.variable}}}"
    if scope.endswith(counted) and (loop.head or loop.start == 0):
        head = re.sub(rf"\({loop.variable}, (.*)\) in enumerate\((.*)\)", r"\1 in \2", loop.head)
        return replace(loop, body=body, head=head, label=scope.removesuffix(counted), variable="")
    return replace(loop, body=body, label=scope)


def _scope(labels: Sequence[str], variable: str) -> str:
    """The scope, as the first label has it, that ends with what counts up."""
    parts = labels[0].split(".") if labels and variable else []
    places = [i for i, part in enumerate(parts) if re.search(rf"\{{[^}}]*\b{variable}\b", part)]
    return ".".join(parts[: places[-1] + 1]) if places and places[-1] + 1 < len(parts) else ""


def _relative(chain: Chain, prefix: str) -> Chain | None:
    """A chain with names relative to a scope; None where it uses others."""
    steps: list[Step] = []
    for step in chain:
        if isinstance(step, Reference) and not step.name.startswith(prefix):
            return None
        if isinstance(step, Call) and any(a.name == "share" for a in step.arguments):
            return None
        if isinstance(step, Reference):
            steps.append(Reference(step.name.removeprefix(prefix)))
            continue
        inner = [_relative(branch, prefix) for branch in inner_chains(step)]
        if any(branch is None for branch in inner):
            return None
        if isinstance(step, Call | Loop) and step.label is not None:
            step = replace(step, label=step.label.removeprefix(prefix))
        steps.append(with_chains(step, tuple(b for b in inner if b is not None)))
    return tuple(steps)
