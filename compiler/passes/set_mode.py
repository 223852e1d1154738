"""Graph -> Graph: settles what differs between training and inference."""

from collections.abc import Mapping

from ...grammar.diagnostics import error
from ..builder import Builder
from ..graph import Graph, Node, Value
from .rewrite import Operands, Rule, rewrite


def set_mode(graph: Graph, *, training: bool) -> Graph:
    """Put a mode-neutral graph in training or inference mode.

    In inference Dropout passes its input on, BatchNormalization uses its running statistics, and
    stochastic pooling is a weighted mean.
    In training BatchNormalization yields, besides y, the new running mean and variance.

    Raises:
        NetError: E119, a layer cannot be trained yet.
    """
    return rewrite(graph, TRAINING if training else INFERENCE)


def pass_on(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Dropout at inference: y = x."""
    return (_required(operands[0]),)


def use_statistics(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """BatchNormalization at inference: the running statistics are read and stay as they are."""
    attributes = {**node.attributes, "training_mode": 0}
    (y,) = build.op("BatchNormalization", operands, attributes)
    return (y, _required(operands[3]), _required(operands[4]))


def update_statistics(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """BatchNormalization in training: y, and the running mean and variance after this batch."""
    attributes = {**node.attributes, "training_mode": 1}
    return build.op("BatchNormalization", operands, attributes, outputs=3)


def weigh_by_magnitude(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Stochastic pooling at inference: y = sum x^2 / sum x per window, and 0 where all x is 0.

    That is the mean weighted by the probabilities that training samples with (Zeiler and Fergus
    2013, equation 6).
    """
    x = _required(operands[0])
    squares = build.AveragePool(build.Mul(x, x), **node.attributes)
    values = build.AveragePool(x, **node.attributes)
    zero, one = (build.constant(number, x.dtype) for number in (0.0, 1.0))
    return (build.Div(squares, build.Where(build.Equal(values, zero), one, values)),)


def keep_paths(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """DROPPATH at inference: x times ones that broadcast to x."""
    x, kept = operands
    ones = build.graph.producer(_required(kept))
    if ones.op_type != "Expand" or _required(x).type != node.outputs[0]:
        return None
    return (_required(x),) if build.known(_required(ones.inputs[0])) == 1 else None


def refuse_stochastic_pool(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Stochastic pooling in training, which waits for reproducible noise."""
    raise error("E119", "POOL(stochastic) is not compiled for training yet", node.span)


def refuse_dropout(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Dropout in training, which waits for reproducible noise."""
    raise error("E119", "DROPOUT is not compiled for training yet", node.span)


def _required(value: Value | None) -> Value:
    assert value is not None
    return value


INFERENCE: Mapping[str, Rule] = {
    "BatchNormalization": use_statistics,
    "Dropout": pass_on,
    "Mul": keep_paths,
    "netc.StochasticPool": weigh_by_magnitude,
}
TRAINING: Mapping[str, Rule] = {
    "Dropout": refuse_dropout,
    "BatchNormalization": update_statistics,
    "netc.StochasticPool": refuse_stochastic_pool,
}
