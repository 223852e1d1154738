"""Dense layers as columns of circles."""

import pytest
from support.network_rows import marked_specs
from support.refusals import failure_of
from support.scenes import fits_a4, problems, said

import netc
from netc.compiler.pictures.neurons import HEAD, MOST_COLUMNS, SIGNS, neurons
from netc.compiler.pictures.scene import Group, Line, Scene

HOSTILE = ["<script>alert(1)</script>", 'say "hi"', "\u05e9\u05dc\u05d5\u05dd", "x" * 200]


def _scene(program: str, **options: object) -> Scene:
    return neurons(netc.compile(program).graph, **options)  # type: ignore[arg-type]  # by name


def _units(scene: Scene, name: str) -> list[Group]:
    return [group for group in scene.groups if group.role == "box" and group.name == name]


def _edges(scene: Scene) -> dict[str, list[str]]:
    """What is said of each edge, by its colour."""
    found: dict[str, list[str]] = {}
    for group in scene.groups:
        if group.role == "edge" and group.title:
            (line,) = group.shapes
            assert isinstance(line, Line)
            found.setdefault(line.paint.stroke or "", []).append(group.title)
    return found


def test_xnor_shows_its_weights() -> None:
    """Weights that a program states are numbers on the edges, whose colours are their signs."""
    scene = neurons(netc.load("zoo:xnor").graph)
    assert problems(scene) == []
    numbers = [text for text in said(scene) if text.lstrip("\N{MINUS SIGN}").isdigit()]
    minus = "\N{MINUS SIGN}"
    weights = sorted(n for n in numbers if n[0] == minus)
    assert weights == sorted([f"{minus}2"] * 4 + [f"{minus}1"] * 2)
    positive, negative = sorted(_edges(scene).values(), key=len)
    assert positive == ["w[2, 1] = 2", "w[1, 2] = 2", "b[1] = 1"]
    assert len(negative) == 6
    assert said(scene).count("hidden") == 1
    assert said(scene).count("step") == 2
    assert len(_units(scene, "bias")) == 2


def test_a_perceptron() -> None:
    """One neuron: its inputs, the bias, and what comes out."""
    scene = _scene("INPUT(3) as x -> FC(1) -> STEP as fires")
    assert problems(scene) == []
    assert [len(_units(scene, name)) for name in ("x", "fc1", "bias")] == [3, 1, 1]
    assert "fires" in said(scene)
    without = _scene("INPUT(3) -> FC(1, bias=no) -> STEP")
    assert _units(without, "bias") == []
    assert "bias" not in said(without, "legend")


def test_long_layers_are_elided() -> None:
    """784-512-512-10: the first units, dots, and the last; the count below."""
    scene = _scene("INPUT(784) -> [FC(512) -> RELU]*2 -> FC(10) -> SOFTMAX")
    assert problems(scene) == []
    assert fits_a4(scene)
    shown = [len(_units(scene, name)) for name in ("input", "fc1", "fc2", "fc3")]
    assert shown == [HEAD + 1] * 3 + [10]
    assert [text for text in said(scene) if text in ("784", "512", "10")].count("512") == 2
    assert "ReLU" in said(scene)
    assert "softmax" in said(scene)
    assert "784 = 28x28x1" in said(_scene("INPUT(28x28x1) -> FC(10)"))


def test_deep_networks_fit_a_page() -> None:
    """Of many layers the first and the last are drawn, and how many are not is said."""
    scene = _scene("INPUT(4) -> [FC(20) -> TANH]*30 -> FC(3)")
    assert problems(scene) == []
    assert fits_a4(scene)
    assert f"{32 - MOST_COLUMNS} layers" in said(scene)


def test_given_weights_are_colours_and_widths() -> None:
    """Where there are many weights, their edges differ in colour and width."""
    net = netc.load("zoo:spirals")
    scene = neurons(net.graph, state=net.initialize())
    assert problems(scene) == []
    assert len(_edges(scene)) == 3  # biases begin at zero
    widths = {g.shapes[0].paint.width for g in scene.groups if g.role == "edge"}  # type: ignore[union-attr]  # lines
    assert len(widths) > 10
    wide = "small and large weight"
    assert {"positive weight", "negative weight", wide} <= set(said(scene, "legend"))


def test_sixteen_weights_are_written() -> None:
    """The weights of a layer of four units with three inputs find room on their edges."""
    numbers = [[i + 4 * j + 11 for j in range(3)] for i in range(4)]
    scene = _scene(f"INPUT(3) -> FC(4, weight={numbers}, bias_value=[31, 32, 33, 34]) -> TANH")
    assert problems(scene) == []
    assert "small and large weight" not in said(scene, "legend")
    assert {str(n) for row in numbers for n in row} | {"31", "34"} <= {*said(scene)}


def test_zero_weighs_nothing() -> None:
    """An edge of weight zero is dotted and has no sign's colour, and the legend says so."""
    scene = _scene("INPUT(2) -> FC(2, weight=[[1, 0], [-1, 0]], bias_value=[0, 1])")
    edges = [group for group in scene.groups if group.role == "edge" and group.title]
    lines = {g.title: s for g in edges for s in g.shapes if isinstance(s, Line)}
    dotted = {title for title, line in lines.items() if line.paint.dash}
    assert dotted == {"w[1, 2] = 0", "w[2, 2] = 0", "b[1] = 0"}
    strokes = {line.paint.stroke for line in lines.values() if line.paint.dash}
    assert not {*SIGNS[0]} & strokes
    assert "zero weight" in said(scene, "legend")


@pytest.mark.parametrize("name", HOSTILE, ids=["script", "quotes", "right-to-left", "long"])
def test_hostile_names(name: str) -> None:
    """Names of networks are shown whole or shortened, and nothing overlaps."""
    net = netc.compile("INPUT(2) -> FC(3) -> FC(1)")
    net.graph.name = name
    scene = neurons(net.graph)
    assert problems(scene) == []
    assert name in scene.title


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("INPUT(28x28x1) -> CONV(3x3, 4) as c -> FC(10)", "and `c` is a `CONV`"),
        ("INPUT(4) -> ( FC(3) | FC(3) ) -> ADD", "and its layers branch"),
        ("INPUT(4) -> RELU", "and it has no dense layer"),
    ],
)
def test_other_networks_are_refused(program: str, why: str) -> None:
    """What is no chain of dense layers is refused, with the styles that draw it."""
    (diagnostic,) = failure_of(_scene, program).diagnostics
    assert diagnostic.code == "E511"
    assert why in diagnostic.message
    assert "`volumes`" in (diagnostic.help or "")


# Of the shipped networks, the chains of dense layers.
DENSE = (
    "cnn_1 dense_vs_conv/dense_150 dense_vs_conv/dense_200x200 graphs/relu_layer"
    " graphs/two_sigmoid_layers keypoints/keypoints_net1 linear/linear_image"
    " linear/linear_regression linear/linear_volume linear/logistic_regression"
    " logic/perceptron_xor logic/xnor logic/xor logic/xor_mlp logic/xor_neuron mnist_mlp"
    " softmax_regression training/digits_mlp training/digits_softmax training/o_rings"
    " training/spirals training/stopping_distance"
).split()


@pytest.mark.parametrize("name", marked_specs())
def test_the_zoo(name: str) -> None:
    """Every shipped chain of dense layers is a picture on a page where nothing overlaps."""
    graph = netc.load(f"zoo:{name}").graph
    if name not in DENSE:
        with pytest.raises(netc.NetError, match="E511"):
            neurons(graph)
        return
    scene = neurons(graph)
    assert problems(scene) == []
    assert fits_a4(scene)
