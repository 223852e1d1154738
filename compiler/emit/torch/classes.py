"""Bodies -> classes: blocks of one structure are one class, whose arguments are what differs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .blocks import Block
from .bodies import Body, Constructions, Line, Member
from .code import POSTFIX, PRODUCT, Code, Group, Keyword, Number, Part, keyword, mapped
from .names import is_place, variable
from .steps import Key, Path, Steps

CHANNELS = "channels"
MOST_MEMBERS = 64  # that are tried to be left out


@dataclass(slots=True)
class Argument:
    """An argument of a class: its name, its value in each instance, and a default."""

    name: str
    role: str
    values: tuple[Any, ...]
    default: Any = None


@dataclass(slots=True)
class Class:
    """A class that is written.

    Attributes:
        name: Its name.
        body: Its body, arguments in the place of numbers that differ.
        arguments: What it is constructed with.
        optional: Members by path, with the argument that says whether they are there.
        kept: Arguments that `forward` reads.
        inputs: What the first instance takes.
    """

    name: str
    body: Body
    arguments: list[Argument] = field(default_factory=list)
    optional: Mapping[Path, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    inputs: tuple[Key, ...] = ()


@dataclass(slots=True)
class _Instances:
    """Blocks of one structure: their bodies, and which of them lack the optional member."""

    blocks: list[Block]
    bodies: list[Body]
    optional: Path | None = None
    lacking: list[bool] = field(default_factory=list)


def classes_of(root: Block, found: Steps, name_of: Callable[[Block], str]) -> list[Class]:
    """All classes, inner ones first, the network's own last."""
    constructions = Constructions(found)
    heights: dict[Path, int] = {}
    waves: dict[int, list[Block]] = {}
    for block in root.blocks():
        inner = [heights[u.block.path] for u in block.units if u.block is not None]
        heights[block.path] = max(inner, default=0) + (block.chain is None)
        if block.chain is None:
            waves.setdefault(heights[block.path], []).append(block)
    classes: list[Class] = []
    taken: set[str] = set()
    for height in sorted(waves):
        for group in _merged(_grouped(waves[height], constructions)):
            name = _unique(name_of(group.blocks[0]), taken)
            made, calls = _class(name, group)
            classes.append(made)
            for block, construction in zip(group.blocks, calls, strict=True):
                constructions.calls[block.path] = construction
    return classes


def _unique(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}{number}"
    taken.add(found)
    return found


def _grouped(blocks: Sequence[Block], constructions: Constructions) -> list[_Instances]:
    groups: dict[object, _Instances] = {}
    for block in blocks:
        body = constructions.body(block)
        group = groups.setdefault(body.skeleton(), _Instances([], []))
        group.blocks.append(block)
        group.bodies.append(body)
    return list(groups.values())


def _merged(groups: list[_Instances]) -> list[_Instances]:
    """Groups that differ by one member alone as one, in which it is optional."""
    found: list[_Instances] = []
    skeletons = {g.bodies[0].skeleton(): g for g in groups}
    gone: set[int] = set()
    for group in groups:
        body = group.bodies[0]
        for place, member in enumerate(body.members[:MOST_MEMBERS]):
            less = body.without(place)
            other = None if less is None else skeletons.get(less.skeleton())
            if other is None or other is group or {id(other), id(group)} & gone:
                continue
            merged = _with_optional(group, other, member, place)
            if merged is not None:
                gone |= {id(other), id(group)}
                found.append(merged)
                break
    kept = [g for g in groups if id(g) not in gone]
    return sorted([*found, *kept], key=lambda g: in_order(g.blocks[0].path))


def _with_optional(
    group: _Instances, other: _Instances, member: Member, place: int
) -> _Instances | None:
    """Two groups as one; None where the member's numbers are not those of other members."""
    pairs = [(b, body, False) for b, body in zip(group.blocks, group.bodies, strict=True)]
    pairs += [(b, body, True) for b, body in zip(other.blocks, other.bodies, strict=True)]
    pairs.sort(key=lambda pair: in_order(pair[0].path))
    blocks, bodies, lacking = zip(*pairs, strict=True)
    return _Instances(list(blocks), list(bodies), member.path, list(lacking))


def in_order(path: Path) -> tuple[Any, ...]:
    """What paths are sorted by: numbers as such."""
    return tuple((int(part), "") if is_place(part) else (0, part) for part in path)


def _class(name: str, group: _Instances) -> tuple[Class, list[Code]]:
    """The class of a group, and how each instance is constructed."""
    model = next(b for b, lacks in _with_lacking(group) if not lacks)
    columns = _columns(group, model)
    arguments = _Arguments()
    texts = [
        arguments.text(number, column, member)
        for (number, member), column in zip(_with_members(model), columns, strict=True)
    ]
    optional: dict[Path, str] = {}
    if group.optional is not None:
        flag = group.optional[-1]
        optional[group.optional] = flag
        arguments.add_flag(flag, tuple(not lacks for lacks in group.lacking))
    arguments.found.sort(key=lambda argument: argument.default is not None)
    body = _replaced(model, texts)
    constructed = sum(len(_numbers(m.construction)) for m in model.members)
    used = [n for n in arguments.uses[constructed:] if n is not None]
    made = Class(name, body, arguments.found, optional, list(dict.fromkeys(used)))
    made.inputs = group.blocks[0].inputs
    calls = [_call(made, index) for index in range(len(group.blocks))]
    return made, calls


def _with_members(body: Body) -> list[tuple[Number, str]]:
    """All numbers with the name of the member that they belong to, where it has one."""
    found = []
    for member in body.members:
        name = next((part for part in reversed(member.path) if not is_place(part)), "")
        found += [(number, name) for number in _numbers(member.construction)]
    return [*found, *((number, "") for number in body.numbers()[len(found) :])]


