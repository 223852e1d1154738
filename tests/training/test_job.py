"""Jobs from beginning to end: outputs, losses and masks, parts of the data, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal
from support.training import EVERYTHING, compiled, job, run, some_digits, told

import netc
from netc.runtime.data import arrays
from netc.runtime.kerneldef import Array
from netc.runtime.training.run import finish, train
from netc.runtime.weights.initialize import initialize
from netc.training import job_of

DIGITS = """\
INPUT(8x8) -> FC(32) -> RELU -> FC(10)

train {
  data      = digits
  optimizer = sgd(lr=0.1, momentum=0.9)
  batch     = 32
  epochs    = 4
}
"""

TWO_OUTPUTS = """\
x = INPUT(64x64) -> CONV(5x5, 4, stride=4) -> RELU -> POOL(4x4)
output label = x -> FC(3)
output box   = x -> FC(4) -> SIGMOID

train {
  data      = shapes(40, target=[label, box])
  loss      = {label: cross_entropy, box: huber}
  weights   = {label: 1, box: 0.5}
  optimizer = sgd(lr=0.05)
  batch     = all
  epochs    = 3
}
"""


def refused(make: Any, *arguments: Any, **options: Any) -> str:
    """The error that something is refused with, as it is shown."""
    return refusal(make, *arguments, **options)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_digits(engine: str) -> None:
    """Both engines learn the digits, to all but the same numbers."""
    found = train(job_of(compiled(DIGITS), engine=engine))
    assert found.test["accuracy"] > 0.93
    assert [row.epoch for row in found.history.rows] == [1, 2, 3, 4]
    assert found.history.rows[-1].step == 4 * 45
    reference = train(job_of(compiled(DIGITS)))
    for row, other in zip(found.history.rows, reference.history.rows, strict=True):
        assert row.loss == pytest.approx(other.loss, rel=1e-4)
        assert row.val_loss == pytest.approx(other.val_loss, rel=1e-4)


def test_the_same_run_twice() -> None:
    """Nothing of a run depends on anything but its recipe and data."""
    first, second = (run(job()) for _ in range(2))
    assert told(first) == told(second)
    assert all(np.array_equal(a, second.stepper.state[n]) for n, a in first.stepper.state.items())
    other = run(job(changes={"seed": "1"}))
    assert told(first) != told(other)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_two_outputs(engine: str) -> None:
    """Losses are added by their weights, and metrics are told apart by the output's name."""
    of = job_of(compiled(TWO_OUTPUTS), engine=engine)
    found = train(of)
    assert found.history.metrics == ("label.accuracy", "box.mae", "label.loss", "box.loss")
    assert found.history.rows[-1].loss < found.history.rows[0].loss
    assert set(found.test) == {"loss", *found.history.metrics}
    batch = of.data.take(of.split.train)
    net = netc.Network(compiled(TWO_OUTPUTS))
    y = net.run(batch.inputs["input"], net.initialize(0))
    assert isinstance(y, dict)
    picked = y["label"][np.arange(len(batch)), batch.targets["label"]]
    entropy = np.mean(np.log(np.exp(y["label"]).sum(axis=1)) - picked)
    huber = np.mean((y["box"] - batch.targets["box"]) ** 2 / 2)  # no error is above 1
    first = found.history.rows[0]
    assert first.loss == pytest.approx(entropy + 0.5 * huber, rel=1e-5)
    each = [first.metrics[name] for name in ("label.loss", "box.loss")]
    assert each == pytest.approx([entropy, huber], rel=1e-5)


