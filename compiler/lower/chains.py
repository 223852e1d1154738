"""Chains and their steps: references, calls, groups, repetitions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ..arguments import spell
from ..evaluate import Environment, evaluate
from ..graph import Turn, Value
from ..layerdef import LAYERS, GivenArgument
from ..names import Scope
from ..types import author_size
from .calls import Call, call_layer
from .state import Site, State, Tensors

SHAPE_ERRORS = frozenset({"E201", "E202", "E203", "E204"})


def lower_chain(
    state: State, chain: ast.Chain, incoming: Tensors, scope: Scope, *, may_start: bool = True
) -> Tensors:
    """The tensors at the end of a chain that continues from `incoming`, or starts itself."""
    current = incoming
    for position, step in enumerate(chain.steps):
        label = None if step.label is None else label_text(step.label, scope)
        rule = ITEMS.get(type(step.item))
        if rule is None:
            raise not_yet(step.item)
        label_span = None if step.label is None else step.label.span
        site = Site(current, scope, label, label_span, starts=may_start and position == 0)
        current = rule(state, step.item, site)
        if step.label is not None:
            label_result(state, step.label, f"{scope.prefix}{label}", current)
    return current


def label_result(state: State, label: ast.Label, path: str, tensors: Tensors) -> None:
    """Let a label name what its step produced; layers took it as their path already."""
    if path in state.graph.layers:
        return
    if len(tensors) != 1:
        message = f"`{path}` can label one tensor, not {len(tensors)}"
        raise error("E113", message, label.span)
    state.give_name(path, tensors[0], label.span)


def reference(state: State, item: ast.Reference, site: Site) -> Tensors:
    """A bare word: a layer without arguments, or a value that starts the chain."""
    name = label_text(item.label, site.scope)
    if name in LAYERS:
        call = Call(name, (), item.span, item.span)
        return call_layer(state, call, site)
    value = state.find(name, site.scope, item.span)
    if value is None:
        raise state.unknown(name, site.scope, item.span)
    if not site.starts:
        raise error(
            "E111",
            f"`{name}` is a value, and a value can only start a chain",
            item.span,
            help=f"to merge it write `( ID | {name} ) -> ADD`",
        )
    return (value,)


def call(state: State, item: ast.Call, site: Site) -> Tensors:
    """A layer with arguments."""
    if item.name not in LAYERS:
        raise state.unknown(item.name, site.scope, item.name_span)
    environment = Environment(site.scope.visible_lets(), words=True)
    given = tuple(
        GivenArgument(a.name, evaluate(a.value, environment), a.span) for a in item.arguments
    )
    layer = Call(item.name, given, item.name_span, item.span)
    return call_layer(state, layer, site)


def shorthand(state: State, item: ast.Shorthand, site: Site) -> Tensors:
    """`conv5-16` and `fc-120`, the tables' spelling of `CONV(5x5, 16)` and `FC(120)`."""
    size = [] if item.kernel is None else [GivenArgument(None, item.kernel, item.span)]
    given = (*size, GivenArgument(None, item.count, item.span))
    call = Call(item.kind.upper(), given, item.span, item.span)
    return call_layer(state, call, site)


def group(state: State, item: ast.Group, site: Site) -> Tensors:
    """Parallel branches: one tensor goes to each, several are dealt out."""
    branches, current = item.branches, site.current
    if len(branches) == 1:
        return lower_chain(state, branches[0], current, site.scope, may_start=site.starts)
    if len(current) > 1 and len(current) != len(branches):
        message = f"{len(current)} tensors meet {len(branches)} branches"
        raise error("E113", message, item.span)
    dealt = [(value,) for value in current] if len(current) > 1 else [current] * len(branches)
    ends: list[Value] = []
    for branch, incoming in zip(branches, dealt, strict=True):
        ends.extend(lower_chain(state, branch, incoming, site.scope))
    return tuple(ends)


