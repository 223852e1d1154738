"""Values of a graph -> what users see of inputs and outputs: name, shape, element type."""

from collections.abc import Mapping

from .compiler.ir.graph import Value
from .compiler.ir.types import HolderType
from .grammar.records import record


@record
class TensorSpec:
    """A named input or output; `shape` is channels first, with the batch as `"N"`.

    What holds tensors has no shape, and a `dtype` such as `seq(float32[N, 3])`.
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} ({', '.join(map(str, self.shape))})"


def specs(values: Mapping[str, Value]) -> tuple[TensorSpec, ...]:
    """What users see of named values, in order."""
    return tuple(_spec(name, value) for name, value in values.items())


def _spec(name: str, value: Value) -> TensorSpec:
    shape = tuple(dim if isinstance(dim, int) else str(dim) for dim in value.shape)
    kind = value.type if isinstance(value.type, HolderType) else value.dtype.value
    return TensorSpec(name, shape, str(kind))
