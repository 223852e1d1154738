"""If, Loop and Scan."""

from typing import Any

import numpy as np

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.runtime.kerneldef import Array
from support.ops import Given, Random, op_row

ROWS_OF_3, ROW = TensorType(DType.FLOAT32, (BATCH, 3)), TensorType(DType.FLOAT32, (3,))
NUMBER, TRUTH = TensorType(DType.INT64, ()), TensorType(DType.BOOL, ())


def _inner(name: str) -> Builder:
    return Builder(Graph(name))


def _captured(build: Builder, type: TensorType, argument: int) -> Value:
    return build.capture(Value(0, 0, type), argument)


def _yields(build: Builder, *values: Value) -> Graph:
    build.graph.outputs = {f"y{i}": value for i, value in enumerate(values)}
    return build.graph


def branches() -> dict[str, Graph]:
    """x w and tanh x, or x and 0 x."""
    then, other = _inner("product"), _inner("same")
    x, w = _captured(then, ROWS_OF_3, 1), _captured(then, ROW, 2)
    same = _captured(other, ROWS_OF_3, 1)
    nothing = other.Mul(same, other.constant(0.0, DType.FLOAT32))
    return {
        "then_branch": _yields(then, then.Mul(x, w), then.Tanh(x)),
        "else_branch": _yields(other, same, nothing),
    }


def chosen(condition: Array, x: Array, w: Array) -> tuple[Array, Array]:
    """What branches yield."""
    return (x * w, np.tanh(x)) if condition.all() else (x, 0 * x)


def turns(below: float | None = None) -> dict[str, Graph]:
    """s <- s w + turn, and each turn's s^2; until the sum of s is not below a number."""
    body = _inner("turns" if below is None else "until")
    turn, going = body.input("turn", NUMBER), body.input("going", TRUTH)
    type = ROWS_OF_3 if below is None else ROWS_OF_3.with_shape((2, 3))
    state, w = body.input("s", type), _captured(body, ROW, 3)
    moved = body.Add(body.Mul(state, w), body.Cast(turn, to=DType.FLOAT32))
    goes = body.Identity(going)
    if below is not None:
        total = body.ReduceSum(moved, keepdims=0)
        goes = body.Less(total, body.constant(below, DType.FLOAT32))
    return {"body": _yields(body, goes, moved, body.Mul(moved, moved))}


def turned(below: float = np.inf) -> Any:
    """What turns yield."""

    def formula(most: Array | None, going: Array | None, s: Array, w: Array) -> tuple[Any, ...]:
        rows = np.zeros((0, *s.shape))
        while (most is None or len(rows) < most) and (going is None or going):
            s = s * w + len(rows)
            rows = np.concatenate((rows, s[None] ** 2))
            going = s.sum() < below
        return s, rows

    return formula


def running() -> dict[str, Graph]:
    """s <- tanh(s w + a), and each turn's s b and -a, of elements a and b."""
    body = _inner("running")
    state, a, b = (body.input(name, ROWS_OF_3) for name in "sab")
    w = _captured(body, ROW, 3)
    moved = body.Tanh(body.Add(body.Mul(state, w), a))
    return {"body": _yields(body, moved, body.Mul(state, b), body.Neg(a))}


def ran(
    s: Array,
    a: Array,
    b: Array,
    w: Array,
    *,
    scan_input_axes: tuple[int, int] = (0, 0),
    scan_input_directions: tuple[int, int] = (0, 0),
    scan_output_axes: tuple[int, int] = (0, 0),
    scan_output_directions: tuple[int, int] = (0, 0),
    num_scan_inputs: int,
) -> tuple[Array, ...]:
    """What a scan yields."""
    given = zip((a, b), scan_input_axes, scan_input_directions, strict=True)
    a, b = (np.moveaxis(x, axis, 0)[:: 1 - 2 * way] for x, axis, way in given)
    products, negatives = [], []
    for x, y in zip(a, b, strict=True):
        products.append(s * y)
        negatives.append(-x)
        s = np.tanh(s * w + x)
    found = zip((products, negatives), scan_output_axes, scan_output_directions, strict=True)
    return s, *(np.stack(rows[:: 1 - 2 * way], axis) for rows, axis, way in found)


def summing() -> dict[str, Graph]:
    """Running sums."""
    body = _inner("sums")
    state, x = body.input("s", ROWS_OF_3), body.input("x", ROWS_OF_3)
    total = body.Add(state, x)
    return {"body": _yields(body, total, total)}


NO_TURN = "where there is no turn, it takes open extents for 0"
X, W = Random((None, 3)), Random((3,), 0.5, 1.5)
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"scan_input_directions": (1, 0), "scan_output_directions": (0, 1)},
    {"scan_input_axes": (0, 1), "scan_output_axes": (2, -1)},
)

ROWS = [
    *(
        op_row("If", Given(truth, "bool"), X, W, outputs=2, formula=chosen, subgraphs=branches())
        for truth in (True, False, [True])
    ),
    *(
        op_row(
            "Loop",
            *(most, going, X, W),
            outputs=2,
            formula=turned(),
            no_engine=deviation,
            subgraphs=turns(),
        )
        for most, going, deviation in (
            (Given(4, "int64"), None, ""),
            (Given(2, "int64"), Given(True, "bool"), ""),
            (Given([3], "int64"), Given(True, "bool"), ""),
            (Given(0, "int64"), Given(True, "bool"), NO_TURN),
            (Given(3, "int64"), Given(False, "bool"), NO_TURN),
        )
    ),
    op_row(
        "Loop",
        *(None, None, Random((2, 3)), W),
        outputs=2,
        formula=turned(9.0),
        subgraphs=turns(9.0),
    ),
    *(
        op_row(
            "Scan",
            X,
            Random((4, None, 3)),
            Random((None, 4, 3) if setting.get("scan_input_axes") else (4, None, 3)),
            W,
            outputs=3,
            formula=ran,
            subgraphs=running(),
            num_scan_inputs=2,
            **setting,
        )
        for setting in SETTINGS
    ),
    op_row(
        "Scan",
        *(X, Random((0, None, 3))),
        outputs=2,
        formula=lambda s, x, **_: (s, x),
        no_engine="it refuses sequences without elements",
        subgraphs=summing(),
        num_scan_inputs=1,
    ),
]
