"""Layer kind -> family and colours of its box, in a light and a dark theme."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from ..layers.layerdef import LAYERS


@dataclass(frozen=True, slots=True)
class Look:
    """What a style file says of boxes; None where it says nothing.

    Attributes:
        fill, stroke: The colours of the box and of its outline, as `#rrggbb`.
        label: What stands for the name of the family, the kind or the layer.
    """

    fill: str | None = None
    stroke: str | None = None
    label: str | None = None


# What a look is of: a word of `LEVELS`, and the name of the family, the kind or the layer.
Target = tuple[str, str]
FAMILY, KIND, LAYER = LEVELS = ("family", "kind", "layer")


@dataclass(frozen=True, slots=True)
class Theme:
    """A diagram's colours.

    Attributes:
        families: The fill of the boxes of each family.
        other: That of boxes of no family.
        dark: Whether the background is.
        looks: What a style file says.
    """

    background: str
    text: str
    soft_text: str
    line: str
    skip: str
    cluster: str
    border: str
    families: Mapping[str, str]
    other: str
    dark: bool = False
    looks: Mapping[Target, Look] = field(default_factory=dict)

    def styled(self, looks: Mapping[Target, Look]) -> "Theme":
        """This theme with the looks of a style file."""
        fills = {name: look.fill for (level, name), look in looks.items() if level == FAMILY}
        families = {**self.families, **{name: fill for name, fill in fills.items() if fill}}
        return replace(self, families=families, looks=looks)


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
            "recurrent": "#e9efc3",
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
            "recurrent": "#474b1d",
            "output": "#2b303a",
        },
        other="#3b362c",
        dark=True,
    ),
}
LIGHT = THEMES["light"]

# Kinds that belong to another family than the file that defines them.
KINDS = {"OUTPUT": "output", "ID": "shaping", "FLATTEN": "shaping"}
# Files of layers that share a family's colour; any other file is its own family.
FAMILIES = {
    "adaptive_pooling": "pooling",
    "constants": "source",
    "dropout": "regularization",
    "embedding": "dense",
    "local": "convolution",
    "positions": "dense",
    "scan": "recurrent",
    "sequence": "attention",
    "transposed_convolution": "convolution",
}
# What legends call families by other words.
WORDS = {"source": "input"}


def family(kind: str) -> str:
    """The family of a kind of layer: the file that defines it, if not said otherwise."""
    if kind in KINDS or kind not in LAYERS:
        return KINDS.get(kind, "")
    file = LAYERS[kind].function.__module__.rsplit(".", 1)[-1]
    return FAMILIES.get(file, file)


def fill(theme: Theme, kind: str, path: str = "") -> str:
    """The colour of a layer's box."""
    own = (look.fill for look in _looks(theme, kind, path))
    return next(filter(None, own), theme.families.get(family(kind), theme.other))


def stroke(theme: Theme, kind: str, path: str = "") -> str:
    """The colour of the outline of a layer's box."""
    return next(filter(None, (look.stroke for look in _looks(theme, kind, path))), theme.border)


def called(theme: Theme, kind: str) -> str:
    """What boxes call a kind of layer."""
    labels = (look.label for look in _looks(theme, kind, ""))
    return next(filter(None, labels), kind)


def look_of(theme: Theme, *paths: str) -> Look:
    """What a style file says of a layer, or of what stands for several, by the first known path."""
    found = (theme.looks.get((LAYER, plain(path))) for path in paths)
    return next(filter(None, found), Look())


def meaning(theme: Theme, kind: str, path: str = "") -> tuple[str, str]:
    """What a legend says of the colour of a kind, and the colour; the words may be none.

    A layer that a style file gives a colour of its own has an entry of its own.
    """
    group, layer = family(kind), look_of(theme, path)
    if layer.fill:
        return layer.label or path, layer.fill
    own = theme.looks.get((KIND, kind), Look())
    if own.fill:
        return own.label or kind, own.fill
    words = WORDS.get(group, group.replace("_", " "))
    words = theme.looks.get((FAMILY, group), Look()).label or words
    return words, fill(theme, kind)


def _looks(theme: Theme, kind: str, path: str) -> Iterator[Look]:
    """What a style file says of a box, the most specific first."""
    targets = ((LAYER, plain(path)), (KIND, kind), (FAMILY, family(kind)))
    return (theme.looks[target] for target in targets if target in theme.looks)


def plain(path: str) -> str:
    """A path or name without what says that it stands for several."""
    return path.removesuffix(" \N{HORIZONTAL ELLIPSIS}")


LEGIBLE = 4.5  # contrast of text (WCAG 2.2, success criterion 1.4.3)
_BLACK, _WHITE = "#000000", "#ffffff"


def ink(theme: Theme, back: str) -> tuple[str, str]:
    """Colours of text and of softer text that are legible on a colour."""
    themes = (theme, *THEMES.values())
    text = _legible((*(each.text for each in themes), _BLACK, _WHITE), back)
    return text, _legible((*(each.soft_text for each in themes), text), back)


def _legible(colours: tuple[str, ...], back: str) -> str:
    """The first of some colours that stands out, or the last one: black or white always does."""
    return next((c for c in colours if contrast(c, back) >= LEGIBLE), colours[-1])


def contrast(one: str, other: str) -> float:
    """The ratio of the luminances of two colours, from 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@cache
def _luminance(colour: str) -> float:
    shares = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
