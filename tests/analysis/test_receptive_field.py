"""Receptive fields and cumulative strides of textbook stacks."""

import pytest

import netc
from netc.compiler import ops  # noqa: F401  (fills the op table)
from netc.compiler.analysis.receptive_fields import receptive_fields
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.graph import Graph, Layer, Value
from netc.compiler.ir.initializers import AUTO
from netc.compiler.ir.types import DType, Shape, TensorType

Seen = tuple[tuple[object, ...], tuple[float, ...] | None]


def seen(text: str, label: str) -> Seen:
    """Extents and strides of a layer of a program."""
    field = receptive_fields(netc.compile(text).graph)[label]
    return field.extents, field.strides


VGG16 = """
INPUT(224x224x3)
  -> [CONV(3x3, 4) -> RELU]*2 -> POOL as pool1 -> [CONV(3x3, 4) -> RELU]*2 -> POOL as pool2
  -> [CONV(3x3, 4) -> RELU]*3 -> POOL as pool3 -> [CONV(3x3, 4) -> RELU]*3 -> POOL as pool4
  -> [CONV(3x3, 4) -> RELU]*2 -> CONV(3x3, 4) as conv5_3 -> RELU -> POOL as pool5 -> FC(10) as fc
"""


@pytest.mark.parametrize(
    ("label", "extent", "stride"),
    [
        ("pool1", 6, 2),
        ("pool2", 16, 4),
        ("pool3", 44, 8),
        ("pool4", 100, 16),
        ("conv5_3", 196, 16),
        ("pool5", 212, 32),
    ],
)
def test_vgg16(label: str, extent: int, stride: int) -> None:
    """VGG-16's published receptive fields (Araujo, Norris and Sim 2019: 212 at the last pool)."""
    assert seen(VGG16, label) == ((extent, extent), (stride, stride))


def test_a_dense_layer_sees_the_whole_input() -> None:
    """Behind a dense layer there are no positions, and each element sees everything."""
    assert seen(VGG16, "fc") == ((224, 224), None)


def test_flatten_leaves_no_positions() -> None:
    """A flat tensor stands for the whole input."""
    assert seen("INPUT(9x7x3) -> CONV(3x3, 2) -> FLATTEN as f", "f") == ((9, 7), None)


def test_dilated_sequences() -> None:
    """Dilations 1, 2, 4, 8 with kernel 2 see 16 positions (van den Oord et al. 2016, Fig. 3)."""
    layers = " -> ".join(f"CONV(kernel=2, 4, dilation={d}) as d{d}" for d in (1, 2, 4, 8))
    text = f"INPUT(64x3, sequence) -> {layers}"
    assert seen(text, "d4") == ((8,), (1,))
    assert seen(text, "d8") == ((16,), (1,))


def test_strided_sequences() -> None:
    """The transposes around convolutions and pools on sequences keep track of the length."""
    text = "INPUT(64x3, sequence) -> CONV(kernel=3, 4, stride=2) -> POOL(kernel=2) as p"
    assert seen(text, "p") == ((5,), (4,))


def test_axes_differ() -> None:
    """Height and width have receptive fields of their own."""
    text = "INPUT(32x32x1) -> CONV(1x7, 4) -> POOL(2x1) -> CONV(3x1, 4, pad=valid) as c"
    assert seen(text, "c") == ((6, 7), (2, 1))


def test_volumes_have_three_axes() -> None:
    """Depth, height and width are tracked."""
    assert seen("INPUT(8x8x8x2) -> CONV(3x3x3, 4) -> POOL as p", "p") == ((4, 4, 4), (2, 2, 2))


def test_a_merge_takes_the_larger() -> None:
    """A sum sees what its branch with the larger field sees."""
    text = "INPUT -> ( CONV(5x5, 8) -> CONV(3x3, 8) | CONV(1x1, 8) ) -> ADD as sum"
    assert seen(text, "sum") == ((7, 7), (1, 1))


def test_a_vector_beside_an_image() -> None:
    """Channels scaled by a vector of the whole image see all of it, at the image's positions."""
    text = "INPUT(8x8x4) -> ( CONV(3x3, 4, stride=2) | FC(4) ) -> ADD as sum"
    assert seen(text, "sum") == ((8, 8), (2, 2))


