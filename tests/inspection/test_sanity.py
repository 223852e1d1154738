"""What should be so before training: each check passes on a sound job, and fails on its mistake."""

import json
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of

from netc.runtime.kerneldef import Array
from netc.runtime.sanity.checks import AS_EXPECTED, SANITY_CHECKS, Check, sanity
from netc.runtime.sanity.expected_loss import expected_loss
from netc.runtime.sanity.overfitting import MEMORIZED
from netc.runtime.sanity.subject import Subject
from netc.runtime.training.job import Job
from netc.runtime.training.run import train

SOUND = "INPUT(8x8x1) -> CONV(3x3, 8) -> RELU -> POOL -> DROPOUT(0.5) -> FC(10)"
TRAIN = "train { data = digits }"


def checks(job: Job, **options: int) -> dict[str, Check]:
    """The checks of a job by name."""
    return {check.name: check for check in sanity(job, **options)}


def alone(name: str, job: Job) -> Check:
    """One check of a job, without the time that the others take."""
    job.check_batches()
    return SANITY_CHECKS[name](Subject(job, MEMORIZED, steps=1))


def failing(job: Job, **options: int) -> list[str]:
    """The names of the checks that a job fails."""
    return [name for name, check in checks(job, **options).items() if not check.ok]


def some(outputs: tuple[int, ...] = (), *, scale: float = 1.0) -> Array:
    """Normal numbers for 60 samples."""
    return (scale * np.random.default_rng(3).standard_normal((60, *outputs))).astype(np.float32)


def test_a_sound_job_passes() -> None:
    """A small convolutional network on digits passes every check."""
    found = checks(job_of(f"{SOUND}\n{TRAIN}"))
    assert [check.message for check in found.values() if not check.ok] == []
    assert list(found) == [
        *("labels", "inputs", "initial loss", "first loss", "regularization", "activations"),
        *("gradients", "small subset", "recipe"),
    ]
    assert found["initial loss"].numbers["expected"] == pytest.approx(log(10))
    assert found["small subset"].numbers["accuracy"] == 1.0
    json.dumps([check.to_dict() for check in found.values()], allow_nan=False)


DISTRIBUTIONS = np.where(np.arange(60)[:, None] % 7 == np.arange(7), 0.4, 0.1).astype(np.float32)
UNCERTAIN = log(7) + 0.4 * log(0.4) + 0.6 * log(0.1)  # ln 7 minus the targets' entropy
LOSSES: list[tuple[str, str, Any, float | None]] = [
    ("FC(7)", "cross_entropy", np.arange(60) % 7, log(7)),
    ("FC(7) -> SOFTMAX", "cross_entropy", np.arange(60) % 7, log(7)),
    ("FC(7)", "cross_entropy(label_smoothing=0.1)", np.arange(60) % 7, log(7)),
    ("FC(7)", "kl_divergence", DISTRIBUTIONS, UNCERTAIN),
    ("FC(7) -> SOFTMAX", "kl_divergence", DISTRIBUTIONS, UNCERTAIN),
    ("FC(7) -> LOGSOFTMAX", "kl_divergence", DISTRIBUTIONS, UNCERTAIN),
    ("FC(7) -> LOGSOFTMAX", "nll", np.arange(60) % 7, log(7)),
    ("FC(1)", "binary_cross_entropy", (np.arange(60) % 2).astype(np.float32), log(2)),
    ("FC(3) -> SIGMOID", "binary_cross_entropy", (some((3,)) > 0).astype(np.float32), log(2)),
    ("FC(7)", "hinge", np.arange(60) % 7, 6 / 7),
    ("FC(1)", "hinge(margin=2)", (np.arange(60) % 2).astype(np.float32), 2.0),
    ("FC(2)", "mse", some((2,)), None),
    ("FC(2) -> SIGMOID", "mse", some((2,)), None),
    ("FC(2)", "mae", some((2,)), None),
    ("FC(2)", "huber", some((2,)), None),
    ("FC(2)", "log_cosh", some((2,)), None),
]


@pytest.mark.parametrize(("end", "loss", "target", "value"), LOSSES)
def test_the_loss_of_small_weights(end: str, loss: str, target: Array, value: float | None) -> None:
    """The loss that a network starts with is known: ln K, ln 2, or that of a constant answer."""
    job = job_of(f"INPUT(5) -> {end}\ntrain {{ loss = {loss} }}", (some((5,)), target))
    subject = Subject(job, 20, 10)
    expected = expected_loss(job.graph, subject.objective, job.wiring, subject.feeds)
    if value is not None:
        assert expected == pytest.approx(value)
    found = subject.loss(subject.graph, subject.small, dtype="float64")
    assert found == pytest.approx(expected, rel=AS_EXPECTED / 2)


