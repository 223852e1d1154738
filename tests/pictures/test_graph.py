"""The layers of networks on a page."""

from contextlib import suppress
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from support.network_rows import pages
from support.networks import random_network
from support.refusals import refusal
from support.scenes import box, crossings, drawn, drawn_spec, fits_a4, lines_of, problems, said

import netc
from netc.compiler.analysis.counts import count
from netc.compiler.emit.collapse import collapse
from netc.compiler.emit.layer_view import layer_view
from netc.compiler.ir.graph import Graph
from netc.compiler.pictures.encoder_decoder import ladder
from netc.compiler.pictures.flow import flow
from netc.compiler.pictures.graph import graph_scene
from netc.drawing import to_picture

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
    scene = drawn_spec(name, **{"direction": "LR"} if name in ACROSS else {})
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


def test_an_encoder_and_a_decoder_are_a_u() -> None:
    """U-Net is wider than tall, skips lead across above the up-convolution, and depth is below."""
    scene = drawn_spec("unet")
    assert scene.width > scene.height
    for level in range(4):
        ends = (f"down{level}", f"up{level}.crop1", f"up{level}.concat1", f"up{level}.up")
        down, crop, concat, up = (box(scene, name) for name in ends)
        assert down.right < crop.left < concat.left
        assert crop.bottom < up.top
        assert down.center[1] == pytest.approx(concat.center[1]) == pytest.approx(up.center[1])
    rows = [box(scene, f"down{level}").top for level in range(4)]
    assert all(above < below for above, below in pairwise(rows))
    turned = drawn_spec("unet", direction="LR")
    assert turned.width > turned.height
    assert box(turned, "down0").top < box(turned, "down3").top
    assert drawn_spec("unet", layout="layered").width < drawn_spec("unet", layout="layered").height


def test_a_parameter_is_beside_what_it_is_added_to() -> None:
    """ViT's sequence runs straight into the sum; the embedding of positions joins from the side."""
    scene = drawn_spec("vit_b_16", compact=False)
    embedding, sum_ = box(scene, "encoder.pos_embedding"), box(scene, "encoder.add1")
    assert embedding.left > sum_.center[0]
    straight = [line for line in lines_of(scene) if {x for x, _ in line.points} == {sum_.center[0]}]
    assert any(line.points[0][1] < embedding.top < line.points[-1][1] for line in straight)


def test_later_inputs_stand_next_to_their_readers() -> None:
    """What a chain of steps reads one by one enters at each of them, not all at the start."""
    scene = drawn(
        "block Step(; h, x) { (h | x -> FC(4) as u) -> ADD -> TANH as t }\n"
        "INPUT(4) as h\nINPUT(3) as x1\nINPUT(3) as x2\nINPUT(3) as x3\n"
        "a = (h | x1) -> Step as s1\nb = (a | x2) -> Step as s2\n(b | x3) -> Step as s3",
        direction="LR",
        compact=False,
    )
    assert problems(scene) == crossings(scene) == []
    starts = [box(scene, f"x{i}").left for i in (1, 2, 3)]
    assert starts == sorted(set(starts))
    for i in (2, 3):
        assert abs(box(scene, f"x{i}").center[0] - box(scene, f"s{i}.u").left) < 150


def test_a_slide_is_not_turned() -> None:
    """A long chain takes the width of a slide, and both ways of a sheet of paper."""
    scene = drawn_spec("tiny_vgg", page="slide")
    assert scene.height <= 540
    assert drawn_spec("tiny_vgg").height > 540


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
        rows.setdefault(int(row.output.split("x")[0]), []).append(box(scene, row.name).center[1])
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
    scene = drawn_spec("bert_base_uncased")
    mask, attention = box(scene, "attention_mask"), box(scene, "encoder.layer.0.attention.self")
    started = [
        line.points[-1]
        for line in lines_of(scene)
        if abs(line.points[0][1] - mask.bottom) < 1 and mask.left < line.points[0][0] < mask.right
    ]
    assert len(started) == 1
    assert min(abs(started[0][0] - attention.left), abs(started[0][0] - attention.right)) < 1
    assert attention.top < started[0][1] < attention.bottom
    assert "\N{MULTIPLICATION SIGN} 12" in said(scene, "frame")


def test_long_chains_are_cut_into_columns() -> None:
    """A chain of 60 layers has several columns, each read from above, the first at the left."""
    chain = " -> ".join(f"FC({units}) as fc{units} -> RELU" for units in range(1, 31))
    scene = drawn(f"INPUT(8) -> {chain} -> FC(2)", compact=False)
    columns = sorted({round(box(scene, f"fc{i}").center[0]) for i in range(1, 31)})
    assert len(columns) > 1
    centers = [box(scene, f"fc{i}").center for i in range(1, 31)]
    for (x0, y0), (x1, y1) in pairwise(centers):
        assert (x1 == pytest.approx(x0) and y1 > y0) or x1 > x0
    assert fits_a4(scene)
    assert problems(scene) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"page": "b5"}, "unknown page `b5`"),
        ({"page": "10x100"}, "the page `10x100` is too small"),
        ({"page": "400x20"}, "the page `400x20` is too small"),
        ({"layout": "u"}, "the network is not a U: it has no encoder and decoder that skips join"),
        ({"show": ["macs!"]}, "unknown diagram item to show `macs!`"),
        ({"layout": "tree"}, "unknown diagram layout `tree`"),
        ({"depth": 0}, "the depth of a diagram must be at least 1, not 0"),
        ({"direction": "up"}, "unknown diagram direction `up`"),
    ],
    ids=["name", "size", "strip", "u", "show", "layout", "depth", "direction"],
)
def test_unknown_choices(options: dict[str, object], message: str) -> None:
    """What there is not is an error with what there is."""
    caught = refusal(drawn, "INPUT(2) -> FC(1)", **options)
    assert caught.splitlines()[0] == f"error[E511]: {message}"


def test_the_page_is_what_was_asked_for() -> None:
    """A smaller page makes a smaller picture, of the same network."""
    large, small = drawn_spec("lenet5"), drawn_spec("lenet5", page="120x80")
    millimetre = 72 / 25.4
    assert max(small.width, small.height) <= 120 * millimetre + 0.1
    assert min(small.width, small.height) <= 80 * millimetre + 0.1
    assert len(small.groups) >= len(large.groups)


def test_a_skip_over_what_cannot_be_taken_apart() -> None:
    """A net in which each merge reads all before it has a line from its input to the last one."""
    scene = drawn("""
a = INPUT(8x8x4)
b = a -> CONV(3x3, 2) -> RELU
c = ( a | b ) -> CONCAT -> CONV(3x3, 2) -> RELU
d = ( a | b | c ) -> CONCAT -> CONV(3x3, 2) -> RELU
( a | b | c | d ) -> CONCAT -> GAP -> FC(3)
""")
    assert problems(scene) == []
    assert crossings(scene) == []
    top, merge = box(scene, "input"), box(scene, "concat3")
    ends = [(line.points[0][1], line.points[-1][1]) for line in lines_of(scene)]
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
    scene = drawn(PYRAMID)
    assert problems(scene) == crossings(scene) == []
    lines = lines_of(scene)
    for line in lines:
        for (x0, y0), (x1, y1) in (line.points[:2], line.points[-2:]):
            assert abs(x1 - x0) <= abs(y1 - y0)
    side = box(scene, "side")
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
