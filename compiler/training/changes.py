"""Settings from the command line or from Python, as text, put into a recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Pointer, error
from ...grammar.parsing.parser import parse
from ...grammar.source import Source
from ..expressions.arguments import spell
from ..expressions.evaluate import Environment, evaluate
from ..layers.layerdef import GivenArgument, place
from .optimizers import MOMENTUM
from .recipe import Recipe, check, merge
from .schedules import SCHEDULES
from .settings import SETTINGS, Evaluate, optimizer_arguments, read_settings
from .term_table import TERMS, spell_term
from .terms import Term

SOURCE = "<settings>"

# Which schedule rules an argument of the optimizer.
RULED = {"lr": "schedule", MOMENTUM: "momentum"}


def override(recipe: Recipe, name: str, text: str) -> Recipe:
    """A recipe with one setting, or one argument of its optimizer, replaced.

    Args:
        recipe: What the `train` block says.
        name: A setting (`batch`), or an argument of the optimizer (`lr`).
        text: Its value as a program spells it.

    Raises:
        NetError: There is no such setting, it does not take the value, or it contradicts others.
    """
    return revise(recipe, {name: text}, tuple(recipe.loss))


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
    texts = {name: spell_setting(value) for name, value in changes.items() if value is not None}
    statement = _parsed(texts)
    arguments = tuple(entry for entry in statement.entries if _is_argument(entry))
    others = tuple(entry for entry in statement.entries if not _is_argument(entry))
    settings = partial(evaluate, environment=Environment(words=True))
    given = read_settings(replace(statement, entries=others), settings)
    recipe = merge(given, outputs, base=recipe)
    optimizer = recipe.optimizer
    for entry in arguments:
        optimizer = _with_argument(optimizer, entry, settings)
        _check_ruled(recipe, optimizer, entry)
    recipe = replace(recipe, optimizer=optimizer)
    check(recipe, given, outputs)
    return recipe


def spell_setting(value: Any) -> str:
    """A setting from Python as a program spells it; text is taken as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, Term):
        return spell_term(value)
    if isinstance(value, Mapping):
        items = (f"{name}: {spell_setting(item)}" for name, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(spell_setting, value))}]"
    return spell(value)


def _parsed(texts: Mapping[str, str]) -> ast.TrainStatement:
    """The settings as a `train` block."""
    lines = "".join(f"  {name} = {text}\n" for name, text in texts.items())
    module = parse(Source(SOURCE, f"train {{\n{lines}}}\n"))
    statement = module.statements[0]
    names = [entry.name for entry in getattr(statement, "entries", ())]
    if len(module.statements) > 1 or names != list(texts):
        wrong = " and ".join(f"`{name} = {text}`" for name, text in texts.items())
        raise error("E125", f"{wrong} is not a single value")
    assert isinstance(statement, ast.TrainStatement)
    return statement


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
