"""The layer table in all its forms."""

import json
from textwrap import dedent

import pytest
from support.refusals import refusal

import netc
from netc.compiler import ops  # noqa: F401  (fills the op table)
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.initializers import AUTO
from netc.compiler.ir.types import DType, TensorType
from netc.summary.columns import COLUMNS, byte_count
from netc.summary.table import Summary, summarize

SCOPED = """
INPUT(8x8x3) -> [CONV(4) as conv -> BN as bn -> RELU as act]*2 as body -> POOL -> FC
"""


def summary(text: str, depth: int | None = None, columns: list[str] | None = None) -> Summary:
    """The table of a program."""
    return summarize(netc.compile(text).graph, depth=depth, columns=columns)


def test_text() -> None:
    """Aligned columns, a mark at each default, the totals, and the counting convention."""
    text = "net Small\nINPUT(28x28) -> CONV(5x5, 6, pad=valid) as c1 -> RELU -> POOL -> FC"
    assert str(summary(text)) + "\n" == dedent(
        """\
        Small

                                                                     receptive
        layer  kind and arguments       output   parameters    MACs      field
        ----------------------------------------------------------------------
        input  INPUT(28x28)             28x28x1           -       -        1x1
        c1     CONV(5x5, 6, pad=valid)  24x24x6         156  86,400        5x5
        relu1  RELU                     24x24x6           -       -        5x5
        pool1  POOL(2x2*, max*)         12x12x6           -       -        6x6
        fc1    FC(10*)                  10            8,650   8,640      28x28
        ----------------------------------------------------------------------
        * filled in by a default; the column `arguments` shows all of them

        parameters         8,806 (8,806 trainable, 0 frozen)
        MACs               95,040
        FLOPs              200,458 (10,378 elementwise)
        activation memory  27.0 KiB at the peak
        counted            one sample; MACs: convolutions and matrix products; FLOPs = 2 MACs + elementwise
        """  # noqa: E501
    )


def test_text_fits_a_terminal() -> None:
    """No line of a usual network is longer than 100 columns: long calls go on in a next line."""
    text = "INPUT(224x224x3) -> [CONV(3x3, 512, stride=2, pad=1, dilation=1, bias=no) -> RELU]*5"
    lines = str(summary(f"{text} -> FC(4096) -> FC(1000)")).splitlines()
    assert max(map(len, lines)) <= 100
    first = next(i for i, line in enumerate(lines) if line.startswith("conv1"))
    assert lines[first].split()[:6] == [
        "conv1",
        "CONV(3x3,",
        "512,",
        "stride=2,",
        "pad=1,",
        "112x112x512",
    ]
    assert lines[first + 1] == "         dilation=1, bias=no)"


def test_text_is_plain() -> None:
    """No colour, and nothing but ASCII."""
    assert str(summary(SCOPED)).isascii()
    assert str(summary(SCOPED)).replace("\n", "").isprintable()


def test_depth_folds_scopes() -> None:
    """Scopes deeper than `depth` become one row, with sums and the last layer's output."""
    rows = summary(SCOPED, depth=1).rows
    assert [row.name for row in rows] == ["input", "body", "pool1", "fc1"]
    body = rows[1]
    assert (body.call, body.layers, body.output) == ("6 layers", 6, "8x8x4")
    assert body.params == (27 * 4 + 4) + (36 * 4 + 4) + 2 * 8
    assert (body.buffers, body.receptive_field, body.stride) == (16, (5, 5), (1, 1))
    assert body.macs == 8 * 8 * 4 * (27 + 36)
    assert body.memory == 6 * 8 * 8 * 4 * 4


def test_depth_two() -> None:
    """Each turn of a labelled repetition is a scope of its own."""
    rows = summary(SCOPED, depth=2).rows
    assert [row.name for row in rows] == ["input", "body.0", "body.1", "pool1", "fc1"]
    assert [row.name for row in summary(SCOPED, depth=9).rows] == [
        row.name for row in summary(SCOPED).rows
    ]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("CONV", "CONV(3x3*, 32*)"),
        ("CONV(5x5)", "CONV(5x5, 32*)"),
        ("CONV(7, stride=2)", "CONV(3x3*, 7, stride=2)"),
        ("CONV(3x3, 4, pad=valid, bias=no)", "CONV(3x3, 4, pad=valid, bias=no)"),
        ("CONV(4, pad=(1x1, 0x2))", "CONV(3x3*, 4, pad=(1x1, 0x2))"),
        ("CONV(4, init=normal(0.5))", "CONV(3x3*, 4, init=normal(0.5))"),
        ("MAXPOOL", "POOL(2x2*, max)"),
        ("POOL(avg)", "POOL(2x2*, avg)"),
        ("DROPOUT", "DROPOUT(0.5*)"),
        ("RELU", "RELU"),
        ("FC", "FC(10*)"),
        ("FC(2, bias_value=[1, 2])", "FC(2, bias_value=[1, 2])"),
        ("FC(9, bias_value=[1, 2, 3, 4, 5, 6, 7, 8, 9])", "FC(9, bias_value=[...])"),
        ("FC(9, frozen=yes)", "FC(9, frozen=yes)"),
    ],
)
def test_calls(layer: str, expected: str) -> None:
    """A layer is shown as it would be written, its essentials marked where a default gave them."""
    assert summary(f"INPUT(16x16x3) -> {layer}").rows[-1].call == expected


