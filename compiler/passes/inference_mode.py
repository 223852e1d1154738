"""What `set_mode` builds at inference, where nothing is random.

BatchNormalization needs no rule: in a mode-neutral graph it reads its running statistics.
"""

from collections.abc import Mapping

from ..ir.builder import Builder
from ..ir.graph import Node, Value
from ..ir.types import DType
from ..ops.opdef import Operands
from .rewrite import RewriteRule
from .stochastic_pooling import mean_by_magnitude


def pass_on(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Dropout at inference: y = x, and of the mask, where it is asked for, nothing is dropped."""
    x = required(operands[0])
    if len(node.outputs) == 1:
        return (x,)
    return (x, build.Expand(build.constant(True, DType.BOOL), build.Shape(x)))


def average_by_magnitude(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Stochastic pooling at inference: the mean weighted by magnitude."""
    return (mean_by_magnitude(build, required(operands[0]), node.attributes),)


def keep_paths(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """DROPPATH where nothing is dropped: x times ones that broadcast to x."""
    x, ones = operands
    expanded = build.graph.producer(required(ones))
    if expanded.op_type != "Expand" or required(x).type != node.outputs[0]:
        return None
    return (required(x),) if build.known(required(expanded.inputs[0])) == 1 else None


def required(value: Value | None) -> Value:
    """An operand that is there."""
    assert value is not None
    return value


INFERENCE_RULES: Mapping[str, RewriteRule] = {
    "Dropout": pass_on,
    "Mul": keep_paths,
    "netc.StochasticPool": average_by_magnitude,
}
