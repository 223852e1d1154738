"""Losses where something is missing, very large, or at a tie."""

from typing import Any

import numpy as np
import pytest
from support.loss_rows import ROWS, LossRow, partly_given, target
from support.losses import evaluate, loss_graph, loss_of, on_engine, term

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.compiler.training.losses import LOSSES
from netc.runtime.kerneldef import Array

NAN = float("nan")
ELEMENTWISE = ("mse", "mae", "huber", "log_cosh", "binary_cross_entropy", "hinge")


def random_pair(name: str, seed: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """An output and a target that the loss takes."""
    random = np.random.default_rng(seed)
    y = random.normal(0, 2, shape)
    truth = name in ("binary_cross_entropy", "hinge")
    return y, random.integers(0, 2, shape).astype(float) if truth else random.normal(0, 2, shape)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("seed", range(4))
def test_masked_targets(name: str, seed: int) -> None:
    """What is not given adds nothing to sum, count and gradient: the loss is that of the rest."""
    y, t = random_pair(name, seed, (5, 6))
    missing = np.random.default_rng(seed + 50).random(t.shape) < 0.4
    masked = loss_of(term(name), y, np.where(missing, NAN, t))
    rest = loss_of(term(name), y[~missing][:, None], t[~missing][:, None])
    assert masked.value == pytest.approx(rest.value, rel=1e-14)
    np.testing.assert_allclose(masked.gradient[~missing], rest.gradient[:, 0], rtol=1e-13)
    assert not np.any(masked.gradient[missing])


def test_masked_half_squares() -> None:
    """The half sum of squares leaves out what is not given, and counts every sample."""
    y, t = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, NAN], [NAN, NAN]])
    found = loss_of(term("mse", half=True), y, t)
    assert found.value == 0.25
    np.testing.assert_array_equal(found.gradient, [[0.5, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nothing_given(name: str) -> None:
    """Where no target is given at all, loss and gradient are 0, not NaN."""
    y, t = random_pair(name, 0, (3, 2))
    found = loss_of(term(name), y, np.full_like(t, NAN))
    assert found.value == 0.0
    assert not np.any(found.gradient)


@pytest.mark.parametrize("name", ["cross_entropy", "nll"])
def test_everything_ignored(name: str) -> None:
    """Where every class index is ignored, loss and gradient are 0, not NaN."""
    y = np.log(np.full((2, 3, 4, 4), 1 / 3))
    found = loss_of(term(name, ignore_index=255), y, np.full((2, 4, 4), 255))
    assert found.value == 0.0
    assert not np.any(found.gradient)


def test_what_is_masked_may_be_infinite() -> None:
    """An infinite output adds nothing where no target is given."""
    y, t = np.array([[np.inf, 1.0]]), np.array([[NAN, 0.0]])
    for name in ("mse", "mae", "huber", "log_cosh"):
        found = loss_of(term(name), y, t)
        assert np.isfinite(found.value)
        assert found.gradient[0, 0] == 0.0


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "log_cosh", "binary_cross_entropy"])
def test_a_single_channel_may_be_left_out(name: str) -> None:
    """Targets (N,) fit outputs (N, 1), and are not broadcast against each other."""
    y, t = random_pair(name, 1, (4, 1))
    assert loss_of(term(name), y, t[:, 0]).value == loss_of(term(name), y, t).value


@pytest.mark.parametrize(
    ("name", "y", "t", "expected"),
    [
        ("cross_entropy", [[1e4, -1e4]], [1], 2e4),
        ("cross_entropy", [[1e4, -1e4]], [0], 0.0),
        ("cross_entropy", [[1e38, -1e38]], [0], 0.0),
        ("binary_cross_entropy", [[1e4, -1e4]], [[0.0, 1.0]], 1e4),
        ("binary_cross_entropy", [[1e4, -1e4]], [[1.0, 0.0]], 0.0),
        ("binary_cross_entropy", [[3e38]], [[0.0]], 3e38),
        ("log_cosh", [[1e4, -1e4]], [[0.0, 0.0]], 1e4 - np.log(2)),
        ("huber", [[1e30]], [[0.0]], 1e30),
        ("hinge", [[1e4, 0.0]], [1], 5000.5),
        ("hinge", [[0.0, 1e4]], [1], 0.0),
    ],
)
def test_extremes_in_float32(name: str, y: Any, t: Any, expected: float) -> None:
    """Nothing overflows in float32, and what vanishes is exactly 0."""
    output = np.array(y, np.float32)
    target = np.array(t, np.float32 if isinstance(t[0], list) else np.int64)
    found = loss_graph(term(name), output, target)
    value = evaluate(found.graph, {"y": output, "t": target}, "float32")["loss"]
    assert value.dtype == np.float32
    assert float(value) == pytest.approx(expected, rel=1e-6, abs=0.0)


def test_log_cosh_of_small_errors() -> None:
    """Its gradient is tanh(e), at 0, too."""
    y = np.array([[-2.0, -1e-3, 0.0, 1e-3, 2.0]])
    found = loss_of(term("log_cosh"), y, np.zeros_like(y))
    np.testing.assert_allclose(found.gradient, np.tanh(y) / 5, atol=1e-16)
    assert found.value == pytest.approx(np.mean(np.log(np.cosh(y))), rel=1e-12)


def test_ties() -> None:
    """At ties gradients are PyTorch's: 0 for |0|, and 0 at the hinge's edge."""
    zero = np.zeros((1, 1))
    assert loss_of(term("mae"), zero, zero).gradient == 0.0
    assert loss_of(term("hinge"), np.ones((1, 1)), np.ones((1, 1))).gradient == 0.0
    assert loss_of(term("binary_cross_entropy"), zero, zero).gradient == 0.5


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (2, 3, 4, 5)], ids=str)
def test_stock_onnxruntime(row: LossRow, shape: tuple[int, ...]) -> None:
    """Stock onnxruntime computes every loss and its gradient, for any batch, masked or not."""
    random = np.random.default_rng(3)
    y = random.normal(0, 2, shape).astype(np.float32)
    t = target(row.kind, random, shape, axis=2 if len(shape) == 3 else 1)
    t = t if row.kind == "indices" else partly_given(row.kind, random, t).astype(np.float32)
    found = loss_graph(term(row.name, **row.arguments), y, t)
    (gradient,) = gradients(Builder(found.graph), found.loss, [found.output])
    assert gradient is not None
    found.graph.outputs["dy"] = gradient
    for batch in (shape[0], 1):
        feeds = {"y": y[:batch], "t": t[:batch]}
        expected = on_engine(found.graph, feeds)
        results = evaluate(found.graph, feeds, "float32")
        for key in ("loss", "dy"):
            np.testing.assert_allclose(results[key], expected[key], rtol=1e-5, atol=1e-7)


