"""What netc has not, and what to say or to write in its place."""

import re
from collections.abc import Sequence
from string import Template
from typing import NamedTuple

from .call_text import Argument, folded, unquoted
from .words import AGREEING, LAYERS, LOST, MISSING, NORMS, RECIPES, RENAMED, Recipe, Row


def own_name(name: str) -> Row | None:
    """The row of a foreign layer's name, with or without its module."""
    return LAYERS.get(folded(name))


def missing(name: str, arguments: Sequence[Argument] = ()) -> str | None:
    """What to do without a foreign layer that netc has not."""
    recipe = RECIPES.get(folded(name))
    if recipe is None:
        is_known = _MODELS.fullmatch(folded(name)) and own_name(name) is None
        return MISSING.get(folded(name)) or (_ZOO if is_known else None)
    return _filled(recipe, recipe.text, arguments)


def ended(name: str, arguments: Sequence[Argument]) -> str | None:
    """What to do with a step that only marks the end of a chain."""
    is_mark = folded(name) in ("output", "out", "end", "result") and not arguments
    return "remove it: the end of the chain is the output; a dense layer is `FC`" * is_mark or None


_MODELS = re.compile(
    r"(?:wide)?(?:resnet|resnext|vgg|alexnet|lenet|mobilenet|densenet|googlenet|inceptionv|xception"
    r"|efficientnet|squeezenet|shufflenet|vit|swin|unet|bert|gpt)[\w]*"
)
_ZOO = (
    "whole networks ship as programs: `netc zoo` lists them; `lib:resnet.net` has the blocks of"
    " ResNets"
)


class StandIn(NamedTuple):
    """Steps that stand for a layer that netc has not, and what is to be said of them.

    Attributes:
        steps: The steps.
        axes: How many axes they leave beside the channels.
        remark: What they stand for.
    """

    steps: str
    axes: int
    remark: str


def stand_in(name: str, arguments: Sequence[Argument]) -> StandIn | None:
    """What stands in a whole program for a layer that netc has not, where anything does."""
    recipe = RECIPES.get(folded(name))
    if recipe is None or not recipe.steps:
        return None
    steps = _filled(recipe, recipe.steps, arguments)
    if recipe is not RECIPES["lstm"]:
        return StandIn(steps, 1, f"the steps of `{name}` are written out")
    remark = "recurrent layers are not part of the language: convolutions replace them"
    bare = [a for a in arguments if a.name is None]
    given = " ".join(f"{a.name}={a.text}" for a in arguments)
    all_steps = len(bare) > 1 or "hidden_size=" in given or "return_sequences=True" in given
    return StandIn(steps if all_steps else f"{steps} -> GMP", int(all_steps), remark)


def _filled(recipe: Recipe, text: str, arguments: Sequence[Argument]) -> str:
    """A recipe's text with the numbers of a call."""
    bare = [a.text for a in arguments if a.name is None]
    names = recipe.positional.split()
    given = dict(zip(names, bare[int(len(bare) > 1 == len(names)) :], strict=False))
    named = {a.name: a.text for a in arguments if a.name}
    given |= {ours: named[theirs] for theirs, ours in recipe.keywords.items() if theirs in named}
    found = {name: re.search(r"(?<![\w.])\d+(?![\w.])", text) for name, text in given.items()}
    numbers = {name: match[0] for name, match in found.items() if match}
    return Template(text).substitute({**recipe.numbers, **numbers})


def remarks(name: str, arguments: Sequence[Argument]) -> str:
    """What a translation leaves out, each after a semicolon."""
    row = own_name(name)
    said = [
        LOST[str(argument.name)].format(argument.name)
        for argument in renamed(name, arguments)
        if row is not None and _is_lost(row.name, argument)
    ]
    return "".join(f"; {text}" for text in dict.fromkeys(said))


def renamed(name: str, arguments: Sequence[Argument]) -> Sequence[Argument]:
    """Arguments whose keyword means something else in the foreign layer, by another keyword."""
    keys = ((folded(name), a.name or "") for a in arguments)
    return [a._replace(name=RENAMED.get(k, a.name)) for k, a in zip(keys, arguments, strict=True)]


def _is_lost(layer: str, argument: Argument) -> bool:
    """Whether an argument says what netc's layer cannot say, and does not do anyway."""
    agreeing = AGREEING.get(argument.name or "", ())
    return is_unsaid(layer, argument) and unquoted(argument.text) not in agreeing


def is_unsaid(layer: str, argument: Argument) -> bool:
    """Whether netc's layer has no argument for what an argument says."""
    elsewhere = argument.name == "scale" and layer not in NORMS
    return argument.name in LOST and not elsewhere
