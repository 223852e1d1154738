"""Recurrent operators -> calls of PyTorch's own, of what these can compute."""

from collections.abc import Mapping
from functools import partial

from ...ops.recurrent_kinds import KINDS, LENGTHS, PEEPHOLES, STATE, Kind, functions_of
from .code import Code, call, operand, option
from .operator_call import OperatorCall, Row


def recurrence(kind: Kind, op: OperatorCall) -> Code:
    """All steps of all directions, with the gates in PyTorch's order."""
    names = {tuple(f.name for f in functions) for functions in functions_of(kind, op.attributes)}
    if names != {tuple(kind.functions)} or op.attributes["clip"]:
        raise NotImplementedError("activations other than the usual ones")
    if op.has(LENGTHS):
        raise NotImplementedError("lengths of sequences")
    if op.has(PEEPHOLES) or op.attributes.get("input_forget"):
        raise NotImplementedError("peepholes or a coupled gate")
    if not op.attributes.get("linear_before_reset", 1):
        raise NotImplementedError("the reset before the product")
    optional = (3, *range(STATE, STATE + kind.states))
    given = [operand(i) if op.has(i) else Code(("None",)) for i in (0, 1, 2, *optional)]
    direction = option("direction", op["direction"], "forward")
    layout = option("layout", op["layout"], 0)
    return call("recurrent", f'"{kind.name}"', *given, direction, layout)


RECURRING: Mapping[str, Row] = {
    kind.name: Row(partial(recurrence, kind), several=True) for kind in KINDS
}
