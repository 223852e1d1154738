"""Chains of one structure -> a block's body with parameters, and each chain as a call of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .spelling import spelled
from .tree import (
    Argument,
    Call,
    Chain,
    Choice,
    Group,
    Loop,
    Reference,
    Step,
    Text,
    Value,
    inner_chains,
    with_chains,
)

# What a parameter is called, by the argument that it is for.
NAMES = {"filters": "width", "units": "width", "count": "n", "stop": "n"}
Column = list[
    Value | None
]  # an argument's value in each chain; None where the chain has no such call


def aligned(a: Chain, b: Chain) -> bool:
    """Whether chains differ in values only, and in branches that one of them lacks."""
    return len(a) == len(b) and all(map(_alike, a, b))


def _alike(a: Step, b: Step) -> bool:
    if isinstance(a, Call) and isinstance(b, Call):
        names = [[argument.name for argument in call.arguments] for call in (a, b)]
        same = (a.kind, a.label) == (b.kind, b.label)
        return same and names[0] == names[1] and fixed(a) == fixed(b)
    if isinstance(a, Group) and isinstance(b, Group):
        return len(a.branches) == len(b.branches) and all(
            not x or not y or aligned(x, y) for x, y in zip(a.branches, b.branches, strict=True)
        )
    if isinstance(a, Loop) and isinstance(b, Loop):
        heads = [(loop.label, loop.head, loop.variable) for loop in (a, b)]
        return heads[0] == heads[1] and aligned(a.body, b.body)
    return a == b


def fixed(call: Call) -> list[Value]:
    """What a parameter cannot be: the operator's name, and layers by name."""
    return [a.value for a in call.arguments if not a.name or a.names]


@dataclass(eq=False)
class Parameter:
    """A parameter of a block, its value in each call, and what holds where none is given."""

    name: str
    values: Column
    kind: str
    default: Value | None = None


@dataclass(eq=False)
class Template:
    """A block's body, and its parameters."""

    size: int
    body: Chain = ()
    found: list[Parameter] = field(default_factory=list)
    channels: Parameter | None = None  # of what comes in
    looping: bool = False  # whether `in` would be what comes into the loop
    owner: str = ""  # the label of the call whose arguments are aligned

    def parameters(self) -> tuple[str, ...]:
        """The parameters as the block's definition states them."""
        return tuple(
            p.name if p.default is None else f"{p.name}={spelled(p.default)}"
            for p in self.ordered()
        )

    def calls(self) -> list[tuple[Argument, ...]]:
        """The arguments of each call."""
        return [
            tuple(
                Argument(p.name, _given(p.values, place), bare=p.default is None, default=p.default)
                for p in self.ordered()
            )
            for place in range(self.size)
        ]

    def ordered(self) -> list[Parameter]:
        """The parameters, those with defaults last."""
        return sorted(self.found, key=lambda p: p.default is not None)

    def chain(self, chains: Sequence[Chain | None]) -> Chain:
        """The body's chain for chains of the calls; None where a call has no such chain."""
        first = next(chain for chain in chains if chain is not None)
        return tuple(
            self.step([None if chain is None else chain[place] for chain in chains])
            for place in range(len(first))
        )

    def step(self, steps: Sequence[Step | None]) -> Step:
        """The body's step for steps of the calls."""
        first = next(step for step in steps if step is not None)
        if isinstance(first, Call):
            self.owner = first.label or ""
            arguments = tuple(
                self._argument([s.arguments[place] if isinstance(s, Call) else None for s in steps])
                for place in range(len(first.arguments))
            )
            label = self.name([getattr(s, "label", None) for s in steps])
            named = any(getattr(s, "named", False) for s in steps)
            return replace(first, arguments=arguments, path="", label=label, named=named)
        if isinstance(first, Reference):
            return Reference(self.name([getattr(s, "name", None) for s in steps]) or first.name)
        if isinstance(first, Group):
            branches = [
                self._branch([s.branches[place] if isinstance(s, Group) else None for s in steps])
                for place in range(len(first.branches))
            ]
            return Group(tuple(branches))
        if isinstance(first, Loop):
            loops = [s if isinstance(s, Loop) else None for s in steps]
            stops = [None if s is None else s.stop for s in loops]
            starts = [None if s is None else s.start for s in loops]
            outside, self.looping = self.looping, True
            first = replace(
                first,
                stop=self.value("stop", stops, None) if not first.head else first.stop,
                start=self.value("start", starts, None) if not first.head else first.start,
                label=self.name([None if s is None else s.label for s in loops]),
            )
            body = self.chain([None if s is None else s.body for s in loops])
            self.looping = outside
            return with_chains(first, (body,))
        inner = [
            self.chain([None if s is None else inner_chains(s)[i] for s in steps])
            for i in range(len(inner_chains(first)))
        ]
        return with_chains(first, tuple(inner))

    def name(self, names: Sequence[str | None]) -> str | None:
        """A label or a reference, which is the same in all calls that have it."""
        return next((name for name in names if name is not None), None)

    def _branch(self, branches: Sequence[Chain | None]) -> Chain:
        """A branch, which is a choice where some calls lack it."""
        there: Column = [None if branch is None else bool(branch) for branch in branches]
        known = {flag for flag in there if flag is not None}
        if known == {False}:
            return ()
        present = [branch or None for branch in branches]
        if known == {True}:
            return self.chain(present)
        label = next(b for b in present if b)[0]
        name = getattr(label, "label", None) or "branch"
        name = name.partition(".")[0]
        flag = self.parameter(name if name.isidentifier() else "branch", "flag", there, False)
        return (Choice(flag.name, self.chain(present)),)

    def _argument(self, given: Sequence[Argument | None]) -> Argument:
        first = next(argument for argument in given if argument is not None)
        values: Column = [None if a is None else a.value for a in given]
        return replace(first, value=self.value(first.name, values, first.default))

    def value(self, name: str, values: Column, default: Value | None) -> Value:
        """A value where all calls agree, else an expression of parameters."""
        known = [value for value in values if value is not None]
        if all(value == known[0] and type(value) is type(known[0]) for value in known):
            return known[0]
        stem = name.rstrip("0123456789")  # what a parameter of a block within is for
        kind = NAMES.get(stem, stem)
        for parameter in self._known(kind, values):
            if (text := _as_multiple(parameter, values, kind)) is not None:
                if text == parameter.name:
                    parameter.values = _completed(parameter.values, values)
                return Text(text)
        common = max(known, key=known.count)
        default = default if common == default and kind not in NAMES.values() else None
        return Text(self.parameter(kind, kind, values, default).name)

    def _known(self, kind: str, values: Column) -> list[Parameter]:
        """What a value may be computed from, what is the same first."""
        own = self.channels if not self.looping else None
        known = [*self.found] if own is None else [*self.found, own]
        return sorted(known, key=lambda p: p.kind != kind or not _agree(p.values, values))

    def parameter(self, name: str, kind: str, values: Column, default: Value | None) -> Parameter:
        """A parameter of a name that is free, or one that has the same values."""
        for known in self.found:
            if known.kind == kind and _agree(known.values, values):
                known.values = _completed(known.values, values)
                return known
        taken = {p.name for p in self.found}
        owner = re.match(r"[a-z]{3,}", self.owner)
        free, number = name, 1
        if free in taken and owner is not None:
            free = name = f"{owner[0]}_{name}"
        while free in taken:
            number += 1
            free = f"{name}{number}"
        made = Parameter(free, list(values), kind, default)
        self.found.append(made)
        return made


