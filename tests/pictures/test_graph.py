"""The layers of networks on a page."""

import re
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from support.network_rows import pages
from support.networks import random_network
from support.refusals import refusal
from support.scenes import contains, crossings, fits_a4, problems, said

import netc
from netc.compiler.analysis.counts import count
from netc.compiler.emit.collapse import collapse
from netc.compiler.emit.layer_view import layer_view
from netc.compiler.ir.graph import Graph
from netc.compiler.pictures.encoder_decoder import ladder
from netc.compiler.pictures.flow import flow
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.graph import graph_scene
from netc.compiler.pictures.scene import Bounds, Group, Line, Scene, texts
from netc.drawing import operators, to_picture


def _scene(program: str, **options: object) -> Scene:
    return graph_scene(netc.compile(program).graph, **options)  # type: ignore[arg-type]  # by name


def _drawn(spec: str, **options: object) -> Scene:
    return graph_scene(netc.load(f"zoo:{spec}").graph, **options)  # type: ignore[arg-type]  # ditto


def _box(scene: Scene, name: str) -> Bounds:
    (found,) = (group for group in scene.groups if group.role == "box" and group.name == name)
    return bounds(found)


def _frames(scene: Scene, name: str) -> list[Bounds]:
    frames = (g for g in scene.groups if g.role == "frame" and g.name == name)
    return [bounds(frame.shapes[0]) for frame in frames]


def _lines(scene: Scene) -> list[Line]:
    edges = [group for group in scene.groups if group.role == "edge"]
    return [shape for edge in edges for shape in edge.shapes if isinstance(shape, Line)]


def _words(scene: Scene, name: str) -> str:
    (found,) = (group for group in scene.groups if group.role == "box" and group.name == name)
    return " ".join(text.text for text in texts((found,)))


# Too wide or too tall for a page from top to bottom; `netc draw --direction LR` draws them.
ACROSS = (
    *("detection/retinanet_resnet50_fpn", "detection/ssd300_vgg16", "regnet/regnet_y_800mf"),
    *("detection/ssdlite320_mobilenet_v3_large", "detection/fcos_resnet50_fpn"),
    "detection/retinanet_resnet50_fpn_v2",
    "language/qwen3_0_6b",
)


@pytest.mark.parametrize("name", pages())
def test_the_zoo_fits_a_page(name: str) -> None:
    """Each spec fits A4 with text of 6 points, without overlaps and lines through boxes."""
    scene = _drawn(name, **{"direction": "LR"} if name in ACROSS else {})
    assert fits_a4(scene)
    assert problems(scene) == []
    assert crossings(scene) == []


@cache
def _random_graphs() -> dict[int, Graph]:
    """Random networks by their seed, compiled once: most seeds give none."""
    graphs = {}
    for seed in range(500):
        with suppress(netc.NetError):
            graphs[seed] = netc.compile(random_network(Random(f"pictures {seed}"))).graph
    return graphs


@pytest.mark.parametrize("direction", ["TB", "LR", "BT", "RL"])
@pytest.mark.parametrize("compact", [False, True])
def test_any_network(compact: bool, direction: str) -> None:
    """Branches, skips, shared values and repetitions in any order are drawn without a collision."""
    graphs = _random_graphs()
    assert len(graphs) > 50
    for seed, graph in graphs.items():
        scene = graph_scene(graph, direction=direction, compact=compact, page="2000x2000")
        assert crossings(scene) == [], seed


def test_a_frame_holds_all_that_flows_between_its_members() -> None:
    """The activations and pools between the labelled convolutions of VGG-16 are in `features`."""
    scene = _drawn("vgg16", compact=False)
    frames = _frames(scene, "features")
    for name in ("features.0", "relu1", "pool1", "features.28"):
        assert any(contains(frame, _box(scene, name)) for frame in frames), name
    for name in ("input", "pool5", "classifier.0"):
        assert not any(frame.overlaps(_box(scene, name)) for frame in frames), name


def test_folded_scopes_keep_the_order() -> None:
    """VGG-16 at depth 1 is a chain from the input to the output."""
    scene = _drawn("vgg16", depth=1)
    names = [group.name for group in scene.groups if group.role == "box"]
    assert names == ["input", "features", "pool5", "classifier", "output"]
    tops = [_box(scene, name).top for name in names]
    assert tops == sorted(tops)
    assert "138,357,544 parameters" in " ".join(said(scene, "title"))


