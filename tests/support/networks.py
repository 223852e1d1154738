"""Random programs of real layers, with arguments of all kinds, fitting and not."""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from netc.compiler import layers as _layers  # noqa: F401  (fills the table of layers)
from netc.compiler.expressions.arguments import Kind, Mismatch
from netc.compiler.expressions.evaluate import Environment, evaluate
from netc.compiler.layers.layerdef import COMMON, LAYERS, LayerDef
from netc.grammar import ast
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source

INPUTS = (
    *("INPUT", "INPUT(8x8x4)", "INPUT(16x16)", "INPUT(7x9x3)", "INPUT(12)", "INPUT(1)"),
    *("INPUT(12x8, sequence)", "INPUT(6x6x6x2)", "INPUT(9, dtype=int64)", "INPUT((H, W, 3))"),
    *("INPUT((H, 8, 4))", "INPUT(4611686018427387904)", "INPUT(1000000x1000000x1000000)"),
    "PARAM(4x4x3)",
)
SMALL_INPUTS = (*(text for text in INPUTS if len(text) < 25), "INPUT((L, 4), sequence)")
LABELS = ("a", "a", "a", "b", "x", "conv1", "pool1")
MERGES = tuple(name for name, row in LAYERS.items() if row.takes in ("many", "any"))
SINGLE = tuple(name for name, row in LAYERS.items() if row.takes in ("one", "any"))

VALUES = (
    *("0", "1", "2", "3", "4", "5", "7", "8", "16", "-1", "-2", "0.5", "0.0", "-0.1", "1.5"),
    *("3x3", "1x1", "2x2", "5x1", "1x7", "2x2x2", "3x3x3x3", "0x1", "(2,)", "(1x1, 0x2)"),
    *("yes", "no", "same", "valid", "all", "max", "avg", "channels", "height", "length", '"a"'),
    *("[1]", "[1, 2]", "[[1, 2], [3, 4]]", "[[1], [2, 3]]", "(0, 1)", "(1, 2)", "(2, 0, 1)"),
    *("normal(0.1)", "constant(1)", "zeros", "he", "(H, W)", "a", "b"),
    *("9223372036854775807", "4611686018427387904", "1000000000", "1e308", "1e-300", "2^62"),
    *("99999", "100000x100000", "-9223372036854775807", "[[[[[[1]]]]]]", "linear", "nearest"),
)


def random_network(random: Random) -> str:
    """A program of one or two chains, with groups, repetitions, labels and blocks."""
    lines = [f"block B(c=4) {{\n  {_body(random)}\n}}"]
    start = random.choice(INPUTS)
    lines.append(f"x = {start} as a -> {_chain(random, 0)}")
    if random.random() < 0.3:
        lines.append(f"y = {random.choice(('a', 'b', 'x', start))} -> {_chain(random, 0)}")
    if random.random() < 0.1:
        quantity = random.choice(("params", "macs", "memory", "depth", "width", "shape(a)"))
        lines.append(f"assert {quantity} != 3")
    return "\n".join(lines) + "\n"


def grown_network(random: Random, compiles: Callable[[str], bool]) -> str:
    """A program that compiles: a chain that grew step by step, by steps that fit."""
    text = f"x = {random.choice(SMALL_INPUTS)}"
    for _ in range(random.choice((4, 8, 12))):
        longer = f"{text} -> {_step(random, 2)}"
        if compiles(longer):
            text = longer
    return text + "\n"


def _body(random: Random) -> str:
    return " -> ".join(_call(random, random.choice(SINGLE)) for _ in range(random.choice((1, 2))))


def _chain(random: Random, depth: int) -> str:
    steps = [_step(random, depth) for _ in range(random.choice((1, 1, 2, 3, 5)))]
    return " -> ".join(steps)


def _step(random: Random, depth: int) -> str:
    kind = random.random()
    if depth < 3 and kind < 0.12:
        branches = [_chain(random, depth + 1) for _ in range(random.choice((1, 2, 2, 3)))]
        branches += random.choice(([], ["ID"], ["a"]))
        return f"( {' | '.join(branches)} ) -> {_call(random, random.choice(MERGES))}"
    if depth < 3 and kind < 0.2:
        return f"[{_chain(random, depth + 1)}]*{random.choice((0, 1, 2, 3, 8))}"
    if kind < 0.23:
        return "B" + random.choice(("", "(2)", "(c=8)", "(frozen=yes)", "(share=a)"))
    return _call(random, random.choice(SINGLE)) + random.choice(("", "", "", "", "", " as b"))


def _call(random: Random, name: str) -> str:
    """A call with a few arguments, each by keyword or where its kind puts it."""
    row = LAYERS[name]
    required = [keyword for keyword in row.kinds if keyword not in {**row.defaults, **row.preset}]
    free = [keyword for keyword in [*row.kinds, *COMMON] if keyword not in {*row.preset, *required}]
    chosen = random.sample(free, min(random.choice((0, 0, 1, 1, 2, 3)), len(free)))
    arguments = [f"{keyword}={_value(random, row, keyword)}" for keyword in [*required, *chosen]]
    if random.random() < 0.1:
        arguments.insert(0, random.choice(VALUES))
    return f"{name}({', '.join(arguments)})" if arguments else name


def _value(random: Random, row: LayerDef, keyword: str) -> str:
    """A value, mostly one that the argument accepts."""
    kind = row.kinds.get(keyword) or COMMON[keyword]
    labels = kind.expected == "a label"
    accepted = LABELS if labels else (*_accepted(kind), *kind.words)
    return random.choice(accepted if accepted and random.random() < 0.97 else VALUES)


@cache
def _accepted(kind: Kind) -> tuple[str, ...]:
    return tuple(text for text in VALUES if _fits(kind, text))


def _fits(kind: Kind, text: str) -> bool:
    try:
        kind.convert(_meaning(text))
    except Mismatch:
        return False
    return True


@cache
def _meaning(text: str) -> Any:
    """What an argument's text means."""
    (statement,) = parse(Source("value", f"x = RELU({text})")).statements
    assert isinstance(statement, ast.BindStatement)
    (step,) = statement.chain.steps
    assert isinstance(step.item, ast.Call)
    return evaluate(step.item.arguments[0].value, Environment(words=True))
