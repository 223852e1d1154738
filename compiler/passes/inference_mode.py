"""What `set_mode` builds at inference, where nothing is random.

BatchNormalization needs no rule: in a mode-neutral graph it reads its running statistics.
"""

from collections.abc import Mapping

from ..ir.builder import Builder
from ..ir.graph import Node, Value, present, required
from ..ir.types import DType
from ..ops.opdef import Operands
from .noise import key_of, normal, symmetric
from .rewrite import RewriteRule
from .shards import Shard
from .spectral_norm import divided
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


def add_noise(
    build: Builder,
    node: Node,
    operands: Operands,
    step: Value,
    keys: tuple[int, int],
    shard: Shard | None = None,
) -> tuple[Value, ...]:
    """Noise: y = x + deviation e, with numbers e of the node's distribution."""
    x, deviation = present(operands)
    if node.attributes["distribution"] == "normal":
        drawn = normal(build, x, step, keys, shard)
    else:
        drawn = symmetric(build, x, step, keys[0], shard)
    drawn = drawn if drawn.dtype == x.dtype else build.Cast(drawn, to=x.dtype)
    return (build.Add(x, build.Mul(deviation, drawn)),)


def add_noise_always(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Noise at inference: y = x, or where it is always drawn, the numbers of step 0."""
    if not node.attributes["always"]:
        return (required(operands[0]),)
    keys = (key_of(0, node.scope, 0), key_of(0, node.scope, 1))
    return add_noise(build, node, operands, build.index_constant(0), keys)


def divide_by_singular_value(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Spectral normalization: W / (u W v) of the u and v that training has left."""
    weight, u, v = present(operands)
    return (divided(build, weight, u, v, node.attributes["axis"]),)


def keep_paths(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """DROPPATH where nothing is dropped: x times ones that broadcast to x."""
    x, ones = operands
    expanded = build.graph.producer(required(ones))
    if expanded.op_type != "Expand" or required(x).type != node.outputs[0]:
        return None
    return (required(x),) if build.known(expanded.input(0)) == 1 else None


INFERENCE_RULES: Mapping[str, RewriteRule] = {
    "Dropout": pass_on,
    "Mul": keep_paths,
    "netc.Noise": add_noise_always,
    "netc.SpectralNorm": divide_by_singular_value,
    "netc.StochasticPool": average_by_magnitude,
}