def test_a_skip_runs_inside_what_is_repeated() -> None:
    """The skip of ResNet-18's repeated block starts and ends within the block's frame."""
    scene = _drawn("resnet18")
    (frame,) = _frames(scene, "layer1.0")
    assert "\N{MULTIPLICATION SIGN} 2" in said(scene, "frame")
    skips = [line for line in _lines(scene) if line.paint.width > 0.9 * line.arrow / 5.0 + 0.2]
    inside = [line for line in skips if contains(frame, bounds(line), 0.5)]
    assert inside
    add = _box(scene, "layer1.0.add1")
    assert any(abs(line.points[-1][0] - add.right) < 1 for line in inside)


def test_frames_that_differ_by_numbers_are_drawn_once() -> None:
    """The later stages of ResNet-50 are one frame, with the numbers of all in a list."""
    scene = _drawn("resnet50")
    words = _words(scene, "layer2.1.conv2")
    assert "3x3, 128 | 256 | 512 filters" in words
    assert "28x28x128 \N{HORIZONTAL ELLIPSIS} 7x7x512" in words
    frames = said(scene, "frame")
    assert "layer2 \N{HORIZONTAL ELLIPSIS} layer4" in frames
    assert "\N{MULTIPLICATION SIGN} 3 | 5 | 2" in frames
    assert "\N{MULTIPLICATION SIGN} 3" in frames


def test_an_encoder_and_a_decoder_are_a_u() -> None:
    """U-Net is wider than tall, skips lead across above the up-convolution, and depth is below."""
    scene = _drawn("unet")
    assert scene.width > scene.height
    for level in range(4):
        ends = (f"down{level}", f"up{level}.crop1", f"up{level}.concat1", f"up{level}.up")
        down, crop, concat, up = (_box(scene, name) for name in ends)
        assert down.right < crop.left < concat.left
        assert crop.bottom < up.top
        assert down.center[1] == pytest.approx(concat.center[1]) == pytest.approx(up.center[1])
    rows = [_box(scene, f"down{level}").top for level in range(4)]
    assert all(above < below for above, below in pairwise(rows))
    turned = _drawn("unet", direction="LR")
    assert turned.width > turned.height
    assert _box(turned, "down0").top < _box(turned, "down3").top
    assert _drawn("unet", layout="layered").width < _drawn("unet", layout="layered").height


def test_both_sides_of_a_u_are_folded() -> None:
    """Where U-Net's decoder is folded, so is its encoder; both say which layers they hold."""
    scene = _drawn("unet")
    for name in ("down1", "up1.double"):
        assert "2 CONV 3x3, 128 filters, valid RELU" in _words(scene, name)
    assert "2 CONV, 2 RELU, 1 DROPOUT" in _words(scene, "bottom")


def test_one_of_what_is_folded_is_open() -> None:
    """GoogLeNet's first Inception blocks show their branches, the later ones how many layers."""
    scene = _drawn("googlenet")
    assert "3x3, 128 | 192 filters" in _words(scene, "inception3a.branch2.1.conv")
    assert "20 layers, \N{MULTIPLICATION SIGN} 5" in _words(
        scene, "inception4a \N{HORIZONTAL ELLIPSIS} inception4e"
    )
    assert fits_a4(scene)


def test_a_parameter_is_beside_what_it_is_added_to() -> None:
    """ViT's sequence runs straight into the sum; the embedding of positions joins from the side."""
    scene = _drawn("vit_b_16", compact=False)
    embedding, sum_ = _box(scene, "encoder.pos_embedding"), _box(scene, "encoder.add1")
    assert embedding.left > sum_.center[0]
    straight = [line for line in _lines(scene) if {x for x, _ in line.points} == {sum_.center[0]}]
    assert any(line.points[0][1] < embedding.top < line.points[-1][1] for line in straight)


def test_later_inputs_stand_next_to_their_readers() -> None:
    """What a chain of steps reads one by one enters at each of them, not all at the start."""
    scene = _scene(
        "block Step(; h, x) { (h | x -> FC(4) as u) -> ADD -> TANH as t }\n"
        "INPUT(4) as h\nINPUT(3) as x1\nINPUT(3) as x2\nINPUT(3) as x3\n"
        "a = (h | x1) -> Step as s1\nb = (a | x2) -> Step as s2\n(b | x3) -> Step as s3",
        direction="LR",
        compact=False,
    )
    assert problems(scene) == crossings(scene) == []
    starts = [_box(scene, f"x{i}").left for i in (1, 2, 3)]
    assert starts == sorted(set(starts))
    for i in (2, 3):
        assert abs(_box(scene, f"x{i}").center[0] - _box(scene, f"s{i}.u").left) < 150


