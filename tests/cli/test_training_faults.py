"""What can go wrong with `netc train`: interruptions, disks, data, settings, divergence."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.dom.minidom import parse

import numpy as np
import pytest
from support.command_line import ENVIRONMENT, FULL_DISK, Call, netc
from support.training_files import SMALL, write_data

import netc as package
from netc.grammar.diagnostics import error
from netc.grammar.parsing.literals import write_string
from netc.runtime.run_folder.checkpoint import load_checkpoint
from netc.runtime.run_folder.folder import Facts
from netc.runtime.training import callbacks


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_control_c(here: Path) -> None:
    """Ctrl-C saves and exits with 130, says how to go on, and shows no traceback."""
    words = ["train", "digits.net", "--set", "batch=1", "--epochs", "9999", "-o", "my run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "netc", *words],
        cwd=here,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert first.startswith("epoch    1/9999"), first
    assert process.returncode == 130
    assert rest.rstrip().endswith(
        "stopped; continue with: netc train digits.net -o 'my run' --resume"
    )
    assert "Traceback" not in rest
    saved = load_checkpoint(str(here / "my run" / "checkpoint.safetensors"))
    assert saved.progress["step"] >= 179
    netc("train", "digits.net", "-o", "my run", "--resume", "--epochs", "1", cwd=here).ok()


TRUNCATED = """\
error[E505]: `data.npz` is not a complete npz file of plain numbers
  = note: File is not a zip file
  = help: it may be truncated, or of another format: save it again with `numpy.savez`

"""

UNFIT = """\
error[E562]: 1 of 2 weights do not match by name
  = note: 1 weight does not fit:
  = note: `fc1.weight` is float32[2, 3], not float32[2, 2]
  = help: let what differs, such as the head of another number of classes, be reinitialized \
(`--allow PATTERN`), or rename what is called differently

"""
LABELS = """\
error[E523]: `data.npz`: the label 5 of sample 3 is outside the 2 classes
  = note: classes and samples count from 0: labels go from 0 to 1
  = help: renumber the labels, or give the network 6 outputs, one for each class

"""
COUNTS = """\
error[E522]: the parts of the data hold different numbers of samples: `input` 20, `target` 19
  = help: each sample needs an input and a target

"""
NOT_FINITE = """\
error[E524]: `data.npz`: the input `input` of sample 4 holds nan
  = note: samples count from 0
  = help: leave such samples out, or replace what is missing before training

"""
MISSING = """\
error[E001]: cannot read `data.npz`: no such file or folder
  = note: looked for at `{folder}/data.npz`
  = help: write it with `numpy.savez('data.npz', x=..., y=...)`, or name another file

"""
NO_DATA = """\
error[E544]: `<chain>` does not say what to train on
  = help: add a block such as `train { data = digits }`, or `--set data=digits`

