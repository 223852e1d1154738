"""Functions of a program, comprehensions, and strings with computed parts."""

from pathlib import Path
from typing import Any

import pytest
from support.fuzzing import Worker
from support.refusals import failure_of

import netc
from netc.compiler.lower.statements import lower
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source

ROUND = "let divisible(v, d=8) = max(d, floor(v + d / 2) // d * d)\n"

CALLS = "".join(f"let f{i}(x) = f{i - 1}(x)\n" for i in range(1, 60))
TRIPLED_CALLS = "".join(f"let f{i}(x) = {' + '.join([f'f{i - 1}(x)'] * 3)}\n" for i in range(1, 12))

# lines before, an expression, its value
VALUES: list[tuple[str, str, Any]] = [
    (ROUND, "[divisible(c * 0.9) for c in [16, 24, 32]]", [16, 24, 32]),
    (ROUND, "divisible(37, 4)", 36),
    (ROUND, "divisible(d=16, v=40)", 48),
    ("let k = 3\nlet f(x, y=x + k) = [x, y]", "f(2)", [2, 5]),
    ("let f(x) = g(x) + 1\nlet g(x) = 2 * x", "f(3)", 7),
    ("let x = 5\nlet f() = x", "f()", 5),
    ("let x = 5\nlet f(x) = x", "f(1) + x", 6),
    ('let f(x) = if x > 2 then "relu" else "tanh"', "[f(2), f(3)]", ["tanh", "relu"]),
    ("", "[i for i in range(5) if i > 1 if i % 2 == 0]", [2, 4]),
    ("", "[(i, c) for (i, c) in enumerate([7, 8])]", [(0, 7), (1, 8)]),
    ("", "[i * j for i in range(3) for j in range(i)]", [0, 0, 2]),
    ("", "[[j for j in range(i)] for i in [0, 2]]", [[], [0, 1]]),
    ("", "[if i > 0 then i else 9 for i in range(2)]", [9, 1]),
    ("let i = 7", "concat([i for i in range(2)], [i])", [0, 1, 7]),
    ("", "concat([[1], [], [2, 3]])", [1, 2, 3]),
    ("", "sorted([3, 1, 2])", [1, 2, 3]),
    ("", 'sorted(["b", "a"])', ["a", "b"]),
    ("", "[any([no, yes]), any([]), all([no, yes]), all([])]", [True, False, False, True]),
    (
        "let n = [1, 2, 3]",
        "[n[1:], n[:-1], n[1:2], n[:], n[-2:]]",
        [[2, 3], [1, 2], [2], [1, 2, 3], [2, 3]],
    ),
    ("let n = [1, 2, 3]", "[n[5:], n[:9], n[2:1], n[-9:1], n[-1]]", [[], [1, 2, 3], [], [1], 3]),
    ("let n = 4", "range(9)[n // 2:n][0]", 2),
    ("", "[3x4x5[1:], (1, 2, 3)[:2], [[1, 2], [3]][0][1:]]", [(4, 5), (1, 2), [2]]),
    ("", "enumerate([7, 8], 1)", [(1, 7), (2, 8)]),
    ("", "enumerate([7], -1)", [(-1, 7)]),
    ("", "enumerate([7], 4 / 2)", [(2, 7)]),
    ("let n = 2", '"block{n + 1}"', "block3"),
    ("let n = 2", r'"\{n\} is {n}, \"{n * n}\" \\"', '{n} is 2, "4" \\'),
    ('let act = "relu"', '"{act}6"', "relu6"),
    (f"let f0(x) = 1\n{TRIPLED_CALLS}", "f11(1)", 3**11),  # each is computed once
]


def value(lines: str, expression: str) -> Any:
    """The value of an expression behind some lines."""
    text = f"{lines}\nlet result = {expression}\nINPUT(4) -> FC(2)"
    return lower(parse(Source("test.net", text)), name="test").home.lets["result"]


@pytest.mark.parametrize(("lines", "expression", "expected"), VALUES)
def test_values(lines: str, expression: str, expected: Any) -> None:
    """Names in a function mean what they mean where it is defined."""
    assert value(lines, expression) == expected


