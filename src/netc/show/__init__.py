"""Pictures of what is inside a network: a function draws each, to PNG, SVG or PDF."""

from .answers import predictions
from .data import samples
from .layers import activations, filters, receptive, weights
from .pictures import maps, saliency
from .planes import boundary
from .runs import history

__all__ = [
    "activations",
    "boundary",
    "filters",
    "history",
    "maps",
    "predictions",
    "receptive",
    "saliency",
    "samples",
    "weights",
]
