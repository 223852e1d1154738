"""Expressions of Python as pieces, and how they are laid out: as `ruff format` lays them out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

WIDTH = 88  # the formatters' own
# How tightly what is written binds, from an argument of a call to what a dot may follow.
ANY, COMPARED, SUM, PRODUCT, POSTFIX = range(5)


@dataclass(frozen=True, slots=True)
class Input:
    """An operand: which one, and how tightly it has to bind where it stands."""

    index: int
    level: int = ANY


@dataclass(frozen=True, slots=True)
class Ref:
    """A module, a parameter or a buffer, by its name in the whole network."""

    path: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or several, that may differ between layers of one structure; what it counts."""

    value: Any
    role: str


class Name(str):
    """A name of Python in the place of a number: the class of an activation."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Keyword:
    """`name=value`, which is left out where the value is the default."""

    name: str
    value: Number
    default: Any


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in brackets: `kind` says how it breaks.

    `call`, `list`, `generator`, or `subscript`, which has spaces around colons beside what is long.
    """

    items: "tuple[Code, ...]"
    brackets: str = "()"
    kind: str = "call"


Part = str | Input | Ref | Number | Keyword | Group


@dataclass(frozen=True, slots=True)
class Code:
    """An expression: its parts one after another, and how tightly the whole binds."""

    parts: tuple[Part, ...]
    level: int = POSTFIX


Spelled = Code | str | int | float | bool | None | tuple[Any, ...]


