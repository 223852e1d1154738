"""Models that exporters fixed to several samples -> the networks of an open batch."""

import re
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, numpy_helper
from support.onnx_models import computed, kinds_of, parsed

import netc

PART = '<ir_version: 8, opset_import: ["" : 18]>\n'
TWO = np.array([[[3, 4, 5]]], np.float32).repeat(2, 0)

Stored = dict[str, "np.ndarray[Any, Any]"]

# The operators of a model of two samples, stored tensors, and the layers that they are.
OPENED: dict[str, tuple[str, Stored, list[str] | None]] = {
    "heads that are moved before the batch": (
        """g (float[2,3,4] x) => (float[2,3,4] y) {
            a = Transpose<perm = [1, 0, 2]>(x)
            inner = Constant<value_ints = [3, 4, 2]>()
            b = Reshape(a, inner)
            c = Transpose<perm = [1, 0, 2]>(b)
            d = Relu(c)
            e = Transpose<perm = [1, 0, 2]>(d)
            outer = Constant<value_ints = [3, 2, 4]>()
            f = Reshape(e, outer)
            y = Transpose<perm = [1, 0, 2]>(f)
        }""",
        {},
        ["Transpose", "Reshape", "RELU", "Reshape", "Transpose"],
    ),
    "rows of a sequence with the batch inside": (
        """g (float[2,4,3] x) => (float[2,4,5] y) {
            a = Transpose<perm = [1, 0, 2]>(x)
            rows = Constant<value_ints = [8, 3]>()
            b = Reshape(a, rows)
            c = MatMul(b, w)
            outer = Constant<value_ints = [4, 2, 5]>()
            d = Reshape(c, outer)
            y = Transpose<perm = [1, 0, 2]>(d)
        }""",
        {"w": np.arange(15, dtype=np.float32).reshape(3, 5)},
        ["Transpose", "LINEAR", "Transpose"],
    ),
    "a class token": (
        """g (float[2,4,3] x) => (float[2,5,3] y) {
            shape = Constant<value_ints = [2, 1, 3]>()
            a = Expand(token, shape)
            y = Concat<axis = 1>(a, x)
        }""",
        {"token": np.array([[[3, 4, 5]]], np.float32)},
        ["PARAM", "CONCAT"],
    ),
    "a class token that an exporter has repeated": (
        "g (float[2,4,3] x) => (float[2,5,3] y) { y = Concat<axis = 1>(expand, x) }",
        {"expand": TWO},
        ["PARAM", "CONCAT"],
    ),
    "queries that are tiled, and attend to themselves": (
        """g (float[2,3,3] x) => (float[2,1,3] y) {
            often = Constant<value_ints = [2, 1, 1]>()
            a = Tile(token, often)
            b = Transpose<perm = [0, 2, 1]>(x)
            c = MatMul(a, b)
            y = MatMul(c, x)
        }""",
        {"token": TWO[:1]},
        None,
    ),
    "places of samples": (
        """g (float[2,4] x) => (float[2,1] y) {
            first = Constant<value = int64[2,1] {0, 1}>()
            t = ArgMax<axis = 1>(x)
            i = Concat<axis = 1>(first, t)
            a = GatherND(x, i)
            last = Constant<value_ints = [1]>()
            y = Unsqueeze(a, last)
        }""",
        {},
        None,
    ),
    "a mask that is the same for all": (
        """g (float[2,3,3] x) => (float[2,3,3] y) {
            low = Constant<value = float[2,1,3] {0, 0, -9, 0, 0, -9}>()
            a = Add(x, low)
            y = Softmax(a)
        }""",
        {},
        ["CONST", "ADD", "SOFTMAX"],
    ),
    "an image of the other's size": (
        """g (float[2,1,2,2] x) => (float[2,1,4,6] y) {
            none = Constant<value = float[0] {}>()
            sizes = Constant<value_ints = [2, 1, 4, 6]>()
            y = Resize<mode = "nearest">(x, none, none, sizes)
        }""",
        {},
        None,
    ),
    "first states of zeros": (
        """g (float[2,3,4] x) => (float[3,1,2,5] y) {
            a = Transpose<perm = [1, 0, 2]>(x)
            shape = Constant<value_ints = [1, 2, 5]>()
            h = ConstantOfShape<value = float[1] {0}>(shape)
            y = RNN<hidden_size = 5>(a, w, r, , , h)
        }""",
        {"w": np.ones((1, 5, 4), np.float32) / 9, "r": np.ones((1, 5, 5), np.float32) / 9},
        None,
    ),
    "a sequence whose second axis is the batch": (
        "g (float[3,2,4] x) => (float[3,1,2,5] y) { y = RNN<hidden_size = 5>(x, w, r) }",
        {"w": np.ones((1, 5, 4), np.float32) / 9, "r": np.ones((1, 5, 5), np.float32) / 9},
        None,
    ),
    "two batches, one behind the other": (
        """g (float[2,3] x, float[2,3] z) => (float[2,4] y) {
            a = Concat<axis = 0>(x, z)
            b = MatMul(a, w)
            c, d = Split<axis = 0, num_outputs = 2>(b)
            y = Mul(c, d)
        }""",
        {"w": np.arange(12, dtype=np.float32).reshape(3, 4)},
        ["Concat", "FC", "Split", "MUL"],
    ),
    "the second of two batches": (
        """g (float[2,3] x, float[2,3] z) => (float[2,3] y) {
            a = Concat<axis = 0>(x, z)
            b = Relu(a)
            two = Constant<value_ints = [2]>()
            end = Constant<value_ints = [9223372036854775807]>()
            first = Constant<value_ints = [0]>()
            y = Slice(b, two, end, first)
        }""",
        {},
        None,
    ),
    "a branch": (
        """g (float[2,3] x, bool b) => (float[2,3] y) {
            y = If(b) <
                then_branch: graph = g1 () => (float[2,3] p) { p = Relu(x) },
                else_branch: graph = g2 () => (float[2,3] q) { q = Neg(x) }
            >
        }""",
        {},
        ["If"],
    ),
    "turns of a loop": (
        """g (float[2,3] x) => (float[2,3] y) {
            n = Constant<value_int = 3>()
            on = Constant<value = bool {1}>()
            y = Loop(n, on, x) <
                body: graph = b (int64 i, bool c, float[2,3] s) => (bool d, float[2,3] t) {
                    d = Identity(c)
                    shape = Constant<value_ints = [2, 3]>()
                    u = Reshape(s, shape)
                    t = Add(u, x)
                }
            >
        }""",
        {},
        ["Loop"],
    ),
    "what is computed of a class token": (
        """g (float[2,1,3] x) => (float[2,1,3] y) {
            rows = Constant<value_ints = [2, 1, 3]>()
            a = Expand(token, rows)
            b = Tanh(a)
            y = Add(x, b)
        }""",
        {"token": TWO[:1]},
        None,
    ),
    "a class token in another order": (
        """g (float[2,3,1] x) => (float[2,3,1] y) {
            rows = Constant<value_ints = [2, 1, 3]>()
            a = Expand(token, rows)
            b = Transpose<perm = [0, 2, 1]>(a)
            y = Add(x, b)
        }""",
        {"token": TWO[:1]},
        None,
    ),
    "a class token as a vector": (
        """g (float[2,3] x) => (float[2,3] y) {
            rows = Constant<value_ints = [2, 1, 3]>()
            a = Expand(token, rows)
            flat = Constant<value_ints = [2, 3]>()
            b = Reshape(a, flat)
            y = Add(x, b)
        }""",
        {"token": TWO[:1]},
        None,
    ),
    "two class tokens": (
        """g (float[2,2,3] x) => (float[2,2,3] y) {
            rows = Constant<value_ints = [2, 1, 3]>()
            a = Expand(token, rows)
            b = Concat<axis = 1>(a, a)
            y = Add(x, b)
        }""",
        {"token": TWO[:1]},
        None,
    ),
    "a part of a class token": (
        """g (float[2,1,2] x) => (float[2,1,2] y) {
            rows = Constant<value_ints = [2, 1, 3]>()
            a = Expand(token, rows)
            first = Constant<value_ints = [1]>()
            last = Constant<value_ints = [3]>()
            depth = Constant<value_ints = [2]>()
            b = Slice(a, first, last, depth)
            y = Add(x, b)
        }""",
        {"token": TWO[:1]},
        None,
    ),
    "numbers of a class token by place": (
        """g (float[2,1,2] x) => (float[2,1,2] y) {
            rows = Constant<value_ints = [2, 1, 3]>()
            a = Expand(token, rows)
            places = Constant<value_ints = [2, 0]>()
            b = Gather<axis = 2>(a, places)
            y = Add(x, b)
        }""",
        {"token": TWO[:1]},
        None,
    ),
    "the same rows of a table for all": (
        """g (float[2,2,3] x) => (float[2,2,3] y) {
            t = Constant<value = int64[2,2] {4, 1, 4, 1}>()
            b = Gather(w, t)
            y = Add(x, b)
        }""",
        {"w": np.arange(15, dtype=np.float32).reshape(5, 3)},
        None,
    ),
    "more zeros than are stored": (
        """g (float[2,500001] x) => (float[2,500001] y) {
            many = Constant<value_ints = [2, 500001]>()
            b = ConstantOfShape(many)
            y = Max(x, b)
        }""",
        {},
        None,
    ),
    "one token a sample": (
        "g (int64[2] x) => (float[2,3] y) { y = Gather(w, x) }",
        {"w": np.arange(15, dtype=np.float32).reshape(5, 3)},
        ["EMBED"],
    ),
}


