"""A program to its canonical text, with all its comments; `docs/language/formatting.md` shows it.

What the tree does not hold, such as parentheses and the spelling of numbers, is taken from the
tokens: the tree says where chains and statements are, and the tokens are taken in order as they
are met, so that nothing can be lost or change places.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..ast import (
    AssertStatement,
    BindStatement,
    BlockStatement,
    ChainStatement,
    DefaultStatement,
    Entry,
    ImportStatement,
    LanguageStatement,
    LetStatement,
    Module,
    NetStatement,
    OutputStatement,
    Statement,
    TrainStatement,
)
from ..parsing.parser import parse
from ..source import Source
from .chains import ChainFormatter
from .layout import Doc, Group, Hard, Nest, Text, lay_out, row
from .token_stream import TokenStream

_ASSIGNED = frozenset("=")
_POOLS = frozenset({"POOL", "maxpool", "avgpool"})


def format_source(source: Source) -> str:
    """The canonical text of a program; formatting it again changes nothing.

    Lines end as the first one does. Its syntax tree is that of the source, save that the shorthand
    of papers' tables is written out: `conv5-16` as `CONV(5x5, 16)`, `fc-120` as `FC(120)`,
    `maxpool` and `avgpool` as `POOL`.

    Raises:
        NetError: The program does not parse.
    """
    formatted = format_module(parse(source))
    first, end, _ = source.text.partition("\n")
    return formatted.replace("\n", "\r\n") if end and first.endswith("\r") else formatted


def format_module(module: Module) -> str:
    """The canonical text of a program that was parsed; see `format_source`."""
    # New defaults of a pool might hold for one spelling of it and not for another.
    rewrite_pools = not any(
        isinstance(statement, DefaultStatement | BlockStatement) and statement.name in _POOLS
        for statement in module.statements
    )
    formatter = _Formatter(TokenStream(module), rewrite_pools=rewrite_pools)
    return lay_out(formatter.module(module))


class _Formatter(ChainFormatter):
    """Lays out statements, one method per kind."""

    def module(self, module: Module) -> Doc:
        """All statements, and the comments before, between and after them."""
        parts: list[Doc] = []
        for statement in module.statements:
            parts += [*self.comments_between(None), self.statement(statement)]
        return row(*parts, *self.comments_between(None))

    def statement(self, statement: Statement) -> Doc:
        return _STATEMENTS[type(statement)](self, statement)

    def of_words(self, statement: NetStatement | LanguageStatement | ImportStatement) -> Doc:
        """A keyword and a word."""
        return self.two_words()

    def default(self, statement: DefaultStatement) -> Doc:
        """`default CONV(...)`."""
        return row(self.two_words(), self.bracket(is_call=True))

    def let(self, statement: LetStatement) -> Doc:
        """`let target = value`."""
        keyword = self.tokens.take()
        target = row(Text(" "), self.expression(ends=_ASSIGNED), Text(" "), self.tokens.take())
        value = self.expression(statement.span.end)
        return row(keyword, self._assigned(target, value))

    def assert_(self, statement: AssertStatement) -> Doc:
        """`assert condition`."""
        keyword = self.tokens.take()
        return row(keyword, self._assigned(row(), self.expression(statement.span.end)))

    def _assigned(self, head: Doc, value: Doc) -> Doc:
        return Nest(2, row(head, Text(" "), value))

    def bind(self, statement: BindStatement) -> Doc:
        """`target = chain`."""
        target = self.expression(ends=_ASSIGNED)
        sign = Nest(2, row(Text(" "), self.tokens.take(), Text(" ")))
        return row(target, sign, self.chain(statement.chain))

    def output(self, statement: OutputStatement) -> Doc:
        """`output name`, `output name = chain`."""
        head = self.two_words()
        if statement.chain is None:
            return head
        sign = Nest(2, row(Text(" "), self.tokens.take(), Text(" ")))
        return row(head, sign, self.chain(statement.chain))

    def chain_statement(self, statement: ChainStatement) -> Doc:
        """A chain that stands alone."""
        return self.chain(statement.chain)

    def block(self, statement: BlockStatement) -> Doc:
        """`block Up(c; skip, x) { ... }`."""
        head: list[Doc] = [self.two_words()]
        if self.tokens.next == "(":
            self.tokens.defer()
            head.append(self.bracket(is_call=True))
        return Group(row(*head, Text(" "), *self.body(statement.body)))

    def train(self, statement: TrainStatement) -> Doc:
        """`train { ... }`, with the signs `=` in one column."""
        head = [self.tokens.take(), Text(" ")]
        self.tokens.defer()
        head.append(self.tokens.take())
        width = max((len(entry.name) for entry in statement.entries), default=0)
        entries: list[Doc] = []
        for place, entry in enumerate(statement.entries):
            entries += self.comments_between(Hard() if place == 0 else None)
            entries.append(self._entry(entry, width))
            if self.tokens.next == ",":
                self.tokens.skip()
        entries += self.comments_between(None if entries else row())[:-1]
        end: Sequence[Doc] = [Hard()] if entries else []
        return row(*head, Nest(2, row(*entries)), *end, self.tokens.take())

    def _entry(self, entry: Entry, width: int) -> Doc:
        name = self.tokens.take()
        space = Text(" " * (width - len(entry.name) + 1))
        sign = row(space, self.tokens.take())
        return row(name, self._assigned(sign, self.expression(entry.value.span.end)))


_STATEMENTS: Mapping[type[Statement], Callable[[_Formatter, Any], Doc]] = {
    NetStatement: _Formatter.of_words,
    LanguageStatement: _Formatter.of_words,
    ImportStatement: _Formatter.of_words,
    DefaultStatement: _Formatter.default,
    LetStatement: _Formatter.let,
    AssertStatement: _Formatter.assert_,
    BindStatement: _Formatter.bind,
    ChainStatement: _Formatter.chain_statement,
    OutputStatement: _Formatter.output,
    BlockStatement: _Formatter.block,
    TrainStatement: _Formatter.train,
}
