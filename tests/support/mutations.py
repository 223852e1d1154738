"""Programs with mistakes: texts changed byte by byte, and token by token."""

import re
from collections.abc import Callable, Sequence
from random import Random

TOKEN = re.compile(r"#[^\n]*|\"[^\"\n]*\"?|[A-Za-z_]\w*|\d[\w.]*|->|//|[=!<>]=|\s+|.", re.S)

# What a token may turn into: signs, words of the language, numbers at and beyond its limits.
TOKENS = (
    *'( ) [ ] { } | -> , ; : . = * + - / // % ^ == < >= # \n " \\ \t \0 é →'.split(" "),
    *"net language import as let block default for in if then else assert output train".split(),
    *"and or not yes no INPUT CONV POOL FC ADD CONCAT SPLIT RESHAPE BN ATTENTION ID op".split(),
    *"in.channels same avg sequence share frozen axis range enumerate len sum zip".split(),
    *"0 1 2 -1 7 0.5 1e308 1e-320 9223372036854775807 9223372036854775808 10k 3x3 0x0".split(),
    *"1x1x1x1 99999x99999x3 5T 1_000".split(),
    "1" * 40,
    "[[[CONV]*1000]*1000]*1000",
    "(" * 60,
    "[" * 120,
    "-" * 200,
    '"../../etc/passwd"',
    '"lib:resnet.net"',
)


def mutated_bytes(random: Random, program: bytes) -> bytes:
    """A program with a few bytes changed, doubled, moved or taken away."""
    data = bytearray(program)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        place = random.randrange(len(data) + 1)
        length = random.choice((1, 1, 2, 8, 64))
        change = random.randrange(5)
        if change == 0:
            data[place : place + length] = b""
        elif change == 1:
            data[place:place] = random.randbytes(length)
        elif change == 2:
            data[place : place + length] = random.randbytes(length)
        elif change == 3:
            data[place:place] = data[place : place + length] * random.choice((1, 2, 50))
        elif data:
            data[place % len(data)] ^= 1 << random.randrange(8)
    return bytes(data)


def mutated_tokens(random: Random, program: str, donors: Sequence[str]) -> str:
    """A program with a few tokens changed, doubled, moved, taken away, or brought from others."""
    tokens = TOKEN.findall(program)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        random.choice(CHANGES)(random, tokens, donors)
    return "".join(tokens)


Change = Callable[[Random, list[str], Sequence[str]], None]


def _place(random: Random, tokens: list[str]) -> int:
    return random.randrange(len(tokens) + 1)


def _insert(random: Random, tokens: list[str], donors: Sequence[str]) -> None:
    tokens.insert(_place(random, tokens), random.choice(TOKENS))


def _replace(random: Random, tokens: list[str], donors: Sequence[str]) -> None:
    place = _place(random, tokens)
    tokens[place : place + 1] = [random.choice(TOKENS)]


def _replace_number(random: Random, tokens: list[str], donors: Sequence[str]) -> None:
    numbers = [i for i, token in enumerate(tokens) if token[0].isdigit()]
    if numbers:
        choices = ("0", "1", "2", "3", "5", "64", "1000", "100_000", "9223372036854775807", "-1")
        tokens[random.choice(numbers)] = random.choice(choices)


def _delete(random: Random, tokens: list[str], donors: Sequence[str]) -> None:
    place = _place(random, tokens)
    del tokens[place : place + random.choice((1, 1, 2, 5, 30))]


def _repeat(random: Random, tokens: list[str], donors: Sequence[str]) -> None:
    place = _place(random, tokens)
    part = tokens[place : place + random.choice((1, 2, 8, 40))]
    tokens[place:place] = part * random.choice((1, 1, 2, 100))


def _move(random: Random, tokens: list[str], donors: Sequence[str]) -> None:
    place, length = _place(random, tokens), random.choice((1, 2, 8, 40))
    part = tokens[place : place + length]
    del tokens[place : place + length]
    target = _place(random, tokens)
    tokens[target:target] = part


def _splice(random: Random, tokens: list[str], donors: Sequence[str]) -> None:
    donor = TOKEN.findall(random.choice(donors))
    start, place = _place(random, donor), _place(random, tokens)
    tokens[place:place] = donor[start : start + random.choice((2, 8, 40))]


CHANGES: Sequence[Change] = (
    _insert,
    _replace,
    _replace_number,
    _delete,
    _repeat,
    _move,
    _splice,
)