def model_of(text: str, stored: Stored) -> ModelProto:
    """A model with stored tensors."""
    model = parsed(PART + text)
    model.graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in stored.items())
    return model


@pytest.mark.parametrize("name", OPENED)
def test_batches_of_two_are_opened(name: str) -> None:
    """Two samples yield what onnxruntime computes, and of four each pair does."""
    text, stored, kinds = OPENED[name]
    model = model_of(text, stored)
    net = netc.load_onnx(model.SerializeToString())
    assert not net.warnings
    if kinds is not None:
        assert kinds_of(net) == kinds
    random = np.random.default_rng(0)
    feeds = {}
    for spec in net.inputs:
        shape = [extent if isinstance(extent, int) else 4 for extent in spec.shape]
        whole = spec.dtype == "int64"
        feeds[spec.name] = random.integers(0, 5, shape) if whole else random.normal(size=shape)
        feeds[spec.name] = feeds[spec.name].astype(spec.dtype)
    axis = net.outputs[0].shape.index("N")
    found = net.run(feeds)
    assert isinstance(found, np.ndarray)
    for pair in ([0, 1], [2, 3]):
        two = {
            spec.name: feeds[spec.name].take(pair, spec.shape.index("N"))
            if spec.shape
            else feeds[spec.name]
            for spec in net.inputs
        }
        (wanted,) = computed(model, two)
        np.testing.assert_allclose(found.take(pair, axis), wanted, 1e-5)
        again = net.run(two)
        assert isinstance(again, np.ndarray)
        np.testing.assert_allclose(again, wanted, 1e-5)


