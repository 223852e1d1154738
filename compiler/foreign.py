"""Names that people bring from PyTorch, Keras and ONNX, and the call that says the same here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .arguments import spell


class Argument(Protocol):
    """An argument of a call: `name` is None for a positional one."""

    @property
    def name(self) -> str | None:
        """Its keyword."""
        ...

    @property
    def value(self) -> Any:
        """Its value."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """What a foreign name means.

    Attributes:
        layer: Our layer.
        orders: What positional arguments mean, by our names, None for what is not written here;
            the first holds that has room for all of them and leaves what has a keyword alone.
        takes: Our arguments that a call may state by keyword.
        rank: How many axes a kernel has that is written as one number.
        tail: What follows the layer.
        joins: Whether all positional numbers are the extents of one size.
    """

    layer: str
    orders: tuple[tuple[str | None, ...], ...] = ((),)
    takes: tuple[str, ...] = ()
    rank: int = 2
    tail: str = ""
    joins: bool = False


_CONV_TAKES = ("kernel", "filters", "stride", "pad", "dilation", "groups", "bias")
_TORCH = (None, *("filters", "kernel", "stride", "pad", "dilation", "groups", "bias"))
_KERAS = ("filters", "kernel", "stride", "pad")
_POOL = ("kernel", "stride", "pad")
_UNITS = ("units", "bias")


def _conv(rank: int, *orders: tuple[str | None, ...]) -> Row:
    return Row("CONV", orders, _CONV_TAKES, rank)


def _pool(layer: str, rank: int = 2) -> Row:
    return Row(layer, (_POOL,), _POOL, rank)


ACTIVATIONS: Mapping[str, str] = {
    "relu": "RELU", "relu6": "RELU6", "sigmoid": "SIGMOID", "tanh": "TANH", "softmax": "SOFTMAX",
    "gelu": "GELU", "elu": "ELU", "selu": "SELU", "silu": "SILU", "swish": "SWISH",
    "softplus": "SOFTPLUS", "softsign": "SOFTSIGN", "mish": "MISH", "leakyrelu": "LRELU",
    "logsoftmax": "LOGSOFTMAX", "hardsigmoid": "HARDSIGMOID", "hardswish": "HARDSWISH",
    "prelu": "PRELU",
}  # fmt: skip

_FC = Row("FC", (("units",), (None, *_UNITS)), _UNITS)
_DROP = Row("DROPOUT", (("rate",),), ("rate",))
_GAP, _GMP = Row("GAP"), Row("GMP")
_BN, _LN, _IN = (Row(layer, ((None,),)) for layer in ("BN", "LN", "IN"))
_NAMES: Mapping[str, Row] = {
    **{name: Row(layer) for name, layer in ACTIVATIONS.items()},
    "leakyrelu": Row("LRELU", (("slope",),), ("slope",)),
    "softmax": Row("SOFTMAX"),
    "dense": _FC, "linear": _FC, "fullyconnected": _FC, "innerproduct": _FC, "gemm": _FC,
    "affine": _FC,
    **{f"conv{rank}d": _conv(rank, ("filters", "kernel"), _TORCH) for rank in (1, 2, 3)},
    "convolution": _conv(2, ("filters", "kernel"), _TORCH),
    "convolution2d": _conv(2, _KERAS),
    **{f"maxpool{rank}d": _pool("MAXPOOL", rank) for rank in (1, 2, 3)},
    **{f"avgpool{rank}d": _pool("AVGPOOL", rank) for rank in (1, 2, 3)},
    **{f"maxpooling{rank}d": _pool("MAXPOOL", rank) for rank in (1, 2, 3)},
    **{f"averagepooling{rank}d": _pool("AVGPOOL", rank) for rank in (1, 2, 3)},
    "pooling": _pool("POOL"), "maxpooling": _pool("MAXPOOL"), "averagepool": _pool("AVGPOOL"),
    **{f"batchnorm{rank}d": _BN for rank in (1, 2, 3)},
    "batchnorm": _BN, "batchnormalization": _BN, "layernorm": _LN, "layernormalization": _LN,
    **{f"instancenorm{rank}d": _IN for rank in (1, 2, 3)},
    "groupnorm": Row("GN", (("groups", None),), ("groups",)),
    **{f"globalaveragepooling{rank}d": _GAP for rank in (1, 2, 3)},
    **{f"globalmaxpooling{rank}d": _GMP for rank in (1, 2, 3)},
    "globalaveragepool": _GAP, "globalavgpool": _GAP, "globalmaxpool": _GMP,
    "flatten": Row("FLATTEN"), "identity": Row("ID"),
    "dropout": _DROP, "dropout1d": _DROP, "dropout2d": _DROP, "spatialdropout2d": _DROP,
    "concatenate": Row("CONCAT"), "cat": Row("CONCAT"), "add": Row("ADD"),
    "multiply": Row("MUL"), "average": Row("MEAN"), "maximum": Row("MAX"),
}  # fmt: skip

# Spellings whose order of arguments their letters tell: Keras writes `D`, PyTorch `d`.
_EXACT: Mapping[str, Row] = {
    **{f"Conv{rank}D": _conv(rank, _KERAS) for rank in (1, 2, 3)},
    "CONV": _conv(2, ("filters",), _TORCH),
    "POOL": _pool("POOL"), "MAXPOOL": _pool("MAXPOOL"), "AVGPOOL": _pool("AVGPOOL"),
    "BN": _BN, "FC": _FC, "DROPOUT": _DROP, "GAP": _GAP,
    "INPUT": Row("INPUT", joins=True), "Input": Row("INPUT", joins=True),
    "SOFTMAX": Row("FC", (("units",),), _UNITS, tail=" -> SOFTMAX"),
}  # fmt: skip

KEYWORDS: Mapping[str, str] = {
    "kernel_size": "kernel", "pool_size": "kernel", "size": "kernel", "ksize": "kernel",
    "out_channels": "filters", "num_output": "filters", "num_filters": "filters",
    "channels": "filters", "strides": "stride", "padding": "pad", "dilation_rate": "dilation",
    "use_bias": "bias", "out_features": "units", "num_units": "units", "p": "rate",
    "negative_slope": "slope", "alpha": "slope", "num_groups": "groups",
}  # fmt: skip

FOREIGN_ARGUMENTS = frozenset(
    {*KEYWORDS, "activation", "dropout", "input_shape", "in_channels", "batch", "batch_size"}
)
_BARE = ("kernel", "filters", "units", "rate", "slope", "groups")
_PYTHON = {"True": "yes", "False": "no", "true": "yes", "false": "no"}


def corrected_call(spelling: str, given: Sequence[Argument]) -> str | None:
    """Help that spells a foreign call in our words, or None where the table does not know it."""
    row = _EXACT.get(spelling) or _NAMES.get(spelling.casefold().replace("_", ""))
    if row is None:
        return None
    bare = [a.value for a in given if a.name is None]
    if row.joins:
        extents = [extent for value in bare for extent in _extents(value)]
        return f"write `{row.layer}({'x'.join(map(str, extents))})`" if extents else None
    values: dict[str, Any] = {}
    if spelling in _EXACT and spelling.isupper() and bare and isinstance(bare[0], tuple):
        values["kernel"] = bare.pop(0)
    named = {KEYWORDS.get(a.name, a.name) for a in given if a.name}
    fitting = (order for order in row.orders if len(order) >= len(bare))
    order = next((order for order in fitting if named.isdisjoint(order[: len(bare)])), None)
    if order is None:
        return None
    values |= {name: value for name, value in zip(order, bare, strict=False) if name}
    values |= {KEYWORDS.get(a.name, a.name): a.value for a in given if a.name}
    if not all(_fits(name, values[name]) for name in row.takes if name in values):
        return None
    written = [_spelled(row, name, values[name]) for name in row.takes if name in values]
    inside = ", ".join(sorted(written, key=lambda argument: "=" in argument))
    return f"write `{row.layer}{f'({inside})' if inside else ''}{row.tail}{_tail(values)}`"


def _extents(value: Any) -> tuple[int, ...]:
    """The numbers of a positional argument; Python's `None` for the batch has none."""
    numbers = value if isinstance(value, tuple) else (value,)
    return tuple(number for number in numbers if isinstance(number, int))


