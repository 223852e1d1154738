"""Random networks and random graphs through ONNX files: the same numbers, counts and layers."""

import re
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing import compiles, largest
from support.layers import random_state
from support.networks import grown_network
from support.onnx_models import computed
from support.random_graphs import random_model

import netc
from netc.compiler.ir.dim import substitute
from netc.runtime.kerneldef import Array

Rows = list[tuple[str, Any, Any, Any]]

SEEDS = st.integers(0, 10**6)
SMALL = 300_000  # FLOPs, and numbers of a tensor, of networks that are run
EXTENT = 8  # of what a program leaves open
# Numbers, and steps, with which two engines need not agree, and noise that takes a layer's place.
EXTREME = re.compile(r"\^|\d{5}|\d+e|[iI]nf|STEP|add=no")
# Layers that do nothing when a network is used, or only say how a tensor lies.
IDLE = {"DROPOUT", "FLATTEN", "ID", "Identity", "PERMUTE", "RESHAPE", "Transpose"}
# Layers that are read as what they were, whatever their arguments; of others operators may be left.
KEPT = {
    *("INPUT", "CONV", "POOL", "GAP", "GMP", "BN", "LN", "ADD", "MUL", "MAX", "CONCAT"),
    *("RELU", "RELU6", "LRELU", "ELU", "SELU", "TANH", "SIGMOID", "SWISH", "GELU", "MISH", "ABS"),
    *("HARDSWISH", "HARDSIGMOID", "SOFTPLUS", "SOFTMAX", "LOGSOFTMAX", "EXP", "LOG", "SQRT"),
}


def _network(seed: int) -> netc.Network | None:
    """A random network of its inputs that is quick to run; None where the program is no such."""
    program = grown_network(Random(seed), compiles)
    net = netc.compile(program)
    names = {extent for spec in net.inputs for extent in spec.shape if isinstance(extent, str)}
    work = substitute(net.flops, dict.fromkeys(names, EXTENT))
    if EXTREME.search(program) or not net.inputs:
        return None
    if not isinstance(work, int) or max(work, largest(net)) > SMALL:
        return None
    return net


def _feeds(net: netc.Network, seed: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    feeds = {}
    for spec in net.inputs:
        named = {"N": 2}
        shape = [d if isinstance(d, int) else named.get(d, EXTENT) for d in spec.shape]
        numbers = (
            random.integers(0, 5, shape) if spec.dtype == "int64" else random.normal(size=shape)
        )
        feeds[spec.name] = numbers.astype(spec.dtype)
    return feeds


def _outputs(found: Any) -> list[Array]:
    return list(found.values()) if isinstance(found, dict) else [found]


def _check_close(found: Any, wanted: Any) -> None:
    """Norm-wise within 1e-4 where both are finite, and both are in the same places."""
    for a, b in zip(_outputs(found), _outputs(wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        finite = np.isfinite(b)
        np.testing.assert_array_equal(np.isfinite(a), finite)
        difference = a[finite].astype(np.float64) - b[finite].astype(np.float64)
        scale = np.linalg.norm(b[finite].astype(np.float64))
        assert np.linalg.norm(difference) <= 1e-4 * scale + 1e-5


def _rows(net: netc.Network) -> Rows:
    """What the summary says of each layer that computes."""
    return [
        (row.kind, row.output, row.params, row.macs) for row in net.layers if row.kind not in IDLE
    ]


def check_network(seed: int) -> None:
    """A network is written, read, and what it was; on both engines it computes what it did."""
    net = _network(seed)
    if net is None:
        return
    state, feeds = random_state(net), _feeds(net, seed)
    with TemporaryDirectory() as folder:
        path = Path(folder, "m.onnx")
        net.export(path, state)
        back = netc.load_onnx(path)
        try:
            wanted = net.run(feeds, state)
        except netc.NetError:  # the program does not take extents of that size
            return
        assert [spec.name for spec in back.inputs] == list(feeds)
        _check_close(back.run(feeds), wanted)
        if all(np.isfinite(array).all() for array in _outputs(wanted)):  # else they may differ
            with suppress(netc.NetError):  # where onnxruntime has no kernel for an operator
                _check_close(back.run(feeds, engine="onnxruntime"), wanted)
    assert (back.params, back.macs) == (net.params, net.macs)
    if KEPT.issuperset(row.kind for row in net.layers if row.kind not in IDLE):
        assert _rows(back) == _rows(net)


def check_graph(seed: int) -> None:
    """A graph of operators, as exporters write them, computes what onnxruntime does."""
    model, feeds = random_model(seed)
    net = netc.load_onnx(model.SerializeToString())
    assert net.summary().to_text()
    for found, wanted in zip(_outputs(net.run(feeds)), computed(model, feeds), strict=True):
        _check_close(found, wanted)


@settings(max_examples=25)
@given(SEEDS)
def test_networks(seed: int) -> None:
    """Random programs come back."""
    check_network(seed)


@settings(max_examples=40)
@given(SEEDS)
def test_graphs(seed: int) -> None:
    """Random graphs compute what they say."""
    check_graph(seed)


@pytest.mark.long
@settings(max_examples=3_000)
@given(SEEDS)
def test_many_networks(seed: int) -> None:
    """As above, with three thousand."""
    check_network(seed)


@pytest.mark.long
@settings(max_examples=10_000)
@given(SEEDS)
def test_many_graphs(seed: int) -> None:
    """As above, with ten thousand."""
    check_graph(seed)
