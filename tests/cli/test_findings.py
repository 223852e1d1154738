"""`netc check` on folders and in its forms; errors as JSON where a command prints JSON."""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from support.command_line import Call

from netc.grammar.codes import CODES

GOOD = "INPUT(4) -> FC(3)\n"
WARNED = "INPUT(33x33x3) -> POOL -> FC(10)\n"
BAD = "# ü, 50%\nINPUT(4) -> FCC(3)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Programs at several depths, and files that are none."""
    nets = tmp_path / "nets"
    for path, text in {
        "b.net": GOOD,
        "a.net": GOOD,
        "inner/bad: 1,2.net": BAD,
        "inner/deep/warned.net": WARNED,
        "inner/notes.txt": "no program",
        ".git/hidden.net": BAD,
    }.items():
        (nets / path).parent.mkdir(parents=True, exist_ok=True)
        (nets / path).write_text(text, encoding="utf-8")
    (nets / "inner" / "loop").symlink_to(nets)
    return nets


@pytest.mark.usefixtures("folder")
def test_a_folder(called: Call) -> None:
    """All programs in a folder are checked in order, and a last line counts what was found."""
    found = called("check", "nets").failed()
    assert [line.split(": ")[:2] for line in found.out.splitlines()] == [
        ["ok", "nets/a.net"],
        ["ok", "nets/b.net"],
        ["ok", "nets/inner/deep/warned.net"],
        ["4 files, 1 error, 1 warning"],
    ]
    assert "--> nets/inner/bad: 1,2.net:2:13" in found.err
    strict = called("check", "nets", "--strict")
    assert strict.out.splitlines()[-1] == "4 files, 2 errors"


@pytest.mark.usefixtures("folder")
def test_no_closing_line(called: Call) -> None:
    """One file needs no last line, and `-q` leaves all but errors and warnings out."""
    assert called("check", "nets/a.net").out.count("\n") == 1
    assert called("check", "-q", "nets/a.net", "nets/b.net") == (0, "", "")
    quiet = called("check", "-q", "nets")
    assert (quiet.status, quiet.out) == (1, "")
    assert "error[E101]" in quiet.err


def test_verbose(called: Call) -> None:
    """`-v` shows inputs and outputs."""
    assert called("check", "-v", "INPUT(8x8x3) -> FC(10) as y").out.splitlines()[1:] == [
        "  input input: float32 (N, 3, 8, 8)",
        "  output output: float32 (N, 10)",
    ]


def test_a_folder_without_programs(called: Call, tmp_path: Path) -> None:
    """A folder without programs is an error, and other files are checked all the same."""
    (tmp_path / "empty").mkdir()
    found = called("check", "empty", GOOD).failed()
    assert found.err == (
        "error[E001]: there is no .net file in `empty`\n"
        "  = help: name a file, or a folder with programs\n\n"
    )
    assert found.out.splitlines()[-1] == "2 files, 1 error"


@pytest.mark.usefixtures("folder")
def test_github(called: Call) -> None:
    """A workflow command per finding, with its special characters escaped."""
    found = called("check", "nets", "--format", "github")
    assert (found.status, found.err) == (1, "")
    bad, warned = found.out.splitlines()
    assert bad == (
        "::error file=nets/inner/bad%3A 1%2C2.net,line=2,col=13,endLine=2,endColumn=16,"
        "title=error[E101]::unknown layer `FCC`%0Ahelp: did you mean `FC`?"
    )
    assert warned.startswith("::warning file=nets/inner/deep/warned.net,line=1,col=")
    assert called("check", "none.net", "--format", "github").out == (
        "::error file=none.net,title=error[E001]::"
        "cannot read `none.net`: no such file or folder%0Ahelp: check the path\n"
    )
    strict = called("check", WARNED, "--format", "github", "--strict")
    assert (strict.status, strict.out.split()[0]) == (1, "::error")
    assert called("check", GOOD, "--format", "github").out == ""


