"""The schedule of a `train` block -> a scheduler of PyTorch, a row for each."""

from collections.abc import Callable, Mapping, Sequence
from math import exp
from typing import Any

from ...training.recipe import Recipe
from ...training.schedules import SCHEDULES
from .code import Code, call, code, keyword, listed, option


def first_rate(recipe: Recipe) -> float:
    """The optimizer's own learning rate, which the schedule multiplies."""
    if recipe.schedule.name == "linear":
        return float(recipe.schedule.arguments["start"] or 1.0)
    return float(recipe.optimizer.arguments["lr"])


def schedule_code(recipe: Recipe, rates: Sequence[float]) -> Code | None:
    """The schedule, a warm-up before it; `rates` are the groups' own at first."""
    arguments = recipe.schedule.arguments
    warmup = arguments["warmup"]
    whole = str(recipe.epochs)
    if arguments["per"] == "step":
        whole = f"{recipe.epochs} * len(loader)"
        whole += f" // {recipe.accumulate}" if recipe.accumulate > 1 else ""
    total = f"{whole} - {warmup}" if warmup else whole
    schedule = SCHEDULERS[recipe.schedule.name](recipe, total)
    if recipe.schedule.name == "one_cycle" and recipe.lr_factors:
        schedule = _one_cycle(recipe, total, listed(rates))
    elif recipe.lr_factors and recipe.schedule.arguments.get("end"):
        schedule = _shared(recipe, total) or schedule
    if not warmup or SCHEDULES[recipe.schedule.name].follows:
        return schedule
    factor = code(f"1 / {warmup + 1}")
    rising = _scheduler("LinearLR", start_factor=factor, total_iters=warmup)
    after = schedule or _scheduler("ConstantLR", factor=1.0)
    return _scheduler("SequentialLR", listed([rising, after]), milestones=code(f"[{warmup}]"))


def _scheduler(name: str, *arguments: Any, **named: Any) -> Code:
    return call(f"torch.optim.lr_scheduler.{name}", "optimizer", *arguments, **named)


def _linear(recipe: Recipe, total: str) -> Code:
    start, end = (recipe.schedule.arguments[name] for name in ("start", "end"))
    first, slope = (1.0, (end - start) / start) if start else (0.0, end)
    return _scheduler("LambdaLR", code(f"lambda n: {first} + {slope!r} * n / max({total} - 1, 1)"))


def _one_cycle(recipe: Recipe, total: str, rates: Code) -> Code:
    return _scheduler(
        "OneCycleLR",
        rates,
        keyword("total_steps", code(total)),
        option("pct_start", recipe.schedule.arguments["rise"], 0.3),
        option("div_factor", recipe.schedule.arguments["below"], 25.0),
        option("final_div_factor", recipe.schedule.arguments["fall"], 1e4),
        keyword("cycle_momentum", False),
    )


def _shared(recipe: Recipe, total: str) -> Code | None:
    """A cosine that ends at a share of each group's own rate."""
    if recipe.schedule.name != "cosine":
        return None
    share = recipe.schedule.arguments["end"] / recipe.optimizer.arguments["lr"]
    falling = f"{share!r} + {(1 - share) / 2!r} * (1 + math.cos(math.pi * n / ({total})))"
    return _scheduler("LambdaLR", code(f"lambda n: {falling}"))


def _polynomial(recipe: Recipe, total: str) -> Code:
    power, end = (recipe.schedule.arguments[name] for name in ("power", "end"))
    if not end:
        return _scheduler("PolynomialLR", code(total), option("power", power, 1.0))
    share = end / recipe.optimizer.arguments["lr"]
    falling = f"{share!r} + {1 - share!r} * (1 - n / ({total})) ** {power!r}"
    return _scheduler("LambdaLR", code(f"lambda n: {falling}"))


SCHEDULERS: Mapping[str, Callable[[Recipe, str], Code | None]] = {
    "constant": lambda recipe, total: None,
    "step": lambda recipe, total: _scheduler(
        "StepLR",
        recipe.schedule.arguments["every"],
        option("gamma", recipe.schedule.arguments["factor"], 0.1),
    ),
    "inverse": lambda recipe, total: _scheduler(
        "LambdaLR", code(f"lambda n: 1 / (n + {recipe.schedule.arguments['k']})")
    ),
    "exponential": lambda recipe, total: _scheduler(
        "ExponentialLR", keyword("gamma", exp(-recipe.schedule.arguments["k"]))
    ),
    "cosine": lambda recipe, total: _scheduler(
        "CosineAnnealingLR",
        code(total),
        option("eta_min", recipe.schedule.arguments["end"], 0.0),
    ),
    "plateau": lambda recipe, total: _scheduler(
        "ReduceLROnPlateau",
        option("factor", recipe.schedule.arguments["factor"], 0.1),
        option("patience", recipe.schedule.arguments["patience"], 10),
        option("threshold", recipe.schedule.arguments["threshold"], 1e-4),
        option("cooldown", recipe.schedule.arguments["cooldown"], 0),
        option("min_lr", recipe.schedule.arguments["end"], 0.0),
    ),
    "linear": _linear,
    "polynomial": _polynomial,
    "multistep": lambda recipe, total: _scheduler(
        "MultiStepLR",
        listed([int(n) for n in recipe.schedule.arguments["at"]]),
        option("gamma", recipe.schedule.arguments["factor"], 0.1),
    ),
    "restarts": lambda recipe, total: _scheduler(
        "CosineAnnealingWarmRestarts",
        recipe.schedule.arguments["every"],
        option("T_mult", recipe.schedule.arguments["factor"], 1),
        option("eta_min", recipe.schedule.arguments["end"], 0.0),
    ),
    "one_cycle": lambda recipe, total: _one_cycle(
        recipe, total, code(recipe.optimizer.arguments["lr"])
    ),
}
