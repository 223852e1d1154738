"""Interpolation, and channels that move into space."""

from typing import Any

from netc.runtime.kerneldef import Array
from support.ops import Known, Random, op_row

LINE, IMAGE, VOLUME = Random((None, 3, 6)), Random((None, 3, 4, 5)), Random((None, 2, 3, 4, 2))
LINEAR: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
NEAREST: dict[str, Any] = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}


def scales(*numbers: float) -> Known:
    """The scales of the spatial axes; batch and channels stay."""
    return Known((1.0, 1.0, *numbers), "float32")


def depth_to_space(x: Array, *, blocksize: int, mode: str = "DCR") -> Array:
    """Block row i and column j of output channel c, place by place."""
    import numpy as np

    n, channels, h, w = x.shape
    b = blocksize
    kept = channels // b**2
    y = np.zeros((n, kept, h * b, w * b), x.dtype)
    for c in range(kept):
        for i in range(b):
            for j in range(b):
                source = c * b * b + i * b + j if mode == "CRD" else (i * b + j) * kept + c
                y[:, c, i::b, j::b] = x[:, source]
    return y


def cubic(x: Array, region: None, factors: Array, **attributes: Any) -> Array:
    """Cubic convolution along each axis, which onnx's reference has in single precision only."""
    axes = attributes.get("axes", range(x.ndim))
    for axis, factor in zip(axes, factors, strict=True):
        x = x if factor == 1 else _cubic_line(x, axis, float(factor), **attributes)
    return x


def _cubic_line(
    x: Array,
    axis: int,
    factor: float,
    *,
    mode: str,
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    coordinate_transformation_mode: str = "half_pixel",
    antialias: int = 0,
    axes: Any = None,
) -> Array:
    """Weighted means of four neighbours; the weights are Keys's two cubics in the distance."""
    import numpy as np

    a, extent = cubic_coeff_a, x.shape[axis]
    columns = []
    for place in range(int(extent * factor)):
        at = (place + 0.5) / factor - 0.5
        if coordinate_transformation_mode == "align_corners":
            at = place * (extent - 1) / (int(extent * factor) - 1)
        total, column = 0.0, 0.0
        width = factor if antialias and factor < 1 else 1.0
        reach = int(np.ceil(2 / width))
        for tap in range(int(np.floor(at)) - reach + 1, int(np.floor(at)) + reach + 1):
            d = min(abs(at - tap) * width, 2.0)
            near, far = (a + 2) * d**3 - (a + 3) * d**2 + 1, a * (d**3 - 5 * d**2 + 8 * d - 4)
            weight = near if d <= 1 else far
            if exclude_outside and not 0 <= tap < extent:
                continue
            total += weight
            column = column + weight * x.take(min(max(tap, 0), extent - 1), axis)
        columns.append(column / total)
    return np.stack(columns, axis)


def resize_row(x: Random, factors: Known, **attributes: Any) -> Any:
    """A row of `Resize` by scales, which ONNX's reference checks."""
    return op_row("Resize", x, None, factors, **attributes)


