"""Runs that are stopped at any step and go on: the same bits as runs that were never stopped."""

import os
import signal
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of
from support.refusals import refusal
from support.training import (
    EVERYTHING,
    STEPS,
    Killed,
    KilledAfter,
    bits,
    go_on,
    job,
    run,
    some_digits,
    told,
)

import netc
from netc.grammar.diagnostics import render
from netc.runtime.run_folder.checkpoint import load_checkpoint, save_checkpoint
from netc.runtime.run_folder.folder import CHECKPOINT
from netc.runtime.training.loop import Callback, Feeds, Loop, Progress
from netc.runtime.training.run import finish, open_loop, resumed
from netc.runtime.weights.initialize import initialize


@cache
def unbroken(engine: str = "numpy") -> Loop:
    """A run from beginning to end."""
    return run(job(engine=engine))


@pytest.mark.parametrize(
    ("engine", "step"),
    [*(("numpy", step) for step in range(1, STEPS + 1)), ("onnxruntime", 2), ("onnxruntime", 4)],
)
def test_killed_at_any_step(engine: str, step: int, tmp_path: Path) -> None:
    """Whatever step a run is killed at, all state, best weights and history come out the same."""
    expected = unbroken(engine)
    with pytest.raises(Killed):
        run(job(folder=tmp_path, engine=engine, every=0), KilledAfter(step))
    found = go_on(job(folder=tmp_path, engine=engine, resume=True))
    assert found.progress.step == STEPS
    assert bits(found) == bits(expected)
    assert told(found) == told(expected)


def test_killed_again_and_again(tmp_path: Path) -> None:
    """A run that is killed at every second step still ends with the same bits."""
    with pytest.raises(Killed):
        run(job(folder=tmp_path, every=0), KilledAfter(2))
    for step in range(3, STEPS, 2):
        with pytest.raises(Killed):
            go_on(job(folder=tmp_path, every=0, resume=True), KilledAfter(step))
    assert bits(go_on(job(folder=tmp_path, resume=True))) == bits(unbroken())


@pytest.mark.parametrize(
    "optimizer",
    ["sgd(lr=0.1, momentum=0.9, nesterov=yes)", "rmsprop(lr=0.01, momentum=0.5)", "adagrad"],
)
def test_every_optimizer_is_kept(optimizer: str, tmp_path: Path) -> None:
    """What an optimizer remembers is in the checkpoint, a scheduled rate of it as well."""
    changes = {"optimizer": optimizer, "schedule": "exponential(k=0.1)"}
    with pytest.raises(Killed):
        run(job(folder=tmp_path, every=0, changes=changes), KilledAfter(4))
    found = go_on(job(folder=tmp_path, resume=True))
    assert bits(found) == bits(run(job(changes=changes)))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_several_batches_a_step_averages_and_plateaus(engine: str, tmp_path: Path) -> None:
    """Gradients of a step that is not complete are kept, and averages; a plateau is found again."""
    changes = {"accumulate": "2", "ema": "0.8", "schedule": "plateau(0.5, patience=0, warmup=2)"}
    changes |= {"epochs": "4", "batch": "20"}
    options: dict[str, Any] = {"engine": engine, "changes": changes, "monitor": "val_accuracy"}
    whole = run(job(**options))
    for step in (3, 5, 8):
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            run(job(folder=folder, every=0, **options), KilledAfter(step))
        found = go_on(job(folder=folder, resume=True))
        assert bits(found) == bits(whole)
        assert told(found) == told(whole)
    kept = finish(job(changes=changes), whole)
    averages = {name: whole.stepper.state[f"{name}.average"] for name in ("fc1.weight", "bn1.bias")}
    assert all(np.array_equal(kept.last[name], average) for name, average in averages.items())
    assert not np.array_equal(whole.stepper.state["fc1.weight"], averages["fc1.weight"])
    assert len({row.lr for row in whole.history.rows[1:]}) > 1


def test_a_ramp_of_rate_and_momentum(tmp_path: Path) -> None:
    """The step's number, which settles both, goes on where it was."""
    changes = {
        "optimizer": "sgd(lr=0.03, momentum=0.9)",
        "schedule": "linear(0.03, 0.0001)",
        "momentum": "linear(0.9, 0.999)",
    }
    with pytest.raises(Killed):
        run(job(folder=tmp_path, every=0, changes=changes), KilledAfter(5))
    found = go_on(job(folder=tmp_path, resume=True))
    assert bits(found) == bits(run(job(changes=changes)))
    last = found.history.rows[-1]
    assert (last.lr, last.momentum) == pytest.approx((0.0001, 0.999))


def test_killed_before_the_first_checkpoint(tmp_path: Path) -> None:
    """Where there is nothing to go on from, the run starts at its beginning."""
    with pytest.raises(Killed):
        run(job(folder=tmp_path), KilledAfter(1))
    assert not (tmp_path / CHECKPOINT).exists()
    assert bits(go_on(job(folder=tmp_path, resume=True))) == bits(unbroken())


