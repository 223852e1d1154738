"""Feature maps as volumes."""

import pytest
from support.network_rows import marked_specs
from support.scenes import boxes_of, fits_a4, problems
from support.volumes import volumes_of

import netc
from netc.compiler.emit.palette import THEMES
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.volumes import volumes

EXPRESSIONS = [f"graphs/{n}" for n in ("chain_rule", "logistic_neuron", "product", "weight_decay")]
# Maps that no fold brings onto a page.
MANY = [
    *("detection/fcos_resnet50_fpn", "detection/retinanet_resnet50_fpn"),
    *("detection/retinanet_resnet50_fpn_v2", "detection/ssd300_vgg16"),
    *("detection/ssdlite320_mobilenet_v3_large", "resnet/hrnet_w18", "segmentation/unet_plus_plus"),
]


FUNNELS = [
    ("resnet18", "conv1", "layer4.0.conv2"),
    ("unet", "down0.conv1", "bottom.conv2"),
    ("vgg16", "features.0", "features.24"),
]


@pytest.mark.parametrize(("name", "first", "last"), FUNNELS)
def test_maps_become_visibly_smaller(name: str, first: str, last: str) -> None:
    """The last map is less than 0.4 times as high as the first, and thicker."""
    boxes = boxes_of(volumes(netc.load(f"zoo:{name}").graph))
    large, small = (bounds(boxes[path]) for path in (first, last))
    assert small.height < 0.4 * large.height
    fronts = [boxes[path].shapes[-2] for path in (first, last)]
    assert fronts[0].width < fronts[1].width / 1.9  # type: ignore[union-attr]  # rectangles


def test_sides_follow_extents() -> None:
    """Larger maps are drawn larger, in proportion where that is asked for."""
    program = "INPUT(64x64x3) -> CONV(3x3, 8, stride=2) as c -> CONV(3x3, 64, stride=2) as d"
    heights = {}
    for scale in ("log", "linear"):
        boxes = boxes_of(volumes_of(program, scale=scale))
        heights[scale] = [bounds(boxes[name]).height for name in ("input", "c", "d")]
        assert heights[scale] == sorted(heights[scale], reverse=True)
    assert heights["linear"][2] < heights["log"][2]


def test_planes() -> None:
    """Maps may be stacks of planes, the more the more channels."""
    scene = volumes_of("INPUT(28x28x1) -> CONV(5x5, 6) as c -> POOL as p -> FC(10)", maps="planes")
    assert problems(scene) == []
    planes = [len(boxes_of(scene)[name].shapes) for name in ("input", "c")]
    assert planes[0] == 1 < planes[1]


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", 'say "hi"', "\u05e9\u05dc\u05d5\u05dd", "x" * 200],
    ids=["script", "quotes", "right-to-left", "long"],
)
def test_hostile_names(name: str) -> None:
    """Names are shown whole or shortened, and nothing overlaps."""
    net = netc.compile("INPUT(8x8x1) -> CONV(3x3, 4) -> RELU -> FC(10)")
    net.graph.name = name
    layer = net.graph.layers.pop("input")
    net.graph.layers = {name: layer, **net.graph.layers}
    scene = volumes(net.graph)
    assert problems(scene) == []
    assert name in scene.title


def test_networks_without_maps_are_refused() -> None:
    """Expressions have no feature maps."""
    with pytest.raises(netc.NetError, match="no layer of this network yields any"):
        volumes_of("INPUT(3) -> SQUARE")


@pytest.mark.parametrize(
    ("choice", "what"),
    [({"maps": "plane"}, "unknown diagram maps `plane`"), ({"scale": "x"}, "diagram scale `x`")],
)
def test_unknown_choices(choice: dict[str, str], what: str) -> None:
    """Maps and scales that there are not are refused."""
    with pytest.raises(netc.NetError, match=what):
        volumes_of("INPUT(8x8x1) -> CONV", **choice)


@pytest.mark.parametrize("name", marked_specs())
def test_the_zoo(name: str) -> None:
    """Every shipped network with feature maps is a picture on a page where nothing overlaps."""
    graph = netc.load(f"zoo:{name}").graph
    if name in EXPRESSIONS + MANY:
        with pytest.raises(netc.NetError, match="E511"):
            volumes(graph)
        return
    scene = volumes(graph)
    assert problems(scene) == []
    assert fits_a4(scene)


@pytest.mark.parametrize(
    "program",
    [
        "INPUT((H, W, 3)) -> CONV(3x3, 8) -> RELU -> POOL -> GAP -> FC(10)",
        "INPUT((L, 16), sequence) -> ATTENTION(2) -> LINEAR(8)",
        "INPUT(1x1x1) -> CONV(1x1, 1)",
        "INPUT(8x8x4) -> ( GAP -> FC(3) | FC(2) -> RELU -> FC(3) ) -> ADD",
        "INPUT(32x32x3) -> ( CONV(4) | CONV(4) -> CONV(4) | POOL(3x3, stride=1, pad=1) ) -> CONCAT",
        f"INPUT(16x16x3) -> CONV(3x3, 8) as {'n' * 200} -> FC(2)",
        "INPUT(64) -> FC(49) -> RESHAPE(7x7x1) -> UPCONV(4x4, 8, stride=2, pad=1) -> CONV(1)",
        "INPUT(64x64x1) -> CONV(64x1, 4, pad=valid) -> FC(2)",
    ],
    ids=["sizes", "tokens", "one", "heads", "branches", "name", "generator", "kernel"],
)
def test_unusual_networks(program: str) -> None:
    """Whatever is chosen, nothing overlaps."""
    for choice in ({}, {"maps": "planes"}, {"scale": "linear"}, {"theme": THEMES["dark"]}):
        scene = volumes_of(program, **choice)
        assert problems(scene) == []
        assert fits_a4(scene)


@pytest.mark.parametrize(
    "choices", [{"maps": "planes"}, {"scale": "linear"}, {"depth": 1}], ids=str
)
@pytest.mark.parametrize(
    "name", ["alexnet", "resnet50", "googlenet", "unet_small", "bert_base_uncased", "cnn_3d"]
)
def test_choices_on_known_networks(name: str, choices: dict[str, str]) -> None:
    """Planes, other scales and folded scopes fit a page, too."""
    scene = volumes(netc.load(f"zoo:{name}").graph, **choices)  # type: ignore[arg-type]  # by name
    assert problems(scene) == []
    assert fits_a4(scene)


def test_a_folded_scope_may_begin_before_what_it_reads() -> None:
    """A layer far up whose dotted label puts it in a later scope is drawn with that scope."""
    program = (
        "CONST([1, 2, 3, 4]) -> FC(4) as b.first\n"
        "INPUT(8x8x4) -> CONV(3x3, 4) as c -> RELU as r\n"
        "( r | b.first ) -> ADD -> CONV(3x3, 8) as b.second -> RELU -> FC"
    )
    scene = volumes(netc.compile(program).graph, depth=1)
    assert problems(scene) == []
    assert len(boxes_of(scene)) >= 3
