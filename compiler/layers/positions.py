"""Positions that are not learned: added as waves, or as rotations of queries and keys."""

from typing import Literal

from ..expressions.arguments import Positive, PositiveReal
from ..ir.builder import Builder
from ..ir.graph import Value
from .layer_builder import LayerBuilder
from .layerdef import layer
from .sequence import sequence

BASE = 10_000.0
MOST_CHANNELS = 2**16  # of a head, for each two of which the graph holds a number


@layer("SINUSOIDAL", number="base")
def sinusoidal(build: LayerBuilder, x: Value, *, base: PositiveReal = BASE) -> Value:
    """Adds sin(p / base^(2 i / C)) to channel 2 i of position p, and the cosine to 2 i + 1.

    Positions of a sequence (N, L, C), from 0 on (Vaswani et al. 2017, section 3.5).
    """
    channels, _ = _pairs(build, x, 1, base)
    angles = _angles(build, x, channels, base)
    axis = build.index_constant((-1,))
    waves = [build.Unsqueeze(wave, axis) for wave in (build.Sin(angles), build.Cos(angles))]
    (both,) = build.op("Concat", waves, {"axis": 2})
    return build.Add(x, build.Reshape(both, build.index_constant((-1, channels))))


@layer("ROPE", counts="heads", number="base", choice="layout")
def rotary(
    build: LayerBuilder,
    x: Value,
    *,
    heads: Positive = 1,
    base: PositiveReal = BASE,
    layout: Literal["halves", "pairs"] = "halves",
) -> Value:
    """Rotates pairs of channels of each head by angles p / base^(2 i / D) (Su et al. 2021).

    A sequence (N, L, heads D) of queries or keys, before an attention without dense layers of its
    own. The pairs are channel i of the first half of a head with i of the second, as in Llama's
    and GPT-NeoX's common implementations, or with `pairs` neighbours, as in the paper.
    """
    each, _ = _pairs(build, x, heads, base)
    return rotated(build, x, heads, each, base, layout)


def rotated(build: Builder, x: Value, heads: int, each: int, base: float, layout: str) -> Value:
    """A sequence (N, L, heads D) of `each` = D, turned as `ROPE` says."""
    half = each // 2
    angles = build.Unsqueeze(_angles(build, x, each, base), build.index_constant((1,)))
    cosine, sine = build.Cos(angles), build.Sin(angles)
    halves = layout == "halves"
    split = (heads, 2, half) if halves else (heads, half, 2)
    axis = 3 if halves else 4
    parts = build.Reshape(x, build.index_constant((0, 0, *split)))
    first, second = (
        build.Squeeze(part, build.index_constant((axis,)))
        for part in build.op("Split", (parts,), {"axis": axis, "num_outputs": 2}, outputs=2)
    )
    turned = (
        build.Sub(build.Mul(first, cosine), build.Mul(second, sine)),
        build.Add(build.Mul(second, cosine), build.Mul(first, sine)),
    )
    placed = [build.Unsqueeze(part, build.index_constant((axis,))) for part in turned]
    (whole,) = build.op("Concat", placed, {"axis": axis})
    return build.Reshape(whole, build.index_constant((0, 0, heads * each)))


def _pairs(build: LayerBuilder, x: Value, heads: int, base: float) -> tuple[int, int]:
    """The channels of each head of a sequence, and the pairs that they make.

    Raises:
        NetError: It is no sequence, its channels are no pairs, or too many, or angles would grow.
    """
    (channels,) = build.concrete(sequence(build, x), (2,))
    if channels % (2 * heads):
        whom = "" if heads == 1 else f" in each of {heads} heads"
        raise build.fail("E204", f"cannot pair {channels} channels{whom}")
    each = channels // heads
    if base <= 1:
        raise build.fail("E103", f"needs a base above 1, not {base:g}", at="base")
    if each > MOST_CHANNELS:
        message = f"takes at most {MOST_CHANNELS:_} channels, not {each:_}"
        raise build.fail("E404", message)
    return each, each // 2


def _angles(build: Builder, x: Value, channels: int, base: float) -> Value:
    """The angle (L, C / 2) of each position and pair of channels."""
    rates = tuple(base ** (-2 * i / channels) for i in range(channels // 2))
    length = x.shape[1]
    if isinstance(length, int):
        end = build.index_constant(length)
    else:
        end = build.Squeeze(build.Shape(x, start=1, end=2), build.index_constant((0,)))
    counted = build.Range(build.index_constant(0), end, build.index_constant(1))
    places = build.Unsqueeze(build.Cast(counted, to=x.dtype), build.index_constant((1,)))
    return build.Mul(places, build.constant((rates,), x.dtype))
