"""The stages of compilation as one visible tuple: source text to a checked graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from ..grammar import ast
from ..grammar.diagnostics import Diagnostic
from ..grammar.parser import parse
from ..grammar.source import Source
from .analysis.assertions import check_assertions
from .analysis.definitions import check_definitions
from .analysis.pitfalls import pitfalls
from .analysis.structure import heads
from .analysis.unused import unused_layers
from .graph import Graph
from .layers.source import CLASSES
from .lower import MAX_LAYERS, lower
from .verify import verify


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled program, filled in stage by stage.

    Attributes:
        source: The text.
        max_layers: How many layers the expanded network may have.
        module: The syntax tree.
        graph: The network, neither in training nor in inference mode, not optimised.
        warnings: Findings that are no errors.
        lets: The module's top-level compile-time values.
    """

    source: Source
    max_layers: int = MAX_LAYERS
    module: ast.Module | None = None
    graph: Graph = field(default_factory=lambda: Graph(""))
    warnings: tuple[Diagnostic, ...] = ()
    lets: Mapping[str, Any] = field(default_factory=dict)


def compile(source: Source, *, max_layers: int = MAX_LAYERS) -> Compiled:
    """Compile a source text.

    Raises:
        NetError: The program is wrong; all its diagnostics that could be found.
    """
    compiled = Compiled(source, max_layers)
    for stage in STAGES:
        compiled = stage(compiled)
    return compiled


def parse_text(compiled: Compiled) -> Compiled:
    """Text to syntax tree."""
    return replace(compiled, module=parse(compiled.source))


def lower_module(compiled: Compiled) -> Compiled:
    """Syntax tree to graph.

    Which bare `FC` comes last shows only in the whole graph, so where there is one, the module is
    lowered again with the number of classes as its units.
    """
    assert compiled.module is not None
    name = PurePath(compiled.source.name).stem.strip("<>")
    lowered = lower(compiled.module, name=name, max_layers=compiled.max_layers)
    last = heads(lowered.graph)
    if last:
        units = dict.fromkeys(last, _classes(lowered.graph))
        lowered = lower(compiled.module, name=name, max_layers=compiled.max_layers, heads=units)
    return replace(compiled, graph=lowered.graph, warnings=lowered.warnings, lets=lowered.lets)


def _classes(graph: Graph) -> int:
    """The number of classes that an input states, or else the default."""
    inputs = [layer for layer in graph.layers.values() if layer.kind == "INPUT"]
    stated = [i.arguments["classes"] for i in inputs if "classes" not in i.defaulted]
    return stated[0] if stated else CLASSES


def verify_graph(compiled: Compiled) -> Compiled:
    """The graph's invariants, which lowering must establish."""
    verify(compiled.graph)
    return compiled


def check(compiled: Compiled) -> Compiled:
    """What the program asserts, what it computes in vain, and what it hardly can mean."""
    assert compiled.module is not None
    noted = check_assertions(compiled.module, compiled.graph, compiled.lets)
    found = [
        *check_definitions(compiled.module),
        *unused_layers(compiled.graph),
        *pitfalls(compiled.graph),
    ]
    return replace(compiled, warnings=(*compiled.warnings, *noted, *found))


STAGES: tuple[Callable[[Compiled], Compiled], ...] = (
    parse_text,
    lower_module,
    verify_graph,
    check,
)
