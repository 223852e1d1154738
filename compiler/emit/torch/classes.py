"""Bodies -> classes: blocks of one structure are one class, whose arguments are what differs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .blocks import Block
from .bodies import Body, Constructions, Member
from .code import POSTFIX, PRODUCT, Code, Group, Keyword, Name, Number, Part, keyword
from .names import is_place, variable
from .optional import FIRST, RESIDUAL, Option, is_residual, options_of, with_numbers
from .series import as_series
from .steps import Key, Path, Steps

CHANNELS = "channels"
NOTHING = Name("None")  # for what is there in other instances alone
MOST_NESTED = 8  # classes within each other, for which those of one name are written as one
DEFAULTED = ("activation", "stride", "dilation", "groups", "padding")


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
    """Blocks of one structure.

    Attributes:
        blocks: The blocks.
        bodies: Their bodies; a number is None where a block lacks what it is of.
        flags: What says whether something is there, and whether it is in each block.
        optional: Members that may not be there, by path, with their flags.
        kept: Flags that `forward` reads.
    """

    blocks: list[Block]
    bodies: list[Body]
    flags: dict[str, list[bool]] = field(default_factory=dict)
    optional: dict[Path, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def classes_of(root: Block, found: Steps, name_of: Callable[[Block], str]) -> list[Class]:
    """All classes, inner ones first, the network's own last."""
    constructions = Constructions(found)
    heights = _heights(root, name_of)
    waves: dict[int, list[Block]] = {}
    for block in root.blocks():
        if block.chain is None:
            waves.setdefault(heights[block.path], []).append(block)
    classes: list[Class] = []
    taken: set[str] = set()
    for height in sorted(waves):
        for group in _merged(_grouped(waves[height], constructions), name_of):
            name = _unique(name_of(group.blocks[0]), taken)
            made, calls = _class(name, group)
            classes.append(made)
            for block, construction in zip(group.blocks, calls, strict=True):
                constructions.calls[block.path] = construction
    return classes


def _heights(root: Block, name_of: Callable[[Block], str]) -> dict[Path, int]:
    """How many classes are within each block at most, the same for all of one name.

    Blocks of one name, some of which hold a class that others lack, may so be one class.
    """
    blocks = list(root.blocks())
    least: dict[str, int] = {}
    for turn in range(len(blocks)):
        heights: dict[Path, int] = {}
        before = dict(least)
        for block in blocks:
            inner = [heights[u.block.path] for u in block.units if u.block is not None]
            heights[block.path] = max(inner, default=0) + (block.chain is None)
            if block.chain is None:
                name = name_of(block)
                own = max(heights[block.path], before.get(name, 0))
                least[name] = heights[block.path] = own
        if least == before or turn > MOST_NESTED:  # which blocks within others of their name are
            break
    return heights


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
        body = as_series(constructions.body(block))
        group = groups.setdefault(body.skeleton(), _Instances([], []))
        group.blocks.append(block)
        group.bodies.append(body)
    return list(groups.values())


def _merged(groups: list[_Instances], name_of: Callable[[Block], str]) -> list[_Instances]:
    """Groups that differ by one part alone as one, in which it is optional; again and again."""
    found = list(groups)
    while (pair := _pair(found, name_of)) is not None:
        one, other, merged = pair
        found = [merged, *(group for group in found if group is not one and group is not other)]
    return sorted(found, key=lambda g: in_order(g.blocks[0].path))


def _pair(
    groups: list[_Instances], name_of: Callable[[Block], str]
) -> tuple[_Instances, _Instances, _Instances] | None:
    """Two groups of which one lacks a part that the other has, and both as one."""
    known: dict[object, tuple[_Instances, _Instances]] = {}
    for group in groups:
        for form in (group, _lifted(group)) if is_residual(group.bodies[0]) else (group,):
            known.setdefault((name_of(group.blocks[0]), form.bodies[0].skeleton()), (group, form))
    options = [
        (option is not RESIDUAL, option.flag == FIRST, place, option, group)
        for place, group in enumerate(groups)
        for option in options_of(group.bodies[0])
    ]
    for *_, option, group in sorted(options, key=lambda found: found[:3]):
        less = option.without(group.bodies[0]).skeleton()
        other, form = known.get((name_of(group.blocks[0]), less), (group, group))
        if other is not group and option.flag not in group.flags:
            return group, other, _with_option(group, form, option)
    return None


