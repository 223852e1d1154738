"""Models in half precision: what an opset's operators take of it, and weights as they are read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from onnx import defs, helper

from ....grammar.diagnostics import did_you_mean, error
from ...ir.graph import Graph, Node, required
from ...ir.signature import Signature
from ...ir.types import DType
from ...onnx_standard.schemas import schema_of
from ...passes.half_precision import RANGES, half_precision
from .older import OLDER
from .weights import Array, State


@dataclass(frozen=True, slots=True)
class Half:
    """How a model is written in half precision.

    Attributes:
        dtype: The type of weights and products: float16 or bfloat16.
        keep_io_types: Whether inputs and outputs stay float32.
    """

    dtype: DType
    keep_io_types: bool = True

    @classmethod
    def of(cls, name: str, *, keep_io_types: bool = True) -> "Half":
        """The choice that a type's name states.

        Raises:
            NetError: E502, no model is written in that type.
        """
        known = [dtype.value for dtype in RANGES]
        if name not in known:
            help = did_you_mean(name, known) or f"the types are {' and '.join(known)}"
            raise error("E502", f"no model is written in `{name}`", help=help)
        return cls(DType(name), keep_io_types)

    def apply(self, graph: Graph, opset: int) -> Graph:
        """A network in half precision as far as the operators of an opset take it.

        Raises:
            NetError: E509, the network is of float64.
        """
        for value in (*graph.inputs.values(), *graph.parameters.values()):
            if value.dtype is DType.FLOAT64:
                message = f"cannot write a network of float64 in {self.dtype.value}"
                raise error("E509", message, help="declare its inputs as float32")

        def takes(node: Node) -> Sequence[bool] | None:
            row = required(node.row)
            if row.domain or opset < OLDER.get(node.op_type, (0,))[0]:  # it is built from others
                return None
            real = tuple(v is not None and v.dtype is DType.FLOAT32 for v in node.inputs)
            return _taken(row, self.dtype, opset, real, len(node.outputs))

        return half_precision(graph, self.dtype, takes=takes, keep_io_types=self.keep_io_types)


@cache
def _taken(
    row: Signature, dtype: DType, opset: int, real: tuple[bool, ...], outputs: int
) -> tuple[bool, ...] | None:
    """Which arguments an opset's operator takes in a type; None where it does not have it.

    Some are of float32 whatever the others are, such as the scales of Resize.
    """
    schema = schema_of(row.name, opset)
    if schema is None:
        return None
    wanted = f"tensor({dtype.value})"
    kinds = [_types(schema.inputs, position) for position in range(len(real))]
    fixed = [kind == {"tensor(float)"} for kind in kinds]
    if any(
        is_real and not is_fixed and wanted not in kind
        for is_real, is_fixed, kind in zip(real, fixed, kinds, strict=True)
    ):
        return None
    if not any(wanted in _types(schema.outputs, position) for position in range(outputs)):
        return None
    return tuple(not each for each in fixed)


def _types(formal: Sequence[defs.OpSchema.FormalParameter], position: int) -> set[str]:
    """The types of an argument or a result; the last stands for all further ones."""
    return set(formal[min(position, len(formal) - 1)].types)


class RoundedState(Mapping[str, Array]):
    """Weights in the types of a graph's parameters, each rounded when it is read.

    Raises:
        NetError: E508, a finite number would become an infinity.
    """

    def __init__(self, state: State, graph: Graph) -> None:
        self.state = state
        self.graph = graph

    def __getitem__(self, name: str) -> Array:
        array = np.asarray(self.state[name])
        dtype = self.graph.parameters[name].dtype
        if dtype not in RANGES or array.dtype != np.float32:
            return array
        with np.errstate(over="ignore", invalid="ignore"):
            rounded: Array = array.astype(helper.tensor_dtype_to_np_dtype(dtype.code))
        largest = float(np.max(np.abs(array), initial=0.0, where=np.isfinite(array)))
        if largest > RANGES[dtype][1] and not np.array_equal(np.isinf(rounded), np.isinf(array)):
            raise error(
                "E508",
                f"the weight `{name}` holds numbers up to {largest:.6g}, and {dtype.value} ends at"
                f" {RANGES[dtype][1]:.6g}",
                help="export it in bfloat16, which has the range of float32, or in float32"
                if dtype is DType.FLOAT16
                else "export it in float32",
            )
        return rounded

    def __iter__(self) -> Iterator[str]:
        return iter(self.state)

    def __len__(self) -> int:
        return len(self.state)

    def __contains__(self, name: object) -> bool:
        return name in self.state
