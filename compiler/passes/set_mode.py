"""Graph -> Graph: settles what differs between training and inference."""

from collections.abc import Mapping

from ...grammar.diagnostics import error
from ..builder import Builder
from ..graph import Graph, Node, Value
from .rewrite import Operands, Rule, rewrite


def set_mode(graph: Graph, *, training: bool) -> Graph:
    """Put a mode-neutral graph in training or inference mode.

    In inference Dropout passes its input on, and BatchNormalization uses its running statistics.
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


def refuse_dropout(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Dropout in training, which waits for reproducible noise."""
    raise error("E119", "DROPOUT is not compiled for training yet", node.span)


def _required(value: Value | None) -> Value:
    assert value is not None
    return value


INFERENCE: Mapping[str, Rule] = {"Dropout": pass_on, "BatchNormalization": use_statistics}
TRAINING: Mapping[str, Rule] = {
    "Dropout": refuse_dropout,
    "BatchNormalization": update_statistics,
}
