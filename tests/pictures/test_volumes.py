"""Feature maps as volumes."""

import pytest
from support.scenes import fits_a4, problems, said

import netc
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.scene import Group, Scene
from netc.compiler.pictures.volumes import volumes
from netc.sources import zoo

EXPRESSIONS = [f"graphs/{n}" for n in ("chain_rule", "logistic_neuron", "product", "weight_decay")]

# What stands below the maps, from left to right: channels and extents.
CAPTIONS = {
    "lenet5": "1@32x32 6@28x28 6@14x14 16@10x10 16@5x5 120@1x1 84 10",
    "classic/alexnet": "3@227x227 96@55x55 96@27x27 256@27x27 256@13x13 384@13x13 256@13x13"
    " 256@6x6 4096 1000",
    "classic/vgg16": "3@224x224 64@224x224 64@112x112 128@112x112 128@56x56 256@56x56 256@28x28"
    " 512@28x28 512@14x14 512@14x14 512@7x7 4096 1000",
    "resnet/resnet18": "3@224x224 64@112x112 64@56x56 64@56x56 64@56x56 128@28x28 128@28x28"
    " 256@14x14 256@14x14 512@7x7 512@7x7 512 1000",
    "segmentation/unet": "1@572x572 64@570x570 64@568x568 64@284x284 128@282x282 128@280x280"
    " 128@140x140 256@138x138 256@136x136 256@68x68 512@66x66 512@64x64 512@32x32 1024@30x30"
    " 1024@28x28 1024@56x56 512@54x54 512@52x52 512@104x104 256@102x102 256@100x100 256@200x200"
    " 128@198x198 128@196x196 128@392x392 64@390x390 64@388x388 2@388x388",
    "volumes/cnn_3d": "1@64x64x64 8@32x32x32 16@32x32x32 16@16x16x16 32@16x16x16 32@8x8x8 128 10",
}


def _captions(scene: Scene) -> list[str]:
    """The captions of maps, whether they take one line or two."""
    found = []
    for group in scene.groups:
        if group.role == "label" and group.name and len(group.shapes) <= 2:
            text = "".join(said(Scene(1, 1, (group,), "#ffffff")))
            if text.replace("@", "").replace("x", "").isdigit():
                found.append(text)
    return found


def _words(scene: Scene) -> list[str]:
    return [" ".join(said(Scene(1, 1, (g,), "#ffffff"))) for g in scene.groups if g.role == "label"]


def _boxes(scene: Scene) -> dict[str, Group]:
    return {group.name: group for group in scene.groups if group.role == "box"}


def _of(program: str, **choices: str) -> Scene:
    return volumes(netc.compile(program).graph, **choices)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions(name: str) -> None:
    """Every map says its channels and extents."""
    scene = volumes(netc.load(f"zoo:{name}").graph)
    assert problems(scene) == []
    assert fits_a4(scene)
    assert " ".join(_captions(scene)) == CAPTIONS[name]


def test_layers_are_named() -> None:
    """The layer that yields a map stands beside it."""
    words = _words(volumes(netc.load("zoo:lenet5").graph))
    layers = [text for text in words if text.split()[-1] in ("conv", "pool") or "fc" in text]
    assert layers == [
        *("5x5 conv", "2x2 max pool", "5x5 conv", "2x2 max pool", "5x5 conv"),
        *("fc 84", "fc 10"),
    ]
    assert {"convolution", "pooling", "dense", "activation"} <= set(words)


def test_repeats_are_folded() -> None:
    """Blocks and layers that repeat are drawn once; shortcuts pass within, and say what they do."""
    resnet = _words(volumes(netc.load("zoo:resnet18").graph))
    assert resnet.count("\N{MULTIPLICATION SIGN} 2") == 4
    assert resnet.count("1x1 conv /2") == 3
    vgg = _words(volumes(netc.load("zoo:classic/vgg16").graph))
    assert vgg.count("3x3 conv \N{MULTIPLICATION SIGN} 2") == 2
    assert vgg.count("3x3 conv \N{MULTIPLICATION SIGN} 3") == 3


def test_sequences_are_strips() -> None:
    """A map of one axis is flat."""
    program = (
        "INPUT(128x4, sequence) -> CONV(kernel=5, 16) as c -> RELU -> POOL as p -> GAP -> FC(2)"
    )
    scene = _of(program)
    assert problems(scene) == []
    assert _captions(scene) == ["4@128", "16@128", "16@64", "16", "2"]
    strip = bounds(_boxes(scene)["c"])
    assert strip.height > 3 * strip.width


