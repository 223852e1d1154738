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


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash(tmp_path: Path) -> None:
    """Bash completes what follows the colon of `zoo:NAME`."""
    command = tmp_path / "netc"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m netc "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(_NETC_COMPLETE=bash_source netc)"\n'
        "COMP_WORDS=(netc check zoo:lenet) COMP_CWORD=2\n"
        "_netc_completion netc\n"
        'printf "%s\\n" "${COMPREPLY[@]}" "$COMP_WORDBREAKS"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        env={**ENVIRONMENT, "PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    reply, *breaks = done.stdout.splitlines()
    assert reply == "zoo:lenet5", done.stderr
    assert ":" not in "".join(breaks)
