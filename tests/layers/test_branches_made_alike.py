"""Branches that do not fit are answered with a step that makes them fit."""

import re

import pytest

import netc


@pytest.mark.parametrize(
    ("source", "branches", "merge", "number", "step"),
    [
        ("8x8x3", ("CONV(3x3, 8)", "CONV(1x1, 16)"), "ADD", 2, "CONV(1x1, 8)"),
        ("8x8x3", ("CONV(3x3, 8)", "CONV(3x3, 8, stride=2)"), "ADD", 1, "POOL(2x2)"),
        ("8x8x3", ("CONV(3x3, 8, stride=2)", "CONV(3x3, 8)"), "MUL", 2, "POOL(2x2)"),
        ("8x8x3", ("CONV(8, stride=2)", "ID"), "ADD", 2, "CONV(1x1, 8, stride=2)"),
        ("8x8x3", ("ID", "CONV(8, stride=2)"), "MAX", 1, "CONV(1x1, 8, stride=2)"),
        ("8x8x3", ("ID", "POOL(2x4)"), "MEAN", 1, "POOL(2x4)"),
        ("8x8x3", ("CONV(8)", "POOL"), "CONCAT", 1, "POOL(2x2)"),
        ("8x8x3", ("CONV(8)", "CONV(5)"), "CONCAT(axis=height)", 2, "CONV(1x1, 8)"),
        ("8x8x3", ("CONV(8)", "CONV(8)", "CONV(5)"), "ADD", 3, "CONV(1x1, 8)"),
        ("4x4x4x2", ("CONV(3x3x3, 4)", "ID"), "ADD", 2, "CONV(1x1x1, 4)"),
        ("(H, W, 3)", ("CONV(8)", "ID"), "ADD", 2, "CONV(1x1, 8)"),
        ("8", ("FC(4)", "FC(5)"), "ADD", 2, "FC(4)"),
        ("6x4, sequence", ("LINEAR(5)", "ID"), "SUB", 2, "LINEAR(5)"),
        ("6x4, sequence", ("ID", "POOL(kernel=2)"), "ADD", 1, "POOL(kernel=2)"),
        (
            "6x4, sequence",
            ("ID", "CONV(kernel=3, filters=5, stride=2)"),
            "ADD",
            1,
            "CONV(kernel=1, filters=5, stride=2)",
        ),
    ],
)
def test_the_step_that_the_help_spells_makes_branches_fit(
    source: str, branches: tuple[str, ...], merge: str, number: int, step: str
) -> None:
    """The program with the step at the end of that branch compiles."""
    program = "INPUT({}) -> ( {} ) -> {}"
    with pytest.raises(netc.NetError) as refused:
        netc.compile(program.format(source, " | ".join(branches), merge))
    found = refused.value.diagnostics[0]
    assert found.code == "E202"
    assert found.help == f"end branch {number} in `{step}`"
    mended = [f"{b} -> {step}" if i == number else b for i, b in enumerate(branches, start=1)]
    netc.compile(program.format(source, " | ".join(mended), merge))


@pytest.mark.parametrize(
    "program",
    [
        "INPUT(7x7x3) -> ( ID | POOL(2x2) ) -> ADD",
        "INPUT(4x5x3) as x -> RESHAPE(20x3) as y\n( x | y ) -> ADD",
    ],
)
def test_no_step_is_spelled_where_none_is_sure_to_fit(program: str) -> None:
    """Extents that are not multiples, or are of another rank."""
    with pytest.raises(netc.NetError) as refused:
        netc.compile(program)
    assert not re.search("end branch", refused.value.diagnostics[0].help or "")
