"""Layer kind -> family and colours of its box, in a light and a dark theme."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..layers.layerdef import LAYERS


@dataclass(frozen=True, slots=True)
class Theme:
    """A diagram's colours; `families` gives each family the fill of its boxes."""

    background: str
    text: str
    soft_text: str
    line: str
    skip: str
    cluster: str
    border: str
    families: Mapping[str, str]
    other: str


THEMES: Mapping[str, Theme] = {
    "light": Theme(
        background="#ffffff",
        text="#1f2430",
        soft_text="#5a6272",
        line="#6b7280",
        skip="#3f6fb0",
        cluster="#9aa3b2",
        border="#8a93a3",
        families={
            "source": "#eceef1",
            "convolution": "#d6e4f2",
            "pooling": "#dcebd8",
            "dense": "#e6dcef",
            "activation": "#fbeecb",
            "normalization": "#d8ecea",
            "regularization": "#f4dfe3",
            "merge": "#ffffff",
            "attention": "#f5dfcd",
            "output": "#eceef1",
        },
        other="#f0ece4",
    ),
    "dark": Theme(
        background="#16191f",
        text="#eceff4",
        soft_text="#aab3c2",
        line="#8b95a7",
        skip="#7fb0ee",
        cluster="#5d6778",
        border="#6b7589",
        families={
            "source": "#2b303a",
            "convolution": "#26405c",
            "pooling": "#2c4a2d",
            "dense": "#43335a",
            "activation": "#574a1f",
            "normalization": "#1f4a48",
            "regularization": "#57303a",
            "merge": "#16191f",
            "attention": "#5a3d25",
            "output": "#2b303a",
        },
        other="#3b362c",
    ),
}

# Kinds that belong to another family than the file that defines them.
KINDS = {"OUTPUT": "output", "ID": "shaping", "FLATTEN": "shaping"}
# Files of layers that share a family's colour; any other file is its own family.
FAMILIES = {
    "adaptive_pooling": "pooling",
    "dropout": "regularization",
    "embedding": "dense",
    "local": "convolution",
    "sequence": "attention",
    "transposed_convolution": "convolution",
}


def family(kind: str) -> str:
    """The family of a kind of layer: the file that defines it, if not said otherwise."""
    if kind in KINDS or kind not in LAYERS:
        return KINDS.get(kind, "")
    file = LAYERS[kind].function.__module__.rsplit(".", 1)[-1]
    return FAMILIES.get(file, file)


def fill(theme: Theme, kind: str) -> str:
    """The colour of a layer's box."""
    return theme.families.get(family(kind), theme.other)
