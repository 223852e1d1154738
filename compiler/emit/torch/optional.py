"""Parts of a body that other bodies of the same kind may lack."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...ir.graph import required
from .bodies import Body, Member, numbers_of
from .code import ANY, Code, Group, Input, Keyword, Number, Part
from .names import variable
from .steps import Path

FIRST = "first"  # what a chain may begin with
MOST_MEMBERS = 64  # that are tried to be left out


@dataclass(frozen=True, slots=True)
class Option:
    """A part that may not be there.

    Attributes:
        flag: The argument that says whether it is.
        without: Leaves it out of a body of this structure.
        within: Writes it as what is there where the flag says so.
        numbers: The places of its numbers among those of a body.
        member: The member that it is; None where it is a part of one, or of `forward`.
        is_read: Whether `forward` reads the flag.
    """

    flag: str
    without: Callable[[Body], Body]
    within: Callable[[Body], Body]
    numbers: Callable[[Body], set[int]]
    member: Path | None = None
    is_read: bool = False


def options_of(body: Body) -> Iterator[Option]:
    """All parts of a body that may be left out: the last addition, members, items of chains."""
    if is_residual(body):
        yield RESIDUAL
    for place, member in enumerate(body.members[:MOST_MEMBERS]):
        if body.without(place) is not None:
            yield _of_member(place, member)
        yield from (_of_item(place, item, flag) for item, flag in _items(member))


def _of_member(place: int, member: Member) -> Option:
    def without(body: Body) -> Body:
        return required(body.without(place))

    def numbers(body: Body) -> set[int]:
        return _range(body, place, [body.members[place].construction], 0)

    return Option(member.path[-1], without, lambda body: body, numbers, member.path)


def _of_item(place: int, item: int, flag: str) -> Option:
    """An item of a chain."""

    def changed(body: Body, made: Sequence[Code]) -> Body:
        member = body.members[place]
        *head, chain = member.construction.parts
        assert isinstance(chain, Group)
        items = (*chain.items[:item], *made, *chain.items[item + 1 :])
        whole = Code((*head, replace(chain, items=items)))
        members = [*body.members]
        members[place] = replace(member, construction=whole)
        return replace(body, members=members)

    def chosen(body: Body) -> Code:
        whole = Code((Group((_chain(body.members[place])[item],), "[]", "list"),))
        choice = Code((*whole.parts, f" if {flag} else []"), ANY)
        return Code(("*", Group((choice,), "()", "list")))

    def numbers(body: Body) -> set[int]:
        items = _chain(body.members[place])
        before = sum(len(list(numbers_of(code))) for code in items[:item])
        return _range(body, place, [items[item]], before)

    return Option(
        flag, lambda body: changed(body, ()), lambda body: changed(body, (chosen(body),)), numbers
    )


def _chain(member: Member) -> tuple[Code, ...]:
    last = member.construction.parts[-1]
    return last.items if isinstance(last, Group) else ()


def _items(member: Member) -> Iterator[tuple[int, str]]:
    """The modules of a chain that may be left out, and what is said where they are there."""
    if member.construction.parts[0] != "nn.Sequential":
        return
    items = _chain(member)
    for place, item in enumerate(items):
        head = item.parts[0]
        if not isinstance(head, str) or head.startswith("*") or len(items) < 2:
            continue
        if not head.startswith("nn."):
            yield place, variable(_words(head))
        elif place == 0:
            yield place, FIRST


def _words(name: str) -> str:
    """`SqueezeExcite` as `squeeze_excite`."""
    text = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return text.strip("_")


def _range(body: Body, place: int, codes: Sequence[Code], before: int) -> set[int]:
    """The places of the numbers of a part of a member."""
    start = before + sum(len(list(numbers_of(m.construction))) for m in body.members[:place])
    return set(range(start, start + sum(len(list(numbers_of(c))) for c in codes)))


def is_residual(body: Body) -> bool:
    """Whether the last that `forward` does is to add something to what it has."""
    if len(body.lines) < 2 or body.outputs != ((len(body.lines) - 1, 0),):
        return False
    parts, inputs = body.lines[-1].expression.parts, body.lines[-1].inputs
    is_sum = len(parts) == 3 and parts[1] == " + " and isinstance(parts[0], Input)
    return is_sum and isinstance(parts[2], Input) and (len(body.lines) - 2, 0) in inputs


def _without_sum(body: Body) -> Body:
    return replace(body, lines=body.lines[:-1], outputs=((len(body.lines) - 2, 0),))


def _with_sum(body: Body) -> Body:
    last = body.lines[-1]
    place = last.inputs.index((len(body.lines) - 2, 0))
    choice = Code((*last.expression.parts, " if self.residual else ", Input(place)), ANY)
    return replace(body, lines=[*body.lines[:-1], replace(last, expression=choice)])


RESIDUAL = Option("residual", _without_sum, _with_sum, lambda _: set(), is_read=True)


def with_numbers(body: Body, values: Sequence[Any]) -> Body:
    """A body with other numbers, in order."""
    remaining = iter(values)

    def change(part: Part) -> Code | None:
        if isinstance(part, Number):
            return Code((Number(next(remaining), part.role),))
        if isinstance(part, Keyword):
            held = Number(next(remaining), part.value.role)
            return Code((Keyword(part.name, held, part.default),))
        return None

    return body.mapped(change, change)
