"""The table of outputs' last layers and losses: which fit, which are fused, which are refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..ops.opdef import Yields

AS_IS: Literal["as is"] = "as is"
BEFORE: Literal["before"] = "before"


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a loss does not take an output, and what to do instead."""

    help: str


Verdict = Literal["as is", "before"] | Refusal

DROPPED = Refusal("put the `DROPOUT` before the last layer that has weights")
DISSOLVED = Refusal("its classes are no longer an axis of the output: reshape before the `SOFTMAX`")
NO_ACTIVATION = Refusal(
    "it takes unbounded numbers: end in a layer without an activation, such as `FC` or `CONV`"
)

# Losses of the difference between output and target, which fit everything.
OF_DIFFERENCES = ("mse", "mae", "huber", "log_cosh")

# For each loss, by what an output's last operator yields, what becomes of it; `ANYTHING` stands for
# all that are not listed.
PAIRS: Mapping[str, Mapping[Yields, Verdict]] = {
    "cross_entropy": {
        Yields.PROBABILITIES: BEFORE,
        Yields.LOG_PROBABILITIES: BEFORE,
        Yields.PROBABILITY: Refusal(
            "use `binary_cross_entropy` for classes that are not mutually exclusive, or end in"
            " `SOFTMAX`"
        ),
        Yields.ACTIVATIONS: Refusal("end in `SOFTMAX`, or in a layer without an activation"),
        Yields.NOISE: DROPPED,
        Yields.ANYTHING: AS_IS,
    },
    "binary_cross_entropy": {
        Yields.PROBABILITY: BEFORE,
        Yields.PROBABILITIES: Refusal(
            "use `cross_entropy` for mutually exclusive classes, or end in `SIGMOID`"
        ),
        Yields.LOG_PROBABILITIES: Refusal("use `cross_entropy` or `nll`, or end in `SIGMOID`"),
        Yields.ACTIVATIONS: Refusal("end in `SIGMOID`, or in a layer without an activation"),
        Yields.NOISE: DROPPED,
        Yields.ANYTHING: AS_IS,
    },
    "nll": {
        Yields.LOG_PROBABILITIES: AS_IS,
        Yields.LOGARITHM: AS_IS,
        Yields.PROBABILITIES: Refusal(
            "end in `LOGSOFTMAX`, or use `cross_entropy`, which takes `SOFTMAX`"
        ),
        Yields.ANYTHING: Refusal(
            "it takes log-probabilities: end in `LOGSOFTMAX`, or use `cross_entropy`"
        ),
    },
    "hinge": {
        Yields.PROBABILITIES: Refusal(
            "it takes scores: remove the `SOFTMAX`, or use `cross_entropy`"
        ),
        Yields.LOG_PROBABILITIES: Refusal("it takes scores: remove the `LOGSOFTMAX`, or use `nll`"),
        Yields.PROBABILITY: Refusal(
            "it takes scores: remove the `SIGMOID`, or use `binary_cross_entropy`"
        ),
        Yields.ACTIVATIONS: NO_ACTIVATION,
        Yields.NOISE: DROPPED,
        Yields.ANYTHING: AS_IS,
    },
    **{name: {Yields.ANYTHING: AS_IS} for name in OF_DIFFERENCES},
}

# Pairs of what an output yields and its loss that work, but not well, and what to do instead.
DOUBTS: Mapping[tuple[Yields, str], Refusal] = {
    (Yields.PROBABILITIES, name): Refusal(
        "use `cross_entropy`, whose gradient does not vanish there"
    )
    for name in OF_DIFFERENCES
}
