"""Gradients of whole layers against PyTorch's, in float64: those of the input and all weights."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from support.layers import LayerRow, Oracle, feeds_for, norm_error, random_state

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.verify import verify
from netc.compiler.ops.gradient import gradients
from netc.compiler.passes.append_backward import trainable
from netc.compiler.passes.set_mode import set_mode
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

TOLERANCE = 1e-8
BATCH = 3
FAMILIES = ("activation", "mathematics", "normalization")
# Constant almost everywhere, so without a gradient.
WITHOUT_GRADIENT = ("STEP", "ROUND", "FLOOR", "CEIL", "SIGN")
ROWS: list[LayerRow] = [
    row
    for family in FAMILIES
    for row in import_module(f"support.rows.{family}").ROWS
    if row.torch and not any(layer in row.program for layer in WITHOUT_GRADIENT)
]


def hard_sigmoid(x: Any, state: Mapping[str, Any]) -> Any:
    """The definition."""
    return (x / 6 + 0.5).clamp(0, 1)


def celu(x: Any, state: Mapping[str, Any]) -> Any:
    """The definition, for alpha = 0.3."""
    return x.clamp(min=0) + 0.3 * (x.clamp(max=0) / 0.3).expm1()


# PyTorch rounds 1 / 6 and 1 / alpha to float32 in its gradients, for float64, too.
DEFINITIONS: Mapping[str, Oracle] = {"HARDSIGMOID": hard_sigmoid, "CELU(0.3)": celu}


def normalized_by_batch(x: Any, state: Mapping[str, Any]) -> Any:
    """Batch normalization by the batch's own statistics."""
    from torch.nn.functional import batch_norm

    channels_second = x.mT if x.dim() == 3 else x
    weight, bias = state.get("l.weight"), state.get("l.bias")
    y = batch_norm(channels_second, None, None, weight, bias, training=True)
    return y.mT if x.dim() == 3 else y


TRAINED = [
    LayerRow(f"{source} -> BN{affine} as l", "", torch=normalized_by_batch)
    for source in ("INPUT(6)", "INPUT(5x6, sequence)", "INPUT(4x5x6)", "INPUT(3x4x2x6)")
    for affine in ("", "(affine=no)")
]


def name(row: LayerRow) -> str:
    """A row's name in pytest's report."""
    return row.program.replace("\n", "; ")


# Bytes have no gradient, and without weights there is none at all.
REAL = [row for row in ROWS if "uint8" not in row.program]


@pytest.mark.oracle
@pytest.mark.parametrize("row", REAL, ids=name)
def test_layer(row: LayerRow) -> None:
    """At inference the gradients are PyTorch's, norm-wise within 1e-8."""
    defined = [oracle for layer, oracle in DEFINITIONS.items() if layer in row.program]
    check(row, defined[0] if defined else row.torch, training=False)


@pytest.mark.oracle
@pytest.mark.parametrize("row", TRAINED, ids=name)
def test_batch_normalization_in_training(row: LayerRow) -> None:
    """In training the gradients pass through the batch's mean and variance, too."""
    check(row, row.torch, training=True)


def check(row: LayerRow, oracle: Oracle | None, *, training: bool) -> None:
    """Compare the gradients of a weighed sum of the layer's output."""
    network = netc.compile(row.program)
    wide = {
        key: array.astype(np.float64) if array.dtype == np.float32 else array
        for key, array in feeds_for(network, BATCH, low=row.low, high=row.high).items()
    }
    state = {key: array.astype(np.float64) for key, array in random_state(network).items()}
    found = gradients_of(set_mode(network.graph, training=training), wide, state)
    wanted = [*network.graph.inputs, *trainable(network.graph)]
    expected = gradients_of_pytorch(oracle, wide, state, wanted)
    assert found.keys() == expected.keys()
    for key, array in found.items():
        assert norm_error(array, expected[key]) <= TOLERANCE, key


def gradients_of(
    graph: Graph, feeds: Mapping[str, Array], state: Mapping[str, Array]
) -> dict[str, Array]:
    """Our gradients by input and trainable parameter, as far as the output depends on them."""
    build, y = Builder(graph), graph.labels["l"]
    weight = build.input("weight", y.type)
    loss = build.ReduceSum(build.Mul(y, weight), keepdims=0)
    leaves = {
        key: value
        for key, value in {**graph.inputs, **trainable(graph)}.items()
        if key != "weight" and value.dtype.is_float
    }
    found = gradients(build, loss, list(leaves.values()))
    graph.outputs = {key: v for key, v in zip(leaves, found, strict=True) if v is not None}
    verify(graph, after="differentiation")
    shape = y.type.bind({"N": BATCH}).shape
    weights = np.random.default_rng(2).uniform(-1, 1, np.array(shape, np.int64))
    return run(plan(graph, dtype="float64"), {**feeds, "weight": weights}, state)


def gradients_of_pytorch(
    oracle: Oracle | None,
    feeds: Mapping[str, Array],
    state: Mapping[str, Array],
    wanted: Sequence[str],
) -> dict[str, Array]:
    """PyTorch's gradients of what is wanted, as far as its result depends on them."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    assert oracle is not None
    leaves = {
        key: torch.from_numpy(array).requires_grad_(key in wanted and array.dtype.kind == "f")
        for key, array in {**feeds, **state}.items()
    }
    inputs = [leaves[key] for key in feeds]
    parameters = {key: leaves[key] for key in state}
    y = oracle(inputs[0] if len(inputs) == 1 else inputs, parameters)
    weight = np.random.default_rng(2).uniform(-1, 1, tuple(y.shape))
    (y * torch.from_numpy(weight)).sum().backward()
    return {key: t.grad.numpy() for key, t in leaves.items() if t.grad is not None}
