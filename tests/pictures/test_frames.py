"""What stands for many layers: frames, folded boxes, and turns that are drawn once."""

import pytest
from support.scenes import (
    box,
    contains,
    drawn,
    drawn_spec,
    fits_a4,
    frames,
    lines_of,
    problems,
    said,
    words,
)

import netc
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.scene import texts
from netc.drawing import operators


def test_a_frame_holds_all_that_flows_between_its_members() -> None:
    """The activations and pools between the labelled convolutions of VGG-16 are in `features`."""
    scene = drawn_spec("vgg16", compact=False)
    around = frames(scene, "features")
    for name in ("features.0", "relu1", "pool1", "features.28"):
        assert any(contains(frame, box(scene, name)) for frame in around), name
    for name in ("input", "pool5", "classifier.0"):
        assert not any(frame.overlaps(box(scene, name)) for frame in around), name


def test_folded_scopes_keep_the_order() -> None:
    """VGG-16 at depth 1 is a chain from the input to the output."""
    scene = drawn_spec("vgg16", depth=1)
    names = [group.name for group in scene.groups if group.role == "box"]
    assert names == ["input", "features", "pool5", "classifier", "output"]
    tops = [box(scene, name).top for name in names]
    assert tops == sorted(tops)
    assert "138,357,544 parameters" in " ".join(said(scene, "title"))


def test_a_skip_runs_inside_what_is_repeated() -> None:
    """The skip of ResNet-18's repeated block starts and ends within the block's frame."""
    scene = drawn_spec("resnet18")
    (frame,) = frames(scene, "layer1.0")
    assert "\N{MULTIPLICATION SIGN} 2" in said(scene, "frame")
    skips = [line for line in lines_of(scene) if line.paint.width > 0.9 * line.arrow / 5.0 + 0.2]
    inside = [line for line in skips if contains(frame, bounds(line), 0.5)]
    assert inside
    add = box(scene, "layer1.0.add1")
    assert any(abs(line.points[-1][0] - add.right) < 1 for line in inside)


def test_frames_that_differ_by_numbers_are_drawn_once() -> None:
    """The later stages of ResNet-50 are one frame, with the numbers of all in a list."""
    scene = drawn_spec("resnet50")
    of_box = words(scene, "layer2.1.conv2")
    assert "3x3, 128 | 256 | 512 filters" in of_box
    assert "28x28x128 \N{HORIZONTAL ELLIPSIS} 7x7x512" in of_box
    of_frames = said(scene, "frame")
    assert "layer2 \N{HORIZONTAL ELLIPSIS} layer4" in of_frames
    assert "\N{MULTIPLICATION SIGN} 3 | 5 | 2" in of_frames
    assert "\N{MULTIPLICATION SIGN} 3" in of_frames


def test_both_sides_of_a_u_are_folded() -> None:
    """Where U-Net's decoder is folded, so is its encoder; both say which layers they hold."""
    scene = drawn_spec("unet")
    for name in ("down1", "up1.double"):
        assert "2 CONV 3x3, 128 filters, valid RELU" in words(scene, name)
    assert "2 CONV, 2 RELU, 1 DROPOUT" in words(scene, "bottom")


def test_one_of_what_is_folded_is_open() -> None:
    """GoogLeNet's first Inception blocks show their branches, the later ones how many layers."""
    scene = drawn_spec("googlenet")
    assert "3x3, 128 | 192 filters" in words(scene, "inception3a.branch2.1.conv")
    assert "20 layers, \N{MULTIPLICATION SIGN} 5" in words(
        scene, "inception4a \N{HORIZONTAL ELLIPSIS} inception4e"
    )
    assert fits_a4(scene)


def test_what_moves_numbers_is_one_box() -> None:
    """Swin's merging of patches, six layers that only rearrange, is a box that counts them."""
    found = words(drawn_spec("swin_t"), "features.2.reshape1")
    assert "and 3 RESHAPE, 2 PERMUTE" in found or "and 2 PERMUTE, 3 RESHAPE" in found


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_is_folded_may_read_what_comes_later(depth: int) -> None:
    """BERT's embeddings, folded, stand before an input that they read, and are drawn after it."""
    assert problems(drawn_spec("transformers/bert_base_uncased", depth=depth)) == []


def test_operators_call_inputs_and_folded_layers_as_graphs_do() -> None:
    """A label wins over a name, and a folded box says once how many layers it holds."""
    net = netc.compile(
        "z = INPUT(8) as noise -> [FC(8) -> RELU -> LN -> DROPOUT -> FC(8) -> TANH]*3 as up"
    )
    for compact in (False, True):
        scene = operators(net.graph, compact=compact)
        assert "noise" in {text.text for text in texts(scene.shapes)}
    folded = [text.text for text in texts(operators(net.graph, depth=1).shapes)]
    assert folded.count("6 layers each") == 1
    assert folded.count("\N{MULTIPLICATION SIGN} 3") == 1


def test_what_stands_for_several_turns_says_what_all_have() -> None:
    """A folded box has the parameters of all its turns."""
    program = (
        "block Tower() { CONV(3x3, 4) as a -> RELU -> CONV(3x3, 4) as b -> RELU }\n"
        "INPUT(8x8x4) -> for i in range(6) { Tower() as t.{i} } -> FC(2)"
    )
    layer = 4 * 4 * 9 + 4
    assert f"{6 * 2 * layer:,} params" in " ".join(said(drawn(program, depth=1), "box"))


def test_layers_of_a_block_without_a_frame_keep_its_name() -> None:
    """Memory enters both decoders within, so neither has a frame: names say whose layers are."""
    program = (
        "block Decoder(; x, memory) {\n"
        "  a = x -> LINEAR(8) as own\n"
        "  ( ( a | memory | memory ) -> ATTENTION(2) as cross | a ) -> ADD\n"
        "}\n"
        "x = INPUT(4x8, sequence) as target\n"
        "m = INPUT(4x8, sequence) as source -> LINEAR(8) as first\n"
        "d = ( x | m ) -> Decoder() as one\n"
        "( d | m ) -> Decoder() as two -> LINEAR(2)"
    )
    scene = drawn(program)
    assert frames(scene, "two") == []
    assert "two.own" in words(scene, "two.own")
    assert "two.cross" in words(scene, "two.cross")
