"""Compilation: source text to a checked model."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import Any

from ..grammar import ast
from ..grammar.diagnostics import Diagnostic, NetError
from ..grammar.limits import MAX_TOKENS, TOKENS_PER_LAYER
from ..grammar.parsing.parser import parse
from ..grammar.source import UNPRINTABLE, Source
from .analysis.assertions import check_assertions
from .analysis.definitions import check_definitions
from .analysis.pitfalls import pitfalls, single_samples
from .analysis.structure import heads
from .analysis.unused import unused_layers
from .ir.graph import Graph
from .ir.verify import verify
from .layers.source import DEFAULT_CLASSES
from .lower import MAX_LAYERS, Library, Lowered, NotLowered, lower
from .model import Metadata, Model, Program


def compile(source: Source, *, max_layers: int = MAX_LAYERS) -> Model:
    """Compile a source text; `max_layers` is how many layers the expanded network may have.

    Raises:
        NetError: The program is wrong; all its diagnostics that could be found.
    """
    module = parse(source, most=max(MAX_TOKENS, TOKENS_PER_LAYER * max_layers))
    try:
        lowered = lower_module(module, name=name_of(source), max_layers=max_layers)
    except NotLowered as failure:
        raise NetError(failure.diagnostics) from None
    verify(lowered.graph)
    warnings = check(module, lowered)
    return Model(lowered.graph, Metadata(Program(source, module), lowered.recipe, warnings))


def name_of(source: Source) -> str:
    """The name of a network whose program gives it none: that of its file."""
    return UNPRINTABLE.sub("_", PurePath(source.name).stem.strip("<>"))


def lower_module(module: ast.Module, **options: Any) -> Lowered:
    """Syntax tree to graph; the options are those of `lower`.

    Which bare `FC` comes last shows only in the whole graph, so where there is one, the module is
    lowered again with the number of classes as its units.

    Raises:
        NotLowered: The program is wrong.
        Library: It has no chain.
    """
    attempt = partial(lower, module, **options)
    try:
        lowered = attempt()
    except NotLowered as failure:
        return _lowered_with_heads(attempt, failure)
    except Library as library:
        library.warnings += tuple(check_definitions(module, library=True))
        raise
    if last := heads(lowered.graph):
        return attempt(heads=dict.fromkeys(last, _classes(lowered.graph)))
    return lowered


def _lowered_with_heads(attempt: Callable[..., Lowered], failure: NotLowered) -> Lowered:
    """The result of a program in which the `FC` that it stopped at have the classes as their units.

    A last `FC` that meets a tensor of as many classes in a merge fails while it is taken for a
    hidden one.

    Raises:
        NotLowered: They are not the last ones, or it fails with them, too: the first errors.
    """
    graph = failure.home.graph
    read = {v.node for _, node in graph.nodes() for v in node.inputs if v is not None}
    ends = [identifier for identifier in range(len(graph)) if identifier not in read]
    last = heads(graph, ends)
    if last and any(diagnostic.code == "E202" for diagnostic in failure.diagnostics):
        with suppress(NetError):
            lowered = attempt(heads=dict.fromkeys(last, _classes(graph)))
            if set(heads(lowered.graph)) == set(last):
                return lowered
    raise failure from None


def _classes(graph: Graph) -> int:
    """The number of classes that an input states, or else the default."""
    inputs = [layer for layer in graph.layers.values() if layer.kind == "INPUT"]
    stated = [i.arguments["classes"] for i in inputs if "classes" not in i.defaulted]
    return stated[0] if stated else DEFAULT_CLASSES


def check(module: ast.Module, lowered: Lowered) -> tuple[Diagnostic, ...]:
    """What the program asserts, what it computes for nothing, and what it can hardly mean."""
    graph = lowered.graph
    noted = check_assertions(module, graph, lowered.home.lets)
    return _one_per_place(
        (
            *lowered.warnings,
            *noted,
            *_doubtful_losses(lowered),
            *check_definitions(module),
            *unused_layers(graph),
            *pitfalls(graph),
            *_lonely_samples(lowered),
        )
    )


def _one_per_place(warnings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The warnings; each place in the text that makes several layers alike is reported once."""
    groups: dict[Any, list[Diagnostic]] = {}
    for warning in warnings:
        groups.setdefault((warning.code, warning.span, warning.also), []).append(warning)
    return tuple(_counted(first, 1 + len(others)) for first, *others in groups.values())


def _counted(warning: Diagnostic, count: int) -> Diagnostic:
    if count == 1 or warning.code not in ABOUT_LAYERS:
        return warning
    note = f"this is the first of {count:_} layers from this place that it holds for"
    return replace(warning, notes=(*warning.notes, note))


def _doubtful_losses(lowered: Lowered) -> Sequence[Diagnostic]:
    if lowered.recipe is None:
        return ()
    from .training.output_fit import check_losses  # for programs with a `train` block only

    return check_losses(lowered.graph, lowered.recipe.loss)


def _lonely_samples(lowered: Lowered) -> Iterable[Diagnostic]:
    alone = lowered.recipe is not None and lowered.recipe.batch == 1
    return single_samples(lowered.graph) if alone else ()


# Warnings that layers give rise to, each by itself.
ABOUT_LAYERS = frozenset({"W101", "W103", "W104"})
