"""Programs of Python, mutated: read, or refused by what the reader itself raises, never else."""

import ast
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from support.mutations import mutated_tokens

from netc.grammar.translation.python_layers import LackingError
from netc.grammar.translation.python_networks import python_network

TABLE = Path(__file__).parents[1] / "compiler" / "foreign_programs.txt"
ROWS = [row.split("\n----\n")[0] for row in TABLE.read_text("utf-8").strip().split("\n====\n")]
LINES = [line for row in ROWS for line in row.split("\n")]
WORDS = (
    *"x None self 1 0 -1 [] () {} * nn.Linear 'a' x[0] nn 10**9 1.5 True super() range(3)".split(),
    *"[x]*3 x.shape forward nn.Sequential % / // ** == < in max len(x) dict(x) sorted zip".split(),
    *"'%5d' float('inf') 1e400 int (3,) [[1,2],[3]] a,b=x *a **k Model Input LSTM ... 1j".split(),
    *("lambda y: y", "torch.cat([x, x], 1)", "stride=0", "x[:,]", "[x for x in x]", "not"),
)


def mutant(random: Random) -> str:
    """A program that still parses, with a few lines or words changed."""
    while True:
        text = random.choice(ROWS)
        for _ in range(random.choice((1, 1, 2, 3, 6))):
            text = _changed(random, text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
        return text


def _changed(random: Random, text: str) -> str:
    lines = text.split("\n")
    place = random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            lines[place : place + 1] = random.choice(([], [random.choice(LINES)]))
        case 1:
            lines.insert(place, random.choice((random.choice(LINES), random.choice(lines))))
        case 2:
            return mutated_tokens(random, text, ROWS)
        case _:
            words = lines[place].split(" ")
            words[random.randrange(len(words))] = random.choice(WORDS)
            lines[place] = " ".join(words)
    return "\n".join(lines)


def mutants(seed: int) -> Iterator[str]:
    """Mutated programs without end."""
    random = Random(seed)
    while True:
        yield mutant(random)


def check(seed: int, count: int) -> None:
    """Read programs; whatever the reader does not raise itself fails the test."""
    for program in islice(mutants(seed), count):
        try:
            python_network(program)
        except LackingError:
            continue
        except Exception as failure:
            raise AssertionError(f"{program}\n{failure!r}") from failure


def test_some_programs_are_read_or_refused() -> None:
    """A few hundred mutated programs of other frameworks cause no failure but the reader's own."""
    check(0, 400)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
def test_many_programs_are_read_or_refused(seed: int) -> None:
    """As above, with forty thousand."""
    check(seed, 4000)
