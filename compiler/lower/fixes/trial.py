"""Advice is tried out before it is given: lowers a chain apart from the program that it is for."""

from collections.abc import Mapping

from ....grammar import ast
from ....grammar.diagnostics import NetError
from ....grammar.parsing.parser import parse
from ....grammar.source import Source
from ...expressions.names import Scope
from ...expressions.recovery import GiveUp, Poisoned, poisoned
from ...ir.graph import Graph, Value
from ..items import lower_chain
from ..state import Lowering, Tensors

PREFIX = "advice."


def tried(chain: str, given: Mapping[str, Value], graph: Graph, scope: Scope) -> Tensors | None:
    """What a chain yields where a scope stands, or None; the graph stays as it is.

    Args:
        chain: The chain's text.
        given: The tensors that names in it stand for.
        graph: The program, as far as it was lowered.
        scope: Where the advice is given, for all other names.
    """
    inner = Scope(
        PREFIX, scope, frozenset(), scope.home, scope.defaults_before, bindings=dict(given)
    )
    state = Lowering(graph, inner, len(graph.layers) + MOST_LAYERS, {}, trials=0)
    try:
        statement = parse(Source("<help>", f"advice = {chain}")).statements[0]
        assert isinstance(statement, ast.BindStatement)
        with graph.tentatively():
            result = lower_chain(state, statement.chain, (), inner)
    except (NetError, GiveUp, Poisoned):
        return None
    return None if state.errors or poisoned(result) else result


MOST_LAYERS = 200  # of an advice
