"""Safetensors files: read through the library, memory-mapped, and written tensor by tensor.

The format (https://huggingface.co/docs/safetensors): the header's length as a little-endian uint64,
the header as JSON with each tensor's type, shape and offsets, and the tensors' bytes.
"""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from ...compiler.ir.types import DType, TensorType
from ...grammar.diagnostics import NetError, error
from ...grammar.files import check_readable
from ..arrays.memory import check_memory
from ..kerneldef import Array
from .state import LazyState, type_of

_DTYPES = {
    "F64": DType.FLOAT64,
    "F32": DType.FLOAT32,
    "F16": DType.FLOAT16,
    "I64": DType.INT64,
    "I32": DType.INT32,
    "I16": DType.INT16,
    "I8": DType.INT8,
    "U64": DType.UINT64,
    "U32": DType.UINT32,
    "U16": DType.UINT16,
    "U8": DType.UINT8,
    "BOOL": DType.BOOL,
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
HEADER_ALIGNMENT = 8  # bytes that the header's length is a multiple of


class SafetensorsState(LazyState):
    """The tensors of a safetensors file, which stays memory-mapped.

    Attributes:
        metadata: The texts in its header, by name.
    """

    def __init__(self, path: str, file: Any) -> None:
        super().__init__(dict.fromkeys(file.keys()))
        self.path = path
        self._file = file
        self.metadata: Mapping[str, str] = file.metadata() or {}
        self._types: dict[str, tuple[str, tuple[int, ...]]] = {}

    def __getitem__(self, name: str) -> Array:
        type = self.type_of(name)  # refuses element types that NumPy has not
        check_memory(f"`{name}` of `{self.path}`", type.nbytes)
        try:
            array: Array = self._file.get_tensor(name)
        except (SafetensorError, TypeError, ValueError) as failure:
            raise _malformed(self.path, failure) from None
        return array

    def _index(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """The element types, as the format writes them, and shapes, from the header."""
        if not self._types:
            try:
                parts = {name: self._file.get_slice(name) for name in self}
                self._types = {n: (p.get_dtype(), tuple(p.get_shape())) for n, p in parts.items()}
            except (SafetensorError, TypeError, ValueError) as failure:
                raise _malformed(self.path, failure) from None
        return self._types

    def type_of(self, name: str) -> TensorType:
        """A tensor's type, from the header."""
        code, shape = self._index()[name]
        if code not in _DTYPES:
            raise error(
                "E505",
                f"`{name}` in `{self.path}` holds {code}, which NumPy does not have",
                help="store the weights as float32",
            )
        return TensorType(_DTYPES[code], shape)


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
            raise error("E505", f"`{name}` cannot be stored: it holds {type.dtype.value}")
        header[name] = {
            "dtype": _CODES[type.dtype],
            "shape": list(type.extents),
            "data_offsets": [offset, offset + type.nbytes],
        }
        offset += type.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
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
