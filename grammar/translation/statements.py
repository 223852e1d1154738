"""Statements as Python and other languages write them, recognized where the parser stopped.

A rule is a pattern and what to say where it covers that place; the help spells the statement in
netc's words.
"""
# ruff: noqa: RUF001, this file is about characters that are taken for others

import re
from collections.abc import Callable, Sequence

from ..diagnostics import Diagnostic
from ..source import Source, Span
from .call_text import arguments_of, closing, is_number
from .calls import FRAMEWORKS, applied, translated
from .notations import line_at, piece_at
from .recipes import missing, own_name, remarks
from .sketches import sketched_branches, sketched_chain
from .training_blocks import misplaced, with_colons
from .words import MERGES

_CALL = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\(")
_REPEATED_BEFORE = re.compile(r"(?<![\w.)\]])(\d+)\s*[*x×]\s*\[")
_COUNT_AFTER = re.compile(r"\s*(?:[xX×]\s*|\*\*?\s*-?\s*|\^\s*)(\d+)")
_COUNT_IN_BRACKETS = re.compile(r"(?:\s*[({]\s*|[ \t]+)(\d+)(?:\s*[)}])?")
_LONGEST = 2000  # characters of a statement that are looked at


def find_foreign(source: Source, start: int, offset: int) -> Diagnostic | None:
    """What another language's notation at an offset means here, or None.

    Args:
        source: The text.
        start: Where the statement starts.
        offset: Where the parser stopped.
    """
    for rule in STATEMENT_RULES:
        found = rule(source, start, offset)
        if found is not None:
            return found
    return None


def _merged(source: Source, start: int, offset: int) -> Diagnostic | None:
    """Branches in other brackets or with commas: `[a || b] -> CONCAT`, `RESIDUAL(a -> b)`."""
    text = source.text
    for match in _OPENED.finditer(text, start, min(offset + 1, start + _LONGEST)):
        length = closing(text[match.end() - 1 : match.end() + _LONGEST], 0)
        end = match.end() - 1 + length
        if length < 0 or not match.start() <= offset <= end:
            continue
        inside, merge = text[match.end() : end].strip(), own_name(match[1] or "")
        meant: str | None = None
        if merge is not None and merge.name in MERGES and "->" in inside:
            meant = f"{sketched_branches(inside) or f'( {inside} | ID )'} -> {merge.name}"
        elif not match[1] and (follows := _FOLLOWS.match(text, end + 1)):
            merge = own_name(follows[1])
            meant = sketched_branches(inside) if merge and merge.name in MERGES else None
        if meant is not None:
            span = Span(source, match.start(), end + 1)
            message = "the branches of a group stand in parentheses, separated by `|`"
            return Diagnostic("E011", message, span, help=f"write `{meant}`")
    return None


_OPENED = re.compile(r"([A-Za-z_]\w*)?[(\[{]")
_FOLLOWS = re.compile(r"\s*->\s*(\w+)")


def _sketched(source: Source, start: int, offset: int) -> Diagnostic | None:
    """A chain whose steps are sketches: `7x7 conv, 64, /2 -> pool -> fc 1000`."""
    sketch = sketched_chain(source.text, *_chain_at(source.text, offset))
    if sketch is None:
        return None
    span = Span(source, sketch.start, sketch.end)
    message = "a step is a layer with its arguments in parentheses"
    if sketch.name:
        message = f"`{sketch.name}` is a name of another framework"
    return Diagnostic("E011", message, span, help=f"write `{sketch.meant}`{sketch.said}")


def _chain_at(text: str, offset: int) -> tuple[int, int]:
    """Where the chain around an offset stands: its line, and lines that arrows join to it."""
    begin, end = text.rfind("\n", 0, offset) + 1, _line_end(text, offset)
    while begin and (_starts_with_arrow(text, begin) or text[:begin].rstrip().endswith("->")):
        begin = text.rfind("\n", 0, begin - 1) + 1
    while end < len(text) and (
        _starts_with_arrow(text, end + 1) or text[begin:end].rstrip().endswith("->")
    ):
        end = _line_end(text, end + 1)
    bound = re.compile(r"[ \t]*[A-Za-z_]\w*[ \t]*=(?![=>])").match(text, begin, end)
    return bound.end() if bound else begin, end


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end


def _starts_with_arrow(text: str, offset: int) -> bool:
    return text[offset : offset + 200].lstrip(" \t").startswith("->")


def _repeated(source: Source, start: int, offset: int) -> Diagnostic | None:
    """`3*[...]`, `[...]x3`, `[...]*-1` and `FC(10)*3`, all of them `[...]*n`."""
    text = source.text
    for match in _REPEATED_BEFORE.finditer(text, start, offset + 20):
        end = closing(text, match.end() - 1)
        if match.start() <= offset <= match.end() and end > 0:
            body = text[match.end() - 1 : end + 1]
            return _repetition(Span(source, match.start(), end + 1), f"{body}*{match[1]}")
    before = text[:offset].rstrip(" \t*xX×^({")
    bracketed = before[-1:] == "]" and _COUNT_IN_BRACKETS.match(text, len(before))
    count = bracketed or _COUNT_AFTER.match(text, len(before))
    if count is None or not before or before[-1] not in ")]":
        return None
    opening = _opening(text, len(before) - 1)
    if opening < start or offset > count.end():
        return None
    if before[-1] == ")":
        name = re.search(r"[A-Za-z_]\w*$", text[:opening])
        first = opening if name is None else name.start()
        body = text[first : len(before)]
        body = f"[{body[1:-1].strip()}]" if name is None else f"[{body}]"
    else:
        body, first = text[opening : len(before)], opening
    if len(body) > _LONGEST or ("->" not in body and "," in body and before[-1] == "]"):
        return None
    return _repetition(Span(source, first, count.end()), f"{body}*{count[1]}")


def _repetition(span: Span, meant: str) -> Diagnostic:
    message = "a repetition is a chain in brackets, then `*` and how often"
    return Diagnostic("E022", message, span, help=f"write `{meant}`")


def _opening(text: str, end: int) -> int:
    """The offset of the bracket that the one at `end` closes, or -1."""
    depth = 0
    for place in range(end, max(end - _LONGEST, -1), -1):
        depth += (text[place] in ")]}") - (text[place] in "([{")
        if depth == 0:
            return place
    return -1


def _size(source: Source, start: int, offset: int) -> Diagnostic | None:
    """`32 x 32 x 3`."""
    pattern = re.compile(r"(?<!\w)\d+(?:\s+[xX]\s*\d+|[xX]\s+\d+)+")
    for match in pattern.finditer(source.text, start, offset + _LONGEST):
        span = Span(source, match.start(), match.end())
        if span.start > offset:
            return None
        if offset <= span.end:
            meant = "x".join(re.findall(r"\d+", match[0]))
            message = "a size contains no spaces"
            return Diagnostic("E011", message, span, help=f"write `{meant}`")
    return None


def _lacks(text: str, call: str) -> bool:
    """Whether a call is of a layer that only other frameworks have, and of no block of the file."""
    name = call[:-1]
    return missing(name) is not None and re.search(rf"\bblock\s+{name}\b", text) is None


def _called(source: Source, start: int, offset: int) -> Diagnostic | None:
    """`nn.Linear(784, 10)`, and a layer that is applied: `CONV(3x3, 16)(x)`, `Add()([x, y])`."""
    text = source.text
    found = None
    for match in _CALL.finditer(text, start, min(offset + 1, start + _LONGEST)):
        end = closing(text, match.end() - 1)
        if end < 0:
            continue
        is_applied = text[end + 1 : end + 2] == "("
        last = closing(text, end + 1) if is_applied else end
        dotted = "." in match[0] or text[offset : offset + 1] == "'" or _lacks(text, match[0])
        if match.start() <= offset <= last + 1 and (dotted or is_applied):
            found = (match, end, last)
            break
    if found is None:
        return None
    match, end, last = found
    name, arguments = match[0][:-1], arguments_of(text[match.end() : end])
    if name.endswith(".add") and len(arguments) == 1:  # `model.add(Dense(10))`
        inner = _CALL.match(text, match.end())
        help = missing(inner[0][:-1], arguments_of(text[inner.end() : end - 1])) if inner else None
        if help is not None:
            span = Span(source, match.start(), end + 1)
            return Diagnostic("E011", f"`{name}` is a name of another framework", span, help=help)
    from .python_networks import contained  # for programs that are refused only

    inside = contained(name, text[match.start() : end + 1], starts=_starts(text, match.start()))
    steps = inside.code if inside else translated(name, arguments)
    if last > end and is_number(text[end + 2 : last]):
        span = Span(source, match.start(), last + 1)
        message = "a call has one pair of parentheses"
        return Diagnostic("E011", message, span, help="put all arguments into one pair")
    if last > end:
        steps = steps or text[match.start() : end + 1]
        steps = applied(steps, text[end + 2 : last])
        message = "a layer is not applied to a value: the value leads to the layer"
    else:
        message = f"`{name}` is a name of another framework"
        message = message if "." in name else "`'` does not quote a string"
    span = Span(source, match.start(), last + 1)
    framework = "." in name and name.split(".")[0] in FRAMEWORKS
    if steps is None and (framework or missing(name)):
        message = message if framework else f"`{name}` is a name of another framework"
        return Diagnostic("E011", message, span, help=missing(name, arguments) or _BY_NAME)
    if steps is None:
        return None
    more = "".join(f"; {text}" for text in inside.remarks) if inside else remarks(name, arguments)
    help = f"write `{steps}`{more}"
    return Diagnostic("E011", message, span, help=help)


def _starts(text: str, offset: int) -> bool:
    """Whether a chain starts at an offset."""
    return not text[text.rfind("\n", 0, offset) + 1 : offset].rstrip().endswith(("->", "|", "("))


STATEMENT_RULES: Sequence[Callable[[Source, int, int], Diagnostic | None]] = (
    line_at,
    misplaced,
    _repeated,
    _size,
    with_colons,
    _merged,
    _sketched,
    _called,
    piece_at,
)

_BY_NAME = '`op("Name")` calls an operator of ONNX by its name'
