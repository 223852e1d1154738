"""Gradients against central differences in float64, parameter by parameter."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from ...compiler.graph import Graph
from ...compiler.passes.append_backward import GRADIENT, append_backward, trainable
from ...compiler.passes.set_mode import set_mode
from ...compiler.passes.settle import settle
from ..executor import run
from ..initialize import stream
from ..kerneldef import Array
from ..plan import Plan, plan

# A wide step rounds less, a narrow one crosses fewer kinks: one that agrees settles it.
STEPS = (1e-4, 1e-5, 1e-6)
TOLERANCE = 1e-6  # of the largest slope of the parameter
STAYS = 0.2  # of the difference between the slopes to both sides, from a step to the next
ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of a loss that sums many terms
SAMPLES = 20
NOISE = 0.01
LOSS = "loss"


@dataclass(frozen=True, slots=True)
class ParameterCheck:
    """What the comparison of one parameter came to.

    Attributes:
        name: The parameter.
        checked: How many of its numbers were compared.
        kinks: How many more were left out because the loss has no derivative there.
        error: max |gradient - difference| / max |difference| over those compared.
        place: The index of the number that differs most; empty where none was compared.
        gradient, difference: What was found there.
    """

    name: str
    checked: int
    kinks: int
    error: float
    place: tuple[int, ...]
    gradient: float
    difference: float

    @property
    def ok(self) -> bool:
        """Whether gradient and differences agree; numbers that are not finite do not."""
        return self.error <= TOLERANCE


def gradcheck(
    graph: Graph,
    feeds: Mapping[str, Any],
    state: Mapping[str, Array],
    *,
    samples: int | None = SAMPLES,
    seed: int = 0,
) -> list[ParameterCheck]:
    """Compare the gradients of a network's loss with central differences.

    (f(w + h) - f(w - h)) / 2 h differs from f'(w) by O(h^2). At a kink, such as that of a ReLU at
    0, the slopes to both sides differ however small h is, and differences say nothing of the
    gradient; such numbers are left out and counted.

    Args:
        graph: A network with the output `loss`; in inference mode where it is in none.
        feeds: Inputs and targets by name, and `step` where it draws noise; a small batch will do.
        state: Parameters and buffers by name.
        samples: How many numbers of each parameter to compare: that of the largest gradient, and
            others at random; all where it is None.
        seed: For the draw.

    Raises:
        NetError: Inputs or weights do not fit, or there is no gradient (E131).
    """
    graph = set_mode(graph, training=False)
    wide, fed = _doubled(state), _doubled(feeds)
    backward = plan(settle(append_backward(graph, of=LOSS)), dtype="float64")
    found = run(backward, fed, wide)
    forward = plan(settle(graph), [LOSS], dtype="float64")
    compare = _Comparison(forward, fed, wide, float(found[LOSS]))
    return [
        compare.parameter(
            name, found.get(f"{name}{GRADIENT}", np.zeros_like(wide[name])), samples, seed
        )
        for name in trainable(graph)
    ]


def off_kinks(graph: Graph, state: Mapping[str, Array], seed: int = 0) -> dict[str, Array]:
    """A state whose trainable parameters of equal numbers, such as biases of 0, are moved apart.

    With biases of 0, a RELU that sees an empty part of a picture is exactly at its kink.

    Args:
        graph: The network.
        state: First values.
        seed: Of the normal noise, of deviation `NOISE`, that is added.
    """
    names = {n for n in trainable(graph) if np.ptp(state[n]) == 0}
    return {
        name: _noisy(name, state[name], seed) if name in names else state[name] for name in state
    }


def _noisy(name: str, array: Array, seed: int) -> Array:
    noise = stream(seed, f"noise {name}").standard_normal(array.shape) * NOISE
    return (array + noise).astype(array.dtype)


def _doubled(arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Arrays with their real numbers in double precision."""
    found = {name: np.asarray(arrays[name]) for name in arrays}
    return {n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in found.items()}


@dataclass(frozen=True, slots=True)
class _Comparison:
    plan: Plan
    feeds: Mapping[str, Array]
    state: Mapping[str, Array]
    loss: float

    def parameter(
        self, name: str, gradient: Array, samples: int | None, seed: int
    ) -> ParameterCheck:
        """Compare one parameter."""
        places = _places(name, gradient, samples, seed)
        pairs = {place: self._slopes(name, place, STEPS[0]) for place in places}
        scale = max((abs(_middle(pair)) for pair in pairs.values()), default=0.0)
        # Slopes below what rounding leaves of them are compared as if they were that large.
        scale = max(scale, self._rounding(STEPS[0]) / TOLERANCE)
        slopes = {
            place: self._slope(name, place, pair, float(gradient.flat[place]), scale)
            for place, pair in pairs.items()
        }
        smooth = {place: slope for place, slope in slopes.items() if slope is not None}
        errors = {place: _error(float(gradient.flat[place]), s) for place, s in smooth.items()}
        worst = max(errors, key=errors.__getitem__, default=None)
        if worst is None:
            return ParameterCheck(name, 0, len(slopes), 0.0, (), 0.0, 0.0)
        return ParameterCheck(
            name=name,
            checked=len(smooth),
            kinks=len(slopes) - len(smooth),
            error=errors[worst] / scale,
            place=tuple(int(i) for i in np.unravel_index(worst, gradient.shape)),
            gradient=float(gradient.flat[worst]),
            difference=smooth[worst],
        )

    def _slope(
        self, name: str, place: int, pair: tuple[float, float], gradient: float, scale: float
    ) -> float | None:
        """The derivative by a number, or None where it is at a kink.

        What the slopes to both sides differ by shrinks with the step where that is due to
        curvature, and stays at a kink.
        """
        nearest, pairs = _middle(pair), [pair]
        for step in STEPS:
            if step != STEPS[0]:
                pairs.append(self._slopes(name, place, step))
            slope = _middle(pairs[-1])
            if _error(gradient, slope) < _error(gradient, nearest):
                nearest = slope
            if _error(gradient, slope) <= TOLERANCE * scale:
                return slope
        before, last = (abs(right - left) for left, right in pairs[-2:])
        differs = last > 2 * max(TOLERANCE * scale, self._rounding(STEPS[-1]))
        return None if differs and last > STAYS * before else nearest

    def _rounding(self, step: float) -> float:
        """What is not known of a slope, because the loss is rounded."""
        return ROUNDING * max(abs(self.loss), 1.0) / step

    def _slopes(self, name: str, place: int, step: float) -> tuple[float, float]:
        """The slopes of the loss to the left and to the right of a number."""
        below, above = (self._loss_at(name, place, move) for move in (-step, step))
        return (self.loss - below) / step, (above - self.loss) / step

    def _loss_at(self, name: str, place: int, move: float) -> float:
        moved = self.state[name].copy()
        moved.flat[place] += move
        return float(run(self.plan, self.feeds, {**self.state, name: moved})[LOSS])


def _places(name: str, gradient: Array, samples: int | None, seed: int) -> list[int]:
    """The numbers of a parameter that are compared."""
    size = gradient.size
    if samples is None or samples >= size:
        return list(range(size))
    largest = int(np.argmax(np.abs(gradient)))
    drawn = stream(seed, name).choice(size, samples, replace=False).tolist()
    return list(dict.fromkeys([largest, *drawn]))[:samples]


def _middle(pair: tuple[float, float]) -> float:
    return sum(pair) / 2


def _error(gradient: float, slope: float) -> float:
    """How far they are apart; without end where one is no number."""
    found = abs(gradient - slope)
    return float("inf") if isnan(found) else found
