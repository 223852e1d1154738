"""Reductions of the parser to syntax tree nodes, one method per rule of `net.lark`.

The parser calls the method that has a rule's name with what stands for the rule's parts: tokens
for named terminals, and what the methods of inner rules returned. Methods in capitals convert a
terminal. No tree of the parser's own is ever built, which halves the memory of a parse.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..ast import (
    Apply,
    Argument,
    AssertStatement,
    Attribute,
    BindStatement,
    BlockStatement,
    Boolean,
    Branch,
    Call,
    Chain,
    ChainStatement,
    Choice,
    Clause,
    Comprehension,
    DefaultStatement,
    Entry,
    Expression,
    For,
    FunctionStatement,
    Group,
    If,
    ImportStatement,
    Index,
    Label,
    LanguageStatement,
    LetStatement,
    ListOf,
    MapOf,
    Name,
    NameTarget,
    NetStatement,
    Number,
    OutputStatement,
    Parameter,
    Reference,
    Repeat,
    Shorthand,
    Size,
    Slice,
    Statement,
    Step,
    String,
    Target,
    Template,
    Token,
    TrainStatement,
    TupleOf,
    TupleTarget,
)
from ..diagnostics import error
from ..limits import MAX_CLAUSES, check_expression
from ..source import Source, Span
from ..syntax_failures.imported import check_imported, imported_names
from ..syntax_failures.spacing import check_entry_start, check_label, check_start
from .expressions import build_expression
from .literals import read_integer, read_number, read_size, read_string

Parts = list[Any]


class Arguments(NamedTuple):
    """The arguments of a call and the offset after its parenthesis."""

    items: tuple[Argument, ...]
    end: int


class Hole(NamedTuple):
    """`{expression}` in a label, and where it stands."""

    expression: Expression
    start_pos: int
    end_pos: int


class Body(NamedTuple):
    """The statements between braces and the offset after the closing one."""

    statements: tuple[Statement, ...]
    end: int


class TreeBuilder:
    """Builds the nodes of one source at a time; `begin` names the source.

    Attributes:
        read_hole: Parses the expression in a computed part of a string.
    """

    def __init__(self, read_hole: Callable[[Span], Expression]) -> None:
        self.read_hole = read_hole
        self.begin(Source("", ""))

    def begin(self, source: Source) -> None:
        """Start on a source, and let go of the one before."""
        self.source = source
        self._imports = frozenset[str]()  # looked for where a call asks

    def _span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def _at(self, token: Token) -> Span:
        return Span(self.source, token.start_pos, token.end_pos)

    # Statements

    def start(self, parts: Parts) -> tuple[Statement, ...]:
        return tuple(parts)

    def net_stmt(self, parts: Parts) -> NetStatement:
        keyword, name = parts
        label = self.label([name])
        return NetStatement(label, span=self._begun(keyword, label.span.end))

    def _begun(self, keyword: Token, end: int) -> Span:
        """The span of a statement that its keyword begins, on its own line."""
        span = self._span(keyword.start_pos, end)
        check_start(span, chain=False)
        return span

    def language_stmt(self, parts: Parts) -> LanguageStatement:
        keyword, version = parts
        return LanguageStatement(version.value, span=self._begun(keyword, version.span.end))

    def import_stmt(self, parts: Parts) -> ImportStatement:
        keyword, path, *names = parts
        if type(path) is Template:
            raise error("E019", "the path of an import is not computed", path.span)
        name = self.inputs(names)[0] if names else None
        span = self._begun(keyword, (name or path).span.end)
        return ImportStatement(path.value, name, span=span)

    def default_stmt(self, parts: Parts) -> DefaultStatement:
        keyword, *names, arguments = parts
        _check_arguments(arguments)
        name = self._dotted(names)
        span = self._begun(keyword, arguments.end)
        return DefaultStatement(name.text, arguments.items, span=span, name_span=name)

    def _dotted(self, names: Sequence[Token]) -> Span:
        """A name, and perhaps that of the import before it, which touches it."""
        places = [self._at(name) for name in names]
        check_label(places, kind="name", help="write it without one")
        return places[0].to(places[-1])

    def block_stmt(self, parts: Parts) -> BlockStatement:
        keyword, name, *params, body = parts
        parameters, inputs = params[0] if params else ((), ())
        return BlockStatement(
            name.value,
            parameters,
            inputs,
            body.statements,
            span=self._begun(keyword, body.end),
            name_span=self._at(name),
        )

    def params(self, parts: Parts) -> tuple[tuple[Parameter, ...], tuple[NameTarget, ...]]:
        inputs = parts.pop() if isinstance(parts[-1], list) else []
        return tuple(parts[1:]), tuple(inputs)

    def param(self, parts: Parts) -> Parameter:
        name, *default = parts
        if not default:
            return Parameter(name.value, None, span=self._at(name))
        check_expression(default[0])
        span = self._span(name.start_pos, default[0].span.end)
        return Parameter(name.value, default[0], span=span)

    def inputs(self, parts: Parts) -> list[NameTarget]:
        return [NameTarget(name.value, span=self._at(name)) for name in parts]

    def output_stmt(self, parts: Parts) -> OutputStatement:
        keyword, name, *rest = parts
        chain = rest[0] if rest else None
        span = self._begun(keyword, (chain or name).span.end)
        return OutputStatement(name, chain, span=span)

    def assert_stmt(self, parts: Parts) -> AssertStatement:
        keyword, condition = parts
        check_expression(condition)
        return AssertStatement(condition, span=self._begun(keyword, condition.span.end))

    def train_stmt(self, parts: Parts) -> TrainStatement:
        keyword, *entries, close = parts
        return TrainStatement(tuple(entries), span=self._begun(keyword, close.end_pos))

    def entry(self, parts: Parts) -> Entry:
        name, value = parts
        if not isinstance(value, MapOf):
            check_expression(value)
        span = self._span(name.start_pos, value.span.end)
        check_entry_start(span)
        return Entry(name.value, value, span=span)

    def map_of(self, parts: Parts) -> MapOf:
        return MapOf(tuple(parts[1:-1]), span=self._span(parts[0].start_pos, parts[-1].end_pos))

    def let_stmt(self, parts: Parts) -> LetStatement:
        keyword, target, value = parts
        check_expression(value)
        return LetStatement(target, value, span=self._begun(keyword, value.span.end))

    def function_stmt(self, parts: Parts) -> FunctionStatement:
        keyword, name, _, *parameters, value = parts
        check_expression(value)
        return FunctionStatement(
            name.value,
            tuple(parameters),
            value,
            span=self._begun(keyword, value.span.end),
            name_span=self._at(name),
        )

    def bind_stmt(self, parts: Parts) -> BindStatement:
        target, chain = parts
        span = target.span.to(chain.span)
        check_start(span, chain=False)
        return BindStatement(target, chain, span=span)

    def chain_stmt(self, parts: Parts) -> ChainStatement:
        chain = parts[0]
        check_start(chain.span, chain=True)
        return ChainStatement(chain, span=chain.span)

    def name_target(self, parts: Parts) -> NameTarget:
        return NameTarget(parts[0].value, span=self._at(parts[0]))

    def tuple_target(self, parts: Parts) -> Target:
        opening, *items, close = parts
        return TupleTarget(tuple(items), span=self._span(opening.start_pos, close.end_pos))

    # Chains

    def chain(self, parts: Parts) -> Chain:
        steps: list[Step] = []
        for part in parts:
            if type(part) is Label:
                item = steps[-1].item
                steps[-1] = Step(item, part, span=item.span.to(part.span))
            else:
                steps.append(Step(part, None, span=part.span))
        span = steps[0].span if len(steps) == 1 else steps[0].span.to(steps[-1].span)
        return Chain(tuple(steps), span=span)

    def ref(self, parts: Parts) -> Reference:
        label = self.label(parts)
        return Reference(label, span=label.span)

    in_step = ref

    def computed(self, parts: Parts) -> Label:
        return self.label(parts)

    value_name = computed

    def call(self, parts: Parts) -> Call:
        start = parts[0].start_pos
        is_inline = parts[0].type == "INLINE"
        name = self._dotted([part for part in parts[is_inline:] if type(part) is Token])
        arguments = parts[-1] if type(parts[-1]) is Arguments else Arguments((), name.end)
        _check_arguments(arguments)
        if "." in name.text:
            self._imports = self._imports or imported_names(self.source.text)
            check_imported(name, self._imports)
        span = self._span(start, arguments.end)
        return Call(name.text, arguments.items, name, is_inline, span=span)

    def SHORTHAND(self, token: Token) -> Shorthand:
        span = self._at(token)
        kind, count = token.value.split("-")
        kernel = None
        if kind != "fc":
            extents = [read_integer(extent, span) for extent in kind[4:].split("x")]
            kernel = (extents[0], extents[0]) if len(extents) == 1 else tuple(extents)
        return Shorthand(kind[:4], kernel, read_integer(count, span), span=span)

    def group(self, parts: Parts) -> Group:
        opening, *branches, close = parts
        return Group(tuple(branches), span=self._span(opening.start_pos, close.end_pos))

    def branch(self, parts: Parts) -> Branch:
        clauses = tuple(part for part in parts if type(part) is Clause)
        chain, *condition = parts[len(clauses) :]
        test = condition[-1] if condition else None
        if test is not None:
            check_expression(test)
        span = (clauses or (chain,))[0].span.to((test or chain).span)
        return Branch(chain, clauses, test, span=span)

    def branches(self, parts: Parts) -> Clause:
        clause = self.clause(parts)
        for expression in (clause.iterable, *clause.conditions):
            check_expression(expression)
        return clause

    def repeat(self, parts: Parts) -> Repeat:
        opening, chain, close, *counted = parts
        if not counted:
            return Repeat(chain, None, span=self._span(opening.start_pos, close.end_pos))
        count = counted[-1]
        check_expression(count)
        return Repeat(chain, count, span=self._span(opening.start_pos, count.span.end))

    def for_step(self, parts: Parts) -> For:
        keyword, target, _, iterable, body = parts
        check_expression(iterable)
        span = self._span(keyword.start_pos, body.end)
        return For(target, iterable, body.statements, span=span)

    def if_step(self, parts: Parts) -> If:
        keyword, condition, then, *rest = parts
        check_expression(condition)
        span = self._span(keyword.start_pos, then.end)
        if not rest:
            return If(condition, then.statements, None, span=span)
        otherwise = self._else_if(rest[0]) if isinstance(rest[0], If) else rest[0]
        span = self._span(keyword.start_pos, otherwise.end)
        return If(condition, then.statements, otherwise.statements, span=span)

    def _else_if(self, branch: If) -> Body:
        """`else if ...` as `else { if ... }`."""
        chain = self.chain([branch])
        return Body((ChainStatement(chain, span=chain.span),), branch.span.end)

    def body(self, parts: Parts) -> Body:
        return Body(tuple(parts[1:-1]), parts[-1].end_pos)

    def label(self, parts: Parts) -> Label:
        """A label, or a reference, which is spelled alike."""
        first = parts[0]
        if len(parts) == 1:
            if type(first) is String:
                return Label(((first.value,),), span=first.span)
            if type(first) is Template:
                return Label((first.parts,), span=first.span)
            if type(first) is not Hole and type(first) is not Number:
                return Label(((first.value,),), span=self._at(first))
        places = [
            p.span if type(p) is Number else self._span(p.start_pos, p.end_pos) for p in parts
        ]
        check_label(places)
        pieces: list[list[str | Expression]] = [[]]
        for part, place in zip(parts, places, strict=True):
            if type(part) is Hole:
                pieces[-1].append(part.expression)
            elif type(part) is not Number and part.type == "DOT":
                pieces.append([])
            else:
                pieces[-1].append(place.text)
        return Label(tuple(map(tuple, pieces)), span=places[0].to(places[-1]))

    def hole(self, parts: Parts) -> Hole:
        opening, expression, close = parts
        check_expression(expression)
        return Hole(expression, opening.start_pos, close.end_pos)

    first_hole = hole

    # Expressions

    def args(self, parts: Parts) -> Arguments:
        items = parts[1:-1]
        for place, item in enumerate(items):
            if type(item) is not Argument:
                items[place] = Argument(None, item, span=item.span)
        return Arguments(tuple(items), parts[-1].end_pos)

    def keyword(self, parts: Parts) -> Argument:
        name, value = parts
        return Argument(name.value, value, span=self._span(name.start_pos, value.span.end))

    def pair(self, parts: Parts) -> Argument:
        name, value = parts
        check_expression(value)
        if type(name) is Template:
            raise error("E019", "a name in a setting is not computed", name.span)
        if type(name) is String:
            span = self._span(name.span.start, value.span.end)
            return Argument(name.value, value, span=span)
        return self.keyword(parts)

    def flat(self, parts: Parts) -> Expression:
        return parts[0] if len(parts) == 1 else build_expression(self.source, parts)

    def choice(self, parts: Parts) -> Choice:
        keyword, condition, then, otherwise = parts
        span = self._span(keyword.start_pos, otherwise.span.end)
        return Choice(condition, then, otherwise, span=span)

    def attribute(self, parts: Parts) -> Attribute:
        value, _, name = parts
        place = name.span if type(name) is Number else self._at(name)
        return Attribute(value, place.text, span=value.span.to(place))

    def index(self, parts: Parts) -> Index:
        value, _, index, close = parts
        return Index(value, index, span=self._span(value.span.start, close.end_pos))

    def slice_of(self, parts: Parts) -> Slice:
        value, _, *bounds, close = parts
        colon = next(place for place, part in enumerate(bounds) if type(part) is Token)
        start, stop = (part[0] if part else None for part in (bounds[:colon], bounds[colon + 1 :]))
        return Slice(value, start, stop, span=self._span(value.span.start, close.end_pos))

    def apply(self, parts: Parts) -> Apply:
        name, arguments = parts
        span = self._span(name.start_pos, arguments.end)
        return Apply(name.value, arguments.items, span=span)

    def method(self, parts: Parts) -> Apply:
        """`nn.MSELoss()`: a call of a dotted name, which only other frameworks have."""
        value, _, name, arguments = parts
        called = value.span.to(self._at(name))
        if not re.fullmatch(r"[\w.]+", called.text):
            raise error("E011", "a value has no methods", self._at(name))
        span = self._span(value.span.start, arguments.end)
        return Apply(called.text, arguments.items, span=span)

    def name(self, parts: Parts) -> Name:
        return Name(parts[0].value, span=self._at(parts[0]))

    def paren(self, parts: Parts) -> Expression:
        """An expression in parentheses: the node itself, its span widened to hold them."""
        opening, expression, close = parts
        widened: Expression = replace(expression, span=self._span(opening.start_pos, close.end_pos))
        return widened

    def tuple_of(self, parts: Parts) -> TupleOf:
        opening, *items, close = parts
        return TupleOf(tuple(items), span=self._span(opening.start_pos, close.end_pos))

    def list_of(self, parts: Parts) -> ListOf:
        opening, *items, close = parts
        return ListOf(tuple(items), span=self._span(opening.start_pos, close.end_pos))

    def comprehension(self, parts: Parts) -> Comprehension:
        opening, item, *clauses, close = parts
        span = self._span(opening.start_pos, close.end_pos)
        if len(clauses) > MAX_CLAUSES:
            message = f"a list of more than {MAX_CLAUSES} `for` within each other"
            raise error("E402", message, clauses[MAX_CLAUSES].span)
        return Comprehension(item, tuple(clauses), span=span)

    def clause(self, parts: Parts) -> Clause:
        keyword, target, _, iterable, *rest = parts
        conditions = tuple(rest[1::2])  # each follows its `if`
        end = (conditions or (iterable,))[-1].span.end
        return Clause(target, iterable, conditions, span=self._span(keyword.start_pos, end))

    def INT(self, token: Token) -> Number:
        span = self._at(token)
        return Number(read_integer(token.value, span), span=span)

    def NUMBER(self, token: Token) -> Number:
        return read_number(token.value, self._at(token))

    def SIZE(self, token: Token) -> Size:
        return read_size(token.value, self._at(token))

    def STRING(self, token: Token) -> String | Template:
        return read_string(token.value, self._at(token), self.read_hole)

    def YES(self, token: Token) -> Boolean:
        return Boolean(True, span=self._at(token))

    def NO(self, token: Token) -> Boolean:
        return Boolean(False, span=self._at(token))


def _check_arguments(arguments: Arguments) -> None:
    for argument in arguments.items:
        check_expression(argument.value)