@pytest.mark.usefixtures("folder")
def test_sarif(called: Call) -> None:
    """A log in SARIF 2.1.0: rules, levels, and places whose addresses are valid."""
    found = called("check", "nets", "none.net", "--format", "sarif")
    assert (found.status, found.err) == (1, "")
    run = check_sarif(found.out)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["E001", "E101", "W101"]
    assert all(rule["shortDescription"]["text"] == CODES[rule["id"]] for rule in rules)
    bad, warned, missing = run["results"]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]
    place = bad["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 2, "startColumn": 13, "endLine": 2, "endColumn": 16}
    assert unquote(place["artifactLocation"]["uri"]) == "nets/inner/bad: 1,2.net"
    assert " " not in place["artifactLocation"]["uri"]
    assert missing["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "none.net"}}}]
    assert warned["message"]["text"].startswith("POOL")


STRUCTURE: dict[str, dict[str, Any]] = {
    "log": {"$schema": str, "version": str, "runs": "run"},
    "run": {"tool": "tool", "columnKind": str, "results": "result"},
    "tool": {"driver": "driver"},
    "driver": {"name": str, "version": str, "rules": "rule"},
    "rule": {"id": str, "shortDescription": "message"},
    "result": {
        **{"ruleId": str, "ruleIndex": int, "level": str, "message": "message"},
        **{"locations": "location", "relatedLocations": "location"},
    },
    "message": {"text": str},
    "location": {"id": int, "message": "message", "physicalLocation": "place"},
    "place": {"artifactLocation": "file", "region": "region"},
    "file": {"uri": str},
    "region": dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), int),
}
OPTIONAL = {"relatedLocations", "id", "region"}  # the rest is always there, but for one message


def check_structure(value: Any, kind: str) -> None:
    """Objects as SARIF 2.1.0 defines them: the properties that we write, and no others."""
    if isinstance(value, list):
        for item in value:
            check_structure(item, kind)
        return
    known = STRUCTURE[kind]
    optional = OPTIONAL | ({"message"} if kind == "location" else set())
    assert value.keys() <= known.keys()
    assert known.keys() - optional <= value.keys()
    for name, item in value.items():
        expected = known[name]
        if isinstance(expected, str):
            check_structure(item, expected)
        else:
            assert type(item) is expected
            assert item if expected is str else item >= (name not in ("ruleIndex", "id"))


def check_sarif(text: str) -> dict[str, Any]:
    """The only run of a log that is valid, down to its addresses."""
    log = json.loads(text)
    check_structure(log, "log")
    assert log["$schema"].endswith("sarif-2.1.0.json")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert run["columnKind"] == "utf16CodeUnits"
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note", "none")
        assert len(result["locations"]) == 1
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"(?:file:///)?[\w.~!$&'()*+,;=@/%-]+", uri, re.ASCII)
            assert not re.search(r"%(?![0-9A-F]{2})|\\", uri)
    found: dict[str, Any] = run
    return found


@pytest.mark.parametrize(
    ("program", "columns"),
    [
        ('net "a" # b\nINPUT(4) -> FCC(3)\n', (13, 16)),
        ("INPUT(4) -> FCC(3)\r\n", (13, 16)),
        ('INPUT(4) as "\U0001f600" -> FCC(3)\n', (21, 24)),
        ('INPUT(4) as "\u4e2d\u6587" -> FCC(3)\n', (21, 24)),
        ('\ufeffINPUT(4) as "\U0001f600\U0001f600" -> FCC(3)\n', (23, 26)),
        ('INPUT(4) as "a\u0301" -> FCC(3)\n', (21, 24)),
    ],
)
def test_columns_are_those_of_editors(
    program: str, columns: tuple[int, int], called: Call, tmp_path: Path
) -> None:
    """Columns count code units of UTF-16 from 1, which the log says of itself."""
    (tmp_path / "a.net").write_bytes(program.encode())
    run = check_sarif(called("check", "a.net", "--format", "sarif").out)
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == columns
    annotation = called("check", "a.net", "--format", "github").out
    assert f",col={columns[0]},endLine={region['endLine']},endColumn={columns[1]}," in annotation


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("{here}/nets/b c.net", "nets/b%20c.net"),
        ("./nets/b c.net", "nets/b%20c.net"),
        ("nets/../nets/b c.net", "nets/b%20c.net"),
        ("a:b#%?.net", "a%3Ab%23%25%3F.net"),
        ("INPUT(4) -> FCC(3)", "%3Cchain%3E"),
        ("zoo:none", "zoo%3Anone"),
        ("/none/of/these.net", "file:///none/of/these.net"),
    ],
)
def test_addresses(file: str, uri: str, called: Call, tmp_path: Path) -> None:
    """Files below the current folder have relative addresses, others absolute ones."""
    (tmp_path / "nets").mkdir()
    for name in "nets/b c.net", "a:b#%?.net":
        (tmp_path / name).write_text(BAD, encoding="utf-8")
    given = file.format(here=os.path.realpath(tmp_path))
    run = check_sarif(called("check", given, "--format", "sarif").out)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