"""


def wrong_label(folder: Path) -> None:
    """A label that no class has."""
    labels = np.arange(20) % 2
    labels[3] = 5
    write_data(folder, y=labels)


def not_a_number(folder: Path) -> None:
    """A coordinate that is NaN."""
    points = np.zeros((20, 2), np.float32)
    points[4, 1] = np.nan
    write_data(folder, x=points)


def truncated(folder: Path) -> None:
    """Half of the file."""
    data = (folder / "data.npz").read_bytes()
    (folder / "data.npz").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (wrong_label, LABELS),
        (lambda folder: write_data(folder, y=np.zeros(19, np.int64)), COUNTS),
        (not_a_number, NOT_FINITE),
        (truncated, TRUNCATED),
        (lambda folder: (folder / "data.npz").unlink(), MISSING),
    ],
    ids=["labels", "counts", "nan", "truncated", "missing"],
)
def test_data_that_cannot_be_used(spoil: object, message: str, here: Path, called: Call) -> None:
    """What is wrong with the data is said, and a run that was begun before stays as it is."""
    assert called("train", "small.net").status == 0
    kept = ("checkpoint.safetensors", "weights.safetensors", "history.csv", "curves.svg")
    before = {name: (here / "run" / name).read_bytes() for name in kept}
    spoil(here)  # type: ignore[operator]  # a function of the table
    resumed = called("train", "small.net", "--resume", "--epochs", "2")
    assert (resumed.status, resumed.out) == (1, "")
    assert resumed.err.startswith("error[")
    found = called("train", "small.net", "-o", "new")
    assert (found.status, found.out) == (1, "")
    assert found.err == message.replace("{folder}", str(here))
    assert {name: (here / "run" / name).read_bytes() for name in kept} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["INPUT -> FC(10)"], NO_DATA),
        (["small.net", "--engine", "torch"], "error[E502]: unknown engine `torch`\n"),
        (["small.net", "--device", "cuda"], "error[E502]: the engine numpy cannot run on"),
        (
            ["small.net", "--engine", "onnxruntime", "--device", "cuda"],
            "error[E502]: onnxruntime cannot use the device `cuda`",
        ),
        (["small.net", "--set", "epoch=3"], "error[E122]: `train` has no setting `epoch`"),
        (
            ["small.net", "--set", "batch=0"],
            "error[E125]: `batch` must be a positive integer",
        ),
        (["small.net", "--monitor", "val_g1"], "error[E551]: no epoch will have a `val_g1`"),
        (["small.net", "--weights", "missing.npz"], "error[E001]: cannot read `missing.npz`"),
        (["small.net", "--weights", "w.npz"], UNFIT),
        (["nothing.net"], "error[E001]: cannot read `nothing.net`"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_is_refused(arguments: list[str], message: str, here: Path, called: Call) -> None:
    """Wrong programs, engines, devices, settings and weights are diagnostics."""
    weights = {"fc1.weight": np.zeros((2, 3), np.float32), "fc1.bias": np.zeros(2, np.float32)}
    package.save_weights(here / "w.npz", weights)
    found = called("train", *arguments)
    assert (found.status, found.out) == (1, "")
    assert found.err == message if message.endswith("\n\n") else found.err.startswith(message)
    assert "Traceback" not in found.err
    assert not (here / "run" / "checkpoint.safetensors").exists()


def test_wrong_usage(here: Path, called: Call) -> None:
    """A setting that is no setting, and numbers out of range, are wrong usage."""
    wrong = ["--set", "lr"], ["--epochs", "0"], ["--save-every", "-1"], ["--allow", "head.*"]
    for options in wrong:
        found = called("train", "small.net", *options)
        assert (found.status, found.out) == (2, "")
    assert (
        "`--set lr` is not of the form NAME=VALUE"
        in called("train", "small.net", "--set", "lr").err
    )


def test_a_folder_with_a_run(here: Path, called: Call) -> None:
    """A run in a folder that is named is not overwritten, unless that is asked for."""
    assert called("train", "small.net").status == 0
    found = called("train", "small.net", "-o", "run")
    assert (found.status, found.out) == (1, "")
    assert found.err == (
        "error[E545]: `run/checkpoint.safetensors` already holds a run\n"
        "  = help: continue it (`--resume`), overwrite it (`--force`), or choose another folder"
        " (`--output`)\n\n"
    )


def test_the_next_free_folder(here: Path, called: Call) -> None:
    """Without a folder, a run goes where no other is, and says where; finished runs stay."""
    assert called("train", "small.net").status == 0
    before = (here / "run" / "checkpoint.safetensors").read_bytes()
    for folder in ("run2", "run3"):
        found = called("train", "small.net", "--seed", "3").ok()
        said = f"`run` holds a finished run, so this one goes to `{folder}`\n"
        assert found.err.startswith(said)
        assert found.out.endswith(f"written to {folder}\n")
        assert (here / folder / "weights.safetensors").exists()
    assert (here / "run" / "checkpoint.safetensors").read_bytes() == before


def test_an_unfinished_run_is_not_passed_over(here: Path, called: Call) -> None:
    """A run that was stopped waits for `--resume` or `--force`."""
    assert called("train", "small.net", "--watch").status == 0
    run = here / "run"
    facts = Facts.read(str(run))
    replace(facts, results={}).save(str(run))
    found = called("train", "small.net")
    assert (found.status, "already holds a run" in found.err) == (1, True)
    (run / "notes.txt").write_text("mine")
    found = called("train", "small.net", "--force", "--seed", "3", "--set", "epochs=2").ok()
    assert found.out.endswith("written to run\n")
    assert len((run / "history.csv").read_text().splitlines()) == 3
    assert Facts.read(str(run)).settings["seed"] == "3"
    assert (run / "notes.txt").exists()
    assert not (run / "layers.svg").exists()
    assert not (run / "monitor.csv").exists()


def test_what_fails_is_not_overwritten(here: Path, called: Call) -> None:
    """`--force` removes nothing before the new run is about to begin."""
    assert called("train", "small.net").status == 0
    before = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    for wrong in (["--set", "batch=0"], ["--engine", "torch"], ["--weights", "none.npz"]):
        assert called("train", "small.net", "--force", *wrong).status == 1
    assert called("train", "small.net", "--force", "--resume").status == 2
    assert {path.name: path.read_bytes() for path in (here / "run").iterdir()} == before


def test_what_fails_leaves_no_folder(here: Path, called: Call) -> None:
    """A run that cannot begin leaves no empty folder; one that was there stays."""
    assert called("train", "small.net", "--set", "batch=0").status == 1
    assert not (here / "run").exists()
    (here / "run").mkdir()
    assert called("train", "small.net", "--set", "batch=0").status == 1
    assert (here / "run").exists()


@pytest.mark.skipif(os.name != "posix", reason="locks are POSIX's")
@pytest.mark.parametrize("resume", [[], ["--resume"]], ids=["begun", "resumed"])
def test_two_processes_in_one_folder(resume: list[str], here: Path) -> None:
    """Of two runs in one folder, one is refused at once; the other ends as it would alone."""
    words = ["digits.net", "--save-every", "0", "-o"]
    if resume:
        assert netc("train", *words, "run", "--epochs", "1", cwd=here).status == 0
    command = [sys.executable, "-m", "netc", "train", *words, "run", "--epochs", "6", *resume]
    pair = [
        subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for _ in range(2)
    ]
    ended = sorted((process.communicate(timeout=100)[1], process.returncode) for process in pair)
    (_, done), (refused, failed) = ended
    assert (done, failed) == (0, 1), ended
    assert "error[E545]: another process is training in `run`" in refused
    assert netc("train", *words, "alone", "--epochs", "6", cwd=here).status == 0
    for name in ("weights.safetensors", "history.json"):
        assert (here / "run" / name).exists()
    ours, theirs = (
        load_checkpoint(str(here / run / "checkpoint.safetensors")) for run in ("run", "alone")
    )
    assert ours.progress["step"] == theirs.progress["step"]
    for name, array in theirs.state.items():
        assert np.array_equal(ours.state[name], array)


def test_another_recipe(here: Path, called: Call) -> None:
    """A program that was changed in between is another run, and its differences are named."""
    assert called("train", "small.net").status == 0
    (here / "small.net").write_text(SMALL.replace("epochs = 1", "batch = 5"))
    found = called("train", "small.net", "--resume")
    assert (found.status, found.out) == (1, "")
    assert found.err == (
        "error[E541]: `run/checkpoint.safetensors` belongs to another run\n"
        "  = note: `batch` was `32`, but is `5`\n"
        "  = help: only `epochs` may differ; start a new run in another folder with `--output`\n\n"
    )


@pytest.mark.slow
def test_a_full_disk(here: Path) -> None:
    """A checkpoint that cannot be written ends the run; the one before it stays, and is whole."""
    assert netc("train", "digits.net", "--epochs", "1", cwd=here).status == 0
    checkpoint = here / "run" / "checkpoint.safetensors"
    before = checkpoint.read_bytes()
    names = sorted(path.name for path in (here / "run").iterdir())
    words = ["train", "digits.net", "--resume", "--epochs", "2"]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK.format(limit=len(before) // 2), *words],
        cwd=here,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "error[E004]: cannot write `run/checkpoint.safetensors`: the file would be larger than"
        " allowed\n  = help: raise the limit on file sizes\n\n"
    )
    assert "Traceback" not in done.stderr
    assert checkpoint.read_bytes() == before
    assert sorted(path.name for path in (here / "run").iterdir()) == names
    assert netc("train", "digits.net", "--resume", "--epochs", "2", cwd=here).status == 0


DIVERGED = """\
error[E542]: the loss is not finite in step 2 of the run, in epoch 1
  --> digits.net:3:33
   |
 3 | INPUT(8x8) -> FC(12) -> RELU -> FC(10)
   |                                 ^^
   |
   = note: the first number that is not finite appeared in `Gemm` of `fc2`
   = help: lower the learning rate, or normalize the inputs; `netc sanity` checks for more

