"""Steps that are decided or unrolled when a program is compiled: `[...]*n`, `for`, `if`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import floor

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ...grammar.source import Span
from ..expressions.arguments import Quotient, spell, whole
from ..expressions.checks import items_of, truth_of
from ..expressions.names import Scope
from ..expressions.recovery import poisoned
from ..ir.graph import Turn
from ..ir.types import author_size
from .bindings import bind_target
from .blocks import lower_body
from .expansion import layers_in
from .items import evaluate_in, item, label_text, lower_chain
from .state import Lowering, Site, Tensors

TurnRule = Callable[[int, Tensors], Tensors]

SHAPE_ERRORS = frozenset({"E201", "E202", "E203", "E204"})


@item(ast.Repeat)
def repeat(state: Lowering, item: ast.Repeat, site: Site) -> Tensors:
    """A chain n times over, each turn with weights of its own and, if labelled, a scope."""
    if item.count is None:
        return lower_chain(state, item.chain, site.current, site.scope, may_start=site.starts)
    count = _repetition_count(state, item, site.scope)

    def turn(index: int, current: Tensors) -> Tensors:
        inner = site.scope.region(is_turn=True)
        if site.label is not None:
            inner = site.scope.child(f"{label_text(site.label, site.scope)}.{index}")
            state.claim(inner.path, site.label.span)
        inner.carry(current)
        starts = site.starts and index == 0
        current = lower_chain(state, item.chain, current, inner, may_start=starts)
        if site.label is not None and len(current) == 1 and not poisoned(current):
            state.graph.labels[inner.path] = current[0]
        return current

    return _unroll(state, item.span, count, site.current, turn)


@item(ast.For)
def for_each(state: Lowering, item: ast.For, site: Site) -> Tensors:
    """A body for each item of a list, each turn with its own names and, if labelled, a scope."""
    items = items_of(evaluate_in(site.scope, item.iterable), item.iterable)

    def turn(index: int, current: Tensors) -> Tensors:
        inner = site.scope.region(is_turn=True)
        bind_target(item.target, items[index], inner.lets.__setitem__, item.iterable)
        if site.label is not None:
            name = label_text(site.label, inner)
            name = name if site.label.literal is None else f"{name}.{index}"
            inner = inner.child(name)
            state.claim(inner.path, site.label.span)
        inner.carry(current)
        current = lower_body(state, item.body, current, inner)
        if site.label is not None and len(current) == 1 and not poisoned(current):
            state.graph.labels[inner.path] = current[0]
        return current

    return _unroll(state, item.span, len(items), site.current, turn)


@item(ast.If)
def choose(state: Lowering, item: ast.If, site: Site) -> Tensors:
    """One of two bodies; without `else` nothing happens where the condition does not hold."""
    condition = truth_of(evaluate_in(site.scope, item.condition), item.condition)
    body = item.then if condition else item.otherwise
    return lower_body(state, body or (), site.current, site.scope.region())


def _unroll(state: Lowering, span: Span, count: int, current: Tensors, turn: TurnRule) -> Tensors:
    """Take turns, each on what the one before yields; an error says in which turn it happened."""
    state.repetitions += 1
    serial, turns, frames = state.repetitions, state.turns, state.frames
    met: list[Tensors] = []
    state.frames = (*frames, partial(_in_turn, count=count, met=met))
    for index in range(count):
        state.turns = (*turns, Turn(span, serial, index, count))
        met.append(current)
        state.spend(span)
        current = turn(index, current)
        if poisoned(current):
            break
    state.turns, state.frames = turns, frames
    return current


def _repetition_count(state: Lowering, item: ast.Repeat, scope: Scope) -> int:
    """How often a chain is repeated, refused at once where that gives too many layers."""
    assert item.count is not None
    count = whole(evaluate_in(scope, item.count))
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        message = f"a repeat count must be a whole number, 0 or more, not `{spell(count)}`"
        help = "write how often, as in `[...]*2`"
        if isinstance(count, Quotient) and count >= 0:
            help = f"`//` divides to a whole number and rounds down; here to `{floor(count)}`"
        raise error("E103", message, item.count.span, help=help)
    expected = count * layers_in(item.chain, scope.home)
    if len(state.graph.layers) + expected > state.max_layers:
        raise state.too_many_layers(item.span, len(state.graph.layers) + expected)
    return count


def _in_turn(failure: NetError, count: int, met: Sequence[Tensors]) -> NetError:
    """The error with a word about the turn of the innermost repetition that it happened in.

    `met` holds what met each turn so far.
    """
    index = len(met) - 1
    first, *rest = failure.diagnostics
    if first.label:
        return failure
    first = replace(first, label=f"in repetition {index + 1} of {count}")
    if first.code in SHAPE_ERRORS and len(met) > 1:
        sizes = [" and ".join(author_size(x.type) for x in tensors) for tensors in met]
        trail = sizes if len(sizes) <= 8 else [*sizes[:3], "...", *sizes[-3:]]
        first = replace(first, notes=(*first.notes, " -> ".join(trail)))
    if first.code == "E203" and index > 0:
        times = "once" if index == 1 else f"{index} times"
        help = ", or ".join(filter(None, (f"repeat at most {times}", first.help)))
        first = replace(first, help=help)
    return NetError([first, *rest])
