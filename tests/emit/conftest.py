"""Programs as graphs, and weights for them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.verify import verify
from netc.compiler.lower import lower
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source

State = dict[str, np.ndarray[Any, Any]]


@pytest.fixture
def graph_of() -> Callable[[str], Graph]:
    """A function from a program's text to its verified graph."""

    def compile(text: str) -> Graph:
        graph = lower(parse(Source("<test>", text)), name="net").graph
        verify(graph)
        return graph

    return compile


@pytest.fixture
def state_of() -> Callable[[Graph], State]:
    """A function from a graph to random weights; all positive, as variances must be."""

    def draw(graph: Graph) -> State:
        random = np.random.default_rng(0)
        return {
            name: random.uniform(0.1, 1.0, _numbers(value)).astype(value.dtype.value)
            for name, value in graph.parameters.items()
        }

    return draw


def _numbers(value: Value) -> tuple[int, ...]:
    return tuple(dim for dim in value.shape if isinstance(dim, int))
