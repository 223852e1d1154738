"""What LSTM, GRU and RNN are: their gates, states and functions, for types, steps and kernels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

OURS, GRADIENT = "netc.", "Grad"


@dataclass(frozen=True, slots=True)
class Kind:
    """A recurrent operator.

    Attributes:
        name: ONNX's name of it.
        gates: How many gates it has.
        states: How many states: h, and of an LSTM c.
        inputs: How many arguments it takes: x, W, R, b, lengths, first states, peepholes.
        peepholes: How many gates see c directly.
        functions: Its activation functions, by default.
        work: Elementwise operations per unit, without peepholes: a bias and a function per gate,
            and what makes states of them.
    """

    name: str
    gates: int
    states: int
    inputs: int
    peepholes: int
    functions: tuple[str, ...]
    work: int


KINDS = (
    Kind("LSTM", 4, 2, 8, 3, ("Sigmoid", "Tanh", "Tanh"), 13),
    Kind("GRU", 3, 1, 6, 0, ("Sigmoid", "Tanh"), 11),
    Kind("RNN", 1, 1, 6, 0, ("Tanh",), 2),
)
_BY_NAME = {
    **{kind.name: kind for kind in KINDS},
    **{f"{OURS}{kind.name}{GRADIENT}": kind for kind in KINDS},
}
X, W, R, BIAS, LENGTHS, STATE, CELL, PEEPHOLES = range(8)  # the arguments
REAL = (X, W, R, BIAS, STATE, CELL, PEEPHOLES)  # those that have gradients
# Of the functions of a direction: what `clip` clips. As in onnxruntime that is not c.
GATE_FUNCTIONS = 2
DIRECTIONS = {"forward": (0,), "reverse": (1,), "bidirectional": (0, 1)}


def kind_of(op_type: str) -> Kind:
    """What a recurrent operator, or its gradient, is."""
    return _BY_NAME[op_type]


class Function(NamedTuple):
    """An activation function with its numbers, as far as it takes them."""

    name: str
    alpha: float = 0.0
    beta: float = 0.0


# What each function takes for alpha and beta where nothing is said; None where it takes none.
NUMBERS: Mapping[str, tuple[float | None, float | None]] = {
    "Affine": (1.0, 0.0),
    "Elu": (1.0, None),
    "HardSigmoid": (0.2, 0.5),
    "LeakyRelu": (0.01, None),
    "Relu": (None, None),
    "ScaledTanh": (1.0, 1.0),
    "Sigmoid": (None, None),
    "Softplus": (None, None),
    "Softsign": (None, None),
    "Tanh": (None, None),
    "ThresholdedRelu": (1.0, None),
}


def functions_of(kind: Kind, attributes: Mapping[str, Any]) -> Sequence[tuple[Function, ...]]:
    """The activation functions of each direction.

    Each that takes an alpha or a beta gets the next one of those that are given.
    """
    count = len(DIRECTIONS[attributes["direction"]])
    names = attributes["activations"] or kind.functions * count
    alphas, betas = (iter(attributes[f"activation_{word}"] or ()) for word in ("alpha", "beta"))
    found = []
    for name in names:
        alpha, beta = NUMBERS[name]
        found.append(
            Function(
                name,
                0.0 if alpha is None else next(alphas, alpha),
                0.0 if beta is None else next(betas, beta),
            )
        )
    each = len(kind.functions)
    return [tuple(found[i * each : (i + 1) * each]) for i in range(count)]