def test_regression_expects_the_loss_of_answering_0() -> None:
    """For `mse` that is the mean square of the targets, which is their variance at mean 0."""
    target = some((2,), scale=3.0)
    job = job_of("INPUT(5) -> FC(2)\ntrain { loss = mse }", (some((5,)), target))
    subject = Subject(job, 20, 10)
    expected = expected_loss(job.graph, subject.objective, job.wiring, subject.feeds)
    assert expected == pytest.approx(float(np.mean(subject.feeds["target"] ** 2)), rel=1e-6)


def test_several_losses_are_weighed() -> None:
    """The expected loss of several outputs is the weighed sum of theirs."""
    program = """
x = INPUT(5) -> FC(8) -> RELU
x -> FC(7) as kind
x -> FC(1) as round
output kind
output round
train {
  loss = {kind: cross_entropy, round: binary_cross_entropy}
  weights = {round: 0.5}
}
"""
    targets = {"kind": np.arange(60) % 7, "round": (np.arange(60) % 2).astype(np.float32)}
    job = job_of(program, (some((5,)), targets))
    subject = Subject(job, 20, 10)
    expected = expected_loss(job.graph, subject.objective, job.wiring, subject.feeds)
    assert expected == pytest.approx(log(7) + 0.5 * log(2))


def test_labels_of_one_class() -> None:
    """Labels that are all equal are found, for classes and for numbers."""
    same = (some((5,)), np.full(60, 2))
    found = checks(job_of("INPUT(5) -> FC(3)\ntrain { loss = cross_entropy }", same), steps=5)
    assert not found["labels"].ok
    assert found["labels"].message == "all 48 training samples are of class 2"
    constant = (some((5,)), np.full((60, 2), 0.5, np.float32))
    found = checks(job_of("INPUT(5) -> FC(2)\ntrain { loss = mse }", constant), steps=5)
    assert found["labels"].message == "all of `target` is equal"


@pytest.mark.parametrize("factor", [255.0, 1e-4])
def test_inputs_out_of_scale(factor: float) -> None:
    """Raw pixels, and numbers that are next to nothing, are found."""
    data = (some((5,), scale=factor), np.arange(60) % 3)
    assert "inputs" in failing(job_of("INPUT(5) -> FC(3)\ntrain { batch = 8 }", data), steps=5)


def test_inputs_far_from_0() -> None:
    """Inputs with a mean far beyond their deviation are found."""
    data = (some((5,)) + 100, np.arange(60) % 3)
    assert "inputs" in failing(job_of("INPUT(5) -> FC(3)\ntrain { batch = 8 }", data), steps=5)


def test_an_output_that_is_sure_at_first() -> None:
    """Weights that are far too large show in the first loss, and not in that of small weights."""
    found = checks(job_of(f"INPUT(8x8x1) -> FC(10, init=normal(20))\n{TRAIN}"), steps=5)
    assert found["initial loss"].ok
    assert not found["first loss"].ok


def test_an_output_that_does_not_go_with_its_loss() -> None:
    """A scale of 100 behind the last layer makes logits that no small weights bring to 0."""
    job = job_of(f"INPUT(8x8x1) -> FC(10) -> BN -> SCALE(init=constant(100))\n{TRAIN}")
    assert "initial loss" in failing(job, steps=5)


def test_nothing_to_regularize() -> None:
    """With all weights frozen no penalty raises the loss, and no gradient reaches any."""
    job = job_of(f"INPUT(8x8x1) -> FC(10, frozen=yes) -> BN\n{TRAIN}")
    assert "regularization" in failing(job, steps=5)


def test_a_given_regularization_raises_the_loss() -> None:
    """The recipe's own penalty is what is looked at, even where float32 would not show it."""
    found = checks(job_of(f"{SOUND}\ntrain {{ data = digits, regularize = l2(1e-9) }}"), steps=5)
    assert found["regularization"].ok
    assert "tried" not in found["regularization"].message
    numbers = found["regularization"].numbers
    assert numbers["with"] > numbers["without"]


