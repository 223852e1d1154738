"""Network and a batch -> first weights with which each layer's output has variance 1 (LSUV).

Mishkin and Matas, "All you need is a good init" (2016), algorithm 1: orthonormal weights, then
layer by layer, from the input on, each weight is divided by the deviation of its layer's output
until that is 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiler.ir.graph import PARAMETER, Graph, Value
from ...compiler.ir.initializers import Init
from ...compiler.ir.scalars import STEP, scalar_name
from ...compiler.ops.opdef import Role
from ...compiler.passes.append_backward import trainable
from ...compiler.passes.rewrite import rewrite
from ...compiler.passes.set_mode import set_mode
from ...compiler.training.weights import roles
from ..kerneldef import Array
from ..training.job import PROBED_SAMPLES, Job
from ..weights.initialize import draw, fans, initialize, stream
from .probes import Probe, without_chance

VARIANCE_TOLERANCE = 0.1  # of the variance
MOST_SCALINGS = 10  # times that a weight is scaled
PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
ORTHOGONAL = Init("orthogonal")


@dataclass(frozen=True, slots=True)
class Scaled:
    """What became of a weight.

    Attributes:
        name: The weight.
        before: The variance of its layer's output with orthonormal weights.
        variance: The variance at the end.
        rounds: How often it was scaled.
    """

    name: str
    before: float
    variance: float
    rounds: int


def lsuv(graph: Graph, feeds: Mapping[str, Any], seed: int = 0) -> dict[str, Array]:
    """First values of parameters and buffers, by the data.

    Args:
        graph: The network, mode-neutral.
        feeds: A batch of inputs by name, a hundred samples or so; others are not looked at.
        seed: For the draw.

    Returns:
        The state: weights of dense layers and convolutions are orthonormal and scaled; all else
        is as in `initialize`.

    Raises:
        NetError: The inputs do not fit.
    """
    return scaled_state(graph, feeds, seed)[0]


def lsuv_weights(job: Job, samples: int = PROBED_SAMPLES) -> dict[str, Array]:
    """Weights for a job to start from, by some samples of its training part.

    Raises:
        NetError: Data and network do not fit together.
    """
    names = set(job.graph.inputs)
    feeds = {name: array for name, array in job.sample_feeds(samples).items() if name in names}
    return lsuv(job.graph, feeds, job.recipe.seed)


def scaled_state(
    graph: Graph, feeds: Mapping[str, Any], seed: int = 0
) -> tuple[dict[str, Array], list[Scaled]]:
    """As `lsuv`, with a report on each weight."""
    drawn = initialize(graph, seed)
    state = {name: drawn[name] for name in drawn}
    settled = set_mode(without_chance(graph), training=True)
    meetings = products(settled)
    for name in meetings:
        type = drawn.type_of(name)
        state[name] = draw(ORTHOGONAL, type, fans(type.extents), stream(seed, name))
    fed = {**feeds, scalar_name(graph, STEP): np.asarray(0, np.int64)}
    report = [_scale(settled, name, value, fed, state) for name, value in meetings.items()]
    return state, report


def products(graph: Graph) -> dict[str, Value]:
    """The trainable weights of dense layers and convolutions, and the product of each with data.

    They are in the order in which data meet them.
    """
    found = roles(graph)
    meetings = {
        name: _meeting(graph, value)
        for name, value in trainable(graph).items()
        if found[name] is Role.WEIGHT and value.type.rank > 1 and not _is_literal(graph, value)
    }
    known = {name: value for name, value in meetings.items() if value is not None}
    return dict(sorted(known.items(), key=lambda pair: pair[1].node))


def _is_literal(graph: Graph, weight: Value) -> bool:
    return graph.producer(weight).attributes["literal"] is not None


def _meeting(graph: Graph, weight: Value) -> Value | None:
    """The first product that a weight enters, perhaps transposed or reshaped before."""
    pending = [weight]
    while pending:
        value = pending.pop(0)
        for identifier in graph.consumers(value):
            node = graph[identifier]
            result = Value(identifier, 0, node.outputs[0])
            if node.op_type in PRODUCTS:
                return result
            if all(v is None or _is_constant(graph, v, value) for v in node.inputs):
                pending.append(result)
    return None


def _is_constant(graph: Graph, value: Value, weight: Value) -> bool:
    return value == weight or graph.producer(value).op_type in ("Constant", PARAMETER)


def _scale(
    graph: Graph, name: str, product: Value, feeds: Mapping[str, Any], state: dict[str, Array]
) -> Scaled:
    """Scale a weight in place of the one in the state."""
    watched = rewrite(graph, {})  # which keeps the numbers of all nodes
    watched.outputs = {name: product}
    probe = Probe.of(watched, [name])
    rounds, variances = 0, [_variance(probe, name, feeds, state)]
    while rounds < MOST_SCALINGS and abs(variances[-1] - 1) >= VARIANCE_TOLERANCE:
        if not variances[-1] > 0 or not np.isfinite(variances[-1]):
            break  # a layer without any signal cannot be scaled
        state[name] = (state[name] / np.sqrt(variances[-1])).astype(state[name].dtype)
        rounds += 1
        variances.append(_variance(probe, name, feeds, state))
    return Scaled(name, variances[0], variances[-1], rounds)


def _variance(
    probe: Probe, name: str, feeds: Mapping[str, Any], state: Mapping[str, Array]
) -> float:
    return float(probe.read(feeds, state)[name].astype(np.float64).var())
