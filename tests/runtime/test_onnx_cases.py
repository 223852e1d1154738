"""ONNX's own test cases of recurrent operators and of control flow, on kernels of ours."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.onnx_cases import Case, all_cases

from netc.compiler.ir.graph import Graph
from netc.runtime.engines.engine import run
from netc.runtime.engines.plan import own_kernel

FAMILIES = ("gru", "if", "loop", "lstm", "rnn", "scan")
# NumPy does not have its type.
LACKING = "range_bfloat16_type_positive_delta_expanded"


def _family(name: str) -> str:
    return name.removeprefix("simple_").partition("_")[0].rstrip("0123456789")


CASES = [
    case
    for name, case in all_cases().items()
    if name != LACKING
    and (_family(name) in FAMILIES or (name.startswith("range_") and name.endswith("_expanded")))
]


def _without_kernel(graph: Graph) -> Iterator[str]:
    """The operators that a kernel of ours does not compute, in subgraphs, too."""
    for _, node in graph.nodes():
        if node.row is not None and own_kernel(node) is None:
            yield node.op_type
        for inner in node.subgraphs.values():
            yield from _without_kernel(inner)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """The results are those that ONNX gives, of the same shapes and types."""
    graph = case.graph
    assert not [*_without_kernel(graph)]
    for given, expected in case.sets:
        found = run(graph, dict(zip(graph.inputs, given, strict=True)), {})
        for result, wanted in zip(found.values(), expected, strict=True):
            _assert_same(result, wanted)


def _assert_same(found: Any, wanted: Any) -> None:
    if isinstance(wanted, list):
        assert isinstance(found, list)
        for each, other in zip(found, wanted, strict=True):
            _assert_same(each, other)
        return
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