def test_what_moves_numbers_is_one_box() -> None:
    """Swin's merging of patches, six layers that only rearrange, is a box that counts them."""
    words = _words(_drawn("swin_t"), "features.2.reshape1")
    assert "and 3 RESHAPE, 2 PERMUTE" in words or "and 2 PERMUTE, 3 RESHAPE" in words


def test_a_slide_is_not_turned() -> None:
    """A long chain takes the width of a slide, and both ways of a sheet of paper."""
    scene = _drawn("tiny_vgg", page="slide")
    assert scene.height <= 540
    assert _drawn("tiny_vgg").height > 540


def test_arguments_are_short() -> None:
    """Switches are names, numbers have three digits, and a kernel along one axis says so."""
    program = "INPUT(16x8, sequence) -> CONV(kernel=7, 32) as c -> DROPOUT(1/17) as d"
    scene = _scene(f"{program} -> ATTENTION(4, causal=yes) as a", compact=False)
    assert "kernel 7, 32 filters" in _words(scene, "c")
    assert "rate 0.0588" in _words(scene, "d")
    assert "4 heads, causal" in _words(scene, "a")


CODERS = {
    "upsampled": (
        "INPUT(32x32x1) -> CONV(8) as a -> RELU as ra -> POOL -> CONV(8) as b -> RELU as rb -> POOL"
        " -> CONV(8) as c -> UPSAMPLE(2) as u1 -> CONV(8) as d -> (rb | ID) -> CONCAT -> CONV(8)"
        " -> UPSAMPLE(2) as u0 -> CONV(8) as e -> (ra | ID) -> CONCAT -> CONV(8)"
    ),
    "transposed": (
        "INPUT(32x32x1) -> CONV(8) as a -> CONV(8, stride=2) as b -> CONV(8, stride=2) as c"
        " -> UPCONV(2x2, 8) as u1 -> (b | ID) -> ADD -> UPCONV(2x2, 8) as u0 -> (a | ID) -> ADD"
    ),
    "before activations": (
        "INPUT(32x32x1) -> CONV(8) as a -> RELU as ra -> POOL -> CONV(8) as b -> RELU as rb -> POOL"
        " -> CONV(8) as c -> UPCONV(2x2, 8) as u1 -> (b | ID) -> CONCAT"
        " -> UPCONV(2x2, 8) as u0 -> (a | ID) -> CONCAT -> CONV(8)"
    ),
}


@pytest.mark.parametrize("program", CODERS.values(), ids=CODERS)
def test_a_row_of_a_u_is_one_resolution(program: str) -> None:
    """Boxes that yield maps of one size are beside each other, those of smaller ones are below."""
    net = netc.compile(program)
    scene = graph_scene(net.graph, layout="u")
    rows: dict[int, list[float]] = {}
    for row in (row for row in net.layers if row.kind != "ID"):
        rows.setdefault(int(row.output.split("x")[0]), []).append(_box(scene, row.name).center[1])
    assert sorted(rows) == [8, 16, 32]
    for own in rows.values():
        assert own == pytest.approx([own[0]] * len(own))
    assert rows[32][0] < rows[16][0] < rows[8][0]
    assert problems(scene) == crossings(scene) == []


def test_gates_are_no_levels_of_a_u() -> None:
    """A block with squeeze and excitation becomes smaller, and yet is no encoder."""
    gate = "(ID | GAP -> FC(4) -> RELU -> FC(8) -> SIGMOID -> RESHAPE(1x1x8)) -> MUL"
    program = f"INPUT(8x8x8) -> (ID | CONV(8) -> RELU -> CONV(8) -> {gate}) -> ADD -> FC(2)"
    net = netc.compile(program)
    drawing = collapse(layer_view(net.graph, count(net.graph)))
    assert ladder(flow(drawing), drawing.boxes) is None


def test_a_value_from_outside_enters_at_the_side() -> None:
    """BERT's mask reaches the attention of the repeated layer, and nothing else."""
    scene = _drawn("bert_base_uncased")
    mask, attention = _box(scene, "attention_mask"), _box(scene, "encoder.layer.0.attention.self")
    started = [
        line.points[-1]
        for line in _lines(scene)
        if abs(line.points[0][1] - mask.bottom) < 1 and mask.left < line.points[0][0] < mask.right
    ]
    assert len(started) == 1
    assert min(abs(started[0][0] - attention.left), abs(started[0][0] - attention.right)) < 1
    assert attention.top < started[0][1] < attention.bottom
    assert "\N{MULTIPLICATION SIGN} 12" in said(scene, "frame")


