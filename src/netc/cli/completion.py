"""What a shell completes: files, shipped specs as `zoo:NAME`, and the choices of options."""

import os
from collections.abc import Callable, Iterable

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from ..sources import ZOO, zoo

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_file(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Shipped specs, `.net` files and folders; where none fits, the shell completes a path."""
    programs, folders = _paths(incomplete)
    specs = _specs(incomplete)
    if not programs and not specs and not incomplete.startswith(ZOO):
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(value) for value in (*specs, *programs, *folders)]


def _specs(incomplete: str) -> list[str]:
    """The shipped specs as `zoo:NAME`, with and without their folders."""
    if not incomplete or not (incomplete.startswith(ZOO) or ZOO.startswith(incomplete)):
        return []
    names = sorted({each for name in zoo() for each in (name, name.rsplit("/", 1)[-1])})
    return [ZOO + name for name in names if (ZOO + name).startswith(incomplete)]


def _paths(incomplete: str) -> tuple[list[str], list[str]]:
    """The `.net` files and the folders whose paths start with what was typed."""
    folder, start = os.path.split(incomplete)
    try:
        names = sorted(os.listdir(os.path.expanduser(folder) or "."))
    except (OSError, ValueError):
        return [], []
    shown = [name for name in names if name.startswith(start) and not name.startswith(".")]
    paths = [os.path.join(folder, name) for name in shown]
    folders = [f"{path}/" for path in paths if os.path.isdir(os.path.expanduser(path))]
    return [path for path in paths if path.endswith(".net")], folders


def complete_path(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Any path, by the shell."""
    return [CompletionItem(incomplete, type="file")]


def one_of(names: Iterable[str]) -> Completer:
    """Completes the names of a choice."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


class JoinedWords(BashComplete):
    """Bash, which breaks words at colons and equals signs before netc sees them."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and that word, as the user typed them."""
        words, last = super().get_completion_args()
        *before, self.word = _joined([*words, last])
        return before, self.word

    def format_completion(self, item: CompletionItem) -> str:
        """What bash puts in place of the part after the last colon."""
        known = self.word.rfind(":") + 1
        if item.type == "plain" and item.value.startswith(self.word[:known]):
            item = CompletionItem(item.value[known:], item.type, item.help)
        return super().format_completion(item)


def _joined(words: Iterable[str]) -> list[str]:
    """`zoo`, `:`, `lenet5` as one word; `--theme`, `=`, `dark` as two."""
    found: list[str] = []
    for word in words:
        if found and word and (word[0] == ":" or found[-1].endswith(":")):
            found[-1] += word
        elif not (word == "=" and found and found[-1].startswith("--")):
            found.append(word)
    return found


class _WholeWords(ShellComplete):
    """A shell that replaces a word such as `--theme=d` as a whole."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and that word."""
        before, word = super().get_completion_args()
        option, separator, _ = word.partition("=")
        self.option = option + separator if option.startswith("--") and separator else ""
        return before, word

    def format_completion(self, item: CompletionItem) -> str:
        """What the shell puts in place of the word."""
        return super().format_completion(
            CompletionItem(self.option + item.value, item.type, item.help)
        )


class ZshWords(_WholeWords, ZshComplete):
    """Zsh, which completes paths after `--weights=` once it is set aside."""

    source_template = ZshComplete.source_template.replace(
        "_path_files", "compset -P '--*='; _path_files"
    )


class FishWords(_WholeWords, FishComplete):
    """Fish, for words that may hold commas."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


for shell in JoinedWords, ZshWords, FishWords:
    add_completion_class(shell)
