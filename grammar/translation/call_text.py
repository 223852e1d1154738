"""The text of calls in other languages: names, arguments and brackets."""

import re
from collections.abc import Iterable
from typing import NamedTuple


class ForeignArgument(NamedTuple):
    """An argument as its author wrote it; `name` is None for a positional one."""

    name: str | None
    text: str


def folded(name: str) -> str:
    """A layer's name in small letters, without module, size and number: `conv` of `nn.Conv2d`."""
    last = re.sub(r"_\d+$|_?\d+x\d+$", "", name.rsplit(".", 1)[-1]).replace("_", "")
    return re.sub(r"(?<=[A-Za-z])[123][dD](?=transpose|$)", "", last, flags=re.I).lower()


def arguments_of(text: str) -> list[ForeignArgument]:
    """The arguments between the parentheses of a call."""
    found = []
    for part in split_arguments(text):
        match = re.match(r"\s*([A-Za-z_]\w*)\s*=(?!=)", part)
        name, start = (match[1], match.end()) if match else (None, 0)
        found.append(ForeignArgument(name, part[start:].strip()))
    return [argument for argument in found if argument.text]


_PIECE = re.compile(
    r'"(?:[^"\\\n]++|\\.)*+"?|\'(?:[^\'\\\n]++|\\.)*+\'?|[()\[\]{}]|,|[^()\[\]{},"\']+'
)


def by_kind(arguments: Iterable[ForeignArgument]) -> tuple[list[str], dict[str, str]]:
    """The texts of positional arguments, and those of the others by their keywords."""
    given = list(arguments)
    positional = [argument.text for argument in given if argument.name is None]
    return positional, {a.name: a.text for a in given if a.name is not None}


def listed(text: str) -> list[str] | None:
    """The items of a list or a tuple, none for no text, or None where a text is another."""
    is_list = text[:1] in "([" and text[-1:] in ")]"
    return split_arguments(text[1:-1]) if is_list else None


def split_arguments(text: str) -> list[str]:
    """The parts of a text between its commas outside brackets and strings."""
    parts, depth = [""], 0
    for match in _PIECE.finditer(text):
        piece = match[0]
        depth += (piece in "([{") - (piece in ")]}")
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def closing(text: str, opening: int) -> int:
    """The offset of the bracket that closes the one at `opening`, or -1."""
    depth = 0
    for match in _PIECE.finditer(text, opening):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        if depth == 0:
            return match.start()
    return -1


def is_number(text: str) -> bool:
    """Whether a text is a plain number."""
    return re.fullmatch(r"[0-9][0-9_]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?", text.strip()) is not None


def unquoted(text: str) -> str:
    """A text without the quotes around it."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else text
