"""onnxruntime's sum of a tensor and the rows of another one, each times a number: its row."""

from collections.abc import Sequence

from ..ir.signature import OpCall
from ..ir.types import TensorType
from .opdef import Cost, OpDef
from .receptive_field import elementwise

DOMAIN = "com.microsoft"


def infer_gated_sum(call: OpCall) -> Sequence[TensorType]:
    """a (*A, C), b (*A, C) and s (*A, 1) => a + b s."""
    return (call.type(0),)


def _two_per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    return Cost(elementwise=outputs[0].size * 2)


GATED_SUM = OpDef(
    f"{DOMAIN}.GatedAdd",
    1,
    domain=DOMAIN,
    infer=infer_gated_sum,
    cost=_two_per_element,
    sees=elementwise,
)
