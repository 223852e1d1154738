"""Layer -> the arguments that a diagram shows, as short texts."""

from collections.abc import Callable, Mapping
from typing import Any

from ..expressions.arguments import spell
from ..ir.graph import Layer
from ..layers.layerdef import LAYERS

DIGITS = 3  # of a number that is not whole
MAX_LENGTH = 40  # characters of one argument

# Arguments that say nothing about the architecture, or that the shape says already.
HIDDEN = frozenset(
    "init weight bias_value size layout dtype classes eps momentum affine share frozen".split()
)
# Arguments that are shown even where a default filled them in.
ALWAYS = frozenset("kernel filters units mode rate heads groups stride factor".split())


def details(layer: Layer) -> tuple[str, ...]:
    """The arguments that matter, in order: `5x5`, `6 filters`, `stride 2`."""
    texts = (
        SPELLINGS.get(name, _spell_argument)(layer, name, value)
        for name, value in layer.arguments.items()
        if name not in HIDDEN
        and value is not None
        and (name in ALWAYS or name not in layer.defaulted)
    )
    return tuple(text for text in texts if text)


def _spell_argument(layer: Layer, name: str, value: Any) -> str:
    """`units=10` is `10 units`; everything else is the name and its value.

    What is only switched on, or is called as it is, is its name alone.
    """
    if isinstance(value, bool):
        return name if value else f"no {name}"
    if isinstance(value, float):
        value = f"{value:.{DIGITS}g}"
    text = value if isinstance(value, str) else spell(value)
    if text == name:
        return name
    if len(text) > MAX_LENGTH:
        text = f"{text[: MAX_LENGTH - 3]}..."
    return f"{name} {text}"


def _count(layer: Layer, name: str, value: Any) -> str:
    return f"{value} {name}" if value != 1 else f"1 {name.removesuffix('s')}"


def _hidden(layer: Layer, name: str, value: Any) -> str:
    return f"{value} units"


def _axis(layer: Layer, name: str, value: Any) -> str:
    axes = value if isinstance(value, tuple) else (value,)
    return f"{name} {', '.join(map(str, axes))}"


def _groups(layer: Layer, name: str, value: Any) -> str:
    return f"{value} groups" if value != 1 else ""


def _extent(layer: Layer, name: str, value: Any) -> str:
    """A size with one number per spatial axis of the layer's output."""
    if isinstance(value, int):
        value = (value,) * max(layer.outputs[0].type.rank - 2, 1)
    text = "x".join(map(str, value))
    return text if len(value) > 1 or name != "kernel" else f"kernel {text}"


def _stride(layer: Layer, name: str, value: Any) -> str:
    """A stride other than 1 or, where that is the default, other than the kernel."""
    by_kernel = layer.kind in LAYERS and LAYERS[layer.kind].defaults.get(name, 1) is None
    usual = layer.arguments["kernel"] if by_kernel else 1
    if value is None or _extent(layer, name, value) == _extent(layer, name, usual):
        return ""
    return f"stride {_short(value)}"


def _unless_one(layer: Layer, name: str, value: Any) -> str:
    short = _short(value)
    return "" if short == "1" else f"{name} {short}"


def _short(value: Any) -> str:
    """A size as one number where it is the same along all axes."""
    sizes = set(value) if isinstance(value, tuple) else {value}
    return str(sizes.pop()) if len(sizes) == 1 else spell(value)


def _plain(layer: Layer, name: str, value: Any) -> str:
    return spell(value) if not isinstance(value, str) else str(value)


def _pad(layer: Layer, name: str, value: Any) -> str:
    return {"same": "", "valid": "valid"}.get(value, f"pad {spell(value)}") if value else ""


def _bias(layer: Layer, name: str, value: Any) -> str:
    return "" if value else "no bias"


SPELLINGS: Mapping[str, Callable[[Layer, str, Any], str]] = {
    "kernel": _extent,
    "filters": _count,
    "units": _count,
    "heads": _count,
    "groups": _groups,
    "stride": _stride,
    "dilation": _unless_one,
    "hidden": _hidden,
    "axis": _axis,
    "mode": _plain,
    "return": _plain,
    "value": _plain,
    "pad": _pad,
    "bias": _bias,
}
