"""How weights follow their gradients: what goes after the backward pass in a step of training."""

from collections.abc import Container, Mapping
from dataclasses import field, replace

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.graph import Graph, Value
from ..ir.initializers import ZEROS
from ..ir.scalars import SCALARS, STEP, scalar_name, scalar_type
from ..ir.types import DType
from ..ops.building import times
from ..passes.append_backward import GRADIENT, trainable
from ..passes.training_mode import NEXT
from .clipping import clipped
from .factors import Factors, factor_of
from .objective import check_free
from .optimizers import OPTIMIZERS
from .terms import Term

WEIGHT_DECAY = "weight_decay"
ACCUMULATED, AVERAGE = "accumulated", "average"  # what is kept for each weight by these names


@record
class Descent:
    """How weights follow their gradients.

    Attributes:
        optimizer: What makes a step of a gradient.
        clip: How gradients are clipped before that; None where they are not.
        by_momentum: Whether momentum is scheduled, so that it is kept even where it starts at 0.
        accumulate: How many batches' gradients are averaged for a step of the optimizer.
        ema: How much of a weight's moving average stays at each step; None for no average.
        lr_factors: What the learning rate of weights is multiplied by, by pattern.
        decay: What the weight decay of weights is multiplied by, by pattern, or `WEIGHTS`.
    """

    optimizer: Term
    clip: Term | None = None
    by_momentum: bool = False
    accumulate: int = 1
    ema: float | None = None
    lr_factors: Factors = field(default_factory=dict)
    decay: Factors | str = field(default_factory=dict)

    def of(self, name: str, *, is_weight: bool) -> tuple[float, float]:
        """The factors of a weight's learning rate and of its decay.

        Args:
            name: The weight's name.
            is_weight: Whether it is neither a bias nor the scale or shift of a normalization.
        """
        rate = factor_of(name, self.lr_factors)
        if isinstance(self.decay, str):
            return rate, float(is_weight)
        return rate, factor_of(name, self.decay)


@record
class _Turn:
    """Whose turn it is, where the optimizer waits for the gradients of several batches.

    Attributes:
        number: The number of the optimizer's step, from 0.
        due: Whether this batch is its last one; None where each is.
    """

    number: Value
    due: Value | None

    @classmethod
    def of(cls, build: Builder, batch: Value, accumulate: int) -> "_Turn":
        """The turn of a batch, counted from 0."""
        if accumulate == 1:
            return cls(batch, None)
        every, last = (build.constant(n, DType.INT64) for n in (accumulate, accumulate - 1))
        return cls(build.Div(batch, every), build.Equal(build.Mod(batch, every), last))

    def chosen(self, build: Builder, new: Value, old: Value) -> Value:
        """The new value where the optimizer takes a step, else the old one."""
        return new if self.due is None else build.Where(self.due, new, old)


def append_updates(target: Graph, descent: Descent, decaying: Container[str]) -> None:
    """Put the gradients of a graph to use: a new value for each weight that has one.

    Args:
        target: The graph of the backward pass.
        descent: How weights follow their gradients.
        decaying: Which are neither biases nor the scales and shifts of normalizations.
    """
    build = Builder(target)
    scalars = {scalar: _scalar(build, scalar) for scalar in SCALARS}
    weights = {n: w for n, w in trainable(target).items() if f"{n}{GRADIENT}" in target.outputs}
    gradients = [target.outputs.pop(f"{name}{GRADIENT}") for name in weights]
    target.labels |= {f"{n}{GRADIENT}": dw for n, dw in zip(weights, gradients, strict=True)}
    turn = _Turn.of(build, scalars[STEP], descent.accumulate)
    if turn.due is not None:
        named = zip(weights.items(), gradients, strict=True)
        gradients = [_accumulated(build, *weight, dw, descent, turn) for weight, dw in named]
    reached = clipped(build, gradients, descent.clip)
    for (name, weight), gradient in zip(weights.items(), reached, strict=True):
        build.scope = name
        factors = descent.of(name, is_weight=name in decaying)
        new = _updated(build, name, weight, gradient, descent, turn, scalars, factors)
        target.outputs[f"{name}{NEXT}"] = new
        if descent.ema is not None:
            _average(build, name, new, descent.ema, turn)


def _updated(
    build: Builder,
    name: str,
    weight: Value,
    gradient: Value,
    descent: Descent,
    turn: _Turn,
    scalars: Mapping[str, Value],
    factors: tuple[float, float],
) -> Value:
    """A weight's new value, after new values of the optimizer's tensors among the outputs."""
    rule = OPTIMIZERS[descent.optimizer.name]
    check_free(build.graph, f"{name}{NEXT}")
    slots = {
        slot: _kept(build, name, slot, weight)
        for slot in rule.slots(descent.optimizer, descent.by_momentum)
    }
    rate, decay = factors
    lr = scalars["lr"] if rate == 1 else times(build, scalars["lr"], rate)
    now = {**scalars, STEP: turn.number, "lr": lr}
    optimizer = decayed_by(descent.optimizer, decay)
    new, moved = rule.update(build, weight, gradient, slots, now, optimizer)
    for slot, value in moved.items():
        _keep(build, name, slot, turn.chosen(build, value, slots[slot]))
    return turn.chosen(build, new, weight)


def decayed_by(optimizer: Term, factor: float) -> Term:
    """The optimizer with its weight decay multiplied by a factor."""
    decay = OPTIMIZERS[optimizer.name].settled(optimizer.arguments)[WEIGHT_DECAY]
    return replace(optimizer, arguments={**optimizer.arguments, WEIGHT_DECAY: factor * decay})


def _accumulated(
    build: Builder, name: str, weight: Value, gradient: Value, descent: Descent, turn: _Turn
) -> Value:
    """The mean of the gradients of the optimizer's step, as far as its batches are seen."""
    build.scope = name
    before = _kept(build, name, ACCUMULATED, weight)
    sum_so_far = build.Add(before, times(build, gradient, 1 / descent.accumulate))
    emptied = build.constant(0.0, weight.dtype)
    _keep(build, name, ACCUMULATED, turn.chosen(build, emptied, sum_so_far))
    return sum_so_far


def _average(build: Builder, name: str, weight: Value, keep: float, turn: _Turn) -> None:
    """Follow a weight by keep average + (1 - keep) weight, from its value after the first step.

    PyTorch's `AveragedModel` with `get_ema_multi_avg_fn(keep)` (Polyak and Juditsky 1992).
    """
    before = _kept(build, name, AVERAGE, weight)
    moved = build.Add(times(build, before, keep), times(build, weight, 1 - keep))
    first = build.Equal(turn.number, build.constant(0, DType.INT64))
    _keep(build, name, AVERAGE, turn.chosen(build, build.Where(first, weight, moved), before))


def _kept(build: Builder, name: str, slot: str, like: Value) -> Value:
    """A tensor that is kept for a weight, zeros at first."""
    path = f"{name}.{slot}"
    check_free(build.graph, path, f"{path}{NEXT}")
    return build.parameter(path, like.shape, init=ZEROS, buffer=True, dtype=like.dtype)


def _keep(build: Builder, name: str, slot: str, value: Value) -> None:
    build.graph.outputs[f"{name}.{slot}{NEXT}"] = value


def _scalar(build: Builder, scalar: str) -> Value:
    """A scalar input, which noise may have asked for before."""
    name = scalar_name(build.graph, scalar)
    return build.graph.inputs.get(name) or build.input(name, scalar_type(scalar))
