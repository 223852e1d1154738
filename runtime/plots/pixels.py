"""Numbers of layers and samples -> colours of pixels, (H, W, 3) from 0 to 1."""

import numpy as np

from ..kerneldef import Array
from .canvas import INK, class_colours, rgb, shades, signed_shades

GREY = 0.5  # of a weight of 0


def picture_pixels(picture: Array) -> Array:
    """A picture, (C, H, W), as it is seen: grey of one channel, colour of three, from 0 to 1.

    Numbers outside of 0 to 1, such as those of preprocessed pictures, are stretched to it.
    """
    low, high = float(picture.min()), float(picture.max())
    if low < 0 or high > 1:
        picture = (picture - low) / (high - low or 1.0)
    return _coloured(picture)


def weight_pixels(weights: Array, largest: float | None = None) -> Array:
    """Weights, (C, H, W) of one or three channels: grey is 0, black and white the largest |w|.

    Args:
        weights: The weights.
        largest: What is black and white; by default the largest of these.
    """
    largest = float(np.abs(weights).max()) if largest is None else largest
    return _coloured(GREY + GREY * weights / (largest or 1.0))


def _coloured(channels: Array) -> Array:
    """One or three channels, (C, H, W), as (H, W, 3)."""
    pixels: Array = np.broadcast_to(channels, (3, *channels.shape[1:])).transpose(1, 2, 0)
    return pixels


def map_pixels(values: Array) -> Array:
    """A feature map, (H, W): white is 0, dark blue its largest value, dark orange its lowest."""
    largest = float(np.abs(values).max()) or 1.0
    found: Array = signed_shades()((values / largest + 1) / 2)[..., :3]
    return found


def heat_pixels(values: Array) -> Array:
    """Numbers from 0, (H, W): white is 0, dark blue the largest."""
    found: Array = shades()(values / (float(values.max()) or 1.0))[..., :3]
    return found


def mask_colours(classes: int) -> list[str]:
    """The colour of each class of a mask; the first one, the background, is light."""
    return [INK.families["source"], *class_colours(classes - 1)]


def mask_pixels(mask: Array, classes: int) -> Array:
    """The class at each position, (H, W), in its colour; grey where it is none."""
    colours = rgb((*mask_colours(classes), INK.cluster))
    known = (mask >= 0) & (mask < classes)
    found: Array = colours[np.where(known, mask, classes).astype(np.int64)]
    return found