def test_sides_follow_extents() -> None:
    """Larger maps are drawn larger, in proportion where that is asked for."""
    program = "INPUT(64x64x3) -> CONV(3x3, 8, stride=2) as c -> CONV(3x3, 64, stride=2) as d"
    heights = {}
    for scale in ("log", "linear"):
        boxes = _boxes(_of(program, scale=scale))
        heights[scale] = [bounds(boxes[name]).height for name in ("input", "c", "d")]
        assert heights[scale] == sorted(heights[scale], reverse=True)
    assert heights["linear"][2] < heights["log"][2]


def test_planes() -> None:
    """Maps may be stacks of planes, the more the more channels."""
    scene = _of("INPUT(28x28x1) -> CONV(5x5, 6) as c -> POOL as p -> FC(10)", maps="planes")
    assert problems(scene) == []
    planes = [len(_boxes(scene)[name].shapes) for name in ("input", "c")]
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
        _of("INPUT(3) -> SQUARE")


@pytest.mark.parametrize(
    ("choice", "what"),
    [({"maps": "plane"}, "unknown diagram maps `plane`"), ({"scale": "x"}, "diagram scale `x`")],
)
def test_unknown_choices(choice: dict[str, str], what: str) -> None:
    """Maps and scales that there are not are refused."""
    with pytest.raises(netc.NetError, match=what):
        _of("INPUT(8x8x1) -> CONV", **choice)


@pytest.mark.parametrize("name", zoo())
def test_the_zoo(name: str) -> None:
    """Every shipped network with feature maps is a picture on a page where nothing overlaps."""
    graph = netc.load(f"zoo:{name}").graph
    if name in EXPRESSIONS:
        with pytest.raises(netc.NetError, match="E511"):
            volumes(graph)
        return
    scene = volumes(graph)
    assert problems(scene) == []
    assert fits_a4(scene)


def test_encoders_with_decoders_are_a_u() -> None:
    """Each level lies below the one before, and skips lead straight across."""
    scene = volumes(netc.load("zoo:segmentation/unet").graph)
    boxes = _boxes(scene)
    for level in range(4):
        down, up = bounds(boxes[f"down{level}.conv2"]), bounds(boxes[f"up{level}.up"])
        assert down.center[1] == pytest.approx(up.center[1])
        below = boxes[f"down{level + 1}.conv2" if level < 3 else "bottom.conv2"]
        assert bounds(below).top > down.bottom
        (skip,) = (
            group.shapes[0]
            for group in scene.groups
            if group.title == f"down{level}.conv2 \N{RIGHTWARDS ARROW} up{level}.up"
        )
        (_, y), (_, other) = skip.points  # type: ignore[union-attr]  # a line
        assert y == other
    assert scene.width > scene.height


def test_branches_have_lanes() -> None:
    """Twins lie below each other; what they are compared by follows both."""
    scene = volumes(netc.load("zoo:siamese").graph)
    assert _words(scene).count("10x10 conv (shared)") == 1
    boxes = _boxes(scene)
    first, second = (bounds(boxes[f"{name}.conv2"]) for name in ("twin", "other"))
    assert first.center[0] == pytest.approx(second.center[0])
    assert second.top > first.bottom
    assert bounds(boxes["distance"]).left > bounds(boxes["twin.fc"]).right


@pytest.mark.parametrize(
    ("program", "repeated"),
    [
        ("INPUT(8x8x4) -> [CONV(3x3, 4) -> RELU]*3", ["3x3 conv \N{MULTIPLICATION SIGN} 3"]),
        # side by side, not one after the other
        ("INPUT(8x8x4) -> ( CONV(3x3, 4) | CONV(3x3, 4) | CONV(3x3, 4) ) -> CONCAT", []),
        (
            "INPUT(8x8x4) -> [( CONV(1x1, 4) -> CONV(3x3, 4) | ID ) -> ADD]*5",
            ["\N{MULTIPLICATION SIGN} 5"],
        ),
    ],
    ids=["chain", "branches", "blocks"],
)
def test_what_repeats(program: str, repeated: list[str]) -> None:
    """Only what follows itself is folded."""
    scene = _of(program)
    assert problems(scene) == []
    assert [text for text in _words(scene) if "\N{MULTIPLICATION SIGN}" in text] == repeated


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
    for choice in ({}, {"maps": "planes"}, {"scale": "linear"}, {"theme": "dark"}):
        scene = _of(program, **choice)
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
