"""Forward and backward pass on a page: two lanes, column by column."""

import re
from random import Random
from typing import Any

import numpy as np
import pytest
from support.network_rows import pages
from support.networks import random_network
from support.scenes import check_page, crossings, problems, said, struck

import netc
from netc.chain_rules import chain_rule
from netc.compiler.emit.circuit import Circuit, Part
from netc.compiler.pictures.folded_circuit import folded_circuits
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.scene import Bounds, Scene
from netc.drawing import to_picture, to_scene


def _drawn(network: netc.Network, **choices: Any) -> Scene:
    return to_scene(network.model, "backward", **choices)


def _box(scene: Scene, text: str) -> list[Bounds]:
    boxes = [group for group in scene.groups if group.role == "box"]
    return [bounds(group) for group in boxes if text in said(Scene(0, 0, (group,), ""), "box")]


def _folded(program: str) -> Circuit:
    """What is drawn of a program by its layers."""
    found = chain_rule(netc.compile(program).model)
    return next(folded_circuits(found.rule, found.losses, found.graph, Part("value", "y")))


def _kept(circuit: Circuit) -> dict[str, set[str]]:
    """For each gradient the boxes that it reads values of."""
    found: dict[str, set[str]] = {}
    for wire in circuit.wires:
        if wire.role == "kept":
            source, target = (circuit.parts[name].text for name in (wire.source, wire.target))
            found.setdefault(target.removeprefix("\N{NABLA} "), set()).add(source)
    return found


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


# Resolutions side by side, or what leads into each block, forward and backward: no fold brings
# these onto a page of legible text.
WIDE = ("generative/dit_s_2", "resnet/hrnet_w18")


@pytest.mark.parametrize("name", pages())
def test_the_zoo_fits_a_page(name: str) -> None:
    """Each spec's chain rule fits A4 with text of 6 points, folded where it must be."""
    scene = _differentiable(name)
    if name in WIDE:
        assert problems(scene) != []
        return
    check_page(scene)


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


def test_a_fold_keeps_what_gradients_read() -> None:
    """A line goes from each box that holds a value to the gradient that reads it, turns included.

    FC reads what it takes, not what it yields, and its weights are in its own box.
    """
    drawn = _folded("INPUT(8x8x3) -> [CONV(3x3, 4) -> BN -> RELU]*4 -> FC(10)")
    assert _kept(drawn) == {
        "conv1": {"input", "conv1"},
        "conv2 … relu4": {"conv1", "conv2 … relu4"},
        "fc1": {"conv2 … relu4"},
    }


def test_a_block_keeps_what_gradients_read() -> None:
    """So it is with a block that is a box, from inside and from before it."""
    program = "block B(n) { [FC(n) -> TANH]*2 }\nINPUT(3) -> B(4) as a -> B(5) as b -> FC(2)"
    found = chain_rule(netc.compile(program).model)
    coarse = next(
        folded_circuits(found.rule, found.losses, found.graph, Part("value", "y"), depth=1)
    )
    assert _kept(coarse) == {"a": {"input", "a"}, "b": {"a", "b"}, "fc1": {"b"}}


def test_a_fold_says_what_it_holds() -> None:
    """A fold without a name is called by its ends, and tells one turn from all of them."""
    drawn = _folded("INPUT(8x8x3) -> [CONV(3x3, 4) -> BN -> RELU]*4 -> FC(10)")
    (box,) = (part for part in drawn.parts.values() if part.text == "conv2 … relu4")
    assert box.more == ("1 CONV 3x3 · BN · RELU", "4 filters", "\N{MULTIPLICATION SIGN} 3")
    (back,) = (part for part in drawn.parts.values() if part.text == "∇ conv2 … relu4")
    assert back.more == ("of 3 \N{MULTIPLICATION SIGN} 156 weights",)
    words = said(_drawn(netc.load("zoo:resnet18")), "box")
    assert "7 layers each" in words
    assert "of 2 \N{MULTIPLICATION SIGN} 73,984 weights" in words


def test_shared_weights_are_told() -> None:
    """A tower's gradients read its own values; whose weights it uses is written in its boxes."""
    tower = "block T { FC(4) -> TANH -> FC(2) }\n"
    drawn = _folded(
        f"{tower}a = INPUT(3) -> T as t\nb = INPUT(3) -> T(share=t) as s\n( a | b ) -> SUB"
    )
    for name, source in (("t", "input"), ("s", "input2")):
        read = _kept(drawn)
        assert read[f"{name}.fc1"] == {source, f"{name}.fc1"}
        assert read[f"{name}.fc2"] == {f"{name}.fc1"}
    told = {part.text: part.more for part in drawn.parts.values()}
    assert told["∇ t.fc1"] == ("of 16 shared weights",)
    assert told["∇ s.fc1"] == ("of the weights of t.fc1",)
    assert "weights of t.fc1" in told["s.fc1"]


def test_unrolled_weights_are_told() -> None:
    """Steps in time that share weights read what the step before yields, not where weights are."""
    cell = "block C(; x, h) { ( ( x -> FC(4) as wx | h -> FC(4) as wh ) -> ADD -> TANH as y ) }\n"
    drawn = _folded(
        f"{cell}h0 = INPUT(4)\nh1 = ( INPUT(3) | h0 ) -> C as c1\n"
        "h2 = ( INPUT(3) | h1 ) -> C(share=c1) as c2"
    )
    read = _kept(drawn)
    assert read["c2.wh"] == {"c1.y"}
    assert read["c2.y"] == {"c2.y"}
    told = {part.text: part.more for part in drawn.parts.values()}
    assert told["∇ c2.wh"] == ("of the weights of c1.wh",)