def test_signals_that_vanish_and_explode() -> None:
    """Twelve layers of sigmoids tell no samples apart; weights of 30 blow signals up."""
    vanishing = checks(
        job_of(f"INPUT(8x8x1) -> [FC(16) -> SIGMOID]*12 -> FC(10)\n{TRAIN}"), steps=1
    )
    assert not vanishing["activations"].ok
    assert vanishing["activations"].message.startswith("it vanishes in `sigmoid")
    exploding = checks(
        job_of(f"INPUT(8x8x1) -> [FC(16, init=normal(30)) -> RELU]*4 -> FC(10)\n{TRAIN}"), steps=1
    )
    assert not exploding["activations"].ok
    assert exploding["activations"].message.startswith("it explodes in ")


def test_learned_tensors_hold_no_signal() -> None:
    """A `PARAM` is the same for all samples, which is no signal that vanishes."""
    job = job_of(f"INPUT(8x8) as x\n( x -> FC(10) | PARAM(10) ) -> ADD\n{TRAIN}")
    found = alone("activations", job)
    assert found.ok
    assert found.numbers.keys() == {"fc1", "add1"}


def test_weights_of_a_result_that_is_never_used() -> None:
    """What reaches no output has no gradient, and hinders no other check."""
    found = checks(job_of(f"INPUT(8x8) as x\nx -> FC(3) as a\nx -> FC(10) as b\n{TRAIN}"))
    assert [name for name, check in found.items() if not check.ok] == ["gradients"]
    assert found["gradients"].message == "none in `a.weight`, `a.bias`"


def test_weights_that_no_gradient_reaches() -> None:
    """Weights of 0 before a RELU keep each other at 0; the message names them."""
    found = checks(
        job_of(f"INPUT(8x8x1) -> FC(8, init=zeros) -> RELU -> FC(10)\n{TRAIN}"), steps=10
    )
    assert not found["gradients"].ok
    assert found["gradients"].message == "none in `fc1.weight`, `fc1.bias`, `fc2.weight`"


def test_weights_that_a_gradient_reaches_later() -> None:
    """Behind a last layer of 0 there is no gradient at first, and one after a step."""
    found = checks(
        job_of(f"INPUT(8x8x1) -> FC(8) -> TANH -> FC(10, init=zeros)\n{TRAIN}"), steps=10
    )
    assert found["gradients"].numbers["fc1.weight"] == 0
    assert found["gradients"].ok


def test_a_network_that_cannot_learn() -> None:
    """A single neuron cannot learn exclusive or."""
    program = "INPUT(2) -> FC(1) -> SIGMOID\ntrain {\n  data = xor\n  split = (1, 0, 0)\n"
    job = job_of(program + "  loss = binary_cross_entropy\n}")
    found = checks(job)
    assert [name for name, check in found.items() if not check.ok] == ["small subset"]
    assert found["small subset"].numbers["loss"] == pytest.approx(log(2), rel=1e-6)


@pytest.mark.parametrize(
    ("end", "loss", "target"),
    [
        ("FC(4)", "binary_cross_entropy", np.float32(0.3) + np.float32(0.4) * (some((4,)) > 0)),
        ("FC(7)", "cross_entropy", DISTRIBUTIONS),
        ("FC(7)", "cross_entropy(label_smoothing=0.5)", np.arange(60) % 7),
    ],
)
def test_targets_between_0_and_1_are_learned(end: str, loss: str, target: Array) -> None:
    """Probabilities cost their entropy at the least, from which the check counts."""
    program = f"INPUT(5) -> FC(64) -> TANH -> {end}\ntrain {{ loss = {loss} }}"
    found = checks(job_of(program, (some((5,)), target)))["small subset"]
    assert found.ok
    assert "for such targets" in found.message


def test_the_own_optimizer_and_penalties_play_no_part() -> None:
    """A learning rate that would destroy everything does not disturb the check."""
    train = "train { data = digits, optimizer = sgd(lr=1e6), regularize = l2(100) }"
    assert checks(job_of(f"INPUT(8x8x1) -> FC(16) -> TANH -> FC(10)\n{train}"))["small subset"].ok


def test_the_same_every_time() -> None:
    """Two looks at the same job say the same."""
    program = f"INPUT(8x8x1) -> FC(8) -> RELU -> FC(10)\n{TRAIN}"
    first, second = (sanity(job_of(program), steps=20) for _ in range(2))
    assert first == second