def test_counts_are_those_of_one_sample() -> None:
    """A token that is stored for each of two samples counts once, and so do products."""
    text = """g (float[2,4,3] x) => (float[2,5,6] y) {
        a = Concat<axis = 1>(expand, x)
        y = MatMul(a, w)
    }"""
    stored = {"expand": TWO, "w": np.ones((3, 6), np.float32)}
    net = netc.load_onnx(model_of(text, stored).SerializeToString())
    assert (net.params, net.macs) == (3 + 18, 5 * 18)
    assert "( PARAM(1x3) as expand | ID )" in net.to_text()


# The operators of a model that takes two samples and no others, and why.
FIXED = {
    "weights of each sample": ("y = Mul(x, w)", r"`Mul` cannot take another number: .*\[N, 3\]"),
    "a matrix of pairs": ("a = Transpose(x)\n b = MatMul(x, a)\n y = MatMul(b, x)", "mixes them"),
    "a mean": ("y = ReduceMean<keepdims = 0>(x, first)", "the output `y` has no extent"),
    "sums that go on": (
        "a = Unsqueeze(x, mid)\n y = RNN<hidden_size = 1>(a, v, r)",
        "goes along them, as along a sequence",
    ),
}


@pytest.mark.parametrize("name", FIXED)
def test_batches_that_stay_are_told(name: str) -> None:
    """A warning says which operator holds the number of samples; the model runs as it is."""
    body, reason = FIXED[name]
    text = f"""g (float[2,3] x) => (y) {{
        first = Constant<value_ints = [0]>()
        mid = Constant<value_ints = [1]>()
        {body}
    }}"""
    random = np.random.default_rng(0)
    shapes = {"w": (2, 3), "v": (1, 1, 3), "r": (1, 1, 1)}
    stored = {n: random.normal(size=s).astype(np.float32) for n, s in shapes.items()}
    model = model_of(text, {n: a for n, a in stored.items() if f" {n}" in body or f"({n}" in body})
    net = netc.load_onnx(model.SerializeToString())
    (warning,) = net.warnings
    assert warning.code == "W578"
    assert "takes 2 samples at a time" in warning.message
    (note,) = warning.notes
    assert re.search(reason, note)
    x = random.normal(size=(2, 3)).astype(np.float32)
    found = net.run(x)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, computed(model, {"x": x})[0], 1e-5)
