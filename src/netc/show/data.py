"""Pictures of samples: what preprocessing and augmentation make of the data."""

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from ..choices import PartName, check_count
from ..evaluable import run_data
from ..grammar.diagnostics import error
from ..network import Network
from ..runtime.data.dataset import Batch
from ..runtime.kerneldef import Array
from ..runtime.plots.canvas import GREEN, PictureFile
from ..runtime.plots.pixels import mask_pixels, picture_pixels
from ..runtime.plots.sample_features import draw_features
from ..runtime.plots.tiles import Marks, Tile, TileRow, draw_tiles, wrapped
from ..runtime.training.job import Job
from ..training import job_as_trained, job_of
from .answers import fractions
from .samples import as_pictures

if TYPE_CHECKING:
    from ..choices import PictureFormat
    from ..evaluable import Origin


MASK_OPACITY = 0.45  # how much of a mask's colour is seen
FEATURE_SAMPLES = 2000  # samples whose features are looked at


def samples(
    net: Network,
    path: "str | PathLike[str]",
    *,
    run: "Origin | None" = None,
    data: Any = None,
    part: PartName = "train",
    count: int = 6,
    draws: int = 4,
    settings: Mapping[str, Any] | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw samples as they are, as augmentation draws them, and as the network takes them.

    Boxes, points and masks are drawn on pictures; of samples that are no pictures, the range and
    the spread of each feature are drawn before and after.

    Args:
        net: The network, whose `train` block says what is done.
        path: The picture's file.
        run: A run, or its folder, whose settings and fitted preprocessing are taken.
        data: Other data.
        part: `train`, `validation`, `test` or `all`.
        count: How many samples.
        draws: How many draws of augmentation, those of the first epochs.
        settings: Settings that replace the program's, such as `{"augment": "rotate(30)"}`.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: There are no data (E544), the part is empty (E531), the inputs are neither
            pictures nor features (E566), or the file cannot be written.
    """
    check_count("count", count)
    check_count("draws", draws)
    job = _job(net, run, data, settings or {})
    indices = job.part(part).indices
    if not len(indices):
        help = "choose another part (`--part`), or another `split`"
        raise error("E531", f"the {part} part of {job.data.about.name} is empty", help=help)
    sources = {source: array.ndim for source, array in job.data.take(indices[:1]).inputs.items()}
    file = PictureFile(fspath(path), f"{net.name}: samples of the {part} part", format)
    if source := next((name for name, rank in sources.items() if rank == 4), None):
        _draw_pictures(job, source, indices[:count], draws, file)
    elif source := next((name for name, rank in sources.items() if rank == 2), None):
        _draw_features(job, source, indices[:FEATURE_SAMPLES], file)
    else:
        help = "pictures (N, C, H, W) and features (N, D) can be drawn"
        raise error("E566", f"no input of {job.data.about.name} is a picture", help=help)


def _job(net: Network, run: "Origin | None", data: Any, settings: Mapping[str, Any]) -> Job:
    if run is not None:
        trained, data = net.trained(run), run_data(run, data)
        return job_as_trained(net.model, trained, settings, data=data)
    return job_of(net.model, data=data, changes=settings)


def _draw_pictures(job: Job, source: str, indices: Array, draws: int, file: PictureFile) -> None:
    """A row for each sample; where nothing is done to samples, they alone."""
    before = job.data.take(indices)
    columns = [("data", _tiles(job, before, source))]
    if job.augmenter.choices:
        for epoch in range(draws):
            batch = job.augmenter.augment(job.data.take(indices), indices, epoch=epoch)
            columns.append((f"draw {epoch + 1}", _tiles(job, batch, source)))
    if job.training.fitted.steps:
        still = job.augmenter.still(job.data.take(indices))
        after = job.training.fitted.apply(still.inputs)[source]
        if after.ndim == 4:
            names = " ".join(step.name for step in job.training.fitted.steps)
            done = replace(still, inputs={source: after})
            columns.append((names, _tiles(job, done, source)))
    heads, tiles = zip(*columns, strict=True)
    if len(columns) == 1:
        draw_tiles(wrapped(columns[0][1], (6, 5)), file)
        return
    rows = [TileRow(row) for row in zip(*tiles, strict=True)]
    draw_tiles(rows, file, heads=heads)


def _tiles(job: Job, batch: Batch, source: str) -> list[Tile]:
    """Pictures with what their targets mark in them."""
    pictures = as_pictures(batch.inputs[source])
    found = []
    for place, picture in enumerate(pictures):
        pixels, marks, caption = picture_pixels(picture), [], ""
        for name, kind in job.data.about.kinds.items():
            target = batch.targets[name][place]
            if kind == "box":
                marks.append(Marks(boxes=target.reshape(1, 4), colour=GREEN))
            elif kind in ("points", "unit_points"):
                marks.append(Marks(points=fractions(target, kind, picture.shape[1:]), colour=GREEN))
            elif kind == "mask":
                classes = max(int(batch.targets[name].max()) + 1, 2)
                coloured = mask_pixels(target, classes)
                over = (target > 0)[..., None] * MASK_OPACITY
                pixels = (1 - over) * pixels + over * coloured
            elif kind == "label":
                names = job.data.about.class_names.get(name, ())
                label = int(target)
                caption = names[label] if 0 <= label < len(names) else str(label)
        found.append(Tile(pixels, caption, marks=marks))
    return found


def _draw_features(job: Job, source: str, indices: Array, file: PictureFile) -> None:
    still = job.augmenter.still(job.data.take(indices))
    stages = [("data", still.inputs[source])]
    if job.augmenter.choices:
        batch = job.augmenter.augment(job.data.take(indices), indices, epoch=0)
        stages.append(("augmented", batch.inputs[source]))
    if job.training.fitted.steps:
        names = " ".join(step.name for step in job.training.fitted.steps)
        stages.append((names, job.training.fitted.apply(still.inputs)[source]))
    draw_features(stages, file, names=job.data.about.columns.get(source, ()))
