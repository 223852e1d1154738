"""A graph that is not run by `Network`, such as one in training mode, on both engines."""

import io
from collections.abc import Mapping

import numpy as np
import onnxruntime

from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.verify import verify
from netc.compiler.training.train_step import expose_parameters
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

Arrays = Mapping[str, Array]


def on_both(
    graph: Graph, feeds: Arrays, state: Arrays
) -> tuple[dict[str, Array], dict[str, Array]]:
    """A graph's outputs on NumPy kernels and on onnxruntime, weights being inputs as in training.

    No engine may write to what it is given.
    """
    exposed = expose_parameters(graph)
    verify(exposed)
    given = {**feeds, **{name: np.asarray(state[name]) for name in graph.parameters}}
    before = {name: array.copy() for name, array in given.items()}
    results = run(plan(exposed), given, {}), _on_onnxruntime(exposed, given)
    for name, array in before.items():
        np.testing.assert_array_equal(given[name], array)
    return results


def _on_onnxruntime(graph: Graph, feeds: Arrays) -> dict[str, Array]:
    file = io.BytesIO()
    write(graph, {}, file)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(file.getvalue(), options, ["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))
