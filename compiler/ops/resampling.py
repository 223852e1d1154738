"""Operators that change an image's extents by interpolation or by moving channels."""

from collections.abc import Sequence
from fractions import Fraction

from ..dim import Dim
from ..opdef import Cost, InferenceError, OpCall, defop, free
from ..types import TensorType
from .gradients.resampling import RULES


def infer_resize(call: OpCall) -> Sequence[TensorType]:
    """x (*S), a region that is not used, known scales or known sizes => y (*floor(S scale))."""
    x = call.type(0)
    scales, sizes = (call.constants[i] if call.has(i) else None for i in (2, 3))
    if sizes is not None and len(sizes) == x.rank:
        return (x.with_shape(sizes),)
    if scales is None or len(scales) != x.rank:
        raise InferenceError(f"Resize needs known scales or sizes, one per axis of {x}")
    return (x.with_shape(_scaled(e, Fraction(s)) for e, s in zip(x.shape, scales, strict=True)),)


def _scaled(extent: Dim, scale: Fraction) -> Dim:
    return extent * scale.numerator // scale.denominator


def resize_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Copying is free; linear interpolation takes one operation per neighbour: 2 per axis."""
    (y,) = outputs
    if call.attributes["mode"] == "nearest":
        return Cost()
    changed = sum(a != b for a, b in zip(call.type(0).shape, y.shape, strict=True))
    return Cost(elementwise=y.size * 2**changed)


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
