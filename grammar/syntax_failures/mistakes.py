"""Mistakes that are found from the text around a failure of the parser, one rule for each."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..diagnostics import Diagnostic
from ..lexing.automaton import Failure
from ..lexing.lexer import keywords, tokens
from ..source import Source, Span
from ..translation.notations import slip_at
from ..translation.statements import find_foreign
from .cuts import is_open_ended, previous_token
from .expected import OPERATORS, STEP_STARTS, VALUE_STARTS, described
from .malformed import MEMBER, NAMED, NO_MEMBER, NO_NAME
from .spacing import spaced_call


class Place(NamedTuple):
    """What the rules look at: a failure, where its statement starts, and the token before it."""

    failure: Failure
    start: int
    before: Span | None

    @property
    def source(self) -> Source:
        """The text that did not parse."""
        return self.failure.span.source

    @property
    def starts_line(self) -> bool:
        """Whether a line break stands between the token and the one before."""
        before = self.before.end if self.before else self.start
        return "\n" in self.source.text[before : self.failure.span.start]

    @property
    def ends(self) -> bool:
        """Whether what comes cannot continue what precedes."""
        return self.failure.type in _ENDS or self.starts_line

    @property
    def behind(self) -> Span:
        """The gap after the token before, or the failure itself where there is none."""
        if self.before is None:
            return self.failure.span
        return Span(self.source, self.before.end, self.before.end)


_ENDS = frozenset({"$END", "RPAR", "RSQB", "RBRACE", "VBAR"})


_NAMES = frozenset({"NAME", "TAIL"})


# Rules that look at the text


def _slip(place: Place) -> Diagnostic | None:
    if place.failure.type == "$END":
        return None
    return slip_at(place.source, place.failure.span.start, in_token=bool(place.failure.type))


def _dangling_arrow(place: Place) -> Diagnostic | None:
    """`INPUT ->` with nothing after it, or with the next statement."""
    before = place.before
    if before is None or before.text != "->":
        return None
    if not place.ends and place.failure.type != "_ARROW":
        return None
    return Diagnostic(
        "E020",
        "no step follows `->`",
        place.behind,
        help="write the next step after it, or remove it",
    )


def _space_before_call(place: Place) -> Diagnostic | None:
    """`FC (10)`: before the failure, or at it, a space parts a name from its parenthesis."""
    text = place.source.text
    before = word = kind = ""
    end = place.start
    for token in tokens(text, place.start, place.failure.span.end):
        if token.type == "COMMENT":
            continue
        start = token.start_pos
        is_parted = token.value == "(" and end < start and "\n" not in text[end:start]
        if is_parted and kind in _NAMES and before != "block":
            return spaced_call(Span(place.source, end, start + 1), word).diagnostics[0]
        before, word, kind, end = word, token.value, token.type, token.end_pos
    return None


def _bare_choice(place: Place) -> Diagnostic | None:
    """`1 + if c then a else b`."""
    failure = place.failure
    if failure.type != "IF" or not failure.expected >= VALUE_STARTS - {"ADDOP", "NOT"}:
        return None
    return Diagnostic(
        "E011",
        "an `if` among operators stands in parentheses",
        failure.span,
        help="write `(if c then a else b)`",
    )


def _keyword_as_name(place: Place) -> Diagnostic | None:
    """`let for = 1`."""
    span, expected = place.failure.span, place.failure.expected
    is_wanted = "NAME" in expected and "LET" not in expected and not place.starts_line
    if place.failure.type == "EQUAL" and place.before is not None:  # `f(in=2)`, `in = INPUT`
        span, is_wanted = place.before, True
    word = span.text
    if word not in keywords() or not is_wanted:
        return None
    return Diagnostic(
        "E023",
        f"`{word}` is a word of the language and cannot be a name",
        span,
        help=f"choose another name, such as `{word}_` or `{word.capitalize()}`",
    )


_UNNAMED = (
    (re.compile(r'\bimport\s+"[^"\n]*"\s+as(?=[ \t]*\n\s*\w+\s*\Z)'), NO_NAME, NAMED),
    (
        re.compile(r"(?<![\w.])[0-9]+\.(?=[ \t]*\n\s*\w+(?:\s+\w+\s*=)?\s*\Z)"),
        "a number ends in `.`",
        "write a digit behind it, as in `5.0`, or leave it out",
    ),
    (re.compile(r"\w\.(?=[ \t]*\n\s*\w+(?:\s+\w+\s*=)?\s*\Z)"), NO_MEMBER, MEMBER),
)


def _unnamed(place: Place) -> Diagnostic | None:
    """`import "blocks.net" as` or `x.` above a statement, whose first word is taken for a name."""
    for pattern, message, help in _UNNAMED:
        match = pattern.search(place.source.text, place.start, place.failure.span.start)
        if match is not None:
            span = Span(place.source, match.end(), match.end())
            return Diagnostic("E011", message, span, help=help)
    return None


_BOUND = re.compile(r"([^\W\d]\w*)[ \t]*=[\s\[(]*\Z")
_VALUES = frozenset({"INT", "NUMBER", "SIZE", "STRING", "YES", "NO", "ADDOP", "NOT"})


def _bound_value(place: Place) -> Diagnostic | None:
    """`x = 5`, `x = [64, 128]`."""
    match = _BOUND.search(place.source.text, place.start, place.failure.span.start)
    if place.failure.type not in _VALUES or match is None:
        return None
    name = match[1]
    output = previous_token(place.source, place.start, match.start())
    is_output = output is not None and output.text == "output"
    return Diagnostic(
        "E018",
        f"`{name}` is bound to a value, but `=` alone binds a chain",
        place.failure.span,
        help=f"name what leaves the network, as in `output {name} = x`"
        if is_output
        else f"write `let {name} = ...` for a number, a size or a list",
    )


_NO_BODY = {
    "for": "no body after the list of `for`",
    "if": "no body after the condition of `if`",
}


def _no_body(place: Place) -> Diagnostic | None:
    """`for i in x RELU`, `if c -> RELU`: where braces may come, and no branch is written."""
    failure = place.failure
    if "LBRACE" not in failure.expected or "VBAR" in failure.expected or failure.type == "_THEN":
        return None
    text = place.source.text
    read = [*tokens(text, place.start, failure.span.start)]
    word = next((token for token in reversed(read) if token.value in _NO_BODY), None)
    if word is None:
        return None
    if word.value == "if" and failure.type == "EQUAL":  # a comparison
        return None
    head = " ".join(text[word.start_pos : failure.span.start].split())
    return Diagnostic("E011", _NO_BODY[word.value], failure.span, help=f"write `{head} {{ ... }}`")


# What people write after a step, by the type of the token.
_ARITHMETIC = (
    "`{found}` does not belong in a chain",
    "merge tensors with `( a | b ) -> ADD`; compute numbers with `let`",
)
_LITERAL = (
    "`{found}` is not a step",
    "numbers go in the parentheses of a layer, right after its name: `FC(10)`",
)
_BEHIND_STEP = {
    **dict.fromkeys(OPERATORS, _ARITHMETIC),
    **dict.fromkeys(_VALUES - {"ADDOP", "NOT"}, _LITERAL),
    "STAR": ("`*` repeats only a chain in brackets", "write `[CONV -> RELU]*3`"),
    "VBAR": (
        "`|` separates the branches of a group",
        "put the branches in parentheses: `( a | b )`",
    ),
    "COMMA": (
        "`,` does not join steps or statements",
        "write `->` between steps, `|` between branches, and brackets around a list: `[1, 2]`",
    ),
}


def _behind_step(place: Place) -> Diagnostic | None:
    """`a + b`, `FC 10`, `a | b`, `CONV*3`, and a literal in place of a step."""
    failure = place.failure
    if place.starts_line or failure.type not in _BEHIND_STEP:
        return None
    expected = failure.expected
    in_place_of_step = failure.type in _VALUES and expected >= STEP_STARTS - {"IN"}
    ends_chain = failure.type in ("VBAR", "COMMA") and "LET" in expected
    if not ("_ARROW" in expected or in_place_of_step or ends_chain) or expected >= OPERATORS:
        return None
    message, help = _BEHIND_STEP[failure.type]
    return Diagnostic("E011", message.format(found=failure.span.text), failure.span, help=help)


def _comparison(place: Place) -> Diagnostic | None:
    """`assert a = 5`."""
    if place.failure.type != "EQUAL" or not place.failure.expected >= OPERATORS:
        return None
    return Diagnostic("E011", "`=` does not compare", place.failure.span, help="write `==`")


def _open_end(place: Place) -> Diagnostic | None:
    """A text, a bracket or a line that ends after `=`, `,` or an operator."""
    before = place.before
    if before is None or not place.ends or not is_open_ended(before.text):
        return None
    if before.text in ("(", "[", "{", "|", ".", "*"):  # the table of examples knows better
        return None
    return Diagnostic(
        "E012" if place.failure.type == "$END" else "E011",
        f"nothing follows `{before.text}`",
        place.behind,
        label=described(place.failure.expected),
        help="finish the statement",
    )


def _foreign(place: Place) -> Diagnostic | None:
    """`nn.Linear(10)`, `3*[...]`, `for i in x:`, `// comment`."""
    return find_foreign(place.source, place.start, place.failure.span.start)


_RULES: tuple[Callable[[Place], Diagnostic | None], ...] = (
    _foreign,
    _slip,
    _unnamed,
    _dangling_arrow,
    _space_before_call,
    _bare_choice,
    _keyword_as_name,
    _bound_value,
    _no_body,
    _comparison,
    _behind_step,
    _open_end,
)


def find_mistake(place: Place, *, statement: bool) -> Diagnostic | None:
    """The first rule's diagnostic that applies to a statement, or to a value, or None."""
    candidates = (_at_binding(place), place)
    rules = _RULES if statement else _RULES[1:]
    found = (rule(candidate) for candidate in candidates if candidate for rule in rules)
    return next((diagnostic for diagnostic in found if diagnostic is not None), None)


def _at_binding(place: Place) -> Place | None:
    """Where `=` fails since the line before lacks its end, the failure seen at the line's start.

    In `INPUT ->` above `x = INPUT`, `x` is read as the next step.
    """
    name = place.before
    if place.failure.type != "EQUAL" or name is None:
        return None
    before = previous_token(place.source, place.start, name.start)
    failure = replace(place.failure, span=name, type="NAME", expected=frozenset())
    moved = Place(failure, place.start, before)
    open_ended = before is not None and is_open_ended(before.text)
    return moved if moved.starts_line and open_ended else None
