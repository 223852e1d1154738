"""Samples as they are, as augmentation draws them, and as the network takes them."""

from pathlib import Path

import numpy as np
import pytest
from support.figures import Figures

import netc
from netc import show
from netc.data import arrays
from netc.records import Run
from netc.runtime.plots.pixels import picture_pixels

Trained = tuple[netc.Network, Run]


def test_before_and_after(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """A row for each sample: the data, draws as in the first epochs, what the network takes."""
    net, run = digits
    show.samples(net, tmp_path / "s.svg", run=run, count=2, draws=3)
    job, indices = run.job, run.job.part("train").indices[:2]
    columns = [job.data.take(indices).inputs["input"]]
    for epoch in range(3):
        batch = job.augmenter.augment(job.data.take(indices), indices, epoch=epoch)
        columns.append(batch.inputs["input"])
    columns.append(job.training.fitted.apply({"input": columns[0]})["input"])
    expected = [picture_pixels(column[row]) for row in range(2) for column in columns]
    assert len(figures.images()) == len(expected)
    for found, pixels in zip(figures.images(), expected, strict=True):
        np.testing.assert_allclose(found, pixels, atol=1e-6)
    heads = ["data", "draw 1", "draw 2", "draw 3", "mean_subtract"]
    assert [text for text in figures.texts() if text in heads] == heads


def test_nothing_done(figures: Figures, tmp_path: Path) -> None:
    """Where nothing is done to samples, they stand alone with their classes."""
    net = netc.compile("INPUT(8x8x1) -> FC(10)\ntrain { data = digits }")
    show.samples(net, tmp_path / "s.svg", count=3, part="all")
    data = np.stack([pixels[..., 0] for pixels in figures.images()])
    assert data.shape == (3, 8, 8)
    assert {"0", "1", "2"} <= set(figures.texts())


def test_targets_move_along(figures: Figures, tmp_path: Path) -> None:
    """A box is drawn where augmentation has moved it."""
    net = netc.compile(
        "INPUT(8x8x1) -> FC(4)\ntrain { loss = mse, augment = flip(horizontal, rate=1) }"
    )
    x = np.zeros((10, 1, 8, 8), np.float32)
    t = np.tile(np.array([[0.0, 0.0, 0.25, 0.5]], np.float32), (10, 1))
    data = arrays(x, t, kinds={"target": "box"})
    show.samples(net, tmp_path / "s.svg", data=data, count=1, draws=1)
    lines = [line.get_xydata() for line in figures.axes.lines]
    for frame, box, ends in ((lines[0], lines[2], (0, 0.25)), (lines[3], lines[5], (0.75, 1))):
        left, width = frame[:, 0].min(), np.ptp(frame[:, 0])
        found = ((box[:, 0].min() - left) / width, (box[:, 0].max() - left) / width)
        np.testing.assert_allclose(found, ends, atol=1e-6)


def test_features(spirals: Trained, figures: Figures, tmp_path: Path) -> None:
    """Of features, the means and deviations are drawn before and after preprocessing."""
    net, run = spirals
    show.samples(net, tmp_path / "s.svg", run=run)
    before, after = figures[-1].axes
    assert [axes._left_title.get_text() for axes in (before, after)] == ["data", "standardize"]
    x = run.job.data.take(run.job.part("train").indices).inputs["input"]
    for bar, deviation in zip(before.patches, x.std(axis=0), strict=True):
        assert abs(bar.get_height() - 2 * deviation) < 1e-5
    for bar in after.patches:
        assert abs(bar.get_height() - 2) < 1e-4
        assert abs(bar.get_y() + 1) < 1e-4


@pytest.mark.parametrize(
    ("program", "options", "message"),
    [
        ("INPUT(8x8x1) -> FC(10)", {}, "`<chain>` does not say what to train on"),
        ("INPUT(8x8x1) -> FC(10)", {"data": "digits", "count": 0}, "`count` must be a positive"),
        ("INPUT(8x8x1) -> FC(10)\ntrain { split = (1, 0, 0) }", {"part": "test"}, "is empty"),
    ],
)
def test_no_samples(program: str, options: dict[str, str], message: str, tmp_path: Path) -> None:
    """Without data, or any in the part, there is nothing to draw."""
    given = {"data": "digits"} if "part" in options else {}
    with pytest.raises(netc.NetError, match=message):
        show.samples(netc.compile(program), tmp_path / "s.svg", **given, **options)  # type: ignore[arg-type]  # as tests give them


def test_sequences_are_no_pictures(tmp_path: Path) -> None:
    """Sequences are neither pictures nor features."""
    net = netc.compile("INPUT(5x3, sequence) -> GAP -> FC(2)")
    data = (np.zeros((10, 5, 3), np.float32), np.arange(10) % 2)
    with pytest.raises(netc.NetError, match="no input of the data is a picture"):
        show.samples(net, tmp_path / "s.svg", data=data)
