"""A run's progress in a notebook: one display with curves, which each epoch redraws."""

import sys
from typing import Any

from .runtime.run_folder.history import Epoch, History
from .runtime.training.progress import EpochValues, TrainingProgress


def in_notebook() -> bool:
    """Whether an IPython kernel runs this, which shows HTML; a terminal's IPython does not."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell is not None and hasattr(shell, "kernel")


class LiveCurves(TrainingProgress):
    """Shows a history, and redraws it after each epoch."""

    def __init__(self) -> None:
        self.history = History()
        self._handle: Any = None

    def epoch(self, values: EpochValues) -> None:
        """Draw the curves with an epoch more."""
        self.history.append(Epoch.of(values))
        self._show()

    def say(self, text: str) -> None:
        """Print what is worth a line, below the curves."""
        print(text)

    def _show(self) -> None:
        from IPython.display import HTML, display

        page = HTML(self.history._repr_html_())
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)
