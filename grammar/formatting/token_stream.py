"""The tokens and comments of a program that parses, to be taken one by one as pieces of layout."""

from collections import defaultdict
from dataclasses import dataclass, replace

from ..ast import Comment, Module, Token
from .layout import Concat, Doc, Remark, Text, concat

_PARTNER = {")": "(", "]": "[", "}": "{"}
_OPENING = frozenset("([{")
_SEPARATORS = frozenset({",", ";", "|"})


@dataclass(slots=True)
class Bracket:
    """How the author broke the lines of a bracket, those of inner brackets apart.

    Attributes:
        opened: The first token inside is on a new line.
        separated: There is a line break before or after a separator.
        commented: There are comments.
    """

    opened: bool = False
    separated: bool = False
    commented: bool = False


class TokenStream:
    """Takes the tokens of a module in order; each comes with the comments before it.

    No comment is lost and their order is kept: comments wait before a token,
    and are either taken with it, by `comments`, or moved after it, by `defer`.
    """

    def __init__(self, module: Module) -> None:
        self._text = module.source.text
        self._tokens: list[Token] = []
        self._waiting: defaultdict[int, list[Comment]] = defaultdict(list)
        self._place = 0
        comments = iter(module.comments)
        for token in module.tokens:
            if token.type == "COMMENT":
                self._waiting[len(self._tokens)].append(next(comments))
            else:
                self._tokens.append(token)
        self._brackets = self._scan_brackets()

    @property
    def next(self) -> str:
        """The text of the next token, or an empty one at the end."""
        return self._tokens[self._place].value if self._place < len(self._tokens) else ""

    @property
    def kind(self) -> str:
        """The type of the next token, or an empty one at the end."""
        return self._tokens[self._place].type if self._place < len(self._tokens) else ""

    @property
    def bracket(self) -> Bracket:
        """The bracket that the next token opens."""
        return self._brackets[self._place]

    def is_before(self, offset: int) -> bool:
        """Whether the next token starts before an offset."""
        return self._place < len(self._tokens) and self._tokens[self._place].start_pos < offset

    def take(self) -> Doc:
        """The next token, after the comments that wait for it."""
        token = self._tokens[self._place]
        if not self._waiting[self._place]:
            self._place += 1
            return Text(token.value)
        comments = self.comments()
        self._place += 1
        return concat(comments, Text(token.value))

    def skip(self) -> str:
        """Pass over the next token, and return its text; its comments wait for the one after."""
        text = self.next
        self.defer()
        self._place += 1
        return text

    def skip_to(self, offset: int) -> None:
        """Pass over the tokens that start before an offset."""
        while self.is_before(offset):
            self.skip()

    def defer(self) -> None:
        """Let the comments that wait for the next token wait for the one after it."""
        waiting = self._waiting.pop(self._place, [])
        self._waiting[self._place + 1][:0] = waiting

    def has_comments(self) -> bool:
        """Whether comments wait for the next token."""
        return bool(self._waiting[self._place])

    def comments(self) -> Concat:
        """The comments that wait for the next token."""
        waiting = self._waiting.pop(self._place, [])
        return concat(*[Remark(comment.text, comment.own_line) for comment in waiting])

    def spaced_comments(self) -> list[tuple[bool, Remark | None]]:
        """The comments that wait for the next token, each with whether a blank line precedes it.

        Last comes None, which stands for the token itself.
        """
        found: list[tuple[bool, Remark | None]] = []
        end = self._tokens[self._place - 1].end_pos if self._place else 0
        for comment in self._waiting.pop(self._place, []):
            remark = Remark(comment.text, comment.own_line)
            found.append((self._text.count("\n", end, comment.span.start) > 1, remark))
            end = comment.span.end
        start = self._tokens[self._place].start_pos if self.next else len(self._text)
        return [*found, (self._text.count("\n", end, start) > 1, None)]

    def starts_line(self, ahead: int = 0) -> bool:
        """Whether the next token, or one further ahead, is on another line than the one before."""
        place = self._place + ahead
        return 0 < place < len(self._tokens) and self._is_first_of_line(place)

    def skip_sign(self) -> tuple[bool, Concat]:
        """Pass over a sign between two pieces, which will begin a line if any is broken there.

        Returns:
            Whether the author broke the line before or after the sign, and the comments on both
            of its sides, which will precede it.
        """
        first = self.starts_line()
        is_broken = first or self.starts_line(1)
        before = self.comments()
        self._place += 1
        if first:  # what follows a sign that begins a line refers to what follows
            waiting = self._waiting[self._place]
            waiting[:] = [replace(comment, own_line=True) for comment in waiting]
        return is_broken, concat(*before.parts, *self.comments().parts)

    def _is_first_of_line(self, place: int) -> bool:
        start, end = self._tokens[place - 1].end_pos, self._tokens[place].start_pos
        return self._text.find("\n", start, end) >= 0

    def _scan_brackets(self) -> dict[int, Bracket]:
        """Each bracket by the number of the token that opens it."""
        found: dict[int, Bracket] = {}
        inside: list[Bracket] = []
        for place, token in enumerate(self._tokens):
            if inside and place in self._waiting:
                inside[-1].commented = True
            if token.value in _OPENING:
                found[place] = Bracket(opened=self._breaks_behind(place))
                inside.append(found[place])
            elif token.value in _PARTNER:
                inside.pop()
            elif inside and token.value in _SEPARATORS:
                is_broken = self._is_first_of_line(place) or self._breaks_behind(place)
                inside[-1].separated |= is_broken
        return found

    def _breaks_behind(self, place: int) -> bool:
        """Whether a line break follows a token, other than one before a closing bracket."""
        following = place + 1
        if following == len(self._tokens) or self._tokens[following].value in _PARTNER:
            return False
        return self._is_first_of_line(following)