def test_given_weights_are_kept_at_once(tmp_path: Path) -> None:
    """Weights that a run was given are not asked for again, however early it is killed."""
    given = {name: 2 * array for name, array in initialize(job().graph, 5).items()}
    with pytest.raises(Killed):
        run(job(folder=tmp_path, weights=given), KilledAfter(1))
    assert load_checkpoint(str(tmp_path / CHECKPOINT)).progress["step"] == 0
    assert bits(go_on(job(folder=tmp_path, resume=True))) == bits(run(job(weights=given)))


def test_more_epochs(tmp_path: Path) -> None:
    """A run that has ended goes on with more epochs, as if it had been begun with them."""
    changes = {"schedule": "constant"}
    run(job(folder=tmp_path, changes=changes))
    found = go_on(job(folder=tmp_path, changes={"epochs": "3"}, resume=True))
    assert bits(found) == bits(run(job(changes={**changes, "epochs": "3"})))
    assert len(found.history) == 3


def test_nothing_left_to_do(tmp_path: Path) -> None:
    """Going on with a run that has ended changes nothing."""
    expected = run(job(folder=tmp_path))
    of = job(folder=tmp_path, resume=True)
    found = go_on(of)
    assert bits(found) == bits(expected)
    assert told(found) == told(expected)
    ended = finish(of, found)  # whose files are equal to the byte, the order of weights included
    assert list(ended.state) == list(ended.last) == list(of.graph.parameters)


STANDSTILL = """\
INPUT(8x8) -> FC(10)

train {
  optimizer = sgd(lr=1e-12)
  batch = all
  epochs = 9
}
"""


def test_early_stopping_goes_on(tmp_path: Path) -> None:
    """How long was waited for a better epoch is kept; the run stops where it would have."""
    options = {"patience": 2, "min_delta": 0.01}
    expected = run(job(STANDSTILL, **options))
    assert expected.stopping.stopped
    assert len(expected.history) == 3
    with pytest.raises(Killed):
        run(job(STANDSTILL, folder=tmp_path, every=0, **options), KilledAfter(2))
    found = go_on(job(STANDSTILL, folder=tmp_path, resume=True))
    assert found.stopping.state() == expected.stopping.state()
    assert bits(found) == bits(expected)


class Interrupted(Callback):
    """Presses Ctrl-C after a number of steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step(self, progress: Progress, feeds: Feeds, results: Feeds) -> None:
        """Press it here."""
        if progress.step == self.steps:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("step", [1, 3, STEPS])
def test_control_c(step: int, tmp_path: Path) -> None:
    """Ctrl-C ends the step, saves, and stops; the run goes on from there to the same bits."""
    usual = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(job(folder=tmp_path), Interrupted(step))
    assert signal.getsignal(signal.SIGINT) is usual
    saved = load_checkpoint(str(tmp_path / CHECKPOINT))
    assert saved.progress["step"] == step
    assert bits(go_on(job(folder=tmp_path, resume=True))) == bits(unbroken())


def test_control_c_that_is_ignored(tmp_path: Path) -> None:
    """In a shell's background, where Ctrl-C is for others, the run goes on."""
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run(job(), Interrupted(1)).progress.step == STEPS
    finally:
        signal.signal(signal.SIGINT, usual)


OTHER_RECIPE = """\
error[E541]: `{path}` belongs to another run
  = note: the network is different
  = note: `optimizer` was `adam(lr=0.01)`, but is `adam(lr=0.02)`
  = note: `momentum` was `not set`, but is `constant`
  = note: `samples` was `60`, but is `50`
  = help: only `epochs` may differ; start a new run in another folder with `--output`"""


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    """What differs from the run that the checkpoint belongs to is named."""
    run(job(folder=tmp_path, changes={"epochs": "1"}))
    x, t = (array[:50] for array in job().data.take(np.arange(60)).inputs.values()), np.arange(50)
    program = EVERYTHING.replace("CONV(3x3, 3)", "CONV(3x3, 2)").replace("lr=0.01", "lr=0.02")
    failure = refusal(job, program, data=(next(x), t % 10), folder=tmp_path, resume=True)
    expected = OTHER_RECIPE.replace("  = note: `momentum` was `not set`, but is `constant`\n", "")
    assert failure == expected.format(path=tmp_path / CHECKPOINT)


OTHER_VALUES = """\
error[E541]: the data holds other values than those that this run began with
  = note: `{path}` keeps their fingerprint
  = help: restore the data, or start a new run in another folder with `--output`"""


@pytest.mark.parametrize("which", [0, 1], ids=["input", "target"])
def test_other_values_are_refused(which: int, tmp_path: Path) -> None:
    """Data of the same length but with one other value are not those of the run."""
    run(job(folder=tmp_path, changes={"epochs": "1"}))
    data = some_digits()
    data[which].flat[-1] += 1
    failure = refusal(job, data=data, folder=tmp_path, resume=True)
    assert failure == OTHER_VALUES.format(path=tmp_path / CHECKPOINT)
    of = job(folder=tmp_path, resume=True, changes={"epochs": "2"})
    assert run(of).progress.step == STEPS


