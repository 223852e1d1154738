"""Fifty steps of training beside PyTorch's: the same weights, the same batches, the same losses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from support import optimizer_rows
from support.network_rows import random_weights

import netc
from netc.compiler.training.clipping import CLIPPING
from netc.compiler.training.descent import Descent
from netc.compiler.training.objective import Objective
from netc.compiler.training.optimizers import MOMENTUM, OPTIMIZERS
from netc.compiler.training.schedules import SCHEDULES, Followed, Position, value_at
from netc.compiler.training.terms import Term
from netc.compiler.training.train_step import train_step
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.kerneldef import Array
from netc.runtime.training.stepper import Stepper

pytestmark = pytest.mark.oracle

STEPS, PER_EPOCH, BATCH, CLASSES = 50, 10, 8, 5
TOLERANCE = 1e-4
PROGRAM = """INPUT(6)
  -> FC(16) as a -> TANH -> FC(16) as b -> TANH -> FC(5) as c"""


@dataclass(frozen=True)
class StepRow:
    """An optimizer, and its name and arguments in PyTorch.

    Attributes:
        ours: Our optimizer's name and arguments.
        theirs: PyTorch's.
        schedule: Of the learning rate.
        momentum: Of the momentum.
        clip: How gradients are clipped, and PyTorch's function for it.
        accumulate: How many batches make a step.
        ema: How much of the weights' moving averages stays.
        lr_factors, decay: What learning rates and decays are multiplied by.
        rates: What PyTorch's schedules make of it; None where the optimizer's own rate stays.
    """

    ours: tuple[str, Mapping[str, Any]]
    theirs: tuple[str, Mapping[str, Any]]
    schedule: tuple[str, Mapping[str, Any]] = ("constant", {})
    momentum: tuple[str, Mapping[str, Any]] | None = None
    clip: tuple[str, float] | None = None
    accumulate: int = 1
    ema: float | None = None
    lr_factors: Mapping[str, float] = field(default_factory=dict)
    decay: Mapping[str, float] | str = field(default_factory=dict)
    rates: Callable[[Any], Any] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """What sets it apart."""
        terms = [self.ours, *([] if self.schedule[0] == "constant" else [self.schedule])]
        terms += [self.momentum] if self.momentum else []
        terms += [(self.clip[0], {f"{self.clip[1]}": 0})] if self.clip else []
        terms += [("accumulate", {f"{self.accumulate}": 0})] if self.accumulate > 1 else []
        terms += [("ema", {f"{self.ema}": 0})] if self.ema is not None else []
        factors = [*self.lr_factors, *([self.decay] if isinstance(self.decay, str) else self.decay)]
        terms += [("by", dict.fromkeys(factors))] if factors else []
        return ",".join("-".join([name, *map(str, given)]) for name, given in terms)


OPTIMIZER_ROWS = [StepRow((r.name, r.arguments), (r.torch, r.theirs)) for r in optimizer_rows.ROWS]


def scheduled(rates: Callable[[Any], Any], name: str, **arguments: Any) -> StepRow:
    """SGD with momentum, and a schedule of ours and of PyTorch's for its learning rate."""
    given = {"lr": 0.2, "momentum": 0.9}
    return StepRow(("sgd", given), ("SGD", given), (name, arguments), rates=rates)


def step_schedule(optimizer: Any) -> Any:
    """PyTorch's."""
    from torch.optim import lr_scheduler

    return lr_scheduler.StepLR(optimizer, step_size=12, gamma=0.5)


