"""A whole result of `/` is a whole number where one is needed; other real numbers are not."""

import re

import pytest

import netc

IMAGE = "INPUT(8x8x4) -> "


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CONV(3x3, 8, pad=(3 - 1) / 2)", "CONV(3x3, 8, pad=1)"),
        ("CONV(3x3, 8, pad=(3 - 1) / 2 + 1)", "CONV(3x3, 8, pad=2)"),
        ("CONV(3x3, 8, pad=-(1 - 3) / 2)", "CONV(3x3, 8, pad=1)"),
        ("CONV((6 / 2, 5), 8, pad=(2 / 2, 4 / 2))", "CONV(3x5, 8, pad=1x2)"),
        ("CONV(3x3, 64 / 2)", "CONV(3x3, 32)"),
        ("CONV(3x3, 8, groups=8 / 2)", "CONV(3x3, 8, groups=4)"),
        ("FC(100 / 10)", "FC(10)"),
        ("FC(5 / 2 * 2)", "FC(5)"),
        ("GN(4 / 2)", "GN(2)"),
        ("RESHAPE((64, 16 / 4))", "RESHAPE((64, 4))"),
        ("[CONV(4)]*(6 / 2)", "[CONV(4)]*3"),
        ("for i in range(4 / 2) { CONV(4) }", "[CONV(4)]*2"),
        ("FC([7, 9][2 / 2])", "FC(9)"),
        ("DROPCONNECT(8 / 2, 1 / 2)", "DROPCONNECT(4, 0.5)"),
        ("LRELU(2 / 2)", "LRELU(1)"),
    ],
)
def test_a_whole_quotient_counts_as_its_integer(written: str, meant: str) -> None:
    """The same operators, attributes and shapes result."""
    found, expected = (
        [
            (node.op_type, node.attributes, [value.shape for value in node.outputs])
            for _, node in netc.compile(IMAGE + steps).graph.nodes()
        ]
        for steps in (written, meant)
    )
    assert found == expected


def test_settings_of_training_take_whole_quotients() -> None:
    """`epochs` and `batch` are whole numbers, too."""
    net = netc.compile("INPUT(4) -> FC(2)\ntrain {\n  batch = 64 / 2\n  epochs = 20 / 4\n}\n")
    assert net.recipe is not None
    assert (net.recipe.batch, net.recipe.epochs) == (32, 5)


@pytest.mark.parametrize(
    ("steps", "value", "help"),
    [
        ("FC(10 / 3)", "3.3333333333333335", "`//` divides to a whole number"),
        ("CONV(3x3, 8, pad=(4 - 1) / 2)", "1.5", "here to `1`"),
        ("[CONV(4)]*(5 / 2)", "2.5", "here to `2`"),
        ("FC(10.0)", "10.0", "write `FC(10)`"),
        ("FC(1e3)", "1000.0", "write `FC(1000)`"),
        ("FC(20.0 / 2)", "10.0", "write the whole number `10`"),
        ("FC(0 / 3)", "0", ""),
        ("FC((2^53 + 1) / 1)", "9007199254740992.0", "`//` divides to a whole number"),
    ],
)
def test_other_real_numbers_are_refused_with_a_way_out(steps: str, value: str, help: str) -> None:
    """Fractions, real numbers as they are written, and quotients that a float cannot hold."""
    with pytest.raises(netc.NetError, match=re.escape(f"not `{value}`")) as refused:
        netc.compile(IMAGE + steps)
    assert help in (refused.value.diagnostics[0].help or "")
