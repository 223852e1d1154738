"""A run's progress on a terminal: a bar with loss, metrics, learning rate, speed and time left."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from .live_curves import LiveCurves, in_notebook
from .runtime.training.progress import (
    EpochValues,
    Pace,
    PlainProgress,
    TrainingProgress,
    duration,
    line,
    texts,
)
from .tables import GAP, filled

if TYPE_CHECKING:
    from rich.console import Console


WIDEST, NARROWEST = 24, 4  # characters of the bar


def training_progress(stream: IO[str] | None = None) -> TrainingProgress:
    """A bar where the stream (standard error by default) is a terminal, else plain lines.

    In a notebook, without a stream, curves that each epoch redraws.
    """
    if stream is None and in_notebook():
        return LiveCurves()
    stream = sys.stderr if stream is None else stream
    moves = stream.isatty() and os.environ.get("TERM") != "dumb"  # a bar is drawn over itself
    return TrainingBar(stream) if moves else PlainProgress(stream)


class TrainingBar(TrainingProgress):
    """A bar for the whole run; above it, a line stays for each epoch that is done.

    Args:
        stream: The terminal, or a console of rich.
    """

    def __init__(self, stream: "IO[str] | Console") -> None:
        # Loaded for terminals only: rich is slow to load.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        console = stream if isinstance(stream, Console) else Console(file=stream)
        self.pace = Pace()
        self._beam = BarColumn(bar_width=WIDEST)
        self._bar = Progress(
            TextColumn("{task.fields[head]}"),
            self._beam,
            TextColumn("{task.fields[values]}", markup=False),
            TextColumn("[dim]{task.fields[time]}[/]"),
            console=console,
            transient=True,
            redirect_stdout=False,
        )
        self._task: Any = None

    def start(self, *, epochs: int, steps: int, epoch: int = 0, step: int = 0) -> None:
        """A run begins or continues."""
        self.pace.start(epochs=epochs, steps=steps, epoch=epoch, step=step)
        self._task = self._bar.add_task(
            "", total=self.pace.total, completed=self.pace.done, head="", values="", time=""
        )
        self._bar.start()

    def advance(
        self,
        *,
        loss: float,
        samples: int,
        lr: float | None = None,
        metrics: EpochValues | None = None,
    ) -> None:
        """A step was taken."""
        pace = self.pace
        pace.advance(samples)
        speed = "" if pace.speed is None else f"{pace.speed:,.0f}/s"
        left = "" if pace.remaining is None else f"{duration(pace.remaining)} left"
        shown = texts({"loss": loss, **(metrics or {}), "lr": lr})
        self._show(f"epoch {pace.current}/{pace.epochs}", shown, [t for t in (speed, left) if t])

    def _show(self, head: str, values: Sequence[str], times: Sequence[str]) -> None:
        """Move the bar; a narrow terminal shows fewer values, down to the loss, and fewer times."""
        least = len(head) + 3 + NARROWEST  # with the blanks between four columns
        for shown, time in _ever_less(values, times):
            room = self._bar.console.width - least - len(shown) - len(time)
            if room >= 0:
                break
        self._beam.bar_width = min(max(room, 0) + NARROWEST, WIDEST)
        self._bar.update(self._task, completed=self.pace.done, head=head, values=shown, time=time)

    def epoch(self, values: EpochValues) -> None:
        """An epoch ended."""
        done = values.get("epoch")
        width = len(str(self.pace.epochs))
        head = f"epoch {int(done or self.pace.current):>{width}}/{self.pace.epochs}"
        self.say(line([head], values, self.pace))

    def say(self, text: str) -> None:
        """A line above the bar."""
        console = self._bar.console
        lines = filled(text.split(GAP), console.width)
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)

    def refresh(self) -> None:
        """Draw the bar now; it is otherwise drawn ten times in a second."""
        self._bar.refresh()

    def finish(self) -> None:
        """The run ended: the bar goes, the lines stay."""
        self._bar.stop()


def _ever_less(values: Sequence[str], times: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Values and times to show beside the bar, each time with one of them less."""
    for count in range(len(values), 0, -1):
        yield GAP.join(values[:count]), GAP.join(times)
    for start in range(1, len(times) + 1):
        yield GAP.join(values[:1]), GAP.join(times[start:])
    yield "", ""