def test_long_chains_are_cut_into_columns() -> None:
    """A chain of 60 layers has several columns, each read from above, the first at the left."""
    chain = " -> ".join(f"FC({units}) as fc{units} -> RELU" for units in range(1, 31))
    scene = _scene(f"INPUT(8) -> {chain} -> FC(2)", compact=False)
    columns = sorted({round(_box(scene, f"fc{i}").center[0]) for i in range(1, 31)})
    assert len(columns) > 1
    centers = [_box(scene, f"fc{i}").center for i in range(1, 31)]
    for (x0, y0), (x1, y1) in pairwise(centers):
        assert (x1 == pytest.approx(x0) and y1 > y0) or x1 > x0
    assert fits_a4(scene)
    assert problems(scene) == []


def test_normalizations_and_activations_join_their_layer() -> None:
    """A compact picture says `BN` and `RELU` in the convolution's box, and adds up parameters."""
    program = "INPUT(8x8x3) -> CONV(4, bias=no) as c -> BN -> RELU -> POOL -> FC(2)"
    scene = _scene(program, compact=True)
    assert [group.name for group in scene.groups if group.role == "box"] == [
        *("input", "c", "pool1", "fc1", "output")
    ]
    assert "BN \N{MIDDLE DOT} RELU" in _words(scene, "c")
    assert "116 params" in _words(scene, "c")  # 108 weights, a scale and a shift of 4 channels
    shared = "x = INPUT(8x8x3) -> CONV(4) as c\n( x -> RELU | x ) -> ADD -> FC(2)"
    assert "RELU" not in _words(_scene(shared, compact=True), "c")


def test_shared_weights_name_their_owner() -> None:
    """The second tower of the siamese network has no parameters of its own, and says whose."""
    scene = _drawn("siamese")
    assert "401,536 params" in _words(scene, "twin.conv2")
    assert "weights of twin.conv2" in _words(scene, "other.conv2")
    assert "params" not in _words(scene, "other.conv2")


def test_multiply_accumulates_add_up() -> None:
    """What boxes say with `macs` is the total, folded or not."""
    for depth in (None, 1):
        scene = _drawn("lenet5" if depth is None else "vgg16", depth=depth, show=["macs"])
        said_of_boxes = " ".join(said(scene, "box"))
        numbers = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) MACs", said_of_boxes)]
        assert f"{sum(numbers):,} MACs" in " ".join(said(scene, "title"))


def test_stripes_have_a_legend() -> None:
    """A compact picture says what the colours of joined layers mean; others name all layers."""
    program = "INPUT(8x8x3) -> CONV(4) -> BN -> RELU -> FC(2)"
    assert set(said(_scene(program, compact=True), "legend")) == {
        *("input", "convolution", "normalization", "activation", "dense", "output")
    }
    assert said(_scene(program, compact=False), "legend") == []
    assert said(_scene(program, compact=True, title=False), "legend") == []


def test_what_boxes_say() -> None:
    """`show` chooses it; kinds stay, and so do the names of what is folded."""
    program = "INPUT(8x8x3) -> CONV(4) as c -> FC(2)"
    assert _words(_scene(program, show=[]), "c") == "CONV"
    assert _words(_scene(program, show=["params"]), "c") == "CONV 112 params"
    assert _words(_scene(program, show=["names", "shapes"]), "c") == "CONV c 8x8x4"
    assert said(_scene(program, title=False), "title") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"page": "b5"}, "unknown page `b5`"),
        ({"page": "10x100"}, "the page `10x100` is too small"),
        ({"page": "400x20"}, "the page `400x20` is too small"),
        ({"layout": "u"}, "the network is no U: it has no encoder and decoder that skips join"),
        ({"show": ["macs!"]}, "unknown diagram item to show `macs!`"),
        ({"layout": "tree"}, "unknown diagram layout `tree`"),
        ({"depth": 0}, "the depth of a diagram must be at least 1, not 0"),
        ({"direction": "up"}, "unknown diagram direction `up`"),
    ],
    ids=["name", "size", "strip", "u", "show", "layout", "depth", "direction"],
)
def test_unknown_choices(options: dict[str, object], message: str) -> None:
    """What there is not is an error with what there is."""
    caught = refusal(_scene, "INPUT(2) -> FC(1)", **options)
    assert caught.splitlines()[0] == f"error[E511]: {message}"


