"""A run's epochs and steps -> event files, which TensorBoard shows."""

import os
from typing import Any

from ...grammar.diagnostics import error
from ...grammar.files import writing
from ..extras import from_extra
from ..metrics.definitions import VALIDATION
from ..run_folder.history import RATE_COLUMNS, WHOLE, Epoch, History
from .loop import LOSS, Callback, Feeds, Progress


class TensorBoard(Callback):
    """Writes losses, metrics and rates of each epoch for TensorBoard.

    Its tags are `loss/train`, `loss/validation`, the same of each metric, `lr`, `momentum` and
    `seconds`, over the epoch's number.

    Args:
        folder: The folder of the event files; a resumed run adds a file.
        every: After how many steps the loss of a batch is written as well, as `loss/batch` over the
            step's number; None for never.

    Raises:
        NetError: E528, tensorboard is not installed; E125, `every` is no number of steps; while
            training, E004.
    """

    def __init__(self, folder: str | os.PathLike[str], *, every: int | None = None) -> None:
        if every is not None and (not isinstance(every, int) or every < 1):
            raise error("E125", f"`every` must be a positive integer, not `{every}`")
        self.folder = os.fspath(folder)
        self.every = every
        self._open = _writer_class()
        self._writer: Any = None

    def __repr__(self) -> str:
        return f"TensorBoard({self.folder!r}, every={self.every})"

    def on_start(self, history: History) -> None:
        """Begin a file."""
        with writing(self.folder):
            self._writer = self._open(self.folder)

    def on_step(self, progress: Progress, feeds: Feeds, results: Feeds) -> None:
        """Write the loss of the batch, where it is asked for."""
        if self.every is not None and progress.step % self.every == 0:
            with writing(self.folder):
                self._writer.add_scalar(f"{LOSS}/batch", float(results[LOSS]), progress.step)

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> None:
        """Write what was measured of the epoch."""
        with writing(self.folder):
            for name, value in row.values().items():
                if value is not None and name not in WHOLE:
                    self._writer.add_scalar(_tag(name), value, row.epoch)
            self._writer.flush()

    def on_end(self) -> None:
        """Close the file."""
        if self._writer is not None:
            with writing(self.folder):
                self._writer.close()
            self._writer = None


def _tag(name: str) -> str:
    """What TensorBoard calls a column: tags that differ after the slash stand side by side."""
    if name in RATE_COLUMNS:
        return name
    own = name.removeprefix(VALIDATION)
    return f"{own}/train" if own == name else f"{own}/validation"


def _writer_class() -> Any:
    with from_extra("event files are written", "tensorboard", "tensorboard"):
        from tensorboard.summary import Writer
    return Writer
