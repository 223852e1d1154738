"""What types tell while a model is read: branches, and the ranks of merges."""

import numpy as np
import onnx
import pytest

import netc

X = np.arange(8, dtype=np.float32).reshape(2, 2, 2)

BRANCHES = """
<ir_version: 10, opset_import: ["" : 21]>
branches (float[N, RANKS] x) => (y) <int64 four = {4}, int64[1] first = {1}> {
  shape = Shape(x)
  rank = Size(shape)
  is_image = Equal(rank, four)
  y = If(is_image) <
    then_branch: graph = image () => (float a) { a = ReduceMax<keepdims = 0>(x) },
    else_branch: graph = other () => (float[N, 1] b) {
      c = Neg(x)
      b = Unsqueeze(c, first)
    }
  >
}
"""


@pytest.mark.parametrize(("extents", "rank"), [("3, 5, 5", 0), ("3", 3)])
def test_an_if_is_the_branch_that_types_tell(extents: str, rank: int) -> None:
    """The branches yield tensors of different ranks, and one of them is the network's."""
    text = BRANCHES.replace("RANKS", extents)
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    assert not any(node.subgraphs for _, node in net.graph.nodes())
    assert len(net.outputs[0].shape) == rank


def test_computed_operands_of_several_ranks_align_their_last_axes() -> None:
    """A layer would align their batches, which is another sum where extents agree."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    sums (float[2, 2, 2] x, float[2] v) => (float[2, 2, 2] y) { w = Relu(v) y = Add(x, w) }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    v = np.array([1, 10], np.float32)
    np.testing.assert_array_equal(net.run({"x": X, "v": v}), X + v)


@pytest.mark.parametrize("batch", [1, 3])
def test_masks_broadcast_along_a_batch_that_is_opened(batch: int) -> None:
    """A computed mask has no batch, and a sample of the model's own fits as well as several."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    masked (float[1, 2, 2, 2] q, bool[2, 2] mask) => (float[1, 2, 2, 2] y)
    <float low = {-1000}, float zero = {0}> {
      bias = Where(mask, zero, low)
      scores = MatMul(q, q)
      sum = Add(scores, bias)
      y = Softmax<axis = -1>(sum)
    }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    q = np.random.default_rng(0).normal(size=(batch, 2, 2, 2)).astype(np.float32)
    found = net.run({"q": q, "mask": np.array([[True, False], [True, True]])})
    assert isinstance(found, np.ndarray)
    assert found.shape == q.shape
    np.testing.assert_allclose(found[:, :, 0], [[[1, 0]] * 2] * batch)


def test_the_bounds_of_a_range_may_be_vectors_of_one() -> None:
    """As ONNX's own definition of `AffineGrid` gives them."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    counts (int64[1] n) => (int64[m] y) <int64 zero = {0}, int64[1] two = {2}> {
      y = Range(zero, n, two)
    }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    assert net.run({"n": np.array([5])}).tolist() == [0, 2, 4]  # type: ignore[union-attr]


def test_an_axis_may_be_a_number() -> None:
    """Engines take it for a vector of one."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    axes (float[N, 1, 3] x) => (float[N, 3, 1] y) <int64 one = {1}, int64 last = {-1}> {
      flat = Squeeze(x, one)
      y = Unsqueeze(flat, last)
    }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    assert net.outputs[0].shape == ("N", 3, 1)


def test_shapes_are_told_in_part() -> None:
    """Of a computed shape the numbers that are told are known, so that others may be squeezed."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    parts (float[3] x, int64[1] n) => (float[a, 3] y) <int64[2] rest = {1, 3}> {
      shape = Concat<axis = 0>(n, rest)
      wide = Expand(x, shape)
      y = Squeeze(wide)
    }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    assert net.outputs[0].shape == ("?", 3)
    found = net.run({"x": np.arange(3, dtype=np.float32), "n": np.array([4])})
    assert isinstance(found, np.ndarray)
    assert found.shape == (4, 3)


def test_tables_of_numbers_are_joined_along_their_last_axis() -> None:
    """What is told of vectors does not hold of matrices of whole numbers."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    joined (float[N, 4] x) => (float[2] y)
    <int64[2, 1] rows = {0, 1}, int64[2, 1] columns = {3, 2}> {
      places = Concat<axis = -1>(rows, columns)
      y = GatherND(x, places)
    }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    np.testing.assert_array_equal(net.run(X.reshape(2, 4)), [3, 6])


def test_equal_parts_of_several_batches_are_batches() -> None:
    """An extent of 2 N comes apart into N and N."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    parts (float[N, 4] x) => (float[N, 4] y) {
      two = Concat<axis = 0>(x, x)
      a, b = Split<axis = 0, num_outputs = 2>(two)
      y = Add(a, b)
    }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    assert net.outputs[0].shape == ("N", 4)
    np.testing.assert_array_equal(net.run(X.reshape(2, 4)), 2 * X.reshape(2, 4))
