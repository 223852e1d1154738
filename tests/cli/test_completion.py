"""What shells are told to complete."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from support.command_line import ENVIRONMENT

from netc.cli import COMMANDS, cli

PROGRAMS = (
    *("check", "summary", "draw", "export", "build", "run", "train", "evaluate", "predict"),
    *("sanity", "gradcheck", "features", "fmt", "diff"),
)


def completed(*arguments: str) -> list[str]:
    """The completions of the last argument."""
    *before, incomplete = arguments
    found = ShellComplete(cli, {}, "netc", "_NETC_COMPLETE").get_completions(before, incomplete)
    return [item.value for item in found]


def test_commands() -> None:
    """Commands complete with what they do, without loading their modules."""
    assert completed("su") == ["summary"]
    assert completed("") == list(COMMANDS)
    assert "--version" in completed("--v")


@pytest.mark.parametrize(
    "before",
    [*([name] for name in PROGRAMS), ["check", "a.net"], ["diff", "a.net"]],
    ids=" ".join,
)
def test_shipped_specs(before: list[str]) -> None:
    """Wherever a program is expected, `zoo:` names complete, with and without folders."""
    assert completed(*before, "zoo:resnet1") == [
        "zoo:resnet101",
        "zoo:resnet152",
        "zoo:resnet18",
    ]
    assert "zoo:resnet/resnet18" in completed(*before, "zoo:resnet/")
    assert completed(*before, "zoo:nothing") == []
    assert completed(*before, "net") == ["net"]  # which the shell completes as a file


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["draw", "--style", ""], ["graph", "backward"]),
        (["draw", "--direction", "T"], ["TB"]),
        (["draw", "--theme", ""], ["light", "dark"]),
        (["draw", "--format", "p"], ["png", "pdf"]),
        (["check", "--format", ""], ["text", "json", "github", "sarif"]),
        (["run", "--engine", "o"], ["onnxruntime"]),
        (["train", "--device", ""], ["cpu", "cuda"]),
        (["predict", "--engine", ""], ["numpy", "onnxruntime"]),
        (["summary", "--columns", "layer,mac"], ["layer,macs"]),
        (["explain", "E20"], [f"E20{n}" for n in range(1, 7)]),
        (["evaluate", "--part", "v"], ["validation"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_choices(arguments: list[str], names: list[str]) -> None:
    """The choices of options and arguments complete."""
    assert completed(*arguments) == names


def test_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are offered, and folders beside them; where none fits, the shell completes paths."""
    for name in ("lenet.net", "mlp.net", "data.csv", "nets/vgg.net"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("INPUT(2) -> FC(1)")
    monkeypatch.chdir(tmp_path)
    assert completed("fmt", "m") == ["mlp.net"]
    assert completed("check", "nets/") == ["nets/vgg.net"]
    assert completed("diff", "lenet.net", "") == ["lenet.net", "mlp.net", "nets/"]
    assert "zoo:lenet5" in completed("train", "z")
    for typed in ("ne", "data", "missing/x"):
        items = ShellComplete(cli, {}, "netc", "_NETC_COMPLETE").get_completions(["run"], typed)
        assert [(item.type, item.value) for item in items] == [("file", typed)]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("check zoo : lenet", ["lenet5"]),  # as bash breaks `zoo:lenet`
        ("check zoo : resnet/resnet1", [f"resnet/resnet{n}" for n in (101, 152, 18)]),
        ("diff zoo : lenet5 zoo : xno", ["xnor"]),
        ("draw --theme = d", ["dark"]),
        ("draw --style b", ["backward"]),
    ],
)
def test_bash(tmp_path: Path, words: str, reply: list[str]) -> None:
    """Bash completes what follows a colon or an equals sign, and keeps its settings."""
    command = tmp_path / "netc"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m netc "$@"\n')
    command.chmod(0o755)
    script = (
        'before=$COMP_WORDBREAKS; eval "$(_NETC_COMPLETE=bash_source netc)"\n'
        f"COMP_WORDS=(netc {words}) COMP_CWORD={len(words.split())}\n"
        "_netc_completion netc\n"
        '[[ $before == "$COMP_WORDBREAKS" ]] && printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        env={**ENVIRONMENT, "PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == reply, done.stderr
