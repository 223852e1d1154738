"""Weights by name, read one at a time."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ..arrays.from_python import to_array
from ..kerneldef import Array


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


def type_of(state: Mapping[str, Any], name: str) -> WeightType:
    """The type of a weight in any state.

    Raises:
        NetError: E501, it is not an array.
    """
    if isinstance(state, LazyState):
        return state.type_of(name)
    array = weight_of(state, name)
    return WeightType(array.dtype.name, array.shape)


def weight_of(state: Mapping[str, Any], name: str) -> Array:
    """A weight in any state as an array.

    Raises:
        NetError: E501, it is not an array, or has a mask.
    """
    try:
        array = to_array(state[name])
    except ValueError as failure:
        message = f"the weight `{name}` is not an array of numbers"
        raise error("E501", message, notes=[str(failure)]) from None
    if np.ma.isMaskedArray(array):
        help = "`.filled(0)` replaces masked values with a number"
        raise error("E501", f"the weight `{name}` holds masked values", help=help)
    return array
