"""Weights as images -> a picture of them in a grid."""

from collections.abc import Sequence

import numpy as np

from ..kerneldef import Array
from .canvas import PictureFile
from .pixels import weight_pixels
from .tiles import Tile, TileRow, draw_tiles, wrapped

MOST_FILTERS, MOST_FILTER_ROWS = (
    64,
    16,
)  # filters of one channel or of colours; filters that are rows of channels
MOST_CHANNELS = 16
FILTER_SIDE = 52.0  # points


def draw_filters(
    images: Array,
    file: PictureFile,
    *,
    colours: bool = False,
    most: int | None = None,
    names: Sequence[str] = (),
) -> None:
    """Draw the filters of a layer, each by itself: grey is 0, black and white its largest weight.

    Args:
        images: The weights, (filters, channels, height, width).
        file: Where the picture goes.
        colours: Whether three channels are red, green and blue; otherwise each is a grey picture,
            and a filter of several channels is a row of them.
        most: How many filters are drawn at most; by default 64, or 16 rows of channels.
        names: The name of each filter.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    count, channels, *_ = images.shape
    single = channels == 1 or colours
    shown = images[: most or (MOST_FILTERS if single else MOST_FILTER_ROWS)]
    notes = ["grey is 0; black and white are the largest weight of each filter"]
    if single:
        named = names if len(names) == count else [""] * count
        tiles = [Tile(weight_pixels(w), name) for w, name in zip(shown, named, strict=False)]
        rows = wrapped(tiles)
    else:
        rows = [TileRow(_channels(image), str(number)) for number, image in enumerate(shown)]
        notes = [f"a row is a filter, a column an input channel; {notes[0]}"]
        if channels > MOST_CHANNELS:
            notes.append(f"{MOST_CHANNELS} of {channels} channels are shown")
    if count > len(shown):
        notes.append(f"{len(shown)} of {count} filters are shown")
    draw_tiles(rows, file, note="; ".join(notes), largest=FILTER_SIDE)


def _channels(image: Array) -> list[Tile]:
    """A filter's channels, (C, H, W), which share the filter's scale."""
    largest = float(np.abs(image).max())
    return [Tile(weight_pixels(channel[None], largest)) for channel in image[:MOST_CHANNELS]]