def test_what_github_takes_for_signs_of_its_own(called: Call, tmp_path: Path) -> None:
    """`%` is escaped everywhere, and colons and commas in properties only."""
    (tmp_path / "a:b,%.net").write_text('INPUT(4) -> FC(3)\nimport "50%: a, b"\n')
    (line,) = called("check", "a:b,%.net", "--format", "github").out.splitlines()
    assert line.startswith("::error file=a%3Ab%2C%25.net,line=2,col=")
    properties, message = line.removeprefix("::error ").split("::")
    assert all(":" not in text and text.count("=") == 1 for text in properties.split(","))
    assert message == "cannot read `50%25: a, b`: no such file or folder%0Ahelp: check the path"


@pytest.mark.parametrize(
    "arguments", [[GOOD], [WARNED], [WARNED, "--strict"], ["zoo:lenet5", BAD, "none.net", "."]]
)
def test_every_log_is_valid(arguments: list[str], called: Call) -> None:
    """Also without findings, with warnings alone, and of what is no file."""
    check_sarif(called("check", *arguments, "--format", "sarif").out)


def test_a_name_that_is_not_utf_8(called: Call, tmp_path: Path) -> None:
    """The bytes of a file's name stand in its address as they are."""
    name = b"b\xe9.net"
    try:
        (tmp_path / os.fsdecode(name)).write_text(BAD, encoding="utf-8")
    except OSError:
        pytest.skip("this file system refuses such names")
    run = check_sarif(called("check", os.fsdecode(name), "--format", "sarif").out)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "b%E9.net"
    (tmp_path / os.fsdecode(name)).unlink()
    text = called("check", os.fsdecode(name), "--format", "sarif").out
    assert "`b\ufffd.net`" in check_sarif(text)["results"][0]["message"]["text"]


def test_second_places(called: Call, tmp_path: Path) -> None:
    """A second culprit is a related location; a file that is imported is named itself."""
    text = "INPUT(4) -> FC(3) as a\na -> FC(3) as a\n"
    (tmp_path / "twice.net").write_text(text)
    run = check_sarif(called("check", f"{tmp_path}/twice.net", "--format", "sarif").out)
    (result,) = run["results"]
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["region"]["startLine"] == 1
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "twice.net"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["summary", BAD, "--json"], 1),
        (["diff", BAD, GOOD, "--json"], 2),
        (["diff", GOOD, BAD, "--json"], 2),
        (["evaluate", BAD, "--json"], 1),
        (["evaluate", GOOD, "--json"], 1),
        (["predict", GOOD, "--json"], 1),
        (["sanity", GOOD, "--json"], 1),
        (["gradcheck", BAD, "--json"], 1),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else "",
)
def test_errors_as_json(arguments: list[str], status: int, called: Call) -> None:
    """Where results are JSON, errors are, too, and standard error has them for people."""
    found = called(*arguments)
    assert found.status == status
    printed = json.loads(found.out)
    assert printed["ok"] is False
    first = printed["diagnostics"][0]
    assert found.err.startswith(f"error[{first['code']}]: {first['message']}\n")


def test_errors_as_text(called: Call) -> None:
    """Where results are no JSON, standard output stays empty."""
    for form in ["--csv"], ["--markdown"], []:
        assert called("summary", BAD, *form).out == ""