def _lifted(group: _Instances) -> _Instances:
    """Blocks that end with a sum as such of which others may lack it."""
    bodies = [RESIDUAL.within(body) for body in group.bodies]
    flags = {**group.flags, RESIDUAL.flag: [True] * len(group.blocks)}
    return _Instances(group.blocks, bodies, flags, group.optional, [*group.kept, RESIDUAL.flag])


def _with_option(group: _Instances, other: _Instances, option: Option) -> _Instances:
    """Two groups as one, in the second of which a part is not there."""
    bodies = [option.within(body) for body in group.bodies]
    lacking = option.numbers(group.bodies[0])
    bodies += [_padded(bodies[0], body, lacking) for body in other.bodies]
    flags = {
        name: [*group.flags.get(name, [False] * len(group.blocks)), *values]
        for name, values in (
            (n, other.flags.get(n, [False] * len(other.blocks)))
            for n in {**group.flags, **other.flags}
        )
    }
    flags[option.flag] = [True] * len(group.blocks) + [False] * len(other.blocks)
    blocks = [*group.blocks, *other.blocks]
    order = sorted(range(len(blocks)), key=lambda place: in_order(blocks[place].path))
    optional = {**group.optional, **other.optional}
    if option.member is not None:
        optional[option.member] = option.flag
    kept = [*group.kept, *other.kept, *([option.flag] if option.is_read else [])]
    return _Instances(
        [blocks[place] for place in order],
        [bodies[place] for place in order],
        {name: [values[place] for place in order] for name, values in flags.items()},
        optional,
        list(dict.fromkeys(kept)),
    )


def _padded(whole: Body, body: Body, lacking: set[int]) -> Body:
    """A body in the form of one that has more, without numbers where it lacks them."""
    own = iter([n.value for n in body.numbers()])
    return with_numbers(
        whole, [None if i in lacking else next(own) for i, _ in enumerate(whole.numbers())]
    )


def in_order(path: Path) -> tuple[Any, ...]:
    """What paths are sorted by: numbers as such."""
    return tuple((int(part), "") if is_place(part) else (0, part) for part in path)


def _class(name: str, group: _Instances) -> tuple[Class, list[Code]]:
    """The class of a group, and how each instance is constructed."""
    columns = list(zip(*([n.value for n in b.numbers()] for b in group.bodies), strict=True))
    given = [next((v for v in column if v is not None), None) for column in columns]
    model = with_numbers(group.bodies[0], given)
    arguments = _Arguments()
    for flag, values in group.flags.items():
        arguments.add_flag(flag, tuple(values))
    texts = [
        arguments.text(number, column, member)
        for (number, member), column in zip(_with_members(model), columns, strict=True)
    ]
    arguments.found.sort(key=lambda a: (a.default is not None, a.name in group.flags))
    body = _replaced(model, texts)
    constructed = sum(len(_numbers(m.construction)) for m in model.members)
    used = [n for n in arguments.uses[constructed:] if n is not None]
    kept = list(dict.fromkeys([*used, *group.kept]))
    made = Class(name, body, arguments.found, group.optional, kept)
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


def _numbers(expression: Code) -> list[Number]:
    return Body([Member((), "module", expression)]).numbers()


def _replaced(body: Body, texts: Sequence[str | None]) -> Body:
    """A body with arguments' names in the place of numbers that differ."""
    remaining = iter(texts)

    def change(prefix: str, part: Part) -> Code | None:
        if isinstance(part, Number):
            text = next(remaining)
            return None if text is None else _argument_code(text, prefix)
        if isinstance(part, Keyword):
            text = next(remaining)
            return None if text is None else keyword(part.name, _argument_code(text, prefix))
        return None

    return body.mapped(partial(change, ""), partial(change, "self."))


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
        values = tuple(NOTHING if value is None else value for value in column)
        default = _default(number.role, values) if len(given) == len(column) else NOTHING
        argument = Argument(self._name(number.role, member), number.role, values, default)
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
    if isinstance(values[0], bool) or role in DEFAULTED:
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
