"""Elementwise operators: one operation per output element."""

from collections.abc import Sequence

from ..opdef import Cost, InferenceError, OpCall, defop, free
from ..types import BroadcastError, TensorType, broadcast


def infer_same(call: OpCall) -> Sequence[TensorType]:
    """One output of the first argument's type."""
    return (call.type(0),)


def infer_broadcast(call: OpCall) -> Sequence[TensorType]:
    """One output: the arguments broadcast together; they must share an element type."""
    types = [call.type(i) for i in range(len(call.inputs))]
    if len({type.dtype for type in types}) > 1:
        raise InferenceError(f"{call.op_type} takes one element type, not {_spell(types)}")
    try:
        return (types[0].with_shape(broadcast([type.shape for type in types])),)
    except BroadcastError as mismatch:
        raise InferenceError(f"{call.op_type} cannot broadcast {_spell(types)}") from mismatch


def per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per output element and argument beyond the first."""
    return Cost(elementwise=outputs[0].size * max(len(call.inputs) - 1, 1))


def _spell(types: Sequence[TensorType]) -> str:
    return " and ".join(map(str, types))


for op_type in ("Relu", "Tanh", "Sigmoid"):
    defop(op_type, infer=infer_same, cost=per_element)

for op_type in ("Add", "Mul"):
    defop(op_type, infer=infer_broadcast, cost=per_element)

defop("Identity", infer=infer_same, cost=free, view=True)