DOUBLED_TEXTS = "".join(f'let s{i} = "{{s{i - 1}}}{{s{i - 1}}}"\n' for i in range(1, 40))

# lines, an expression, a code, what the message says
REFUSED = [
    ("let f(x) = f(x)", "f(1)", "E116", "a function cannot call itself: f -> f"),
    ("let f(x) = g(x)\nlet g(x) = f(x)", "g(1)", "E116", "cannot call itself: g -> f -> g"),
    ("let f(x) = x", "f()", "E105", "`f` needs `x`"),
    ("let f(x) = x", "f(1, 2)", "E104", "`f` takes one argument"),
    ("let f() = 1", "f(2)", "E104", "`f` takes no arguments"),
    ("let f(width) = width", "f(widht=2)", "E102", "`f` has no argument `widht`"),
    ("let f(x) = x", "f(1, x=2)", "E106", "`f` is given `x` twice"),
    ("let f(x) = x", "f", "E302", "`f` is a function"),
    ("let f = 3", "f(1)", "E101", "`f` is a value, not a function"),
    ("let divide(x) = x", "divid(1)", "E101", "unknown function `divid`"),
    ("let f(x) = x + same", "f(1)", "E101", "unknown name `same`"),
    ("let f(x) = 1 / x", "f(0)", "E303", "division by zero"),
    ("let max(x) = x", "max(1)", "E114", "`max` is a function, not a free name"),
    ("let CONV(x) = x", "1", "E114", "`CONV` is a layer, not a free name"),
    ("", "3[1:]", "E302", "cannot index the number `3`"),
    ('let s = "abc"', "s[1:]", "E302", 'cannot index the string `"abc"`'),
    ("", "[1, 2][0.5:]", "E302", "an index must be an integer, not the number `0.5`"),
    ("", "[1, 2][:yes]", "E302", "an index must be an integer, not the truth value `yes`"),
    ("", "[1, 2][2]", "E303", "index 2 is outside a list of 2"),
    ("", "enumerate(3)", "E302", "`enumerate` cannot take (3)"),
    ("", "enumerate([3], yes)", "E302", "`enumerate` cannot take ([3], yes)"),
    ("", "enumerate([3], 1.5)", "E302", "`enumerate` cannot take ([3], 1.5)"),
    ("", "enumerate([3, 4], 2^62 - 1 + 2^62)", "E404", "this number is beyond 2^63 - 1"),
    ("let n = range(100000)", "[n[i:] for i in range(20)]", "E404", "have too many items"),
    ("", "[i for i in 3]", "E302", "`for` takes a list, not the number `3`"),
    ("", "[i for (i, j) in [1]]", "E302", "2 names, but one value"),
    ("", "[i for i in [1] if 2]", "E302", "a condition must be `yes` or `no`, not the number `2`"),
    ("", "any([1])", "E302", "`any` cannot take ([1])"),
    ("", 'sorted([1, "a"])', "E302", '`sorted` cannot take ([1, "a"])'),
    ("", "concat([1], 2)", "E302", "`concat` cannot take ([1], 2)"),
    ("", '"{1.5}"', "E302", "a label or a string consists of words and integers, not `1.5`"),
    ("", '"{x}"', "E101", "unknown name `x`"),
    ("", '"{"', "E019", "a string has a `{` which no `}` closes"),
    ("", '"a}b"', "E019", "a string has a `}` which no `{` opens"),
    ("", '"{ }"', "E011", "nothing stands between the braces"),
    ("", '"{1 +}"', "E012", ""),
    ("", '"{1 2}"', "E125", "`1 2` is not a single value"),
    ("", f"[1{' for i in [1]' * 11}]", "E402", "a list of more than 10 `for`"),
    (f"let f0(x) = x\n{CALLS}", "f59(1)", "E402", "functions that call functions nest more than"),
    (f"let f0(x) = 1\n{TRIPLED_CALLS}", "f11([1])", "E404", "this program take too long"),
    (f'let s0 = "x"\n{DOUBLED_TEXTS}', "s39", "E404", "this program take too long"),
    ("", f"[1{' for i in range(9)' * 10}]", "E404", "this program have too many items"),
    ("", "[i for i in range(999) for j in range(999)]", "E404", "take too long"),
]


