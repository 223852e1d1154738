"""Model and weights -> a model's bytes, written tensor by tensor.

The message is put together by hand where the weights go, because the library would need the whole
model in memory, twice. The format is protobuf's: a tag, a length, and that many bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from onnx import GraphProto, ModelProto, TensorProto

_GRAPH = ModelProto.DESCRIPTOR.fields_by_name["graph"].number
_INITIALIZER = GraphProto.DESCRIPTOR.fields_by_name["initializer"].number
_RAW_DATA = TensorProto.DESCRIPTOR.fields_by_name["raw_data"].number


def write_model(
    file: BinaryIO,
    model: ModelProto,
    graph: GraphProto,
    headers: Sequence[TensorProto],
    sizes: Sequence[int] = (),
    data: Iterable[memoryview] = (),
) -> None:
    """Write a model.

    Args:
        file: Where to.
        model: The model without its graph.
        graph: The graph without the initializers of `headers`.
        headers: Initializers without their values.
        sizes: Bytes of each initializer's values; none where the values are in another file.
        data: The values of each initializer, as many bytes as `sizes` says.
    """
    plain = graph.SerializeToString(deterministic=True)
    tensors = [header.SerializeToString(deterministic=True) for header in headers]
    if sizes:
        tensors = [t + _prefix(_RAW_DATA, n) for t, n in zip(tensors, sizes, strict=True)]
    lengths = [len(t) + n for t, n in zip(tensors, sizes or [0] * len(tensors), strict=True)]
    prefixes = [_prefix(_INITIALIZER, length) for length in lengths]
    file.write(model.SerializeToString(deterministic=True))
    file.write(_prefix(_GRAPH, len(plain) + sum(map(len, prefixes)) + sum(lengths)))
    file.write(plain)
    values: Iterator[memoryview] = iter(data)
    for prefix, tensor in zip(prefixes, tensors, strict=True):
        file.write(prefix + tensor)
        if sizes:
            file.write(next(values))


def _prefix(number: int, length: int) -> bytes:
    """The tag of a field that is bytes or a message, and its length."""
    return _varint(number << 3 | 2) + _varint(length)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