def test_the_page_is_what_was_asked_for() -> None:
    """A smaller page makes a smaller picture, of the same network."""
    large, small = _drawn("lenet5"), _drawn("lenet5", page="120x80")
    millimetre = 72 / 25.4
    assert max(small.width, small.height) <= 120 * millimetre + 0.1
    assert min(small.width, small.height) <= 80 * millimetre + 0.1
    assert len(small.groups) >= len(large.groups)


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
    scene = _scene("INPUT(8x8x3) -> CONV(4) as c -> FC(2)")
    titles = {g.name: g.title for g in scene.groups if g.role == "box" and isinstance(g, Group)}
    assert titles["c"] == "CONV c: 8x8x4"
    assert re.fullmatch(r"OUTPUT output: 2", titles["output"])


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_is_folded_may_read_what_comes_later(depth: int) -> None:
    """BERT's embeddings, folded, stand before an input that they read, and are drawn after it."""
    assert problems(_drawn("transformers/bert_base_uncased", depth=depth)) == []


def test_a_skip_over_what_cannot_be_taken_apart() -> None:
    """A net in which each merge reads all before it has a line from its input to the last one."""
    scene = _scene("""
a = INPUT(8x8x4)
b = a -> CONV(3x3, 2) -> RELU
c = ( a | b ) -> CONCAT -> CONV(3x3, 2) -> RELU
d = ( a | b | c ) -> CONCAT -> CONV(3x3, 2) -> RELU
( a | b | c | d ) -> CONCAT -> GAP -> FC(3)
""")
    assert problems(scene) == []
    assert crossings(scene) == []
    top, merge = _box(scene, "input"), _box(scene, "concat3")
    ends = [(line.points[0][1], line.points[-1][1]) for line in _lines(scene)]
    assert any(abs(y - top.bottom) < 1 and abs(z - merge.top) < 1 for y, z in ends)


PYRAMID = (
    "INPUT(32x32x3) -> CONV(8) as a -> CONV(8, stride=2) as b -> CONV(8, stride=2) as c\n"
    "( c -> UPSAMPLE(2) | b -> CONV(8) ) -> ADD as p\n"
    "( p -> UPSAMPLE(2) | a -> CONV(8) as side ) -> ADD as q\n"
    "c -> CONV(4) as low\np -> CONV(4) as middle\nq -> CONV(4) as high\n"
    "output low\noutput middle\noutput high"
)


def test_lines_of_a_knot_bend_and_pass_ranks_straight() -> None:
    """Lines leave and enter along, and one that passes several ranks is straight beside them."""
    scene = _scene(PYRAMID)
    assert problems(scene) == crossings(scene) == []
    lines = _lines(scene)
    for line in lines:
        for (x0, y0), (x1, y1) in (line.points[:2], line.points[-2:]):
            assert abs(x1 - x0) <= abs(y1 - y0)
    side = _box(scene, "side")
    (passing,) = (line for line in lines if line.points[0][0] == pytest.approx(side.center[0]))
    heights: dict[float, list[float]] = {}
    for x, y in passing.points:
        heights.setdefault(round(x, 2), []).append(y)
    assert max(max(ys) - min(ys) for ys in heights.values()) > 2 * side.height


@pytest.mark.parametrize("style", ["graph", "ops", "backward"])
def test_the_smallest_page_is_not_empty(style: str) -> None:
    """What a page of the least size holds is small, which a warning says with a remedy."""
    net = netc.load("zoo:lenet5")
    options = {"of": "output"} if style == "backward" else {}
    with pytest.warns(UserWarning, match="choose a larger page, such as `--page "):
        picture = to_picture(net.model, "svg", style=style, page="60x60", **options)
    assert picture.count(b"<rect") > 5


def test_what_is_no_path_or_several_words(tmp_path: Path) -> None:
    """Python refuses what is no path, and takes what to show as the command line does."""
    net = netc.compile("INPUT(2) -> FC(1)")
    for path in (None, 5):
        with pytest.raises(netc.NetError, match=f"`path` must be a path, not `{path}`"):
            net.draw(path)  # type: ignore[arg-type]  # on purpose
    words, listed = tmp_path / "words.svg", tmp_path / "list.svg"
    net.draw(words, show="names, macs")
    net.draw(listed, show=["names", "macs"])
    assert words.read_bytes() == listed.read_bytes()
    assert b"MACs" in words.read_bytes()


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
    assert f"{6 * 2 * layer:,} params" in " ".join(said(_scene(program, depth=1), "box"))


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
    scene = _scene(program)
    assert _frames(scene, "two") == []
    assert "two.own" in _words(scene, "two.own")
    assert "two.cross" in _words(scene, "two.cross")
