"""Boxes (N, 4) in pairs -> how much of their union they share."""

import numpy as np

from ..kerneldef import Array
from .outputs import Boxes


def corners(box: Array, boxes: Boxes = "corners") -> Array:
    """Boxes (..., 4) as (x1, y1, x2, y2), in float64."""
    x, y, a, b = np.moveaxis(np.asarray(box, np.float64), -1, 0)
    if boxes == "size":
        return np.stack([x, y, x + a, y + b], axis=-1)
    if boxes == "center":
        return np.stack([x - a / 2, y - b / 2, x + a / 2, y + b / 2], axis=-1)
    return np.stack([x, y, a, b], axis=-1)


def box_iou(first: Array, second: Array, *, boxes: Boxes = "corners") -> Array:
    """Intersection over union of boxes in pairs.

    Args:
        first: Boxes of shape (..., 4).
        second: As many boxes.
        boxes: What the four numbers are.

    Returns:
        An array of shape (...), 0 to 1. A box whose far corner lies before its near one is
        empty, and two empty boxes share nothing.
    """
    a, b = corners(first, boxes), corners(second, boxes)
    near, far = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = _area(near, far)
    union = _area(a[..., :2], a[..., 2:]) + _area(b[..., :2], b[..., 2:]) - shared
    overlap: Array = np.divide(shared, union, out=np.zeros_like(union), where=union != 0)
    return overlap


def _area(near: Array, far: Array) -> Array:
    area: Array = np.prod(np.maximum(far - near, 0.0), axis=-1)
    return area
