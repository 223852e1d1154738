"""`netc explain`: one code, all codes, and no code."""

from pathlib import Path

from support.command_line import netc

from netc.grammar.codes import CODES


def test_a_code(tmp_path: Path) -> None:
    """A code is shown with what it is about, a program, and what the program is answered with."""
    found = netc("explain", "E016", cwd=tmp_path).ok()
    assert found.out == (
        "E016: a space before the parenthesis of a call\n\n"
        "This program\n\n"
        "    INPUT -> FC (10)\n\n"
        "is answered with\n\n"
        "    error[E016]: a space between `FC` and its parenthesis\n"
        "      --> example.net:1:12\n"
        "       |\n"
        "     1 | INPUT -> FC (10)\n"
        "       |            ^^\n"
        "       |\n"
        "       = help: write `FC(...)` without a space, or `FC -> ( a | b )` for branches\n"
    )


def test_as_it_stands_in_a_message(tmp_path: Path) -> None:
    """Small letters and the brackets of a message are accepted."""
    first = netc("explain", "W103", cwd=tmp_path)
    assert first.out.startswith("W103: a result that is never used\n")
    assert netc("explain", "[w103]", cwd=tmp_path).out == first.out


def test_a_code_without_a_program(tmp_path: Path) -> None:
    """What takes files or engines is told in words."""
    found = netc("explain", "E502", cwd=tmp_path).ok()
    assert "The engine is not installed" in found.out


def test_all_codes(tmp_path: Path) -> None:
    """Without a code all are listed, a line each."""
    found = netc("explain", cwd=tmp_path).ok()
    assert [line.split()[0] for line in found.out.splitlines()] == list(CODES)


def test_an_unknown_code(tmp_path: Path) -> None:
    """A code that does not exist is wrong usage, with the nearest one that does."""
    found = netc("explain", "E2O3", cwd=tmp_path)
    assert found.status == 2
    assert found.out == ""
    assert "there is no code `E2O3`: did you mean `E203`?" in found.err
