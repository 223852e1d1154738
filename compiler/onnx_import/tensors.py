"""Tensors of a model: whether their data are as many as they say, and where they lie."""

import os
import stat
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
from onnx import SparseTensorProto, TensorProto, helper, numpy_helper

from ...grammar.diagnostics import error
from ...grammar.files import open_file
from ..ir.types import DType
from .faults import fault, lost, shown

MAX_DENSE = 2**28  # bytes of sparse tensors that are written out as dense ones
MAX_RANK = 64  # of NumPy's arrays
FIELDS = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


class ExternalData(NamedTuple):
    """Where the bytes of a tensor lie in a file beside the model's."""

    path: Path
    offset: int
    length: int


def nbytes(tensor: TensorProto) -> int:
    """The bytes of a tensor's elements, packed as ONNX packs them."""
    dtype = dtype_of(tensor)
    elements: int = prod(tensor.dims)
    return -(elements * -dtype.bits // 8)


def dtype_of(tensor: TensorProto) -> DType:
    """The element type of a tensor.

    Raises:
        NetError: E576, ONNX has no such type, or the onnx that is installed does not know it.
    """
    dtype = DType.of_code(tensor.data_type)
    if dtype is None or tensor.data_type not in helper.get_all_tensor_dtypes():
        raise fault(f"tensor {shown(tensor.name)} has no element type that ONNX knows")
    return dtype


def check_tensor(tensor: TensorProto, folder: Path | None) -> None:
    """A tensor holds, here or in a file beside the model, as many data as its dims say.

    Raises:
        NetError: E576, it does not; E577, the file is missing, elsewhere or too short.
    """
    what = f"tensor {shown(tensor.name)}" if tensor.name else "a tensor"
    dtype = dtype_of(tensor)
    if any(extent < 0 for extent in tensor.dims):
        raise fault(f"{what} has a negative extent")
    if len(tensor.dims) > MAX_RANK:
        raise fault(f"{what} has {len(tensor.dims)} axes, more than {MAX_RANK}")
    if tensor.HasField("segment"):
        raise fault(f"{what} is stored in segments, which no version of ONNX defines")
    if tensor.data_location == TensorProto.EXTERNAL:
        external_data(tensor, folder)
        return
    raw = len(tensor.raw_data)
    held = [field for field in FIELDS if len(getattr(tensor, field))]
    if tensor.HasField("raw_data") and (raw or not held):
        held.append("raw_data")
    elements, needed = prod(tensor.dims), nbytes(tensor)
    field = helper.tensor_dtype_to_field(tensor.data_type)
    if len(held) > 1:
        raise fault(f"{what} holds its data twice")
    if held == ["raw_data"] and dtype is not DType.STRING:
        found, wanted = raw, needed
    elif not held or held == [field]:
        found = len(getattr(tensor, field))
        per_element = 2 if dtype in (DType.COMPLEX64, DType.COMPLEX128) else 1
        wanted = needed if 0 < dtype.bits < 8 else elements * per_element
    else:
        raise fault(f"{what} of {dtype.value} holds its data in `{held[0]}`")
    if found != wanted:
        unit = "bytes" if held == ["raw_data"] else "numbers"
        dims = "x".join(map(str, tensor.dims)) or "scalar"
        raise fault(f"{what} of {dtype.value} {dims} holds {found} {unit}, not {wanted}")


def external_data(tensor: TensorProto, folder: Path | None) -> ExternalData:
    """Where a tensor's data lie.

    Raises:
        NetError: E577, the file is missing, outside the model's folder, or too short.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    what = f"the data of tensor {shown(tensor.name)}"
    if folder is None:
        raise lost(f"{what} lie in {shown(location)}, but the model comes without a folder")
    path = _inside(folder, location, what)
    try:
        found = path.stat()
    except (OSError, ValueError):
        raise lost(
            f"{what} lie in {shown(location)}, which is not there",
            help=f"put the file beside the model, in `{folder}`",
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise lost(f"{what} lie in {shown(location)}, which is not a file")
    offset = _number(entries.get("offset", "0"), what)
    needed = nbytes(tensor)
    length = _number(entries.get("length", str(needed)), what)
    if dtype_of(tensor) is DType.STRING:
        raise fault(f"tensor {shown(tensor.name)} holds strings in another file")
    if length != needed:
        raise fault(f"{what} are {length} bytes, not {needed}")
    if offset + length > found.st_size:
        raise lost(
            f"{what} end at byte {offset + length} of {shown(location)}, which has {found.st_size}",
            help="download or write the files of the model again",
        )
    return ExternalData(path, offset, length)


def bring_in(tensor: TensorProto, folder: Path | None) -> None:
    """Read the data of a checked tensor into the model, where they lie in a file beside it."""
    if tensor.data_location == TensorProto.EXTERNAL:
        path, offset, length = external_data(tensor, folder)
        with open_file(str(path)) as file:
            file.seek(offset)
            tensor.raw_data = file.read(length)
        tensor.ClearField("data_location")
        tensor.ClearField("external_data")


def _inside(folder: Path, location: str, what: str) -> Path:
    """A path below a folder, links followed."""
    home = os.path.realpath(folder)
    path = "" if "\0" in location or not location else os.path.realpath(folder / location)
    if os.path.isabs(location) or not path.startswith(os.path.join(home, "")):
        raise lost(
            f"{what} lie in {shown(location)}, outside the model's folder",
            help="put the file itself, not a link to it, beside the model",
        )
    return Path(path)


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise fault(f"{what} begin or end at {shown(text)}, which is not a number of bytes")
    return int(text)


def dense(sparse: SparseTensorProto, folder: Path | None, room: int) -> TensorProto:
    """A sparse tensor written out.

    Raises:
        NetError: E576, it is none; E404, it has more bytes than there is room for.
    """
    values, indices = sparse.values, sparse.indices
    check_tensor(values, folder)
    check_tensor(indices, folder)
    what = f"sparse tensor {shown(values.name)}"
    if any(extent < 0 for extent in sparse.dims) or not 0 < len(sparse.dims) <= MAX_RANK:
        raise fault(f"{what} has no shape")
    if TensorProto.EXTERNAL in (values.data_location, indices.data_location):
        raise fault(f"{what} lies in another file")
    dtype = dtype_of(values)
    count, rank, size = prod(values.dims), len(sparse.dims), prod(sparse.dims)
    if size * max(dtype.bits, 8) // 8 > room:
        raise error(
            "E404",
            f"{what} would take {size * dtype.bits // 8} bytes",
            help="write it as a dense tensor",
        )
    if not dtype.in_numpy or indices.data_type != TensorProto.INT64:
        raise fault(f"{what} has values of {dtype.value} or indices that are not int64")
    places = numpy_helper.to_array(indices)
    if places.shape not in ((count,), (count, rank)) or len(values.dims) != 1:
        raise fault(f"{what} has {count} values, but indices of shape {places.shape}")
    limits = np.array([size] if places.ndim == 1 else sparse.dims, np.int64)
    if np.any(places < 0) or np.any(places >= limits):
        raise fault(f"{what} has an index outside its shape")
    array = np.zeros(tuple(sparse.dims), numpy_helper.to_array(values).dtype)
    flat = places if places.ndim == 1 else np.ravel_multi_index(tuple(places.T), array.shape)
    array.reshape(-1)[flat] = numpy_helper.to_array(values)
    return numpy_helper.from_array(array, values.name)
