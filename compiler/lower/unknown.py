"""A call that is refused for a word or a call among its arguments that nothing knows."""

import re
from dataclasses import replace

from ...grammar.diagnostics import NetError, did_you_mean, error
from ...grammar.source import Span
from ..expressions.arguments import Word, WordCall
from ..expressions.binding import GivenArgument
from ..expressions.calls import unknown_function
from ..expressions.checks import unknown_name
from ..expressions.evaluate import Function, Namespace
from ..expressions.functions import FUNCTIONS, taken
from ..expressions.names import Scope
from ..expressions.recovery import POISON
from ..expressions.tensor_attributes import no_attribute
from ..layers.layerdef import LAYERS
from .evaluated_call import EvaluatedCall
from .items import environment_of

_JOINED = re.compile(r"[a-z0-9]+(?:x[a-z0-9]+)+")


def named(failure: NetError, call: EvaluatedCall, scope: Scope) -> NetError:
    """The failure of a call, in words about the name that nothing knows, if that is the cause.

    Args:
        failure: What the call was refused with.
        call: The call.
        scope: Where it stands, for the names that there are.
    """
    first = failure.diagnostics[0]
    blamed = next((a for a in call.given if a.span == first.span), None)
    if blamed is None or first.code not in ("E101", "E103"):
        return failure
    if isinstance(blamed.value, WordCall) and first.code == "E103":
        return _of_call(failure, blamed, blamed.value, scope)
    if isinstance(blamed.value, Word):
        return _of_word(failure, call, blamed, blamed.value, scope)
    return failure


def _of_call(failure: NetError, blamed: GivenArgument, value: WordCall, scope: Scope) -> NetError:
    """The failure for a call that is no function's: `mx(2, 3)`, `RELU(x)`."""
    if value.name in LAYERS or value.name in scope.home.blocks:
        kind = "layer" if value.name in LAYERS else "block"
        message = f"`{value}` calls a {kind}, and has no value"
        help = "layers and blocks are steps of a chain, joined by `->`"
        return error("E103", message, blamed.span, help=help)
    unknown = next((a for a in value.arguments if isinstance(a, Word) and a.islower()), None)
    if unknown is not None:
        return unknown_name(unknown, blamed.span)
    environment = environment_of(scope)
    first = failure.diagnostics[0]
    is_choice = first.help is not None or "one of" in first.message
    if is_choice and value.name not in environment.names:
        return failure
    return unknown_function(value.name, environment, blamed.span)


def _of_word(
    failure: NetError, call: EvaluatedCall, blamed: GivenArgument, word: Word, scope: Scope
) -> NetError:
    """The failure for a word that is no name: `x.chanels`, `wdth`, `kxk`."""
    first, names = failure.diagnostics[0], scope.visible_names()
    label, dot, attribute = word.rpartition(".")
    tensor = scope.find(label) if dot else None
    if tensor is not None and tensor is not POISON:
        return no_attribute(tensor, attribute, blamed.span)
    parts = word.split("x")
    help = None
    if _JOINED.fullmatch(word) and all(part.isdigit() or part in names for part in parts):
        help = f"write the extents as a tuple: `({', '.join(parts)})`"
    elif call.spelling == "INPUT" and word.isidentifier() and word.isupper():
        help = f"an open extent stands in a tuple: `({word},)`"
    elif word in FUNCTIONS:
        return error("E302", f"`{word}` is a function", blamed.span, help=taken(word))
    elif first.code == "E101":
        help = did_you_mean(word, names)
    return failure if help is None else NetError([replace(first, help=help)])


def not_a_step(name: str, scope: Scope, span: Span) -> NetError | None:
    """The error for a value or a function in the place of a layer, or None for another name."""
    meant = scope.visible_names().get(name)
    if meant is None or meant is POISON or isinstance(meant, Namespace | Word):
        is_function = name in FUNCTIONS and name.upper() not in LAYERS
        meant = FUNCTIONS[name] if is_function else None
    if meant is None:
        return None
    kind = "function" if isinstance(meant, Function) or callable(meant) else "value"
    help = "what is computed stands in the parentheses of a layer, as in `FC(2 * 8)`"
    return error("E101", f"`{name}` is a {kind}, not a layer", span, help=help)
