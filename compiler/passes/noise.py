"""Noise as a formula: a hash of (seed, step, layer, element) in standard operators.

Graphs hold no random operators. A number depends on nothing but its counters, so it is the same on
every engine, in any order, and after any resumption; a sample's noise does not depend on how many
samples come after it. With all arithmetic modulo 2^32, of element i in row-major order at step s,

    x  = 0x9E3779B9 i + k0 + 0x85EBCA6B s
    x ^= x >> 16;  x *= 0x21F0AAAD;  x += k1 + 0xC2B2AE35 s
    x ^= x >> 15;  x *= 0xD35A2D97

where k0 and k1 are the halves of the layer's key, a hash of seed and layer at compile time. These
are Weyl's sequence, as in SplitMix (Steele, Lea and Flood 2014), and the two best rounds that
Wellons found (`lowbias32`, "Prospecting for Hash Functions", 2018); the last shift is left out,
because it changes the low bits only, and it is the high ones that count. The second half of the
key keeps streams that overlap in the first round from being equal.
"""

from hashlib import blake2b
from math import tau

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.types import DType
from .shards import Shard

WORD = 2**32
# What an element adds before the first round, and what a step adds before each. All are odd, so
# that none comes twice, and differ, so that one step later is not one element further.
ELEMENT_STRIDE = 0x9E3779B9
STEP_STRIDES = (0x85EBCA6B, 0xC2B2AE35)
ROUNDS = ((16, 0x21F0AAAD), (15, 0xD35A2D97))  # shift and multiplier of each
UNIFORM_BITS = 24  # what a float32 holds


def key_of(seed: int, scope: str, draw: int = 0) -> int:
    """The key of a layer's noise, 64 bits; `draw` numbers several within a layer."""
    text = f"{seed}\0{draw}\0{scope}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def noise_bits(
    build: Builder, shape_of: Value, step: Value, key: int, shard: Shard | None = None
) -> Value:
    """32 random bits for each element.

    Args:
        build: A builder on the graph that holds the values.
        shape_of: A value whose shape the noise takes.
        step: A scalar of int64; only step modulo 2^32 counts.
        key: See `key_of`.
        shard: Which part of the batch it is, whose elements get the bits that they would have got
            in the whole batch, where the batch comes first; None where it is all.

    Returns:
        Of uint32, shaped like `shape_of`.
    """
    count = _cast(build, step)
    x = build.Mul(_elements(build, shape_of, shard), _word(build, ELEMENT_STRIDE))
    for half, stride, (shift, factor) in zip(
        (key % WORD, key // WORD), STEP_STRIDES, ROUNDS, strict=True
    ):
        moved = build.Add(_word(build, half), build.Mul(count, _word(build, stride)))
        x = build.Add(x, moved)
        folded = build.BitwiseXor(x, _shifted(build, x, shift))
        x = build.Mul(folded, _word(build, factor))
    return build.Reshape(x, build.Shape(shape_of))


def uniform(
    build: Builder, shape_of: Value, step: Value, key: int, shard: Shard | None = None
) -> Value:
    """Uniform numbers in [0, 1), multiples of 2^-24, as float32; the arguments of `noise_bits`."""
    bits = noise_bits(build, shape_of, step, key, shard)
    upper = _shifted(build, bits, 32 - UNIFORM_BITS)
    scale = build.constant(2.0**-UNIFORM_BITS, DType.FLOAT32)
    return build.Mul(build.Cast(upper, to=DType.FLOAT32), scale)


def normal(
    build: Builder,
    shape_of: Value,
    step: Value,
    keys: tuple[int, int],
    shard: Shard | None = None,
) -> Value:
    """Normal numbers with mean 0 and deviation 1, as float64; arguments as of `noise_bits`.

    From two streams of uniform numbers u and v, sqrt(-2 ln u) sin(2 pi v) (Box and Muller 1958).
    Logarithms and sines of different engines differ in the last bit, which in float64 is lost when
    the result is rounded to float32.
    """
    u, v = (_between_bits(build, noise_bits(build, shape_of, step, k, shard)) for k in keys)
    radius = build.Sqrt(build.Mul(build.constant(-2.0, DType.FLOAT64), build.Log(u)))
    return build.Mul(radius, build.Sin(build.Mul(build.constant(tau, DType.FLOAT64), v)))


def symmetric(
    build: Builder, shape_of: Value, step: Value, key: int, shard: Shard | None = None
) -> Value:
    """Uniform numbers in [-1, 1), multiples of 2^-23, as float32; arguments as of `noise_bits`."""
    two, one = (build.constant(number, DType.FLOAT32) for number in (2.0, 1.0))
    return build.Sub(build.Mul(two, uniform(build, shape_of, step, key, shard)), one)


def _between_bits(build: Builder, bits: Value) -> Value:
    """(bits + 1/2) / 2^32 as float64, which is never 0."""
    half, scale = (build.constant(number, DType.FLOAT64) for number in (0.5, 1 / WORD))
    return build.Mul(build.Add(build.Cast(bits, to=DType.FLOAT64), half), scale)


def kept(
    build: Builder,
    shape_of: Value,
    step: Value,
    key: int,
    rate: float,
    shard: Shard | None = None,
) -> Value:
    """For each element whether it stays, where each is dropped with the probability `rate`."""
    bits = noise_bits(build, shape_of, step, key, shard)
    return build.GreaterOrEqual(bits, _word(build, min(round(rate * WORD), WORD - 1)))


def _elements(build: Builder, x: Value, shard: Shard | None) -> Value:
    """The numbers of x's elements in the whole batch, as a vector of uint32."""
    zero, one = build.index_constant(0), build.index_constant(1)
    numbers = build.Range(zero, build.Size(x), one)
    before = None if shard is None else shard.elements_before(build, x)
    return _cast(build, numbers if before is None else build.Add(numbers, before))


def _shifted(build: Builder, x: Value, by: int) -> Value:
    return build.BitShift(x, _word(build, by), direction="RIGHT")


def _cast(build: Builder, x: Value) -> Value:
    return build.Cast(x, to=DType.UINT32)


def _word(build: Builder, number: int) -> Value:
    return build.constant(number, DType.UINT32)
