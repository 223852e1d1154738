"""Bytes that were damaged: changed, dropped, inserted, cut off, or with numbers that lie."""

from random import Random

_LIES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)


def damage(data: bytes, random: Random) -> bytes:
    """The bytes after some damage, most of it near their beginning, where headers are."""
    damaged = bytearray(data)
    if random.random() < 0.2:
        return bytes(damaged[: random.randrange(len(damaged))])
    for _ in range(random.choice([1, 1, 3])):
        within = len(damaged) if random.random() < 0.5 else min(len(damaged), 100)
        random.choice((_flip, _replace, _lie))(damaged, random.randrange(within), random)
    return bytes(damaged)


def _flip(data: bytearray, at: int, random: Random) -> None:
    """One bit is another."""
    data[at % len(data)] ^= 1 << random.randrange(8)


def _replace(data: bytearray, at: int, random: Random) -> None:
    """Some bytes become some others, more or fewer."""
    data[at : at + random.choice([1, 1, 0, 7])] = random.randbytes(random.choice([1, 1, 0, 3]))
    data.extend(b"\0" * (not data))


def _lie(data: bytearray, at: int, random: Random) -> None:
    """A number of two to eight bytes, or the digits of one, is very large or very small."""
    width = random.choice((2, 4, 8))
    lie = random.choice(_LIES) & (256**width - 1)
    order: tuple[bytes, ...] = (lie.to_bytes(width, "little"), lie.to_bytes(width, "big"))
    data[at : at + width] = random.choice((*order, str(lie).encode()))
