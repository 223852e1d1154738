"""Statements, and the lowering of a whole module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, error
from ..graph import Graph, Value
from ..layerdef import LAYERS
from ..names import Scope, labels_in
from .chains import evaluate_in, lower_chain, not_yet
from .state import State, Tensors

MAX_LAYERS = 100_000


@dataclass(frozen=True, slots=True)
class Lowered:
    """A lowered module: its graph, what was warned of, and its top-level `let`s."""

    graph: Graph
    warnings: tuple[Diagnostic, ...]
    lets: Mapping[str, Any]


def lower(
    module: ast.Module,
    *,
    name: str,
    max_layers: int = MAX_LAYERS,
    heads: Mapping[str, int] | None = None,
) -> Lowered:
    """Lower a module.

    Args:
        module: The syntax tree.
        name: The network's name where no `net` statement gives one.
        max_layers: How many layers the expanded network may have.
        heads: Units of dense layers, by path, that state none and end the network; others get
            the hidden default. `pipeline.py` finds them with a first lowering.

    Raises:
        NetError: The program is wrong.
    """
    top = Scope("", None, labels_in(module.statements))
    state = State(Graph(name), top, max_layers, heads or {})
    last: Tensors = ()
    for statement in module.statements:
        rule = STATEMENTS.get(type(statement))
        if rule is None:
            raise not_yet(statement)
        last = rule(state, statement, top) or last
    outputs = state.graph.outputs
    if not last and not outputs:
        span = module.statements[-1].span
        raise error("E003", "a program without a chain is no network", span)
    if not outputs:
        outputs.update(("output" if i == 0 else f"output{i + 1}", v) for i, v in enumerate(last))
    return Lowered(state.graph, tuple(state.warnings), top.lets)


def net_statement(state: State, statement: ast.NetStatement, scope: Scope) -> None:
    """Name the network."""
    state.graph.name = statement.name


def language_statement(state: State, statement: ast.LanguageStatement, scope: Scope) -> None:
    """Refuse defaults of a version that this compiler does not know."""
    if statement.version != 1:
        message = f"language {statement.version} is not known: this is language 1"
        raise error("E119", message, statement.span)


def assert_statement(state: State, statement: ast.AssertStatement, scope: Scope) -> None:
    """Assertions speak of the whole network: `analysis/assertions.py` checks them."""


def let_statement(state: State, statement: ast.LetStatement, scope: Scope) -> None:
    """Compute a value and give it its names."""
    value = evaluate_in(scope, statement.value)
    bind_target(statement.target, value, scope.lets.__setitem__)


def bind_statement(state: State, statement: ast.BindStatement, scope: Scope) -> Tensors:
    """Lower a chain and give its tensors their names."""
    tensors = lower_chain(state, statement.chain, (), scope)

    def give(name: str, value: Value) -> None:
        scope.bindings[name] = value
        state.give_name(scope.prefix + name, value, statement.target.span)

    whole = tensors[0] if len(tensors) == 1 else list(tensors)
    if isinstance(statement.target, ast.NameTarget) and len(tensors) != 1:
        message = f"`{statement.target.id}` can name one tensor, not {len(tensors)}"
        names = ", ".join("abcdefgh"[: len(tensors)])
        raise error("E113", message, statement.target.span, help=f"write `({names}) = ...`")
    bind_target(statement.target, whole, give)
    return tensors


def chain_statement(state: State, statement: ast.ChainStatement, scope: Scope) -> Tensors:
    """Lower a chain that stands alone."""
    return lower_chain(state, statement.chain, (), scope)


def output_statement(state: State, statement: ast.OutputStatement, scope: Scope) -> Tensors:
    """Make a value, or a chain's end, an output of the network."""
    name = statement.name
    if name in state.graph.outputs:
        raise error("E112", f"output `{name}` is given twice", statement.name_span)
    if statement.chain is None:
        value = state.find(name, scope, statement.name_span)
        if value is None:
            raise state.unknown(name, scope, statement.name_span)
        state.graph.outputs[name] = value
        return (value,)
    tensors = lower_chain(state, statement.chain, (), scope)
    if len(tensors) != 1:
        raise error("E113", f"output `{name}` is {len(tensors)} tensors", statement.chain.span)
    state.graph.outputs[name] = tensors[0]
    return tensors


def bind_target(target: ast.Target, value: Any, give: Callable[[str, Any], None]) -> None:
    """Give a name its value, or several names the items of a list."""
    if isinstance(target, ast.NameTarget):
        if target.id in LAYERS:
            raise error("E114", f"`{target.id}` is a layer, not a free name", target.span)
        give(target.id, value)
        return
    items = value if isinstance(value, list | tuple) else None
    if items is None or len(items) != len(target.items):
        found = "one value" if items is None else f"{len(items)} values"
        raise error("E302", f"{len(target.items)} names cannot take {found}", target.span)
    for name, item in zip(target.items, items, strict=True):
        bind_target(name, item, give)


STATEMENTS: Mapping[type, Callable[[State, Any, Scope], Tensors | None]] = {
    ast.NetStatement: net_statement,
    ast.LanguageStatement: language_statement,
    ast.AssertStatement: assert_statement,
    ast.LetStatement: let_statement,
    ast.BindStatement: bind_statement,
    ast.ChainStatement: chain_statement,
    ast.OutputStatement: output_statement,
}