def by_epoch(optimizer: Any) -> Any:
    """Half as much after every other epoch."""
    from torch.optim import lr_scheduler

    return lr_scheduler.LambdaLR(optimizer, lambda n: 0.5 ** (n // PER_EPOCH // 2))


def inverse(optimizer: Any) -> Any:
    """The rate over n + 2."""
    from torch.optim import lr_scheduler

    return lr_scheduler.LambdaLR(optimizer, lambda n: 1 / (n + 2))


def exponential(optimizer: Any) -> Any:
    """PyTorch's, with the ratio of two steps."""
    from torch.optim import lr_scheduler

    return lr_scheduler.ExponentialLR(optimizer, gamma=float(np.exp(-0.05)))


def cosine(optimizer: Any) -> Any:
    """PyTorch's."""
    from torch.optim import lr_scheduler

    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=0.01)


def polynomial(optimizer: Any) -> Any:
    """PyTorch's."""
    from torch.optim import lr_scheduler

    return lr_scheduler.PolynomialLR(optimizer, STEPS, 0.9)


def multistep(optimizer: Any) -> Any:
    """PyTorch's."""
    from torch.optim import lr_scheduler

    return lr_scheduler.MultiStepLR(optimizer, [10, 30], 0.3)


def restarts(optimizer: Any) -> Any:
    """PyTorch's."""
    from torch.optim import lr_scheduler

    return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 15)


def one_cycle(optimizer: Any) -> Any:
    """PyTorch's, which leaves the momentum as it is."""
    from torch.optim import lr_scheduler

    return lr_scheduler.OneCycleLR(optimizer, 0.2, STEPS, cycle_momentum=False)


def plateau(optimizer: Any) -> Any:
    """PyTorch's, of the mean loss of an epoch."""
    from torch.optim import lr_scheduler

    return lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=0.3)


def whole(optimizer: Any) -> Any:
    """A cosine down to 0, of each group's own rate."""
    from torch.optim import lr_scheduler

    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS)


def half(optimizer: Any) -> Any:
    """A cosine over half as many steps as there are batches."""
    from torch.optim import lr_scheduler

    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS // 2)


def linear(optimizer: Any) -> Any:
    """PyTorch's, from 0.05 to 0.001 of a rate of 0.2."""
    from torch.optim import lr_scheduler

    return lr_scheduler.LinearLR(optimizer, 0.25, 0.005, total_iters=STEPS - 1)


def warm(optimizer: Any) -> Any:
    """Eight steps of warm-up, and a cosine for the rest."""
    from torch.optim import lr_scheduler

    before = lr_scheduler.LinearLR(optimizer, 1 / 9, 1.0, total_iters=8)
    after = lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS - 8)
    return lr_scheduler.SequentialLR(optimizer, [before, after], milestones=[8])


class Ramp:
    """The lectures' ramps of rate and momentum, which PyTorch has no schedule for, by hand."""

    def __init__(self, optimizer: Any) -> None:
        self.groups = optimizer.param_groups
        self.rates = iter(np.linspace(0.03, 0.0001, STEPS))
        self.momenta = iter(np.linspace(0.9, 0.999, STEPS))
        self.step()

    def step(self) -> None:
        """Set both for the next step."""
        rate, momentum = next(self.rates, 0.0), next(self.momenta, 0.0)
        for group in self.groups:
            group["lr"], group["momentum"] = float(rate), float(momentum)


NESTEROV = {"lr": 0.03, "momentum": 0.9, "nesterov": True}
SCHEDULE_ROWS = [
    scheduled(step_schedule, "step", every=12, factor=0.5),
    scheduled(by_epoch, "step", every=2, factor=0.5, per="epoch"),
    scheduled(inverse, "inverse", k=2.0),
    scheduled(exponential, "exponential", k=0.05),
    scheduled(cosine, "cosine", end=0.01),
    scheduled(polynomial, "polynomial", power=0.9),
    scheduled(multistep, "multistep", at=(10.0, 30.0), factor=0.3),
    scheduled(restarts, "restarts", every=15),
    scheduled(one_cycle, "one_cycle"),
    scheduled(plateau, "plateau", factor=0.5, patience=0, threshold=0.3),
    scheduled(linear, "linear", start=0.05, end=0.001),
    scheduled(warm, "cosine", warmup=8),
    StepRow(
        ("sgd", NESTEROV),
        ("SGD", NESTEROV),
        ("linear", {"start": 0.03, "end": 0.0001}),
        momentum=("linear", {"start": 0.9, "end": 0.999}),
        rates=Ramp,
    ),
]