def test_a_start_in_a_bad_minimum_is_no_false_alarm() -> None:
    """Two hidden neurons can learn exclusive or, though not from every start."""
    program = "INPUT(2) -> FC(2) -> TANH -> FC(1) -> SIGMOID\ntrain {\n  data = xor\n"
    job = job_of(program + "  split = (1, 0, 0)\n  loss = binary_cross_entropy\n}")
    assert failing(job) == []


def test_a_line_through_many_points_is_no_false_alarm() -> None:
    """Two parameters memorize two samples of integers that are not classes."""
    x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
    t = np.round(40 + 15 * x + some((1,), scale=9.0)).astype(np.int64)
    job = job_of("INPUT(1) -> FC(1)\ntrain { loss = mse }", (x, t))
    found = checks(job)
    assert [check.message for check in found.values() if not check.ok] == []
    assert found["small subset"].message.startswith("2 samples are learned")
    assert found["labels"].message.startswith("targets deviate by `target` ")


NETWORKS = {
    "mlp": "INPUT(8x8) -> FC(32) -> RELU -> FC(10)",
    "tanh": "INPUT(8x8) -> FC(32) -> TANH -> FC(10)",
    "cnn": "INPUT(8x8x1) -> CONV(3x3, 8) -> RELU -> POOL -> FC(10)",
    "bn": "INPUT(8x8x1) -> CONV(3x3, 8) -> BN -> RELU -> POOL -> FC(10)",
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("optimizer", ["sgd(lr=5)", "adam(lr=0.3)", "adam(lr=2)", "sgd(lr=1000)"])
def test_learning_rates_that_are_too_high(network: str, optimizer: str) -> None:
    """The recipe's own steps are tried, whatever the network can learn otherwise."""
    job = job_of(f"{NETWORKS[network]}\ntrain {{ data = digits, optimizer = {optimizer} }}")
    found = alone("recipe", job)
    assert not found.ok, found.message
    assert "the learning rate is too high" in found.advice


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "optimizer", ["sgd(lr=0.001)", "sgd(lr=0.1, momentum=0.9)", "adam(lr=0.0001)", "adam(lr=0.03)"]
)
def test_learning_rates_that_are_not(network: str, optimizer: str) -> None:
    """Steps that are small, or bring the loss down, are nothing to complain of."""
    job = job_of(f"{NETWORKS[network]}\ntrain {{ data = digits, optimizer = {optimizer} }}")
    found = alone("recipe", job)
    assert found.ok, found.message


SLOW = ["sgd(lr=0.000001)", "adam(lr=0.0000001)", "rmsprop(lr=0.0000001)"]
STARTS = {
    **NETWORKS,
    "dropout": "INPUT(8x8) -> FC(64) -> RELU -> DROPOUT(0.5) -> FC(10)",
    "zeros": "INPUT(8x8) -> FC(32) -> TANH -> FC(10, init=zeros)",
    "frozen": "INPUT(8x8) -> FC(32, frozen=yes) -> RELU -> FC(10)",
}


@pytest.mark.parametrize("network", STARTS)
@pytest.mark.parametrize("optimizer", SLOW)
def test_learning_rates_that_are_too_low(network: str, optimizer: str) -> None:
    """A run in which the loss would hardly move is told from one at a higher rate."""
    job = job_of(f"{STARTS[network]}\ntrain {{ data = digits, optimizer = {optimizer} }}")
    found = alone("recipe", job)
    assert not found.ok, found.message
    assert "the learning rate is too low: in all its 450 steps, the run" in found.advice
    assert found.numbers["expected"] < 0.015 * found.numbers["first"]
    assert found.numbers["faster"] < 0.8 * found.numbers["first"]


@pytest.mark.parametrize("network", ["dropout", "zeros", "frozen"])
@pytest.mark.parametrize(
    "train",
    [
        "optimizer = sgd(lr=0.1, momentum=0.9), schedule = cosine(warmup=60)",
        "optimizer = adam(lr=0.001), schedule = cosine(warmup=400)",
        "optimizer = sgd(lr=0.01)",
        "optimizer = sgd(lr=0.01), epochs = 1",
        "optimizer = adam(lr=0.0001)",
    ],
)
def test_slow_starts_are_no_low_rates(network: str, train: str) -> None:
    """Warm-up, weights of 0, frozen layers and short runs make the first steps small."""
    found = alone("recipe", job_of(f"{STARTS[network]}\ntrain {{ data = digits, {train} }}"))
    assert found.ok, found.message