def test_every_argument_is_in_its_column() -> None:
    """The column `arguments` leaves nothing out."""
    table = summary("INPUT(16x16x3) -> POOL(3x3)", columns=["arguments"])
    (_, (cell,)), (_, row) = table.cells(), table.rows
    assert {"kernel=3x3", "mode=max*", "pad=0*", "ceil=no*", "count_pad=no*"} <= set(cell.split())
    assert len(cell.split()) == len([v for v in row.arguments.values() if v is not None])


def test_markdown() -> None:
    """A Markdown table with the usual columns, then the totals as a list."""
    assert summary("INPUT(4) -> FC(2)").to_markdown() == dedent(
        """\
        | layer | kind and arguments | output | parameters | MACs | receptive field |
        | --- | --- | --- | ---: | ---: | ---: |
        | input | INPUT(4) | 4 | - | - | - |
        | fc1 | FC(2) | 2 | 10 | 8 | - |

        \\* filled in by a default; the column `arguments` shows all of them

        - parameters: 10 (10 trainable, 0 frozen)
        - MACs: 8
        - FLOPs: 18 (2 elementwise)
        - activation memory: 24 B at the peak
        - counted: one sample; MACs: convolutions and matrix products; FLOPs = 2 MACs + elementwise
        """
    )


def test_csv() -> None:
    """Plain integers under the columns' keys."""
    text = "INPUT(784) -> FC(10) -> SOFTMAX"
    assert summary(text, columns=["layer", "params", "macs"]).to_csv() == dedent(
        """\
        layer,params,macs
        input,0,0
        fc1,7850,7840
        softmax1,0,0
        """
    )


def test_json() -> None:
    """Every column but the text's own, and the totals."""
    net = netc.compile("net N\nINPUT(8x8x1) -> CONV(3x3, 2, stride=2) as c -> FC(3)")
    data = json.loads(summarize(net.graph).to_json())
    assert data["name"] == "N"
    assert data["layers"][1] == {
        "layer": "c",
        "kind": "CONV",
        "arguments": {
            "kernel": "3x3",
            "filters": 2,
            "stride": 2,
            "pad": "same",
            "dilation": 1,
            "groups": 1,
            "bias": True,
            "norm": "none",
            "init": "auto",
        },
        "defaulted": [
            "pad", "dilation", "groups", "bias", "norm", "init", "weight", "bias_value",
        ],
        "output": "4x4x2",
        "params": 20,
        "trainable": 20,
        "frozen": 0,
        "buffers": 0,
        "shared": [],
        "macs": 4 * 4 * 2 * 9,
        "elementwise": 4 * 4 * 2,
        "flops": 2 * 4 * 4 * 2 * 9 + 4 * 4 * 2,
        "receptive_field": "3x3",
        "stride": "2x2",
        "memory": 4 * 4 * 2 * 4,
    }  # fmt: skip
    assert data["totals"] == {
        "layers": 3,
        "params": 20 + 33 * 3,
        "trainable": 20 + 33 * 3,
        "frozen": 0,
        "buffers": 0,
        "macs": 288 + 96,
        "elementwise": 32 + 3,
        "flops": 2 * (288 + 96) + 35,
        "memory": (64 + 32) * 4,
    }


def test_shared_parameters_are_shown() -> None:
    """A layer that uses another one's parameters says so, and counts none."""
    graph = Graph("shared")
    build = Builder(graph, scope="first")
    x = build.input("input", TensorType(DType.FLOAT32, (BATCH, 5)))
    w = build.parameter("first.weight", (5, 5), init=AUTO)
    hidden = build.Gemm(x, w, transB=1)
    build.scope = "second"
    graph.outputs["output"] = build.Gemm(hidden, w, transB=1)
    table = summarize(graph, columns=["layer", "params", "shared"])
    assert table.cells() == [["first", "25", "-"], ["second", "shared", "first.weight"]]


def test_unknown_column() -> None:
    """A column that does not exist is an error with the nearest that does."""
    assert refusal(summary, "INPUT -> FC", columns=["layer", "param"]) == (
        "error[E102]: the table has no column `param`\n  = help: did you mean `params`?"
    )


def test_a_fixed_batch_is_told() -> None:
    """What a model fixes is counted as it is, and not as one sample."""
    graph = Graph("g")
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, (2, 8)))
    graph.outputs["y"] = build.Relu(x)
    table = summarize(graph)
    assert table.counts.elementwise == 16
    assert dict(table.totals())["counted"].startswith("the model's batch of 2; MACs")
    assert table.to_dict()["convention"] == table.convention


def test_every_column_renders() -> None:
    """Each column has a text for each row, and a value that JSON can hold."""
    table = summary(SCOPED, columns=list(COLUMNS))
    assert all(cell for row in table.cells() for cell in row)
    assert json.loads(table.to_json())["layers"][0].keys() == COLUMNS.keys()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "-"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (3 * 2**20 // 2, "1.5 MiB"),
        (2**50, "1,024.0 TiB"),
    ],
)
def test_bytes(size: int, expected: str) -> None:
    """Bytes are shown in the largest binary unit below them."""
    assert byte_count(size) == expected