def test_a_vector_input_has_no_axes() -> None:
    """Without rows and columns there is nothing to see."""
    assert seen("INPUT(784) -> FC(10) as fc", "fc") == ((), None)


def reported(graph: Graph, value: Value) -> Seen:
    """Extents and strides of any value of a graph built by hand."""
    graph.layers["probe"] = Layer("PROBE", (value,))
    field = receptive_fields(graph)["probe"]
    return field.extents, field.strides


def image(shape: Shape) -> tuple[Builder, Value]:
    """A builder and an input that a 2x2 window of stride 2 went over."""
    build = Builder(Graph("test"))
    x = build.input("input", TensorType(DType.FLOAT32, shape))
    window = {"kernel_shape": (2, 2), "strides": (2, 2)}
    return build, build.op("MaxPool", (x,), window)[0]


def test_reshape_merges_places() -> None:
    """Rows and columns that merge into positions keep what they see (a patch embedding)."""
    build, x = image((BATCH, 3, 8, 8))
    tokens = build.Reshape(x, build.index_constant((0, 3, 16)))
    swapped = build.Transpose(tokens, perm=(0, 2, 1))
    assert reported(build.graph, swapped) == ((2, 2), (2, 2))


def test_reshape_splits_places() -> None:
    """An axis that is cut into several keeps its places on them."""
    build, x = image((BATCH, 3, 8, 8))
    cut = build.Reshape(x, build.index_constant((0, 3, 2, 2, 4)))
    assert reported(build.graph, cut) == ((2, 2), (2, 2))


def test_softmax_over_places_sees_them_all() -> None:
    """A softmax over the rows mixes all rows."""
    build, x = image((BATCH, 3, 8, 6))
    assert reported(build.graph, build.Softmax(x, axis=2)) == ((8, 2), (2, 2))


def test_attention_sees_every_position() -> None:
    """Scores keep the positions of queries; the sum over the keys sees the whole sequence."""
    build = Builder(Graph("test"))
    x = build.input("input", TensorType(DType.FLOAT32, (BATCH, 12, 4)))
    w = build.parameter("w", (4, 4), init=AUTO)
    queries, values = build.MatMul(x, w), build.MatMul(x, w)
    scores = build.MatMul(queries, build.Transpose(values, perm=(0, 2, 1)))
    result = build.MatMul(build.Softmax(scores, axis=-1), values)
    assert reported(build.graph, queries) == ((1,), (1,))
    assert reported(build.graph, scores) == ((1,), (1,))
    assert reported(build.graph, result) == ((12,), (1,))


def test_global_pools_see_all() -> None:
    """A global pool sees the whole image and leaves no positions."""
    build, x = image((BATCH, 3, 8, 6))
    assert reported(build.graph, build.GlobalAveragePool(x)) == ((8, 6), None)


def test_symbolic_extents() -> None:
    """A dense view of an image of unknown extents sees H x W."""
    build = Builder(Graph("test"))
    shape = (BATCH, 3, symbol("H"), symbol("W"))
    x = build.input("input", TensorType(DType.FLOAT32, shape))
    w = build.parameter("w", (4, 3, 3, 3), init=AUTO)
    flat = build.Flatten(build.Conv(x, w, kernel_shape=(3, 3)), axis=1)
    assert reported(build.graph, flat) == ((symbol("H"), symbol("W")), None)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("REDUCE(sum, axis=channels)", ((3, 3), (1, 1))),
        ("REDUCE(sum, axis=height)", ((8, 3), None)),
        ("REDUCE(sum, axis=[height, width])", ((8, 6), None)),
        ("REDUCE(sum, axis=width, keep=yes)", ((3, 6), None)),
        ("REDUCE", ((8, 6), None)),
        ('op("ReduceSum", axes=[2], keepdims=0)', ((8, 6), None)),
        ('op("Hardmax", axis=1)', ((3, 3), (1, 1))),
        ("( ID | PARAM(4) ) -> CONCAT", ((3, 3), (1, 1))),
        ("( ID | GAP ) -> MUL", ((8, 6), (1, 1))),
        ("LOGSOFTMAX", ((3, 3), (1, 1))),
    ],
)
def test_reductions_and_merges(layer: str, expected: Seen) -> None:
    """A reduced axis is seen whole, and an operator without a rule may see everything."""
    assert seen(f"INPUT(8x6x3) -> CONV(3x3, 4) -> {layer} as l", "l") == expected