def _fits(name: str, value: Any) -> bool:
    """Whether a value is of the kind that our argument takes: others have no corrected call."""
    if name == "bias":
        return isinstance(value, bool) or value in _PYTHON
    if name in ("rate", "slope"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if name == "pad" and isinstance(value, str):
        return value in ("same", "valid")
    extents = value if isinstance(value, tuple) else (value,)
    return all(isinstance(e, int) and not isinstance(e, bool) for e in extents)


def _spelled(row: Row, name: str, value: Any) -> str:
    """An argument as a call of ours writes it."""
    text = _PYTHON.get(str(value), str(value)) if isinstance(value, str) else spell(value)
    is_side = name == "kernel" and isinstance(value, int)
    if is_side and row.rank > 1:
        return "x".join([text] * row.rank)
    is_bare = name in _BARE and not is_side and not (name == "groups" and row.layer == "CONV")
    return text if is_bare else f"{name}={text}"


def _tail(values: Mapping[str, Any]) -> str:
    """The layers that other languages write as arguments."""
    word = str(values.get("activation", "")).casefold().replace("_", "")
    dropout = values.get("dropout")
    tail = f" -> {ACTIVATIONS[word]}" if word in ACTIVATIONS else ""
    return tail + (f" -> DROPOUT({spell(dropout)})" if isinstance(dropout, float) else "")
