"""Whether onnxruntime adds a tensor's rows, each times a number, to another tensor: by trial."""

from functools import cache

import numpy as np

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import Graph
from ...compiler.ops.gated_sums import DOMAIN, GATED_SUM
from ...grammar.diagnostics import NetError
from .trial import computed, fed


@cache
def has_gated_sums() -> bool:
    """Whether there is the operator, which is no standard, and it yields a + b s."""
    random = np.random.default_rng(0)
    shapes = {"a": (3, 2, 5), "b": (3, 2, 5), "s": (3, 2, 1)}
    feeds = {
        name: random.integers(-3, 4, shape).astype(np.float32) for name, shape in shapes.items()
    }
    build = Builder(Graph("trial"))
    a, b, s = (fed(build, name, array) for name, array in feeds.items())
    build.graph.outputs = {"y": build.op(GATED_SUM, (a, b, s))[0]}
    build.graph.opsets = {**build.graph.opsets, DOMAIN: 1}
    try:
        found = computed(build.graph, feeds)
    except NetError:
        return False
    return np.array_equal(found, feeds["a"] + feeds["b"] * feeds["s"])
