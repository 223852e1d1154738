"""Diagrams: which boxes and edges there are, what equal turns become, what labels say."""

import re
from collections.abc import Callable

import pytest
from support.refusals import refusal

from netc.compiler.analysis.counts import count
from netc.compiler.emit.clusters import Cluster
from netc.compiler.emit.collapse import Drawing, collapse
from netc.compiler.emit.dot import to_dot
from netc.compiler.emit.forks import FORK, fork
from netc.compiler.emit.layer_view import layer_view
from netc.compiler.emit.palette import FAMILIES, THEMES, family
from netc.compiler.ir.graph import Graph
from netc.compiler.layers.layerdef import LAYERS

GraphOf = Callable[[str], Graph]


def _drawing(graph: Graph, depth: int | None = None) -> Drawing:
    return fork(collapse(layer_view(graph, count(graph), depth)))


def _edges(drawing: Drawing) -> list[str]:
    """Edges by the names of their boxes, skips with two dashes."""
    names = [box.path or "fork" for box in drawing.boxes]
    return [f"{names[e.source]} {'--' if e.skip else '-'} {names[e.target]}" for e in drawing.edges]


def _tree(cluster: Cluster, drawing: Drawing) -> str:
    """The clusters as text: name, times, and what is inside."""
    inside = " ".join(
        _tree(child, drawing) if isinstance(child, Cluster) else _name(drawing, child)
        for child in cluster.children
    )
    times = f"x{cluster.times}" if cluster.turn else ""
    return f"{cluster.name}{times}[{inside}]"


def _name(drawing: Drawing, position: int) -> str:
    box = drawing.boxes[position]
    return "fork" if box.kind == FORK else box.path