@pytest.mark.parametrize(("lines", "expression", "code", "message"), REFUSED)
def test_refused(lines: str, expression: str, code: str, message: str) -> None:
    """What is wrong is told in one sentence, and before time and memory are spent."""
    program = f"{lines}\nlet result = {expression}\nINPUT(4) -> FC(2)"
    (found,) = failure_of(netc.compile, program).diagnostics
    assert found.code == code
    assert message in found.message
    assert found.span is not None


def test_like_arguments_of_other_kinds_are_other_arguments() -> None:
    """What a call yielded is not taken for a call with what is equal, but no number."""
    assert repr(value("let f(x) = [x]", "concat(f(yes), f(1), f(1.5 * 2))")) == "[True, 1, 3.0]"


def test_the_deepest_programs_fit_the_stack() -> None:
    """Steps, expressions and calls as deep as each may be, within each other."""
    lines = "let f0(x) = x\n" + "".join(f"let f{i}(x) = f{i - 1}(x)\n" for i in range(1, 24))
    step = f"FC({'-' * 98}f23(2))"
    for opening, closing in (("(", ")"), ("[", "]"), ("for i in range(1) { ", " }")):
        text = f"{lines}INPUT(4) -> {opening * 98}{step}{closing * 98}"
        assert netc.compile(text).params == 10


def test_an_error_in_a_function_points_to_the_call() -> None:
    """The caret is in the function; the call stands below it."""
    caught = failure_of(netc.compile, "let half(x) = x / 0\nINPUT(4) -> FC(half(4))")
    (found,) = caught.diagnostics
    assert [each.span and each.span.text for each in caught.diagnostics] == ["0"]
    assert [(each.span.text, each.text) for each in found.also] == [
        ("half(4)", "in this call of `half`")
    ]


def test_names_are_strings() -> None:
    """Strings are computed as labels, as the network's name, and where a layer is named."""
    net = netc.compile(
        'let n = 18\nnet "ResNet-{n}"\nINPUT(8x8x4)'
        ' -> for i in range(2) { CONV(4) as "conv{i}" } -> CONV(4, share="conv{n - 17}") -> FC(2)'
        '\nassert params("conv{0}") == 148'
    )
    assert net.name == "ResNet-18"
    assert [path for path in net.graph.parameters if "conv" in path] == [
        *("conv0.weight", "conv0.bias", "conv1.weight", "conv1.bias")
    ]


def test_functions_are_imported(tmp_path: Path) -> None:
    """A file's functions come with its values, and see the names of that file."""
    (tmp_path / "widths.net").write_text("let step = 8\nlet rounded(v) = v // step * step\n")
    file = tmp_path / "main.net"
    file.write_text('import "widths.net"\nlet step = 3\nINPUT(4) -> FC(rounded(21))')
    assert netc.load(file).params == (4 + 1) * 16


def test_a_block_sees_its_parameters_in_a_function() -> None:
    """A function may be defined in a block, and then sees the block's parameters."""
    net = netc.compile("block B(c) { let twice(x) = x * c\nFC(twice(2)) }\nINPUT(4) -> B(3)")
    assert net.params == 5 * 6


def test_unused_and_hidden_names() -> None:
    """A function that nothing calls is told, as is a parameter that hides a value."""
    net = netc.compile("let d = 2\nlet f(d) = d\nlet g() = d\nINPUT(4) -> FC(f(1) + d)")
    assert [(w.code, w.span.text) for w in net.warnings if w.span] == [
        *(("W109", "d"), ("W105", "g"))
    ]


def test_many_strings_in_a_long_text() -> None:
    """A computed part takes as long as it is, and not as the text around it is."""
    line = 'let _a{n} = "x{{1}}"  # ' + "y" * 1_800 + "\n"
    text = "".join(line.format(n=n) for n in range(5_000)) + "INPUT(4) -> FC(2)"
    answer = Worker().run(text.encode())
    assert answer.failure == ""
    assert "error" not in answer.diagnostics
