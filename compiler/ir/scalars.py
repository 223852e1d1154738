"""The scalars that a step of training takes as inputs, and what they are called in a graph."""

from .graph import Graph
from .types import DType, TensorType

STEP = "step"  # counts steps of training, from 0
SCALARS = {STEP: DType.INT64, "lr": DType.FLOAT32, "momentum": DType.FLOAT32}


def scalar_type(scalar: str) -> TensorType:
    """The type of one of `SCALARS`."""
    return TensorType(SCALARS[scalar], ())


def scalar_name(graph: Graph, scalar: str) -> str:
    """What one of `SCALARS` is called in a graph: `step` or, where that is taken, `train:step`.

    No program can give the second name. It is the same before and after the scalar is there.
    """
    own = f"train:{scalar}"
    found = graph.inputs.get(scalar)
    taken = found is not None and found.type != scalar_type(scalar)
    named = scalar in graph.parameters or scalar in graph.outputs or own in graph.inputs
    return own if taken or named else scalar
