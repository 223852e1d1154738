"""What rows of the op table say of their operators, against what kernels compute."""

from collections import Counter

import numpy as np
import pytest
from support.op_table import ROWS
from support.ops import OpRow, arguments_of, graph_of, run_kernel

from netc.compiler.ir.builder import Builder
from netc.compiler.ops.opdef import OPS, Moves, OpDef, Precision, Yields
from netc.compiler.ops.receptive_field import along_axis, everything, statistics, throughout
from netc.compiler.ops.recurrent_kinds import GRADIENT, KINDS, OURS
from netc.compiler.ops.reduction import reduce
from netc.runtime.kerneldef import KERNELS, Array

ELEMENTWISE = [row for row in OPS.values() if row.elementwise and not row.view]
TENSORS = [row for row in ROWS if row.is_of_tensors]
MOVING = [row for row in TENSORS if OPS.named(row.op_type).moves is not Moves.NONE]
ACTIVATIONS = [row for row in OPS.values() if row.activation and row.elementwise]
WHOLE_AXES = (along_axis, everything, reduce, statistics, throughout)
REDUCING = [
    row for row in TENSORS if (own := OPS.named(row.op_type)).sees in WHOLE_AXES and not own.domain
]
AXES = [row for row in ROWS if OPS.named(row.op_type).yields.runs_over_an_axis]

NOISES = ("Dropout", "netc.Noise")  # which do nothing at inference
NAMES = (("", ""), (OURS, GRADIENT))  # of a recurrent operator, and of its gradient


def _curve(row: OpDef, x: Array) -> Array:
    """A function of one number at some places; an `alpha` of 1 would hide a kink."""
    alpha = {"alpha": 0.5} if "alpha" in row.attributes else {}
    with np.errstate(all="ignore"):
        return np.asarray(KERNELS[row.op_type].function(x, **{**row.attributes, **alpha}))


def _numbers(*arrays: Array) -> Counter[str]:
    """How often each number occurs; NaN equals itself here."""
    return Counter(repr(number) for array in arrays for number in array.ravel().tolist())


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.op_type)
def test_kinks(row: OpDef) -> None:
    """An operator has a rule of kinks where its slope, or its value, jumps, and only there."""
    step = 1e-6
    places = np.array([-3.0, -2.5, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    before, here, after = (_curve(row, places + shift) for shift in (-step, 0.0, step))
    fits = np.isfinite(before + here + after)
    bends = np.abs(after - 2 * here + before)[fits] > 0.05 * step
    jumps = np.abs(after - before)[fits] > 0.1
    assert bool(row.kinks) == bool((bends | jumps).any())


@pytest.mark.parametrize("row", MOVING, ids=str)
def test_moves(row: OpRow) -> None:
    """What only moves numbers yields numbers of its arguments, and no others."""
    arguments = [a for a in arguments_of(row, row.batches[-1], wide=True) if a is not None]
    results = run_kernel(row, arguments_of(row, row.batches[-1], wide=True))
    taken = arguments if OPS.named(row.op_type).moves is Moves.JOINED else arguments[:1]
    given, found = _numbers(*(a.astype(results[0].dtype) for a in taken)), _numbers(*results)
    assert found.keys() <= given.keys()
    assert OPS.named(row.op_type).moves is Moves.SOME or found == given


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.op_type)
def test_activations(row: OpDef) -> None:
    """What saturates has a slope that is told from its output; what dies is 0 where x < 0."""
    assert row.activation is not None
    x = np.linspace(-6, 6, 1201)
    y = _curve(row, x)
    assert row.activation.dies == (not y[:600].any())
    if row.activation.slope:
        slopes = np.gradient(y, x)
        np.testing.assert_allclose(row.activation.slope(y), slopes / slopes.max(), atol=1e-3)


@pytest.mark.parametrize("row", AXES, ids=str)
def test_probabilities(row: OpRow) -> None:
    """Along the axis, probabilities sum to 1."""
    (y,) = run_kernel(row, arguments_of(row, row.batches[-1], wide=True))
    is_log = OPS.named(row.op_type).yields is Yields.LOG_PROBABILITIES
    sums = (np.exp(y) if is_log else y).sum(axis=row.attributes.get("axis", -1))
    np.testing.assert_allclose(sums[np.isfinite(sums)], 1, rtol=1e-12)


def _multiplies(row: OpRow) -> bool:
    """Whether an operator costs multiply-accumulates on some arguments."""
    graph, definition = graph_of(row), OPS.named(row.op_type)
    node = graph.producer(graph.outputs["y0"])
    call = Builder(graph).call(definition, node.inputs, node.attributes, outputs=row.outputs)
    return definition.cost(call, node.outputs).macs != 0


def test_products_take_half_precision() -> None:
    """What multiplies and adds up, and only that, computes in the type of the weights.

    Not so recurrences, which round what they rounded before at each element.
    """
    products = {row.op_type for row in ROWS if _multiplies(row)}
    recurrences = {f"{name}{kind.name}{end}" for kind in KINDS for name, end in NAMES}
    half = {row.op_type for row in OPS.values() if row.precision is Precision.HALF}
    assert products - recurrences == half


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.op_type)
def test_what_overflows_stays_in_float32(row: OpDef) -> None:
    """A function that maps numbers of moderate size beyond float16's range is no part of it."""
    sizes = np.logspace(-3, 3, 601)
    y = _curve(row, np.concatenate([-sizes, sizes]))
    overflows = np.abs(y[np.isfinite(y)]).max() > 65504
    assert row.precision is Precision.FULL or not overflows


@pytest.mark.parametrize("row", REDUCING, ids=str)
def test_what_adds_up_stays_in_float32(row: OpRow) -> None:
    """What combines whole axes is no part of half precision, unless it chooses among numbers."""
    arguments = [a for a in arguments_of(row, row.batches[-1], wide=True) if a is not None]
    (result, *_) = run_kernel(row, arguments_of(row, row.batches[-1], wide=True))
    chooses = result.dtype.kind != "f" or _numbers(result).keys() <= _numbers(arguments[0]).keys()
    precision = OPS.named(row.op_type).precision
    assert precision is not Precision.EITHER or chooses


def test_rows_agree_with_themselves() -> None:
    """Facts of a row that exclude each other do not stand together."""
    for row in OPS.values():
        op_type = row.op_type
        assert not (row.constant and row.vjp), op_type
        assert not (row.sign and row.symbol), op_type
        assert not row.view or row.moves is Moves.ALL or op_type in NOISES, op_type
        assert not row.asks or row.decompose, op_type