FAST = {"lr": 0.5}
CLIP_ROWS = [
    StepRow(("sgd", FAST), ("SGD", FAST), clip=("norm", 0.3)),
    StepRow(("sgd", FAST), ("SGD", FAST), clip=("norm", 50.0)),
    StepRow(("sgd", FAST), ("SGD", FAST), clip=("value", 0.01)),
    StepRow(("adam", {"lr": 0.01}), ("Adam", {"lr": 0.01}), clip=("norm", 0.05)),
]

MOMENTUM_GIVEN = {"lr": 0.3, "momentum": 0.9}
ADAM_GIVEN = {"lr": 0.02, "weight_decay": 0.01}
DECAYING = {"lr": 0.2, "momentum": 0.9, "weight_decay": 0.01}
DECAYED = {"lr": 0.01, "weight_decay": 0.05}
SEVERAL_ROWS = [
    StepRow(("sgd", MOMENTUM_GIVEN), ("SGD", MOMENTUM_GIVEN), accumulate=3),
    StepRow(("adam", ADAM_GIVEN), ("Adam", ADAM_GIVEN), accumulate=4, clip=("norm", 0.05)),
    StepRow(("adamw", ADAM_GIVEN), ("AdamW", ADAM_GIVEN), ("cosine", {}), accumulate=2, rates=half),
    StepRow(("adam", ADAM_GIVEN), ("Adam", ADAM_GIVEN), ema=0.9),
    StepRow(("sgd", DECAYING), ("SGD", DECAYING), lr_factors={"*.bias": 2.0, "a": 0.1, "b": 0.0}),
    StepRow(("adamw", ADAM_GIVEN), ("AdamW", ADAM_GIVEN), decay="weights", lr_factors={"c": 0.5}),
    StepRow(("rmsprop", DECAYED), ("RMSprop", DECAYED), decay={"*.weight": 0.0, "b": 3.0}),
    StepRow(
        ("adagrad", {"lr": 0.1, "weight_decay": 0.01}),
        ("Adagrad", {"lr": 0.1, "weight_decay": 0.01}),
        ("cosine", {}),
        lr_factors={"a": 0.1},
        decay="weights",
        rates=whole,
    ),
    StepRow(("sgd", MOMENTUM_GIVEN), ("SGD", MOMENTUM_GIVEN), accumulate=3, ema=0.7),
]


def batches() -> Iterator[tuple[Array, Array]]:
    """The batches, whose classes can be learned."""
    random = np.random.default_rng(0)
    rule = random.standard_normal((6, CLASSES))
    for _ in range(STEPS):
        x = random.standard_normal((BATCH, 6))
        yield x.astype(np.float32), (x @ rule).argmax(1)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("row", OPTIMIZER_ROWS + SCHEDULE_ROWS + CLIP_ROWS + SEVERAL_ROWS, ids=str)
def test_losses(row: StepRow, engine: str) -> None:
    """The losses are PyTorch's within 1e-4, and so are the weights in the end."""
    network = netc.compile(PROGRAM)
    state = {n: a.astype(np.float32) for n, a in random_weights(network).items()}
    expected, weights = steps_of_pytorch(row, state)
    losses, found = steps(row, network, state, engine)
    assert expected[-1] < expected[0]
    np.testing.assert_allclose(losses, expected, rtol=0, atol=TOLERANCE)
    for name, weight in weights.items():
        assert norm_difference(found[name], weight) <= TOLERANCE, name


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_has_a_row(name: str) -> None:
    """No schedule is left out."""
    rows = OPTIMIZER_ROWS + SCHEDULE_ROWS
    assert name in {row.schedule[0] for row in rows}, f"compare `{name}` in `SCHEDULE_ROWS`"


@pytest.mark.parametrize("name", CLIPPING)
def test_every_clipping_has_a_row(name: str) -> None:
    """None is left out."""
    rows = {row.clip[0] for row in CLIP_ROWS if row.clip}
    assert name in rows, f"compare `{name}` in `CLIP_ROWS`"


