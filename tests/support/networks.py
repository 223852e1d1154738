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
from netc.grammar.lexing.lexer import keywords
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source

INPUTS = (
    *("INPUT", "INPUT(8x8x4)", "INPUT(16x16)", "INPUT(7x9x3)", "INPUT(12)", "INPUT(1)"),
    *("INPUT(12x8, sequence)", "INPUT(6x6x6x2)", "INPUT(9, dtype=int64)", "INPUT((H, W, 3))"),
    *("INPUT((H, 8, 4))", "INPUT(4611686018427387904)", "INPUT(1000000x1000000x1000000)"),
    "PARAM(4x4x3)",
)
SMALL_INPUTS = (*(text for text in INPUTS if len(text) < 25), "INPUT((L, 4), sequence)")
DEFAULTS = ("init=he", "bias=no", "3x3", "stride=2", "pad=valid, init=normal(0.1)")
LABELS = (*["a"] * 14, "b", "x", "conv1", "pool1")
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
    *("B", "B(2)", "r.Basic(3)", "ws", "[1, 2][1:]", "3x3[:1]"),
)


# What a program may call and read: functions, lists, and a file under a name.
HEADER = """\
import "lib:resnet.net" as r
import "lib:mobile.net" as m
let ws = [2, 4, 3]
let word = "c"
let even(v, d=2) = max(d, v // d * d)
let widths(n) = [even(w + i) for (i, w) in enumerate(ws[:n], 1) if w > 2 or n > 1]
"""
COMPUTED = (
    *("ws[0]", "ws[-1]", "ws[1:][0]", "widths(2)[-1]", "even(5)", "even(7, d=3)", "len(ws[:-1])"),
    *("m.divisible(6, 4)", "sum(widths(3))", "(if all([w > 1 for w in ws]) then 2 else 3)"),
    *("concat(ws, ws)[3]", "ws[1]", "round(sqrt(ws[1]))", "[w for w in ws if w > 2][0]"),
)
LISTS = (*("ws", "ws[1:]", "widths(3)", "[1, 2]", "range(2)", "reversed(ws)[:2]") * 4, "[]", "m.x")
TURNS = ("w in {0}", "(i, w) in enumerate({0}, 1)", "(i, w) in zip({0}, {0})")
OF_BODIES = ("in.channels", "even(in.size)", "in.rank", "a.channels")
OF_TURNS = ("w", "even(w)", "2 * w")
TESTS = ("> 2", "== 4", "!= 3", "<= ws[1]")
MEMBERS = (
    *(
        "r.Basic(4)",
        "r.Basic(in.channels)",
        "r.Bottleneck(2)",
        "r.Shortcut(4, 2)",
        "r.Basics(2, 4)",
    ),
    *("m.SqueezeExcite(2)", "inline r.Basic(4)", "inline B", "inline B(3)", "r.Basic", "m.No(1)"),
)
# Steps around others, which fit more often than those that are drawn.
AROUND = (
    *(
        "( {0} | ID ) -> ADD",
        "( ID | {0} if in.rank > 2 ) -> MAX",
        "( {0} if yes | {0} if no ) -> ADD",
    ),
    *(
        "( {0} | for w in widths(2) | {1} ) -> CONCAT",
        "( ID | CONST([2]) ) -> MUL",
        "[{0} -> {1}]*2",
    ),
    *(
        "for (i, w) in enumerate(ws[1:], 1) {{ {0} }} as {{word}}{{i}}",
        "for w in ws {{ {0} }} as s",
    ),
    *(
        "if in.rank > 2 {{ {0} }} else {{ {1} }}",
        "inline B",
        "B(ws[0])",
        "m.SqueezeExcite(even(3))",
    ),
    *("inline r.Basic(m.divisible(5, 2))", "FC(widths(2)[-1])", "CONV(3x3, even(5))", "RESIZE(2)"),
    *("LSTM(3)", "GRU(even(3), last)", "RNN(ws[0], direction=both)", "ROPE(1)", "r.Basics(2, 4)"),
)
COMPUTED_NAMES = (" as {word}{i}", ' as "{word}{w}"', " as s{w}", " as s")


def random_network(random: Random) -> str:
    """A program of one or two chains, with groups, repetitions, labels, blocks and functions."""
    lines = [f"{HEADER}block B(c=4) {{\n  {_body(random)}\n}}"]
    if random.random() < 0.1:
        lines.append(f"default {random.choice(('', 'r.', 'm.'))}CONV({random.choice(DEFAULTS)})")
    start = _start(random)
    lines.append(f"x = {start} as a -> {_chain(random, 0)}")
    if random.random() < 0.3:
        lines.append(f"y = {random.choice(('a', 'b', 'x', start))} -> {_chain(random, 0)}")
    if random.random() < 0.05:
        chain = f"{random.choice(('a', 'x'))} -> {_step(random, 2)}"
        lines.append(f"for w in {random.choice(LISTS)} {{\n  p{{w}} = {chain}\n}}")
        lines.append(f"( p2 | p{{ws[1]}} ) -> {_call(random, random.choice(MERGES))}")
    if random.random() < 0.1:
        quantity = random.choice(("params", "macs", "memory", "depth", "width", "shape(a)"))
        lines.append(f"assert {quantity} != {random.choice(('3', *COMPUTED))}")
    return "\n".join(lines) + "\n"


