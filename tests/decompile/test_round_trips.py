"""Networks to ONNX, back, to a program, and compiled: the same layers, weights and numbers."""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper, parser

import netc
from netc.compiler.decompile.decompile import decompile
from netc.grammar.formatting.formatter import format_source
from netc.grammar.source import Source
from netc.programs import ReshapedState
from netc.runtime.kerneldef import Array


def _check_again(imported: netc.Network) -> netc.Network:
    """Compile the program of an imported network, and compare the two."""
    program = decompile(imported.graph)
    text = program.text
    assert imported.to_text() == text
    again = netc.compile(text)
    assert format_source(Source("model.net", text)) == text
    assert "W102" not in {warning.code for warning in again.warnings}  # automatic names
    assert again.macs == imported.macs
    if (
        not program.shapes and not program.tables
    ):  # else operators take weights, each a `PARAM` of another shape
        assert _kinds(again) == _kinds(imported)
    state = imported.initialize()
    held = ReshapedState(state, program.shapes, tables=program.tables)
    again.check_weights(held)
    assert list(again.graph.inputs) == list(imported.graph.inputs)
    x = _sample(imported)
    for y, wanted in zip(_outputs(again, x, held), _outputs(imported, x, state), strict=True):
        np.testing.assert_array_equal(y, wanted)
    return again


def _kinds(net: netc.Network) -> list[str]:
    return sorted(layer.kind for layer in net.graph.layers.values() if layer.kind != "ID")


def _sample(net: netc.Network) -> dict[str, Array]:
    random = np.random.default_rng(0)
    shapes = {s.name: [d if isinstance(d, int) else 2 for d in s.shape] for s in net.inputs}
    return {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def _outputs(net: netc.Network, x: Any, state: Any) -> list[Array]:
    y = net.run(x, state)
    return list(y.values()) if isinstance(y, dict) else [y]


HEADER = '<ir_version: 8, opset_import: ["" : 20]>\n'


def _model(text: str, weights: dict[str, tuple[int, ...]]) -> bytes:
    model = parser.parse_model(HEADER + text)
    random = np.random.default_rng(0)
    for name, shape in weights.items():
        array = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    return bytes(model.SerializeToString())


def test_a_fixed_batch_is_opened() -> None:
    """Pairs of all samples, whose number reading leaves fixed, are pairs of any number."""
    text = """g (float[2,3] x) => (float[2,2] y) {
        t = Transpose(x)
        p = MatMul(x, t)
        y = Relu(p)
    }"""
    imported = netc.load_onnx(_model(text, {}))
    assert [warning.code for warning in imported.warnings] == ["W578"]
    program = decompile(imported.graph)
    assert program.batch == 2
    x = np.random.default_rng(1).standard_normal((3, 3), np.float32)
    y = netc.compile(program.text).run(x)
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(y, np.maximum(x @ x.T, 0), 1e-5)


def test_inputs_of_any_name() -> None:
    """An input may have the name of a word of the language, in quotes."""
    imported = netc.load_onnx(_model("g (float[N,3] in) => (float[N,3] y) { y = Relu(in) }", {}))
    text = imported.to_text()
    assert 'INPUT(3) as "in" -> RELU' in text
    assert [spec.name for spec in netc.compile(text).inputs] == ["in"]


def test_operands_of_int32() -> None:
    """Numbers of an operand are of the only type that it can have."""
    text = """g (float[N,1,2,2] x) => (float[N,1,1,1] y)
    <float s = {0.5}, uint8 z = {3}, int8[1,1,2,2] w = {1, 2, 3, 4}, int8 v = {0}, int32[1] b = {7}>
    {
        q = QuantizeLinear(x, s, z)
        c = QLinearConv(q, s, z, w, s, v, s, z, b)
        y = DequantizeLinear(c, s, z)
    }"""
    imported = netc.load_onnx(_model(text, {}))
    x = np.random.default_rng(0).standard_normal((2, 1, 2, 2), np.float32)
    again = netc.compile(imported.to_text())
    y = again.run(x, again.initialize())
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y, imported.run(x))


def test_a_batch_that_operators_hold_is_not_opened() -> None:
    """An output that has as many samples whatever the input has is an error."""
    text = """g (float[2,3] x) => (float[2,3] y) {
        first = Constant<value_ints = [0]>()
        s = ReduceSum(x, first)
        shape = Constant<value_ints = [2, 3]>()
        y = Expand(s, shape)
    }"""
    with pytest.raises(netc.NetError, match=r"E579.*a batch of 2"):
        decompile(netc.load_onnx(_model(text, {})).graph)


def test_weights_that_are_shared_in_part_are_copied() -> None:
    """A layer with a bias of its own and another's matrix has a copy of the matrix."""
    text = """g (float[N,4] x) => (float[N,4] y) {
        p = MatMul(x, w)
        q = Add(p, a)
        r = Relu(q)
        s = MatMul(r, w)
        y = Add(s, b)
    }"""
    imported = netc.load_onnx(_model(text, {"w": (4, 4), "a": (4,), "b": (4,)}))
    program = decompile(imported.graph)
    assert len(program.copies) == 1
    state = imported.initialize()
    held = ReshapedState(state, program.shapes, program.copies)
    again = netc.compile(program.text)
    again.check_weights(held)
    assert again.params == imported.params + 16
    x = np.random.default_rng(1).standard_normal((3, 4), np.float32)
    np.testing.assert_array_equal(again.run(x, held), imported.run(x, state))


