"""Pictures of what a network makes of pictures: feature maps, and saliency."""

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..choices import PartName
from ..evaluable import run_data
from ..grammar.diagnostics import did_you_mean, error
from ..network import Network
from ..prediction import output_forms
from ..runtime.inspection.feature_maps import feature_maps
from ..runtime.inspection.saliency import saliency as input_gradients
from ..runtime.kerneldef import Array
from ..runtime.metrics.outputs import OutputForm, positive_scores
from ..runtime.plots.canvas import PictureFile
from ..runtime.plots.feature_maps import draw_maps
from ..runtime.plots.pixels import heat_pixels, picture_pixels
from ..runtime.plots.tiles import Tile, TileRow, draw_tiles
from .samples import choose, the_pictures

if TYPE_CHECKING:
    from ..choices import PictureFormat
    from ..evaluable import Origin
    from ..trainable import Weights


def maps(
    net: Network,
    path: "str | PathLike[str]",
    x: Any = None,
    weights: "Weights | None" = None,
    *,
    run: "Origin | None" = None,
    sample: int = 0,
    part: PartName = "test",
    data: Any = None,
    layers: Sequence[str] = (),
    most: int = 8,
    settings: Mapping[str, Any] | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw the feature maps that convolutions and pools make of a sample, from low to high.

    Args:
        net: The network.
        path: The picture's file.
        x: The sample: a picture's path, or an array; by default one of the run's data.
        weights: Weights by name, or a file of them, instead of the run's.
        run: A run, or its folder.
        sample: The number of the sample, from 0.
        part: The part of the data that it is counted in.
        data: Other data than the run's.
        layers: Which layers; by default all, or of many the last ones of each resolution.
        most: How many maps of each layer, those with the largest mean of |activation| first.
        settings: Settings that replace the run's.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: There are no weights (E546), no such layer (E101) or sample (E547), no feature
            maps (E566), or the file cannot be written.
    """
    trained, data = net.trained(run, weights), run_data(run, data)
    chosen = choose(net, trained, x, [sample], part=part, data=data, settings=settings)
    found = feature_maps(net.graph, trained.weights, chosen.feeds, layers=layers, most=most)
    pictures = next(iter(chosen.pictures.values()), None)
    file = PictureFile(fspath(path), f"{net.name}: feature maps of {chosen.names[0]}", format)
    draw_maps(found, file, picture=None if pictures is None else pictures[0])


def saliency(
    net: Network,
    path: "str | PathLike[str]",
    x: Any = None,
    weights: "Weights | None" = None,
    *,
    run: "Origin | None" = None,
    samples: Sequence[int] = (0,),
    part: PartName = "test",
    data: Any = None,
    of: str | int | None = None,
    output: str | None = None,
    settings: Mapping[str, Any] | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw which pixels of a picture move a class's score most, beside the picture.

    Args:
        net: The network.
        path: The picture's file.
        x: The sample: a picture's path, or an array; by default one of the run's data.
        weights: Weights by name, or a file of them, instead of the run's.
        run: A run, or its folder.
        samples: The numbers of the samples, from 0.
        part: The part of the data that they are counted in.
        data: Other data than the run's.
        of: The class, by its name or number; by default the one that the network answers.
        output: The output; by default the first.
        settings: Settings that replace the run's.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: There are no weights (E546), no such class, output (E101) or sample (E547), no
            input is a picture (E566), no gradient reaches it (E131), or the file cannot be written.
    """
    trained, data = net.trained(run, weights), run_data(run, data)
    chosen = choose(net, trained, x, samples, part=part, data=data, settings=settings)
    name, shown = the_pictures(net, chosen)
    output = _output(net, output)
    form = output_forms(net.model, trained, settings or {}).get(output) or OutputForm("numbers")
    feeds = chosen.feeds
    scores = net.run(feeds, trained.weights, fetch=[output])[output]
    axis = 1 if form.axis is None or form.task == "numbers" else form.axis
    asked = None if of is None else _index(of, form, scores.shape[axis])
    rows = []
    for place, picture in enumerate(shown):
        one = {given: array[place : place + 1] for given, array in feeds.items()}
        means = _by_class(scores[place], axis - 1)
        index = int(means.argmax()) if asked is None else asked
        slopes = input_gradients(
            *(net.graph, trained.weights, one, output, index), axis=axis, wrt=[name]
        )[name][0]
        left = Tile(picture_pixels(picture), chosen.names[place])
        right = Tile(heat_pixels(np.abs(slopes).max(axis=0)), _class_caption(form, means, index))
        rows.append(TileRow([left, right]))
    file = PictureFile(fspath(path), f"{net.name}: saliency", format)
    note = "the largest |gradient| of the score over the channels of each pixel"
    draw_tiles(rows, file, heads=("picture", "saliency"), note=note, largest=150.0)


def _output(net: Network, output: str | None) -> str:
    """An output's name.

    Raises:
        NetError: E101, there is no such output.
    """
    known = list(net.graph.outputs)
    if output is None:
        return known[0]
    if output not in known:
        help = did_you_mean(output, known) or f"the outputs are {', '.join(known)}"
        raise error("E101", f"there is no output `{output}`", help=help)
    return output


def _index(of: str | int, form: OutputForm, count: int) -> int:
    """The number of a class.

    Raises:
        NetError: E101, there is no such class.
    """
    names = form.names if len(form.names) == count else tuple(map(str, range(count)))
    if str(of) in names:
        return names.index(str(of))
    if str(of).isdecimal() and int(of) < count:
        return int(of)
    help = did_you_mean(str(of), names) or f"classes count from 0 to {count - 1}"
    raise error("E101", f"the output has no class `{of}`", help=help)


def _by_class(scores: Array, axis: int) -> Array:
    """The score of each class, (K,): the mean of those at all positions."""
    rows = np.moveaxis(scores, axis, -1).reshape(-1, scores.shape[axis])
    return np.asarray(rows.mean(axis=0))


def _class_caption(form: OutputForm, scores: Array, index: int) -> str:
    """A class with its probability, or its score where there is none."""
    name = form.names[index] if len(form.names) == len(scores) else str(index)
    if form.task == "numbers":
        return f"number {name}: {scores[index]:.3g}"
    share = positive_scores(form, scores[None])[0, index]
    return f"class {name}: {share:.2f}"
