"""Operators that change an image's extents by interpolation or by moving channels."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from ..dim import Dim, equal
from ..opdef import Cost, InferenceError, OpCall, defop, free
from ..types import TensorType
from .gradients.resampling import RULES

# How many neighbours along an axis interpolation weighs.
NEIGHBOURS = {"nearest": 1, "linear": 2, "cubic": 4}


class Change(NamedTuple):
    """What becomes of an axis: its extent, and the scale where types or numbers tell it."""

    after: Dim
    scale: Fraction | None


def infer_resize(call: OpCall) -> Sequence[TensorType]:
    """x (*S), a region that is not used, known scales or known sizes => y (*floor(S scale))."""
    x = call.type(0)
    scales, sizes = (call.constants[i] if call.has(i) else None for i in (2, 3))
    if call.attributes["coordinate_transformation_mode"] == "tf_crop_and_resize":
        raise InferenceError("Resize does not crop: cut the region out with Slice before")
    axes = call.attributes["axes"]
    given = sizes if sizes is not None else scales
    if given is None or len(given) != (x.rank if axes is None else len(axes)):
        raise InferenceError(f"Resize needs known scales or sizes, one per axis of {x}")
    if any(isinstance(number, int | float) and number <= 0 for number in given):
        raise InferenceError(f"Resize needs scales or sizes above 0, not {given}")
    changes = changes_of(x.shape, scales, sizes, axes)
    shape = tuple(changes[i].after if i in changes else e for i, e in enumerate(x.shape))
    if x.rank > 2 and sizes is not None and equal(shape[0], x.shape[0]) is False:
        raise InferenceError(f"Resize cannot change the batch of {x} to {shape[0]}")
    return (x.with_shape(shape),)


def changes_of(
    shape: Sequence[Dim],
    scales: Sequence[float] | None,
    sizes: Sequence[Dim] | None,
    axes: Sequence[int] | None,
) -> Mapping[int, Change]:
    """What becomes of each axis that scales or sizes are given for, by `axes` or else in order."""
    rank = len(shape)
    places = [axis % rank for axis in (range(rank) if axes is None else axes)]
    if len(set(places)) < len(places) or not all(-rank <= axis < rank for axis in axes or ()):
        raise InferenceError(f"Resize needs axes within {rank}, not {axes}")
    if sizes is None:
        factors = map(Fraction, scales or ())
        return {i: Change(_scaled(shape[i], f), f) for i, f in zip(places, factors, strict=True)}
    return {i: Change(n, _ratio(n, shape[i])) for i, n in zip(places, sizes, strict=True)}


def _ratio(after: Dim, before: Dim) -> Fraction | None:
    if isinstance(after, int) and isinstance(before, int) and before:
        return Fraction(after, before)
    return None


def _scaled(extent: Dim, scale: Fraction) -> Dim:
    return extent * scale.numerator // scale.denominator


def resize_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Copying is free; interpolation takes one operation per neighbour: 2 or 4 per axis."""
    (y,) = outputs
    if call.attributes["mode"] == "nearest":
        return Cost()
    changed = sum(a != b for a, b in zip(call.type(0).shape, y.shape, strict=True))
    return Cost(elementwise=y.size * NEIGHBOURS[call.attributes["mode"]] ** changed)


def infer_depth_to_space(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, H, W), blocks b x b => y (N, C / b^2, H b, W b)."""
    x, block = call.type(0), call.attributes["blocksize"]
    channels = x.shape[1] if x.rank == 4 else 1
    if not isinstance(channels, int) or channels % block**2:
        raise InferenceError(f"DepthToSpace cannot spread {x} over blocks of {block}x{block}")
    n, _, h, w = x.shape
    return (x.with_shape((n, channels // block**2, h * block, w * block)),)


defop(
    "Resize",
    infer=infer_resize,
    cost=resize_cost,
    attributes={
        "mode": "nearest",
        "coordinate_transformation_mode": "half_pixel",
        "nearest_mode": "round_prefer_floor",
        "axes": None,
        "cubic_coeff_a": -0.75,
        "exclude_outside": 0,
    },
    vjp=RULES["Resize"],
)
defop(
    "DepthToSpace",
    infer=infer_depth_to_space,
    cost=free,
    attributes={"blocksize": None, "mode": "DCR"},
    vjp=RULES["DepthToSpace"],
)