def test_embedded_tokens_keep_their_positions() -> None:
    """A row of a table sees its token; attention sees all of them."""
    text = (
        "INPUT(9, dtype=int64) -> EMBED(5, 4) as embed -> POSEMBED as positions"
        " -> CONV(kernel=3, 4) as conv -> ATTENTION(2) as attention"
    )
    assert seen(text, "embed") == seen(text, "positions") == ((1,), (1,))
    assert seen(text, "conv") == ((3,), (1,))
    assert seen(text, "attention") == ((9,), (1,))


def test_positions_in_a_row_become_rows_and_columns_again() -> None:
    """A sequence of an image's positions holds both axes, and an image made of it each apart."""
    text = (
        "INPUT(8x6x3) -> CONV(3x3, 4) -> RESHAPE(48x4) as row -> LINEAR(5) as dense"
        " -> RESHAPE(8x6x5) -> CONV(3x5, 4) as image"
    )
    assert seen(text, "row") == seen(text, "dense") == ((3, 3), (1, 1))
    assert seen(text, "image") == ((5, 7), (1, 1))


def test_windows_keep_what_their_positions_see() -> None:
    """Windows move positions along the batch and back; attention within may see all."""
    text = (
        "INPUT(8x12x3) -> CONV(3x3, 4) -> WINDOW(4, shift=1) as cut -> {} as inside"
        " -> UNWINDOW as whole -> CONV(3x5, 4) as l"
    )
    dense, attention = text.format("LINEAR(4)"), text.format("ATTENTION(2)")
    for label in ("cut", "inside", "whole"):
        assert seen(dense, label) == ((3, 3), (1, 1))
    assert seen(dense, "l") == ((5, 7), (1, 1))
    assert seen(attention, "whole") == ((8, 12), (1, 1))


@pytest.mark.parametrize(
    "layer", ["PAD(1)", "CROP(2)", "SLICE(1, 3)", "ROLL(1, axis=channels)", "SLICE(0)"]
)
def test_cutting_and_padding(layer: str) -> None:
    """What is left of an image sees what it saw."""
    assert seen(f"INPUT(8x6x3) -> CONV(3x3, 4) -> {layer} as l", "l") == ((3, 3), (1, 1))


@pytest.mark.parametrize(
    ("text", "label", "starts"),
    [
        ("INPUT(32x32x1) -> CONV(5x5, 6, pad=valid) -> POOL -> CONV(5x5, 16) as c", "c", (-4, -4)),
        (
            "INPUT(224x224x3) -> CONV(7x7, 4, stride=2) -> POOL(3x3, stride=2, pad=1) as p",
            "p",
            (-5,) * 2,
        ),
        ("INPUT(9x9x1) -> CONV(3x3, 2) -> IN as i", "i", (None, None)),
        ("INPUT(8x8x1) -> UPCONV(2x2, 1) as u", "u", (-0.5, -0.5)),
        ("INPUT(8x8x1) -> FC(3) as f", "f", None),
        *(
            (f"INPUT(9x9x1) -> LOCAL({layer}) as l", "l", starts)
            for layer, starts in (
                ("3x3, 2", (-1, -1)),
                ("4x3, 2, pad=valid", (0, 0)),
                ("3x3, 2, pad=2", (-2, -2)),
                ("3x3, 2, pad=1x2", (-1, -2)),
                ("3x3, 2, pad=(1x0, 0x2)", (-1, 0)),
            )
        ),
    ],
)
def test_where_fields_begin(text: str, label: str, starts: tuple[float | None, ...] | None) -> None:
    """The first window begins before the input by the padding, in steps of each layer's jump."""
    assert receptive_fields(netc.compile(text).graph)[label].starts == starts
