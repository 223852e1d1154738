"""Interpolation, and channels that move into space."""

from typing import Any

from support.ops import Array, Known, Random, op_row

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
    op_row("Resize", Random((2, 3, 4, 5)), None, None, Known((2, 3, 8, 10)), **LINEAR),
    op_row("Resize", Random((2, 3, 4, 5)), None, None, Known((2, 3, 7, 3)), **LINEAR),
    *(
        op_row("DepthToSpace", Random(shape), formula=depth_to_space, blocksize=block, mode=mode)
        for shape, block in (((None, 8, 3, 4), 2), ((None, 9, 2, 3), 3), ((None, 5, 2, 3), 1))
        for mode in ("CRD", "DCR")
    ),
]
