"""Gradients of every operator on onnxruntime, where operators of our own are decomposed."""

from io import BytesIO

import numpy as np
import pytest
from support.gradients import Scalar, feeds_of, has_gradient
from support.op_table import ROWS
from support.ops import OpRow

from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.verify import verify
from netc.compiler.ops.opdef import OPS
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.engines.session import Session

TOLERANCE = 1e-4  # that of networks, as a gradient is made of several operators


def _runs(row: OpRow) -> bool:
    """Whether the engine takes the row's operator, as it is or decomposed."""
    return row.has_engine or OPS.named(row.op_type).decompose is not None


@pytest.mark.slow
@pytest.mark.parametrize("row", [r for r in ROWS if has_gradient(r) and _runs(r)], ids=str)
def test_gradient_on_onnxruntime(row: OpRow) -> None:
    """One model for all batches yields the gradients that the kernels yield, in float32."""
    scalar = Scalar(row)
    graph = scalar.build.graph
    found = scalar.differentiate(list(scalar.arguments))
    graph.outputs = {**{f"y{i}": y for i, y in enumerate(scalar.weighed.values())}, **found}
    verify(graph, after="differentiation")
    types = {name: value.dtype.value for name, value in graph.inputs.items()}
    file = BytesIO()
    write(graph, {}, file)
    session = Session(file.getvalue())
    for batch in row.batches:
        given = feeds_of(row, scalar, batch)
        feeds = {name: array.astype(types[name], copy=False) for name, array in given.items()}
        theirs = session.run({name: feeds[name] for name in session.inputs})
        for name, mine in run(plan(graph), feeds, {}).items():
            assert (mine.shape, mine.dtype) == (theirs[name].shape, theirs[name].dtype)
            if np.any(mine):
                assert norm_difference(theirs[name], mine) <= TOLERANCE
            else:
                assert not np.any(theirs[name])
