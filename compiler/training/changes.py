"""Settings from the command line or from Python, put into a recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Pointer, error
from ..expressions.binding import GivenArgument, place
from ..expressions.evaluate import Environment, evaluate
from .held_settings import entries_of
from .optimizers import MOMENTUM
from .recipe import Recipe, check, merge
from .schedules import SCHEDULES
from .settings import (
    SETTINGS,
    Evaluate,
    GivenSetting,
    optimizer_arguments,
    read_settings,
    unknown_setting,
)
from .term_table import TERMS, spell_term
from .terms import Term

# Which schedule rules an argument of the optimizer.
RULED = {"lr": "schedule", MOMENTUM: "momentum"}


def revise(recipe: Recipe | None, changes: Mapping[str, Any], outputs: Sequence[str]) -> Recipe:
    """A recipe with settings, and arguments of its optimizer, replaced.

    Args:
        recipe: What the `train` block says; the defaults where it is None.
        changes: Settings by name: text as a program spells it, terms, numbers, lists of these, or
            such by the output's name. None changes nothing.
        outputs: The names of the network's outputs.

    Raises:
        NetError: There is no such setting, it does not take the value, or it contradicts others.
    """
    for name in changes.keys() - SETTINGS.keys() - optimizer_arguments():
        if changes[name] is None:  # which says nothing of a setting, but it must be one
            raise unknown_setting(name)
    entries = entries_of({name: value for name, value in changes.items() if value is not None})
    arguments = [entry for entry in entries if _is_argument(entry)]
    settings = partial(evaluate, environment=Environment(words=True))
    given = read_settings([entry for entry in entries if not _is_argument(entry)], settings)
    recipe = merge(given, outputs, base=_without_others(recipe, given))
    optimizer = recipe.optimizer
    for entry in arguments:
        optimizer = _with_argument(optimizer, entry, settings)
        _check_ruled(recipe, optimizer, entry)
    recipe = replace(recipe, optimizer=optimizer)
    check(recipe, given, outputs)
    return recipe


def _without_others(recipe: Recipe | None, given: Mapping[str, GivenSetting]) -> Recipe | None:
    """The recipe without what is said of outputs whose losses others replace."""
    losses = given["loss"].value if "loss" in given else None
    if recipe is None or not isinstance(losses, Mapping):
        return recipe
    weights = {name: weight for name, weight in recipe.weights.items() if name in losses}
    targets = {name: term for name, term in recipe.targets.items() if name in losses}
    return replace(recipe, weights=weights, targets=targets)


def _is_argument(entry: ast.Entry) -> bool:
    """Whether an entry is about the optimizer: `momentum` is where it is not a schedule."""
    if entry.name == MOMENTUM:
        return not isinstance(entry.value, ast.Name | ast.Apply | ast.MapOf)
    return entry.name not in SETTINGS and entry.name in optimizer_arguments()


def _with_argument(optimizer: Term, entry: ast.Entry, settings: Evaluate) -> Term:
    """The optimizer with an argument replaced."""
    if isinstance(entry.value, ast.MapOf):
        message = f"`{entry.name}` cannot be set per output"
        raise error("E125", message, entry.value.span)
    given = GivenArgument(entry.name, settings(entry.value), entry.span)
    values, _ = place(TERMS["optimizer"][optimizer.name], [given], optimizer.name)
    return replace(optimizer, arguments={**optimizer.arguments, **values})


def _check_ruled(recipe: Recipe, optimizer: Term, entry: ast.Entry) -> None:
    """Refuse what a schedule that says all would make of no effect."""
    schedule: Term | None = getattr(recipe, RULED.get(entry.name, ""), None)
    if schedule is None or not SCHEDULES[schedule.name].starts_itself:
        return
    if optimizer.arguments[entry.name] != schedule.arguments["start"]:
        raise error(
            "E126",
            f"`{entry.name}` has no effect: `{spell_term(schedule)}` sets it",
            entry.span,
            also=() if schedule.span is None else [Pointer(schedule.span, "the schedule")],
            help=f"set `{RULED[entry.name]}` instead",
        )
