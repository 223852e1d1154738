"""State -> tensors of a model, read one at a time: inside the model, or in a file beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from onnx import TensorProto

from ....grammar.diagnostics import error
from ...ir.graph import Graph, Value
from ...ir.types import TensorType
from ...onnx_standard.protos import CONSTANT_NOTE, element_type

Array = np.ndarray[Any, Any]
State = Mapping[str, Array]

PAGE = 4096  # bytes; a memory page, so that runtimes can map the tensors


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter's place: its name, type and bytes, and its offset in the data file.

    A table that nothing learns, and that is no statistic either, is noted as a constant.
    """

    name: str
    type: TensorType
    bytes: int
    offset: int
    is_table: bool = False

    def header(self, location: str | None) -> TensorProto:
        """The tensor without its values, which are in the file `location` or follow inline."""
        dims = [dim for dim in self.type.shape if isinstance(dim, int)]
        proto = TensorProto(name=self.name, data_type=element_type(self.type.dtype), dims=dims)
        if self.is_table:
            proto.doc_string = CONSTANT_NOTE
        if location is not None:
            proto.data_location = TensorProto.EXTERNAL
            place = {"location": location, "offset": self.offset, "length": self.bytes}
            for key, value in place.items():
                proto.external_data.add(key=key, value=str(value))
        return proto


def layout(graph: Graph) -> list[Weight]:
    """The parameters in order, with offsets that a data file would have."""
    weights: list[Weight] = []
    offset = 0
    for name, value in graph.parameters.items():
        size = value.type.bytes
        assert isinstance(size, int)
        weights.append(Weight(name, value.type, size, offset, _is_table(graph, value)))
        end = offset + size
        offset = -(-end // PAGE) * PAGE
    return weights


def _is_table(graph: Graph, value: Value) -> bool:
    readers = (graph[reader].op_type for reader in graph.readers(value.node))
    return graph.producer(value).attributes["buffer"] and "BatchNormalization" not in readers


def read(weight: Weight, state: State) -> memoryview:
    """A parameter's bytes, little-endian and row-major.

    Raises:
        NetError: E501, the state has no such parameter, or one of another shape or type.
    """
    if weight.name not in state:
        raise error("E501", f"no weight is given for `{weight.name}`")
    array = np.asarray(state[weight.name])
    if array.shape != weight.type.shape or array.dtype.name != weight.type.dtype.value:
        found = f"{array.dtype.name}[{', '.join(map(str, array.shape))}]"
        raise error("E501", f"`{weight.name}` is {weight.type}, and the weight is {found}")
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return plain.reshape(-1).view(np.uint8).data


def write_data(file: BinaryIO, weights: Sequence[Weight], state: State) -> None:
    """Write a data file tensor by tensor, each at its offset."""
    end = 0
    for weight in weights:
        file.write(bytes(weight.offset - end))
        file.write(read(weight, state))
        end = weight.offset + weight.bytes


def chunks(weights: Sequence[Weight], state: State) -> Iterator[memoryview]:
    """The parameters' bytes one after another, each read when it is asked for."""
    return (read(weight, state) for weight in weights)
