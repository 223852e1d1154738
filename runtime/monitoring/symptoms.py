"""What layers and gradients look like after an epoch -> what is wrong with them.

Thresholds are rules of thumb: see each constant.
"""

from collections.abc import Callable, Iterator, Sequence
from math import isfinite, isnan

from .records import Change, Signal, Symptom, SymptomKind

VANISHING = 1e-4  # of the largest ratio of gradient to weight of any layer
EXPLODING = 1e3  # times its weight is the gradient, or the deviation of activations
DEAD = 0.25  # of the units of a RELU
SATURATED = 0.5  # of the numbers of a TANH or SIGMOID
FAST = 0.1  # of a weight's norm, moved in one step; a thousandth is usual
WEIGHT = ".weight"  # what matrices and kernels are called; biases start at 0 and say little


def symptoms(signals: Sequence[Signal], changes: Sequence[Change]) -> list[Symptom]:
    """What is wrong after an epoch, in the order of the layers.

    Args:
        signals: The activations of an epoch.
        changes: The gradients of the same epoch.
    """
    found = [symptom for look in ACTIVATION_SYMPTOMS for s in signals for symptom in look(s)]
    weights = [change for change in changes if change.name.endswith(WEIGHT)]
    return [*found, *_vanishing(weights), *_exploding(weights), *_fast(weights)]


def _symptom(
    of: Signal | Change, kind: SymptomKind, message: str, advice: str, value: float
) -> Symptom:
    return Symptom(kind, of.epoch, of.name, message, advice, value)


def _wild(signal: Signal) -> Iterator[Symptom]:
    """Activations that are not numbers any more, or huge."""
    if not signal.deviation <= EXPLODING:
        yield _symptom(
            signal,
            "exploding",
            f"the activations of `{signal.name}` explode: they deviate by {signal.deviation:.2g}",
            "lower the learning rate, or normalize with BN",
            signal.deviation,
        )


def _dead(signal: Signal) -> Iterator[Symptom]:
    """Units of a RELU that are never active, through which no gradient passes."""
    if signal.dead is not None and signal.dead >= DEAD:
        yield _symptom(
            signal,
            "dead",
            f"{signal.dead:.0%} of the units of `{signal.name}` are 0 for all samples",
            "lower the learning rate, use LRELU, or initialize with `he`",
            signal.dead,
        )


def _saturated(signal: Signal) -> Iterator[Symptom]:
    """Activations at the flat ends, through which next to no gradient passes."""
    if signal.saturated is not None and signal.saturated >= SATURATED:
        yield _symptom(
            signal,
            "saturated",
            f"{signal.saturated:.0%} of the activations of `{signal.name}` are saturated",
            "use smaller initial weights, normalize inputs, or put BN before it",
            signal.saturated,
        )


def _vanishing(weights: Sequence[Change]) -> Iterator[Symptom]:
    """Gradients far smaller, for the size of their weights, than those of other layers."""
    largest = max((w.relative for w in weights if isfinite(w.relative)), default=0.0)
    for weight in weights:
        if weight.relative < VANISHING * largest:
            share = weight.relative / largest
            yield _symptom(
                weight,
                "vanishing",
                f"the gradient of `{weight.name}` vanishes: for its size it is {share:.1g} of that"
                " of the largest",
                "use RELU, BN, residual connections, or another initialization",
                share,
            )


def _exploding(weights: Sequence[Change]) -> Iterator[Symptom]:
    """Gradients that are not numbers any more, or huge for the size of their weights."""
    for weight in weights:
        if weight.relative > EXPLODING or not isfinite(weight.norm):
            value = weight.relative if isfinite(weight.norm) else weight.norm
            yield _symptom(
                weight,
                "exploding",
                f"the gradient of `{weight.name}` explodes: it is {value:.2g} times its weight",
                "lower the learning rate, or normalize with BN",
                value,
            )


def _fast(weights: Sequence[Change]) -> Iterator[Symptom]:
    """Steps that move a weight by a large share of itself."""
    for weight in weights:
        if weight.update > FAST and not isnan(weight.update):
            yield _symptom(
                weight,
                "fast",
                f"a step changes `{weight.name}` by {weight.update:.0%} of itself",
                "lower the learning rate, or warm it up",
                weight.update,
            )


ACTIVATION_SYMPTOMS: tuple[Callable[[Signal], Iterator[Symptom]], ...] = (_wild, _dead, _saturated)