@pytest.mark.parametrize(
    ("program", "tree", "edges"),
    [
        (
            "INPUT(8) -> FC(4) -> RELU",
            "[input fc1 relu1 output]",
            "input - fc1, fc1 - relu1, relu1 - output",
        ),
        (
            "INPUT(8) -> ( FC(8) | ID ) -> ADD",
            "[input fc1 add1 output]",
            "input - fc1, fc1 - add1, input -- add1, add1 - output",
        ),
        (
            "INPUT(8) -> ( ID | [ID]*2 ) -> ADD",
            "[input id2 add1 output]",
            "input - id2, input -- add1, id2 -- add1, add1 - output",
        ),
        ("INPUT(8) -> ID", "[input id1 output]", "input - id1, id1 - output"),
        (
            "INPUT(8) -> FLATTEN -> FC(2)",
            "[input flatten1 fc1 output]",
            "input - flatten1, flatten1 - fc1, fc1 - output",
        ),
        (
            "INPUT(8) -> [FC(8)]*50 -> FC(2)",
            "[input x50[fc1] fc51 output]",
            "input - fc1, fc1 - fc51, fc51 - output",
        ),
        (
            "INPUT(3) -> [FC(8) -> RELU]*50",
            "[input x1[fc1 relu1] x49[fc2 relu2] output]",
            "input - fc1, fc1 - relu1, relu1 - fc2, fc2 - relu2, relu2 - output",
        ),
        (
            "INPUT(4x4x2) -> [CONV(3x3, 2) -> RELU -> POOL]*2",
            "[input conv1 relu1 pool1 conv2 relu2 pool2 output]",
            "input - conv1, conv1 - relu1, relu1 - pool1, pool1 - conv2, conv2 - relu2, "
            "relu2 - pool2, pool2 - output",
        ),
        (
            "INPUT(8) -> [ [FC(8)]*2 -> RELU ]*3 -> FC(2)",
            "[input x3[x2[fc1] relu1] fc7 output]",
            "input - fc1, fc1 - relu1, relu1 - fc7, fc7 - output",
        ),
        (
            "INPUT(8) -> [ ( FC(8) | ID ) -> ADD ]*3 as block",
            "[input blockx3[fork block.0.fc1 block.0.add1] output]",
            "input - fork, fork - block.0.fc1, block.0.fc1 - block.0.add1, "
            "fork -- block.0.add1, block.0.add1 - output",
        ),
        (
            "x = INPUT(8)\nx -> FC(8) -> [ ( ID | x ) -> ADD -> RELU ]*3",
            "[input fc1 x3[add1 relu1] output]",
            "input - fc1, fc1 -- add1, input - add1, add1 - relu1, relu1 - output",
        ),
        (
            "x = INPUT(8)\ny = x -> [RELU]*2\n( x | y | relu1 ) -> ADD",
            "[input relu1 relu2 add1 output]",
            "input - relu1, relu1 - relu2, input - add1, relu2 - add1, relu1 - add1, add1 - output",
        ),
        (
            "INPUT(8) -> FC(8) as a.1 -> FC(8) as a.b.2 -> FC(8) as a.b.3 -> FC(8) as c.d.4",
            "[input a[a.1 a.b[a.b.2 a.b.3]] c.d.4 output]",
            "input - a.1, a.1 - a.b.2, a.b.2 - a.b.3, a.b.3 - c.d.4, c.d.4 - output",
        ),
        (
            "INPUT(8x8x3) -> CONV(4) -> POOL as p -> RELU -> UNPOOL(p) -> RELU",
            "[input conv1 p relu1 unpool1 relu2 output]",
            "input - conv1, conv1 - p, p - relu1, relu1 - unpool1, p - unpool1, unpool1 - relu2, "
            "relu2 - output",
        ),
        (
            "block B(; x, y) { ( x -> FC(8) | y -> RELU ) -> ADD }\n"
            "INPUT(8) -> FC(8) as a -> RELU -> ( a | ID ) -> B as b -> FC(2)",
            "[input a relu1 b[b.fc1 b.relu1 b.add1] fc1 output]",
            "input - a, a - relu1, a - b.fc1, relu1 - b.relu1, b.fc1 - b.add1, b.relu1 - b.add1, "
            "b.add1 - fc1, fc1 - output",
        ),
    ],
    ids=[
        *("chain", "skip", "skip beside identities", "identity", "no operators", "equal turns"),
        *("first turn differs", "all turns differ", "nested", "residual", "outside value"),
        *("turn that is read elsewhere", "scopes", "unpooling", "identity into a block"),
    ],
)
def test_boxes_and_edges(program: str, tree: str, edges: str, graph_of: GraphOf) -> None:
    """Layers, skips, repetitions and scopes become boxes, edges and frames."""
    drawing = _drawing(graph_of(program))
    assert _tree(drawing.root, drawing) == tree
    assert ", ".join(_edges(drawing)) == edges


def test_depth(graph_of: GraphOf) -> None:
    """What lies deeper is one box with the layers' number, parameters and last output."""
    graph = graph_of("INPUT(8) -> [ ( FC(8) | ID ) -> ADD ]*3 as block -> FC(2)")
    drawing = _drawing(graph, depth=1)
    assert _edges(drawing) == ["input - block", "block - fc1", "fc1 - output"]
    box = drawing.boxes[1]
    assert (box.kind, box.layers, box.params, box.output) == ("", 6, 216, "8")
    drawing = _drawing(graph, depth=2)
    assert _edges(drawing) == ["input - block.0", "block.0 - fc1", "fc1 - output"]
    assert _tree(drawing.root, drawing) == "[input blockx3[block.0] fc1 output]"


def test_every_layer_is_drawn_once(graph_of: GraphOf) -> None:
    """No layer is lost where turns are not equal: here the first stage's two, and all stages."""
    graph = graph_of("INPUT(64x64x3) -> [ [CONV -> RELU]*2 -> POOL ]*4 as stage -> FC -> FC(2)")
    text = to_dot(graph)
    assert len(re.findall(r"^ *n\d+ \[label", text, re.M)) == 1 + 5 + 3 * 3 + 2 + 1
    assert text.count("subgraph") == 1 + 4 + 3


