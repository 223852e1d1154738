"""Gradients against central differences in float64, parameter by parameter."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.passes.append_backward import GRADIENT, append_backward, trainable
from ...compiler.passes.pipeline import optimize
from ...compiler.passes.set_mode import set_mode
from ..engines.executor import run
from ..engines.plan import Plan, plan
from ..kerneldef import Array
from ..run_folder.json_files import for_json
from ..weights.initialize import stream
from .kinks import SIDE_PREFIX, with_sides

# A wide step rounds less, a narrow one crosses fewer kinks: one that agrees settles it.
DIFFERENCE_STEPS = (1e-4, 1e-5, 1e-6, 1e-7)
SLOPE_TOLERANCE = 1e-6  # of the largest slope of the parameter
ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of a loss that sums many terms
ENTRIES = 20
NOISE = 0.01
LOSS = "loss"


@dataclass(frozen=True, slots=True)
class ParameterCheck:
    """The comparison of one parameter's gradient.

    Attributes:
        name: The parameter.
        checked: How many of its numbers were compared.
        kinks: How many more were left out because the loss has no derivative there.
        error: max |gradient - difference| / max |difference| over those compared.
        place: The index of the number that differs most; empty where none was compared.
        gradient, difference: What was found there.
        skipped: How many were not looked at, because the time was up.
    """

    name: str
    checked: int
    kinks: int
    error: float
    place: tuple[int, ...]
    gradient: float
    difference: float
    skipped: int = 0

    @property
    def ok(self) -> bool:
        """Whether gradient and differences agree; numbers that are not finite do not."""
        return self.error <= SLOPE_TOLERANCE

    def to_dict(self) -> dict[str, Any]:
        """The row for JSON; numbers that are not finite are texts."""
        values = {**asdict(self), "ok": self.ok}
        return {name: for_json(value) for name, value in values.items()}


def gradcheck(
    graph: Graph,
    feeds: Mapping[str, Any],
    state: Mapping[str, Array],
    *,
    samples: int | None = ENTRIES,
    seed: int = 0,
    seconds: float | None = None,
    done: Callable[[int], None] | None = None,
) -> list[ParameterCheck]:
    """Compare the gradients of a network's loss with central differences.

    (f(w + h) - f(w - h)) / 2 h differs from f'(w) by O(h^2), unless a kink lies in between, such as
    that of a ReLU at 0. So it is known of each difference whether an operator changed sides: these
    say nothing against a gradient. Numbers that no step lies between kinks for are left out and
    counted.

    Args:
        graph: A network with the output `loss`; in inference mode where it is in none.
        feeds: Inputs and targets by name, and `step` where it draws noise; a small batch will do.
        state: Parameters and buffers by name.
        samples: How many numbers of each parameter to compare: that of the largest gradient, and
            others at random; all where it is None.
        seed: For the draw.
        seconds: About how long it may take; each parameter gets its share, and has one number
            compared at least.
        done: Called with how many parameters are compared.

    Raises:
        NetError: Inputs or weights do not fit, or there is no gradient (E131).
    """
    graph = set_mode(graph, training=False)
    wide, fed = _doubled(state), _doubled(feeds)
    backward = plan(optimize(append_backward(graph, of=LOSS)), dtype="float64")
    found = run(backward, fed, wide)
    names = list(trainable(graph))
    clock = _Clock(seconds, len(names))
    compare = _Comparison(graph, fed, wide, clock)
    checks: list[ParameterCheck] = []
    for name in names:
        clock.next()
        gradient = found.get(f"{name}{GRADIENT}", np.zeros_like(wide[name]))
        checks.append(compare.parameter(name, gradient, samples, seed))
        if done is not None:
            done(len(checks))
    return checks


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


class _Comparison:
    """Compares one parameter after another.

    Args:
        graph: The network, whose output `loss` is differentiated.
        feeds, state: What it computes with, in double precision.
        clock: Says when to end.
    """

    def __init__(
        self, graph: Graph, feeds: Mapping[str, Array], state: Mapping[str, Array], clock: "_Clock"
    ) -> None:
        self.feeds, self.state, self.clock = feeds, state, clock
        self.plan = plan(optimize(graph), [LOSS], dtype="float64")
        watched = with_sides(graph)
        sides = [name for name in watched.outputs if name.startswith(SIDE_PREFIX)]
        self.watched = plan(optimize(watched), [LOSS, *sides], dtype="float64")
        self.before = run(self.watched, feeds, state)
        self.loss = float(self.before[LOSS])
        self.step = DIFFERENCE_STEPS[0]  # the one that settled most numbers of the last parameter

    def parameter(
        self, name: str, gradient: Array, samples: int | None, seed: int
    ) -> ParameterCheck:
        """Compare one parameter."""
        step = self.step
        first: dict[int, float] = {}
        places = _places(name, gradient, samples, seed)
        for place in places:
            if first and self.clock.over():
                break
            first[place] = self._slope(self.plan, name, place, step)[0]
        scale = max(map(abs, first.values()), default=0.0)
        # Slopes below what rounding leaves of them are compared as if they were that large.
        scale = max(scale, self._rounding(DIFFERENCE_STEPS[0]) / SLOPE_TOLERANCE)
        settled: dict[float, int] = {step: 0}
        slopes: dict[int, float | None] = {}
        for place, slope in first.items():
            wanted = float(gradient.flat[place])
            if _error(wanted, slope) <= SLOPE_TOLERANCE * scale:
                slopes[place], by = slope, step
            elif slopes and self.clock.over():
                continue
            else:
                slopes[place], by = self._within(name, place, wanted, scale)
            settled[by] = settled.get(by, 0) + 1
        self.step = max(settled, key=settled.__getitem__)
        smooth = {place: slope for place, slope in slopes.items() if slope is not None}
        errors = {place: _error(float(gradient.flat[place]), s) for place, s in smooth.items()}
        worst = max(errors, key=errors.__getitem__, default=None)
        kinks, skipped = len(slopes) - len(smooth), len(places) - len(slopes)
        if worst is None:
            return ParameterCheck(name, 0, kinks, 0.0, (), 0.0, 0.0, skipped)
        return ParameterCheck(
            name=name,
            checked=len(smooth),
            kinks=kinks,
            error=errors[worst] / scale,
            place=tuple(int(i) for i in np.unravel_index(worst, gradient.shape)),
            gradient=float(gradient.flat[worst]),
            difference=smooth[worst],
            skipped=skipped,
        )

    def _within(
        self, name: str, place: int, gradient: float, scale: float
    ) -> tuple[float | None, float]:
        """The derivative by a number, and the step that showed it; None where kinks are too near.

        Only differences across which no operator changes sides speak against a gradient, and only
        by more than rounding leaves of them.
        """
        nearest: float | None = None
        settled = DIFFERENCE_STEPS[0]
        for step in DIFFERENCE_STEPS:
            slope, clean = self._slope(self.watched, name, place, step)
            error = _error(gradient, slope)
            if error <= SLOPE_TOLERANCE * scale:
                return slope, step
            is_sure = clean and not error <= self._rounding(step)
            if is_sure and (nearest is None or error < _error(gradient, nearest)):
                nearest, settled = slope, step
        return nearest, settled

    def _rounding(self, step: float) -> float:
        """What is not known of a slope, because the loss is rounded."""
        return ROUNDING * max(abs(self.loss), 1.0) / step

    def _slope(self, plan: Plan, name: str, place: int, step: float) -> tuple[float, bool]:
        """The central difference, and whether all that the plan yields but the loss stays."""
        below, above = (self._moved(plan, name, place, move) for move in (-step, step))
        clean = all(
            np.array_equal(self.before[side], found[side])
            for found in (below, above)
            for side in found
            if side != LOSS
        )
        return float(above[LOSS] - below[LOSS]) / (2 * step), clean

    def _moved(self, plan: Plan, name: str, place: int, move: float) -> dict[str, Array]:
        moved = self.state[name].copy()
        moved.flat[place] += move
        return run(plan, self.feeds, {**self.state, name: moved})


class _Clock:
    """Gives each of several parts an equal share of the time that is left."""

    def __init__(self, seconds: float | None, parts: int) -> None:
        self.end = None if seconds is None else time.monotonic() + seconds
        self.parts = parts
        self._until = 0.0

    def next(self) -> None:
        """The next part begins."""
        if self.end is not None:
            now = time.monotonic()
            self._until = now + max(self.end - now, 0.0) / self.parts
        self.parts -= 1

    def over(self) -> bool:
        """Whether the part has used up its share."""
        return self.end is not None and time.monotonic() > self._until


def _places(name: str, gradient: Array, samples: int | None, seed: int) -> list[int]:
    """The numbers of a parameter that are compared."""
    size = gradient.size
    if samples is None or samples >= size:
        return list(range(size))
    largest = int(np.argmax(np.abs(gradient)))
    drawn = stream(seed, name).choice(size, samples, replace=False).tolist()
    return list(dict.fromkeys([largest, *drawn]))[:samples]


def _error(gradient: float, slope: float) -> float:
    """How far they are apart; without end where one is not a number."""
    found = abs(gradient - slope)
    return float("inf") if isnan(found) else found