def test_a_trained_network_needs_no_higher_rate() -> None:
    """A loss that is low already need not fall: small steps may be what is wanted."""
    program = f"{NETWORKS['mlp']}\ntrain {{{{ data = digits, optimizer = {{}}, epochs = 8 }}}}"
    trained = train(job_of(program.format("adam(lr=0.01)"))).state
    job = replace(job_of(program.format("adam(lr=0.0000001)")), weights=trained)
    assert alone("recipe", job).ok


def test_no_rate_is_blamed_where_none_helps() -> None:
    """Twelve layers of sigmoids learn nothing, whatever the learning rate."""
    program = "INPUT(8x8x1) -> [FC(8) -> SIGMOID]*12 -> FC(10)"
    job = job_of(f"{program}\ntrain {{ data = digits, optimizer = sgd(lr=0.000001) }}")
    assert alone("recipe", job).ok


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "log_cosh"])
def test_class_indices_are_no_numbers(loss: str) -> None:
    """A loss of numbers that meets the classes of the digits is a mistake."""
    program = f"INPUT(8x8) -> FC(32) -> RELU -> FC(1)\ntrain {{ data = digits, loss = {loss} }}"
    found = alone("labels", job_of(program))
    assert not found.ok
    assert (
        found.message == f"`target` holds indices of 10 classes, which `{loss}` takes for numbers"
    )
    assert "`cross_entropy`" in found.advice


def test_class_indices_from_one_are_no_numbers() -> None:
    """Classes that a table numbers from 1 are a mistake, too; years are not."""
    classes = np.arange(60) % 3 + 1
    program = "INPUT(3) -> FC(1)\ntrain { loss = mse }"
    found = checks(job_of(program, (some((3,)), classes)), steps=1)["labels"]
    assert found.message == "`target` holds indices of 3 classes, which `mse` takes for numbers"
    assert found.advice.endswith("take `cross_entropy`, with labels that count from 0")
    assert checks(job_of(program, (some((3,)), classes + 2000)), steps=1)["labels"].ok


def test_numbers_and_one_hot_classes_are_what_losses_take() -> None:
    """One-hot classes, two classes, and numbers of which few are equal suit `mse`."""
    one_hot = job_of("INPUT(8x8) -> FC(10)\ntrain { data = digits, loss = mse }")
    xor = job_of("INPUT(2) -> FC(4) -> TANH -> FC(1)\ntrain { data = xor, loss = mse }")
    line = job_of("INPUT(3) -> FC(1)\ntrain { loss = mse }", (some((3,)), some()))
    counted = job_of("INPUT(3) -> FC(1)\ntrain { loss = mse }", (some((3,)), np.arange(60) * 7))
    assert all(alone("labels", job).ok for job in (one_hot, xor, line, counted))


@pytest.mark.parametrize(
    ("last", "train", "advice"),
    [
        ("FC(10, init=zeros)", TRAIN, "all weights are 0"),
        ("FC(10, frozen=yes)", TRAIN, "all are frozen"),
    ],
)
def test_why_no_penalty_raises_the_loss(last: str, train: str, advice: str) -> None:
    """Weights that are 0 are no frozen ones."""
    found = alone("regularization", job_of(f"INPUT(8x8) -> {last}\n{train}"))
    assert not found.ok
    assert advice in found.advice


def test_a_loss_that_no_learning_rate_brings_down() -> None:
    """Where nothing depends on the weights, the learning rate is not to blame."""
    x = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)
    t = np.random.default_rng(4).permutation(
        np.repeat(np.array([0.0, 10.0], np.float32), [135, 15])
    )
    job = job_of("INPUT(4) -> FC(1) -> LN\ntrain { loss = mse, batch = 8 }", (x, t))
    found = alone("recipe", job)
    assert not found.ok
    assert "a lower learning rate does no better" in found.advice


def test_a_rate_that_is_too_low_for_large_targets() -> None:
    """Adam's default moves weights by thousandths, which targets of thousands do not notice."""
    x = some((3,))
    data = (x, (1000 * x[:, :1] + 5000).astype(np.float32))
    job = job_of("INPUT(3) -> FC(1)\ntrain { loss = mse, optimizer = adam, epochs = 50 }", data)
    found = alone("recipe", job)
    assert not found.ok
    assert found.advice.endswith("raise it, or scale the targets")
