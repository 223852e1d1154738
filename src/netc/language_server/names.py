"""What a program's names are: where each is given, where it means that, and where it is used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property, singledispatch
from typing import Any, Literal

from ..grammar import ast
from ..grammar.records import record
from ..grammar.source import Span

Kind = Literal["block", "function", "value", "parameter", "tensor", "label", "import", "output"]


@record
class Definition:
    """A name that a program gives.

    Attributes:
        name: The name, or the literal label.
        kind: What it is a name of.
        span: The text of the name.
        region: Where it means that.
        syntax: What gives it: a statement, a parameter, a step.
    """

    name: str
    kind: Kind
    span: Span
    region: Span
    syntax: ast.Syntax = field(compare=False, repr=False)


@record
class Use:
    """A place where a name stands for what it was given to; `block` has a keyword of its calls."""

    name: str
    span: Span
    block: str | None = None


@dataclass(frozen=True, eq=False)
class Names:
    """The names of a program, in the order of the text."""

    module: ast.Module

    @cached_property
    def _found(self) -> list[Definition | Use]:
        source = self.module.source
        return list(_all(self.module.statements, Span(source, 0, len(source.text))))

    @cached_property
    def definitions(self) -> list[Definition]:
        """Where names are given."""
        return [each for each in self._found if isinstance(each, Definition)]

    @cached_property
    def uses(self) -> list[Use]:
        """Where names are used."""
        return [each for each in self._found if isinstance(each, Use)]

    @cached_property
    def _by_name(self) -> dict[str, list[Definition]]:
        found: dict[str, list[Definition]] = {}
        for definition in self.definitions:
            found.setdefault(definition.name, []).append(definition)
        return found

    def defined(self, use: Use) -> Definition | None:
        """What a name that is used was given to: in the smallest region, and the last before."""
        if use.block is not None:
            return next((d for d in self._parameters(use.block) if d.name == use.name), None)
        around = [d for d in self._by_name.get(use.name, ()) if _holds(d.region, use.span.start)]
        if not around:
            return None
        least = min(d.region.end - d.region.start for d in around)
        inner = [d for d in around if d.region.end - d.region.start == least]
        before = [d for d in inner if d.span.start <= use.span.start]
        return (before or inner)[-1 if before else 0]

    def _parameters(self, block: str) -> Iterator[Definition]:
        for owner in self._by_name.get(block, ()):
            for each in self.definitions:
                if each.kind == "parameter" and each.region == owner.syntax.span:
                    yield each

    def uses_of(self, definition: Definition) -> list[Use]:
        """Where a name is used, its own place apart."""
        return [use for use in self.uses if self.defined(use) == definition]

    def at(self, offset: int) -> Definition | Use | None:
        """The name at a place, the shortest where several are."""
        here = [each for each in self._found if _holds(each.span, offset)]
        return min(here, key=lambda each: each.span.end - each.span.start, default=None)

    def definition_at(self, offset: int) -> Definition | None:
        """What the name at a place was given to; None for what the program does not define."""
        found = self.at(offset)
        return self.defined(found) if isinstance(found, Use) else found

    def visible(self, offset: int) -> list[Definition]:
        """What names mean at a place, the innermost of each name."""
        inwards = sorted(self.definitions, key=lambda d: d.region.end - d.region.start)
        found: dict[str, Definition] = {}
        for each in inwards:
            if _holds(each.region, offset):
                found.setdefault(each.name, each)
        return list(found.values())


def _holds(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end


def _part(span: Span, start: int, length: int) -> Span:
    return Span(span.source, span.start + start, span.start + start + length)


Found = Iterator[Definition | Use]


@singledispatch
def _names_in(syntax: Any, region: Span) -> Found:
    """The names in a part of the tree, those in a region of its own included."""
    if isinstance(syntax, tuple):
        yield from _all(syntax, region)
    elif isinstance(syntax, ast.Syntax):
        yield from _all((getattr(syntax, each.name) for each in fields(syntax)), region)


@_names_in.register
def _(syntax: ast.BlockStatement, region: Span) -> Found:
    inner = syntax.span
    yield Definition(syntax.name, "block", syntax.name_span, region, syntax)
    yield from _parameters(syntax.parameters, inner)
    for each in syntax.inputs:
        yield Definition(each.id, "tensor", each.span, inner, each)
    yield from _all(syntax.body, inner)


@_names_in.register
def _(syntax: ast.FunctionStatement, region: Span) -> Found:
    yield Definition(syntax.name, "function", syntax.name_span, region, syntax)
    yield from _parameters(syntax.parameters, syntax.span)
    yield from _names_in(syntax.value, syntax.span)


@_names_in.register
def _(syntax: ast.LetStatement, region: Span) -> Found:
    yield from _targets(syntax.target, "value", region, syntax)
    yield from _names_in(syntax.value, region)


@_names_in.register
def _(syntax: ast.BindStatement, region: Span) -> Found:
    yield from _given(syntax.target, "tensor", region, syntax)
    yield from _names_in(syntax.chain, region)


@_names_in.register
def _(syntax: ast.OutputStatement, region: Span) -> Found:
    if syntax.chain is None:
        yield from _label_use(syntax.name)
    else:
        yield from _given(syntax.name, "output", region, syntax)
        yield from _names_in(syntax.chain, region)


@_names_in.register
def _(syntax: ast.ImportStatement, region: Span) -> Found:
    if syntax.name is not None:
        yield from _targets(syntax.name, "import", region, syntax)


@_names_in.register
def _(syntax: ast.Step, region: Span) -> Found:
    if syntax.label is not None:
        yield from _given(syntax.label, "label", region, syntax)
    yield from _names_in(syntax.item, region)


@_names_in.register
def _(syntax: ast.For, region: Span) -> Found:
    yield from _names_in(syntax.iterable, region)
    yield from _targets(syntax.target, "value", syntax.span, syntax)
    yield from _all(syntax.body, syntax.span)


@_names_in.register
def _(syntax: ast.Branch, region: Span) -> Found:
    inner = syntax.span if syntax.clauses else region
    yield from _clauses(syntax.clauses, inner)
    yield from _all((syntax.chain, syntax.condition), inner)


@_names_in.register
def _(syntax: ast.Comprehension, region: Span) -> Found:
    yield from _names_in(syntax.item, syntax.span)
    yield from _clauses(syntax.clauses, syntax.span)


@_names_in.register
def _(syntax: ast.Call, region: Span) -> Found:
    yield Use(syntax.name, syntax.name_span)
    yield from _dotted(syntax.name, syntax.name_span)
    for argument in syntax.arguments:
        if argument.name is not None:
            yield Use(argument.name, _part(argument.span, 0, len(argument.name)), syntax.name)
    yield from _all(syntax.arguments, region)


@_names_in.register
def _(syntax: ast.DefaultStatement, region: Span) -> Found:
    yield from _dotted(syntax.name, syntax.name_span)
    yield from _all(syntax.arguments, region)


@_names_in.register
def _(syntax: ast.Apply, region: Span) -> Found:
    name = _part(syntax.span, 0, len(syntax.function))
    yield Use(syntax.function, name)
    yield from _dotted(syntax.function, name)
    yield from _all(syntax.arguments, region)


@_names_in.register
def _(syntax: ast.MapOf, region: Span) -> Found:
    for pair in syntax.items:
        if pair.name is not None:
            yield Use(pair.name, _part(pair.span, 0, len(pair.name)))
    yield from _all(syntax.items, region)


@_names_in.register
def _(syntax: ast.Attribute, region: Span) -> Found:
    yield Use("".join(syntax.span.text.split()), syntax.span)
    yield from _names_in(syntax.value, region)


@_names_in.register
def _(syntax: ast.Reference, region: Span) -> Found:
    yield from _label_use(syntax.label)


@_names_in.register
def _(syntax: ast.Name, region: Span) -> Found:
    yield Use(syntax.id, syntax.span)


def _all(parts: Iterable[Any], region: Span) -> Found:
    for part in parts:
        if isinstance(part, ast.Syntax | tuple):
            yield from _names_in(part, region)


def _parameters(parameters: Iterable[ast.Parameter], region: Span) -> Found:
    for each in parameters:
        span = _part(each.span, 0, len(each.name))
        yield Definition(each.name, "parameter", span, region, each)
        yield from _all((each.default,), region)


def _clauses(clauses: Iterable[ast.Clause], region: Span) -> Found:
    for clause in clauses:
        yield from _targets(clause.target, "value", region, clause)
        yield from _all((clause.iterable, *clause.conditions), region)


def _targets(target: ast.Target, kind: Kind, region: Span, syntax: ast.Syntax) -> Found:
    if isinstance(target, ast.NameTarget):
        yield Definition(target.id, kind, target.span, region, syntax)
    else:
        for item in target.items:
            yield from _targets(item, kind, region, syntax)


def _given(target: ast.Target | ast.Label, kind: Kind, region: Span, syntax: ast.Syntax) -> Found:
    """The name that a label or a binding gives; what is computed is used there alone."""
    if not isinstance(target, ast.Label):
        yield from _targets(target, kind, region, syntax)
    elif target.literal is not None:
        yield Definition(target.literal, kind, target.span, region, syntax)
    else:
        yield from _names_in(target, region)


def _label_use(label: ast.Label) -> Found:
    if label.literal is not None:
        yield Use(label.literal, label.span)
        yield from _dotted(label.literal, label.span)
    else:
        yield from _names_in(label, label.span)


def _dotted(name: str, span: Span) -> Found:
    """What the first part of a dotted name means: an import, or the label of a block's call."""
    first, dot, _ = name.partition(".")
    if dot:
        yield Use(first, _part(span, 0, len(first)))
