"""What boxes, titles and legends say."""

import re
from pathlib import Path

import pytest
from support.scenes import (
    crossings,
    drawn,
    drawn_spec,
    problems,
    said,
    words,
)

import netc
from netc.compiler.pictures.graph import graph_scene
from netc.compiler.pictures.scene import Group


def test_arguments_are_short() -> None:
    """Switches are names, numbers have three digits, and a kernel along one axis says so."""
    program = "INPUT(16x8, sequence) -> CONV(kernel=7, 32) as c -> DROPOUT(1/17) as d"
    scene = drawn(f"{program} -> ATTENTION(4, causal=yes) as a", compact=False)
    assert "kernel 7, 32 filters" in words(scene, "c")
    assert "rate 0.0588" in words(scene, "d")
    assert "4 heads, causal" in words(scene, "a")


def test_normalizations_and_activations_join_their_layer() -> None:
    """A compact picture says `BN` and `RELU` in the convolution's box, and adds up parameters."""
    program = "INPUT(8x8x3) -> CONV(4, bias=no) as c -> BN -> RELU -> POOL -> FC(2)"
    scene = drawn(program, compact=True)
    assert [group.name for group in scene.groups if group.role == "box"] == [
        *("input", "c", "pool1", "fc1", "output")
    ]
    assert "BN \N{MIDDLE DOT} RELU" in words(scene, "c")
    assert "116 params" in words(scene, "c")  # 108 weights, a scale and a shift of 4 channels
    shared = "x = INPUT(8x8x3) -> CONV(4) as c\n( x -> RELU | x ) -> ADD -> FC(2)"
    assert "RELU" not in words(drawn(shared, compact=True), "c")


def test_shared_weights_name_their_owner() -> None:
    """The second tower of the siamese network has no parameters of its own, and says whose."""
    scene = drawn_spec("siamese")
    assert "401,536 params" in words(scene, "twin.conv2")
    assert "weights of twin.conv2" in words(scene, "other.conv2")
    assert "params" not in words(scene, "other.conv2")


def test_multiply_accumulates_add_up() -> None:
    """What boxes say with `macs` is the total, folded or not."""
    for depth in (None, 1):
        scene = drawn_spec("lenet5" if depth is None else "vgg16", depth=depth, show=["macs"])
        said_of_boxes = " ".join(said(scene, "box"))
        numbers = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) MACs", said_of_boxes)]
        assert f"{sum(numbers):,} MACs" in " ".join(said(scene, "title"))


def test_stripes_have_a_legend() -> None:
    """A compact picture says what the colours of joined layers mean; others name all layers."""
    program = "INPUT(8x8x3) -> CONV(4) -> BN -> RELU -> FC(2)"
    assert set(said(drawn(program, compact=True), "legend")) == {
        *("input", "convolution", "normalization", "activation", "dense", "output")
    }
    assert said(drawn(program, compact=False), "legend") == []
    assert said(drawn(program, compact=True, title=False), "legend") == []


def test_what_boxes_say() -> None:
    """`show` chooses it; kinds stay, and so do the names of what is folded."""
    program = "INPUT(8x8x3) -> CONV(4) as c -> FC(2)"
    assert words(drawn(program, show=[]), "c") == "CONV"
    assert words(drawn(program, show=["params"]), "c") == "CONV 112 params"
    assert words(drawn(program, show=["names", "shapes"]), "c") == "CONV c 8x8x4"
    assert said(drawn(program, title=False), "title") == []


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "\u05e9\u05dc\u05d5\u05dd", "x" * 200, "a & b"]
)
def test_any_name_fits_its_box(name: str) -> None:
    """Long names are shortened, others shown as they are."""
    net = netc.compile("INPUT(4) -> FC(3) as hidden -> FC(2)")
    layers = {name if path == "hidden" else path: layer for path, layer in net.graph.layers.items()}
    net.graph.layers = layers
    scene = graph_scene(_renamed(net, "hidden", name).graph)
    assert crossings(scene) == []
    assert problems(scene) == []


def _renamed(net: netc.Network, old: str, new: str) -> netc.Network:
    """A network whose layer has a name that no program could give it."""
    from dataclasses import replace

    graph = net.graph
    for identifier, node in list(graph.nodes()):
        if node.scope == old:
            graph.records[identifier] = replace(node, scope=new)
    return net


def test_a_group_stands_for_each_layer() -> None:
    """Every layer has a box with its path, and a tooltip that says what it is."""
    scene = drawn("INPUT(8x8x3) -> CONV(4) as c -> FC(2)")
    titles = {g.name: g.title for g in scene.groups if g.role == "box" and isinstance(g, Group)}
    assert titles["c"] == "CONV c: 8x8x4"
    assert re.fullmatch(r"OUTPUT output: 2", titles["output"])


def test_what_is_no_path_or_several_words(tmp_path: Path) -> None:
    """Python refuses what is no path, and takes what to show as the command line does."""
    net = netc.compile("INPUT(2) -> FC(1)")
    for path in (None, 5):
        with pytest.raises(netc.NetError, match=f"`path` must be a path, not `{path}`"):
            net.draw(path)  # type: ignore[arg-type]  # on purpose
    worded, listed = tmp_path / "words.svg", tmp_path / "list.svg"
    net.draw(worded, show="names, macs")
    net.draw(listed, show=["names", "macs"])
    assert worded.read_bytes() == listed.read_bytes()
    assert b"MACs" in worded.read_bytes()