ROWS = [
    resize_row(IMAGE, scales(2.0, 2.0), **NEAREST),
    resize_row(IMAGE, scales(3.0, 1.0), **NEAREST),
    resize_row(IMAGE, scales(0.5, 2.0), **NEAREST),
    resize_row(LINE, scales(4.0), **NEAREST),
    resize_row(VOLUME, scales(2.0, 1.0, 3.0), **NEAREST),
    resize_row(IMAGE, scales(2.0, 2.0), mode="nearest"),
    resize_row(IMAGE, scales(1.5, 2.5), mode="nearest", nearest_mode="ceil"),
    resize_row(IMAGE, scales(1.5, 2.5), mode="nearest", nearest_mode="round_prefer_ceil"),
    resize_row(IMAGE, scales(2.0, 2.0), **LINEAR),
    resize_row(IMAGE, scales(1.0, 4.0), **LINEAR),
    resize_row(IMAGE, scales(0.5, 1.5), **LINEAR),
    resize_row(LINE, scales(2.0), **LINEAR),
    resize_row(VOLUME, scales(2.0, 2.0, 4.0), **LINEAR),
    resize_row(Random((1, 1, 300, 1)), scales(2.0, 1.0), **LINEAR),  # too tall for a matrix
    resize_row(IMAGE, scales(2.0, 2.0), mode="linear", coordinate_transformation_mode="asymmetric"),
    resize_row(
        IMAGE, scales(2.0, 2.0), mode="linear", coordinate_transformation_mode="align_corners"
    ),
    resize_row(
        IMAGE, scales(0.25, 2.0), mode="linear", coordinate_transformation_mode="pytorch_half_pixel"
    ),
    resize_row(IMAGE, scales(2.0, 1.5), mode="cubic", formula=cubic),
    resize_row(IMAGE, scales(0.5, 2.0), mode="cubic", formula=cubic, cubic_coeff_a=-0.5),
    resize_row(IMAGE, scales(2.0, 1.5), mode="cubic", formula=cubic, exclude_outside=1),
    resize_row(
        IMAGE,
        scales(0.6, 2.5),
        mode="cubic",
        formula=cubic,
        coordinate_transformation_mode="align_corners",
    ),
    resize_row(
        IMAGE,
        scales(0.7, 2.5),
        mode="linear",
        coordinate_transformation_mode="half_pixel_symmetric",
    ),
    resize_row(IMAGE, Known((2.0, 3.0), "float32"), axes=(2, 3), **LINEAR),
    resize_row(
        IMAGE, Known((2.0,), "float32"), axes=(-1,), mode="cubic", formula=cubic, engine_from="1.32"
    ),
    op_row("Resize", IMAGE, None, None, Known((7, 3)), axes=(3, 2), **LINEAR),
    op_row("Resize", Random((2, 3, 4, 5)), None, None, Known((2, 3, 8, 10)), **LINEAR),
    op_row("Resize", Random((2, 3, 4, 5)), None, None, Known((2, 3, 7, 3)), **LINEAR),
    resize_row(IMAGE, scales(0.5, 0.6), antialias=1, **LINEAR),
    resize_row(IMAGE, scales(2.0, 0.4), antialias=1, **LINEAR),
    resize_row(IMAGE, scales(0.6, 0.8), antialias=1, mode="cubic", formula=cubic),
    resize_row(
        IMAGE,
        scales(0.6, 0.8),
        antialias=1,
        mode="cubic",
        exclude_outside=1,
        formula=cubic,
    ),
    *(
        op_row(
            *("Resize", Random((2, 3, 4, 5)), None, None, Known((7, 9))),
            axes=(2, 3),
            keep_aspect_ratio_policy=policy,
            no_gradient="one scale for all axes is not that of a single one",
            **LINEAR,
        )
        for policy in ("not_larger", "not_smaller")
    ),
    *(
        op_row(
            *("Resize", Random((2, 3, 4, 5)), Known((0.3, 0.6, 0.8, 1.2), "float32"), None),
            Known((3, 3)),
            axes=(2, 3),
            mode=mode,
            coordinate_transformation_mode="tf_crop_and_resize",
            extrapolation_value=10.0,
        )
        for mode in ("nearest", "linear")
    ),
    *(
        op_row("DepthToSpace", Random(shape), formula=depth_to_space, blocksize=block, mode=mode)
        for shape, block in (((None, 8, 3, 4), 2), ((None, 9, 2, 3), 3), ((None, 5, 2, 3), 1))
        for mode in ("CRD", "DCR")
    ),
    op_row("SpaceToDepth", Random((None, 2, 4, 6)), blocksize=2),
    op_row("SpaceToDepth", Random((None, 1, 3, 9)), blocksize=3),
]
