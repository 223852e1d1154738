"""The stages of compilation as one visible tuple: source text to a checked graph."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..grammar import ast
from ..grammar.diagnostics import Diagnostic, NetError
from ..grammar.parsing.parser import parse
from ..grammar.source import UNPRINTABLE, Source
from .analysis.assertions import check_assertions
from .analysis.definitions import check_definitions
from .analysis.pitfalls import pitfalls, single_samples
from .analysis.structure import heads
from .analysis.unused import unused_layers
from .ir.graph import Graph
from .ir.verify import verify
from .layers.source import CLASSES
from .lower import MAX_LAYERS, Library, Lowered, NotLowered, lower

# What training knows is loaded for programs with a `train` block only: others start faster.
if TYPE_CHECKING:
    from .training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled program, filled in stage by stage.

    Attributes:
        source: The text.
        max_layers: How many layers the expanded network may have.
        module: The syntax tree.
        graph: The network, neither in training nor in inference mode, not optimised.
        warnings: Warnings from compilation.
        lets: The module's top-level compile-time values.
        recipe: What the `train` block says; None where there is none.
    """

    source: Source
    max_layers: int = MAX_LAYERS
    module: ast.Module | None = None
    graph: Graph = field(default_factory=lambda: Graph(""))
    warnings: tuple[Diagnostic, ...] = ()
    lets: Mapping[str, Any] = field(default_factory=dict)
    recipe: "Recipe | None" = None

    def __repr__(self) -> str:
        return f"<Compiled {self.graph.name}: {len(self.graph.layers):,} layers>"


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
    name = UNPRINTABLE.sub("_", PurePath(compiled.source.name).stem.strip("<>"))
    attempt = partial(lower, compiled.module, name=name, max_layers=compiled.max_layers)
    try:
        lowered = attempt()
    except NotLowered as failure:
        lowered = _lowered_with_heads(attempt, failure)
    except Library as library:
        library.warnings += tuple(check_definitions(compiled.module, library=True))
        raise
    else:
        if last := heads(lowered.graph):
            lowered = attempt(heads=dict.fromkeys(last, _classes(lowered.graph)))
    return replace(
        compiled,
        graph=lowered.graph,
        warnings=lowered.warnings,
        lets=lowered.lets,
        recipe=lowered.recipe,
    )


def _lowered_with_heads(attempt: Callable[..., Lowered], failure: NotLowered) -> Lowered:
    """What a program comes to where the `FC` that it stopped at have the classes as their units.

    A last `FC` that meets a tensor of as many classes in a merge fails while it is taken for a
    hidden one.

    Raises:
        NetError: They are not the last ones, or it fails with them, too: the first errors.
    """
    ends = [identifier for identifier, degree in failure.graph.nx.out_degree() if degree == 0]
    last = heads(failure.graph, ends)
    if last and any(diagnostic.code == "E202" for diagnostic in failure.diagnostics):
        with suppress(NetError):
            lowered = attempt(heads=dict.fromkeys(last, _classes(failure.graph)))
            if set(heads(lowered.graph)) == set(last):
                return lowered
    raise NetError(failure.diagnostics) from None


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
        *_doubtful_losses(compiled),
        *check_definitions(compiled.module),
        *unused_layers(compiled.graph),
        *pitfalls(compiled.graph),
        *_lonely_samples(compiled),
    ]
    return replace(compiled, warnings=_one_per_place((*compiled.warnings, *noted, *found)))


def _one_per_place(warnings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The warnings; each place in the text that makes several layers alike is reported once."""
    groups: dict[Any, list[Diagnostic]] = {}
    for warning in warnings:
        groups.setdefault((warning.code, warning.span, warning.also), []).append(warning)
    return tuple(_counted(first, 1 + len(others)) for first, *others in groups.values())


def _counted(warning: Diagnostic, count: int) -> Diagnostic:
    if count == 1 or warning.code not in ABOUT_LAYERS:
        return warning
    note = f"so it is for {count:_} layers from this place, of which this is the first"
    return replace(warning, notes=(*warning.notes, note))


def _doubtful_losses(compiled: Compiled) -> Sequence[Diagnostic]:
    if compiled.recipe is None:
        return ()
    from .training.output_fit import check_losses

    return check_losses(compiled.graph, compiled.recipe.loss)


def _lonely_samples(compiled: Compiled) -> Iterable[Diagnostic]:
    alone = compiled.recipe is not None and compiled.recipe.batch == 1
    return single_samples(compiled.graph) if alone else ()


# Warnings that layers give rise to, each by itself.
ABOUT_LAYERS = frozenset({"W101", "W103", "W104"})

STAGES: tuple[Callable[[Compiled], Compiled], ...] = (
    parse_text,
    lower_module,
    verify_graph,
    check,
)
