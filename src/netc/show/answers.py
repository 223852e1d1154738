"""Pictures of a trained network's answers beside the truth, the worst first."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..choices import PartName
from ..evaluable import run_data
from ..grammar.diagnostics import error
from ..network import Network
from ..prediction import output_forms
from ..runtime.feeding.samples import Samples
from ..runtime.inference.predictions import YES_OR_NO, predict
from ..runtime.kerneldef import Array
from ..runtime.metrics.outputs import OutputForm, positive_scores, predicted
from ..runtime.plots.canvas import GREEN, INK, ORANGE, PictureFile
from ..runtime.plots.pixels import mask_colours, mask_pixels, picture_pixels
from ..runtime.plots.tiles import Marks, Tile, TileRow, draw_tiles, wrapped
from ..runtime.training.job import Job
from ..training import job_as_trained
from .samples import ChosenSamples, alone, as_pictures, the_pictures

if TYPE_CHECKING:
    from ..choices import PictureFormat
    from ..evaluable import Origin
    from ..runtime.run_folder.trained import Trained
    from ..trainable import Weights


MOST_JUDGED = 1000  # samples whose losses are compared, one by one
ANSWER_COLUMNS = (6, 5)
WIDE_CAPTION = 20  # characters, beyond which it takes two lines
MOST_ANSWERS, MOST_PICTURED = 18, 6  # samples; with pictures beside them
RIGHT_MARKS, SAID_MARKS = Marks(colour=GREEN), Marks(colour=ORANGE, dashed=True)


@dataclass(slots=True)
class ShownAnswer:
    """What is drawn of one sample's answers.

    Attributes:
        lines: Below its picture.
        wrong: Whether an answer is wrong.
        marks: On its picture.
        pairs: What the truth is and what the network says, as pictures.
    """

    lines: list[str] = field(default_factory=list)
    wrong: bool = False
    marks: list[Marks] = field(default_factory=list)
    pairs: list[tuple[Array, Array]] = field(default_factory=list)


def predictions(
    net: Network,
    path: "str | PathLike[str]",
    weights: "Weights | None" = None,
    *,
    run: "Origin | None" = None,
    data: Any = None,
    part: PartName = "test",
    most: int | None = None,
    settings: Mapping[str, Any] | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw what a network says of pictures beside what is right, the largest losses first.

    Classes stand below a picture; boxes and points lie on it; masks and pictures stand beside it.
    Losses are those of single samples, of the first thousand of the part.

    Args:
        net: The network.
        path: The picture's file.
        weights: Weights by name, or a file of them, instead of the run's.
        run: A run, or its folder.
        data: Other data than the run's.
        part: `train`, `validation`, `test` or `all`.
        most: How many samples; by default 18, or 6 with masks or pictures.
        settings: Settings that replace the run's.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: There are no weights (E546), the part is empty (E531), no input is a picture
            (E566), or the file cannot be written.
    """
    trained, settings = net.trained(run, weights), settings or {}
    net.check_weights(trained.weights)
    job = job_as_trained(net.model, trained, settings, data=run_data(run, data))
    samples = job.part(part)
    if not len(samples):
        help = "choose another part (`--part`), or another `split`"
        raise error("E531", f"the {part} part of {job.data.about.name} is empty", help=help)
    targets = job.wiring.targets
    pictured = any(net.graph.outputs[name].type.rank == 4 for name in targets)
    count = most or (MOST_PICTURED if pictured else MOST_ANSWERS)
    worst, losses = _worst(job, trained, samples, count)
    read = output_forms(net.model, trained, settings)
    forms = {name: replace(read[name], names=target.names) for name, target in targets.items()}
    chosen = ChosenSamples(worst, [])
    _, pictures = the_pictures(net, chosen)
    shown = _answers(net, trained, job, chosen.samples, forms, pictures.shape[2:])
    for each, loss in zip(shown, losses, strict=True):
        each.lines.append(f"loss {loss:.3g}")
    of = f"the first {MOST_JUDGED} of " if len(samples) > MOST_JUDGED else ""
    title = f"{net.name}: the largest losses of {of}the {part} part"
    file = PictureFile(fspath(path), title, format)
    _draw(shown, pictures, file, _mask_classes(forms))


def _mask_classes(forms: Mapping[str, OutputForm]) -> tuple[str, ...]:
    return next((form.names for form in forms.values() if form.names), ())


def _worst(job: Job, trained: "Trained", samples: Samples, most: int) -> tuple[Samples, Array]:
    """The samples with the largest losses, of the first ones, and these losses."""
    judged = replace(samples, indices=samples.indices[:MOST_JUDGED])
    losses = job.evaluator.losses(trained.weights, judged.still(1))
    order = np.argsort(-losses, kind="stable")[:most]
    return alone(replace(judged, indices=judged.indices[order])), losses[order]


