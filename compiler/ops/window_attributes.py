"""Attributes of windows that the types of arguments determine: kernels' extents, and paddings.

`auto_pad` and `output_shape` say what a window is to yield; nodes hold the pads that do so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.dim import Dim
from ..ir.signature import InferenceError
from ..ir.types import TensorType
from ..ir.windows import Window, window_of

NOT_SET, VALID, UPPER, LOWER = "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"
AUTO_PADS = (NOT_SET, VALID, UPPER, LOWER)

Types = Sequence[TensorType | None]


def settle_pool(attributes: Mapping[str, Any], types: Types) -> Mapping[str, Any]:
    """The pads that `auto_pad` asks for: none, or such that S / stride windows fit."""
    found = {key: value for key, value in attributes.items() if key != "auto_pad"}
    auto = attributes["auto_pad"]
    if auto in (NOT_SET, None):
        return found
    window = window_of({**found, "pads": None})
    found["pads"] = (0,) * (2 * window.rank)
    if auto != VALID:
        extents = _extents(types, window)
        geometry = zip(extents, window.strides, window.reach, strict=True)
        totals = [_missing(*each) for each in geometry]
        found["pads"] = _sides(totals, after=_is_upper(auto))
    return found


def settle_convolution(
    attributes: Mapping[str, Any], types: Types, *, weights: int = 1
) -> Mapping[str, Any]:
    """As of a pool; a kernel's extents are those of the weights."""
    return settle_pool({**attributes, "kernel_shape": _kernel(attributes, types, weights)}, types)


def settle_transposed(attributes: Mapping[str, Any], types: Types) -> Mapping[str, Any]:
    """The pads that leave `output_shape`, or with `auto_pad` S stride, of what windows reach."""
    found = {**attributes, "kernel_shape": _kernel(attributes, types, 1)}
    auto, wanted = found.pop("auto_pad"), found.pop("output_shape")
    window = window_of({**found, "pads": None})
    extents = _extents(types, window)
    if auto in (UPPER, LOWER) and wanted is None:
        strides = window.strides
        wanted = [extent * stride for extent, stride in zip(extents, strides, strict=True)]
    if wanted is None:
        return found if auto in (NOT_SET, None) else {**found, "pads": None}
    extra = found["output_padding"] or (0,) * window.rank
    reached = window.scattered(extents)
    totals = [
        _number(full + more - kept)
        for full, more, kept in zip(reached, extra, wanted[-window.rank :], strict=True)
    ]
    found["pads"] = _sides([max(total, 0) for total in totals], after=auto == UPPER)
    grown = [more + max(-total, 0) for more, total in zip(extra, totals, strict=True)]
    found["output_padding"] = tuple(grown) if any(grown) else None
    return found


def _kernel(attributes: Mapping[str, Any], types: Types, weights: int) -> Any:
    given = attributes["kernel_shape"]
    return given if given is not None else _type(types, weights).shape[2:]


def _type(types: Types, index: int) -> TensorType:
    found = types[index] if index < len(types) else None
    if found is None:
        raise InferenceError(f"a window needs argument {index}")
    return found


def _extents(types: Types, window: Window) -> Sequence[Dim]:
    """The extents that a window slides over."""
    x = _type(types, 0)
    if x.rank != window.rank + 2:
        raise InferenceError(f"a window of {window.rank} axes does not slide over {x}")
    return x.shape[2:]


def _missing(extent: Dim, stride: int, reach: int) -> int:
    """How much padding makes ceil(extent / stride) windows fit."""
    if stride == 1:
        return reach - 1
    size = _number(extent)
    return max((-(-size // stride) - 1) * stride + reach - size, 0)


def _number(extent: Dim) -> int:
    if not isinstance(extent, int):
        raise InferenceError(f"`auto_pad` and `output_shape` need known extents, not {extent}")
    return extent


def _is_upper(auto: str) -> bool:
    """Whether the larger part goes after the data."""
    if auto not in (UPPER, LOWER):
        raise InferenceError(f"`auto_pad` is one of {', '.join(AUTO_PADS)}, not {auto}")
    return auto == UPPER


def _sides(totals: Sequence[int], *, after: bool) -> tuple[int, ...]:
    """All befores, then all afters; of an odd total the larger part after the data, or before."""
    smaller = tuple(total // 2 for total in totals)
    larger = tuple(total - part for total, part in zip(totals, smaller, strict=True))
    return smaller + larger if after else larger + smaller
