"""Early stopping: which epoch is the best, when patience ends, and going on after a pause."""

import json

import pytest
from support.refusals import refusal

from netc.runtime.training.early_stopping import EarlyStopping

NAN = float("nan")


def stops_after(stopping: EarlyStopping, losses: list[float | None]) -> int | None:
    """The epoch after which it stops, if it does."""
    for epoch, loss in enumerate(losses, start=1):
        stopping.update(epoch, {"val_loss": loss})
        if stopping.stopped:
            return epoch
    return None


def test_patience() -> None:
    """Three epochs in a row without a better one end the patience of three."""
    stopping = EarlyStopping(patience=3)
    assert stops_after(stopping, [3, 2, 2.5, 2.1, 1, 1.5, 1.2, 1.1, 0.5]) == 8
    assert (stopping.best_epoch, stopping.best) == (5, 1)


def test_equal_is_not_better() -> None:
    """An epoch that only repeats the best one does not count as better."""
    assert stops_after(EarlyStopping(patience=2), [1, 1, 1]) == 3


def test_min_delta() -> None:
    """An epoch must be better by more than the least difference."""
    stopping = EarlyStopping(patience=2, min_delta=0.125)
    assert stops_after(stopping, [1.0, 0.875, 0.75, 0.7, 0.65]) == 5
    assert stopping.best == 0.75


def test_metrics_are_better_higher() -> None:
    """With an accuracy the highest epoch is the best."""
    stopping = EarlyStopping("val_accuracy", patience=1, direction="higher")
    assert stopping.update(1, {"val_accuracy": 0.5})
    assert stopping.update(2, {"val_accuracy": 0.6})
    assert not stopping.update(3, {"val_accuracy": 0.6})
    assert stopping.stopped
    assert stopping.best_epoch == 2


def test_nan_is_never_better() -> None:
    """NaN waits, at the start as well; a number after it is better."""
    stopping = EarlyStopping(patience=3)
    assert not stopping.update(1, {"val_loss": NAN})
    assert stopping.best_epoch is None
    assert stopping.update(2, {"val_loss": 5.0})
    assert stops_after(stopping, [NAN, NAN, NAN]) == 3


def test_unmeasured_epochs_do_not_count() -> None:
    """An epoch without validation neither waits nor improves."""
    assert stops_after(EarlyStopping(patience=1), [1.0, None, None, 0.5, None, 0.6]) == 6


def test_without_patience_it_never_stops() -> None:
    """Without patience the best epoch is found all the same."""
    stopping = EarlyStopping(patience=None)
    assert stops_after(stopping, [1.0] * 50) is None
    assert stopping.best_epoch == 1


@pytest.mark.parametrize("cut", range(8))
def test_state_goes_on(cut: int) -> None:
    """Stored as JSON and restored at any epoch, it stops where it would have."""
    losses = [3.0, 2.0, 2.5, NAN, 1.0, 1.5, 1.2, 1.1]
    whole, first = EarlyStopping(patience=3), EarlyStopping(patience=3)
    for epoch, loss in enumerate(losses):
        whole.update(epoch, {"val_loss": loss})
    for epoch, loss in enumerate(losses[:cut]):
        first.update(epoch, {"val_loss": loss})
    resumed = EarlyStopping(patience=3)
    resumed.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    for epoch, loss in enumerate(losses[cut:], start=cut):
        resumed.update(epoch, {"val_loss": loss})
    assert resumed.state() == whole.state()
    assert resumed.stopped == whole.stopped


def test_an_infinite_best_can_be_stored() -> None:
    """A first loss of infinity is kept through JSON, which has none."""
    stopping, resumed = EarlyStopping(), EarlyStopping()
    stopping.update(1, {"val_loss": float("inf")})
    resumed.restore(json.loads(json.dumps(stopping.state(), allow_nan=False)))
    assert resumed.best == float("inf")


def test_unknown_numbers_are_named() -> None:
    """A number that no epoch has is an error with the nearest name."""
    raised = refusal(EarlyStopping("val_acuracy").update, 1, {"val_loss": 1.0, "val_accuracy": 0.5})
    assert raised == (
        "error[E551]: there is no `val_acuracy` for early stopping\n"
        "  = help: did you mean `val_accuracy`?"
    )
