"""Every schedule against PyTorch step by step where PyTorch has it, else against its formula."""

from collections.abc import Callable
from math import exp
from typing import Any

import numpy as np
import pytest

from netc.compiler.training.schedules import SCHEDULES, Followed, Position, value_at
from netc.compiler.training.terms import Term

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
lr_scheduler = torch.optim.lr_scheduler
pytestmark = pytest.mark.oracle

STEPS, EPOCHS = 7, 6  # steps per epoch
TOTAL = STEPS * EPOCHS
BASE = 0.3


def ours(term: Term, start: float = BASE) -> list[float]:
    """The values of all steps."""
    return [value_at(term, start, Position(step, STEPS, EPOCHS)) for step in range(TOTAL)]


def theirs(schedule: Callable[[Any], Any], base: float = BASE) -> list[float]:
    """The learning rates of PyTorch's scheduler, which steps after each step of training."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler = schedule(optimizer)
    rates = []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def then(warmup: int, schedule: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """PyTorch's way of writing a linear warm-up before a schedule."""

    def build(optimizer: Any) -> Any:
        first = lr_scheduler.LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
        return lr_scheduler.SequentialLR(optimizer, [first, schedule(optimizer)], [warmup])

    return build


ROWS: list[tuple[Term, Callable[[Any], Any]]] = [
    (SCHEDULES.term("constant"), lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    (SCHEDULES.term("step", every=5), lambda o: lr_scheduler.StepLR(o, 5)),
    (SCHEDULES.term("step", every=4, factor=0.5), lambda o: lr_scheduler.StepLR(o, 4, 0.5)),
    (SCHEDULES.term("exponential", k=0.05), lambda o: lr_scheduler.ExponentialLR(o, exp(-0.05))),
    (SCHEDULES.term("cosine"), lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL)),
    (SCHEDULES.term("cosine", end=0.01), lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, 0.01)),
    (
        SCHEDULES.term("linear", start=0.3, end=0.003),
        lambda o: lr_scheduler.LinearLR(o, 1.0, 0.01, TOTAL - 1),
    ),
    (SCHEDULES.term("inverse", k=3.0), lambda o: lr_scheduler.LambdaLR(o, lambda n: 1 / (n + 3))),
    (SCHEDULES.term("polynomial"), lambda o: lr_scheduler.PolynomialLR(o, TOTAL)),
    (SCHEDULES.term("polynomial", power=0.9), lambda o: lr_scheduler.PolynomialLR(o, TOTAL, 0.9)),
    (
        SCHEDULES.term("polynomial", power=2.0, end=BASE / 4),
        lambda o: lr_scheduler.LambdaLR(o, lambda n: 0.25 + 0.75 * (1 - n / TOTAL) ** 2),
    ),
    (SCHEDULES.term("multistep", at=(3.0, 20.0)), lambda o: lr_scheduler.MultiStepLR(o, [3, 20])),
    (
        SCHEDULES.term("multistep", at=(5.0,), factor=0.5, per="epoch"),
        lambda o: lr_scheduler.MultiStepLR(o, [5 * STEPS], 0.5),
    ),
    (
        SCHEDULES.term("restarts", every=10),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10),
    ),
    (
        SCHEDULES.term("restarts", every=4, factor=3, end=0.01),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 3, 0.01),
    ),
    (
        SCHEDULES.term("one_cycle"),
        lambda o: lr_scheduler.OneCycleLR(o, BASE, TOTAL, cycle_momentum=False),
    ),
    (
        SCHEDULES.term("one_cycle", rise=0.5, below=10.0, fall=100.0),
        lambda o: lr_scheduler.OneCycleLR(
            o, BASE, TOTAL, pct_start=0.5, div_factor=10, final_div_factor=100, cycle_momentum=False
        ),
    ),
    (
        SCHEDULES.term("constant", warmup=5),
        then(5, lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    ),
    (
        SCHEDULES.term("cosine", warmup=8),
        then(8, lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL - 8)),
    ),
    (
        SCHEDULES.term("step", every=10, factor=0.2, warmup=4),
        then(4, lambda o: lr_scheduler.StepLR(o, 10, 0.2)),
    ),
]


@pytest.mark.parametrize(
    ("term", "scheduler"), ROWS, ids=[f"{t.name}-{i}" for i, (t, _) in enumerate(ROWS)]
)
def test_values_are_pytorchs(term: Term, scheduler: Callable[[Any], Any]) -> None:
    """Each step has the learning rate that PyTorch gives it."""
    assert ours(term) == pytest.approx(theirs(scheduler), rel=1e-12)


