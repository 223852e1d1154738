"""What makes sequences and optional values, changes them and takes them apart."""

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, unknown
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Maybe, Random, Row, op_row

ROWS_OF_3 = TensorType(DType.FLOAT32, (BATCH, 3))
X, LONGER = Random((None, 3)), Random((4, 3))
THREE = Row((X, Random((2, 3)), LONGER))
OF_SEVERAL_RANKS = Row((X, Random((3,))))
NO_OPTIONAL_INPUTS = "its Python interface takes no optional inputs"


def sums() -> dict[str, Graph]:
    """Of each element, twice it plus a tensor, and its negation."""
    body = Builder(Graph("sums"))
    x = body.input("x", ROWS_OF_3.with_shape((unknown(), 3)))
    total = body.Add(body.Add(x, x), body.input("y", TensorType(DType.FLOAT32, (3,))))
    body.graph.outputs = {"sum": total, "negated": body.Neg(x)}
    return {"body": body.graph}


def inserted_last(held: list[Array], x: Array, place: Array) -> list[Array]:
    """The place behind all others, where onnx's reference inserts before the last."""
    return [*held, x]


NOT_THERE = "it gives no optional value that is not there"

ROWS = [
    op_row("SequenceConstruct", X),
    op_row("SequenceConstruct", X, Random((2, 3)), Random((3,))),
    op_row("SequenceEmpty"),
    op_row("SequenceEmpty", dtype=DType.INT64),
    op_row("SequenceInsert", THREE, X),
    op_row("SequenceInsert", Row(()), X),
    op_row("SequenceInsert", THREE, X, Given(-1, "int64")),
    op_row("SequenceInsert", OF_SEVERAL_RANKS, X, Known(2), formula=inserted_last),
    op_row("SequenceErase", THREE),
    op_row("SequenceErase", THREE, Given(0, "int32")),
    op_row("SequenceAt", THREE, Given(1, "int64")),
    op_row("SequenceAt", Row((X, X)), Known(-1)),
    op_row("SequenceLength", OF_SEVERAL_RANKS),
    op_row("SequenceLength", Row(())),
    op_row("SplitToSequence", X),
    op_row("SplitToSequence", X, keepdims=0, axis=1),
    op_row("SplitToSequence", Random((None, 6)), Known(2), axis=-1),
    op_row("SplitToSequence", Random((None, 7)), Known(3), axis=1),
    op_row("SplitToSequence", Random((None, 7)), Given((3, 0, 4), "int64"), axis=1),
    op_row("SplitToSequence", Random((6, 2)), Known((3, 3))),
    op_row("ConcatFromSequence", THREE, axis=0),
    op_row("ConcatFromSequence", Row((X, X)), axis=-1, new_axis=1),
    op_row("SequenceMap", Row((X, LONGER)), Random((3,)), outputs=2, subgraphs=sums()),
    op_row("Optional", X, formula=lambda x: x),
    op_row("Optional", THREE, formula=lambda x: x, no_engine="it copies no optional sequence out"),
    op_row(
        "Optional",
        type=ROWS_OF_3,
        formula=lambda type: None,
        no_engine=NOT_THERE,
    ),
    op_row("OptionalHasElement"),
    op_row("OptionalHasElement", X),
    op_row("OptionalHasElement", Maybe(X), no_engine=NO_OPTIONAL_INPUTS),
    op_row("OptionalHasElement", Maybe(X, is_there=False), no_engine=NO_OPTIONAL_INPUTS),
    op_row("OptionalGetElement", THREE),
    op_row("OptionalGetElement", Maybe(X), no_engine=NO_OPTIONAL_INPUTS),
    op_row("OptionalGetElement", Maybe(THREE), no_engine=NO_OPTIONAL_INPUTS),
    op_row("Identity", THREE),
    op_row("Identity", Maybe(THREE), no_engine=NO_OPTIONAL_INPUTS),
]
