"""Arrays that onnxruntime uses in place, from one run to the next."""

import numpy as np
import pytest

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.runtime.engines.engine import _session
from netc.runtime.engines.io_bindings import Bindings
from netc.runtime.engines.session import Session
from netc.runtime.kerneldef import Array


@pytest.fixture
def session() -> Session:
    """x + step, and the sum of x y, of which there is one for each sample."""
    build = Builder(Graph("bound"))
    x, y = (build.input(name, TensorType(DType.FLOAT32, (BATCH, 3))) for name in "xy")
    step = build.input("step", TensorType(DType.FLOAT32, ()))
    axis = build.index_constant((1,))
    sums = build.ReduceSum(build.Mul(x, y), axis, keepdims=0)
    build.graph.outputs = {"sums": sums, "moved": build.Add(x, step)}
    return _session(build.graph, "cpu")


def _moved(x: Array, step: float) -> Array:
    return x + np.float32(step)


def test_state_that_goes_to_and_fro(session: Session) -> None:
    """Two sets of arrays are written in turn, other results stay, and batches may change."""
    x, other, made = np.zeros((2, 3), np.float32), np.empty((2, 3), np.float32), 0
    binding = session._session.io_binding

    def counted() -> object:
        nonlocal made
        made += 1
        return binding()

    session._session.io_binding = counted
    results = []
    for step in range(6):
        y = np.full((2, 3), step, np.float32)
        feeds = {"x": x, "y": y, "step": np.float32(step) + np.zeros((), np.float32)}
        before = x.copy()
        found = session.run_into(feeds, {"fetch 1": other})
        assert found["fetch 1"] is other
        np.testing.assert_array_equal(other, _moved(before, step))
        results.append((found["fetch 0"], (before * y).sum(axis=1)))
        x, other = other, x
    for sums, expected in results:
        np.testing.assert_array_equal(sums, expected)
    assert made == 2


def test_arrays_that_change(session: Session) -> None:
    """An array that was bound is read again, also one that has to be copied."""
    wide = np.arange(12, dtype=np.float32).reshape(2, 6)
    y, step = np.ones((2, 3), np.float32), np.zeros((), np.float32)
    x = wide[:, ::2]
    for _ in range(3):
        wide += 1
        step += 1
        y *= 2
        found = session.run_into({"x": x, "y": y, "step": step}, {})
        np.testing.assert_array_equal(found["fetch 1"], x + step)
        np.testing.assert_array_equal(found["fetch 0"], (x * y).sum(axis=1))


def test_results_are_the_callers(session: Session) -> None:
    """What no array was given for is not written over by later runs, of other batches, too."""
    kept: list[tuple[Array, dict[str, Array]]] = []
    for batch in (2, 2, 5, 1, 2):
        x = np.full((batch, 3), len(kept) + 1, np.float32)
        found = session.run_into({"x": x, "y": x, "step": np.zeros((), np.float32)}, {})
        kept.append((x, found))
    for x, found in kept:
        np.testing.assert_array_equal(found["fetch 1"], x)
        np.testing.assert_array_equal(found["fetch 0"], (x * x).sum(axis=1))


def test_where_binding_copies(session: Session) -> None:
    """Where what is bound goes to a device at once, every run binds again."""
    bound = Bindings(session._session, session._bindings._value, copies=True)
    x = np.zeros((2, 3), np.float32)
    for step in range(3):
        x += 1
        feeds = {"x": x, "y": x, "step": np.asarray(step, np.float32)}
        found = bound.run(feeds, {}, tuple(session.inputs), session.outputs)
        np.testing.assert_array_equal(found["fetch 1"], x + step)
        assert not bound._kept
