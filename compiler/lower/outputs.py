"""`output`: values that a network yields."""

from collections.abc import Sequence

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, NetError, Pointer, error
from ...grammar.source import Span
from ..expressions.names import Scope
from .arity import MERGE
from .items import label_text, lower_chain
from .state import Lowering, Tensors


def output_statement(
    state: Lowering, statement: ast.OutputStatement, incoming: Tensors, scope: Scope
) -> Tensors:
    """Make a value, or a chain's end, an output of the network.

    Raises:
        NetError: The name is taken, it is several tensors, or it stands in a block.
    """
    place = statement.name.span
    if state.calls:
        help = "let the block end with the value, and write `output` where it is called"
        raise error("E118", "a block gives the network no output", statement.span, help=help)
    name = label_text(statement.name, scope)
    if name in state.graph.outputs:
        also = _first(state, name)
        message = f"output `{name}` is given twice"
        help = "give one of them another name"
        raise error("E112", message, place, also=also, help=help)
    for kind, table in ("an input", state.graph.inputs), ("a weight", state.graph.parameters):
        if name in table:
            raise _shared(name, kind, place, _first(state, name))
    if statement.chain is None:
        value = scope.find(name, place)
        if value is None:
            raise state.unknown(name, scope, place)
        state.graph.outputs[name] = value
        return (value,)
    tensors = lower_chain(state, statement.chain, incoming, scope)
    if len(tensors) != 1:
        message = f"output `{name}` is {len(tensors)} tensors"
        raise error("E113", message, statement.chain.span, help=MERGE)
    (value,) = tensors
    if name not in state.places:
        state.graph.labels[state.claim(name, place)] = value
    elif state.graph.labels.get(name) != value:
        state.warnings.append(_ambiguous(name, place, state.places[name]))
    state.graph.outputs[name] = value
    return tensors


def _first(state: Lowering, name: str) -> list[Pointer]:
    """Where a name was given first, as far as that is known."""
    return [Pointer(state.places[name], "first given here")] if name in state.places else []


def _shared(name: str, kind: str, span: Span, also: Sequence[Pointer]) -> NetError:
    """That an output has the name of an input or a weight, which no model can hold beside it."""
    message = f"the output `{name}` has the name of {kind}"
    return error("E112", message, span, also=also, help="give the output another name")


def _ambiguous(name: str, output: Span, value: Span) -> Diagnostic:
    return Diagnostic(
        "W109",
        f"the output `{name}` has the name of another value",
        output,
        also=(Pointer(value, "which the program means by that name"),),
        help="give one of them another name",
    )