def test_a_checkpoint_without_a_fingerprint(tmp_path: Path) -> None:
    """A checkpoint from before there were fingerprints is resumed."""
    run(job(folder=tmp_path, changes={"epochs": "1"}))
    path = str(tmp_path / CHECKPOINT)
    saved = load_checkpoint(path)
    recipe = {name: text for name, text in saved.recipe.items() if name != "values"}
    save_checkpoint(path, replace(saved, recipe=recipe))
    of = job(folder=tmp_path, resume=True, changes={"epochs": "2"})
    assert run(of).progress.step == STEPS


def test_settings_of_the_run_are_kept(tmp_path: Path) -> None:
    """What was set from outside need not be said again; what is said against it is refused."""
    run(job(folder=tmp_path, changes={"lr": "0.02", "epochs": "1"}))
    of = job(folder=tmp_path, resume=True, changes={"epochs": "2"})
    assert of.recipe.optimizer.arguments["lr"] == 0.02
    with pytest.raises(netc.NetError, match="E541"):
        job(folder=tmp_path, resume=True, changes={"lr": "0.03"})


def test_another_environment_is_told(tmp_path: Path) -> None:
    """Other versions, engines or threads are named: the last bits may differ."""
    run(job(folder=tmp_path, changes={"epochs": "1"}))
    path = str(tmp_path / CHECKPOINT)
    saved = load_checkpoint(path)
    changed = {**saved.environment, "numpy": "1.0", "engine": "onnxruntime", "onnxruntime": "1.2"}
    save_checkpoint(path, replace(saved, environment=changed))
    (warning,) = resumed(job(folder=tmp_path, resume=True)).warnings
    assert render(warning) == (
        "warning[W502]: the run continues elsewhere than it began: its last bits may differ from"
        " those of an unbroken one\n"
        "  = note: engine: onnxruntime then, numpy now\n"
        f"  = note: numpy: 1.0 then, {np.__version__} now\n"
        "  = note: onnxruntime: 1.2 then, none now"
    )


def test_the_same_environment_is_not_told(tmp_path: Path) -> None:
    """There is no warning where nothing differs, and none at a run's beginning."""
    assert job(folder=tmp_path).warnings == ()
    run(job(folder=tmp_path, changes={"epochs": "1"}))
    assert job(folder=tmp_path, resume=True).warnings == ()


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("cosine(warmup=6)", "the run ends within the warm-up: 6 of 6 steps"),
        ("cosine(warmup=5)", ""),
        ("step(2, warmup=2, per=epoch)", "the run ends within the warm-up: 2 of 2 epochs"),
        ("step(2, warmup=1, per=epoch)", ""),
    ],
)
def test_a_warm_up_as_long_as_the_run(schedule: str, said: str) -> None:
    """W503, since the schedule itself never begins."""
    settings = f"batch = 4, split = (1, 0, 0), epochs = 2, schedule = {schedule}"
    samples = np.ones((12, 2), np.float32), np.zeros(12, np.int64)
    found = job_of(f"INPUT(2) -> FC(2)\ntrain {{ {settings} }}", data=samples).warnings
    assert [warning.message for warning in found] == [said] * bool(said)


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    """Files that are no checkpoint, truncated, or of other texts are errors."""
    run(job(folder=tmp_path, changes={"epochs": "1"}))
    path = tmp_path / CHECKPOINT
    whole, saved = path.read_bytes(), load_checkpoint(str(path))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(netc.NetError, match="is not a complete safetensors file"):
        job(folder=tmp_path, resume=True)
    netc.save_weights(path, saved.state)
    with pytest.raises(netc.NetError, match="is not a checkpoint of a training run"):
        job(folder=tmp_path, resume=True)
    path.write_bytes(whole.replace(b'"progress":"{', b'"progress":"!', 1))
    with pytest.raises(netc.NetError, match="its checksum does not match"):
        job(folder=tmp_path, resume=True)


def test_remains_are_removed(tmp_path: Path) -> None:
    """What a killed process left half written is gone when the run goes on."""
    (tmp_path / ".netc-0123456789abcdef.tmp").write_bytes(b"half")
    open_loop(job(folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_that_holds_a_run(tmp_path: Path) -> None:
    """A run is not begun where another is."""
    run(job(folder=tmp_path, changes={"epochs": "1"}))
    assert refusal(job, folder=tmp_path) == (
        f"error[E545]: `{tmp_path / CHECKPOINT}` already holds a run\n"
        "  = help: continue it (`--resume`), overwrite it (`--force`), or choose another folder"
        " (`--output`)"
    )


def test_the_engine_is_kept(tmp_path: Path) -> None:
    """A run goes on with the engine that it was begun with, unless another is asked for."""
    run(job(folder=tmp_path, engine="onnxruntime", changes={"epochs": "1"}))
    assert job(folder=tmp_path, resume=True).engine == "onnxruntime"
    other = job(folder=tmp_path, resume=True, engine="numpy")
    assert other.engine == "numpy"
    assert "engine: onnxruntime then, numpy now" in other.warnings[0].notes