def _answers(
    net: Network,
    trained: "Trained",
    job: Job,
    samples: Samples,
    forms: Mapping[str, OutputForm],
    size: tuple[int, ...],
) -> list[ShownAnswer]:
    """What the network says of samples, whose pictures have a size, and what is right."""
    outputs = predict(net.graph, trained.weights, samples)
    batch = samples.augmenter.still(job.data.take(samples.indices))
    shown = [ShownAnswer() for _ in range(len(samples))]
    feeds = next(samples.still(len(samples)))
    for name, target in job.wiring.targets.items():
        form, kind = forms[name], "values"
        if target.source is None:
            truth = feeds[target.name]
            # A picture stands beside another, not beside what is yes and no in it.
            form = form if target.classes else replace(form, task="numbers")
        else:
            truth = batch.targets[target.source]
            kind = job.data.about.kinds.get(target.source, kind)
        for place, each in enumerate(shown):
            _answer(each, outputs[name][place], truth[place], form, kind, size)
    return shown


def _answer(
    shown: ShownAnswer,
    output: Array,
    truth: Array,
    form: OutputForm,
    kind: str,
    size: tuple[int, ...],
) -> None:
    """Add what an output says of a sample of a size, and what is right."""
    if form.task != "numbers" and output.ndim == 3:
        said, classes = _mask(output, form)
        right = truth.argmax(axis=0) if truth.shape == output.shape else truth
        right = right.reshape(said.shape).round()
        shown.pairs.append((mask_pixels(right, classes), mask_pixels(said, classes)))
    elif form.task != "numbers":
        _class(shown, output, truth, form)
    elif kind == "box":
        for box, look in ((truth, RIGHT_MARKS), (output, SAID_MARKS)):
            shown.marks.append(replace(look, boxes=box.reshape(1, 4)))
    elif kind in ("points", "unit_points"):
        for points, look in ((truth, RIGHT_MARKS), (output, SAID_MARKS)):
            shown.marks.append(replace(look, points=fractions(points, kind, size)))
    elif output.ndim == 3:
        shown.pairs.append((_picture(truth.reshape(output.shape)), _picture(output)))
    else:
        texts = [" ".join(f"{x:.3g}" for x in each.ravel()[:3]) for each in (truth, output)]
        shown.lines.append(f"{texts[0]}, said {texts[1]}")


def _mask(output: Array, form: OutputForm) -> tuple[Array, int]:
    """The class at each position, (H, W), of scores (K, H, W); and how many there are."""
    axis = 1 if form.axis is None else form.axis
    rows = np.moveaxis(output[None], axis, -1)[0]
    scores = rows.reshape(-1, rows.shape[-1])
    found = predicted(form, scores).reshape(*rows.shape[:-1], -1)[..., 0]
    return found, max(scores.shape[-1], 2)


def _class(shown: ShownAnswer, output: Array, truth: Array, form: OutputForm) -> None:
    """Add a class, or a yes or no, in words."""
    scores = output.reshape(1, -1)
    answers = predicted(form, scores).ravel()
    shares = positive_scores(form, scores)[0]
    if form.task == "classes":
        right = int(truth.argmax() if truth.size == scores.size > 1 else truth)
        said, share = int(answers[0]), float(shares[answers[0]])
        names = form.names if len(form.names) == scores.size else None
        lines = [_named(names, right), _named(names, said)]
    else:
        right, said = int(truth.ravel()[0] >= 0.5), int(answers[0])
        share = float(shares[0] if said else 1 - shares[0])
        names = form.names if len(form.names) == len(YES_OR_NO) else YES_OR_NO
        lines = [_named(names, right), _named(names, said)]
    shown.wrong |= right != said
    both = [lines[0]] if right == said else [", said ".join(lines)]
    if len(both[0]) > WIDE_CAPTION:
        both = [lines[0], f"said {lines[1]}"]
    shown.lines += [*both, f"p = {share:.2f}"]


def _named(names: tuple[str, ...] | None, index: int) -> str:
    return str(index) if names is None else names[index]


def _picture(array: Array) -> Array:
    return picture_pixels(np.clip(as_pictures(array[None])[0], 0, 1))


def fractions(points: Array, kind: str, size: tuple[int, ...]) -> Array:
    """Points, (2 K,), in pixels or from -1 to 1, as fractions of width and height, (K, 2)."""
    places = points.reshape(-1, 2).astype(np.float64)
    extent = np.array(size[::-1], np.float64)
    pixels = places if kind == "points" else (places + 1) / 2 * (extent - 1)
    found: Array = (pixels + 0.5) / extent
    return found


def _draw(
    shown: list[ShownAnswer], pictures: Array, file: PictureFile, classes: tuple[str, ...]
) -> None:
    tiles = [
        Tile(
            picture_pixels(picture),
            "\n".join(each.lines),
            ORANGE if each.wrong else INK.soft_text,
            each.marks,
        )
        for each, picture in zip(shown, pictures, strict=True)
    ]
    marked = any(each.marks for each in shown)
    legend = [(GREEN, "right: solid, o"), (ORANGE, "said: dashed, x")] if marked else []
    heads: tuple[str, ...] = ()
    rows = wrapped(tiles, ANSWER_COLUMNS)
    if any(each.pairs for each in shown):
        pairs = [[Tile(pixels) for pair in each.pairs for pixels in pair] for each in shown]
        rows = [TileRow([tile, *more]) for tile, more in zip(tiles, pairs, strict=True)]
        heads = ("picture", *("right", "said") * len(shown[0].pairs))
        colours = mask_colours(len(classes)) if classes else []
        legend += list(zip(colours, classes, strict=True))
    draw_tiles(rows, file, heads=heads, legend=legend)
