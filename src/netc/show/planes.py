"""Pictures of networks with two inputs: the regions that they distinguish in the plane."""

from collections.abc import Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..choices import PartName
from ..evaluable import run_data
from ..grammar.diagnostics import error
from ..network import Network
from ..prediction import output_forms, predict
from ..runtime.feeding.wiring import wire_inputs
from ..runtime.inference.predictions import YES_OR_NO
from ..runtime.kerneldef import Array
from ..runtime.metrics.outputs import OutputForm, positive_scores
from ..runtime.plots.canvas import PictureFile
from ..runtime.plots.decision_regions import PlaneAnswers, PlanePoints, draw_plane
from ..runtime.training.job import ALL
from ..training import job_as_trained, open_data, recipe_as_trained

if TYPE_CHECKING:
    from ..choices import PictureFormat
    from ..evaluable import Origin
    from ..runtime.run_folder.trained import Trained
    from ..trainable import Weights


GRID_STEPS = 301  # points of the grid along each axis
AROUND_DATA = 0.15  # of the data's extent that is shown beyond the data
UNSEEN_SPAN = (-2.0, 2.0)  # of both inputs where there are no data


def boundary(
    net: Network,
    path: "str | PathLike[str]",
    weights: "Weights | None" = None,
    *,
    run: "Origin | None" = None,
    data: Any = None,
    part: PartName = "all",
    settings: Mapping[str, Any] | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw what a network with two inputs says of each point of the plane, and its data on it.

    Args:
        net: The network.
        path: The picture's file.
        weights: Weights by name, or a file of them, instead of the run's.
        run: A run, or its folder.
        data: Other data than the run's, or data for a program that names none.
        part: The part of the data: `train`, `validation`, `test` or `all`.
        settings: Settings that replace the run's.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: There are no weights (E546), the network does not take two numbers, or says more
            than one thing of them (E566), or the file cannot be written.
    """
    _check(net)
    trained, settings, data = net.trained(run, weights), settings or {}, run_data(run, data)
    named = data is not None or "data" in settings or trained.facts.settings.get("data")
    places, right = np.zeros((0, 2)), None
    if named or (net.recipe is not None and net.recipe.data is not None):
        places, right = _points(net, trained, data, part, settings)
    form = output_forms(net.model, trained, settings).get(net.outputs[0].name)
    plane = _plane(net, trained, places, form, settings)
    points = PlanePoints(places)
    if plane.shares is not None and right is not None and len(places):
        own, _ = answers_at(net, trained, places, form, settings)
        assert own is not None
        points = PlanePoints(places, right, own.argmax(axis=-1) != right)
    file = PictureFile(fspath(path), net.name, format)
    draw_plane(plane, file, points=points if len(places) else None)


def _check(net: Network) -> None:
    """Refuse networks without a plane.

    Raises:
        NetError: E566.
    """
    if len(net.inputs) != 1 or net.inputs[0].shape[1:] != (2,):
        has = ", ".join(map(str, net.inputs))
        help = "regions are drawn of networks that begin with `INPUT(2)`"
        what = f"`{net.name}` does not take two numbers: its input is {has}"
        raise error("E566", what, help=help)
    shapes = [spec.shape[1:] for spec in net.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 1:
        has = ", ".join(map(str, net.outputs))
        help = "regions are drawn of networks with one output, a number for each class"
        raise error("E566", f"`{net.name}` says more than one thing: {has}", help=help)


def _plane(
    net: Network,
    trained: "Trained",
    places: Array,
    form: OutputForm | None,
    settings: Mapping[str, Any],
) -> PlaneAnswers:
    """What a network says of a grid of points around places."""
    x, y = (np.linspace(low, high, GRID_STEPS) for low, high in _ends(places))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    shares, said = answers_at(net, trained, grid, form, settings)
    if shares is None:
        return PlaneAnswers(x, y, values=said.reshape(len(y), len(x)))
    names = _names(form, shares.shape[-1])
    return PlaneAnswers(x, y, shares.reshape(len(y), len(x), -1), classes=names)


def answers_at(
    net: Network,
    trained: "Trained",
    places: Array,
    form: OutputForm | None,
    settings: Mapping[str, Any],
) -> tuple[Array | None, Array]:
    """What a network says of places, (P, 2): probabilities, (P, K), and its numbers, (P, ...).

    A yes or no has two classes; probabilities are None where it says a number.
    """
    x = {net.inputs[0].name: places.astype(np.float32)}
    found = predict(
        net.model, x, trained, data=None, top=1, settings=settings, engine="numpy", device="cpu"
    )
    scores = next(iter(found.outputs.values()))
    if form is None or form.task == "numbers":
        within = scores.shape[1] == 1 and scores.min() >= 0 and scores.max() <= 1
        if form is None and within:  # such as the output of a step neuron
            return np.concatenate([1 - scores, scores], axis=1), scores
        if scores.shape[1] > 1:
            help = "give the loss that says what they mean: `--set loss=cross_entropy`"
            raise error("E566", f"`{net.name}` says {scores.shape[1]} numbers", help=help)
        return None, scores
    shares = positive_scores(form, scores)
    if form.task == "decisions" and shares.shape[1] == 1:
        shares = np.concatenate([1 - shares, shares], axis=1)
    return shares, scores


def _points(
    net: Network, trained: "Trained", data: Any, part: str, settings: Mapping[str, Any]
) -> tuple[Array, Array | None]:
    """The places of samples, before preprocessing, (N, 2), and their classes, if any, (N,)."""
    if part == ALL:  # which needs no loss that fits, such as that of a step neuron
        text = {"data": data} if isinstance(data, str) else {}
        recipe = recipe_as_trained(net.model, trained, {**settings, **text})
        opened = open_data(net.model, recipe, None if text else data)
        indices = np.arange(len(opened))
    else:
        job = job_as_trained(net.model, trained, settings, data=data)
        opened, indices = job.data, job.part(part).indices
    (source,) = wire_inputs(net.graph, opened).inputs
    batch = opened.take(indices)
    places = batch.inputs[source]
    if places.shape[1:] != (2,):
        has = "x".join(map(str, places.shape[1:]))
        help = "regions are drawn in the plane of the data, before preprocessing"
        raise error("E566", f"a sample of {opened.about.name} is {has}, not 2 numbers", help=help)
    if not batch.targets:
        return places, None
    right = next(iter(batch.targets.values()))
    if right.ndim > 1 and right.shape[1] > 1:
        right = right.argmax(axis=1)
    known = right.dtype.kind in "iu" or bool(np.isin(right, (0.0, 1.0)).all())
    return places, right.reshape(-1).astype(np.int64) if known else None


def _ends(places: Array) -> list[tuple[float, float]]:
    """What is shown of each axis: the data and some more."""
    if not len(places):
        return [UNSEEN_SPAN, UNSEEN_SPAN]
    low, high = places.min(axis=0), places.max(axis=0)
    more = np.maximum(AROUND_DATA * (high - low), 0.1 * np.max(high - low) or 1.0)
    return list(zip(map(float, low - more), map(float, high + more), strict=True))


def _names(form: OutputForm | None, count: int) -> tuple[str, ...]:
    if form is not None and len(form.names) == count:
        return form.names
    single = form is None or form.task == "decisions"
    return YES_OR_NO if single and count == len(YES_OR_NO) else tuple(map(str, range(count)))
