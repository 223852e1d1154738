"""Compares an exported model with the NumPy engine, and names the first node where they differ."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy import ndarray

from ..compiler.emit.onnx import export
from ..compiler.graph import Graph
from ..grammar.diagnostics import NetError, error
from .agreement import norm_difference
from .engines import run
from .session import Session

Array = ndarray[Any, Any]

# A network's outputs may differ by this much, norm-wise, in float32.
TOLERANCE = 1e-4
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
            f"(batch {batches}; {TOLERANCE:.0e} is allowed)"
        )


def verify_model(
    graph: Graph, state: Mapping[str, Array], path: str, *, batches: Sequence[int] = BATCHES
) -> Agreement:
    """Run an exported model and the graph that it came from on the same random inputs.

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
    worst = 0.0
    for batch in batches:
        feeds = random_feeds(graph, batch)
        expected = run(graph, feeds, state)
        found = session.run(feeds, list(expected))
        differences = [norm_difference(found[name], expected[name]) for name in expected]
        worst = max(worst, *differences)
        if not worst <= TOLERANCE:
            raise _disagreement(graph, state, feeds, worst)
    return Agreement(worst, tuple(batches))


def random_feeds(graph: Graph, batch: int) -> dict[str, Array]:
    """Normal values for real inputs, ids below 2 for integers; symbolic extents are 32."""
    random = np.random.default_rng(batch)
    feeds: dict[str, Array] = {}
    for name, value in graph.inputs.items():
        known = value.type.bind({"N": batch})
        shape = [extent if isinstance(extent, int) else 32 for extent in known.shape]
        if value.dtype.is_float:
            feeds[name] = random.standard_normal(shape).astype(value.dtype.value)
        else:
            feeds[name] = random.integers(0, 2, shape).astype(value.dtype.value)
    return feeds


def _disagreement(
    graph: Graph, state: Mapping[str, Array], feeds: Mapping[str, Array], worst: float
) -> NetError:
    """The error, after a second run with every value as an output to find the first culprit."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "every_value.onnx")
        exported = export(graph, state, path, every_value=True)
        every = replace(exported.graph, outputs=dict(exported.values))
        expected = run(every, feeds, state)
        found = Session(path).run(feeds, list(expected))
    message = f"NumPy and onnxruntime differ by {worst:.1e}, and {TOLERANCE:.0e} is allowed"
    for name, value in exported.values.items():
        difference = norm_difference(found[name], expected[name])
        if not difference <= TOLERANCE:
            node = exported.graph.producer(value)
            note = f"the first value that differs is `{name}` ({node.op_type}), by {difference:.1e}"
            return error("E504", message, node.span, notes=[note])
    return error("E504", message, notes=["no single value differs when all are computed"])