IMAGE = TensorType(DType.FLOAT32, (BATCH, 5, 8, 9))


@pytest.mark.parametrize(
    ("name", "output", "targets"),
    [
        ("cross_entropy", (BATCH, 10), ["int64[N]", "float32[N, 10]"]),
        ("cross_entropy", (BATCH, 7, 10), ["int64[N, 7]", "float32[N, 7, 10]"]),
        ("nll", (BATCH, 5, 8, 9), ["int64[N, 8, 9]", "float32[N, 5, 8, 9]"]),
        ("hinge", (BATCH, 10), ["int64[N]", "float32[N, 10]"]),
        ("hinge", (BATCH, 1), ["float32[N, 1]", "float32[N]"]),
        ("binary_cross_entropy", (BATCH, 1), ["float32[N, 1]", "float32[N]"]),
        ("mse", (BATCH, 30), ["float32[N, 30]"]),
        ("mse", (BATCH, 1, 8, 9), ["float32[N, 1, 8, 9]", "float32[N, 8, 9]"]),
        ("mse", (BATCH,), ["float32[N]"]),
    ],
)
def test_types_of_targets(name: str, output: Any, targets: list[str]) -> None:
    """Each loss says which targets it takes for an output, the default first."""
    type = TensorType(DType.FLOAT32, output)
    assert [str(target) for target in LOSSES[name].target_types(type)] == targets


def test_classes_that_indices_count() -> None:
    """For targets of indices the number of classes is known, so that data can be checked."""
    row = LOSSES["cross_entropy"]
    assert row.classes(IMAGE, row.target_types(IMAGE)[0]) == 5
    assert row.classes(IMAGE, IMAGE) == 0
