"""Random numbers in training: added to a tensor, or as they are."""

from typing import Literal

from ..expressions.arguments import Flag, NonNegativeReal
from ..ir.graph import Value
from ..ir.types import broadcast
from .activation import real
from .layer_builder import LayerBuilder
from .layerdef import layer
from .merge import aligned, unmergeable

Distribution = Literal["normal", "uniform"]


@layer("NOISE", number="scale", choice="distribution")
def noise(
    build: LayerBuilder,
    *xs: Value,
    distribution: Distribution = "normal",
    scale: NonNegativeReal = 1.0,
    add: Flag = True,
    always: Flag = False,
) -> Value:
    """x + scale e, with new random numbers e in training; at inference x, unless `always` holds.

    e is normal with mean 0 and deviation 1, or uniform from -1 to 1. Of two branches, the second
    takes the place of the scale, times which it is: mean + deviation e, the reparametrization of
    Kingma and Welling 2014. Without `add`, scale e alone, in the shape of x.
    """
    mean, *given = aligned(build, xs) if len(xs) > 1 else [real(build, x) for x in xs]
    if len(given) > 1:
        raise unmergeable(build, xs, "it takes a mean and a deviation")
    if given and broadcast([mean.shape, given[0].shape]) != mean.shape:
        raise unmergeable(build, xs, "the deviation has the extents of the mean, or 1")
    deviation = build.constant(scale, mean.dtype)
    if given:
        deviation = build.Mul(given[0], deviation) if scale != 1 else given[0]
    if not add:
        mean = build.Expand(build.constant(0.0, mean.dtype), build.Shape(mean))
    found = build.op(
        "netc.Noise", (mean, deviation), {"distribution": distribution, "always": int(always)}
    )[0]
    return found