def spelled(value: Any) -> str:
    """A value as Python's formatters write it."""
    if isinstance(value, tuple):
        items = ", ".join(map(spelled, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return {"inf": "torch.inf", "-inf": "-torch.inf"}.get(repr(value), "torch.nan")
        return repr(value).replace("e-0", "e-").replace("e+", "e")
    return repr(value)


def code(value: Spelled) -> Code:
    """An expression; text is taken as it is, other values as Python spells them."""
    if isinstance(value, Code):
        return value
    text = value if isinstance(value, str) else spelled(value)
    return Code((text,), PRODUCT if text.startswith("-") else POSTFIX)


def operand(index: int, level: int = ANY) -> Code:
    """An operand in its place."""
    return Code((Input(index, level),))


def keyword(name: str, value: Spelled) -> Code:
    """An argument by name."""
    return Code((f"{name}=", *code(value).parts))


def option(name: str, value: Any, default: Any, role: str | None = None) -> Code:
    """An argument by name that is left out where it is the default."""
    return Code((Keyword(name, Number(value, role or name), default),))


def number(value: Any, role: str) -> Code:
    """An argument that may differ between layers of one structure."""
    return Code((Number(value, role),))


def call(function: Spelled, *arguments: Spelled, **named: Spelled) -> Code:
    """A call."""
    items = [*map(code, arguments), *(keyword(name, value) for name, value in named.items())]
    return Code((*code(function).parts, Group(tuple(items))))


def method(receiver: int | Code, name: str, *arguments: Spelled, **named: Spelled) -> Code:
    """A call of a method of an operand, or of an expression."""
    if isinstance(receiver, int):
        receiver = operand(receiver, POSTFIX)
    return call(Code((*bracketed(receiver, POSTFIX).parts, f".{name}")), *arguments, **named)


def listed(items: Sequence[Spelled]) -> Code:
    """A list."""
    return Code((Group(tuple(map(code, items)), "[]", "list"),))


def joined(operator: str, level: int, *operands: Spelled) -> Code:
    """Operands with a binary operator between them, from left to right."""
    first, *others = (part if isinstance(part, Code) else code(part) for part in operands)
    parts = list(bracketed(first, level).parts)
    for other in others:
        parts += [f" {operator} ", *bracketed(other, level + 1).parts]
    return Code(tuple(parts), level)


def bracketed(expression: Code, level: int) -> Code:
    """An expression that binds as tightly as it has to."""
    return expression if expression.level >= level else Code((Group((expression,), kind="list"),))


def mapped(expression: Code, change: Callable[[Part], Code | None]) -> Code:
    """An expression with other parts in the place of some."""
    parts: list[Part] = []
    for part in expression.parts:
        found = change(part)
        if found is not None:
            parts += found.parts
        elif isinstance(part, Group):
            parts.append(replace(part, items=tuple(mapped(item, change) for item in part.items)))
        else:
            parts.append(part)
    level = expression.level
    if len(parts) == 1 and len(expression.parts) == 1 and isinstance(expression.parts[0], Input):
        found = change(expression.parts[0])
        level = found.level if found is not None else level
    return Code(tuple(parts), level)


def filled(expression: Code, operands: Sequence[Code]) -> Code:
    """An expression with operands in their places."""

    def change(part: Part) -> Code | None:
        if not isinstance(part, Input):
            return None
        given = operands[part.index]
        (first, *others) = given.parts
        if isinstance(first, Input) and not others:
            return operand(first.index, max(first.level, part.level))
        return bracketed(given, part.level)

    return mapped(expression, change)


def walk(expression: Code) -> Iterator[Part]:
    """All parts, those in brackets, too."""
    for part in expression.parts:
        yield part
        if isinstance(part, Group):
            for item in part.items:
                yield from walk(item)


def flat(expression: Code) -> str:
    """An expression on one line; references must have been spelled before."""
    return "".join(map(_flat_part, expression.parts))


def _flat_part(part: Part) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Number):
        return spelled(part.value)
    if isinstance(part, Keyword):
        value = part.value
        return "" if value.value == part.default else f"{part.name}={spelled(value.value)}"
    if isinstance(part, Group):
        if part.kind == "subscript":
            return f"[{', '.join(map(_flat_range, part.items))}]"
        inside = (" " if part.kind == "generator" else ", ").join(_flat_items(part))
        return f"{part.brackets[:-1]}{inside}{part.brackets[-1]}"
    raise TypeError(f"{part} is not spelled")


def _flat_range(item: Code) -> str:
    """`1:-1`, and `self.n : -self.n`."""
    texts = [_flat_part(part) for part in item.parts]
    if ":" in texts and any("." in text for text in texts):
        first, last = ("".join(texts[: texts.index(":")]), "".join(texts[texts.index(":") + 1 :]))
        return " ".join(filter(None, (first, ":", last)))
    return "".join(texts)


def _flat_items(group: Group) -> list[str]:
    return [text for text in map(flat, group.items) if text]


def laid_out(prefix: str, expression: Code, suffix: str = "", indent: int = 0) -> list[str]:
    """Lines of at most `WIDTH` characters as far as brackets allow.

    What does not fit is broken at the last brackets: their content on a line of its own, or, of a
    list and of what is longer, each item on its own with a comma.
    """
    margin = " " * indent
    line = f"{margin}{prefix}{flat(expression)}{suffix}"
    places = [
        i
        for i, part in enumerate(expression.parts)
        if isinstance(part, Group) and part.kind != "subscript" and _flat_items(part)
    ]
    if len(line) <= WIDTH or not places:
        return [line]
    place = places[-1]
    group = expression.parts[place]
    assert isinstance(group, Group)
    head = prefix + flat(Code(expression.parts[:place])) + group.brackets[:-1]
    tail = group.brackets[-1] + flat(Code(expression.parts[place + 1 :])) + suffix
    return [margin + head, *_body(group, indent + 4), margin + tail]


def _body(group: Group, indent: int) -> list[str]:
    """What stands in brackets that are broken."""
    items = [item for item in group.items if flat(item)]
    whole = " " * indent + (" " if group.kind == "generator" else ", ").join(map(flat, items))
    if group.kind == "generator" and len(whole) <= WIDTH:
        return [whole]
    if group.kind == "generator" or (len(items) == 1 and _is_starred(items[0])):
        return [line for item in items for line in laid_out("", item, indent=indent)]
    if len(items) == 1 and (choice := _choice(items[0])) is not None:
        held, *others = choice
        return [*laid_out("", held, indent=indent), *(f"{' ' * indent}{text}" for text in others)]
    if group.kind == "call" and len(whole) <= WIDTH:
        return [whole]
    if len(items) == 1 and group.kind == "list" and group.brackets == "()":
        return laid_out("", items[0], indent=indent)
    return [line for item in items for line in laid_out("", item, ",", indent)]


def _choice(item: Code) -> tuple[Code, str, str] | None:
    """What an item is where a condition holds, the condition, and what it is else, as lines."""
    last = item.parts[-1]
    if not isinstance(last, str) or not last.startswith(" if "):
        return None
    condition, _, other = last.removeprefix(" if ").partition(" else ")
    return Code(item.parts[:-1]), f"if {condition}", f"else {other}"


def _is_starred(item: Code) -> bool:
    """Whether an item is a generator alone, which takes no comma after it."""
    last = item.parts[-1]
    return isinstance(last, Group) and last.kind == "generator" and last.brackets[0] == "("
