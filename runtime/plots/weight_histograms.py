"""Weights of layers -> a picture of their histograms, a small panel for each layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kerneldef import Array
from .canvas import BLUE, GREEN, INK, ORANGE, PURPLE, PictureFile, drawable, page

PANEL_COLUMNS, MANY_COLUMNS = 3, 4
PANEL_SIZE = (1.8, 1.1)  # inches
BINS = 40
MOST_HISTOGRAMS = 36  # panels
FILLED = {"fill": True, "alpha": 0.75}
ARRAY_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)  # of `weight`, `bias` and others


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """The weights of a layer.

    Attributes:
        name: Its path.
        arrays: The weights, by what the layer calls them, such as `weight` and `bias`.
    """

    name: str
    arrays: Mapping[str, Array]


def histogram(arrays: Sequence[Array]) -> tuple[Array, list[Array]]:
    """The edges of bins that hold all arrays, (B + 1,), and of each the share in each bin, (B,)."""
    whole = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    edges = np.histogram_bin_edges(whole, bins=BINS)
    counts = [np.histogram(array, bins=edges)[0] for array in arrays]
    return edges, [found / max(array.size, 1) for found, array in zip(counts, arrays, strict=True)]


def draw_weights(
    layers: Sequence[LayerWeights],
    file: PictureFile,
) -> None:
    """Draw how the weights of each layer are distributed.

    Args:
        layers: The layers; of very many the first, without those that scale and shift channels.
        file: Where the picture goes.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    shown = list(layers)
    if len(shown) > MOST_HISTOGRAMS:
        mixing = [one for one in shown if any(w.ndim > 1 for w in one.arrays.values())]
        shown = (mixing or shown)[:MOST_HISTOGRAMS]
    columns = min(PANEL_COLUMNS if len(shown) <= 4 * PANEL_COLUMNS else MANY_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    size = (max(columns * PANEL_SIZE[0], 2.6) + 0.3, rows * PANEL_SIZE[1] + 0.55)
    names = list(dict.fromkeys(name for layer in shown for name in layer.arrays))
    colours = {name: ARRAY_COLOURS[place % len(ARRAY_COLOURS)] for place, name in enumerate(names)}
    with page(file, size, layout="constrained") as figure:
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, layer in zip(panels, shown, strict=False):
            _panel(axes, layer, colours)
        for axes in panels[len(shown) :]:
            axes.set_axis_off()
        more = f", {len(shown)} of {len(layers)} layers" if len(layers) > len(shown) else ""
        file.entitle(figure, more=more)
        figure.supylabel("share of the values", fontsize=8, color=INK.soft_text)
        lines = [
            panels[0].plot([], [], color=colour, linewidth=4)[0] for colour in colours.values()
        ]
        figure.legend(
            lines,
            list(map(drawable, colours)),
            loc="outside lower right",
            ncols=len(colours),
            fontsize=8,
            frameon=False,
            handlelength=1.0,
        )


def _panel(axes: Any, layer: LayerWeights, colours: Mapping[str, str]) -> None:
    """The first array of a layer filled, others, such as biases, as outlines.

    An array of equal numbers is a dotted line: its bar of 1 would leave no room for the others.
    """
    spread_out = {name: array for name, array in layer.arrays.items() if np.ptp(array) > 0}
    edges, shares = histogram(list((spread_out or layer.arrays).values()))
    for name, share in zip(spread_out, shares, strict=False):
        look = {"linewidth": 1.1} if name != next(iter(layer.arrays)) else FILLED
        axes.stairs(share, edges, color=colours[name], **look)
    for name in layer.arrays.keys() - spread_out.keys():
        value = float(np.ravel(layer.arrays[name])[0])
        axes.axvline(value, color=colours[name], linewidth=1.1, linestyle=":")
    deviation = float(np.std(next(iter(layer.arrays.values()))))
    axes.set_title(_short(layer.name), loc="left", fontsize=7.5)
    spread = f"\N{GREEK SMALL LETTER SIGMA} {deviation:.2g}"
    axes.text(1, 1, spread, transform=axes.transAxes, ha="right", va="top", fontsize=6.5)
    axes.tick_params(labelsize=6.5)
    axes.locator_params(nbins=4)
    axes.grid(axis="x", visible=False)


def _short(name: str) -> str:
    """A path with its beginning and end, where it is long."""
    name = drawable(name)
    return name if len(name) <= 24 else f"{name[:6]}…{name[-17:]}"
