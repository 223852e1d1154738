"""Weights by name, read one at a time."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..grammar.diagnostics import error
from .kerneldef import Array


@dataclass(frozen=True, slots=True)
class WeightType:
    """The element type, by NumPy's name, and shape of a weight."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"

    @property
    def bytes(self) -> int:
        """The size in memory."""
        size = np.dtype(self.dtype).itemsize
        for extent in self.shape:
            size *= extent
        return size


class LazyState(Mapping[str, Array]):
    """Weights that are drawn or read at each access, and not kept."""

    @abstractmethod
    def type_of(self, name: str) -> WeightType:
        """A weight's type, without reading it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} weights>"

    def materialize(self) -> dict[str, Array]:
        """All weights as a dictionary."""
        return dict(self)


def type_of(state: Mapping[str, Any], name: str) -> WeightType:
    """The type of a weight in any state.

    Raises:
        NetError: E501, it is not an array.
    """
    if isinstance(state, LazyState):
        return state.type_of(name)
    try:
        array = np.asarray(state[name])
    except (TypeError, ValueError):
        raise error("E501", f"the weight `{name}` is not an array of numbers") from None
    return WeightType(array.dtype.name, array.shape)
