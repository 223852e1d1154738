"""The arguments of layers, as short as a program can say them."""

from collections.abc import Mapping
from typing import Any, get_args

from ...grammar.diagnostics import listing
from ..expressions.arguments import SCALAR, Word, WordCall
from ..ir.dim import BATCH, Dim
from ..ir.graph import Layer
from ..ir.types import DType, HolderType, TensorType, author_extents
from ..layers.layerdef import LAYERS, LayerDef
from ..layers.source import InputType
from ..ops.cuts import END
from .spelling import is_name, listed, unsayable, value_of
from .tree import Argument, Text

# What weights are, which the file of weights says.
NUMBERS = frozenset({"weight", "bias_value", "value"})
UNTRAINED = frozenset({"CONST", "PAD"})  # whose `value` is no weight
# Layers whose positional arguments are left out where they are the defaults.
TERSE = frozenset({"POOL", "CONCAT", "SPLIT"})
# Arguments that are the same for all axes where they are one number.
PER_AXIS = frozenset({"axis", "kernel", "stride", "pad", "dilation", "output_pad", "size", "shift"})
INPUT_TYPES = get_args(InputType)


def arguments_of(layer: Layer) -> tuple[Argument, ...]:
    """All arguments of a layer but the numbers of its weights, positional ones first."""
    definition = LAYERS[layer.kind]
    given = [name for name in definition.kinds if name not in NUMBERS or layer.kind in UNTRAINED]
    first: dict[str | None, int] = {definition.size: 0, definition.choice: 2}
    first |= dict.fromkeys(definition.counts, 1)
    given.sort(key=lambda name: first.get(name, 3))
    found = (_argument(definition, name, layer.arguments) for name in given)
    return tuple(argument for argument in found if argument is not None)


def _argument(definition: LayerDef, name: str, arguments: Mapping[str, Any]) -> Argument | None:
    value = arguments.get(name)
    if value is None:
        return None
    default = definition.defaults.get(name)
    value = _simple(name, value)
    if isinstance(value, tuple) and default is not None and set(value) == {default}:
        default = value
    if name == "stop" and value == END:
        value = Word("end")
    if name == "pad" and value == 0 and default == "same":
        value = "valid"
    words = definition.kinds[name].words
    counted = name == definition.size or name in definition.counts
    bare = (
        (name == definition.size and isinstance(value, tuple | WordCall))
        or (name in definition.counts and isinstance(value, int))
        or (name in definition.numbers and isinstance(value, float))
        or (name == definition.choice and value in words)
    )
    names = False
    if isinstance(value, str) and value not in words and (not words or name == "mask"):
        names, words = True, ((value,) if is_name(value) else ())
    takes_lists = definition.kinds[name].takes_lists and isinstance(value, tuple)
    return Argument(
        name,
        Text(listed(value, whole=True)) if takes_lists else value_of(value, words),
        bare=bare,
        always=counted and definition.name not in TERSE,
        default=None if default is None else value_of(default, definition.kinds[name].words),
        names=names,
    )


def _simple(name: str, value: Any) -> Any:
    """One number for a size whose extents are all alike, but for kernels, which show the rank."""
    if name not in PER_AXIS or not isinstance(value, tuple) or not value:
        return value
    if isinstance(value[0], tuple):
        return value
    if len(value) == 1 or (name not in ("kernel", "size") and len(set(value)) == 1):
        return value[0]
    return value


def input_arguments(name: str, type: TensorType, batch: int | None) -> tuple[Argument, ...]:
    """The arguments of an input; `batch` is an extent that becomes the batch.

    Raises:
        NetError: E579, it has a type or a shape that no `INPUT` has.
    """
    if type.dtype.value not in INPUT_TYPES or isinstance(type, HolderType):
        kind = type if isinstance(type, HolderType) else type.dtype.value
        raise unsayable(f"the input `{name}` of {kind}", _TYPES)
    if not type.rank:
        raise unsayable(f"the input `{name}` without axes", BATCH_HELP)
    if str(type.shape[0]) != "N" and type.shape[0] != batch:
        raise unsayable(f"the input `{name}` with a batch of {type.shape[0]}", BATCH_HELP)
    if type.rank > 5:
        raise unsayable(f"the input `{name}` with {type.rank} axes")
    extents = author_extents(type.with_shape((BATCH, *type.shape[1:])))
    if type.dtype.is_categorical and type.rank != 3:
        extents = type.shape[1:]
    size = ", ".join(_extent(name, extent) for extent in extents)
    if not extents:
        size = SCALAR
    elif all(isinstance(extent, int) for extent in extents):
        size = size.replace(", ", "x")
    elif len(extents) == 1:
        size = f"({size},)"
    else:
        size = f"({size})"
    arguments = [Argument("size", Text(size), bare=True, always=True)]
    if type.rank == 3:
        arguments.append(Argument("layout", Text("sequence"), bare=True))
    if type.dtype is not DType.FLOAT32:
        arguments.append(Argument("dtype", Text(type.dtype.value)))
    return tuple(arguments)


def _extent(name: str, extent: Dim) -> str:
    text = str(extent)
    if isinstance(extent, int) and extent > 0:
        return text
    if not is_name(text) or text == "?" or text.upper() == "N":
        raise unsayable(f"the extent `{text}` of the input `{name}`")
    return text.upper()


_TYPES = f"inputs of programs are of {listing(INPUT_TYPES)}"
BATCH_HELP = "export the model with an open batch, as the first axis of each input"