def test_masked_targets() -> None:
    """Targets that are not known, NaN, are left out of loss, gradients and metrics."""
    shapes = job_of(compiled(TWO_OUTPUTS)).data.take(np.arange(40))
    boxes = shapes.targets["box"].copy()
    boxes[::2] = np.nan
    data = arrays(shapes.inputs, {**shapes.targets, "box": boxes}, kinds={"box": "box"})
    of = job(TWO_OUTPUTS, data=data, changes={"split": "(0.5, 0.5)"})
    found = finish(of, run(of))
    assert all(np.isfinite(row.loss) for row in found.history.rows)
    assert all(np.isfinite(array).all() for array in found.state.values())
    known = np.flatnonzero(~np.isnan(boxes[of.split.validation]).any(axis=1))
    x = shapes.inputs["input"][of.split.validation][known]
    answer = netc.Network(compiled(TWO_OUTPUTS)).run(x, found.last)
    assert isinstance(answer, dict)
    expected = np.abs(answer["box"] - boxes[of.split.validation][known]).mean()
    assert found.history.rows[-1].metrics["val_box.mae"] == pytest.approx(expected, rel=1e-5)


def test_without_validation() -> None:
    """Where no part is left for validation, the last weights are the run's."""
    of = job(changes={"split": "(1, 0)"})
    loop = run(of)
    found = finish(of, loop)
    assert found.history.metrics == ("accuracy",)
    assert "val_accuracy" not in found.history.columns
    assert found.history.rows[-1].val_loss is None
    assert found.test == {}
    assert all(np.array_equal(found.state[name], found.last[name]) for name in found.state)
    assert found.best_epoch == 2


def test_the_best_epoch() -> None:
    """The weights of a run are those of its best epoch, by the number that is asked for."""
    x, t = some_digits(120)
    of = job(
        DIGITS,
        data=(x, t),
        monitor="val_accuracy",
        patience=2,
        changes={"lr": "3.0", "epochs": "8", "seed": "1"},
    )
    found = finish(of, run(of))
    accuracies = [row.metrics["val_accuracy"] for row in found.history.rows]
    assert found.best_epoch == 1 + accuracies.index(max(a for a in accuracies if a is not None))
    assert found.stopped
    assert found.best_epoch == len(accuracies) - 2
    measured = of.evaluator.measure(found.state, of.part("validation").still(64))
    assert measured["accuracy"] == max(a for a in accuracies if a is not None)
    assert any(not np.array_equal(found.state[name], found.last[name]) for name in found.state)


def test_metrics_that_no_epoch_has() -> None:
    """What epochs are compared by is checked before the first one."""
    assert refused(run, job(monitor="val_acuracy")) == (
        "error[E551]: no epoch will have a `val_acuracy` to compare\n"
        "  = help: did you mean `val_accuracy`?"
    )
    text = refused(run, job(monitor="val_loss", changes={"split": "(1, 0)"}))
    assert text.endswith("= help: did you mean `loss`?")


def test_weights_to_start_from() -> None:
    """A run starts from given weights; those that do not fit are all named."""
    of = job(DIGITS, data=some_digits(), changes={"optimizer": "sgd(lr=1e-12)", "epochs": "1"})
    state = {n: np.full_like(a, 0.5) for n, a in initialize(of.graph, 0).items()}
    found = run(job(DIGITS, data=some_digits(), weights=state, changes=of.changes))
    assert np.allclose(found.stepper.state["fc1.bias"], 0.5)
    del state["fc1.bias"]
    assert refused(run, job(DIGITS, data=some_digits(), weights=state)) == (
        "error[E501]: 1 weight is missing\n  = note: `fc1.bias` of float32[32]"
    )