def test_inverse_is_read_literally() -> None:
    """The rate is eta0 / (n + k), also at the start."""
    assert ours(SCHEDULES.term("inverse", k=10.0), 0.5) == [0.5 / (n + 10) for n in range(TOTAL)]


def test_linear_reaches_both_ends() -> None:
    """The ramp starts with the first number and ends with the second, whatever the optimizer."""
    values = ours(SCHEDULES.term("linear", start=0.9, end=0.999), 0.0)
    assert (values[0], values[-1]) == (0.9, 0.999)
    assert values == sorted(values)


def test_schedules_per_epoch_stay_within_one() -> None:
    """What counts epochs takes the value of an epoch for all of its steps."""
    rows = {
        "step": SCHEDULES.term("step", every=2, factor=0.5, per="epoch"),
        "linear": SCHEDULES.term("linear", start=0.03, end=0.0001, per="epoch"),
        "cosine": SCHEDULES.term("cosine", per="epoch", warmup=2),
    }
    for term in rows.values():
        values = ours(term)
        epochs = [values[i * STEPS : (i + 1) * STEPS] for i in range(EPOCHS)]
        assert all(len(set(epoch)) == 1 for epoch in epochs)
    assert ours(rows["step"])[::STEPS] == [BASE * 0.5 ** (n // 2) for n in range(EPOCHS)]
    ramp = ours(rows["linear"])[::STEPS]
    assert ramp == pytest.approx([0.03 + (0.0001 - 0.03) * n / (EPOCHS - 1) for n in range(EPOCHS)])
    assert ours(rows["cosine"])[::STEPS][:3] == pytest.approx([BASE / 3, BASE * 2 / 3, BASE])


@pytest.mark.parametrize("name", SCHEDULES)
def test_runs_of_one_step(name: str) -> None:
    """A run of a single step, or one that is all warm-up, has values, too."""
    given: dict[str, dict[str, Any]] = {
        "step": {"every": 1},
        "exponential": {"k": 0.1},
        "linear": {"start": 0.3, "end": 0.1},
        "multistep": {"at": (1.0,)},
        "restarts": {"every": 1},
        "one_cycle": {"rise": 0.0},
    }
    term = SCHEDULES.term(name, **given.get(name, {}))
    start = BASE if name != "inverse" else BASE * term.arguments["k"]
    once = Position(0, 1, 1)
    assert value_at(term, start, once) == pytest.approx(BASE)
    warm = SCHEDULES.term(name, **given.get(name, {}), warmup=3)
    assert value_at(warm, start, once) == pytest.approx(BASE / 4)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_plateaus(seed: int, lower: bool) -> None:
    """PyTorch's `ReduceLROnPlateau` on a number that falls, or rises, and rests at times."""
    random = np.random.default_rng(seed)
    way = -1 if lower else 1
    values = [*(2 + way * np.cumsum(random.choice([0, 0, 0, 0.02, 0.2], 60)) / 4), float("nan")]
    options: dict[str, Any] = {
        "factor": 0.3,
        "patience": int(random.integers(4)),
        "threshold": 0.01,
    }
    options["cooldown"] = int(random.integers(3))
    term = SCHEDULES.term("plateau", **options, end=1e-3)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    mode = "min" if lower else "max"
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, mode, **options, min_lr=1e-3)
    rates = []
    for epoch in range(len(values)):
        at = Position(epoch * STEPS, STEPS, 99, followed=Followed(tuple(values[:epoch]), lower))
        assert value_at(term, BASE, at) == optimizer.param_groups[0]["lr"]
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step(values[epoch])
    assert len(set(rates)) > 3


def test_accumulated_steps() -> None:
    """Schedules count steps of the optimizer, each of several batches, also over epochs' ends."""
    term = SCHEDULES.term("linear", start=0.0, end=1.0)
    found = [value_at(term, 0.0, Position(n, 5, 2, accumulate=4)) for n in range(10)]
    assert found == [0.0] * 4 + [1.0] * 6
    by_epoch = SCHEDULES.term("linear", start=0.0, end=1.0, per="epoch")
    assert [value_at(by_epoch, 0.0, Position(n, 2, 2, accumulate=2)) for n in range(4)] == [
        0,
        0,
        1,
        1,
    ]