def grown_network(random: Random, compiles: Callable[[str], bool]) -> str:
    """A program that compiles: a chain that grew step by step, by steps that fit."""
    text = f"{HEADER}block B(c=4) {{ RELU -> FC(c) }}\nx = {random.choice(SMALL_INPUTS)}"
    for _ in range(random.choice((4, 8, 12))):
        around = random.choice(AROUND) if random.random() < 0.5 else "{0}"
        longer = f"{text} -> {around.format(_step(random, 2), _step(random, 3))}"
        if compiles(longer):
            text = longer
    return text + "\n"


Known = tuple[str, ...]  # what has a value in the place of a step, besides `COMPUTED`


def _start(random: Random) -> str:
    return random.choice(INPUTS) if random.random() < 0.95 else _call(random, "CONST")


def _body(random: Random) -> str:
    return " -> ".join(_call(random, random.choice(SINGLE)) for _ in range(random.choice((1, 2))))


def _chain(random: Random, depth: int, known: Known = ()) -> str:
    lengths = (1, 1, 1, 2, 3, 5) if depth < 1 else (1, 1, 1, 2)
    return " -> ".join(_step(random, depth, known) for _ in range(random.choice(lengths)))


def _step(random: Random, depth: int, known: Known = ()) -> str:
    kind = random.random()
    if depth < 3 and kind < 0.12:
        branches = [_branch(random, depth + 1, known) for _ in range(random.choice((1, 2, 2, 3)))]
        branches += random.choice(([], ["ID"], ["a"], [_call(random, "CONST")]))
        return f"( {' | '.join(branches)} ) -> {_call(random, random.choice(MERGES), known)}"
    if depth < 3 and kind < 0.18:
        body = _chain(random, depth + 1, (*known, *OF_BODIES))
        return f"[{body}]*{random.choice((0, 1, 2, 3, 8))}"
    if kind < 0.21:
        return "B" + random.choice(("", "(2)", "(c=8)", "(frozen=yes)", "(share=a)"))
    if kind < 0.23:
        return random.choice(MEMBERS) + random.choice(("", "", " as b"))
    if depth < 3 and kind < 0.26:
        body = _chain(random, depth + 1, (*known, *OF_BODIES, *OF_TURNS))
        body += "" if body.endswith(" as b") else random.choice(("", *COMPUTED_NAMES))
        label = random.choice(("", "", *COMPUTED_NAMES))
        return f"for {_turns(random)} {{ {body} }}{label}"
    if depth < 3 and kind < 0.29:
        chain, other = (_chain(random, depth + 1, known) for _ in range(2))
        otherwise = random.choice(("", f" else {{ {other} }}"))
        return f"if {_condition(random, known)} {{ {chain} }}{otherwise}"
    call = _call(random, random.choice(SINGLE), known)
    return call + random.choice(("", "", "", "", "", " as b"))


def _branch(random: Random, depth: int, known: Known) -> str:
    """A branch, perhaps for each item of a list, perhaps on a condition."""
    turns = ""
    if random.random() < 0.2:
        turns, known = f"for {_turns(random)} | ", (*known, *OF_TURNS)
    test = f" if {_condition(random, known)}" if random.random() < 0.2 else ""
    return f"{turns}{_chain(random, depth, known)}{test}"


def _turns(random: Random) -> str:
    """What a `for` gives names to, and the list."""
    return random.choice(TURNS).format(random.choice(LISTS))


def _condition(random: Random, known: Known) -> str:
    return f"{random.choice((*known, *COMPUTED))} {random.choice(TESTS)}"


def _call(random: Random, name: str, known: Known = ()) -> str:
    """A call with a few arguments, each by keyword or where its kind puts it."""
    row = LAYERS[name]
    required = [keyword for keyword in row.kinds if keyword not in {**row.defaults, **row.preset}]
    free = [keyword for keyword in [*row.kinds, *COMMON] if keyword not in {*row.preset, *required}]
    chosen = random.sample(free, min(random.choice((0, 0, 1, 1, 2, 3)), len(free)))
    arguments = []
    for keyword in [*required, *chosen]:
        word = "" if keyword in keywords() else f"{keyword}="
        arguments.append(f"{word}{_value(random, row, keyword, known)}")
    if random.random() < 0.1:
        arguments.insert(0, random.choice(VALUES))
    return f"{name}({', '.join(arguments)})" if arguments else name


def _value(random: Random, row: LayerDef, keyword: str, known: Known) -> str:
    """A value, mostly one that the argument accepts, at times a computed one."""
    kind = row.kinds.get(keyword) or COMMON[keyword]
    if random.random() < 0.1 and "3" in _accepted(kind):
        return random.choice((*known, *COMPUTED))
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
