"""A program to its canonical text, with all its comments; `docs/language/formatting.md` shows it.

What the tree does not hold, such as parentheses and the spelling of numbers, is taken from the
tokens: the tree says where chains and statements are, and the tokens are taken in order as they
are met, so that nothing can be lost or change places.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ..ast import (
    Argument,
    AssertStatement,
    BindStatement,
    BlockStatement,
    Branch,
    Call,
    Chain,
    ChainStatement,
    Clause,
    DefaultStatement,
    Entry,
    Expression,
    For,
    FunctionStatement,
    Group,
    If,
    ImportStatement,
    Label,
    LanguageStatement,
    LetStatement,
    Module,
    Name,
    NetStatement,
    OutputStatement,
    Reference,
    Repeat,
    Shorthand,
    Statement,
    Step,
    Target,
    TrainStatement,
)
from ..parsing.parser import parse
from ..source import Source
from .expressions import bracket, enclosed, expression, label, plain_item, two_words
from .layout import (
    ENDLESS,
    Before,
    Break,
    Concat,
    Doc,
    Hard,
    Nest,
    Soft,
    Text,
    Together,
    concat,
    lay_out,
)
from .token_stream import TokenStream

# Names from the tables of papers: the mode of the pool, which is `max` where none is given.
_POOLS = {"maxpool": "", "avgpool": "avg"}
_ASSIGNED = frozenset("=")


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
        isinstance(statement, DefaultStatement | BlockStatement)
        and statement.name in ("POOL", *_POOLS)
        for statement in module.statements
    )
    formatter = _Formatter(TokenStream(module), rewrite_pools=rewrite_pools)
    return lay_out(formatter.module(module))


class _Formatter:
    """Lays out statements and chains, by a method per class of the syntax tree."""

    def __init__(self, tokens: TokenStream, *, rewrite_pools: bool) -> None:
        self.tokens = tokens
        self._rewrite_pools = rewrite_pools

    def module(self, module: Module) -> Doc:
        """All statements, and the comments before, between and after them."""
        parts: list[Doc] = []
        for statement in module.statements:
            parts += [*self.comments_between(None), self.statement(statement)]
        return concat(*parts, *self.comments_between(None))

    def statement(self, statement: Statement) -> Doc:
        """A statement, without the comments around it."""
        doc: Doc = getattr(self, f"_{type(statement).__name__}")(statement)
        return doc

    def _NetStatement(self, statement: NetStatement | LanguageStatement) -> Doc:
        """A keyword and a word."""
        return two_words(self.tokens)

    _LanguageStatement = _NetStatement

    def _ImportStatement(self, statement: ImportStatement) -> Doc:
        """`import "blocks.net" as b`."""
        path = two_words(self.tokens)
        if statement.name is None:
            return path
        return concat(path, Nest(2, concat(Text(" "), two_words(self.tokens))))

    def _DefaultStatement(self, statement: DefaultStatement) -> Doc:
        """`default CONV(...)`."""
        keyword, name = self.tokens.take(), label(self.tokens, statement.name_span.end)
        return concat(keyword, Text(" "), name, bracket(self.tokens, is_call=True))

    def _LetStatement(self, statement: LetStatement | FunctionStatement) -> Doc:
        """`let target = value`, `let name(v, d=8) = value`."""
        keyword = self.tokens.take()
        target = concat(
            Text(" "), expression(self.tokens, ends=_ASSIGNED), Text(" "), self.tokens.take()
        )
        value = expression(self.tokens, statement.span.end)
        return concat(keyword, self._assigned(target, value))

    _FunctionStatement = _LetStatement

    def _AssertStatement(self, statement: AssertStatement) -> Doc:
        """`assert condition`."""
        keyword = self.tokens.take()
        return concat(
            keyword, self._assigned(concat(), expression(self.tokens, statement.span.end))
        )

    def _assigned(self, head: Doc, value: Doc) -> Doc:
        return Nest(2, concat(head, Text(" "), value))

    def _BindStatement(self, statement: BindStatement) -> Doc:
        """`target = chain`."""
        if isinstance(statement.target, Label):
            target = label(self.tokens, statement.target.span.end)
        else:
            target = expression(self.tokens, ends=_ASSIGNED)
        return concat(target, *self._bound(statement.target, statement.chain))

    def _bound(self, target: Target | Label, chain: Chain) -> tuple[Doc, Doc]:
        """` =` and the chain that gets a name; the line may break behind a computed one."""
        sign = Nest(2, concat(Text(" "), self.tokens.take(), Text(" ")))
        is_computed = isinstance(target, Label) and target.literal is None
        return sign, self.chain(chain, may_start_line=is_computed)

    def _OutputStatement(self, statement: OutputStatement) -> Doc:
        """`output name`, `output name = chain`."""
        name = concat(self.tokens.take(), Text(" "))
        head = concat(name, Nest(2, label(self.tokens, statement.name.span.end)))
        if statement.chain is None:
            return head
        return concat(head, *self._bound(statement.name, statement.chain))

    def _ChainStatement(self, statement: ChainStatement) -> Doc:
        """A chain that stands alone."""
        return self.chain(statement.chain)

    def _BlockStatement(self, statement: BlockStatement) -> Doc:
        """`block Up(c; skip, x) { ... }`."""
        head: list[Doc] = [two_words(self.tokens)]
        if self.tokens.next == "(":
            self.tokens.defer()
            head.append(bracket(self.tokens, is_call=True))
        return Together(concat(*head, Text(" "), *self.body(statement.body)))

    def _TrainStatement(self, statement: TrainStatement) -> Doc:
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
        entries += self.comments_between(None if entries else concat())[:-1]
        end: Sequence[Doc] = [Hard()] if entries else []
        return concat(*head, Nest(2, concat(*entries)), *end, self.tokens.take())

    def _entry(self, entry: Entry, width: int) -> Doc:
        name = self.tokens.take()
        space = Text(" " * (width - len(entry.name) + 1))
        sign = concat(space, self.tokens.take())
        return concat(name, self._assigned(sign, expression(self.tokens, entry.value.span.end)))

    # Chains

    def chain(self, chain: Chain, *, may_start_line: bool = False) -> Concat:
        """A chain in the lines that the author gave it.

        A line that is too long is broken before each step that is more than a word, and where
        that is not enough, before the first step that does not fit.
        """
        first, *others = chain.steps
        is_after_comments = self.tokens.has_comments()
        start: Doc = Together(self.step(first))
        if is_after_comments or may_start_line:
            start = Nest(2, concat(Before("", start.width if may_start_line else 0), start))
        lines: list[Doc] = []
        line = [(start, first)]
        for step in others:
            is_broken, comments = self.tokens.skip_sign()
            if is_broken:
                lines.append(_line(line, is_first=not lines))
                lines.append(Nest(2, concat(comments, Hard())))
                line = []
            line.append((Together(concat(Text("-> "), self.step(step))), step))
        return concat(*lines, _line(line, is_first=not lines))

    def step(self, step: Step) -> Doc:
        """A step with its label, which has a line of its own where both do not fit on one."""
        item = step.item
        doc: Doc = getattr(self, f"_{type(item).__name__}")(item)
        if step.label is None:
            return doc
        keyword = self.tokens.take()
        name = label(self.tokens, step.label.span.end)
        given = concat(keyword, Text(" "), name)
        return concat(doc, Nest(2, concat(Before(" ", given.width), given)))

    def _Reference(self, item: Reference) -> Doc:
        """A bare word, or a value."""
        word = item.label.literal or ""
        if not self._rewrite_pools or word not in _POOLS:
            return label(self.tokens, item.span.end)
        comments = self.tokens.comments()
        self.tokens.skip()
        mode = [_POOLS[word]] if _POOLS[word] else []
        return concat(comments, _call("POOL", mode) if mode else Text("POOL"))

    def _Call(self, item: Call) -> Doc:
        """A layer or a block with arguments."""
        if item.is_inline:
            name = concat(self.tokens.take(), Text(" "), label(self.tokens, item.name_span.end))
            has_arguments = self.tokens.is_before(item.span.end)
            return concat(name, bracket(self.tokens, is_call=True)) if has_arguments else name
        if not self._rewrite_pools or item.name not in _POOLS or _has_mode(item.arguments):
            name = label(self.tokens, item.name_span.end)
            return concat(name, bracket(self.tokens, is_call=True))
        comments = self.tokens.comments()
        self.tokens.skip()
        place = sum(argument.name is None for argument in item.arguments)
        extra = (place, _POOLS[item.name]) if _POOLS[item.name] else None
        return concat(comments, Text("POOL"), bracket(self.tokens, is_call=True, extra=extra))

    def _Shorthand(self, item: Shorthand) -> Doc:
        """`conv5-16` as `CONV(5x5, 16)`, `fc-120` as `FC(120)`."""
        comments = self.tokens.comments()
        self.tokens.skip_to(item.span.end)
        kind, count = item.span.text.split("-")
        kernel = kind.removeprefix(item.kind)
        if kernel and "x" not in kernel:
            kernel = f"{kernel}x{kernel}"
        arguments = [kernel, count] if kernel else [count]
        return concat(comments, _call(item.kind.upper(), arguments))

    def _Group(self, item: Group) -> Doc:
        """Branches side by side, or each on lines of its own that begin with `(` or `|`."""
        is_broken = self.tokens.bracket.separated
        first, *others = item.branches
        parts: list[Doc] = [self.tokens.take(), Text(" "), Nest(2, self._branch(first))]
        for branch in others:
            _, comments = self.tokens.skip_sign()
            space = Hard() if is_broken else Break(" ")
            parts += [comments, space, Text("| "), Nest(2, self._branch(branch))]
        parts += [Nest(2, self.tokens.comments()), Break(" "), self.tokens.take()]
        return Nest(0, Together(concat(*parts)), "column")

    def _branch(self, branch: Branch) -> Doc:
        """`for r in rates | chain if c`, or the chain alone."""
        heads: list[Doc] = []
        for clause in branch.clauses:
            heads += [Soft(" ")] if heads else []
            heads.append(self._clause(clause))
            _, comments = self.tokens.skip_sign()
            heads += [comments, Text(" |")]
        chain: Doc = self.chain(branch.chain)
        if heads:
            chain = Together(concat(*heads, Nest(2, concat(Break(" "), Together(chain)))))
        return concat(chain, self._condition(branch.condition))

    def _condition(self, condition: Expression | None) -> Doc:
        """`if c` behind what it is asked of."""
        if condition is None:
            return concat()
        keyword = self.tokens.take()
        test = expression(self.tokens, condition.span.end)
        asked = concat(keyword, Text(" "), test)
        return Nest(2, concat(Before(" ", asked.width), asked))

    def _clause(self, clause: Clause | For) -> Doc:
        """`for target in list`, with the conditions of branches."""
        keyword = self.tokens.take()
        target = expression(self.tokens, ends=frozenset({"in"}))
        sign = concat(Text(" "), self.tokens.take(), Text(" "))
        values = expression(self.tokens, clause.iterable.span.end)
        conditions = clause.conditions if isinstance(clause, Clause) else ()
        parts = [Text(" "), target, sign, values, *map(self._condition, conditions)]
        return concat(keyword, Nest(4, concat(*parts)))

    def _Repeat(self, item: Repeat) -> Doc:
        """`[chain]*n`; the closing bracket has its own line where the chain has several."""
        opening = self.tokens.take()
        chain = Nest(1, self.chain(item.chain))
        body = concat(
            opening, chain, Nest(1, self.tokens.comments()), Break(""), self.tokens.take()
        )
        if item.count is None:
            return Nest(0, Together(body), "column")
        count = concat(self.tokens.take(), expression(self.tokens, item.count.span.end))
        return Nest(0, concat(Together(body), count), "column")

    def _For(self, item: For) -> Doc:
        """`for target in list { ... }`."""
        head = self._clause(item)
        return Nest(0, Together(concat(head, Text(" "), *self.body(item.body))), "column")

    def _If(self, item: If) -> Doc:
        """`if c { ... } else if d { ... } else { ... }`: all on one line, or each body broken."""
        parts: list[Doc] = []
        branch: If | None = item
        while branch is not None:
            keyword = self.tokens.take()
            condition = expression(self.tokens, branch.condition.span.end)
            parts += [keyword, Nest(4, concat(Text(" "), condition)), Text(" ")]
            parts += self.body(branch.then)
            otherwise, branch = branch.otherwise, None
            if otherwise is None:
                break
            parts += [Text(" "), self.tokens.take(), Text(" ")]
            if self.tokens.next == "if":
                branch = _only_if(otherwise)
            else:
                parts += self.body(otherwise)
        return Nest(0, Together(concat(*parts)), "column")

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
        inner += self.comments_between(concat() if not statements else None)[:-1]
        closing = Break(" ") if statements else concat()
        return [*parts, Nest(2, concat(*inner)), closing, self.tokens.take()]

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
        inner = concat(*parts)
        if is_first and not runs:
            inner = concat(parts[0], Nest(2, concat(*parts[1:])))
        runs.append(Together(inner) if is_plain else inner)
    return concat(runs[0], Nest(2, concat(*runs[1:]))) if is_first else Nest(2, concat(*runs))


def _space_before(step: Step, *, is_plain: bool) -> Doc:
    """What precedes a step that is not the first of the author's line."""
    item = step.item
    if isinstance(item, Reference) and not _POOLS.get(item.label.literal or ""):  # a word stays one
        return Soft(" ")
    if is_plain:
        return Break(" ")
    return Soft(" ") if isinstance(step.item, Call) else Hard()


def _call(name: str, arguments: Sequence[str]) -> Concat:
    """A call that stands for shorthand."""
    items = [plain_item(argument) for argument in arguments]
    return concat(Text(name), enclosed(Text("("), items, Text(")")))


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
