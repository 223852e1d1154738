"""Weights by name, read one at a time."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...compiler.ir.types import DType, TensorType
from ...grammar.diagnostics import error
from ..arrays.from_python import to_array
from ..kerneldef import Array

State = Mapping[str, Array]


class LazyState(Mapping[str, Array]):
    """Weights that are drawn or read at each access, so that a large model is never held whole.

    Only what reads them again and again, as runs do, gets them kept: see `kept`.

    Args:
        names: The names of all weights, in order.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def kept(self, name: str) -> Array:
        """A weight to read, not to write to: from the second time on the same array."""
        held: dict[str, Array | None] = vars(self).setdefault("_held", {})
        found = held.get(name)
        if found is None:
            found = self[name]
            held[name] = found if name in held else None
        return found

    @abstractmethod
    def type_of(self, name: str) -> TensorType:
        """A weight's type, without reading it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} weights>"


def type_of(state: Mapping[str, Any], name: str) -> TensorType:
    """The type of a weight in any state.

    Raises:
        NetError: E501, it is not an array of numbers.
    """
    if isinstance(state, LazyState):
        return state.type_of(name)
    array = weight_of(state, name)
    words = array.dtype.kind in "OU"  # which are how NumPy holds strings
    try:
        return TensorType(DType.STRING if words else DType(array.dtype.name), array.shape)
    except ValueError:
        message = f"the weight `{name}` holds {array.dtype.name}, which no network has"
        raise error("E501", message, help="cast it: `array.astype('float32')`") from None


def weight_of(state: Mapping[str, Any], name: str) -> Array:
    """A weight in any state as an array.

    Raises:
        NetError: E501, it is not an array, or has a mask.
    """
    try:
        array = to_array(state.kept(name) if isinstance(state, LazyState) else state[name])
    except ValueError as failure:
        message = f"the weight `{name}` is not an array of numbers"
        raise error("E501", message, notes=[str(failure)]) from None
    if np.ma.isMaskedArray(array):
        help = "`.filled(0)` replaces masked values with a number"
        raise error("E501", f"the weight `{name}` holds masked values", help=help)
    return array