def test_a_layer_takes_a_constant() -> None:
    """A first state that is a constant goes through a layer that a later one shares."""
    text = """g (float[N,4] x) => (float[N,4] y) {
        start = Constant<value = float[1,4] {0.5, -1, 2, 0}>()
        p = Gemm(start, w, a)
        q = Add(x, p)
        r = Tanh(q)
        s = Gemm(r, w, a)
        y = Sub(x, s)
    }"""
    imported = netc.load_onnx(_model(text, {"w": (4, 4), "a": (4,)}))
    text = imported.to_text()
    assert "CONST([0.5, -1, 2, 0]) -> FC(4) as fc1" in text
    assert "FC(4, share=fc1)" in text
    x, state = np.random.default_rng(1).standard_normal((3, 4), np.float32), imported.initialize()
    np.testing.assert_array_equal(netc.compile(text).run(x, state), imported.run(x, state))


@pytest.mark.parametrize("name", ["int32", "uint8", "bool"])
def test_inputs_of_other_types(name: str) -> None:
    """Inputs of whole numbers and of truth values keep their type."""
    text = f"g ({name}[N,3] x) => (float[N,3] y) {{ c = Cast<to = 1>(x)\n y = Relu(c) }}"
    imported = netc.load_onnx(_model(text, {}))
    again = netc.compile(decompile(imported.graph).text)
    assert again.inputs[0].dtype == name
    x = np.array([[0, 1, 1], [1, 0, 1]], name)
    np.testing.assert_array_equal(again.run(x, {}), x.astype(np.float32))


STEPS = (
    *("CONV(3x3, 4)", "CONV(1x1, 4, bias=no) -> BN", "DWCONV(5x5)", "RELU", "LRELU(0.2)", "TANH"),
    *("POOL(3x3, stride=1, pad=1)", "POOL(3x3, avg, stride=1, pad=1)", "BN(eps=0.001)", "LN"),
    *("CONV(3x3, 4, dilation=2, groups=2)", 'op("Clip", min=-1, max=1)', "PRELU", "GN(2)"),
    *("SWISH", "LRN(3)", 'op("Mul", B=[[[2.0]], [[0.5]], [[1.0]], [[0.25]]])', "ID"),
    *('op("Erf")', "IN", "ABS", "GELU(tanh)", "DROPOUT", "NORMALIZE(mean=0.5, std=0.25)"),
)
MERGES = (
    "ADD",
    "MUL",
    "MAX",
    "MEAN",
    "CONCAT -> CONV(1x1, 4)",
    "CONCAT(axis=height) -> SLICE(0, 8, axis=height)",
)


def _random_program(random: Random) -> str:
    """An image goes through layers, branches within branches, and skips from afar."""
    names = ["a", "b", "c"][: random.randint(1, 3)]
    lines = [f"{name} = INPUT(8x8x4) as in_{name} -> {_chain(random, 2, [])}" for name in names]
    known = [*names]
    for place in range(random.randint(1, 3)):
        start = random.choice(known)
        lines.append(f"x{place} = {start} -> {_chain(random, 2, known)}")
        known.append(f"x{place}")
    ends = random.sample(known, random.randint(1, min(3, len(known))))
    lines += [f"output y{place} = {end} -> RELU" for place, end in enumerate(ends)]
    lines.append(f"output z = ( {' | '.join(known)} ) -> ADD -> GAP -> FC(3)")
    return "\n".join(lines)


def _chain(random: Random, depth: int, known: list[str]) -> str:
    steps = []
    for _ in range(random.randint(1, 4)):
        if depth and random.random() < 0.4:
            branches = [_chain(random, depth - 1, known) for _ in range(random.randint(1, 2))]
            branches.append(random.choice(["ID", *known]))
            random.shuffle(branches)
            steps.append(f"( {' | '.join(branches)} ) -> {random.choice(MERGES)}")
        else:
            steps.append(random.choice(STEPS))
    return " -> ".join(steps)


@settings(max_examples=12)
@given(st.integers(0, 10**6))
def test_random_networks(seed: int) -> None:
    """Any graph of branches, merges and skips is said by a program."""
    net = netc.compile(_random_program(Random(seed)))
    with TemporaryDirectory() as folder:
        net.export(Path(folder) / "model.onnx", seed=1)
        _check_again(netc.load(Path(folder) / "model.onnx"))


@pytest.mark.parametrize(
    "call", ["GN(2)", "GN(2, affine=no)", "IN", "IN(affine=no)", "LN", "LN(all)"]
)
@pytest.mark.parametrize("size", ["8x8x4", "8x4, sequence"])
def test_normalizations_as_they_are_exported(call: str, size: str, tmp_path: Path) -> None:
    """They are layers again, with the mean subtracted beforehand as exports have it."""
    program = f"net model\n\nINPUT({size}) -> {call} -> RELU\n"
    netc.compile(program).export(tmp_path / "model.onnx")
    assert netc.load(tmp_path / "model.onnx").to_text() == program
