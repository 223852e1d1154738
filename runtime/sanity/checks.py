"""A job of training -> what should be so before it is worth training, each check with its numbers.

The checks are those of Karpathy's "A Recipe for Training Neural Networks" (2019) and of the
lectures CS231n, "Before learning: sanity checks".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from ...compiler.ir.dim import counts_samples
from ...compiler.ops.opdef import Role
from ...compiler.passes.append_backward import trainable
from ...compiler.training.losses import LOSSES
from ...compiler.training.regularizers import REGULARIZERS
from ...compiler.training.term_table import spell_term
from ...compiler.training.terms import Term
from ...compiler.training.weights import roles
from ...grammar.diagnostics import listing
from ..inspection.probes import layer_names, spread_over_samples
from ..run_folder.json_files import for_json
from ..training.job import Job
from .expected_loss import expected_loss, formula
from .first_steps import LOWER_RATES, first_steps
from .guessed_loss import guessed_loss
from .overfitting import MEMORIZED, STEPS_PER_RATE
from .slowness import Slowness, slowness
from .subject import Subject

AS_EXPECTED = 0.1  # how much of the expected loss the loss of small weights may differ from it
REPORTED = 1e-3  # the loss above the least one from which on that is reported
TOO_SURE = 3.0  # a first loss above this multiple of the expected one is too sure of what it says
SCALES = (0.01, 10.0)  # between which the deviation of inputs lies
OFFSET = 5.0  # how many deviations the mean of inputs may be from 0
VANISHED, EXPLODED = (
    1e-4,
    1e3,
)  # how much activations differ by sample lies between
RAISED = 1.1  # a loss that steps leave above this multiple of the first one was raised by them
HIGH = 0.5  # of a guess's loss, above which steps have not learned much
BETTER = 0.6  # of a loss, below which a tenth of the learning rate does clearly better
FEWEST_OF_CLASS = 5  # samples of a class, on average, from which on whole numbers look like classes
SHOWN_NAMES = 5  # names in a message
UNCOMPARED = "no output is compared with a target"
TRY = REGULARIZERS.term("l2", strength=0.01)
# Layers whose outputs are small where there are many classes, or the same for all samples.
UNTOLD = ("SOFTMAX", "CONST", "PARAM")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that should be so.

    Attributes:
        name: What is looked at.
        ok: Whether it is so.
        message: What is found, with its numbers.
        advice: What to do where it is not so.
        numbers: What it rests on, by name.
    """

    name: str
    ok: bool
    message: str
    advice: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Check {self.name}: {'ok' if self.ok else 'not ok'}, {self.message}>"

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON; numbers that are not finite are texts."""
        numbers = {name: for_json(number) for name, number in self.numbers.items()}
        own = {"name": self.name, "ok": self.ok, "message": self.message}
        return {**own, "advice": "" if self.ok else self.advice, "numbers": numbers}


def sanity(job: Job, *, samples: int = MEMORIZED, steps: int = STEPS_PER_RATE) -> list[Check]:
    """Look at data, network and loss before training.

    Args:
        job: What is to be trained.
        samples: How many samples must be memorized.
        steps: The most steps for each learning rate that is tried.

    Returns:
        All checks, in the order in which one would look for a mistake.

    Raises:
        NetError: Data, network and recipe do not fit together.
    """
    job.check_batches()
    subject = Subject(job, samples, steps)
    return [look(subject) for look in SANITY_CHECKS.values()]


def _labels(subject: Subject) -> Check:
    """Targets that differ from each other, and that are what the loss takes them for."""
    if (mistaken := _indices_as_numbers(subject)) is not None:
        return mistaken
    if not subject.objective.comparing.losses:
        return Check("labels", True, UNCOMPARED)
    train = subject.job.split.train
    labels = None if subject.objective.is_of_numbers else subject.job.labels
    if labels is not None:
        classes, counts = np.unique(labels[train], return_counts=True)
        rarest = f"from {counts.min()} to {counts.max()} samples each"
        return Check(
            "labels",
            len(classes) > 1,
            f"{len(classes)} classes in {len(train)} training samples, {rarest}"
            if len(classes) > 1
            else f"all {len(train)} training samples are of class {classes[0]}",
            "check how labels are read, and whether the data are sorted before they are split",
            {
                "classes": len(classes),
                "rarest": int(counts.min()),
                "most_frequent": int(counts.max()),
            },
        )
    constant, deviations = [], {}
    for target in subject.job.wiring.targets.values():
        deviations[target.name] = float(np.nanstd(subject.feeds[target.name].astype(np.float64)))
        constant += [] if deviations[target.name] > 0 else [target.name]
    several = ", ".join(f"`{name}` {value:.4g}" for name, value in deviations.items())
    return Check(
        "labels",
        not constant,
        f"targets deviate by {several}"
        if not constant
        else f"all of {listing(constant, SHOWN_NAMES)} is equal",
        "check how targets are read",
        {f"{name}.deviation": value for name, value in deviations.items()},
    )


def _indices_as_numbers(subject: Subject) -> Check | None:
    """Indices of more than two classes that a loss takes for numbers, as if 9 were near 8."""
    data, train = subject.job.data, subject.job.split.train
    labels = data.labels()
    for output, target in subject.job.wiring.targets.items():
        term = subject.objective.losses[output]
        plain = target.indices and not target.classes and not target.below
        if not plain or labels is None or LOSSES[term.name].targets.task != "numbers":
            continue
        classes = np.unique(labels[train])
        first = int(classes[0])
        every = first in (0, 1) and np.array_equal(classes - first, np.arange(len(classes)))
        if every and len(classes) > 2 and len(train) >= FEWEST_OF_CLASS * len(classes):
            return Check(
                "labels",
                False,
                f"`{target.name}` holds indices of {len(classes)} classes, which `{term.name}`"
                " takes for numbers",
                f"end in `FC({len(classes)})` and take `cross_entropy`"
                + ", with labels that count from 0" * first,
                {"classes": len(classes)},
            )
    return None


def _inputs(subject: Subject) -> Check:
    """Inputs of about zero mean and unit deviation."""
    numbers: dict[str, float] = {}
    wrong, texts = [], []
    for name in subject.job.wiring.inputs.values():
        array = subject.feeds[name]
        if array.dtype.kind != "f":
            continue
        mean, deviation = float(array.mean(dtype=float)), float(array.std(dtype=float))
        numbers |= {f"{name}.mean": mean, f"{name}.deviation": deviation}
        texts.append(f"`{name}` has mean {mean:.3g} and deviation {deviation:.3g}")
        sane = SCALES[0] <= deviation <= SCALES[1] and abs(mean) <= OFFSET * deviation
        wrong += [] if sane else [name]
    return Check(
        "inputs",
        not wrong,
        "; ".join(texts) or "inputs are integers",
        "bring inputs to mean 0 and deviation 1: `preprocess = standardize`",
        numbers,
    )


def _initial_loss(subject: Subject) -> Check:
    """With small weights, the loss of a network that knows nothing."""
    job = subject.job
    if subject.comparing is None:
        return Check("initial loss", True, UNCOMPARED)
    expected = expected_loss(job.graph, subject.objective, job.wiring, subject.feeds)
    found = subject.loss(subject.comparing, subject.small)
    what = formula(job.graph, subject.objective, job.wiring)
    ok = abs(found - expected) <= AS_EXPECTED * max(abs(expected), 1e-6)
    return Check(
        "initial loss",
        ok,
        f"{found:.4g} with small weights, expected {expected:.4g} ({what})",
        "loss and output do not match: check the number of classes, the last layer, and the"
        " encoding of the targets",
        {"loss": found, "expected": expected},
    )


def _first_loss(subject: Subject) -> Check:
    """With the weights that training starts from, no loss far above that."""
    job = subject.job
    if subject.comparing is None:
        return Check("first loss", True, UNCOMPARED)
    expected = expected_loss(job.graph, subject.objective, job.wiring, subject.feeds)
    found = subject.loss(subject.comparing, subject.state)
    given = "given" if job.weights is not None else "initial"
    ok = found <= TOO_SURE * expected
    comparison = "no more than" if ok else "more than"
    return Check(
        "first loss",
        ok,
        f"{found:.4g} with the {given} weights, {comparison} {TOO_SURE:g} times {expected:.4g}",
        "the network is confidently wrong: use smaller initial weights, or normalize inputs",
        {"loss": found, "expected": expected},
    )


def _regularization(subject: Subject) -> Check:
    """A penalty raises the loss."""
    own = subject.objective.regularize
    terms = own or (TRY,)
    said = ", ".join(map(spell_term, terms)) + ("" if own else ", which is tried here,")
    without = subject.loss(subject.graph, subject.state, dtype="float64")
    found = subject.loss(subject.with_loss(terms), subject.state, dtype="float64")
    return Check(
        "regularization",
        found > without,
        f"with {said} the loss {'rises' if found > without else 'goes'} from {without:.6g} to"
        f" {found:.6g}",
        _unpenalised(subject, terms),
        {"without": without, "with": found},
    )


def _unpenalised(subject: Subject, terms: tuple[Term, ...]) -> str:
    """Why a penalty does not raise the loss."""
    penalised = [n for n, role in roles(subject.graph).items() if role is Role.WEIGHT]
    if penalised and not any(subject.state[name].any() for name in penalised):
        return "all weights are 0: initialize them at random, as `init=he` does"
    if not any(term.arguments.get("strength", 1.0) for term in terms):
        return "the penalty's strength is 0"
    return "no weight is penalised: all are frozen, or biases and scales"


def _activations(subject: Subject) -> Check:
    """Signals that neither vanish nor explode on their way through the layers."""
    graph = subject.graph
    names = [
        name
        for name in layer_names(graph)
        if graph.layers[name].kind not in UNTOLD
        and any(map(counts_samples, graph.labels[name].shape[:1]))  # learned tensors have none
    ]
    found = subject.read(graph, names)
    spreads = {name: spread_over_samples(found[name]) for name in names}
    lost = [name for name, spread in spreads.items() if not spread >= VANISHED]
    wild = [name for name, spread in spreads.items() if not spread <= EXPLODED]
    known = [spread for spread in spreads.values() if isfinite(spread)] or [float("nan")]
    text = f"the spread between samples goes from {min(known):.3g} to {max(known):.3g}"
    for verb, names in ("vanishes", lost), ("explodes", wild):
        if names:
            differ = f"samples differ by {spreads[names[0]]:.2g} there"
            text = f"it {verb} in {listing(names, SHOWN_NAMES)}: {differ}"
    return Check(
        "activations",
        not lost and not wild,
        text,
        "initialize from the data (LSUV) or with `init=he` before RELU, or normalize with BN",
        spreads,
    )


def _gradients(subject: Subject) -> Check:
    """Every trainable weight is reached by a gradient."""
    names = list(trainable(subject.graph))
    norms = {n: float(np.linalg.norm(a.astype(float))) for n, a in subject.gradients.items()}
    # Weights behind a factor that starts at 0 have no gradient at first, and move later.
    dead = [n for n in names if not norms.get(n, 0.0) > 0 and n in subject.trial.still]
    low, high = min(norms.values(), default=0.0), max(norms.values(), default=0.0)
    message = f"reach all {len(names)} trainable weights; norms from {low:.2g} to {high:.2g}"
    if not names:
        message = "there is no trainable weight"
    elif dead:
        message = f"none in {listing(dead, SHOWN_NAMES)}"
    return Check(
        "gradients",
        bool(names) and not dead,
        message,
        "look at what follows: RELU that is never active, a constant factor of 0, an output"
        " that the loss does not depend on, or weights that are all equal to 0",
        norms,
    )


def _small_subset(subject: Subject) -> Check:
    """The network can memorize a handful of samples."""
    if subject.comparing is None:
        return Check("small subset", True, UNCOMPARED)
    trial = subject.trial
    answers = "" if trial.accuracy is None else f", {trial.accuracy:.0%} of the answers right"
    verb = "are learned" if trial.learned else "are not learned"
    floor = f", no less than {trial.least:.3g} for such targets" if trial.least > REPORTED else ""
    return Check(
        "small subset",
        trial.learned,
        f"{trial.samples} samples {verb} in {trial.steps} steps of adam(lr={trial.rate:g}):"
        f" loss {trial.first:.3g} -> {trial.last:.3g}{floor}{answers}",
        "a network that cannot memorize a few samples cannot learn anything else: look for a"
        " mistake in data, loss or layers before training, or take a larger network",
        {
            "loss": trial.last,
            "first": trial.first,
            "steps": trial.steps,
            "lr": trial.rate,
            "accuracy": float("nan") if trial.accuracy is None else trial.accuracy,
        },
    )


def _recipe(subject: Subject) -> Check:
    """The recipe's own first steps bring the loss down, or are too small to do so."""
    job = subject.job
    guess = guessed_loss(job.graph, subject.objective, job.wiring, subject.feeds)
    found = first_steps(job, subject.stepper, subject.state)
    said = spell_term(job.recipe.optimizer)
    message = f"{found.steps} steps of {said}: loss {found.first:.3g} -> {found.last:.3g}"
    slow = slowness(subject, found, guess)
    if slow is not None:
        return _too_slow(slow, found.steps, said, numbers=subject.objective.is_of_numbers)
    numbers = {"first": found.first, "last": found.last, "steps": found.steps}
    limit = RAISED * max(found.first, guess)
    ok = found.last <= limit  # which NaN is not
    help = "the learning rate is too high: lower it"
    for share, factor in LOWER_RATES.items() if not ok or found.last > HIGH * guess else ():
        numbers[share] = lower = first_steps(
            job, subject.stepper, subject.state, factor=factor
        ).last
        if lower < BETTER * found.last or (not ok and lower <= limit):
            message += f", and {lower:.3g} with {share} of the learning rate"
            return Check("recipe", False, message, help, numbers)
    if not ok and isfinite(found.last):
        help = "a lower learning rate does no better: first fix what other checks find"
    return Check("recipe", ok, message, help, numbers)


def _too_slow(slow: Slowness, steps: int, said: str, *, numbers: bool) -> Check:
    advice = "raise it, or scale the targets" if numbers else "raise it"
    return Check(
        "recipe",
        False,
        f"{steps} steps of {said} lower the loss of {slow.before:.3g} by only"
        f" {max(slow.fall, 0):.2g}; with {slow.factor:,} times the learning rate, they lower it to"
        f" {slow.faster:.3g}",
        f"the learning rate is too low: in all its {slow.steps:,} steps, the run would lower the"
        f" loss by about {slow.expected:.2g}; {advice}",
        {
            "first": slow.before,
            "fall": slow.fall,
            "factor": slow.factor,
            "faster": slow.faster,
            "expected": slow.expected,
        },
    )


SANITY_CHECKS: Mapping[str, Callable[[Subject], Check]] = {
    "labels": _labels,
    "inputs": _inputs,
    "initial loss": _initial_loss,
    "first loss": _first_loss,
    "regularization": _regularization,
    "activations": _activations,
    "gradients": _gradients,
    "small subset": _small_subset,
    "recipe": _recipe,
}
