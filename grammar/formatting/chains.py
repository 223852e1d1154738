"""Chains, their steps, and what stands between braces to pieces of layout; see `formatter.py`."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from ..ast import (
    Argument,
    Call,
    Chain,
    For,
    Group,
    If,
    Item,
    Name,
    Reference,
    Repeat,
    Shorthand,
    Statement,
    Step,
)
from .expressions import ExpressionFormatter, enclosed, plain_item
from .layout import ENDLESS, Break, Doc, Hard, Nest, Row, Soft, Text, row
from .layout import Group as Together
from .token_stream import TokenStream

# Names from the tables of papers: the mode of the pool, which is `max` where none is given.
_POOLS = {"maxpool": "", "avgpool": "avg"}


class ChainFormatter(ExpressionFormatter):
    """Lays out chains."""

    def __init__(self, tokens: TokenStream, *, rewrite_pools: bool) -> None:
        super().__init__(tokens)
        self._rewrite_pools = rewrite_pools

    def statement(self, statement: Statement) -> Doc:
        """A statement, without the comments around it."""
        raise NotImplementedError

    def chain(self, chain: Chain) -> Row:
        """A chain in the lines that the author gave it.

        A line that is too long is broken before each step that is more than a word, and where
        that is not enough, before the first step that does not fit.
        """
        first, *others = chain.steps
        is_after_comments = self.tokens.has_comments()
        start: Doc = Together(self.step(first))
        if is_after_comments:
            start = Nest(2, start)
        lines: list[Doc] = []
        line = [(start, first)]
        for step in others:
            is_broken, comments = self.tokens.skip_sign()
            if is_broken:
                lines.append(_line(line, is_first=not lines))
                lines.append(Nest(2, row(comments, Hard())))
                line = []
            line.append((Together(row(Text("-> "), self.step(step))), step))
        return row(*lines, _line(line, is_first=not lines))

    def step(self, step: Step) -> Doc:
        """A step with its label."""
        item = step.item
        doc = _ITEMS[type(item)](self, item)
        if step.label is None:
            return doc
        keyword = self.tokens.take()
        label = self.label(step.label.span.end)
        return row(doc, Nest(2, row(Text(" "), keyword, Text(" "), label)))

    def reference(self, item: Reference) -> Doc:
        """A bare word, or a value."""
        word = item.label.literal or ""
        if not self._rewrite_pools or word not in _POOLS:
            return self.label(item.span.end)
        comments = self.tokens.comments()
        self.tokens.skip()
        mode = [_POOLS[word]] if _POOLS[word] else []
        return row(comments, _call("POOL", mode) if mode else Text("POOL"))

    def call(self, item: Call) -> Doc:
        """A layer or a block with arguments."""
        if not self._rewrite_pools or item.name not in _POOLS or _has_mode(item.arguments):
            return row(self.tokens.take(), self.bracket(is_call=True))
        comments = self.tokens.comments()
        self.tokens.skip()
        place = sum(argument.name is None for argument in item.arguments)
        extra = (place, _POOLS[item.name]) if _POOLS[item.name] else None
        return row(comments, Text("POOL"), self.bracket(is_call=True, extra=extra))

    def shorthand(self, item: Shorthand) -> Doc:
        """`conv5-16` as `CONV(5x5, 16)`, `fc-120` as `FC(120)`."""
        comments = self.tokens.comments()
        self.tokens.skip_to(item.span.end)
        kind, count = item.span.text.split("-")
        kernel = kind.removeprefix(item.kind)
        if kernel and "x" not in kernel:
            kernel = f"{kernel}x{kernel}"
        arguments = [kernel, count] if kernel else [count]
        return row(comments, _call(item.kind.upper(), arguments))

    def group(self, item: Group) -> Doc:
        """Branches side by side, or each on lines of its own that begin with `(` or `|`."""
        is_broken = self.tokens.bracket.separated
        first, *others = item.branches
        parts: list[Doc] = [self.tokens.take(), Text(" "), Nest(2, self.chain(first))]
        for branch in others:
            _, comments = self.tokens.skip_sign()
            space = Hard() if is_broken else Break(" ")
            parts += [comments, space, Text("| "), Nest(2, self.chain(branch))]
        parts += [Nest(2, self.tokens.comments()), Break(" "), self.tokens.take()]
        return Nest(0, Together(row(*parts)), "column")

    def repeat(self, item: Repeat) -> Doc:
        """`[chain]*n`; the closing bracket has its own line where the chain has several."""
        opening = self.tokens.take()
        chain = Nest(1, self.chain(item.chain))
        body = row(opening, chain, Nest(1, self.tokens.comments()), Break(""), self.tokens.take())
        if item.count is None:
            return Nest(0, Together(body), "column")
        count = row(self.tokens.take(), self.expression(item.count.span.end))
        return Nest(0, row(Together(body), count), "column")

    def for_(self, item: For) -> Doc:
        """`for target in list { ... }`."""
        keyword = self.tokens.take()
        target = self.expression(ends=frozenset({"in"}))
        sign = row(Text(" "), self.tokens.take(), Text(" "))
        values = self.expression(item.iterable.span.end)
        head = row(keyword, Nest(4, row(Text(" "), target, sign, values)))
        return Nest(0, Together(row(head, Text(" "), *self.body(item.body))), "column")

    def if_(self, item: If) -> Doc:
        """`if c { ... } else if d { ... } else { ... }`: all on one line, or each body broken."""
        parts: list[Doc] = []
        branch: If | None = item
        while branch is not None:
            keyword = self.tokens.take()
            condition = self.expression(branch.condition.span.end)
            parts += [keyword, Nest(4, row(Text(" "), condition)), Text(" ")]
            parts += self.body(branch.then)
            otherwise, branch = branch.otherwise, None
            if otherwise is None:
                break
            parts += [Text(" "), self.tokens.take(), Text(" ")]
            if self.tokens.next == "if":
                branch = _only_if(otherwise)
            else:
                parts += self.body(otherwise)
        return Nest(0, Together(row(*parts)), "column")

    def body(self, statements: Sequence[Statement]) -> list[Doc]:
        """Statements between braces, for the group around them to break or not."""
        is_broken = self.tokens.bracket.opened
        self.tokens.defer()
        parts: list[Doc] = [self.tokens.take()]
        inner: list[Doc] = []
        for place, statement in enumerate(statements):
            space = Hard() if is_broken else Break(" ")
            inner += self.comments_between(space if place == 0 else None)
            inner.append(self.statement(statement))
        inner += self.comments_between(row() if not statements else None)[:-1]
        closing = Break(" ") if statements else row()
        return [*parts, Nest(2, row(*inner)), closing, self.tokens.take()]

    def comments_between(self, start: Doc | None) -> list[Doc]:
        """What precedes the next statement: comments, blank lines, and a new line.

        Args:
            start: What precedes the first statement, where no blank line is kept; None
                before the others.
        """
        parts: list[Doc] = []
        for blank, remark in self.tokens.spaced_comments():
            if remark is None or remark.own_line:
                parts.append(Hard(blank) if start is None else start)
                start = None
            if remark is not None:
                parts.append(remark)
        return parts


def _line(steps: list[tuple[Doc, Step]], *, is_first: bool) -> Doc:
    """One line of the author's.

    Steps that fit on a line are laid out together. One that does not begins its own line, so
    that its lines, which are indented to where it starts, stay in sight.
    """
    runs: list[Doc] = []
    for is_plain, run in groupby(steps, key=lambda pair: pair[0].width < ENDLESS):
        parts: list[Doc] = []
        for doc, step in run:
            if parts or runs:
                parts.append(_space_before(step, is_plain=is_plain))
            parts.append(doc)
        inner = row(*parts)
        if is_first and not runs:
            inner = row(parts[0], Nest(2, row(*parts[1:])))
        runs.append(Together(inner) if is_plain else inner)
    return row(runs[0], Nest(2, row(*runs[1:]))) if is_first else Nest(2, row(*runs))


def _space_before(step: Step, *, is_plain: bool) -> Doc:
    """What precedes a step that is not the first of the author's line."""
    if isinstance(step.item, Reference):
        return Soft(" ")
    if is_plain:
        return Break(" ")
    return Soft(" ") if isinstance(step.item, Call) else Hard()


def _call(name: str, arguments: Sequence[str]) -> Row:
    """A call that stands for shorthand."""
    items = [plain_item(argument) for argument in arguments]
    return row(Text(name), enclosed(Text("("), items, Text(")")))


def _has_mode(arguments: Sequence[Argument]) -> bool:
    """Whether arguments say, or may say, how a pool pools."""
    return any(
        argument.name == "mode" or (argument.name is None and isinstance(argument.value, Name))
        for argument in arguments
    )


def _only_if(statements: Sequence[Any]) -> If:
    """The `if` of an `else if`."""
    item: If = statements[0].chain.steps[0].item
    return item


_ITEMS: Mapping[type[Item], Callable[[Any, Any], Doc]] = {
    Reference: ChainFormatter.reference,
    Call: ChainFormatter.call,
    Shorthand: ChainFormatter.shorthand,
    Group: ChainFormatter.group,
    Repeat: ChainFormatter.repeat,
    For: ChainFormatter.for_,
    If: ChainFormatter.if_,
}
