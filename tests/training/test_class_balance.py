"""Weights of classes that are counted in the training part."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of

import netc
from netc.compiler.emit.torch.helpers import BALANCED_POS_WEIGHT
from netc.runtime.training.class_balance import balanced_weights

PROGRAM = """INPUT(5) -> FC(3)
train {{ loss = cross_entropy({}), split = (0.7, 0.1, 0.2), optimizer = sgd(0.1), epochs = 2 }}"""
BALANCED = PROGRAM.format("class_weights=balanced")


def samples() -> tuple[Any, Any]:
    """Vectors of three classes, one of them rare."""
    random = np.random.default_rng(0)
    t = random.choice(3, 200, p=[0.7, 0.25, 0.05])
    return random.normal(t[:, None], 1, (200, 5)).astype(np.float32), t


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(3))
def test_counted_weights(seed: int) -> None:
    """scikit-learn's."""
    found = pytest.importorskip("sklearn.utils.class_weight")
    t = np.random.default_rng(seed).choice(4, 90, p=[0.6, 0.25, 0.1, 0.05])
    expected = found.compute_class_weight("balanced", classes=np.arange(4), y=t)
    np.testing.assert_allclose(balanced_weights(np.bincount(t)), expected, rtol=1e-12)


def test_a_class_that_does_not_occur() -> None:
    """It weighs 1, and the others are balanced among each other."""
    assert balanced_weights(np.array([6, 0, 2])) == (8 / (2 * 6), 1.0, 8 / (2 * 2))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_training(engine: Any, tmp_path: Path) -> None:
    """As with the numbers themselves, counted in the training part alone, and kept with the run."""
    x, t = samples()
    net = netc.compile(BALANCED)
    run = net.train((x, t), engine=engine, output=str(tmp_path / "run"))
    part = t[run.job.split.train]
    weights = [len(part) / (3 * int((part == c).sum())) for c in range(3)]
    listed = netc.compile(PROGRAM.format(f"class_weights={weights}"))
    expected = listed.train((x, t), engine=engine)
    losses = [[row.loss, row.val_loss] for row in run.history.rows]
    assert losses == [[row.loss, row.val_loss] for row in expected.history.rows]
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["settings"]
    assert settings["loss"] == f"{{output: cross_entropy(class_weights={weights})}}"
    other = (x[t < 2], t[t < 2])
    found = net.evaluate(run=str(tmp_path / "run"), data=other, part="all")
    assert (
        found.metrics["loss"]
        == listed.evaluate(run=expected, data=other, part="all").metrics["loss"]
    )


def test_resuming(tmp_path: Path) -> None:
    """A resumed run counts the same."""
    folder = str(tmp_path / "run")
    net = netc.compile(BALANCED)
    net.train(samples(), output=folder, epochs=1)
    run = net.train(samples(), output=folder, epochs=2, resume=True)
    whole = net.train(samples())
    assert all(np.array_equal(run.last[name], whole.last[name]) for name in whole.last)


def test_masks() -> None:
    """Positions are counted, but those that are ignored."""
    random = np.random.default_rng(1)
    x = random.random((12, 1, 4, 4), np.float32)
    t = np.where(x[:, 0] > 0.8, 1, 0)
    t[:, 0] = 255
    loss = "cross_entropy(ignore_index=255, class_weights=balanced)"
    text = f"INPUT(4x4) -> CONV(1x1, 2)\ntrain {{ loss = {loss} }}"
    run = netc.compile(text).train((x, t), epochs=1, split=(0.5, 0.5))
    part = t[run.job.split.train]
    counts = [int((part == c).sum()) for c in range(2)]
    expected = [sum(counts) / (2 * count) for count in counts]
    assert list(run.job.objective.losses["output"].arguments["class_weights"]) == expected


def test_probabilities() -> None:
    """Real numbers have no classes to count."""
    x, t = samples()
    failure = failure_of(netc.compile(BALANCED).train, (x, np.eye(3, dtype=np.float32)[t]))
    assert failure.diagnostics[0].code == "E133"
    assert "class_weights=[1, 3]" in str(failure)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("channels", [1, 3])
def test_yes_and_no(engine: Any, channels: int, tmp_path: Path) -> None:
    """As many noes as there are for a yes, for each label, kept with the run."""
    random = np.random.default_rng(1)
    x = random.normal(size=(120, 4)).astype(np.float32)
    t = (random.random((120, channels)) < [0.1, 0.3, 0.8][:channels]).astype(np.float32)
    t[::7, -1] = np.nan
    text = "INPUT(4) -> FC({})\ntrain {{ loss = binary_cross_entropy(pos_weight={}), epochs = 2 }}"
    net = netc.compile(text.format(channels, "balanced"))
    run = net.train((x, t), engine=engine, output=str(tmp_path / "run"))
    part = t[run.job.split.train].astype(float)
    weights = (np.nansum(1 - part, axis=0) / np.nansum(part, axis=0)).tolist()
    given = weights[0] if channels == 1 else weights
    expected = netc.compile(text.format(channels, given)).train((x, t), engine=engine)
    losses = [[row.loss, row.val_loss] for row in run.history.rows]
    assert losses == [[row.loss, row.val_loss] for row in expected.history.rows]
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["settings"]
    assert settings["loss"] == f"{{output: binary_cross_entropy(pos_weight={given})}}"


def test_masks_and_labels_without_both(tmp_path: Path) -> None:
    """A mask without an axis of channels is one label; where all is no, yes weighs 1."""
    x = np.random.default_rng(2).random((20, 1, 4, 5)).astype(np.float32)
    text = "INPUT(4x5) -> CONV(1x1, 1)\ntrain { loss = binary_cross_entropy(pos_weight=balanced) }"
    net = netc.compile(text)
    mask = (x[:, 0] > 0.75).astype(np.float32)
    run = net.train((x, mask), split=(1, 0, 0), epochs=1)
    weight = run.job.objective.losses["output"].arguments["pos_weight"]
    assert weight == pytest.approx((1 - mask).sum() / mask.sum())
    none = net.train((x, 0 * mask), split=(1, 0, 0), epochs=1)
    assert none.job.objective.losses["output"].arguments["pos_weight"] == 1


@pytest.mark.oracle
def test_what_an_exported_file_counts() -> None:
    """The same numbers, with masks of several channels, some unknown."""
    torch = pytest.importorskip("torch")
    scope: dict[str, Any] = {"torch": torch}
    exec(BALANCED_POS_WEIGHT, scope)  # ours
    x = np.random.default_rng(3).random((20, 1, 4, 5)).astype(np.float32)
    masks = np.concatenate([x > 0.9, x > 0.4, x > 2], axis=1).astype(np.float32)
    masks[0, 1] = np.nan
    text = "INPUT(4x5) -> CONV(1x1, 3)\ntrain { loss = binary_cross_entropy(pos_weight=balanced) }"
    run = netc.compile(text).train((x, masks), split=(1, 0, 0), epochs=1)
    expected = run.job.objective.losses["output"].arguments["pos_weight"]
    batches = torch.tensor(masks).split(6)
    found = scope["balanced_pos_weight"](batches, 3, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert expected[2] == 1
