"""What a run says in a pipe: a line per epoch, within long ones now and then, and how long yet."""

import io

import pytest

from netc.runtime.training.progress import Pace, PlainProgress, TrainingProgress, duration, number


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def test_a_line_for_each_epoch() -> None:
    """Losses, metrics, rate, speed and what is left; the last line says what has elapsed."""
    clock, stream = Clock(), io.StringIO()
    told = PlainProgress(stream, clock)
    told.start(epochs=2, steps=3)
    for epoch in (1, 2):
        for _ in range(3):
            clock.now += 0.5
            told.advance(loss=0.5, samples=64, lr=0.1)
        told.epoch(
            {
                "epoch": epoch,
                "step": 3 * epoch,
                "loss": 0.5 / epoch,
                "val_loss": None,
                "accuracy": 0.75,
                "lr": 0.01,
                "momentum": 0.9,
                "seconds": 75.0,
            }
        )
    told.finish()
    assert stream.getvalue() == (
        "epoch 1/2  loss 0.5000  accuracy 0.7500  lr 0.01  128/s  0:02 left\n"
        "epoch 2/2  loss 0.2500  accuracy 0.7500  lr 0.01  128/s  0:03 elapsed\n"
    )


def test_long_epochs_are_heard_from() -> None:
    """Within an epoch there is a line every half minute, and none right before its own."""
    clock, stream = Clock(), io.StringIO()
    told = PlainProgress(stream, clock)
    told.start(epochs=10, steps=1_000)
    for _ in range(1_000):
        clock.now += 0.125
        told.advance(loss=2.0, samples=1, lr=0.1, metrics={"accuracy": 0.25})
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0] == (
        "epoch  1/10  step 240/1,000  loss 2.0000  accuracy 0.2500  lr 0.1  8/s  20:20 left"
    )


def test_other_lines() -> None:
    """What else there is to say stands on a line of its own; silence says nothing."""
    stream = io.StringIO()
    PlainProgress(stream).say("stopped early: no better epoch since epoch 7")
    assert stream.getvalue() == "stopped early: no better epoch since epoch 7\n"
    silent = TrainingProgress()
    silent.start(epochs=1, steps=1)
    silent.advance(loss=1.0, samples=1)
    silent.epoch({"loss": 1.0})
    silent.say("hello")
    silent.finish()


def test_a_resumed_run_counts_on() -> None:
    """What was done before a pause is not done again, nor does it count as speed."""
    clock = Clock()
    pace = Pace(clock)
    pace.start(epochs=4, steps=10, epoch=2, step=5)
    assert (pace.remaining, pace.speed) == (None, None)
    clock.now += 2.0
    pace.advance(8)
    assert (pace.current, pace.within, pace.done) == (3, 6, 26)
    assert pace.remaining == pytest.approx(14 * 2.0)
    assert pace.speed == pytest.approx(4.0)


def test_the_epoch_of_a_step() -> None:
    """The last step of an epoch belongs to it, the next one to the next."""
    pace = Pace(Clock())
    pace.start(epochs=2, steps=2, epoch=0, step=0)
    found = []
    for _ in range(4):
        pace.advance(1)
        found.append((pace.current, pace.within))
    assert found == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert pace.remaining == 0


def test_the_estimate_follows_the_speed() -> None:
    """When steps become slower, what is left soon does so, too."""
    clock = Clock()
    pace = Pace(clock)
    pace.start(epochs=1, steps=10_000, epoch=0, step=0)
    for _ in range(1_000):
        clock.now += 0.1
        pace.advance(1)
    assert pace.remaining == pytest.approx(9_000 * 0.1, rel=1e-6)
    for _ in range(200):
        clock.now += 1.0
        pace.advance(1)
    # The fast steps count less and less, and never not at all.
    assert pace.remaining == pytest.approx(8_800 * 1.0, rel=0.01)


def test_a_clock_that_stands_still() -> None:
    """Steps that take no time that can be measured are no mistake."""
    pace = Pace(Clock())
    pace.start(epochs=1, steps=0, epoch=0, step=0)
    pace.advance(1)
    assert pace.speed is None
    assert pace.remaining == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0:00"), (7, "0:07"), (65, "1:05"), (3599.6, "1:00:00"), (7269, "2:01:09")],
)
def test_durations(seconds: float, text: str) -> None:
    """Minutes and seconds, with hours where there are any."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (0.12345, "0.1235"),
        (1234.5, "1234.5000"),
        (1e-5, "1.000e-05"),
        (1e6, "1.000e+06"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    """Four digits behind the point, an exponent where these say nothing."""
    assert number(value) == text
