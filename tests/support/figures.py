"""Figures that were drawn, to look into."""

from typing import Any


class Figures(list[Any]):
    """The figures that were written, in order."""

    @property
    def axes(self) -> Any:
        """The first panel of the last one."""
        return self[-1].axes[0]

    def images(self) -> list[Any]:
        """The pixels of its images, (H, W, 3) each."""
        return [image.get_array() for image in self.axes.images]

    def texts(self) -> list[str]:
        """All that is written in the last one."""
        figure = self[-1]
        found = [text for axes in figure.axes for text in _texts(axes)]
        return [text.get_text() for text in (*found, *figure.texts) if text.get_text()]


def _texts(axes: Any) -> list[Any]:
    legend = axes.get_legend()
    titles = [axes.title, axes._left_title, axes._right_title, axes.xaxis.label, axes.yaxis.label]
    return [*titles, *axes.texts, *(legend.get_texts() if legend else ())]
