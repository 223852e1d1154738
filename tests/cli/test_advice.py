"""What the command line says where something nearly fits."""

from pathlib import Path

import numpy as np
import pytest
from support.command_line import netc as command

import netc
from netc.compiler.training.lossdef import Task
from netc.evaluation import sides
from netc.runtime.metrics.accumulators import Confusion
from netc.runtime.metrics.outputs import OutputForm


def test_weights_of_another_head(tmp_path: Path) -> None:
    """Weights that fit but for the head are told of `--allow`, which then works."""
    body = "INPUT(8x8) -> FC(16) as code -> RELU -> FC({n}) as head\n"
    (tmp_path / "ten.net").write_text(
        body.format(n=10) + "train { data = digits, epochs = 1 }", encoding="utf-8"
    )
    five = netc.compile(body.format(n=5))
    netc.save_weights(tmp_path / "five.safetensors", five.initialize())
    arguments = ("train", "ten.net", "--weights", "five.safetensors", "-o", "new")
    refused = command(*arguments, cwd=tmp_path).failed()
    assert "E562" in refused.err
    assert "--allow PATTERN" in refused.err
    assert not (tmp_path / "new" / "history.csv").exists()
    assert command(*arguments, "--allow", "head.*", cwd=tmp_path).status == 0


@pytest.mark.parametrize(
    ("task", "names", "labels", "expected"),
    [
        ("decisions", ("cat", "dog"), 1, ("cat", "dog")),
        ("decisions", (), 1, ("no", "yes")),
        ("decisions", ("cat", "dog"), 2, ("no", "yes")),
        ("classes", ("cat", "dog", "cow"), 1, ("cat", "dog", "cow")),
    ],
)
def test_the_sides_of_a_confusion_matrix(
    task: Task, names: tuple[str, ...], labels: int, expected: tuple[str, ...]
) -> None:
    """One decision between two named classes has their names; several labels are yes or no."""
    confusion = Confusion(OutputForm(task, 1, "logits", None, None, names, "corners"))
    confusion.counts = np.zeros((labels, 2, 2), np.int64)
    assert sides(confusion) == expected


def test_nothing_to_compare(tmp_path: Path) -> None:
    """Gradients of a network that is all frozen do not agree: there are none."""
    (tmp_path / "frozen.net").write_text("INPUT(4) -> FC(3, frozen=yes)", encoding="utf-8")
    found = command("gradcheck", "frozen.net", cwd=tmp_path)
    assert "there is no trainable weight" in found.out
    assert "agree" not in found.out
