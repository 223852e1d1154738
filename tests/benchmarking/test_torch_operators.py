"""Each operator's call of PyTorch, against our kernel, on the arguments of the op table's tests."""

from collections import defaultdict

import numpy as np
import pytest
from support.op_table import ROWS
from support.ops import FLOAT32_TOLERANCE, OpRow, arguments_of, graph_of, run_kernel

from netc.grammar.diagnostics import NetError
from netc.runtime.engines.agreement import norm_difference

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch")

from netc.compiler.emit.torch.operators import OPERATORS  # noqa: E402 - needs torch
from netc.runtime.benchmarking.torch_network import TorchNetwork  # noqa: E402

BATCH = 3
# What models have, and the op table has not: ONNX's own cases are computed instead.
FOREIGN = {
    *("CastLike", "NegativeLogLikelihoodLoss", "RMSNormalization", "SoftmaxCrossEntropyLoss"),
    "Swish",
}
BY_OPERATOR: dict[str, list[OpRow]] = defaultdict(list)
for each in ROWS:
    BY_OPERATOR[each.op_type].append(each)


@pytest.mark.parametrize("op_type", [op_type for op_type in OPERATORS if op_type not in FOREIGN])
def test_calls_agree_with_kernels(op_type: str) -> None:
    """PyTorch computes what our kernel does, or says what it cannot do; some of it, it can."""
    agreed = [agrees(row) for row in BY_OPERATOR[op_type]]
    assert any(agreed)


def agrees(row: OpRow) -> bool:
    """Whether PyTorch has a call for the row; if so, its results are compared."""
    arguments = arguments_of(row, BATCH)
    if any(isinstance(each, list) for each in arguments):  # a sequence, which PyTorch has not
        return False
    feeds = {
        f"a{place}": torch.tensor(array)
        for place, array in enumerate(arguments)
        if array is not None
    }
    graph = graph_of(row)
    try:
        network = TorchNetwork(graph, {}, {"N": BATCH}, training=False)
    except NetError:
        return False
    found = network(feeds)
    for name, expected in zip(graph.outputs, run_kernel(row, arguments), strict=True):
        assert tuple(found[name].shape) == expected.shape, row
        result = found[name].numpy()
        if row.op_type == "Sign":  # ONNX leaves open what no number has, and PyTorch says 0
            expected = np.nan_to_num(expected, nan=0.0)
        if row.op_type == "TopK" and name == [*graph.outputs][-1]:  # of equals, any may be first
            axis = row.attributes.get("axis", -1)
            result, expected = (
                np.take_along_axis(arguments[0], places, axis) for places in (result, expected)
            )
        difference = norm_difference(result, expected, least=1e-6)
        assert difference < 10 * FLOAT32_TOLERANCE, row
    return True