def template_of(chains: Sequence[Chain]) -> Template:
    """The block that aligned chains are calls of."""
    template = Template(len(chains))
    entering: Column = [channels_into(chain) for chain in chains]
    if None not in entering and len(set(map(str, entering))) > 1:
        template.channels = Parameter("in.channels", entering, "width")
    template.body = template.chain(chains)
    return template


def channels_into(chain: Chain) -> int | None:
    """The channels of what a chain continues from, where they are known."""
    first = chain[0] if chain else None
    if isinstance(first, Call):
        return first.channels
    found = (channels_into(inner) for inner in inner_chains(first)) if first is not None else ()
    return next((channels for channels in found if channels is not None), None)


def _agree(known: Column, values: Column) -> bool:
    pairs = [p for p in zip(known, values, strict=True) if None not in p]
    return bool(pairs) and all(k == v and type(k) is type(v) for k, v in pairs)


def _completed(known: Column, values: Column) -> Column:
    return [v if k is None else k for k, v in zip(known, values, strict=True)]


def _as_multiple(parameter: Parameter, values: Column, kind: str) -> str | None:
    """Values as those of a parameter of the same kind, or a multiple or a part of these."""
    if parameter.kind != kind and (parameter.kind, kind) != ("width", "groups"):
        return None
    if _agree(parameter.values, values):
        return parameter.name
    pairs = [p for p in zip(parameter.values, values, strict=True) if None not in p]
    numbers = [(k, v) for k, v in pairs if type(k) is int and type(v) is int and k > 0 and v > 0]
    if len(numbers) < len(pairs) or kind not in ("width", "groups"):
        return None
    if len(set(numbers)) < 2:  # which may be chance
        return None
    factors = {v / k for k, v in numbers}
    factor = factors.pop()
    if factors:
        return None
    if factor.is_integer():
        return f"{int(factor)} * {parameter.name}"
    part = 1 / factor
    return f"{parameter.name} // {int(part)}" if part.is_integer() else None


def _given(values: Column, place: int) -> Value:
    """The value in a call; one that has no such step may give any."""
    value = values[place]
    return value if value is not None else next(v for v in values if v is not None)
