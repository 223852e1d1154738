"""`let` and `x = chain`: names for compile-time values and for tensors."""

from collections.abc import Callable, Iterable
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ...grammar.limits import levels_of
from ...grammar.source import Span
from ..expressions.evaluate import Function, unpacked
from ..expressions.functions import FUNCTIONS
from ..expressions.names import Let, Scope, let_names, pattern_of, target_names
from ..expressions.recovery import POISON, Poisoned, poisoned
from ..ir.graph import Value
from ..layers.layerdef import LAYERS
from .items import environment_of, evaluate_in, label_text, lower_chain
from .state import Lowering, Tensors


def bind_let(statement: Let, scope: Scope) -> None:
    """Compute a value and give it its names, or give a function its name.

    In a function's value, names mean what they mean where it is defined.
    """
    if isinstance(statement, ast.FunctionStatement):
        check_free(statement.name, statement.name_span)
        check_differ(statement.name, "parameters", statement.parameters)
        scope.lets[statement.name] = Function(
            statement, environment_of(scope), levels=1 + levels_of(statement.value)
        )
        return
    value = evaluate_in(scope, statement.value)
    bind_target(statement.target, value, scope.lets.__setitem__)


def try_let(state: Lowering, statement: Let, scope: Scope) -> None:
    """As `bind_let`; where that fails it is reported, and the names are poisoned."""
    try:
        bind_let(statement, scope)
    except NetError as failure:
        state.report(failure)
    except Poisoned:
        pass
    else:
        return
    scope.lets.update((name, POISON) for name, _ in let_names(statement))


def bind_chain(
    state: Lowering, statement: ast.BindStatement, incoming: Tensors, scope: Scope
) -> Tensors:
    """Lower a chain and give its tensors their names.

    A name in a turn of a repetition that opens no scope is the turn's own; a computed one is not.
    """
    tensors = lower_chain(state, statement.chain, incoming, scope)
    # A chain that does not fit its names leaves them poisoned.
    scope.bindings.update((name, POISON) for name, _ in target_names(statement.target))
    target = statement.target
    if poisoned(tensors):
        scope.home.lose([pattern_of(target)])
        return tensors

    def give(name: str, value: Value) -> None:
        scope.bindings[name] = value
        if isinstance(target, ast.Label) or not scope.recurs:
            path = state.claim(scope.prefix + name, target.span)
            state.graph.labels[path] = value

    whole = tensors[0] if len(tensors) == 1 else list(tensors)
    if not isinstance(target, ast.TupleTarget) and len(tensors) != 1:
        message = f"`{target.span.text}` can name one tensor, not {len(tensors)}"
        names = ", ".join("abcdefgh"[: len(tensors)])
        raise error("E113", message, target.span, help=f"write `({names}) = ...`")
    if isinstance(target, ast.Label):
        give(label_text(target, scope), tensors[0])
    else:
        bind_target(target, whole, give)
    return tensors


def bind_target(
    target: ast.Target,
    value: Any,
    give: Callable[[str, Any], None],
    walked: ast.Expression | None = None,
) -> None:
    """Give a name its value, or several names the items of a list; `walked` is a loop's list."""
    for name, item in unpacked(target, value, walked):
        check_free(name.id, name.span)
        give(name.id, item)


def check_differ(owner: str, what: str, given: Iterable[ast.Parameter | ast.NameTarget]) -> None:
    """Refuse two parameters or inputs of one name.

    Raises:
        NetError: E112.
    """
    first: set[str] = set()
    for each in given:
        name = each.name if isinstance(each, ast.Parameter) else each.id
        if name in first:
            message = f"`{owner}` has two {what} `{name}`"
            raise error("E112", message, each.span, help="give one of them another name")
        first.add(name)


def check_free(name: str, span: Span) -> None:
    """Refuse a name that the language has.

    Raises:
        NetError: E114.
    """
    taken = "a layer" if name in LAYERS else "a function" if name in FUNCTIONS else ""
    if taken:
        raise taken_name(name, taken, span)


def taken_name(name: str, what: str, span: Span) -> NetError:
    """The error for giving a name that the language has."""
    help = f"choose another name, such as `{name.lower()}_`"
    return error("E114", f"`{name}` is {what}, not a free name", span, help=help)