def repeat(state: State, item: ast.Repeat, site: Site) -> Tensors:
    """A chain n times over, each turn with weights of its own and, if labelled, a scope."""
    if item.count is None:
        return lower_chain(state, item.chain, site.current, site.scope, may_start=site.starts)
    count = repetition_count(state, item, site.scope)
    state.repetitions += 1
    serial, around = state.repetitions, state.turns
    current, sizes = site.current, list[str]()
    for index in range(count):
        state.turns = (*around, Turn(item.span, serial, index, count))
        inner = site.scope if site.label is None else site.scope.child(f"{site.label}.{index}")
        sizes.append(" and ".join(author_size(value.type) for value in current))
        try:
            current = lower_chain(
                state, item.chain, current, inner, may_start=site.starts and index == 0
            )
        except NetError as failure:
            raise _in_turn(failure, index, count, sizes) from None
        if site.label is not None and len(current) == 1:
            state.give_name(inner.prefix.removesuffix("."), current[0], item.span)
    state.turns = around
    return current


def repetition_count(state: State, item: ast.Repeat, scope: Scope) -> int:
    """How often a chain is repeated, refused at once where that gives too many layers."""
    assert item.count is not None
    count = evaluate_in(scope, item.count)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        message = f"a chain is repeated a whole number of times, not `{spell(count)}`"
        raise error("E103", message, item.count.span)
    expected = count * _layers_in(item.chain)
    if len(state.graph.layers) + expected > state.max_layers:
        raise state.too_many_layers(item.span, len(state.graph.layers) + expected)
    return count


def evaluate_in(scope: Scope, expression: ast.Expression) -> Any:
    """The value of an expression outside of a call, where no choice words are."""
    return evaluate(expression, Environment(scope.visible_lets()))


def label_text(label: ast.Label, scope: Scope) -> str:
    """A label's text, its holes computed."""
    if label.literal is not None:
        return label.literal
    return ".".join("".join(_piece(p, scope) for p in part) for part in label.parts)


def _piece(piece: str | ast.Expression, scope: Scope) -> str:
    if isinstance(piece, str):
        return piece
    value = evaluate_in(scope, piece)
    if isinstance(value, bool) or not isinstance(value, int | str):
        message = f"a label is made of words and integers, not `{spell(value)}`"
        raise error("E302", message, piece.span)
    return str(value)


def _layers_in(chain: ast.Chain) -> int:
    """At least how many layers a chain expands to, as far as its literal counts tell."""
    total = 0
    for step in chain.steps:
        match step.item:
            case ast.Group(branches):
                total += sum(map(_layers_in, branches))
            case ast.Repeat(inner, ast.Number(count)) if isinstance(count, int):
                total += count * _layers_in(inner)
            case ast.Repeat(inner, None):
                total += _layers_in(inner)
            case ast.Call() | ast.Shorthand() | ast.Reference():
                total += 1
    return total


def _in_turn(failure: NetError, index: int, count: int, sizes: Sequence[str]) -> NetError:
    """The error with a word about the turn of the innermost repetition that it happened in."""
    first, *rest = failure.diagnostics
    if first.label:
        return failure
    first = replace(first, label=f"in repetition {index + 1} of {count}")
    if first.code in SHAPE_ERRORS:
        trail = sizes if len(sizes) <= 8 else [*sizes[:3], "...", *sizes[-3:]]
        first = replace(first, notes=(*first.notes, " -> ".join(trail)))
    if first.code == "E203" and index > 0 and first.help is None:
        times = "once" if index == 1 else f"{index} times"
        first = replace(first, help=f"repeat at most {times}, or give the layer a stride of 1")
    return NetError([first, *rest])


def not_yet(syntax: ast.Syntax) -> NetError:
    """The error for what the grammar reads and lowering does not know."""
    name = _SPELLED.get(type(syntax), "this construct")
    return error("E119", f"{name} is read, but not compiled yet", syntax.span)


_SPELLED = {
    ast.ImportStatement: "`import`",
    ast.DefaultStatement: "`default`",
    ast.BlockStatement: "`block`",
    ast.TrainStatement: "`train`",
    ast.For: "`for`",
    ast.If: "`if`",
}

ITEMS: Mapping[type, Callable[..., Tensors]] = {
    ast.Reference: reference,
    ast.Call: call,
    ast.Shorthand: shorthand,
    ast.Group: group,
    ast.Repeat: repeat,
}
