"""The table of outputs' last layers and losses: which fit, which are fused, which are refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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

# For each loss, by how an output ends (see `endings.py`), what becomes of it; `*` is any other.
PAIRS: Mapping[str, Mapping[str, Verdict]] = {
    "cross_entropy": {
        "Softmax": BEFORE,
        "LogSoftmax": BEFORE,
        "Sigmoid": Refusal(
            "use `binary_cross_entropy` for classes that are not mutually exclusive, or end in"
            " `SOFTMAX`"
        ),
        "activation": Refusal("end in `SOFTMAX`, or in a layer without an activation"),
        "Dropout": DROPPED,
        "*": AS_IS,
    },
    "binary_cross_entropy": {
        "Sigmoid": BEFORE,
        "Softmax": Refusal(
            "use `cross_entropy` for mutually exclusive classes, or end in `SIGMOID`"
        ),
        "LogSoftmax": Refusal("use `cross_entropy` or `nll`, or end in `SIGMOID`"),
        "activation": Refusal("end in `SIGMOID`, or in a layer without an activation"),
        "Dropout": DROPPED,
        "*": AS_IS,
    },
    "nll": {
        "LogSoftmax": AS_IS,
        "Log": AS_IS,
        "Softmax": Refusal("end in `LOGSOFTMAX`, or use `cross_entropy`, which takes `SOFTMAX`"),
        "*": Refusal("it takes log-probabilities: end in `LOGSOFTMAX`, or use `cross_entropy`"),
    },
    "hinge": {
        "Softmax": Refusal("it takes scores: remove the `SOFTMAX`, or use `cross_entropy`"),
        "LogSoftmax": Refusal("it takes scores: remove the `LOGSOFTMAX`, or use `nll`"),
        "Sigmoid": Refusal("it takes scores: remove the `SIGMOID`, or use `binary_cross_entropy`"),
        "activation": NO_ACTIVATION,
        "Dropout": DROPPED,
        "*": AS_IS,
    },
    **{name: {"*": AS_IS} for name in OF_DIFFERENCES},
}

# Pairs, by ending and loss, that work, but not well, and what to do instead.
DOUBTS: Mapping[tuple[str, str], Refusal] = {
    ("Softmax", name): Refusal("use `cross_entropy`, whose gradient does not vanish there")
    for name in OF_DIFFERENCES
}
