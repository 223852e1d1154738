"""The table of layers.

A layer is one function: its keyword-only signature is its parameter list, the annotations say
what each argument accepts, and `@layer` says which of them take positional arguments by kind.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, get_type_hints

from ...grammar.records import record
from ..expressions.arguments import Flag, Kind, Shared, keyword_only, kind_of
from ..expressions.binding import CallSignature
from ..ir.graph import Layer
from ..ops.opdef import Activation

LayerFunction = Callable[..., Any]

# Arguments that every layer takes; lowering acts on them, not the layer.
COMMON: Mapping[str, Kind] = {"frozen": kind_of(Flag), "share": kind_of(Shared)}


@record
class LayerDef(CallSignature):
    """A row of the table of layers.

    Attributes:
        name: The layer's name in the language.
        function: Adds the layer's operators: `function(build, x, **arguments)`, or
            `function(build, xs, **arguments)` for a merge, `function(build, *xs, **arguments)`
            for a layer that takes one tensor or several, or `function(build, **arguments)` for a
            layer that starts a chain.
        activation: What the layer is as an activation function, where that is more than its
            operators say one by one.
    """

    name: str
    function: LayerFunction
    takes: str
    activation: Activation | None = None


LAYERS: dict[str, LayerDef] = {}


def activation_of(layer: Layer | None) -> Activation | None:
    """What a layer is as an activation function, where its operators do not determine it."""
    row = None if layer is None else LAYERS.get(layer.kind)
    return None if row is None else row.activation


# What a layer function's operands say of the tensors that it takes.
OPERANDS: Mapping[tuple[str, ...], str] = {
    (): "nothing",
    ("x",): "one",
    ("xs",): "many",
    ("*xs",): "any",
}


def layer(
    name: str,
    *,
    size: str | None = None,
    counts: str | tuple[str, ...] = (),
    number: str | None = None,
    choice: str | None = None,
    aliases: Mapping[str, Mapping[str, Any]] | None = None,
    activation: Activation | None = None,
) -> Callable[[LayerFunction], LayerFunction]:
    """Enter the decorated function into the table of layers.

    A parameter whose name is a word of Python is written `return_`, and given as `return`.
    """

    def register(function: LayerFunction) -> LayerFunction:
        hints = get_type_hints(function, include_extras=True)
        names, settled = keyword_only(function)
        spelled = {name: name.rstrip("_") for name in names}
        for spelling, preset in {name: {}, **(aliases or {})}.items():
            if spelling in LAYERS:
                raise ValueError(f"layer {spelling} is defined twice")
            LAYERS[spelling] = LayerDef(
                name=name,
                function=_with_words(function, spelled),
                kinds={spelled[name]: kind_of(hints[name]) for name in names},
                defaults={spelled[name]: value for name, value in settled.items()},
                size=size,
                counts=(counts,) if isinstance(counts, str) else counts,
                numbers=() if number is None else (number,),
                choice=choice,
                preset=preset,
                common=COMMON,
                takes=OPERANDS[_operands(function)],
                activation=activation,
            )
        return function

    return register


def _with_words(function: LayerFunction, spelled: Mapping[str, str]) -> LayerFunction:
    """The function, called by its parameters' names in the language."""
    own = {word: name for name, word in spelled.items() if word != name}
    if not own:
        return function

    @wraps(function)
    def called(*given: Any, **arguments: Any) -> Any:
        return function(*given, **{own.get(word, word): a for word, a in arguments.items()})

    return called


def _operands(function: Any) -> tuple[str, ...]:
    """The names of a layer function's positional parameters after `build`, as they are written."""
    code = function.__code__
    end = code.co_argcount + code.co_kwonlyargcount
    several = (f"*{code.co_varnames[end]}",) if code.co_flags & inspect.CO_VARARGS else ()
    return (*code.co_varnames[1 : code.co_argcount], *several)
