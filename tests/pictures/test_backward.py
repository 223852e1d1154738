"""Forward and backward pass on a page: two lanes, column by column."""

from random import Random
from typing import Any

import numpy as np
import pytest
from support.networks import random_network
from support.scenes import crossings, fits_a4, problems, said, struck

import netc
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.scene import Bounds, Scene
from netc.drawing import to_scene
from netc.sources import zoo


def _drawn(network: netc.Network, **choices: Any) -> Scene:
    return to_scene(network.model, "backward", **choices)


def _box(scene: Scene, text: str) -> list[Bounds]:
    boxes = [group for group in scene.groups if group.role == "box"]
    return [bounds(group) for group in boxes if text in said(Scene(0, 0, (group,), ""), "box")]


POINTS = {
    "chain_rule": {"x": [[2.0]]},
    "product": {"x": [[-2.0]], "y": [[3.0]]},
    "relu_layer": {"X": [[1.0, 2.0, 3.0]]},
    "logistic_neuron": {"x": [[-1.0, -2.0]]},
    "two_sigmoid_layers": {"x": [[1.0, -2.0]]},
    "weight_decay": {"x": [[1.0, 2.0, 3.0]]},
}


def _differentiable(name: str) -> Scene:
    try:
        return _drawn(netc.load(f"zoo:{name}"))
    except netc.NetError as caught:
        if {found.code for found in caught.diagnostics} <= {"E131"}:
            pytest.skip("a step has no gradient")
        raise


@pytest.mark.parametrize("name", zoo())
def test_the_zoo_fits_a_page(name: str) -> None:
    """Each spec's chain rule fits A4 with text of 6 points, folded where it must be."""
    scene = _differentiable(name)
    assert problems(scene) == []
    assert crossings(scene) == []
    assert struck(scene) == []
    assert fits_a4(scene)


def test_resnet18_is_folded() -> None:
    """Blocks are a box forward and one beneath it, repeated blocks once."""
    scene = _drawn(netc.load("zoo:resnet18"))
    words = said(scene, "box")
    for block in ("layer1.0 \N{HORIZONTAL ELLIPSIS}", "layer2.0", "layer4.1"):
        assert block in words
        assert f"\N{NABLA} {block}" in words
    assert "\N{MULTIPLICATION SIGN} 2" in words
    assert "\u2202fc/\u2202input" in words
    coarse = said(_drawn(netc.load("zoo:resnet18"), depth=1), "box")
    assert "layer4" in coarse
    assert "layer4.1" not in coarse


def test_dropout_passes_gradients() -> None:
    """Gradients go on through what does nothing in inference."""
    words = said(_drawn(netc.load("zoo:bert_base_uncased")), "box")
    assert "\N{NABLA} dropout1" in words


def test_a_folded_loss_is_its_formula() -> None:
    """Where layers are folded, the loss stays a formula with its derivative beneath it."""
    words = said(_drawn(netc.load("zoo:digits_cnn")), "box")
    assert "\N{MINUS SIGN}1/N \u2211 t log p" in words
    assert "(p \N{MINUS SIGN} t) / N" in words
    assert "target" in words


def test_any_network() -> None:
    """Branches, skips, shared values and repetitions, by operators and folded."""
    drawn = 0
    for seed in range(150):
        try:
            network = netc.compile(random_network(Random(f"backward {seed}")))
            scene = _drawn(network, compact=seed % 2 == 0)
        except netc.NetError:
            continue
        assert crossings(scene) == [], seed
        assert struck(scene) == [], seed
        drawn += 1
    assert drawn > 20


def test_what_is_too_large() -> None:
    """A picture that nobody could read is refused, with a way out."""
    with pytest.raises(netc.NetError, match="too large to draw") as caught:
        _drawn(netc.load("zoo:resnet152"), compact=False)
    assert caught.value.diagnostics[0].code == "E511"


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("spec", POINTS)
def test_numbers_have_room(spec: str, numbers: bool) -> None:
    """No line runs through a number or a box, nothing overlaps, and the page is A4."""
    inputs = {name: np.array(rows, np.float32) for name, rows in POINTS[spec].items()}
    scene = _drawn(netc.load(f"zoo:{spec}"), **({"inputs": inputs} if numbers else {}))
    assert problems(scene) == []
    assert crossings(scene) == []
    assert struck(scene) == []
    assert fits_a4(scene)


def test_gradients_stand_beneath_what_they_are_of() -> None:
    """The formula of a ReLU's gradient is in the ReLU's column, in the lane below."""
    scene = _drawn(netc.load("zoo:relu_layer"))
    (relu,) = _box(scene, "max(0, x)")
    (gradient,) = _box(scene, "g if x > 0, else 0")
    assert relu.center[0] == pytest.approx(gradient.center[0])
    assert relu.bottom < gradient.top
    (x,), (slope,) = _box(scene, "X"), _box(scene, "∂H/∂X")
    assert x.center[0] == pytest.approx(slope.center[0])


def test_a_chain_is_straight() -> None:
    """The operators of a chain share a height, and so do their gradients."""
    inputs = {"x": np.array([[2.0]], np.float32)}
    scene = _drawn(netc.load("zoo:chain_rule"), inputs=inputs)
    assert "∂f/∂u" in said(scene)
    heights = [_box(scene, text)[0].center[1] for text in ("1/x", "f")]
    assert heights[0] == pytest.approx(heights[1])


@pytest.mark.parametrize(
    "program",
    [
        "INPUT(3) -> FC(2)",
        "INPUT(8x8x1) -> CONV(3x3, 4) -> RELU -> POOL -> FC(10) -> SOFTMAX",
        "a = INPUT(3) -> RELU\nb = a -> FC(3)\n( a | b ) -> ADD -> TANH -> FC(2)",
        "a = INPUT(4) -> FC(4)\nb = a -> TANH\nc = a -> SIGMOID\n( a | b | c ) -> CONCAT -> FC(1)",
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_losses(program: str, theme: str) -> None:
    """Networks with a loss, with branches and without."""
    scene = _drawn(netc.compile(program), loss="mse", theme=theme)
    assert problems(scene) == []
    assert crossings(scene) == []
    assert struck(scene) == []
