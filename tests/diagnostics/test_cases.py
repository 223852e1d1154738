"""Every diagnostic, as a program and the whole text that it is answered with.

A case is a file: the program, a line `----`, and the rendered diagnostics. The file's name starts
with the code. `--update-golden` writes the answers; they are reviewed like code.
"""

from pathlib import Path

import pytest

import netc

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
DIVIDER = "----\n"


def answer(program: str) -> str:
    """What the compiler says of a program: its errors, or else its warnings."""
    try:
        diagnostics = netc.compile(program, name="example.net").warnings
    except netc.NetError as failure:
        diagnostics = failure.diagnostics
    return str(netc.NetError(diagnostics)) + "\n" if diagnostics else ""


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_whole_rendered_text(case: Path, update_golden: bool) -> None:
    """The rendered diagnostics are the recorded ones, to the last caret."""
    program, _, expected = case.read_text(encoding="utf-8").partition(DIVIDER)
    found = answer(program)
    if update_golden:
        case.write_text(program + DIVIDER + found, encoding="utf-8")
        expected = found
    assert found == expected
    assert f"[{case.stem.split('_')[0]}]" in found
