"""`Gather` by indices that exporters turn themselves -> by the indices as they are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..ir.builder import Builder
from ..ir.graph import CONSTANT, Node, Value, present
from ..ops.opdef import Operands


def counted_from_the_end(
    build: Builder, node: Node, operands: Operands
) -> tuple[Value, ...] | None:
    """Rows by an index that is turned where it is negative, as `Gather` turns it itself."""
    table, index = present(operands)
    x, extent = _source(build, index), table.shape[node.attributes["axis"]]
    if x is None or x == index or x.type != index.type or not isinstance(extent, int):
        return None
    samples = np.arange(-extent, min(extent, MOST_SAMPLES))
    found = _evaluated(build, index, x, samples)
    is_turned = found is not None and (found == samples % extent).all()
    return (build.again(node, (table, x))[0],) if is_turned else None


EVALUATED: Mapping[str, Callable[..., Any]] = {
    "Add": np.add,
    "Cast": lambda x: x.astype(np.int64),
    "Less": np.less,
    "Mul": np.multiply,
    "Not": np.logical_not,
    "Where": np.where,
}
MOST_SAMPLES = 10**4  # indices from zero on that are tried
MOST_STEPS = 30  # operators that an index is computed with


def _source(build: Builder, x: Value) -> Value | None:
    """The one tensor that numbers are computed of, element by element."""
    pending, found = [x], set()
    for _ in range(MOST_STEPS):
        if not pending:
            break
        value = pending.pop()
        node = build.graph.producer(value)
        if node.op_type in EVALUATED:
            pending += [each for each in node.inputs if each is not None]
        elif node.op_type != CONSTANT:
            found.add(value)
    return next(iter(found)) if len(found) == 1 and not pending else None


def _evaluated(build: Builder, value: Value, x: Value, samples: Any) -> Any:
    """What numbers come to where x is each of the samples; None where they are not known."""
    if value == x:
        return samples
    node = build.graph.producer(value)
    if node.op_type == CONSTANT:
        held = node.attributes["value"].numbers()
        return held[0] if held and len(held) == 1 else None
    operands = [
        None if each is None else _evaluated(build, each, x, samples) for each in node.inputs
    ]
    if len(samples) > MOST_SAMPLES or any(each is None for each in operands):
        return None
    return EVALUATED[node.op_type](*operands)
