"""Tokens to what a builder makes of them, by an LALR(1) automaton, whose tables Lark makes."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..ast import Token
from ..limits import MAX_NESTING
from ..records import record
from ..source import Source, Span
from .lexer import alternatives, next_of_any
from .tables import StartRule, tables

_ANYWHERE = {"COMMENT", "END"}  # may come in every state
_DEPTHS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}

Match = Callable[[str, int], re.Match[str] | None]


@record
class Failure:
    """Where the parser stopped.

    Attributes:
        span: The token, or the character that starts none; empty at the end of the text.
        type: The token's type, `$END`, or the empty string for a character.
        state: The state on top of the parser's stack.
        expected: The types of tokens that could stand there.
    """

    span: Span
    type: str
    state: int
    expected: frozenset[str]


class TooMuchError(Exception):
    """A text nests too deep, or has too many tokens.

    Attributes:
        start: Where the first token beyond the limit starts.
    """

    def __init__(self, start: int) -> None:
        self.start = start


class _Rule(NamedTuple):
    """A rule of the grammar, and what is made of its parts.

    Attributes:
        name: The nonterminal that it defines.
        size: How many parts it has.
        build: What makes a value of those that are kept.
        is_single: Whether a lone part stands for the whole.
        kept: The parts that are kept, and which of them are lists, whose items are taken in their
            place; None where all are kept as they are.
    """

    name: str
    size: int
    build: Callable[[list[Any]], Any]
    is_single: bool
    kept: list[tuple[int, bool]] | None

    def value(self, parts: list[Any]) -> Any:
        """What the rule makes of its parts."""
        if self.kept is not None:
            found: list[Any] = []
            for place, is_list in self.kept:
                if not is_list:
                    found.append(parts[place])
                elif found:
                    found += parts[place]
                else:  # lists grow from the left: a copy each time would take quadratic time
                    found = parts[place]
            parts = found
        return parts[0] if self.is_single and len(parts) == 1 else self.build(parts)


class Parser:
    """Parses texts and calls a method of a builder for each rule that is recognized.

    A stack holds states, and beside it stands what each was reached by. A token is pushed, or the
    top of the stack, which holds a rule's parts, gives way to the rule (Aho, Lam, Sethi and Ullman
    2006, "Compilers", section 4.5). What rules with a leading underscore are made of becomes parts
    of the rule that they occur in. Methods in capitals convert a terminal.
    """

    def __init__(self, builder: object) -> None:
        made = tables()
        self._states: dict[int, dict[str, int]] = made["states"]
        self._starts: dict[str, int] = made["starts"]
        self._rules = [
            _Rule(name, size, getattr(builder, method, _as_they_are), is_single, kept)
            for name, size, method, is_single, kept in made["rules"]
        ]
        self._terminals = dict(made["terminals"])
        self._converters = {
            name: getattr(builder, name) for name in self._terminals if hasattr(builder, name)
        }
        self._any = self._matcher(self._terminals)
        self._matchers: dict[int, Match] = {}  # of states in which not any token may come

    def parse(
        self, source: Source, start: int, rule: StartRule, most: int, *, end: int | None = None
    ) -> tuple[Any, list[Token]] | Failure:
        """What the builder makes of a text, from an offset on, and its tokens, or where it ends.

        What stands before the offset is not looked at.

        Args:
            source: The text.
            start: The offset.
            rule: What the text is.
            most: How many tokens it may have.
            end: Where it ends, if that is not the end of the source.

        Raises:
            NetError: By the builder.
            TooMuchError: The text is beyond a limit.
        """
        states = [self._starts[rule]]
        values: list[Any] = []
        read: list[Token] = []
        for token in self._tokens(source.text[start:end], start, states, read, most):
            if not self._take(token, states, values):
                span = Span(source, token.start_pos, token.end_pos)
                return Failure(span, token.type, states[-1], self._expected(states))
        return values[0], read

    def _tokens(
        self, text: str, offset: int, states: list[int], read: list[Token], most: int
    ) -> Iterator[Token]:
        """The tokens of a text that may come in the state that is on top when each is asked for.

        Their places count from `offset` on. All are kept in `read`, comments too. The last one is
        the end, or one that may not come.
        """
        keep = read.append
        position = depth = count = 0
        while (match := self._match(text, position, states[-1])) is not None:
            kind = match.lastgroup or ""
            start, position = match.span(kind)
            if kind == "END":
                yield Token("$END", "", offset + start, offset + start)
                return
            token = Token(kind, match[kind], offset + start, offset + position)
            keep(token)
            if kind == "COMMENT":
                continue
            count += 1
            if token.value in _DEPTHS:
                depth += _DEPTHS[token.value]
            if count > most or depth > MAX_NESTING:
                raise TooMuchError(offset + start)
            yield token
        kind, value, start, position = next_of_any(text, position)
        yield Token(kind, value, offset + start, offset + position)

    def _match(self, text: str, position: int, state: int) -> re.Match[str] | None:
        """White space and a token that may come in a state, or the end.

        Terminals are tried in one order everywhere. So where the first that matches may come, it
        is the one; elsewhere they are tried without those that may not.
        """
        match = self._matchers.get(state, self._any)(text, position)
        if match is None or match.lastgroup in self._states[state] or match.lastgroup in _ANYWHERE:
            return match
        able = self._states[state].keys() | _ANYWHERE
        self._matchers[state] = self._matcher([name for name in self._terminals if name in able])
        return self._matchers[state](text, position)

    def _matcher(self, names: Iterable[str]) -> Match:
        pattern = alternatives((name, self._terminals[name]) for name in names if name != "SPACE")
        return re.compile(rf"(?:{self._terminals['SPACE']})?(?:{pattern}|(?P<END>\Z))").match

    def _take(self, token: Token, states: list[int], values: list[Any]) -> bool:
        """Reduce what a token ends, and push the token; whether it may come."""
        table, kind = self._states, token.type
        while (action := table[states[-1]].get(kind)) is not None:
            if action >= 0:
                convert = self._converters.get(kind)
                states.append(action)
                values.append(token if convert is None else convert(token))
                return True
            rule = self._rules[-1 - action]
            bottom = len(values) - rule.size
            parts = values[bottom:]
            del values[bottom:], states[bottom + 1 :]
            values.append(rule.value(parts))
            states.append(table[states[-1]][rule.name])
        return False

    def _expected(self, states: list[int]) -> frozenset[str]:
        """The types of tokens that could come next, those apart that only seem so to a state."""
        return frozenset(kind for kind in self._states[states[-1]] if self._may_come(kind, states))

    def _may_come(self, kind: str, states: list[int]) -> bool:
        if not kind.isupper():  # a nonterminal
            return False
        states = [*states]
        while (action := self._states[states[-1]].get(kind)) is not None:
            if action >= 0:
                return True
            rule = self._rules[-1 - action]
            del states[len(states) - rule.size :]
            states.append(self._states[states[-1]][rule.name])
        return False


def _as_they_are(parts: list[Any]) -> list[Any]:
    return parts
