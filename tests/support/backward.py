"""Networks with a loss and its gradients as one graph, and their numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.passes.append_backward import GRADIENT, append_backward, trainable
from netc.compiler.passes.set_mode import set_mode
from netc.compiler.training.objective import Objective, add_loss
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

Arrays = Mapping[str, Array]
FACTORS = ".factors"


@dataclass(frozen=True)
class Backward:
    """A network's forward and backward graph.

    Attributes:
        graph: Its outputs are the network's, `loss`, `<name>.next` of running statistics,
            `<name>.grad` of weights and inputs, and `<path>.factors` of each Dropout.
        inputs, targets: The types of what it is fed, by name.
    """

    graph: Graph
    inputs: Mapping[str, TensorType]
    targets: Mapping[str, TensorType]

    @property
    def gradients(self) -> list[str]:
        """The names of what has a gradient."""
        found = (name for name in self.graph.outputs if name.endswith(GRADIENT))
        return [name.removesuffix(GRADIENT) for name in found]


def backward(
    graph: Graph, objective: Objective, *, training: bool = True, by_inputs: bool = False
) -> Backward:
    """Append loss and gradients to a network in training or in inference mode.

    With `by_inputs` the gradients by the inputs that hold real numbers are appended, too.
    """
    with_loss = add_loss(graph, objective)
    settled = set_mode(with_loss, training=training, seed=5)
    for name, value in _factors(settled).items():
        settled.outputs[f"{name}{FACTORS}"] = value
    names = list(trainable(settled))
    if by_inputs:
        names += [name for name, value in graph.inputs.items() if value.dtype.is_float]
    differentiated = append_backward(settled, wrt=names)
    verify(differentiated, after="append_backward")
    targets = {n: v.type for n, v in with_loss.inputs.items() if n not in graph.inputs}
    return Backward(differentiated, {n: v.type for n, v in graph.inputs.items()}, targets)


def _factors(graph: Graph) -> dict[str, Value]:
    """What each Dropout of a network in training multiplies by."""
    found: dict[str, Value] = {}
    for path, layer in graph.layers.items():
        if layer.kind == "DROPOUT":
            product = graph.producer(layer.outputs[0])
            if product.op_type == "Mul" and product.inputs[1] is not None:
                found[path] = product.inputs[1]
    return found


def numbers(
    graph: Graph,
    feeds: Arrays,
    state: Arrays,
    *,
    dtype: str = "float64",
    fetch: Iterable[str] | None = None,
) -> dict[str, Array]:
    """The graph's outputs on NumPy kernels, computed in an element type; `step` is 2."""
    given = {**feeds, **({"step": np.array(2)} if "step" in graph.inputs else {})}
    return run(plan(graph, fetch, dtype=dtype), as_type(given, dtype), as_type(state, dtype))


def as_type(arrays: Arrays, dtype: str) -> dict[str, Array]:
    """Arrays with their real numbers in an element type."""
    return {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in arrays.items()}
