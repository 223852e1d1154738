"""Assertions that hold, and the whole text of those that do not."""

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest
from support.refusals import failure_of, refusal

import netc
from netc.compiler.analysis import quantities
from netc.compiler.ir.graph import Graph

NET = """\
INPUT(32x32x1) -> CONV(5x5, 6, pad=valid) as c1 -> RELU -> POOL as s2
  -> [CONV(3x3, 8) as conv -> BN as bn -> RELU]*2 as body -> FC(10) as out
"""


def compiled(assertions: str, net: str = NET) -> netc.Network:
    """The network with assertions behind it."""
    return netc.compile(net + dedent(assertions), name="test.net")


def failure(assertions: str, net: str = NET) -> str:
    """The whole rendered text of the error."""
    return refusal(compiled, assertions, net) + "\n"


def message(condition: str) -> str:
    """The message of the only finding about a condition."""
    (diagnostic,) = failure_of(compiled, f"assert {condition}\n").diagnostics
    return diagnostic.message


@pytest.mark.parametrize(
    "condition",
    [
        "params == 6 * 26 + 8 * 55 + 8 * 73 + 2 * 16 + 10 * (14 * 14 * 8 + 1)",
        "trainable == params",
        "macs == 28 * 28 * 6 * 25 + 14 * 14 * 8 * 9 * (6 + 8) + 14 * 14 * 8 * 10",
        "flops > 2 * macs",
        "layers == 11",
        "depth == 4",
        "width == 10",
        "memory == 2 * 28 * 28 * 6 * 4",
        "params(c1) == 156",
        "params(body) == params(body.0) + params(body.1)",
        "params(body.0) == params(body.0.conv) + params(body.0.bn)",
        "macs(body.1.conv) == 14 * 14 * 8 * 9 * 8",
        "shape(c1) == 28x28x6",
        "shape(c1) == (28, 28, 6)",
        "shape(body) == 14x14x8",
        "shape(out) == 10",
        "shape(body.0)[2] == 8",
        "receptive_field(s2) == 6x6",
        "receptive_field(out) == 32x32",
        "stride(s2) == 2x2",
        "0 < params < 100k and not (params == 3)",
        '"a" == "a"',
    ],
)
def test_holds(condition: str) -> None:
    """Quantities of the network and of its labels, scopes included."""
    assert compiled(f"assert {condition}\n").warnings == ()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("params == 16_896", "params is 16_902, not 16_896 (6 more)"),
        ("params == 17k", "params is 16_902, not 17_000 (98 fewer)"),
        ("17k == params", "params is 16_902, not 17_000 (98 fewer)"),
        ("params(c1) == params(out)", "params(c1) is 156, not 15_690 (15_534 fewer)"),
        ("shape(c1) == 28x28x7", "shape(c1) is 28x28x6, not 28x28x7"),
        ("shape(out) == 10x1", "shape(out) is 10, not 10x1"),
        ("macs < 100k", "macs is 330_848, not less than 100_000"),
        ("macs <= 100k", "macs is 330_848, not at most 100_000"),
        ("depth > 4", "depth is 4, not more than 4"),
        ("depth >= 5", "depth is 4, not at least 5"),
        ("100k > macs", "macs is 330_848, not less than 100_000"),
        ("depth != 4", "depth is 4, which it must not be"),
        ("1 < depth < 3", "depth is 4, not less than 3"),
        ("macs / 2 == 0.5", "macs / 2 is 165424, not 0.5"),
        ("depth == 4 and width == 11", "width is 10, not 11 (1 fewer)"),
        ("not (depth == 4)", "not (depth == 4) does not hold"),
        ("depth == 1 or depth == 2", "depth == 1 or depth == 2 does not hold"),
        ("params", "a condition must be `yes` or `no`, not the number `16902`"),
        ("stride(out) == 1", "`out` has no stride: its elements have no positions"),
    ],
)
def test_message(condition: str, expected: str) -> None:
    """Both sides' values are named, with the difference of integers."""
    assert message(condition) == expected


def test_rendered_text() -> None:
    """The carets stand under the whole condition."""
    assert failure("assert params == 16_896\n") == dedent(
        """\
        error[E301]: params is 16_902, not 16_896 (6 more)
          --> test.net:3:8
           |
         3 | assert params == 16_896
           |        ^^^^^^^^^^^^^^^^
        """
    )


def test_all_failures_are_reported() -> None:
    """One run names every assertion that fails; those that hold are silent."""
    text = """\
        assert shape(s2) == 14x14x5
        assert params(c1) == 156
        assert depth == 4 and macs < 1k
        assert params(bdy) == 3
    """
    assert failure(text) == dedent(
        """\
        error[E301]: shape(s2) is 14x14x6, not 14x14x5
          --> test.net:3:8
           |
         3 | assert shape(s2) == 14x14x5
           |        ^^^^^^^^^^^^^^^^^^^^

        error[E301]: macs is 330_848, not less than 1_000
          --> test.net:5:23
           |
         5 | assert depth == 4 and macs < 1k
           |                       ^^^^^^^^^

        error[E101]: unknown label `bdy`
          --> test.net:6:15
           |
         6 | assert params(bdy) == 3
           |               ^^^
           |
           = help: did you mean `body`?
        """
    )


def test_automatic_names_are_warned_of() -> None:
    """An automatic name works, with a warning that shows the label to add."""
    net = compiled("assert params(fc1) == 3\n", net="INPUT(2) -> FC(1)\n")
    assert str(netc.NetError(net.warnings)) + "\n" == dedent(
        """\
        warning[W102]: `fc1` is an automatic name, and shifts when a layer is inserted
          --> test.net:2:15
           |
         2 | assert params(fc1) == 3
           |               ^^^
          ::: test.net:1:13
           |
         1 | INPUT(2) -> FC(1)
           |             -----  this layer
           |
           = help: label the layer: `FC(1) as fc1`
        """
    ).replace("-----  this", "----- this")


def test_a_binding_stands_for_the_layer_that_it_names() -> None:
    """`x = chain` names the chain's end, so quantities of `x` are its last layer's."""
    net = "x = INPUT(2) -> FC(3) as f\noutput y = x\n"
    assert compiled("assert params(x) == params(f)\nassert shape(x) == 3\n", net=net).params == 9


def test_lets_hide_quantities() -> None:
    """A `let` of the program goes before a quantity of the same name."""
    assert compiled("let width = 99\nassert width == 99\n").params == 16_902


def test_no_receptive_field_without_rows() -> None:
    """A network on vectors has no receptive fields to speak of."""
    text = failure("assert receptive_field(f) == 2\n", net="INPUT(2) -> FC(1) as f\n")
    assert text.startswith(
        "error[E303]: `f` has no receptive field: no input has rows, columns or positions\n"
        "  --> test.net:2:24\n"
    )


def noting(
    name: str, analysis: Callable[[Graph], Any], computed: list[str]
) -> Callable[[Graph], Any]:
    """The analysis, noting its name whenever it is called."""

    def called(graph: Graph) -> Any:
        computed.append(name)
        return analysis(graph)

    return called


def test_quantities_are_lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An assertion on parameters computes neither memory nor receptive fields."""
    computed: list[str] = []
    for name in ("count", "measure", "receptive_fields"):
        monkeypatch.setattr(quantities, name, noting(name, getattr(quantities, name), computed))
    compiled("assert params == 16_902\nassert macs > 1\n")
    assert computed == ["count"]
    compiled("assert memory > 1\n")
    assert computed == ["count", "measure"]
