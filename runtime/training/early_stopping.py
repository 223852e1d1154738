"""The best epoch so far, and when to stop waiting for a better one."""

from collections.abc import Mapping
from math import isnan
from typing import Any

from ...grammar.diagnostics import did_you_mean, error, listing
from ..metrics.definitions import Better


class EarlyStopping:
    """Follows one number from epoch to epoch.

    An epoch is better where it beats the best one by more than `min_delta`; NaN never does.

    Args:
        monitor: The number's name among the values of an epoch, such as `val_loss`.
        patience: After how many epochs in a row without a better one to stop; None for never,
            which still finds the best epoch.
        min_delta: By how much an epoch must be better to count, in the number's own unit.
        direction: Whether a lower number is better, as with losses, or a higher one.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int | None = 10,
        min_delta: float = 0.0,
        direction: Better = "lower",
    ) -> None:
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.direction = direction
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.waited = 0

    @property
    def stopped(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.waited >= max(self.patience, 1)

    def update(self, epoch: int, values: Mapping[str, float | None]) -> bool:
        """Take note of an epoch.

        Args:
            epoch: Its number.
            values: Its loss and metrics by name; what was not measured in it is None.

        Returns:
            Whether it is the best one so far.

        Raises:
            NetError: E551, the monitored number is not among them.
        """
        if self.monitor not in values:
            known = listing(values)
            raise error(
                "E551",
                f"there is no `{self.monitor}` for early stopping",
                help=did_you_mean(self.monitor, values) or f"there are {known}",
            )
        value = values[self.monitor]
        if value is None:  # an epoch without validation is not evidence
            return False
        if not self._better(value):
            self.waited += 1
            return False
        self.best, self.best_epoch, self.waited = float(value), epoch, 0
        return True

    def _better(self, value: float) -> bool:
        if isnan(value):
            return False
        if self.best is None:
            return True
        gain = self.best - value if self.direction == "lower" else value - self.best
        return gain > self.min_delta

    def state(self) -> dict[str, Any]:
        """Where it stands, as JSON; infinities are written as text."""
        best = None if self.best is None else repr(self.best)
        return {"best": best, "best_epoch": self.best_epoch, "waited": self.waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned, with this object's own patience."""
        self.best = None if state["best"] is None else float(state["best"])
        self.best_epoch = state["best_epoch"]
        self.waited = int(state["waited"])