def _with_lacking(group: _Instances) -> list[tuple[Body, bool]]:
    lacking = group.lacking or [False] * len(group.bodies)
    return list(zip(group.bodies, lacking, strict=True))


def _columns(group: _Instances, model: Body) -> list[tuple[Any, ...]]:
    """For each number of the model its value in every instance; None where it is not there."""
    skipped: set[int] = set()
    if group.optional is not None:
        start = 0
        for member in model.members:
            count = len(list(_numbers(member.construction)))
            if member.path == group.optional:
                skipped = set(range(start, start + count))
            start += count
    rows = []
    for body, lacks in _with_lacking(group):
        own = [n.value for n in body.numbers()]
        if lacks:
            for place in sorted(skipped):
                own.insert(place, None)
        rows.append(own)
    return list(zip(*rows, strict=True))


def _numbers(expression: Code) -> list[Number]:
    return Body([Member((), "module", expression)]).numbers()


def _replaced(body: Body, texts: Sequence[str | None]) -> Body:
    """A body with arguments' names in the place of numbers that differ."""
    remaining = iter(texts)

    prefix = ""

    def change(part: Part) -> Code | None:
        if isinstance(part, Number):
            text = next(remaining)
            return None if text is None else _argument_code(text, prefix)
        if isinstance(part, Keyword):
            text = next(remaining)
            return None if text is None else keyword(part.name, _argument_code(text, prefix))
        return None

    members = [Member(m.path, m.kind, mapped(m.construction, change)) for m in body.members]
    prefix = "self."
    lines = [
        Line(mapped(o.expression, change), o.inputs, o.results, o.heavy, o.layer)
        for o in body.lines
    ]
    return Body(members, lines, body.arguments, body.outputs)


def _argument_code(text: str, prefix: str) -> Code:
    """An argument, or a multiple of one; `forward` reads it off the module."""
    factor, _, name = text.rpartition(" * ")
    level = PRODUCT if " " in text else POSTFIX
    return Code((f"{factor} * {prefix}{name}" if factor else prefix + name,), level)


def _family(role: str) -> str:
    """What numbers may share an argument."""
    return CHANNELS if "channels" in role or "features" in role else role


class _Arguments:
    """The arguments of a class, found number by number."""

    def __init__(self) -> None:
        self.found: list[Argument] = []
        self.uses: list[str | None] = []  # the argument that each number is written with

    def text(self, number: Number, column: tuple[Any, ...], member: str) -> str | None:
        """What stands for a number: None where it is the same in all instances."""
        text = self._text(number, column, member)
        self.uses.append(None if text is None else re.sub(r"^\d+ \* | // 2$", "", text))
        return text

    def _text(self, number: Number, column: tuple[Any, ...], member: str) -> str | None:
        given = [value for value in column if value is not None]
        is_same = len(set(map(repr, column))) == 1  # it is spelled
        for argument in self.found:
            if _family(argument.role) != _family(number.role):
                continue
            same = [
                type(a) is type(v) and a == v
                for a, v in zip(argument.values, column, strict=True)
                if v is not None
            ]
            if all(same) and not is_same:
                return argument.name
        if len(set(map(repr, given))) == 1:
            return None
        multiple = self._multiple(number.role, column)
        if multiple is not None:
            return multiple
        values = tuple(given[0] if value is None else value for value in column)
        name = self._name(number.role, member)
        argument = Argument(name, number.role, values, _default(number.role, values))
        self.found.append(argument)
        return argument.name

    def _multiple(self, role: str, column: tuple[Any, ...]) -> str | None:
        """`4 * channels` or `kernel_size // 2`, where it is that in all instances."""
        for argument in self.found:
            pairs = [(a, v) for a, v in zip(argument.values, column, strict=True) if v is not None]
            if not all(type(a) is int and type(v) is int and a > 0 for a, v in pairs):
                continue
            is_half = all(v == a // 2 for a, v in pairs)
            if is_half and (argument.role, role) == ("kernel_size", "padding"):
                return f"{argument.name} // 2"
            if _family(role) == _family(argument.role) == CHANNELS:
                factors = {v // a if v % a == 0 else 0 for a, v in pairs}
                if len(factors) == 1 and (factor := factors.pop()) > 1:
                    return f"{factor} * {argument.name}"
        return None

    def _name(self, role: str, member: str) -> str:
        """A name that is free: what it counts, else with the member that it belongs to."""
        names = {a.name for a in self.found}
        stem = role
        if role in names and member:
            stem = variable(f"{member}_{role.removeprefix('out_').removeprefix('in_')}")
        number, name = 1, stem
        while name in names:
            number += 1
            name = f"{stem}{number}"
        return name

    def add_flag(self, name: str, values: tuple[bool, ...]) -> None:
        """An argument that says whether a member is there."""
        self.found.append(Argument(name, name, values, False))


def _default(role: str, values: tuple[Any, ...]) -> Any:
    """The default of an argument that is mostly the same."""
    if isinstance(values[0], bool) or role in ("stride", "dilation", "groups", "padding"):
        return max(values, key=values.count)
    return None


def _call(made: Class, index: int) -> Code:
    """How an instance is constructed."""
    items: list[Code] = []
    for argument in made.arguments:
        value = argument.values[index]
        if argument.default is None:
            items.append(Code((Number(value, argument.name),)))
        else:
            items.append(
                Code((Keyword(argument.name, Number(value, argument.name), argument.default),))
            )
    return Code((made.name, Group(tuple(items))))
