"""Expressions, arguments and labels to pieces of layout, token by token; see `formatter.py`.

They are formatted as spelled, regardless of their tree.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from .layout import ENDLESS, Break, Concat, Doc, Hard, Nest, Soft, Text, Together, concat, one_line
from .token_stream import TokenStream

_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")
_SEPARATORS = frozenset({",", ";"})
_ENDS = _CLOSING | _SEPARATORS

# A long expression breaks at all operators of the first of these that it has any of, the words of a
# comprehension among them; `^` stands without blanks, and no line breaks there, nor at `in`.
_BREAKABLE = (
    frozenset({"FOR", "IF"}),
    frozenset({"_THEN", "_ELSE", "OR", "AND", "ADDOP"}),
    frozenset({"CMP"}),
    frozenset({"STAR", "SLASH", "DSLASH", "PCT"}),
)
_INFIX = frozenset({"IN"}).union(*_BREAKABLE)
_PREFIX_WORDS = frozenset({"not", "if"})


class BracketItem(NamedTuple):
    """What stands between two separators of a bracket.

    Attributes:
        doc: The item.
        separator: What follows it, if anything does.
        remarks: The comments after the separator.
        is_last_of_line: Whether the author broke the line there.
    """

    doc: Concat
    separator: str
    remarks: Concat
    is_last_of_line: bool


@dataclass(slots=True)
class _Operation:
    """An expression as it is read: operands with their operators before them.

    Attributes:
        operands: Each is the pieces of an operand, which follow one another without a break.
        breaks: Between each two operands, the operator's type, and whether the author broke the
            line there.
        ends_with_operand: Whether an operator, a call or an index may come next.
        ends_with_number: Whether the last token is a number, and not a part after a dot.
    """

    operands: list[list[Doc]] = field(default_factory=lambda: [[]])
    breaks: list[tuple[str, bool]] = field(default_factory=list)
    ends_with_operand: bool = False
    ends_with_number: bool = False

    def add(self, *docs: Doc, is_operand: bool, is_number: bool = False) -> None:
        """Go on with the last operand."""
        self.operands[-1].extend(docs)
        self.ends_with_operand = is_operand
        self.ends_with_number = is_number

    def laid_out(self, *, keep: bool) -> Concat:
        """The expression, broken where the author broke it (if that is kept) or at loose signs."""
        present = {kind for kind, _ in self.breaks}
        breakable = next((kinds for kinds in _BREAKABLE if kinds & present), frozenset())
        parts = list(self.operands[0])
        for (kind, was_broken), operand in zip(self.breaks, self.operands[1:], strict=True):
            if kind not in breakable:
                parts.append(Text(" "))
            else:
                parts.append(Hard() if keep and was_broken else Soft(" "))
            parts.extend(operand)
        return concat(*parts)


def two_words(tokens: TokenStream) -> Concat:
    """The next two tokens, with a blank between them."""
    return concat(tokens.take(), Nest(2, concat(Text(" "), tokens.take())))


def expression(
    tokens: TokenStream,
    end: int = ENDLESS,
    ends: frozenset[str] = frozenset(),
    *,
    keep: bool = True,
    is_index: bool = False,
) -> Concat:
    """The tokens up to an offset or to one that ends an expression.

    Args:
        tokens: From the first of the expression on.
        end: The offset.
        ends: The tokens, brackets apart.
        keep: Whether the author's line breaks at operators are kept.
        is_index: Whether a colon stands between the bounds of a slice, without blanks.
    """
    read = _Operation()
    while tokens.is_before(end) and tokens.next not in ends:
        word = tokens.next
        if word in _OPENING:
            follows = read.ends_with_operand
            read.add(bracket(tokens, is_call=follows and word == "("), is_operand=True)
        elif word == ".":
            _attribute(tokens, read)
        elif word == "^":
            read.add(tokens.take(), is_operand=False)
        elif read.ends_with_operand and tokens.kind in _INFIX:
            _operator(tokens, read)
        elif word == ":" and is_index:
            read.add(tokens.take(), is_operand=False)
        elif word == ":" or word in _PREFIX_WORDS:
            read.add(tokens.take(), Text(" "), is_operand=False)
        else:
            is_operand = word not in ("+", "-", "=")
            read.add(tokens.take(), is_operand=is_operand, is_number=word[0].isdigit())
    return read.laid_out(keep=keep)


def _operator(tokens: TokenStream, read: _Operation) -> None:
    """A binary operator; it will begin the line if any is broken there."""
    word, kind = tokens.next, tokens.kind
    was_broken, comments = tokens.skip_sign()
    read.add(comments, is_operand=False)
    read.breaks.append((kind, was_broken))
    read.operands.append([Text(f"{word} ")])


def _attribute(tokens: TokenStream, read: _Operation) -> None:
    """`.` and the part after it, which may be a keyword or an integer."""
    if read.ends_with_number:
        read.add(Text(" "), is_operand=False)  # `1 .5` is no `1.5`
    read.add(tokens.take(), tokens.take(), is_operand=True)


def bracket(tokens: TokenStream, *, is_call: bool, extra: tuple[int, str] | None = None) -> Nest:
    """A bracket of expressions: arguments, an index, a tuple, a list, a map, parentheses.

    It is on one line if it fits and the author did not break it, or else its items have
    lines of their own: those of the author, or one for each, or for plain values as few as
    will do.

    Args:
        tokens: From the opening bracket on.
        is_call: Whether it holds arguments.
        extra: A word to insert, and the number of items before it.
    """
    author = tokens.bracket
    is_broken = author.opened or author.separated or author.commented
    is_tuple = tokens.next == "(" and not is_call
    is_index = tokens.kind == "INDEX_LSQB"
    head, after_opening = tokens.take(), tokens.comments()
    items: list[BracketItem] = []
    while tokens.next not in _CLOSING:
        items.append(_item(tokens, keep=is_broken, is_index=is_index))
    if items and not (is_tuple and len(items) == 1):
        items[-1] = items[-1]._replace(separator="")  # but the comma of `(a,)` makes the tuple
    if extra is not None:
        items.insert(extra[0], plain_item(extra[1]))
    before_closing = tokens.comments()
    return enclosed(
        head,
        items,
        tokens.take(),
        comments=(after_opening, before_closing),
        fill=not is_call,
        keep_lines=is_broken,
    )


def _item(tokens: TokenStream, *, keep: bool, is_index: bool) -> BracketItem:
    """An item and its separator."""
    doc = expression(tokens, ends=_ENDS, keep=keep, is_index=is_index)
    is_last_of_line = (bool(doc.parts) and tokens.starts_line()) or tokens.starts_line(1)
    if tokens.next not in _SEPARATORS:
        return BracketItem(doc, "", concat(), False)
    is_last_of_line = (bool(doc.parts) and tokens.starts_line()) or tokens.starts_line(1)
    separator = tokens.skip()
    if separator == "," and tokens.next == ";":
        separator = tokens.skip()
    comments = tokens.comments() if tokens.next not in _CLOSING else concat()
    return BracketItem(doc, separator, comments, is_last_of_line)


def label(tokens: TokenStream, end: int) -> Concat:
    """A label, or a word that is spelled like one; no line breaks in it, save at comments."""
    parts: list[Doc] = []
    while tokens.is_before(end):
        if tokens.next == "{":
            parts += [tokens.take(), one_line(expression(tokens, ends=_CLOSING))]
        parts.append(tokens.take())
    return concat(*parts)


def plain_item(word: str) -> BracketItem:
    """A word as an item."""
    return BracketItem(concat(Text(word)), "", concat(), False)


def enclosed(
    opening: Doc,
    items: list[BracketItem],
    closing: Doc,
    *,
    comments: tuple[Concat, Concat] = (concat(), concat()),
    fill: bool = False,
    keep_lines: bool = False,
) -> Nest:
    """Items in brackets.

    Args:
        opening: The opening bracket.
        items: What stands inside.
        closing: The closing bracket.
        comments: Those after the opening bracket, and those before the closing one.
        fill: Whether plain items may share lines where one line is not enough.
        keep_lines: Whether the author gave the items lines of their own, which they keep.
    """
    after_opening, before_closing = comments
    if not items:
        return Nest(2, concat(opening, after_opening, before_closing, closing), "line")
    items = [*(item._replace(separator=item.separator or ",") for item in items[:-1]), items[-1]]
    inner = _kept_lines(items) if keep_lines else _line(items, fill=fill)
    first = Hard(flat="") if keep_lines else Break("")
    body = Nest(2, concat(after_opening, first, inner, before_closing))
    *others, last = [item.doc.width >= ENDLESS for item in items]
    is_one_piece = not any(isinstance(part, Soft) for part in items[-1].doc.parts)
    hug = last and is_one_piece and not keep_lines and not any(others)
    return Nest(0, Together(concat(opening, body, Break(""), closing), hug=hug), "line")


def _line(items: list[BracketItem], *, fill: bool) -> Concat:
    """Items that are on one line, or if it is too long on one each, or filled if all are plain.

    What is plain has no brackets.
    """
    is_plain = not any(isinstance(part, Nest) for item in items for part in item.doc.parts)
    space = Soft(" ") if fill and is_plain else Break(" ")
    parts: list[Doc] = []
    for place, item in enumerate(items):
        parts += [space] if place else []
        parts += [Together(item.doc), Text(item.separator), item.remarks]
    return concat(*parts)


def _kept_lines(items: list[BracketItem]) -> Concat:
    """Items in the lines that the author gave them."""
    parts: list[Doc] = []
    line: list[BracketItem] = []
    for item in items[:-1]:
        line.append(item)
        if item.is_last_of_line:
            parts += [Together(_line(line, fill=True)), Hard()]
            line = []
    return concat(*parts, Together(_line([*line, items[-1]], fill=True)))
