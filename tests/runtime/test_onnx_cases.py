"""ONNX's own test cases of operators that have kernels of ours, on these."""

import numpy as np
import pytest
from support.onnx_cases import Case, all_cases, graph_of

from netc.compiler.ir.verify import verify
from netc.runtime.engines.engine import run

FAMILIES = ("gru", "if", "loop", "lstm", "range", "rnn", "scan")
# Cases that are not compared, and why.
LACKING = {
    "if_opt": "graphs hold no optional values",
    "if_seq": "graphs hold no sequences",
    "loop11": "its `Slice` takes computed places",
    "loop13_seq": "graphs hold no sequences",
    "loop16_seq_none": "graphs hold no optional values",
    "scan_sum": "until opset 8, Scan had a batch",
    "range_bfloat16_type_positive_delta_expanded": "NumPy has no bfloat16",
}


def _family(name: str) -> str:
    return name.removeprefix("simple_").partition("_")[0].rstrip("0123456789")


CASES = [
    case
    for name, case in all_cases().items()
    if _family(name) in FAMILIES and (_family(name) != "range" or name.endswith("_expanded"))
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """The results are those that ONNX gives, of the same shapes and types."""
    if case.name in LACKING:
        pytest.skip(LACKING[case.name])
    graph = graph_of(case.model)
    verify(graph)
    for given, expected in case.sets:
        found = run(graph, dict(zip(case.inputs(), given, strict=True)), {})
        for array, wanted in zip(found.values(), expected, strict=True):
            assert (array.shape, array.dtype) == (wanted.shape, wanted.dtype)
            np.testing.assert_allclose(array, wanted, rtol=1e-5, atol=1e-6)
