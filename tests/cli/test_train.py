"""`netc train`: a run's folder, its settings, and where it starts from."""

import json
from pathlib import Path

import numpy as np
from support.command_line import Call, netc
from support.training_files import PROGRAM

import netc as package
from netc.runtime.run_folder.checkpoint import load_checkpoint


def test_a_run(here: Path) -> None:
    """Lines of progress on standard error, results on standard output, files in the folder."""
    found = netc("train", "digits.net", "-o", "out", cwd=here).ok()
    first, second = found.err.splitlines()
    assert first.startswith("epoch 1/2  loss ")
    assert "val_accuracy" in second
    lines = found.out.splitlines()
    assert lines[0].startswith("test loss  ")
    assert lines[1].startswith("test accuracy  ")
    assert lines[-1] == "written to out"
    folder = here / "out"
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.safetensors",
        "curves.svg",
        "history.csv",
        "history.json",
        "model.net",
        "run.json",
        "weights.safetensors",
    }
    assert (folder / "model.net").read_text() == PROGRAM
    rows = (folder / "history.csv").read_text().splitlines()
    assert rows[0] == "epoch,step,loss,val_loss,accuracy,val_accuracy,lr,momentum,seconds"
    assert len(rows) == 3
    history = json.loads((folder / "history.json").read_text())
    assert [epoch["step"] for epoch in history["epochs"]] == [3, 6]
    assert (folder / "curves.svg").read_text().startswith("<?xml")
    package.load(here / "digits.net").check_weights(
        package.load_weights(folder / "weights.safetensors")
    )


def test_options_of_runs_without_one(here: Path, called: Call) -> None:
    """`--find-lr` writes no run, and finds out first whether its picture can be written."""
    for option in (["--resume"], ["--patience", "3"], ["--folds", "2"], ["--watch"]):
        found = called("train", "digits.net", "--find-lr", *option)
        assert found.status == 2
        assert f"`--find-lr` and `{option[0]}` cannot be combined" in found.err
    for path, code in (("lr.txt", "E505"), ("lr.tex", "E505"), ("nowhere/lr.svg", "E004")):
        found = called("train", "digits.net", "--find-lr", "-o", path)
        assert (found.status, found.out) == (1, "")
        assert f"error[{code}]" in found.err


def test_settings(here: Path, called: Call) -> None:
    """`--set`, `--epochs` and `--seed` replace what the program says; the folder keeps them."""
    options = ["--set", "lr=0.02", "--set", "schedule = exponential(k=0.1)", "--epochs", "1"]
    found = called("train", "digits.net", *options, "--seed", "7").ok()
    assert "epoch 1/1" in found.err
    settings = json.loads((here / "run" / "run.json").read_text())["settings"]
    assert settings["optimizer"] == "sgd(lr=0.02, momentum=0.9)"
    assert settings["schedule"] == "exponential(k=0.1)"
    assert (settings["epochs"], settings["seed"]) == ("1", "7")


def test_a_chain_with_settings(here: Path, called: Call) -> None:
    """A program without a `train` block is trained by settings alone."""
    options = ["--set", "data=digits", "--set", "split=(0.1, 0.9)", "--epochs", "1"]
    found = called("train", "INPUT(8x8) -> FC(10)", *options).ok()
    assert found.out.startswith("validation loss  ")


def test_going_on(here: Path, called: Call) -> None:
    """A run that was ended goes on with `--resume`, to the bits of one that never was."""
    assert called("train", "digits.net", "-o", "whole", "--epochs", "3").status == 0
    options = ["--set", "lr=0.1", "-o", "parts"]
    assert called("train", "digits.net", *options, "--epochs", "1").status == 0
    found = called("train", "digits.net", "-o", "parts", "--resume", "--epochs", "3").ok()
    assert [line.split()[1] for line in found.err.splitlines()] == ["2/3", "3/3"]
    assert same_weights(here / "whole", here / "parts")
    again = called("train", "digits.net", "-o", "whole", "--resume").ok()
    assert again.err == ""


def same_weights(one: Path, other: Path) -> bool:
    """Whether two runs end with the same bytes: weights, and all state."""
    names = "checkpoint.safetensors", "weights.safetensors"
    checkpoints = [load_checkpoint(str(folder / names[0])) for folder in (one, other)]
    states = [{n: a.tobytes() for n, a in saved.state.items()} for saved in checkpoints]
    weights = [(folder / names[1]).read_bytes() for folder in (one, other)]
    return states[0] == states[1] and weights[0] == weights[1]


