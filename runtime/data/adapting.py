"""A sample's array -> what turns batches into the shape and type that a network takes."""

from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np

from ...compiler.ir.dim import Dim
from ...compiler.ir.types import DType, TensorType
from ...grammar.diagnostics import NetError, error
from ..kerneldef import Array
from .dataset import WHITE

Adapter = Callable[[Array], Array]  # a batch's array -> the feed
Extents = tuple[int, ...]


def adapter(
    where: str,
    what: str,
    sample: Array,
    type: TensorType,
    *,
    classes: bool = False,
    unit: float | None = None,
) -> Adapter:
    """What turns batches of an input or target into feeds.

    Axes of extent 1 make no difference, and neither does flattening to a vector; integers are fed
    to real numbers.

    Args:
        where: What messages call the data.
        what: What they call the array, such as "input `x`".
        sample: Some samples, after augmentation and preprocessing.
        type: What the network takes, the batch on axis 0.
        classes: Whether whole numbers are class indices, which become one-hot where the network
            takes a number for each of K > 1 classes.
        unit: What 1.0 is where the network takes whole numbers, to the nearest of which real
            numbers are rounded: `About.units`. None where they are no such numbers.

    Raises:
        NetError: E529, the samples have another shape or type, or numbers that the type lacks.
    """
    if sample.dtype.kind == "f" and not type.dtype.is_float and not _are_truths(sample, type):
        if unit is None:
            raise _unlike(where, what, sample, type, _advice_on_numbers(type))
        whole = adapter(where, what, _as_bytes(sample, unit), type)
        return lambda batch: whole(_as_bytes(batch, unit))
    if sample.dtype.kind != "f" and not type.dtype.is_float:
        _check_range(where, what, sample, type)
    dtype = type.dtype.value
    shape, wanted = sample.shape[1:], type.shape[1:]
    if len(shape) == len(wanted) and all(map(_agree, shape, wanted)):
        return partial(_fed, dtype=dtype)
    extents = tuple(extent for extent in wanted if isinstance(extent, int))
    if len(extents) < len(wanted):  # symbolic extents are the data's own, as they are
        raise _unlike(where, what, sample, type)
    flattened = prod(shape) == prod(extents) and min(len(shape), len(extents)) <= 1
    if _squeezed(shape) == _squeezed(extents) or flattened:
        return partial(_reshaped, shape=extents, dtype=dtype)
    indices = classes and sample.dtype.kind != "f" and type.dtype.is_float and extents
    if indices and _squeezed(shape) == _squeezed(extents[1:]):
        return partial(_one_hot, shape=extents, dtype=dtype)
    on_size = _advice_on_size if what.startswith("input ") else _advice_on_targets
    advice = _advice(shape, extents) or on_size(shape, extents)
    raise _unlike(where, what, sample, type, advice)


def _are_truths(sample: Array, type: TensorType) -> bool:
    """Whether real numbers are truth values, which many files hold so: zeros and ones."""
    return type.dtype is DType.BOOL and bool(np.isin(sample, (0, 1)).all())


def _as_bytes(batch: Array, unit: float) -> Array:
    """Real numbers as bytes, of which `unit` is 1.0; what lies beyond is the least or the most."""
    numbers: Array = np.rint(batch * np.float32(unit)).clip(0, WHITE).astype(np.uint8)
    return numbers


def _check_range(where: str, what: str, sample: Array, type: TensorType) -> None:
    """Refuse whole numbers that an element type lacks.

    Raises:
        NetError: E529.
    """
    least, most = type.dtype.range
    held = (sample.min(), sample.max()) if sample.size else (least, most)
    beyond = next((int(each) for each in held if not least <= each <= most), None)
    if beyond is not None:
        raise error(
            "E529",
            f"{where}: the {what} holds {beyond}, and the network takes {type.dtype.value}, from"
            f" {least} to {most}",
        )


def _fed(batch: Array, *, dtype: str) -> Array:
    return np.ascontiguousarray(batch, dtype)


def _reshaped(batch: Array, *, shape: Extents, dtype: str) -> Array:
    return np.ascontiguousarray(batch.reshape(len(batch), *shape), dtype)


def _one_hot(indices: Array, *, shape: Extents, dtype: str) -> Array:
    """Class indices (n, ...) as (n, K, ...): 1 for the class, 0 for the others."""
    flat = indices.reshape(len(indices), 1, *shape[1:])
    classes = np.arange(shape[0]).reshape(1, -1, *(1,) * (len(shape) - 1))
    return np.ascontiguousarray(flat == classes, dtype)


def _agree(held: int, wanted: Dim) -> bool:
    """Whether an extent is the wanted one, or the data determine it."""
    return held == wanted or not isinstance(wanted, int)


def _squeezed(shape: Extents) -> Extents:
    return tuple(extent for extent in shape if extent != 1)


def _advice(shape: Extents, wanted: Extents) -> str | None:
    if len(shape) == len(wanted) > 2 and sorted(shape) == sorted(wanted):
        return "channels come first: `x.transpose(0, 3, 1, 2)` makes (N, C, H, W) of (N, H, W, C)"
    if shape == (1,) and len(wanted) == 1:
        how = "write `0` instead of `0.0` in a file, or `t.astype(int)`"
        return f"if these are classes, make them whole numbers: {how}"
    if len(shape) != 3 or shape[0] not in (1, 3):
        return None
    channels = 4 - shape[0]
    if prod(wanted) == channels * prod(shape[1:]):
        how = "gray" if channels == 1 else "colour"
        return f"the network takes images in {how}: `images(..., channels={channels})`"
    return None


def _advice_on_size(shape: Extents, wanted: Extents) -> str | None:
    """How inputs of the right rank and another size are brought to what the network takes."""
    if len(shape) == len(wanted) == 1:
        return f"for a table, `inputs=` names the columns; or write `INPUT({shape[0]})`"
    if len(shape) == len(wanted) == 3 and shape[0] == wanted[0]:
        size = f"{wanted[1]}x{wanted[2]}"
        return f"for a folder of images, `images(..., {size})` resizes all of them"
    return None


def _advice_on_targets(shape: Extents, wanted: Extents) -> str | None:
    """How a network yields as many numbers as a target has."""
    if len(shape) == len(wanted) == 1:
        return f"give the network as many numbers as a target has: `FC({shape[0]})`"
    return None


def _advice_on_numbers(type: TensorType) -> str:
    """How real numbers are brought to a network that takes whole ones."""
    if type.dtype.is_categorical:
        return "class indices and tokens are whole numbers: `0`, not `0.0`, `t.astype(int)`"
    return "give whole numbers, such as pictures as bytes, `uint8`"


def _unlike(
    where: str, what: str, sample: Array, type: TensorType, advice: str | None = None
) -> NetError:
    held = ", ".join(["N", *map(str, sample.shape[1:])])
    wanted = ", ".join(map(str, type.shape))
    return error(
        "E529",
        f"{where}: the {what} is {sample.dtype} ({held}), and the network takes"
        f" {type.dtype.value} ({wanted})",
        help=advice,
    )
