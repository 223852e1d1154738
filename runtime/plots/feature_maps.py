"""Feature maps by level -> a picture with a row for each level."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..kerneldef import Array
from .canvas import PictureFile
from .pixels import map_pixels, picture_pixels
from .tiles import Tile, TileRow, draw_tiles

MAP_SIDE = 48.0  # points
MAPS_NOTE = (
    "white is 0, blue above, orange below, each map to its own largest value; below, its channel"
)


@dataclass(frozen=True, slots=True)
class Level:
    """The feature maps of a layer.

    Attributes:
        name: The layer's path.
        last: The path of the layer whose output is shown: the activation after it, if any.
        maps: (channels, height, width), those with the largest mean of |activation| first.
        channels: The number of each.
        count: How many channels the layer has.
    """

    name: str
    last: str
    maps: Array
    channels: Sequence[int]
    count: int


def draw_maps(
    levels: Sequence[Level],
    file: PictureFile,
    *,
    picture: Array | None = None,
) -> None:
    """Draw feature maps, a row for each level, the strongest at the left.

    Args:
        levels: The maps, from low to high.
        file: Where the picture goes.
        picture: What they were made of, (C, H, W).

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    rows = [] if picture is None else [TileRow([Tile(picture_pixels(picture))], "input")]
    for level in levels:
        height, width = level.maps.shape[1:]
        tiles = [
            Tile(map_pixels(values), str(channel))
            for values, channel in zip(level.maps, level.channels, strict=True)
        ]
        after = f"\nafter {level.last}" if level.last != level.name else ""
        rows.append(TileRow(tiles, f"{level.name}{after}\n{height}x{width}x{level.count}"))
    draw_tiles(rows, file, note=MAPS_NOTE, largest=MAP_SIDE)
