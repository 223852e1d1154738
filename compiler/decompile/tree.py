"""What a program's chains consist of, while they are made: steps, and values of arguments."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """An argument's value as a program spells it: `3x3`, `"CRD"`, `width * 4`."""

    text: str


Value = int | bool | Text


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call.

    Attributes:
        name: Its keyword.
        value: What is given; None where the default says it.
        bare: Whether it is written without its keyword.
        always: Whether it is written even where it is the default.
        default: What holds where it is left out; None where nothing does.
        names: Whether it names a layer, as `share=a` and `UNPOOL(pool=b)` do.
    """

    name: str
    value: Value
    bare: bool = False
    always: bool = False
    default: Value | None = None
    names: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a layer, an operator or a block.

    Attributes:
        kind: What is called.
        arguments: Its arguments, in order.
        path: The path of the layer in the graph; empty where it has none.
        label: What the step is labelled; None where it is not.
        channels: Of what it takes; None where that has none.
        yields: How many tensors it yields.
        named: Whether the arguments of another call name it.
    """

    kind: str
    arguments: tuple[Argument, ...] = ()
    path: str = field(default="", compare=False)
    label: str | None = None
    channels: int | None = field(default=None, compare=False)
    yields: int = field(default=1, compare=False)
    named: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A value by its name, which starts a chain."""

    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """Parallel branches."""

    branches: "tuple[Chain, ...]"


@dataclass(frozen=True, slots=True)
class Loop:
    """A chain that is repeated.

    Attributes:
        body: What is repeated.
        start, stop: The numbers that it is repeated for, from the first to before the last.
        head: Or else what stands between `for` and the body.
        label: The scope of a turn, or what comes before the turn's number in it.
        variable: What the number of the turn is called; empty where nothing uses it.
    """

    body: "Chain"
    start: Value = 0
    stop: Value = 0
    head: str = ""
    label: str | None = None
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A chain that is there where a condition holds."""

    condition: str
    body: "Chain"


Step = Call | Reference | Group | Loop | Choice
Chain = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A chain, and what its end is bound to: `x = `, `(a, b) = `, `output y = `."""

    chain: Chain
    target: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's definition; parameters are names, or names with defaults."""

    name: str
    parameters: tuple[str, ...]
    body: Chain


def calls_in(chain: Chain) -> Iterator[Call]:
    """All calls of a chain, at any depth, in order."""
    for step in chain:
        if isinstance(step, Call):
            yield step
        for inner in inner_chains(step):
            yield from calls_in(inner)


def named_by(call: Call) -> Iterator[str]:
    """The layers that a call's arguments name."""
    for argument in call.arguments:
        if argument.names and isinstance(argument.value, Text):
            yield argument.value.text.strip('"')


def references_in(chain: Chain) -> Iterator[Reference]:
    """All references of a chain, at any depth, in order."""
    for step in chain:
        if isinstance(step, Reference):
            yield step
        for inner in inner_chains(step):
            yield from references_in(inner)


def inner_chains(step: Step) -> tuple[Chain, ...]:
    """The chains within a step."""
    if isinstance(step, Group):
        return step.branches
    return (step.body,) if isinstance(step, Loop | Choice) else ()


def with_chains(step: Any, chains: tuple[Chain, ...]) -> Step:
    """A step with other chains within."""
    if isinstance(step, Group):
        return Group(chains)
    found: Step = replace(step, body=chains[0]) if isinstance(step, Loop | Choice) else step
    return found