"""


def test_a_loss_that_is_not_finite(here: Path, called: Call) -> None:
    """The step, the layer and advice are named, and nothing that is spoilt is kept."""
    found = called("train", "digits.net", "--set", "lr=1e30")
    assert (found.status, found.out) == (1, "")
    assert found.err == DIVERGED
    assert not (here / "run" / "checkpoint.safetensors").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_full_log(here: Path) -> None:
    """A run whose progress cannot be printed goes on to its end, and loses nothing."""
    words = [sys.executable, "-m", "netc", "train", "small.net", "--epochs", "3", "--watch"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            words, cwd=here, stdout=subprocess.PIPE, stderr=full, env=ENVIRONMENT, check=False
        )
    assert done.returncode == 0
    assert done.stdout.decode().endswith("written to run\n")
    assert len((here / "run" / "history.csv").read_text().splitlines()) == 4
    assert (here / "run" / "weights.safetensors").exists()


def test_a_name_that_is_not_a_formula(here: Path) -> None:
    """Dollar signs and backslashes of a name are drawn as they are."""
    name = "$\\frac{1}{$"
    (here / "odd.net").write_text(f"net {write_string(name)}\n{SMALL}")
    netc("train", "odd.net", "--watch", cwd=here).ok()
    for picture in ("curves.svg", "layers.svg"):
        parse(str(here / "run" / picture))
    assert "<!-- $\\frac{1}{$ -->" in (here / "run" / "curves.svg").read_text()


def test_drawing_loses_no_results(
    here: Path, called: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, history and results are there before any picture."""

    def fail(*_: object, **__: object) -> None:
        raise error("E004", "cannot draw")

    monkeypatch.setattr(callbacks, "draw_history", fail)
    found = called("train", "small.net")
    assert (found.status, found.out) == (1, "")
    assert found.err.endswith("error[E004]: cannot draw\n\n")
    assert (here / "run" / "weights.safetensors").exists()
    assert len((here / "run" / "history.csv").read_text().splitlines()) == 2
    assert Facts.read(str(here / "run")).results["epochs"] == 1