UNUSED = {
    "a layer": "x -> FC(3) as a\n",
    "a learned tensor": "PARAM(3) as a\n",
    "a frozen layer": "x -> FC(3, frozen=yes) as a\n",
    "an output without a loss": "output other = x -> FC(3) as a\n",
}


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("split", ["(0.8, 0.1, 0.1)", "(1, 0)"])
@pytest.mark.parametrize("unused", UNUSED)
def test_weights_that_the_loss_does_not_depend_on(
    unused: str, split: str, engine: str, tmp_path: Path
) -> None:
    """They stay as they are, also when a run is resumed; others train as without them."""
    used = "INPUT(8x8) as x\noutput out = x -> FC(10) as b\n"
    settings = f"train {{ loss = {{out: cross_entropy}}, epochs = 1, split = {split} }}\n"
    program, of_data = used + UNUSED[unused] + settings, {"data": some_digits(), "engine": engine}
    first = job(program, folder=tmp_path, **of_data)
    train(first)
    again = job(program, folder=tmp_path, changes={"epochs": "2"}, resume=True, **of_data)
    found = train(again)
    alone = train(job(used + settings, changes={"epochs": "2"}, **of_data)).state
    for name, array in initialize(first.graph, 0).items():
        assert np.array_equal(found.state[name], alone.get(name, array))


NO_DATA = """\
error[E544]: `program.net` does not say what to train on
  = help: add a block such as `train { data = digits }`, or `--set data=digits`"""
LABELS = """\
error[E523]: the data: the label 12 of sample 7 is outside the 10 classes
  = note: classes and samples count from 0: labels go from 0 to 9
  = help: renumber the labels, or give the network 13 outputs, one for each class"""
WORDS = """\
error[E133]: the output `output` is one number, and the target `target` of the data names 3 classes
  = note: as values, `ash`, `elm`, `oak` would be 0, 1, 2, in the order of their names
  = help: end the network in `FC(3)` and choose `loss = cross_entropy`; if they are numbers, write \
them with digits and a point alone"""
MISMATCH = """\
error[E522]: the parts of the data hold different numbers of samples: `input` 60, `target` 59
  = help: each sample needs an input and a target"""
NOT_FINITE = """\
error[E524]: the data: the input `input` of sample 3 holds nan
  = note: samples count from 0
  = help: leave such samples out, or replace what is missing before training"""


def test_data_that_cannot_be_used() -> None:
    """Missing data, labels out of range, unequal counts and NaN are refused before any step."""
    assert refused(job_of, compiled("INPUT(8x8) -> FC(10)")) == NO_DATA
    x, t = some_digits()
    assert refused(job, data=(x, t[:-1])) == MISMATCH
    wrong = t.copy()
    wrong[7] = 12
    assert refused(lambda: run(job(data=(x, wrong)))) == LABELS
    broken = x.copy()
    broken[3, 0, 0, 0] = np.nan
    assert refused(job, data=(broken, t)) == NOT_FINITE


def test_labels_of_one_hot_targets() -> None:
    """Labels that become one-hot, or probabilities, are within range, too."""
    x, t = some_digits()
    program = "INPUT(8x8) -> FC(5)\ntrain { loss = mse }"
    assert "is outside the 5 classes" in refused(lambda: run(job(program, data=(x, t))))
    program = "INPUT(8x8) -> FC(1)\ntrain { loss = binary_cross_entropy }"
    assert "is outside the 2 classes" in refused(lambda: run(job(program, data=(x, t))))
    assert run(job(program, data=(x, t % 2))).progress.done


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "log_cosh", "hinge"])
def test_words_are_not_values(loss: str) -> None:
    """Three classes with names are refused as values of one number; two, or numbers, are not."""
    x = np.eye(6, dtype=np.float32)
    words, two = np.array(["ash", "elm", "oak"] * 2), np.array(["no", "yes"] * 3)
    program = f"INPUT(6) -> FC({{}})\ntrain {{{{ loss = {loss}, epochs = 1, split = (1, 0, 0) }}}}"
    assert refused(lambda: run(job(program.format(1), data=(x, words)))) == WORDS
    assert run(job(program.format(3), data=(x, words))).progress.done
    assert run(job(program.format(1), data=(x, two))).progress.done
    assert run(job(program.format(1), data=(x, np.arange(6)))).progress.done


