"""What a monitor records of layers and gradients, its files, its picture, and its warnings."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of

import netc
from netc.runtime.monitoring.heat_maps import draw_records
from netc.runtime.monitoring.monitor import Monitor, dead_units
from netc.runtime.monitoring.records import Change, Records, Signal
from netc.runtime.monitoring.symptoms import symptoms
from netc.runtime.plots.canvas import PictureFile
from netc.runtime.training.job import Job
from netc.runtime.training.run import open_loop, resumed

PROGRAM = """INPUT(8x8x1) -> CONV(3x3, 4) -> RELU -> POOL -> FC(16) -> TANH -> FC(10)
train {{ data = digits, epochs = {epochs}, batch = 128, optimizer = sgd(lr={lr}, momentum=0.9) }}"""


def monitored(job: Job, **options: Any) -> Monitor:
    """A job that was run under a monitor."""
    loop = open_loop(job)
    monitor = Monitor(loop, job.step, next(job.training.still(64)), **options)
    loop.callbacks = [monitor]
    loop.run()
    return monitor


def signal(**values: Any) -> Signal:
    """An activation that nothing is wrong with, but for what is given."""
    usual: dict[str, Any] = {"epoch": 3, "name": "relu1", "mean": 0.1, "deviation": 1.0}
    return Signal(**{**usual, "zeros": 0.5, "norm": 5.0, **values})


def change(**values: Any) -> Change:
    """A parameter that nothing is wrong with, but for what is given."""
    usual: dict[str, Any] = {"epoch": 3, "name": "fc1.weight", "mean": 0.0, "deviation": 0.1}
    rest = {"zeros": 0.0, "norm": 1.0, "weight": 1.0, "update": 0.001}
    return Change(**{**usual, **rest, **values})


def test_records_are_what_they_say() -> None:
    """Activations, gradients and updates equal those computed by hand from the final weights."""
    job = job_of(
        "INPUT(8x8x1) -> FC(10)\ntrain { data = digits, optimizer = sgd(lr=0.1), epochs = 2 }"
    )
    loop = open_loop(job)
    feeds = next(job.training.still(64))
    monitor = Monitor(loop, job.step, feeds)
    loop.callbacks = [monitor]
    loop.run()
    state = loop.stepper.state
    x = feeds["input"].reshape(64, -1).astype(np.float64)
    y = x @ state["fc1.weight"].astype(np.float64).T + state["fc1.bias"]
    shares = np.exp(y - y.max(1, keepdims=True))
    dy = (shares / shares.sum(1, keepdims=True) - np.eye(10)[feeds["target"]]) / 64
    seen = monitor.records.signals[-1]
    assert (seen.name, seen.epoch) == ("fc1", 2)
    assert seen.mean == pytest.approx(y.mean(), rel=1e-4, abs=1e-6)
    assert seen.deviation == pytest.approx(y.std(), rel=1e-5)
    assert seen.norm == pytest.approx(np.sqrt((y**2).sum() / 64), rel=1e-5)
    weight = next(c for c in monitor.records.changes if (c.name, c.epoch) == ("fc1.weight", 2))
    gradient = dy.T @ x
    assert weight.norm == pytest.approx(np.linalg.norm(gradient), rel=1e-4)
    assert weight.deviation == pytest.approx(gradient.std(), rel=1e-4)
    assert weight.zeros == pytest.approx(float((gradient == 0).mean()), abs=1e-9)
    size = np.linalg.norm(state["fc1.weight"])
    assert weight.weight == pytest.approx(size, rel=1e-5)
    assert weight.update == pytest.approx(0.1 * np.linalg.norm(gradient) / size, rel=1e-3)


def test_training_goes_on_as_if_nobody_looked() -> None:
    """A monitored run ends with the same bits as one that is not."""
    program = PROGRAM.format(epochs=2, lr=0.05)
    plain = open_loop(job_of(program))
    plain.run()
    state = monitored(job_of(program)).loop.stepper.state
    assert all(np.array_equal(state[name], plain.stepper.state[name]) for name in state)


def test_files(tmp_path: Path) -> None:
    """CSV and JSON hold every layer and parameter of every epoch, and JSON is read back."""
    monitor = monitored(job_of(PROGRAM.format(epochs=2, lr=0.05)), folder=str(tmp_path))
    with open(tmp_path / "monitor.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    layers = ["conv1", "relu1", "pool1", "fc1", "tanh1", "fc2"]
    assert [r["name"] for r in rows if r["kind"] == "activation"] == 2 * layers
    weights = [r["name"] for r in rows if r["kind"] == "gradient"]
    assert weights == 2 * [f"{n}.{k}" for n in ("conv1", "fc1", "fc2") for k in ("weight", "bias")]
    assert all(r["dead"] != "" for r in rows if r["name"] == "relu1")
    assert all(r["saturated"] != "" for r in rows if r["name"] == "tanh1")
    assert Records.read(str(tmp_path)) == monitor.records
    assert sorted(path.name for path in tmp_path.iterdir()) == ["monitor.csv", "monitor.json"]


def test_numbers_that_are_not_finite_survive_the_file(tmp_path: Path) -> None:
    """JSON has no infinity: it is written as a text, and read back as a number."""
    records = Records([signal(deviation=float("inf"))], [change(update=float("inf"))])
    records.symptoms = symptoms(records.signals, records.changes)
    records.save(str(tmp_path))
    json.loads((tmp_path / "monitor.json").read_text(), parse_constant=pytest.fail)
    assert Records.read(str(tmp_path)) == records


@pytest.mark.parametrize("text", ["", "[]", '{"format": "other"}', "{" * 100_000])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    """A file that is no record is named, with what to do."""
    (tmp_path / "monitor.json").write_text(text)
    with pytest.raises(netc.NetError, match="E561"):
        Records.read(str(tmp_path))


def test_a_resumed_run_records_on(tmp_path: Path) -> None:
    """What was recorded before stays, and an epoch that is done again is recorded once."""
    folder = str(tmp_path)
    first = job_of(PROGRAM.format(epochs=2, lr=0.05), folder=folder)
    monitored(first, folder=folder)
    job = job_of(PROGRAM.format(epochs=3, lr=0.05), folder=folder)
    loop = open_loop(resumed(job))
    monitor = Monitor(loop, job.step, next(job.training.still(64)), folder=folder)
    loop.callbacks = [monitor]
    loop.run()
    assert monitor.records.epochs == [1, 2, 3]
    unbroken = monitored(job_of(PROGRAM.format(epochs=3, lr=0.05)))
    assert monitor.records.signals == unbroken.records.signals
    assert monitor.records.changes == unbroken.records.changes


def test_dead_units() -> None:
    """A unit is dead where it is 0 for all samples and positions, in every layout."""
    x = np.ones((4, 3), np.float32)
    x[:, 1] = 0
    x[0, 2] = 0
    assert dead_units(x) == pytest.approx(1 / 3)
    images = np.ones((4, 5, 2, 2), np.float32)
    images[:, :2] = 0
    assert dead_units(images) == pytest.approx(2 / 5)
    sequences = np.ones((4, 7, 5), np.float32)
    sequences[..., 0] = 0
    assert dead_units(sequences) == pytest.approx(1 / 5)


def test_nothing_is_said_of_what_is_usual() -> None:
    """A sound epoch has no symptoms."""
    assert symptoms([signal(dead=0.1, saturated=0.2)], [change()]) == []


SYMPTOMS: list[tuple[str, list[Signal], list[Change], str]] = [
    ("dead", [signal(dead=0.5)], [], "50% of the units of `relu1` are 0 for all samples"),
    (
        "saturated",
        [signal(name="tanh1", saturated=0.9)],
        [],
        "90% of the activations of `tanh1` are saturated",
    ),
    (
        "exploding",
        [signal(deviation=1e6)],
        [],
        "the activations of `relu1` explode: they deviate by 1e+06",
    ),
    (
        "exploding",
        [],
        [change(norm=float("nan"))],
        "the gradient of `fc1.weight` explodes: it is nan times its weight",
    ),
    (
        "vanishing",
        [],
        [change(norm=1e-6), change(name="fc9.weight")],
        "the gradient of `fc1.weight` vanishes: for its size it is 1e-06 of that of the largest",
    ),
    ("fast", [], [change(update=0.5)], "a step changes `fc1.weight` by 50% of itself"),
]


@pytest.mark.parametrize(("kind", "signals", "changes", "message"), SYMPTOMS)
def test_symptoms(kind: str, signals: list[Signal], changes: list[Change], message: str) -> None:
    """Each symptom is found, says its number, and advises."""
    (found,) = symptoms(signals, changes)
    assert (found.kind, found.message) == (kind, message)
    assert found.advice
    assert str(found) == f"epoch 3: {message}; {found.advice}"


def test_a_rate_that_kills_units_is_noticed() -> None:
    """Much too large steps are told of, each layer once per kind."""
    said: list[str] = []
    monitor = monitored(job_of(PROGRAM.format(epochs=3, lr=3.0)), say=said.append)
    kinds = {found.kind for found in monitor.records.symptoms}
    assert kinds & {"dead", "saturated"}
    named = [(found.kind, found.name) for found in monitor.records.symptoms]
    assert len(said) == len(set(named))


def test_vanishing_gradients_of_deep_sigmoids_are_noticed() -> None:
    """In ten layers of sigmoids next to nothing reaches the first ones."""
    program = (
        "INPUT(8x8x1) -> [FC(16) -> SIGMOID]*10 -> FC(10)\ntrain { data = digits, epochs = 1 }"
    )
    found = monitored(job_of(program)).records.symptoms
    assert "fc1.weight" in [s.name for s in found if s.kind == "vanishing"]
    assert "fc11.weight" not in [s.name for s in found if s.kind == "vanishing"]


def test_the_picture_is_the_same_every_time(tmp_path: Path) -> None:
    """The same records give the same bytes, with each layer's name."""
    pytest.importorskip("matplotlib")
    records = monitored(job_of(PROGRAM.format(epochs=2, lr=0.05))).records
    for name in ("a.svg", "b.svg", "c.png"):
        draw_records(records, PictureFile(str(tmp_path / name), "digits"))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_no_picture_of_nothing(tmp_path: Path) -> None:
    """Without an epoch there is no picture, and a reason."""
    with pytest.raises(netc.NetError, match="E561"):
        draw_records(Records(), PictureFile(str(tmp_path / "a.svg")))
    assert not (tmp_path / "a.svg").exists()
