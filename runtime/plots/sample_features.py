"""Features of samples before and after preprocessing -> a picture of their distributions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kerneldef import Array
from .canvas import BLUE, INK, PictureFile, drawable, page, short_name

MOST_FEATURES = 40  # features
BAR_WIDTH = 0.62


def draw_features(
    stages: Sequence[tuple[str, Array]],
    file: PictureFile,
    *,
    names: Sequence[str] = (),
) -> None:
    """Draw the range, the spread and the mean of each feature, stage by stage.

    Args:
        stages: What each stage is called, and the features of samples there, (N, D).
        file: Where the picture goes.
        names: What the features of the first stage are called.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    most = max(min(features.shape[1], MOST_FEATURES) for _, features in stages)
    size = (max(2.4, 0.28 * most + 1.0), 1.9 * len(stages) + 0.5)
    with page(file, size, layout="constrained") as figure:
        panels = figure.subplots(len(stages), 1, squeeze=False).ravel()
        for axes, (stage, features) in zip(panels, stages, strict=True):
            _stage(axes, stage, features[:, :MOST_FEATURES], names)
        file.entitle(figure)
        figure.supxlabel(
            "line: all samples; bar: mean \N{PLUS-MINUS SIGN} deviation",
            fontsize=7.5,
            color=INK.soft_text,
        )


def _stage(axes: Any, stage: str, features: Array, names: Sequence[str]) -> None:
    places = np.arange(features.shape[1])
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    axes.vlines(places, features.min(axis=0), features.max(axis=0), color=INK.line, linewidth=0.9)
    axes.bar(places, 2 * deviation, BAR_WIDTH, mean - deviation, color=BLUE, alpha=0.55)
    axes.hlines(mean, places - BAR_WIDTH / 2, places + BAR_WIDTH / 2, color=INK.text, linewidth=1.2)
    axes.axhline(0, color=INK.soft_text, linewidth=0.6, zorder=1)
    shown = (
        [short_name(name) for name in names]
        if len(names) == len(places)
        else list(map(str, places))
    )
    axes.set_xticks(places, shown, rotation=90 if max(map(len, shown)) > 2 else 0, fontsize=7)
    axes.grid(axis="x", visible=False)
    axes.set_title(drawable(stage), loc="left", fontsize=8.5)
