"""Compares an exported model with the NumPy engine, and names the first node where they differ."""

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy import ndarray

from ...compiler.emit.onnx import export
from ...compiler.ir.graph import Graph
from ...compiler.ir.types import HolderType, SequenceType, TensorType
from ...grammar.diagnostics import NetError, error
from ..arrays.held import in_each, one_by_one
from .agreement import norm_difference
from .engine import run
from .lookups import lookups
from .session import Session

Array = ndarray[Any, Any]
Feeds = Mapping[str, Array]

# A network's outputs may differ by this much, norm-wise, in float32.
OUTPUT_TOLERANCE = 1e-4
# On unusual inputs each operation may round differently: what is looked for there is far larger.
UNUSUAL_TOLERANCE = 1e-2
# By how much more than the last bits of the inputs an engine's rounding may move the outputs.
ALLOWED_ROUNDINGS = 10
BATCHES = (1, 3)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two engines are apart: max |difference| / max |NumPy's value|, over all outputs."""

    difference: float
    batches: tuple[int, ...]

    def __str__(self) -> str:
        batches = " and ".join(map(str, self.batches))
        return (
            f"NumPy and onnxruntime agree within {self.difference:.1e} of the largest output "
            f"(batch {batches}; {OUTPUT_TOLERANCE:.0e} is allowed)"
        )


def verify_model(
    graph: Graph, state: Mapping[str, Array], path: str, *, batches: Sequence[int] = BATCHES
) -> Agreement:
    """Run an exported model and the graph that it came from on the same inputs.

    These are random ones of mean 0 and deviation 1 in each batch, and then, for one sample, the
    kinds of `UNUSUAL`. Where outputs depend on the last bits of such inputs, as a normalization of
    equal numbers does, they may differ by more.

    Args:
        graph: The network.
        state: The weights that were exported.
        path: The exported model, which runs untouched.
        batches: Batch sizes to try.

    Raises:
        NetError: The engines disagree (E504), naming the first node that differs, or onnxruntime
            is not installed (E502).
    """
    session = Session(path)
    worst, scales = 0.0, defaultdict[str, float](float)
    for batch in batches:
        feeds = random_feeds(graph, batch)
        expected = one_by_one(run(graph, feeds, state))
        found = one_by_one(session.run(feeds, list(graph.outputs)))
        worst = max(worst, *(norm_difference(found[name], expected[name]) for name in expected))
        if not worst <= OUTPUT_TOLERANCE:
            raise _disagreement(graph, state, feeds, worst)
        for name, array in expected.items():
            scales[name] = max(scales[name], _largest(array))
    if any(value.dtype.is_float for value in graph.inputs.values()):
        for change in UNUSUAL.values():
            _compare_unusual(graph, state, session, change(random_feeds(graph, 1)), scales)
    return Agreement(worst, tuple(batches))


def random_feeds(graph: Graph, batch: int) -> dict[str, Array]:
    """Normal values for real inputs, rows of tables or bits for integers; open extents are 32."""
    random, tables = np.random.default_rng(batch), lookups(graph)
    feeds: dict[str, Array] = {}
    for name, value in graph.inputs.items():
        rows = tables[name].rows if name in tables else 2
        feeds[name] = _drawn(value.type.bind({"N": batch}), rows, random)
    return feeds


def _drawn(type: TensorType, rows: int, random: np.random.Generator) -> Any:
    """An array, a list of two, or what an optional value may hold."""
    if isinstance(type, HolderType):
        held = type.element or TensorType(type.dtype, (1,))
        drawn = [_drawn(held, rows, random) for _ in range(2)]
        return drawn if isinstance(type, SequenceType) else drawn[0]
    shape = [extent if isinstance(extent, int) else 32 for extent in type.shape]
    if type.dtype.is_float:
        return random.standard_normal(shape).astype(type.dtype.value)
    return random.integers(0, rows, shape).astype(type.dtype.value)


def _real(feeds: Feeds, change: Callable[[Array], Array]) -> Feeds:
    """Inputs whose real numbers are changed."""

    def changed(array: Array) -> Array:
        return change(array).astype(array.dtype) if array.dtype.kind == "f" else array

    return {name: in_each(changed, value) for name, value in feeds.items()}


# Inputs on which differences of large numbers cancel.
UNUSUAL: Mapping[str, Callable[[Feeds], Feeds]] = {
    "far from zero": lambda feeds: _real(feeds, lambda x: x / 100 + 10),
    "constant": lambda feeds: _real(feeds, lambda x: np.full_like(x, 10.3)),
}


def _compare_unusual(
    graph: Graph,
    state: Mapping[str, Array],
    session: Session,
    feeds: Feeds,
    scales: Mapping[str, float],
) -> None:
    """Compare on one more input, relative to the larger of its outputs and the usual ones."""
    expected = one_by_one(run(graph, feeds, state))
    found = one_by_one(session.run(feeds, list(graph.outputs)))
    differences = {
        name: norm_difference(found[name], array, least=scales[name])
        for name, array in expected.items()
    }
    if all(difference <= UNUSUAL_TOLERANCE for difference in differences.values()):
        return
    exact, moved = (
        one_by_one(run(graph, given, state, dtype="float64")) for given in (feeds, _moved(feeds))
    )
    for name, difference in differences.items():
        sensitivity = norm_difference(moved[name], exact[name], least=scales[name])
        allowed = max(UNUSUAL_TOLERANCE, ALLOWED_ROUNDINGS * sensitivity)
        if not difference <= allowed:
            raise _disagreement(graph, state, feeds, difference, allowed)


def _moved(feeds: Feeds) -> Feeds:
    """Inputs whose real numbers are rounded up or down at random by their last bit."""
    random = np.random.default_rng(0)

    def move(x: Array) -> Array:
        towards = random.choice([-np.inf, np.inf], x.shape)
        moved: Array = np.nextafter(x, towards.astype(x.dtype))
        return moved

    return _real(feeds, move)


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0, where=np.isfinite(array)))


def _disagreement(
    graph: Graph,
    state: Mapping[str, Array],
    feeds: Mapping[str, Array],
    worst: float,
    allowed: float = OUTPUT_TOLERANCE,
) -> NetError:
    """The error, after a second run with every value as an output to find the first culprit."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "every_value.onnx")
        exported = export(graph, state, path, every_value=True)
        session = Session(path)
        computed = {
            name: value
            for name, value in exported.values.items()
            if name in session.outputs and not isinstance(value.type, HolderType)
        }
        expected = run(replace(exported.graph, outputs=computed), feeds, state)
        found = session.run(feeds, list(computed))
    message = f"NumPy and onnxruntime differ by {worst:.1e}, and {allowed:.0e} is allowed"
    for name, value in computed.items():
        difference = norm_difference(found[name], expected[name])
        if not difference <= allowed:
            node = exported.graph.producer(value)
            note = f"the first value that differs is `{name}` ({node.op_type}), by {difference:.1e}"
            return error("E504", message, node.span, notes=[note])
    return error("E504", message, notes=["no single value differs when all are computed"])