@pytest.mark.parametrize(
    ("program", "t", "message"),
    [
        (
            "INPUT(8x8) -> FC(10)",
            np.zeros((60, 3, 3), np.int64),
            "error[E133]: the data: the target `target` has integers on 3 axes, which"
            " `cross_entropy` does not take\n  = note: it takes int64[N] or float32[N, 10]\n"
            "  = help: give class indices as integers, one for each position, or"
            " numbers in the output's shape",
        ),
        (
            "INPUT(8x8) -> FC(10)\ntrain { loss = mse }",
            np.zeros((60, 3), np.float32),
            "error[E529]: the data: the target `target` is float32 (N, 3), and the network takes"
            " float32 (N, 10)\n"
            "  = help: give the network as many numbers as a target has: `FC(3)`",
        ),
        (
            "INPUT(9x9) -> FC(10)",
            np.zeros(60, np.int64),
            "error[E529]: the data: the input `input` is float32 (N, 1, 8, 8), and the network"
            " takes float32 (N, 1, 9, 9)\n"
            "  = help: for a folder of images, `images(..., 9x9)` resizes all of them",
        ),
    ],
)
def test_data_of_another_shape(program: str, t: Array, message: str) -> None:
    """Inputs and targets that the network does not take are named with both shapes."""
    assert refused(lambda: run(job(program, data=(some_digits()[0], t)))) == message


def test_names_that_do_not_match() -> None:
    """Several inputs or targets are matched by name, and those that are missing are named."""
    x, t = some_digits()
    program = "x = INPUT(8x8) as a\ny = INPUT(8x8) as b\noutput c = ( x | y ) -> ADD -> FC(10)"
    found = run(job(program, data=({"a": x, "b": x}, t)))
    assert found.progress.done
    assert refused(lambda: run(job(program, data=({"a": x, "c": x}, t)))) == (
        "error[E543]: the data has no input for the input `b`\n  = note: its inputs are `a`, `c`\n"
        "  = help: name them as the network does: a, b"
    )
    nothing = refused(lambda: run(job("INPUT(8x8) -> FC(10)", data=(x, None))))
    assert nothing.startswith("error[E543]: the data has no target for the output `output`\n")
    assert "  = note: it has no targets at all\n" in nothing
    assert nothing.endswith("of a table, the column that the run calls its target")


def test_what_fits_without_a_word() -> None:
    """Pictures that are flattened, labels with an axis more, and labels as one-hot targets."""
    x, t = some_digits()
    net = "INPUT(64) -> FC(10)\ntrain {{ loss = {} }}"
    plain = run(job(net.format("cross_entropy"), data=(x.reshape(60, 64), t)))
    for data in (x, t), (x, t[:, None]):
        assert told(run(job(net.format("cross_entropy"), data=data))) == told(plain)
    squares = finish(of := job(net.format("mse"), data=(x, t)), run(of))
    train = of.split.train
    answer = netc.Network(compiled(net.format("mse"))).run(x[train].reshape(-1, 64), squares.last)
    assert isinstance(answer, np.ndarray)
    expected = np.mean((answer - np.eye(10, dtype=np.float32)[t[train]]) ** 2)
    measured = of.evaluator.measure(squares.last, of.part("train").still(64))
    assert measured["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "onnx"}, "error[E502]: unknown engine `onnx`"),
        ({"device": "cuda"}, "error[E502]: the engine numpy cannot run on the device `cuda`"),
        ({"engine": "onnxruntime", "device": "tpu"}, "error[E502]: unknown device `tpu`"),
    ],
)
def test_engines_that_cannot_be_had(options: dict[str, str], words: str) -> None:
    """Engines and devices that are not there are errors, and nothing is trained elsewhere."""
    assert refused(lambda: run(job(**options))).startswith(words)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A run's folder that is a file is an error."""
    (tmp_path / "run").write_text("")
    text = refused(lambda: run(job(EVERYTHING, folder=tmp_path / "run")))
    assert text.startswith("error[E004]: cannot create the folder")
