"""An open text, and what the compiler knows of it; each is computed when it is first asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from ..compiler.analysis.counts import Counts, count
from ..compiler.expressions.names import Home, Passage
from ..compiler.expressions.recovery import POISON
from ..compiler.ir.graph import Graph
from ..compiler.lower import Library, NotLowered
from ..compiler.pipeline import check, lower_module, name_of
from ..grammar import ast
from ..grammar.ast import Token
from ..grammar.diagnostics import Diagnostic, NetError
from ..grammar.files import read_source
from ..grammar.lexing.lexer import tokens
from ..grammar.parsing.parser import parse
from ..grammar.records import record
from ..grammar.source import Source, Span
from ..summary.rows import LayerRow
from ..summary.table import summarize
from .names import Names
from .repair import parse_what_is_right


@record
class Compiled:
    """A program, compiled.

    Attributes:
        home: What it defines, its graph as far as it was lowered, and what its steps did.
        diagnostics: Its errors, or else its warnings.
        is_whole: Whether it is a network without errors.
    """

    home: Home
    diagnostics: tuple[Diagnostic, ...]
    is_whole: bool

    @property
    def graph(self) -> Graph:
        """The network as far as it was lowered."""
        return self.home.graph

    @property
    def trace(self) -> Mapping[Span, Sequence[Passage]]:
        """What each step did, each time, by its place."""
        return self.home.trace or {}


@dataclass(frozen=True, eq=False)
class Document:
    """A version of an open text.

    Attributes:
        source: The text.
        read: Reads a file that it imports, which may be open, too.
    """

    source: Source
    read: Callable[[str], Source] = read_source

    def changed(self, text: str) -> "Document":
        """What the text would be instead."""
        return Document(Source(self.source.name, text), self.read)

    @cached_property
    def tokens(self) -> Sequence[Token]:
        """The tokens, comments included; what is none has the type `WRONG`."""
        return tuple(tokens(self.source.text))

    @cached_property
    def _parsed(self) -> tuple[ast.Module | None, tuple[Diagnostic, ...]]:
        """The tree of the text, or of what is right of it, and its syntax errors."""
        try:
            return parse(self.source), ()
        except NetError as failure:
            return parse_what_is_right(self.source), failure.diagnostics

    @property
    def module(self) -> ast.Module | None:
        """The tree of the text, or of what is right of it; None where nothing is."""
        return self._parsed[0]

    @cached_property
    def names(self) -> Names | None:
        """What its names are."""
        return None if self.module is None else Names(self.module)

    @cached_property
    def compiled(self) -> Compiled:
        """The program, compiled."""
        module, syntax_errors = self._parsed
        if module is None or not module.statements:
            return Compiled(Home(self.source), syntax_errors, is_whole=False)
        try:
            name = name_of(self.source)
            lowered = lower_module(module, name=name, traced=True, read=self.read)
        except (NotLowered, Library) as failure:
            said = failure.warnings if isinstance(failure, Library) else failure.diagnostics
            return Compiled(_computed(failure.home), syntax_errors or said, is_whole=False)
        except NetError as failure:
            found = syntax_errors or failure.diagnostics
            return Compiled(Home(self.source), found, is_whole=False)
        try:
            found = syntax_errors or check(module, lowered)
        except NetError as failure:  # an assertion does not hold
            return Compiled(lowered.home, failure.diagnostics, is_whole=False)
        return Compiled(lowered.home, found, is_whole=not syntax_errors)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The errors, or else the warnings."""
        return self.compiled.diagnostics

    @cached_property
    def counts(self) -> Counts:
        """Parameters and operations of the network as far as it was lowered."""
        return count(self.compiled.graph)

    @cached_property
    def rows(self) -> Mapping[str, LayerRow]:
        """The rows of the layer table by the layers' paths."""
        return {row.name: row for row in summarize(self.compiled.graph).rows}

    @cached_property
    def _paths(self) -> Sequence[str]:
        return tuple(self.compiled.graph.layers)

    def layers_of(self, step: ast.Step) -> Sequence[str]:
        """The paths of the layers that a step adds, each time that it is taken."""
        passages = self.compiled.trace.get(step.item.span, ())
        return [self._paths[place] for passage in passages for place in passage.layers]

    def step_at(self, offset: int) -> ast.Step | None:
        """The innermost step whose text holds a place."""
        here = [
            step for step in self._steps if step.item.span.start <= offset <= step.item.span.end
        ]
        return min(here, key=lambda s: s.item.span.end - s.item.span.start, default=None)

    @cached_property
    def _steps(self) -> Sequence[ast.Step]:
        found: list[ast.Step] = []
        if self.module is not None:
            walk(
                self.module.statements,
                lambda s: found.append(s) if isinstance(s, ast.Step) else None,
            )
        return found


def _computed(home: Home) -> Home:
    """What a program defines, without the outputs that errors kept it from computing."""
    outputs = home.graph.outputs
    for name in [name for name, value in outputs.items() if value is POISON]:
        del outputs[name]
    return home


def walk(syntax: object, visit: Callable[[ast.Syntax], None]) -> None:
    """Visit all of a tree, from the outside inwards."""
    if isinstance(syntax, tuple):
        for part in syntax:
            walk(part, visit)
    elif isinstance(syntax, ast.Syntax):
        visit(syntax)
        for each in fields(syntax):
            walk(getattr(syntax, each.name), visit)
