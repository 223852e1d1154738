"""Subgraphs of one step of a plan, as its kernel calls them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...compiler.ir.dim import Dim, Polynomial, substitute
from ...compiler.ir.types import HolderType, TensorType
from ..arrays.feeds import CheckedFeeds
from ..kerneldef import Array
from .calls import Subplan
from .plan import Plan

Compute = Callable[[Plan, CheckedFeeds], dict[str, Array]]


class Body:
    """A subgraph on what it captures.

    Args:
        subplan: How it is computed.
        slots: The arrays of the plan that it is in.
        compute: What computes a plan of given inputs.
    """

    def __init__(self, subplan: Subplan, slots: Sequence[Array | None], compute: Compute) -> None:
        self._plan: Plan = subplan.plan
        self._inputs = subplan.inputs
        self._dtypes, self._compute = subplan.dtypes, compute
        held = {name: slots[slot] for name, slot in subplan.captured.items()}
        self._captured: dict[str, Any] = held

    def __call__(self, *arrays: Array) -> tuple[Array, ...]:
        """Its outputs, which share no memory with its inputs."""
        return tuple(self._compute(self._plan, self._feeds(arrays)).values())

    def nothing(self, *arrays: Array) -> tuple[Array, ...]:
        """No rows of each output, (0, *extents), of the extents that inputs tell; else of 0."""
        symbols = self._feeds(arrays).symbols
        shapes = [value.shape for value in self._plan.graph.outputs.values()]
        return tuple(
            np.empty((0, *(_number(extent, symbols) for extent in shape)), dtype)
            for shape, dtype in zip(shapes, self._dtypes, strict=True)
        )

    def _feeds(self, arrays: Sequence[Array]) -> CheckedFeeds:
        feeds = {**self._captured, **dict(zip(self._inputs, arrays, strict=True))}
        return CheckedFeeds(feeds, known_extents(self._plan.inputs, feeds))


def known_extents(types: Mapping[str, TensorType], arrays: Mapping[str, Array]) -> dict[str, int]:
    """The extents that arrays tell by name; none of a name that stands for two.

    In a subgraph, extents that differ from turn to turn may have one name. What is no array tells
    none.
    """
    found: dict[str, int] = {}
    wrong: set[str] = set()
    for name, type in types.items():
        if isinstance(type, HolderType):
            continue
        for dim, extent in zip(type.shape, arrays[name].shape, strict=True):
            if isinstance(dim, Polynomial) and found.setdefault(str(dim), extent) != extent:
                wrong.add(str(dim))
    return {name: extent for name, extent in found.items() if name not in wrong}


def _number(dim: Dim, symbols: Mapping[str, int]) -> int:
    known = substitute(dim, symbols, others=0)
    assert isinstance(known, int)
    return known
