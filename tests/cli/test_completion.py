"""What shells are told to complete."""

import os
import pty
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from support.command_line import ENVIRONMENT, netc_process

from netc.choices import STYLES
from netc.cli import COMMANDS, cli
from netc.cli.completion import FishWords, ZshWords

PROGRAMS = (
    *("check", "summary", "draw", "export", "build", "run", "train", "evaluate", "predict"),
    *("sanity", "gradcheck", "bench", "features", "fmt", "diff"),
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
    [*([name] for name in PROGRAMS), ["check", "a.net"], ["diff", "a.net"], ["show", "filters"]],
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
        (["draw", "--style", ""], [*STYLES]),
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
        (["show", "s"], ["saliency", "samples"]),
        (["show", "maps", "--part", "v"], ["validation"]),
        (["show", "filters", "--format", "p"], ["png", "pdf"]),
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


@pytest.mark.parametrize(
    "option",
    [["run", "--input"], ["draw", "--target"], ["train", "-o"], ["show", "maps", "--input"]],
)
def test_paths(option: list[str]) -> None:
    """Where a path is expected, the shell completes it."""
    items = ShellComplete(cli, {}, "netc", "_NETC_COMPLETE").get_completions(option, "x")
    assert [(item.type, item.value) for item in items] == [("file", "x")]


def replied(shell: str, words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that a shell gets which asks to complete the last of some words."""
    words = f"netc {words}"
    last = words.rsplit(" ", 1)[-1]
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", last if shell == "fish" else str(words.count(" ")))
    found = {"zsh": ZshWords, "fish": FishWords}[shell]
    return found(cli, {}, "netc", "_NETC_COMPLETE").complete().splitlines()


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("su", ["plain", "summary", "Print the layer table."]),
        ("check zoo:xno", ["plain", "zoo:xnor", "_"]),
        ("draw --theme d", ["plain", "dark", "_"]),
        ("draw --theme=d", ["plain", "--theme=dark", "_"]),
        ("summary --columns layer,mac", ["plain", "layer,macs", "_"]),
        ("run --input x", ["file", "x", "_"]),
    ],
)
def test_zsh(words: str, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Zsh gets three lines for each completion: its type, the word, and what it is."""
    assert replied("zsh", words, monkeypatch) == lines


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("su", ["plain,summary\tPrint the layer table."]),
        ("che", ["plain,check\tParse, check shapes and assertions."]),
        ("diff a.net zoo:xno", ["plain,zoo:xnor"]),
        ("draw --theme d", ["plain,dark"]),
        ("draw --theme=d", ["plain,--theme=dark"]),
        ("summary --columns layer,mac", ["plain,layer,macs"]),
        ("summary --columns=layer,mac", ["plain,--columns=layer,macs"]),
        ("run --input x", ["file,x"]),
    ],
)
def test_fish(words: str, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Fish gets a line for each completion, with the whole word that it puts in place."""
    assert replied("fish", words, monkeypatch) == lines


@pytest.mark.parametrize(
    ("shell", "parts"),
    [
        ("bash", ["complete -o nosort -F _netc_completion netc"]),
        ("zsh", ["#compdef netc", "compset -P '--*='; _path_files -f", "compdef _netc_completion"]),
        ("fish", ['split --max 1 "," $completion', "complete --no-files --command netc"]),
    ],
)
def test_scripts(shell: str, parts: list[str], tmp_path: Path) -> None:
    """`_NETC_COMPLETE=SHELL_source netc` prints the script, with what we change in click's."""
    environment = {**ENVIRONMENT, "_NETC_COMPLETE": f"{shell}_source"}
    found = netc_process(cwd=tmp_path, env=environment).quiet()
    assert all(part in found.out for part in parts)


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("summary --columns layer,mac", ["layer,macs"]),
        ("draw --theme=d", ["--theme=dark"]),
        ("check zoo:xno", ["zoo:xnor"]),
    ],
)
def test_fish_itself(tmp_path: Path, words: str, reply: list[str]) -> None:
    """Fish reads the script, and completes by it."""
    script = f"_NETC_COMPLETE=fish_source netc | source; complete -C 'netc {words}'"
    assert in_shell(["fish", "--no-config", "-c", script], tmp_path) == reply


def in_shell(command: list[str], folder: Path) -> list[str]:
    """What a shell prints in which `netc` is this checkout's."""
    environment = environment_with_netc(folder)
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert not done.stderr
    return done.stdout.splitlines()


def environment_with_netc(folder: Path) -> dict[str, str]:
    """An environment whose `netc` is this checkout's, and whose home is a folder."""
    program = folder / "netc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m netc "$@"\n')
    program.chmod(0o755)
    return {**ENVIRONMENT, "PATH": f"{folder}:{ENVIRONMENT['PATH']}", "HOME": str(folder)}


# Tab completes, and ctrl-X writes the line as it then is.
ZSHRC = """
autoload -Uz compinit && compinit -u -d $HOME/dump
eval "$(_NETC_COMPLETE=zsh_source netc)"
bindkey '^I' complete-word
written() { print -r -- "$BUFFER" > $HOME/line; exit }
zle -N written
bindkey '^X' written
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("check zoo:xno", "check zoo:xnor "),
        ("draw --theme=d", "draw --theme=dark "),
        ("run --input pic", "run --input picture.npy "),
        ("check nets/", "check nets/a.net "),
    ],
)
def test_zsh_itself(tmp_path: Path, typed: str, line: str) -> None:
    """Zsh reads the script in its start-up file, and completes what is typed."""
    (tmp_path / ".zshrc").write_text(ZSHRC)
    (tmp_path / "picture.npy").touch()
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "a.net").touch()
    ours, theirs = pty.openpty()
    environment = environment_with_netc(tmp_path) | {"ZDOTDIR": str(tmp_path), "TERM": "dumb"}
    shell = subprocess.Popen(
        ["zsh", "-i"], env=environment, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, f"netc {typed}\t\x18".encode())
    with suppress(OSError):  # which the end of a terminal is
        while os.read(ours, 1024):
            pass
    os.close(ours)
    shell.wait(60)
    assert (tmp_path / "line").read_text() == f"netc {line}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_manual_says_how(shell: str) -> None:
    """The manual's line for each shell is the one that is tested here."""
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    form = "{} \\| source" if shell == "fish" else 'eval "$({})"'
    assert form.format(f"_NETC_COMPLETE={shell}_source netc") in page


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
    script = (
        'before=$COMP_WORDBREAKS; eval "$(_NETC_COMPLETE=bash_source netc)"\n'
        f"COMP_WORDS=(netc {words}) COMP_CWORD={len(words.split())}\n"
        "_netc_completion netc\n"
        '[[ $before == "$COMP_WORDBREAKS" ]] && printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    assert in_shell(["bash", "-c", script], tmp_path) == reply


def test_no_two_options_of_a_command_have_one_name() -> None:
    """Of two that share a parameter, one's default replaces what the other was given.

    Flags may, each of which stands for a value.
    """
    with click.Context(cli) as parent:
        found = [cli.get_command(parent, name) for name in COMMANDS]
        for command in [command for command in found if command is not None]:
            inner = [*getattr(command, "commands", {}).values()] or [command]
            for each in inner:
                taking = [p for p in each.params if not getattr(p, "is_flag", False)]
                names = [parameter.name for parameter in taking]
                assert len(set(names)) == len(names), each.name
