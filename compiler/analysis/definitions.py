"""Syntax tree to warnings about names: those never used, and those that hide others."""

from collections import ChainMap
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import fields
from functools import cache
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, Pointer
from ...grammar.source import Span
from ..expressions.names import is_private, let_names, target_names

Defined = MutableMapping[str, Span]

PLAIN = (Span, str, int, bool, int | float)  # what fields hold that is no syntax


def check_definitions(module: ast.Module, *, library: bool = False) -> list[Diagnostic]:
    """Warnings about a module's own blocks, `let`s, parameters and bindings.

    Names that start with `_` are meant to be ignored, and what a library defines is used by
    others. Linear in the text.
    """
    unused = () if library else _unused(module)
    findings = [*unused, *_hidden(module.statements, {})]
    return sorted(findings, key=lambda d: d.span.start if d.span else 0)


def _unused(module: ast.Module) -> Iterator[Diagnostic]:
    """Blocks that nothing calls, and `let`s that no expression reads."""
    read: set[str] = set()
    called: set[str] = set()
    given: list[tuple[str, Span]] = []
    blocks: list[ast.BlockStatement] = []
    imports: list[ast.NameTarget] = []
    for syntax in _walk(module.statements):
        match syntax:
            case ast.Name(id) | ast.Apply(id):
                read.add(id.partition(".")[0])
            case ast.Call(name):
                called |= {name, name.partition(".")[0]}
            case ast.Reference(label) if label.literal is not None:
                called |= {label.literal, label.literal.partition(".")[0]}
            case ast.ImportStatement(_, name) if name is not None:
                imports.append(name)
            case ast.LetStatement() | ast.FunctionStatement():
                given += let_names(syntax)
            case ast.BlockStatement():
                blocks.append(syntax)
    for name, span in given:
        if name not in read and not is_private(name):
            help = f"remove it, or name it `_{name}`"
            yield Diagnostic("W105", f"the value `{name}` is never used", span, help=help)
    for block in blocks:
        is_used = block.name in called or block.name in read  # by a layer that takes a block
        if not is_used and not is_private(block.name):
            message, help = f"the block `{block.name}` is never used", "remove it, or call it"
            yield Diagnostic("W105", message, block.name_span, help=help)
    for imported in imports:
        if imported.id not in read | called and not is_private(imported.id):
            message = f"the import `{imported.id}` is never used"
            yield Diagnostic("W105", message, imported.span, help="remove it")


def _walk(root: Any) -> Iterator[Any]:
    """All records of a syntax tree, without recursion."""
    pending = [root]
    while pending:
        syntax = pending.pop()
        if isinstance(syntax, tuple):
            pending.extend(syntax)
        elif isinstance(syntax, ast.Syntax):
            yield syntax
            kind: Any = type(syntax)
            pending.extend(getattr(syntax, name) for name in _nested_fields(kind))


@cache
def _nested_fields(syntax: type[Any]) -> tuple[str, ...]:
    """The fields of a kind of syntax that may hold others; found once, which takes long."""
    return tuple(field.name for field in fields(syntax) if field.type not in PLAIN)


def _hidden(statements: Iterable[ast.Statement], around: Defined) -> Iterator[Diagnostic]:
    """Names that statements give though they, or what is around them, have them already."""
    known = ChainMap({}, around)
    lets: dict[str, Span] = {}
    for statement in statements:
        match statement:
            case ast.ImportStatement(_, name) if name is not None:
                known[name.id] = lets[name.id] = name.span
            case ast.LetStatement() | ast.FunctionStatement():
                yield from _give(let_names(statement), known)
                lets.update(let_names(statement))
                if isinstance(statement, ast.FunctionStatement):
                    yield from _give(_parameters(statement.parameters), ChainMap({}, known))
            case ast.BindStatement(target, chain):
                yield from _hidden_in_chain(chain, known)
                known.update(target_names(target))
            case ast.ChainStatement(chain):
                yield from _hidden_in_chain(chain, known)
            case ast.OutputStatement(_, chain) if chain is not None:
                yield from _hidden_in_chain(chain, known)
            case ast.BlockStatement(_, parameters, inputs, body):
                inner = ChainMap({}, lets)  # a block sees the file's `let`s, not its tensors
                own = [*_parameters(parameters), *((name.id, name.span) for name in inputs)]
                yield from _give(own, inner)
                yield from _hidden(body, inner)


def _parameters(parameters: Iterable[ast.Parameter]) -> Iterator[tuple[str, Span]]:
    return ((parameter.name, parameter.span) for parameter in parameters)


def _give(names: Iterable[tuple[str, Span]], known: Defined) -> Iterator[Diagnostic]:
    for name, span in names:
        if name in known and not is_private(name):
            yield Diagnostic(
                "W109",
                f"`{name}` hides another value of that name",
                span,
                also=(Pointer(known[name], "given here"),),
                help="give one of them another name",
            )
        known[name] = span


def _hidden_in_chain(chain: ast.Chain, known: Defined) -> Iterator[Diagnostic]:
    """What the bodies within a chain hide; each has its own region."""
    for step in chain.steps:
        match step.item:
            case ast.Group(branches):
                for branch in branches:
                    region = ChainMap({}, known)
                    for clause in branch.clauses:
                        yield from _give(target_names(clause.target), region)
                    yield from _hidden_in_chain(branch.chain, region)
            case ast.Repeat(inner):
                yield from _hidden_in_chain(inner, known)
            case ast.For(target, _, body):
                region = ChainMap({}, known)
                yield from _give(target_names(target), region)
                yield from _hidden(body, region)
            case ast.If(_, then, otherwise):
                yield from _hidden(then, known)
                yield from _hidden(otherwise or (), known)
