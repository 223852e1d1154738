"""`netc check`: exit codes, messages on standard error, JSON on standard output."""

import json
from pathlib import Path

import pytest
from support.command_line import netc

LENET = Path(__file__).parents[2] / "specs" / "lenet5.net"


def test_a_good_file(tmp_path: Path) -> None:
    """A clean file exits with 0 and its counts in one line."""
    found = netc("check", str(LENET), cwd=tmp_path).ok()
    assert found.out == f"ok: {LENET}: LeNet5, 12 layers, 61,706 parameters, 416,520 MACs\n"
    assert found.err == ""


def test_a_chain_standard_input_and_the_zoo(tmp_path: Path) -> None:
    """A quoted chain, `-` and `zoo:NAME` stand wherever a file does."""
    chain = "INPUT(4) -> FC(3)"
    found = netc("check", chain, "-", "zoo:lenet5", cwd=tmp_path, stdin=chain.encode()).ok()
    assert [line.split(", ")[2] for line in found.out.splitlines()[:2]] == ["15 parameters"] * 2


def test_errors_of_all_files(tmp_path: Path) -> None:
    """A file with errors does not keep the others from being checked; the status is 1."""
    (tmp_path / "bad.net").write_text("INPUT -> CONVV\n")
    found = netc("check", "bad.net", "INPUT(4) -> FC(3)", cwd=tmp_path).failed()
    assert found.err == (
        "error[E101]: unknown layer `CONVV`\n"
        "  --> bad.net:1:10\n"
        "   |\n"
        " 1 | INPUT -> CONVV\n"
        "   |          ^^^^^\n"
        "   |\n"
        "   = help: did you mean `CONV`?\n\n"
    )
    assert "15 parameters" in found.out


def test_a_library_of_blocks(tmp_path: Path) -> None:
    """A file that only defines blocks and values is fine, and the line says what it is."""
    (tmp_path / "lib.net").write_text("let k = 3\nblock A { CONV((k, k)) }\nblock B { A -> A }\n")
    found = netc("check", "lib.net", cwd=tmp_path).quiet()
    assert found.out == (
        "ok: lib.net: a library of 2 blocks and 1 value;"
        " shapes are checked where its blocks are used\n"
    )
    (report,) = json.loads(netc("check", "--json", "lib.net", cwd=tmp_path).out)
    assert report == {
        "file": "lib.net",
        "ok": True,
        "blocks": ["A", "B"],
        "values": ["k"],
        "diagnostics": [],
    }


@pytest.mark.parametrize("program", ["let k = 1 / 0", "let k = j\nblock B { CONV }", 'net "x"'])
def test_a_library_with_mistakes(tmp_path: Path, program: str) -> None:
    """Values of a library are computed, and a file without blocks and values is not one."""
    (tmp_path / "lib.net").write_text(program)
    assert netc("check", "lib.net", cwd=tmp_path).status == 1


def test_a_library_that_hides_a_name(tmp_path: Path) -> None:
    """A library is warned of names that hide others, which `--strict` refuses."""
    (tmp_path / "lib.net").write_text("let k = 3\nblock A(k) { CONV(k) }\n")
    found = netc("check", "--strict", "lib.net", cwd=tmp_path).failed()
    assert "warning[W109]" in found.err
    assert found.out.startswith("warned: lib.net: a library of 1 block and 1 value")


UNREADABLE = {
    "missing.net": """\
error[E001]: cannot read `missing.net`: no such file or folder
  = help: check the path
""",
    "latin.net": """\
error[E002]: `latin.net` is not UTF-8 text
  --> latin.net:1:6
   |
 1 | # caf\ufffd
   |      ^ byte 0xe9 at offset 5
   |
   = help: save the file as UTF-8
""",
    "empty.net": """\
error[E003]: `empty.net` contains no statements
  = help: start with a chain, such as `INPUT(28x28) -> FC(10)`
""",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    """What is no program is a diagnostic, never a traceback."""
    (tmp_path / "latin.net").write_bytes(b"# caf\xe9\nINPUT -> FC\n")
    (tmp_path / "empty.net").touch()
    found = netc("check", name, cwd=tmp_path).failed()
    assert found.err == UNREADABLE[name] + "\n"


def test_a_file_whose_name_looks_like_a_chain(tmp_path: Path) -> None:
    """A file that exists is read, whatever its name looks like."""
    (tmp_path / "INPUT.net").write_text("INPUT(4) -> FC(3)")
    assert netc("check", "INPUT.net", cwd=tmp_path).status == 0


@pytest.mark.parametrize(
    ("chain", "meant"),
    [
        ("Input(8×8) → Dense(3)", "INPUT(8x8) -> FC(3)"),  # noqa: RUF001
        ("nn.Sequential(nn.Linear(3, 4))", "INPUT(3) -> FC(4)"),
        ("$INPUT \\to FC$", "INPUT -> FC"),
        ("INPUT => FC", "->"),
        ("FC(10)", "INPUT -> FC(10)"),
    ],
)
def test_a_chain_in_other_notations_is_no_path(chain: str, meant: str, tmp_path: Path) -> None:
    """It is answered with the chain that it means."""
    found = netc("check", chain, cwd=tmp_path).failed()
    assert f"write `{meant}`" in found.err


@pytest.mark.parametrize("path", ["missing.net", "folder/missing", "a (1).net", "LeNet"])
def test_a_path_that_is_not_there_is_no_chain(path: str, tmp_path: Path) -> None:
    """It is answered with the missing file."""
    assert "no such file or folder" in netc("check", path, cwd=tmp_path).err


def test_json(tmp_path: Path) -> None:
    """Standard output is one JSON list and nothing else, also where there are errors."""
    found = netc("check", "--json", "INPUT(4) -> FC(3)", "INPUT -> POOL(33x33)", cwd=tmp_path)
    good, bad = json.loads(found.out)
    assert found.status == 1
    assert found.err == ""
    assert good["ok"]
    assert good["params"] == 15
    assert good["inputs"] == [{"name": "input", "shape": ["N", 4], "dtype": "float32"}]
    assert not bad["ok"]
    (diagnostic,) = bad["diagnostics"]
    place = {key: diagnostic[key] for key in ("line", "column", "end_line", "end_column")}
    assert place == {"line": 1, "column": 15, "end_line": 1, "end_column": 20}
    assert (diagnostic["severity"], diagnostic["code"]) == ("error", "E203")


def test_strict_lets_warnings_fail(tmp_path: Path) -> None:
    """A warning is shown and passes, and with `--strict` fails."""
    chain = "INPUT(33x33x3) -> POOL -> FC"
    assert netc("check", chain, cwd=tmp_path).status == 0
    strict = netc("check", "--strict", chain, cwd=tmp_path).failed()
    assert "warning[W101]" in strict.err


def test_wrong_usage(tmp_path: Path) -> None:
    """Wrong usage exits with 2."""
    assert netc("check", cwd=tmp_path).status == 2
    assert netc("chekc", "x", cwd=tmp_path).status == 2
    assert netc("check", "--jsonn", "x", cwd=tmp_path).status == 2


def test_limit_on_layers(tmp_path: Path) -> None:
    """`--max-layers` raises and lowers the limit."""
    chain = "INPUT(4) -> [FC(4)]*20"
    assert netc("check", "--max-layers", "30", chain, cwd=tmp_path).status == 0
    found = netc("check", "--max-layers", "10", chain, cwd=tmp_path)
    assert "error[E401]" in found.err
