"""What stands around a place in a text, by its tokens: they are there before it parses."""

from collections.abc import Sequence

from ..grammar.ast import Token
from ..grammar.lexing.lexer import tokens
from ..grammar.records import record
from ..grammar.source import Source

_CLOSING = {")": "(", "]": "[", "}": "{"}


@record
class OpenCall:
    """A call whose arguments a place is among.

    Attributes:
        name: What is called, with the import's name before a dot.
        start: Where the name starts.
        place: How many arguments come before.
        keyword: The keyword of the argument that the place is in, if it has one.
        given: The keywords of the arguments before and after.
    """

    name: str
    start: int
    place: int
    keyword: str | None
    given: frozenset[str]


@record
class Surroundings:
    """What stands around a place.

    Attributes:
        word: What is written of a word that ends here.
        before: The values of the tokens before that word, the last one last.
        call: The innermost call that is open here.
        in_train: Whether it is in a `train` block.
        setting: In a `train` block, the setting whose value it is in.
        string: In a string, what is written of it; None elsewhere.
        in_comment: Whether it is in a comment.
        starts_line: Whether nothing but the word stands before it in its line.
        depth: How many brackets are open.
    """

    word: str
    before: tuple[str, ...]
    call: OpenCall | None
    in_train: bool
    setting: str | None
    string: str | None
    in_comment: bool
    starts_line: bool
    depth: int

    @property
    def previous(self) -> str:
        """The token before the word; empty at the start of the text."""
        return self.before[-1] if self.before else ""


def surroundings(source: Source, offset: int) -> Surroundings:
    """What stands around a place in a text, which need not parse."""
    text = source.text
    found = list(tokens(text, 0, offset))
    line = text.rfind("\n", 0, offset) + 1
    last = found[-1] if found else None
    in_comment = last is not None and last.type == "COMMENT" and last.end_pos == offset
    quoted = last.value if last is not None and last.end_pos == offset else ""
    string = quoted[1:] if quoted.startswith('"') and not _ends(quoted) else None
    found = [t for t in found if t.type != "COMMENT"]
    word = ""
    if string is not None or (found and found[-1].end_pos == offset and _is_word(found[-1].value)):
        word = "" if string is not None else found[-1].value
        found.pop()
    opened = _opened(found)
    train = next(
        (i for i in opened if found[i].value == "{" and _before(found, i) == "train"), None
    )
    inner = found[train + 1 :] if train is not None else []
    return Surroundings(
        word=word,
        before=tuple(t.value for t in found[-8:]),
        call=_call(source, found, opened, offset),
        in_train=train is not None,
        setting=_setting(inner),
        string=string,
        in_comment=in_comment,
        starts_line=not text[line : offset - len(word)].strip(),
        depth=len(opened),
    )


def _ends(quoted: str) -> bool:
    return len(quoted) > 1 and quoted.endswith('"')


def _is_word(value: str) -> bool:
    return value[0].isalpha() or value[0] == "_"


def _before(found: Sequence[Token], place: int) -> str:
    return found[place - 1].value if place else ""


def _opened(found: Sequence[Token]) -> list[int]:
    """The places of the brackets that are open at the end of some tokens."""
    opened: list[int] = []
    for place, token in enumerate(found):
        if token.value in _CLOSING.values():
            opened.append(place)
        elif opened and _CLOSING.get(token.value) == found[opened[-1]].value:
            opened.pop()
    return opened


def _call(
    source: Source, found: Sequence[Token], opened: Sequence[int], offset: int
) -> OpenCall | None:
    for place in reversed(opened):
        token = found[place]
        if token.value == "{":
            return None
        if token.value != "(" or not place or found[place - 1].end_pos != token.start_pos:
            continue
        name = found[place - 1]
        if not _is_word(name.value):
            continue
        called, start = name.value, name.start_pos
        if place > 2 and found[place - 2].value == ".":
            called, start = f"{found[place - 3].value}.{called}", found[place - 3].start_pos
        arguments = _arguments(found[place + 1 :])
        keywords = [each[0].value for each in arguments if _is_keyword(each)]
        current = arguments[-1]
        after = _arguments(list(_rest(source, offset)))
        return OpenCall(
            called,
            start,
            len(arguments) - 1,
            current[0].value if _is_keyword(current) else None,
            frozenset([*keywords, *(each[0].value for each in after[1:] if _is_keyword(each))]),
        )
    return None


def _rest(source: Source, offset: int) -> Sequence[Token]:
    """The tokens up to the end of the brackets that a place is in, or of its line."""
    end = source.text.find("\n", offset)
    depth, found = 0, list[Token]()
    for token in tokens(source.text, offset, len(source.text) if end < 0 else end):
        depth += (token.value in _CLOSING.values()) - (token.value in _CLOSING)
        if depth < 0:
            break
        found.append(token)
    return found


def _arguments(found: Sequence[Token]) -> list[list[Token]]:
    """Tokens between the commas outside of brackets; the last ones may be none."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += (token.value in _CLOSING.values()) - (token.value in _CLOSING)
        if depth == 0 and token.value in (",", ";"):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _is_keyword(argument: Sequence[Token]) -> bool:
    return len(argument) > 1 and argument[1].value == "=" and _is_word(argument[0].value)


def _setting(inner: Sequence[Token]) -> str | None:
    """The setting whose value comes next after some tokens of a `train` block."""
    depth, setting, is_done = 0, None, True
    for place, token in enumerate(inner):
        depth += (token.value in _CLOSING.values()) - (token.value in _CLOSING)
        if depth == 0 and token.value == "=" and place:
            setting, is_done = inner[place - 1].value, False
        elif depth == 0 and token.value not in ("=", "-", "+", "*", "/", "."):
            following = inner[place + 1].value if place + 1 < len(inner) else ""
            is_done = following not in ("*", "/", "+", "-", ".", "(")
    return None if is_done else setting