def steps(
    row: StepRow, network: netc.Network, state: Mapping[str, Array], engine: str
) -> tuple[list[float], Mapping[str, Array]]:
    """Our losses and last weights."""
    name, arguments = row.ours
    optimizer = OPTIMIZERS.term(name, **arguments)
    objective = Objective({"output": Term("loss", "cross_entropy", {})})
    clip = CLIPPING.term(row.clip[0], limit=row.clip[1]) if row.clip else None
    by_momentum = row.momentum is not None
    factors = (row.lr_factors, row.decay)
    descent = Descent(optimizer, clip, by_momentum, row.accumulate, row.ema, *factors)
    step = train_step(network.graph, objective, descent)
    stepper = Stepper(step, state, engine=engine)
    losses: list[float] = []
    for n, (x, target) in enumerate(batches()):
        given = {"lr": (row.schedule, optimizer.arguments["lr"])}
        given[MOMENTUM] = (row.momentum or ("constant", {}), optimizer.arguments.get(MOMENTUM, 0.0))
        epochs = (
            losses[i : i + PER_EPOCH] for i in range(0, n // PER_EPOCH * PER_EPOCH, PER_EPOCH)
        )
        followed = Followed(tuple(float(np.mean(epoch)) for epoch in epochs))
        at = Position(n, PER_EPOCH, STEPS // PER_EPOCH, row.accumulate, followed)
        scalars = {key: np.float32(rate(*terms, at)) for key, terms in given.items()}
        feeds = {"input": x, "target": target, "step": np.array(n), **scalars}
        feeds = {key: array for key, array in feeds.items() if key in step.graph.inputs}
        losses.append(float(stepper.advance(feeds)["loss"]))
    return losses, step.averaged(stepper.state, state)


def rate(schedule: tuple[str, Mapping[str, Any]], start: float, at: Position) -> float:
    """What one of our schedules gives for a step."""
    return value_at(SCHEDULES.term(schedule[0], **schedule[1]), start, at)


def own(row: StepRow, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The learning rate and the decay of a weight's own, as PyTorch's groups say them."""
    if not row.lr_factors and not row.decay:
        return {}
    layer, _, kind = name.partition(".")
    lr = row.lr_factors.get(layer, row.lr_factors.get(f"*.{kind}", 1.0))
    if isinstance(row.decay, str):
        decay = float(kind != "bias")
    else:
        decay = row.decay.get(layer, row.decay.get(f"*.{kind}", 1.0))
    return {
        "lr": lr * arguments["lr"],
        "weight_decay": decay * arguments.get("weight_decay", 0.0),
    }


def steps_of_pytorch(
    row: StepRow, state: Mapping[str, Array]
) -> tuple[list[float], dict[str, Array]]:
    """PyTorch's losses and last weights."""
    import torch
    from support.torch_zoo import named
    from torch import nn

    module = named(
        **{"a": nn.Linear(6, 16), "t1": nn.Tanh(), "b": nn.Linear(16, 16), "t2": nn.Tanh()},
        c=nn.Linear(16, CLASSES),
    )
    module.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    name, arguments = row.theirs
    groups = [{"params": [p], **own(row, n, arguments)} for n, p in module.named_parameters()]
    optimizer = getattr(torch.optim, name)(groups, **arguments)
    schedule = row.rates(optimizer) if row.rates else None
    follow = torch.optim.swa_utils.get_ema_multi_avg_fn(row.ema or 0.0)
    average = torch.optim.swa_utils.AveragedModel(module, multi_avg_fn=follow)
    losses: list[float] = []
    for n, (x, target) in enumerate(batches(), 1):
        loss = nn.functional.cross_entropy(module(torch.from_numpy(x)), torch.from_numpy(target))
        (loss / row.accumulate).backward()
        losses.append(float(loss.detach()))
        if n % row.accumulate:
            continue
        if row.clip is not None:
            clip = getattr(nn.utils, f"clip_grad_{row.clip[0]}_")
            clip(module.parameters(), row.clip[1])
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(module)
        if row.schedule[0] != "plateau" and schedule is not None:
            schedule.step()
        elif schedule is not None and n % PER_EPOCH == 0:
            schedule.step(np.mean(losses[-PER_EPOCH:]))
    found = module if row.ema is None else average.module
    return losses, {n: p.detach().numpy() for n, p in found.state_dict().items()}
