"""Lowering: what chains, repetitions, branches, labels and values become."""

import pytest
from support.refusals import failure_of

import netc
from netc.compiler.ir.types import author_size


def shapes(program: str) -> dict[str, str]:
    """Each layer's output as the author writes it, by path."""
    graph = netc.compile(program).graph
    return {path: author_size(layer.outputs[0].type) for path, layer in graph.layers.items()}


def test_the_whiteboard_program() -> None:
    """The example of the first page: defaults fill in every number, the last FC has 10 classes."""
    assert shapes("INPUT -> [CONV -> RELU -> POOL]*2 -> FC -> RELU -> FC") == {
        "input": "32x32x3",
        "conv1": "32x32x32",
        "relu1": "32x32x32",
        "pool1": "16x16x32",
        "conv2": "16x16x32",
        "relu2": "16x16x32",
        "pool2": "8x8x32",
        "fc1": "128",
        "relu3": "128",
        "fc2": "10",
    }


@pytest.mark.parametrize(
    ("program", "units"),
    [
        ("INPUT -> FC -> FC -> SOFTMAX", ["128", "10"]),
        ("INPUT(classes=3) -> FC -> FC", ["128", "3"]),
        ("INPUT -> FC -> FC(7)", ["128", "7"]),
        ("x = INPUT -> FC\noutput a = x -> FC\noutput b = x -> FC", ["128", "10", "10"]),
        ("INPUT -> ( FC | FC ) -> CONCAT -> FC", ["128", "128", "10"]),
        ("INPUT -> [FC -> RELU]*2", ["128", "10"]),
        ("p = PARAM(10)\nf = INPUT -> FC -> RELU -> FC\n( f | p ) -> MUL", ["128", "10"]),
        ("p = PARAM(7)\nf = INPUT(classes=7) -> FC\n( f | p ) -> ADD -> SOFTMAX", ["7"]),
    ],
)
def test_the_last_bare_dense_layer_has_the_classes(program: str, units: list[str]) -> None:
    """Only a bare FC with no layer with weights behind it gets the number of classes."""
    found = shapes(program)
    assert [size for path, size in found.items() if path.startswith("fc")] == units


@pytest.mark.parametrize(
    "program",
    [
        "p = PARAM(10)\nf = INPUT -> FC\n( f | p ) -> ADD -> FC",
        "p = PARAM(11)\nf = INPUT -> FC\n( f | p ) -> ADD",
    ],
)
def test_a_hidden_bare_dense_layer_meets_another_size(program: str) -> None:
    """The error is about the units of a hidden layer where the classes do not help."""
    (diagnostic,) = failure_of(netc.compile, program).diagnostics
    assert diagnostic.code == "E202"
    assert "a vector of 128 and" in diagnostic.message


@pytest.mark.parametrize("count", [0, 1, 3])
def test_repetition(count: int) -> None:
    """A chain repeated n times stands there n times, also for 0 and 1."""
    found = shapes(f"INPUT(8x8x4) -> [CONV(3x3, 4) -> RELU]*{count} -> FC")
    assert sum(path.startswith("conv") for path in found) == count


def test_each_turn_has_weights_of_its_own() -> None:
    """Parameters grow with the count."""
    assert netc.compile("INPUT(9) -> [FC(9)]*4 -> FC(1)").params == 4 * 90 + 10


def test_a_labelled_repetition_opens_scopes() -> None:
    """Turns are scopes by index, and their layers' weights carry the path."""
    graph = netc.compile("INPUT(8x8x4) -> [CONV(3x3, 4) as conv]*2 as layer1 -> FC").graph
    assert list(graph.parameters)[:2] == ["layer1.0.conv.weight", "layer1.0.conv.bias"]
    assert "layer1.1.conv.weight" in graph.parameters
    assert graph.labels["layer1"] == graph.labels["layer1.1.conv"]


def test_automatic_names_skip_labels() -> None:
    """A label that looks like an automatic name takes it."""
    assert list(shapes("INPUT -> CONV -> CONV as conv1 -> FC")) == [
        "input",
        "conv2",
        "conv1",
        "fc1",
    ]


def test_values_start_branches() -> None:
    """A branch may continue from a bound value instead of the incoming tensor."""
    found = shapes("x = INPUT(8x8x4)\nx -> CONV(3x3, 4) -> ( ID | x ) -> ADD as sum -> FC(2)")
    assert found["sum"] == "8x8x4"


def test_branches_are_dealt_out() -> None:
    """Several tensors that meet as many branches go one to each."""
    graph = netc.compile(
        "INPUT(4) -> ( FC(3) | FC(5) ) -> ( RELU | TANH ) -> CONCAT -> FC(2)"
    ).graph
    assert author_size(graph.labels["relu1"].type) == "3"
    assert author_size(graph.labels["tanh1"].type) == "5"


def test_tuple_targets_bind_branches() -> None:
    """`(a, b) = chain` names the tensors of the last group."""
    found = shapes("(a, b) = INPUT(4) -> ( FC(3) | FC(5) )\n( a | b ) -> CONCAT as both -> FC(1)")
    assert found["both"] == "8"


def test_inputs_and_outputs_are_named() -> None:
    """Inputs count from a bare `input`; outputs are those that are named, else the last end."""
    network = netc.compile(
        "a = INPUT(4)\nb = INPUT(3) as pose\n( a | b ) -> CONCAT -> FC(2) as h\n"
        "output score = h -> SIGMOID\noutput h"
    )
    assert [spec.name for spec in network.inputs] == ["input", "pose"]
    assert [spec.name for spec in network.outputs] == ["score", "h"]
    assert network.inputs[1].shape == ("N", 3)


@pytest.mark.parametrize(
    ("shorthand", "spelled"),
    [
        ("conv5-16", "CONV(5x5, 16)"),
        ("conv3x1-8", "CONV(3x1, 8)"),
        ("fc-120", "FC(120)"),
        ("maxpool", "POOL(max)"),
        ("avgpool(3x3)", "POOL(3x3, avg)"),
    ],
)
def test_shorthand(shorthand: str, spelled: str) -> None:
    """The notation of papers' tables means the same as the language's."""
    layers = [
        netc.compile(f"INPUT(12x12x2) -> {text} as l -> FC(2)").graph.layers["l"]
        for text in (shorthand, spelled)
    ]
    assert layers[0].kind == layers[1].kind
    assert layers[0].arguments == layers[1].arguments


def test_defaults_are_marked() -> None:
    """A layer knows which of its arguments the author did not give."""
    layer = netc.compile("INPUT -> CONV(16) as c -> FC").graph.layers["c"]
    assert "filters" not in layer.defaulted
    assert {"kernel", "stride", "pad"} <= layer.defaulted


def test_computed_labels_and_expressions() -> None:
    """Holes in labels are computed, and so are arguments and counts."""
    found = shapes("let n = 2\nINPUT(8x8x4) -> [CONV((n + 1, 3), 2*n)]*(n - 1) as s{n} -> FC(n)")
    assert found["s2.0.conv1"] == "8x8x4"


def test_frozen_weights_are_counted_apart() -> None:
    """`frozen=yes` keeps a layer's weights from training."""
    counts = netc.compile("INPUT(4) -> FC(3, frozen=yes) -> FC(2)").counts
    assert (counts.trainable, counts.frozen) == (8, 15)


def test_language_version_is_checked() -> None:
    """A file for unknown defaults is refused."""
    assert netc.compile("language 1\nINPUT -> FC").params
    with pytest.raises(netc.NetError, match="language 2 is unknown"):
        netc.compile("language 2\nINPUT -> FC")
