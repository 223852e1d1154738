"""Operators that ONNX defines by others: built from these, counted by them, and differentiated."""

from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator
from support.gradients import STEP
from support.ops import Random

from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.signature import OPSETS
from netc.compiler.ir.verify import verify
from netc.compiler.onnx_standard.foreign_operators import foreign_row
from netc.compiler.ops.gradient import gradients
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.engine import plan_of
from netc.runtime.engines.executor import run
from netc.runtime.kerneldef import Array


@dataclass(frozen=True)
class Case:
    """An operator of an opset on some arguments.

    Attributes:
        outputs: How many outputs are asked for.
        macs: What its products cost.
    """

    name: str
    opset: int
    arguments: tuple[Random | None, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1
    macs: int = 0


X, Y = Random((2, 3, 4)), Random((2, 3, 4, 8))
TOKENS = Random((2, 6, 12))
CASES = [
    Case("Swish", 24, (X,), {"alpha": 0.5}),
    Case("RMSNormalization", 23, (X, Random((4,)))),
    Case("RMSNormalization", 23, (X, Random((3, 4))), {"axis": 1}),
    Case("RotaryEmbedding", 23, (Y, Random((2, 4, 4)), Random((2, 4, 4))), {"num_heads": 3}),
    Case("Attention", 23, (Y, Y, Y), macs=2 * 2 * 3 * 4 * 4 * 8),
    Case("Attention", 23, (Y, Y, Y, Random((4, 4))), {"is_causal": 1}, macs=2 * 2 * 3 * 4 * 4 * 8),
    Case(
        "Attention",
        23,
        (TOKENS, TOKENS, TOKENS),
        {"q_num_heads": 3, "kv_num_heads": 3, "softcap": 2.0},
        macs=2 * 2 * 3 * 6 * 6 * 4,
    ),
    Case("Attention", 23, (Y, Y, Y, None, Y, Y), outputs=3, macs=2 * 2 * 3 * 4 * 8 * 8),
    Case("MeanVarianceNormalization", 22, (Y,)),
    Case("NegativeLogLikelihoodLoss", 22, (Random((5, 3)), Random((5,), 0, 3, "int64"))),
    Case(
        "SoftmaxCrossEntropyLoss",
        22,
        (Random((5, 3, 2)), Random((5, 2), 0, 3, "int64"), Random((3,), 0.5, 1.5)),
    ),
]


def _graph(case: Case) -> tuple[Builder, list[Value | None], tuple[Value, ...]]:
    """The operator alone, with its arguments as inputs."""
    opsets = {**OPSETS, "": case.opset}
    build = Builder(Graph("function", opsets=opsets))
    values = [
        None if a is None else build.input(f"a{i}", a.type()) for i, a in enumerate(case.arguments)
    ]
    row = foreign_row(case.name, case.opset)
    assert row is not None
    results = build.op(row, values, case.attributes, outputs=case.outputs)
    build.graph.outputs = {f"y{i}": value for i, value in enumerate(results)}
    return build, values, results


def _feeds(case: Case) -> dict[str, Array]:
    return {f"a{i}": a.values(1, i) for i, a in enumerate(case.arguments) if a is not None}


def _by_onnx(case: Case) -> list[Array]:
    """What onnx's reference computes."""
    feeds = _feeds(case)
    names = ["" if a is None else f"a{i}" for i, a in enumerate(case.arguments)]
    results = [f"y{i}" for i in range(case.outputs)]
    node = helper.make_node(case.name, names, results, **case.attributes)
    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in feeds.items()
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in results]
    model = helper.make_model(
        helper.make_graph([node], "function", inputs, outputs),
        opset_imports=[helper.make_opsetid("", case.opset)],
    )
    return list(ReferenceEvaluator(model).run(None, feeds))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_meaning(case: Case) -> None:
    """On NumPy it is what onnx's reference says, of the types that are inferred."""
    build, _, results = _graph(case)
    verify(build.graph)
    found = run(plan_of(build.graph), _feeds(case), {})
    for array, value, expected in zip(found.values(), results, _by_onnx(case), strict=True):
        assert array.shape == value.shape == expected.shape
        assert norm_difference(array, expected) <= 1e-5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_products_are_counted(case: Case) -> None:
    """It costs what the operators cost that it is built from."""
    build, values, results = _graph(case)
    row = foreign_row(case.name, case.opset)
    assert row is not None
    call = build.call(row, values, case.attributes, outputs=case.outputs)
    cost = row.cost(call, [value.type for value in results])
    assert cost.macs == case.macs
    assert isinstance(cost.elementwise, int)
    assert cost.elementwise > 0


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gradient(case: Case) -> None:
    """Its gradients, through what it is built from, are central differences."""
    build, values, (y, *_) = _graph(case)
    real = {f"a{i}": v for i, v in enumerate(values) if v is not None and v.dtype.is_float}
    weights = build.input("weights", y.type)
    loss = build.ReduceSum(build.Mul(y, weights), keepdims=0)
    wanted = list(real)[: 1 if "Loss" in case.name else None]
    found = gradients(build, loss, [real[name] for name in wanted])
    build.graph.outputs = {n: v for n, v in zip(wanted, found, strict=True) if v is not None}
    assert build.graph.outputs.keys() >= {"a0"}
    random = np.random.default_rng(5)
    feeds = {n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in _feeds(case).items()}
    feeds["weights"] = random.uniform(-1, 1, [d for d in y.shape if isinstance(d, int)])
    slopes = run(plan_of(build.graph, dtype="float64"), feeds, {})
    build.graph.outputs = {"loss": loss}
    forward = partial(run, plan_of(build.graph, dtype="float64"), state={})
    for name, slope in slopes.items():
        for place in random.permutation(slope.size)[:10]:
            step = np.zeros(slope.size)
            step[place] = STEP
            step = step.reshape(slope.shape)
            above = forward({**feeds, name: feeds[name] + step})["loss"]
            below = forward({**feeds, name: feeds[name] - step})["loss"]
            assert abs((above - below) / (2 * STEP) - slope.flat[place]) <= 1e-7


@pytest.mark.parametrize("case", [c for c in CASES if c.opset > 22], ids=lambda case: case.name)
def test_built_for_older_opsets(case: Case) -> None:
    """Written for opset 22, which lacks it, it is what it is built from."""
    build, _, _ = _graph(case)
    file = BytesIO()
    write(build.graph, {}, file, opset=22)
    model = onnx.load_from_string(file.getvalue())
    assert case.name not in {node.op_type for node in model.graph.node}
    found = ReferenceEvaluator(model).run(None, _feeds(case))
    for array, expected in zip(found, _by_onnx(case), strict=True):
        assert norm_difference(array, expected) <= 1e-5
