"""Safetensors files: read through the library, memory-mapped, and written tensor by tensor.

The format (https://huggingface.co/docs/safetensors): the header's length as a little-endian uint64,
the header as JSON with each tensor's type, shape and offsets, and the tensors' bytes.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from ...grammar.diagnostics import NetError, error
from ...grammar.files import check_readable
from ..arrays.memory import check_memory
from ..kerneldef import Array
from .state import LazyState, WeightType, type_of

DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_CODES = {name: code for code, name in DTYPES.items()}
ALIGNMENT = 8  # bytes that the header's length is a multiple of


class SafetensorsState(LazyState):
    """The tensors of a safetensors file, which stays memory-mapped.

    Attributes:
        metadata: The texts in its header, by name.
    """

    def __init__(self, path: str, file: Any) -> None:
        self.path = path
        self._file = file
        self.metadata: Mapping[str, str] = file.metadata() or {}
        self._names = list(file.keys())
        self._types: dict[str, WeightType] = {}

    def __getitem__(self, name: str) -> Array:
        check_memory(
            f"`{name}` of `{self.path}`", self.type_of(name).bytes
        )  # refuses element types that NumPy has not
        try:
            array: Array = self._file.get_tensor(name)
        except (SafetensorError, TypeError, ValueError) as failure:
            raise _malformed(self.path, failure) from None
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._index()

    def _index(self) -> Mapping[str, WeightType]:
        """The types of all tensors, from the header."""
        if not self._types:
            try:
                self._types = {name: self._type(name) for name in self._names}
            except (SafetensorError, TypeError, ValueError) as failure:
                raise _malformed(self.path, failure) from None
        return self._types

    def _type(self, name: str) -> WeightType:
        part = self._file.get_slice(name)
        code = part.get_dtype()
        return WeightType(DTYPES.get(code, code), tuple(part.get_shape()))

    def type_of(self, name: str) -> WeightType:
        """A tensor's type, from the header."""
        type = self._index()[name]
        if type.dtype not in _CODES:
            raise error(
                "E505",
                f"`{name}` in `{self.path}` holds {type.dtype}, which NumPy does not have",
                help="store the weights as float32",
            )
        return type


def open_safetensors(path: str) -> SafetensorsState:
    """Open a safetensors file.

    Raises:
        NetError: The file cannot be read (E001), or is not a safetensors file (E505).
    """
    check_readable(path)
    try:
        return SafetensorsState(path, safe_open(path, framework="numpy"))
    except (SafetensorError, OSError, ValueError) as failure:
        raise _malformed(path, failure) from None


def write_safetensors(
    file: BinaryIO, state: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Write weights, one at a time, and on demand texts by name in the header.

    Raises:
        NetError: E505, an element type that the format has not.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for name in state:
        type = type_of(state, name)
        if type.dtype not in _CODES:
            raise error("E505", f"`{name}` cannot be stored: it holds {type.dtype}")
        header[name] = {
            "dtype": _CODES[type.dtype],
            "shape": list(type.shape),
            "data_offsets": [offset, offset + type.bytes],
        }
        offset += type.bytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % ALIGNMENT)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in state:
        array = np.asarray(state[name])
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        file.write(plain.reshape(-1).view(np.uint8).data)


def _malformed(path: str, failure: Exception) -> NetError:
    return error(
        "E505",
        f"`{path}` is not a complete safetensors file",
        notes=[str(failure)],
        help="it may be truncated, or of another format: copy it again, or check its suffix",
    )
