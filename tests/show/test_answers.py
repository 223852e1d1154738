"""Predictions beside the truth: the worst first, each as its kind of target is seen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.figures import Figures

import netc
from netc import show
from netc.data import arrays
from netc.records import Run
from netc.runtime.plots.pixels import mask_pixels
from netc.show.answers import fractions

Trained = tuple[netc.Network, Run]
PICTURES = np.random.default_rng(0).random((12, 1, 8, 8)).astype(np.float32)


def outputs_of(net: netc.Network, x: Any, state: Any) -> Any:
    """The only output."""
    return net.run(x, state, fetch=["output"])["output"]


def test_worst_first(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """Captions say what is right, what was said and its loss, the largest loss first."""
    net, run = digits
    show.predictions(net, tmp_path / "p.svg", run=run, most=5)
    part = run.job.part("test")
    logits = np.concatenate([outputs_of(net, b["input"], run.state) for b in part.still(64)])
    labels = np.concatenate([b["target"] for b in part.still(64)])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    losses = -np.log(shares[np.arange(len(labels)), labels])
    worst = np.argsort(-losses)[:5]
    expected = []
    for place in worst:
        said = shares[place].argmax()
        head = f"{labels[place]}, said {said}" if said != labels[place] else f"{said}"
        expected += [head, f"p = {shares[place, said]:.2f}", f"loss {losses[place]:.3g}"]
    assert [text for text in figures.texts() if text in expected] == expected
    raw = run.job.data.take(part.indices[worst]).inputs["input"]
    for pixels, picture in zip(figures.images(), raw, strict=True):
        np.testing.assert_allclose(pixels[..., 0], picture[0])


def test_masks_stand_beside(figures: Figures, tmp_path: Path) -> None:
    """Right and said masks have the colours of their classes, which the legend names."""
    net = netc.compile("INPUT(8x8x1) -> CONV(3x3, 3) as c")
    t = np.random.default_rng(1).integers(0, 3, (12, 8, 8))
    data = arrays(PICTURES, t, classes=("none", "left", "right"))
    state = net.initialize()
    show.predictions(net, tmp_path / "p.png", state, data=data, part="all", most=12)
    pixels = figures.images()
    said = np.argmax(outputs_of(net, PICTURES, state), axis=1)
    shown = [(pixels[3 * n][..., 0], pixels[3 * n + 1], pixels[3 * n + 2]) for n in range(12)]
    for picture, right, answer in shown:
        (place,) = [n for n in range(12) if np.allclose(picture, PICTURES[n, 0])]
        np.testing.assert_allclose(right, mask_pixels(t[place], 3))
        np.testing.assert_allclose(answer, mask_pixels(said[place], 3))
    assert {"picture", "right", "said", "none", "left"} <= set(figures.texts())


def test_boxes_and_points_lie_on_pictures(figures: Figures, tmp_path: Path) -> None:
    """Boxes are fractions of the picture; points in pixels lie in the middle of theirs."""
    net = netc.compile("INPUT(8x8x1) -> FC(4) as f\ntrain { loss = mse }")
    t = np.tile(np.array([[0.25, 0.5, 0.75, 1.0]], np.float32), (12, 1))
    data = arrays(PICTURES, t, kinds={"target": "box"})
    show.predictions(net, tmp_path / "p.png", net.initialize(), data=data, part="all", most=1)
    frame, _, right, *_ = [line.get_xydata() for line in figures.axes.lines]
    corner, size = frame.min(axis=0), np.ptp(frame, axis=0)
    np.testing.assert_allclose((right.min(axis=0) - corner) / size, [0.25, 0.5], atol=1e-6)
    np.testing.assert_allclose((right.max(axis=0) - corner) / size, [0.75, 1.0], atol=1e-6)
    np.testing.assert_allclose(
        fractions(np.array([0.0, 7.0]), "points", (8, 8)), [[0.5 / 8, 7.5 / 8]]
    )
    np.testing.assert_allclose(
        fractions(np.array([-1.0, 1.0]), "unit_points", (8, 8)), [[0.5 / 8, 7.5 / 8]]
    )


def test_pictures_as_answers(figures: Figures, tmp_path: Path) -> None:
    """An autoencoder's picture stands beside the right one."""
    net = netc.compile("INPUT(8x8x1) -> CONV(3x3, 1) -> SIGMOID\ntrain { loss = mse }")
    state = net.initialize()
    data = arrays(PICTURES, PICTURES)
    show.predictions(net, tmp_path / "p.png", state, data=data, part="all", most=2)
    outputs = outputs_of(net, PICTURES, state)
    losses = ((outputs - PICTURES) ** 2).mean(axis=(1, 2, 3))
    first = np.argmax(losses)
    for pixels, expected in zip(figures.images(), (PICTURES, PICTURES, outputs), strict=False):
        np.testing.assert_allclose(pixels[..., 0], expected[first, 0], atol=1e-5)


def test_yes_or_no_and_numbers(figures: Figures, tmp_path: Path) -> None:
    """A single probability is a yes or a no; numbers are spelled."""
    t = (np.arange(12) % 2).astype(np.float32)[:, None]
    net = netc.compile("INPUT(8x8x1) -> FC(1) -> SIGMOID\ntrain { loss = binary_cross_entropy }")
    show.predictions(
        net, tmp_path / "p.png", net.initialize(), data=arrays(PICTURES, t), part="all", most=12
    )
    said = [text for text in figures.texts() if text.startswith(("yes", "no"))]
    assert len(said) == 12
    net = netc.compile("INPUT(8x8x1) -> FC(2)\ntrain { loss = mse }")
    t = np.tile(np.array([[0.5, 2.0]], np.float32), (12, 1))
    show.predictions(
        net, tmp_path / "p.png", net.initialize(), data=arrays(PICTURES, t), part="all", most=1
    )
    assert any(text.startswith("0.5 2, said ") for text in figures.texts())


def test_long_class_names(figures: Figures, tmp_path: Path) -> None:
    """Names that do not fit below a picture are cut, never smaller than can be read."""
    words = np.array(["an Abyssinian cat of great age", "<script>", "$x$"])[np.arange(12) % 3]
    net = netc.compile("INPUT(8x8x1) -> FC(3)")
    data = arrays(PICTURES, words)
    show.predictions(net, tmp_path / "p.png", net.initialize(), data=data, part="all", most=12)
    captions = figures.axes.texts
    assert min(text.get_fontsize() for text in captions) >= 5.5
    assert any(text.get_text().endswith("…") for text in captions)
    assert {"<script>", "$x$"} & {text.get_text() for text in captions}


def test_no_pictures(spirals: Trained, digits: Trained, tmp_path: Path) -> None:
    """Points of the plane are no pictures; a part may be empty; weights are needed."""
    net, run = spirals
    with pytest.raises(netc.NetError, match="no input of `Spirals` is a picture"):
        show.predictions(net, tmp_path / "p.png", run=run)
    net, run = digits
    with pytest.raises(netc.NetError, match="the test part of `digits` is empty"):
        show.predictions(net, tmp_path / "p.png", run=run, settings={"split": "(1, 0, 0)"})
    with pytest.raises(netc.NetError, match="there are no weights"):
        show.predictions(net, tmp_path / "p.png")
    assert list(tmp_path.iterdir()) == []
