"""What a shell completes: files, shipped specs as `zoo:NAME`, and the choices of options."""

from collections.abc import Callable, Iterable
from typing import ClassVar

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from ..sources import ZOO, zoo

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_file(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The shipped specs after `zoo:`, with and without their folders; files otherwise."""
    if not incomplete.startswith(ZOO.rstrip(":")):
        return [CompletionItem(incomplete, type="file")]
    names = sorted({each for name in zoo() for each in (name, name.rsplit("/", 1)[-1])})
    items = (CompletionItem(f"{ZOO}{name}") for name in names)
    return [item for item in items if item.value.startswith(incomplete)]


def one_of(names: Iterable[str]) -> Completer:
    """Completes the names of a choice."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


class ColonComplete(BashComplete):
    """Bash, which otherwise takes the colon of `zoo:NAME` for the end of a word."""

    source_template: ClassVar[str] = (
        f"COMP_WORDBREAKS=${{COMP_WORDBREAKS//:}}\n{BashComplete.source_template}"
    )


add_completion_class(ColonComplete)
