"""Feature maps and saliency: the numbers of `run` and `value_and_grad`, drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.figures import Figures

import netc
from netc import show
from netc.records import Run
from netc.runtime.inspection.feature_maps import feature_maps
from netc.runtime.inspection.saliency import saliency
from netc.runtime.plots.pixels import heat_pixels, map_pixels

Trained = tuple[netc.Network, Run]


def first_sample(run: Run) -> Any:
    """The first sample of the test part as it is, and as the network takes it."""
    part = run.job.part("test")
    raw = run.job.data.take(part.indices[:1]).inputs["input"]
    return raw, next(part.still(1))["input"]


def test_maps_are_what_layers_yield(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """A row for each level, after its activation, the strongest channels first."""
    net, run = digits
    raw, fed = first_sample(run)
    show.maps(net, tmp_path / "m.svg", run=run, most=3)
    found = net.run(fed, run.state, fetch=["relu1", "pool"])
    assert isinstance(found, dict)
    picture, *maps = figures.images()
    np.testing.assert_allclose(picture[..., 0], raw[0, 0])
    for level, shown in (("relu1", maps[:3]), ("pool", maps[3:])):
        values = found[level][0]
        order = np.argsort(-np.abs(values).mean(axis=(1, 2)), kind="stable")
        for pixels, channel in zip(shown, order, strict=False):
            np.testing.assert_allclose(pixels, map_pixels(values[channel]), atol=1e-6)
    assert {"conv\nafter relu1\n8x8x4", "pool\n4x4x4", "input"} <= set(figures.texts())


def test_white_is_zero() -> None:
    """A map is white where it is 0, blue above and orange below, by its own largest value."""
    pixels = map_pixels(np.array([[0.0, 2.0, -2.0]]))[0]
    np.testing.assert_allclose(pixels[0], 1, atol=0.01)
    assert pixels[1, 2] > pixels[1, 0]
    assert pixels[2, 0] > pixels[2, 2]


def test_many_levels_are_thinned() -> None:
    """Of a deep network, the last level of each resolution stands for the others."""
    net = netc.load("zoo:resnet18")
    x = np.zeros((1, 3, 224, 224), np.float32)
    levels = feature_maps(net.graph, net.initialize(), {"input": x}, most=1)
    assert [level.maps.shape[1] for level in levels] == [112, 56, 28, 14, 7]
    assert [level.count for level in levels] == [64, 64, 128, 256, 512]


@pytest.mark.parametrize(
    ("program", "options", "message"),
    [
        ("INPUT(4) -> FC(3)", {}, "`chain` has no feature maps"),
        ("INPUT(8x8x1) -> CONV(3x3, 2) -> FC(3)", {"layers": ["fc1"]}, "is not feature maps"),
        ("INPUT(8x8x1) -> CONV(3x3, 2)", {"layers": ["cnv1"]}, "unknown layer or value `cnv1`"),
        ("INPUT(8x8x1) -> CONV(3x3, 2)", {"sample": 1}, "there is no sample 1: what is given has"),
    ],
)
def test_no_maps(program: str, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    """What has no maps, no such layer or no such sample is refused."""
    net = netc.compile(program)
    x = np.zeros((1, *map(int, net.inputs[0].shape[1:])), np.float32)
    with pytest.raises(netc.NetError, match=message):
        show.maps(net, tmp_path / "m.svg", x, net.initialize(), **options)


def test_saliency_is_the_gradient(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """The pixels beside a picture are |d score / d pixel|, as `value_and_grad` computes it."""
    net, run = digits
    _, fed = first_sample(run)
    one = netc.compile(
        "INPUT(8x8x1) -> CONV(3x3, 4) as conv -> RELU -> POOL as pool -> FC(1) as head"
    )
    state = {**run.state}
    state |= {name: run.state[name][4:5] for name in ("head.weight", "head.bias")}
    _, expected = one.value_and_grad(fed, None, state, of="head", wrt=["input"], training=False)
    found = saliency(net.graph, run.state, {"input": fed}, "output", 4, wrt=["input"])
    np.testing.assert_allclose(found["input"], expected["input"], rtol=1e-5, atol=1e-6)
    show.saliency(net, tmp_path / "s.png", run=run, of=4)
    np.testing.assert_allclose(
        figures.images()[1], heat_pixels(np.abs(expected["input"][0, 0])), atol=0.01
    )


def test_saliency_of_the_answer(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """Without a class it is the one that the network answers, with its probability."""
    net, run = digits
    raw, _ = first_sample(run)
    show.saliency(net, tmp_path / "s.png", raw, run=run)
    name, share = net.predict(raw, run=run).answers["output"][0].ranked[0]
    assert f"class {name}: {share:.2f}" in figures.texts()


def test_scores_count_before_softmax() -> None:
    """A probability near 1 hardly moves; the score below it does."""
    plain = netc.compile("INPUT(4x4x1) -> FC(3) as f")
    soft = netc.compile("INPUT(4x4x1) -> FC(3) as f -> SOFTMAX")
    x = {"input": np.ones((1, 1, 4, 4), np.float32)}
    state = plain.initialize(0)
    results = [saliency(net.graph, state, x, "output", 1, wrt=["input"]) for net in (plain, soft)]
    np.testing.assert_array_equal(results[0]["input"], results[1]["input"])


@pytest.mark.parametrize(
    ("program", "options", "message"),
    [
        ("INPUT(4) -> FC(3)", {}, "no input of `chain` is a picture"),
        ("INPUT(4x4x1) -> FC(3)", {"of": 3}, "the output has no class `3`"),
        ("INPUT(4x4x1) -> FC(3)", {"of": "cat"}, "the output has no class `cat`"),
        ("INPUT(4x4x1) -> FC(3)", {"output": "outptu"}, "there is no output `outptu`"),
        ("INPUT(4x4x1) -> STEP -> FC(3)", {}, "no gradient reaches `input`"),
    ],
)
def test_no_saliency(program: str, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    """What is no picture, no class or no output is refused."""
    net = netc.compile(program)
    x = np.zeros((1, *map(int, net.inputs[0].shape[1:])), np.float32)
    with pytest.raises(netc.NetError, match=message):
        show.saliency(net, tmp_path / "s.svg", x, net.initialize(), **options)


def test_networks_that_name_no_loss(figures: Figures, tmp_path: Path) -> None:
    """What a network makes of a sample needs no loss, not even with several outputs."""
    net = netc.compile(
        "f = INPUT(8x8x1) -> CONV(3x3, 2)\noutput a = f -> FC(2)\noutput b = f -> FC(3)"
    )
    state, x = net.initialize(), np.ones((1, 1, 8, 8), np.float32)
    show.maps(net, tmp_path / "m.png", x, state)
    assert len(figures.images()) == 3
    show.saliency(net, tmp_path / "s.png", x, state, output="b", of=2)
    score = net.run(x, state, fetch=["b"])["b"][0, 2]
    assert f"number 2: {score:.3g}" in figures.texts()
    assert sorted(net.predict(x, state).outputs) == ["a", "b"]


def test_pictures_from_files(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """A picture's file is a sample, too; its name is the caption."""
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "seven.png"
    image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(path)
    net, run = digits
    show.saliency(net, tmp_path / "s.png", path, run=run)
    assert "seven.png" in figures.texts()
    np.testing.assert_allclose(
        figures.images()[0][..., 0], np.arange(64).reshape(8, 8) / 255, atol=1e-6
    )