@pytest.mark.parametrize("direction", ["TB", "LR", "BT", "RL"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_choices(direction: str, theme: str, graph_of: GraphOf) -> None:
    """Direction and theme show in the text."""
    text = to_dot(graph_of("INPUT(8) -> RELU"), direction=direction, theme=THEMES[theme])
    assert f"rankdir={direction}" in text
    assert ("#ffffff" in text) == (theme == "light")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"direction": "tb"}, "unknown diagram direction `tb`"),
        ({"depth": 0}, "the depth of a diagram must be at least 1, not 0"),
    ],
    ids=["direction", "depth"],
)
def test_unknown_choices(choice: dict[str, str], message: str, graph_of: GraphOf) -> None:
    """A choice that there is not is an error with the ones that there are."""
    graph = graph_of("INPUT(8) -> RELU")
    caught = refusal(to_dot, graph, **choice)
    assert caught.splitlines()[0] == f"error[E511]: {message}"


@pytest.mark.parametrize(
    ("layer", "details"),
    [
        ("CONV(5x5, 6)", "5x5, 6 filters"),
        ("CONV(3x3, 1, stride=2, bias=no)", "3x3, 1 filter, stride 2, no bias"),
        ("CONV(3x3, 8, stride=1, pad=1)", "3x3, 8 filters, pad 1"),
        ("CONV(kernel=3, filters=8, dilation=2, groups=4)", "3x3, 8 filters, dilation 2, 4 groups"),
        ("CONV(3x5, 8, stride=1x2, pad=valid)", "3x5, 8 filters, stride 1x2, valid"),
        ("POOL", "2x2, max"),
        ("AVGPOOL(3x3, stride=1, pad=1)", "3x3, avg, stride 1, pad 1"),
        ("POOL(3x3, stride=3)", "3x3, max"),
        ("UPCONV(2x2, 3)", "2x2, 3 filters, stride 2"),
        ("FC(10)", "10 units"),
        ("FC(1)", "1 unit"),
        ("DROPOUT(0.25)", "rate 0.25"),
        ("RELU", ""),
        ("BN(momentum=0.2)", ""),
    ],
)
def test_details(layer: str, details: str, graph_of: GraphOf) -> None:
    """A box shows the arguments that matter, and leaves out what is usual."""
    graph = graph_of(f"INPUT(8x8x4) -> {layer}")
    assert ", ".join(layer_view(graph, count(graph)).boxes[1].details) == details


def test_names_in_details(graph_of: GraphOf) -> None:
    """A layer that another one names stands in its box without quotes."""
    graph = graph_of("INPUT(8x8x4) -> POOL as p -> UNPOOL(p)")
    assert layer_view(graph, count(graph)).boxes[2].details == ("pool p",)


def test_labels_are_escaped(graph_of: GraphOf) -> None:
    """A label may hold anything: HTML, quotes, backslashes and control characters stay text."""
    graph = graph_of('INPUT(8) as "<b>&\\"\\\\N" -> RELU')
    graph.name = 'a"b\\\n<i>'
    text = to_dot(graph)
    assert "&lt;b&gt;&amp;&quot;\\\\N" in text
    assert 'tooltip="INPUT <b>&amp;\\"\\\\N: 8"' in text
    assert text.startswith('digraph "a\\"b\\\\ <i>" {\n')
    assert "<B>a&quot;b\\\\ &lt;i&gt;</B>" in text


def test_same_text(graph_of: GraphOf) -> None:
    """The same program gives the same text."""
    program = "INPUT(8) -> [ ( FC(8) | ID | FC(8) -> RELU ) -> ADD ]*3 -> FC(2)"
    assert to_dot(graph_of(program)) == to_dot(graph_of(program))


def test_families() -> None:
    """Every file of layers leads to a family of the palette, or to the colour of the rest."""
    found = {family(kind) for kind in LAYERS}
    assert {"convolution", "pooling", "dense", "activation", "merge"} <= found
    assert family("DECONV") == family("CONV") == "convolution"
    assert family("OUTPUT") == "output"
    assert family("Conv") == ""
    assert THEMES["light"].families.keys() == THEMES["dark"].families.keys()
    assert set(FAMILIES.values()) <= THEMES["light"].families.keys()
