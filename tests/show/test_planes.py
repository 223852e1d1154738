"""Regions of the plane: what the network says of each point, and the data on it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.figures import Figures

import netc
from netc import show
from netc.records import Run
from netc.runtime.plots.decision_regions import region_colours
from netc.show.planes import GRID_STEPS, answers_at

Trained = tuple[netc.Network, Run]


def test_regions_are_predictions(spirals: Trained, figures: Figures, tmp_path: Path) -> None:
    """Each point has the colour of the class that the network answers there, by its certainty."""
    net, run = spirals
    show.boundary(net, tmp_path / "b.svg", run=run)
    (pixels,) = figures.images()
    assert pixels.shape == (GRID_STEPS, GRID_STEPS, 3)
    left, right, low, high = figures.axes.images[0].get_extent()
    x, y = np.linspace(left, right, GRID_STEPS), np.linspace(low, high, GRID_STEPS)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    logits = run.predict(grid)
    assert not isinstance(logits, dict)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = region_colours(shares.reshape(GRID_STEPS, GRID_STEPS, 3))
    np.testing.assert_allclose(pixels, expected, atol=1e-4)
    assert {"0", "1", "2"} <= set(figures.texts())


def test_all_samples_are_on_it(spirals: Trained, figures: Figures, tmp_path: Path) -> None:
    """Every sample is a point; those that the network takes for another class are counted."""
    net, run = spirals
    show.boundary(net, tmp_path / "b.png", run=run)
    places = np.concatenate([points.get_offsets() for points in figures.axes.collections[-6:]])
    points = run.job.data.take(np.arange(60))
    found, expected = (a[np.lexsort(a.T)] for a in (places, points.inputs["input"]))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    answers = run.predict(points.inputs["input"])
    assert not isinstance(answers, dict)
    said = answers.argmax(axis=1)
    wrong = int((said != points.targets["target"]).sum())
    assert (f"{wrong} of 60 wrong" in figures.texts()) == bool(wrong)


def test_step_neurons_without_data(figures: Figures, tmp_path: Path) -> None:
    """A program that gives its weights and names no data has regions: XOR by step neurons."""
    net = netc.load("zoo:xor")
    show.boundary(net, tmp_path / "b.svg")
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    shares, _ = answers_at(net, net.trained(None), corners, None, {})
    assert shares is not None
    np.testing.assert_array_equal(shares.argmax(axis=1), [0, 1, 1, 0])
    show.boundary(net, tmp_path / "b.svg", data="xor")
    assert {"no", "yes"} <= set(figures.texts())
    assert not any("wrong" in text for text in figures.texts())


def test_numbers_are_levels(figures: Figures, tmp_path: Path) -> None:
    """A network that says a number has shades of it."""
    net = netc.compile("INPUT(2) -> FC(1, weight=[[1, 2]], bias_value=[3])\ntrain { loss = mse }")
    x = np.array([[0, 0], [1, 1]], np.float32)
    show.boundary(net, tmp_path / "b.png", data=(x, np.array([[3.0], [6.5]], np.float32)))
    (mesh, *_) = figures.axes.collections
    values = mesh.get_array().reshape(GRID_STEPS, GRID_STEPS)
    left, right = figures.axes.get_xlim()
    low, high = figures.axes.get_ylim()
    np.testing.assert_allclose(values[0, 0], left + 2 * low + 3, rtol=1e-5)
    np.testing.assert_allclose(values[-1, -1], right + 2 * high + 3, rtol=1e-5)


@pytest.mark.parametrize(
    ("program", "options", "message"),
    [
        ("INPUT(3) -> FC(2)", {}, "`chain` does not take two numbers: its input is input float32"),
        (
            "a = INPUT(2)\nb = INPUT(2)\n( a | b ) -> CONCAT -> FC(2)",
            {},
            "does not take two numbers",
        ),
        ("INPUT(2) -> FC(8) -> RESHAPE(2x2x2) -> CONV(1x1, 2)", {}, "says more than one thing"),
        ("INPUT(2) -> FC(3)\ntrain { loss = mse }", {}, "says 3 numbers"),
        ("INPUT(2) -> FC(2)", {"data": "digits"}, "a sample of `digits` is 1x8x8, not 2 numbers"),
    ],
)
def test_no_plane(program: str, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    """What has no plane is refused."""
    net = netc.compile(program)
    with pytest.raises(netc.NetError, match=message):
        show.boundary(net, tmp_path / "b.svg", net.initialize(), **options)
    assert list(tmp_path.iterdir()) == []