def test_a_folder_without_a_checkpoint(here: Path, called: Call) -> None:
    """`--resume` where nothing was saved yet begins, and says so."""
    found = called("train", "digits.net", "--resume", "--epochs", "1").ok()
    assert found.err.startswith("`run` holds no checkpoint, so the run starts from the beginning\n")


def test_weights_of_another_network(here: Path, called: Call) -> None:
    """What matches by name is taken, what `--allow` names is drawn, and the report says so."""
    body = "INPUT(8x8) -> FC(6) as code -> TANH"
    options = ["--set", "data=digits", "--set", "batch=all", "--epochs", "1"]
    assert called("train", f"{body} -> FC(10) as head", *options, "-o", "a").status == 0
    weights = ["--weights", "a/weights.safetensors"]
    other = f"{body} -> FC(10) -> TANH -> FC(10) as head"
    refused = called("train", other, *options, *weights, "--allow", "head.*", "-o", "b")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("error[E562]")
    still = ["--set", "optimizer=sgd(lr=1e-12)", "--allow", "head.*", "--allow", "fc1.*"]
    found = called("train", other, *options, *weights, *still, "-o", "b").ok()
    assert found.err.splitlines()[0] == "3 matched: code.weight, code.bias, head.bias"
    taken, given = (package.load_weights(here / f / "weights.safetensors") for f in "ba")
    assert np.allclose(taken["code.weight"], given["code.weight"])
    assert taken["head.weight"].shape == (10, 10)


def test_first_weights_by_the_data(here: Path, called: Call) -> None:
    """`--lsuv` starts with outputs of variance 1 in every layer; resuming starts with none."""
    options = ["--set", "lr=1e-12", "--epochs", "1", "-o", "scaled"]
    assert called("train", "digits.net", *options, "--lsuv").status == 0
    assert called("train", "digits.net", *options[:4], "-o", "usual").status == 0
    scaled, usual = (
        package.load_weights(here / folder / "weights.safetensors")["fc1.weight"]
        for folder in ("scaled", "usual")
    )
    assert not np.allclose(scaled, usual)
    products = scaled @ scaled.T  # of orthogonal rows of one length
    assert np.allclose(products / products[0, 0], np.eye(12), atol=1e-4)
    again = called("train", "digits.net", "-o", "scaled", "--resume", "--epochs", "2", "--lsuv")
    assert again.status == 0, again.err


def test_watching(here: Path, called: Call) -> None:
    """`--watch` records every layer and warns, and leaves the run's numbers as they are."""
    deep = "INPUT(8x8) -> [FC(8) -> SIGMOID]*8 -> FC(10)"
    options = ["--set", "data=digits", "--set", "batch=all", "--epochs", "2"]
    assert called("train", deep, *options, "-o", "plain").status == 0
    found = called("train", deep, *options, "-o", "seen", "--watch").ok()
    assert "vanish" in found.err
    names = {path.name for path in (here / "seen").iterdir()}
    assert {"monitor.csv", "monitor.json", "layers.svg"} <= names
    assert same_weights(here / "plain", here / "seen")


def test_early_stopping(here: Path, called: Call) -> None:
    """`--patience` ends a run that no longer improves, and says which epoch was the best."""
    options = ["--set", "lr=1e-12", "--epochs", "9", "--patience", "2", "--monitor", "val_accuracy"]
    found = called("train", "digits.net", *options).ok()
    assert found.err.splitlines()[-1] == (
        "no better `val_accuracy` for 2 epochs: epoch 1 was the best"
    )
    assert json.loads((here / "run" / "run.json").read_text())["results"]["best_epoch"] == 1


def test_lines_after_every_so_many_epochs(here: Path, called: Call) -> None:
    """Some epochs have a line, the last one in any case, which says what has elapsed."""
    found = called("train", "small.net", "--epochs", "8", "--log-every", "3")
    lines = found.err.splitlines()
    assert [line.split("/")[0] for line in lines] == ["epoch 3", "epoch 6", "epoch 8"]
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["left", "left", "elapsed"]
    assert len((here / "run" / "history.csv").read_text().splitlines()) == 9
    assert called("train", "small.net", "--log-every", "0").status == 2
