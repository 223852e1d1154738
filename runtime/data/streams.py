"""A key such as (seed, epoch, sample) -> random numbers, the same in any order and any batch."""

from hashlib import sha256

import numpy as np

from ..kerneldef import Array

StreamKey = tuple[int | str, ...]

# Philox-4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2,
# 3"): NumPy's generators hold one counter each, which is slow where each sample has its own.
_MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def stream(key: StreamKey) -> np.random.Generator:
    """A key's own stream of random numbers."""
    digest = sha256("\0".join(map(str, key)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def uniforms(key: StreamKey, samples: Array, count: int) -> Array:
    """Numbers from [0, 1) that depend on the key and on each sample's own number.

    Args:
        key: What they are for, such as (seed, epoch, "rotate").
        samples: The numbers of the samples, (n,).
        count: How many numbers each sample needs.

    Returns:
        float64 (n, count).
    """
    digest = sha256("\0".join(map(str, key)).encode()).digest()
    words = (int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little"))
    blocks = -(-count // 4)
    numbers = np.asarray(samples).astype(np.uint64)
    counters = np.zeros((len(numbers), blocks, 4), np.uint64)
    counters[..., 0] = (numbers & _LOW)[:, None]
    counters[..., 1] = (numbers >> _HALF)[:, None]
    counters[..., 2] = np.arange(blocks, dtype=np.uint64)
    bits = philox(counters, words).reshape(len(numbers), blocks * 4)[:, :count]
    return (bits.astype(np.float64) + 0.5) / 2.0**32


def philox(counters: Array, key: tuple[int, int]) -> Array:
    """Ten rounds of Philox-4x32 on counters (..., 4) of 32-bit words held in uint64."""
    # A round, with M0 and M1 the multipliers, high and low the halves of a product:
    # c <- (high(M1 c2) ^ c1 ^ k0, low(M1 c2), high(M0 c0) ^ c3 ^ k1, low(M0 c0))
    c0, c1, c2, c3 = (counters[..., place] for place in range(4))
    for turn in range(_ROUNDS):
        k0, k1 = (
            np.uint64((word + turn * step) & 0xFFFFFFFF)
            for word, step in zip(key, _WEYL, strict=True)
        )
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (second >> _HALF) ^ c1 ^ k0,
            second & _LOW,
            (first >> _HALF) ^ c3 ^ k1,
            first & _LOW,
        )
    return np.stack([c0, c1, c2, c3], axis=-1)


def normals(key: StreamKey, samples: Array, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers, float32 (n, *shape); each sample has its own stream."""
    drawn = np.empty((len(samples), *shape), np.float32)
    for place, sample in enumerate(samples):
        stream((*key, int(sample))).standard_normal(dtype=np.float32, out=drawn[place])
    return drawn