def test_a_tied_embedding_is_told() -> None:
    """The head that uses the embedding's weights reads what it takes alone."""
    words = said(_drawn(netc.load("zoo:gpt2_small")), "box")
    assert "of 38,597,376 shared weights" in words
    assert "of the weights of transformer.wte" in words


def test_a_folded_loss_reads_what_its_formula_says() -> None:
    """The derivative of a loss takes the target and what the loss takes of the network."""
    program = "INPUT(3) -> FC(2)\ntrain { loss = cross_entropy }"
    assert _kept(_folded(program))["(p \N{MINUS SIGN} t) / N"] == {"target", "fc1"}


@pytest.mark.parametrize("compact", [False, True])
def test_what_is_differentiated_without_a_loss(compact: bool) -> None:
    """The legend says what L is where several outputs have no loss; a loss is in its own box."""
    program = "x = INPUT(3)\noutput a = x -> FC(2)\noutput b = x -> FC(2)"
    words = "the sum of the numbers of all outputs, as there is no loss"
    scene = _drawn(netc.compile(program), compact=compact)
    assert {"L", words} <= set(said(scene, "legend"))
    assert problems(scene) == []
    losses = {"a": "mse", "b": "mse"}
    scene = _drawn(netc.compile(program), loss=losses, compact=compact)
    assert words not in said(scene, "legend")
    assert words not in said(_drawn(netc.load("zoo:two_sigmoid_layers")), "legend")


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
    for seed in range(180):
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
    check_page(scene)


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


@pytest.mark.parametrize("style", ["backward", "ops"])
@pytest.mark.parametrize("direction", ["TB", "LR", "BT", "RL"])
def test_directions(direction: str, style: str) -> None:
    """The forward graph flows where it should, and nothing meets, whichever way it is."""
    for name in ("digits_cnn", "siamese"):
        scene = to_scene(netc.load(f"zoo:{name}").model, style, direction=direction)
        check_page(scene)
    chain = to_scene(netc.load("zoo:relu_layer").model, style, direction=direction)
    last = "H" if style == "backward" else "output"
    ends = (_box(chain, "X")[0].center, _box(chain, last)[0].center)
    steps = [end - start for start, end in zip(*ends, strict=True)]
    along, across = steps[::-1] if direction in ("TB", "BT") else steps
    assert (along > 0) == (direction in ("TB", "LR"))
    assert abs(along) > abs(across)


def test_gradients_stand_beside_what_they_are_of() -> None:
    """In a picture that flows downwards the lanes stand side by side."""
    scene = _drawn(netc.load("zoo:relu_layer"), direction="TB")
    (relu,) = _box(scene, "max(0, x)")
    (gradient,) = _box(scene, "g if x > 0, else 0")
    assert relu.center[1] == pytest.approx(gradient.center[1])
    assert relu.right < gradient.left
    assert "gradient of the operator beside it" in said(scene, "legend")


ATTENTION_UNET = """\
block Double(c) { [CONV(3x3, c, bias=no) -> BN -> RELU]*2 }
block Gate(c; skip, g) {
  ( ( skip -> CONV(1x1, c) | g -> CONV(1x1, c) ) -> ADD -> RELU -> CONV(1x1, 1) -> SIGMOID
  | skip ) -> MUL
}
block Up(c; skip, x) {
  u = x -> UPCONV(2x2, c, stride=2)
  ( ( skip | u ) -> Gate(c // 2) as gate | u ) -> CONCAT -> Double(c) as conv
}
e1 = INPUT(128x128x1) -> Double(64) as enc1
e2 = e1 -> POOL -> Double(128) as enc2
e3 = e2 -> POOL -> Double(256) as enc3
e4 = e3 -> POOL -> Double(512) as enc4
b = e4 -> POOL -> Double(1024) as bottleneck
( e1 | ( e2 | ( e3 | ( e4 | b ) -> Up(512) ) -> Up(256) ) -> Up(128) ) -> Up(64) -> CONV(1x1, 2)
"""


@pytest.mark.parametrize("page", ["a4", "a5", "160x100"])
def test_what_is_advised_helps(page: str, recwarn: pytest.WarningsRecorder) -> None:
    """Small text is warned of with a page on which it is legible; blocks are folded already."""
    model = netc.compile(ATTENTION_UNET).model
    to_picture(model, "svg", style="backward", page=page)
    words = str(recwarn.pop().message)
    assert "--depth" not in words
    (advised,) = re.findall(r"`--page (\w+)`", words)
    to_picture(model, "svg", style="backward", page=advised)
    assert not recwarn.list


@pytest.mark.parametrize("style", ["backward", "ops"])
def test_pages(style: str) -> None:
    """A chain rule fits the page that is asked for, with and without its title."""
    model = netc.load("zoo:digits_cnn").model
    width, height = (side * 72 / 25.4 for side in (180.0, 120.0))
    for title in (True, False):
        scene = to_scene(model, style, page="180x120", title=title)
        sides = sorted((scene.width, scene.height))
        assert sides[0] <= height + 1e-6
        assert sides[1] <= width + 1e-6
        assert (said(scene, "title") != []) == title
    with pytest.raises(netc.NetError, match=r"E511.*unknown page `b5`"):
        to_scene(model, style, page="b5")
    with pytest.raises(netc.NetError, match=r"E511.*unknown diagram direction `up`"):
        to_scene(model, style, direction="up")
