"""`let` and `x = chain`: names for compile-time values and for tensors."""

from collections.abc import Callable
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ...grammar.source import Span
from ..expressions.evaluate import FUNCTIONS
from ..expressions.names import Scope
from ..expressions.recovery import POISON, Poisoned, poisoned
from ..ir.graph import Value
from ..layers.layerdef import LAYERS
from .items import evaluate_in, lower_chain
from .state import Lowering, Tensors


def bind_let(statement: ast.LetStatement, scope: Scope) -> None:
    """Compute a value and give it its names."""
    value = evaluate_in(scope, statement.value)
    bind_target(statement.target, value, scope.lets.__setitem__)


def try_let(state: Lowering, statement: ast.LetStatement, scope: Scope) -> None:
    """As `bind_let`; where that fails it is reported, and the names are poisoned."""
    try:
        bind_let(statement, scope)
    except NetError as failure:
        state.report(failure)
        _poison(statement.target, scope.lets.__setitem__)
    except Poisoned:
        _poison(statement.target, scope.lets.__setitem__)


def _poison(target: ast.Target, give: Callable[[str, Any], None]) -> None:
    if isinstance(target, ast.NameTarget):
        give(target.id, POISON)
        return
    for item in target.items:
        _poison(item, give)


def bind_chain(
    state: Lowering, statement: ast.BindStatement, incoming: Tensors, scope: Scope
) -> Tensors:
    """Lower a chain and give its tensors their names."""
    tensors = lower_chain(state, statement.chain, incoming, scope)

    if poisoned(tensors):
        _poison(statement.target, scope.bindings.__setitem__)
        return tensors

    def give(name: str, value: Value) -> None:
        scope.bindings[name] = value
        path = state.claim(scope.prefix + name, statement.target.span)
        state.graph.labels[path] = value

    whole = tensors[0] if len(tensors) == 1 else list(tensors)
    if isinstance(statement.target, ast.NameTarget) and len(tensors) != 1:
        message = f"`{statement.target.id}` can name one tensor, not {len(tensors)}"
        names = ", ".join("abcdefgh"[: len(tensors)])
        raise error("E113", message, statement.target.span, help=f"write `({names}) = ...`")
    bind_target(statement.target, whole, give)
    return tensors


def bind_target(target: ast.Target, value: Any, give: Callable[[str, Any], None]) -> None:
    """Give a name its value, or several names the items of a list."""
    if isinstance(target, ast.NameTarget):
        taken = "a layer" if target.id in LAYERS else "a function" if target.id in FUNCTIONS else ""
        if taken:
            raise taken_name(target.id, taken, target.span)
        give(target.id, value)
        return
    items = value if isinstance(value, list | tuple) else None
    if items is None or len(items) != len(target.items):
        found = "one value" if items is None else f"{len(items)} values"
        raise error("E302", f"{len(target.items)} names cannot take {found}", target.span)
    for name, item in zip(target.items, items, strict=True):
        bind_target(name, item, give)


def taken_name(name: str, what: str, span: Span) -> NetError:
    """The error for giving a name that the language has."""
    help = f"choose another name, such as `{name.lower()}_`"
    return error("E114", f"`{name}` is {what}, not a free name", span, help=help)
