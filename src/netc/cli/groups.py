"""Groups of commands, which answer a misspelled one with the one that is meant."""

from importlib import import_module
from typing import Any

import click


def diagnostics() -> Any:
    """The module of errors, which is loaded when something fails, or by a command."""
    return import_module("...grammar.diagnostics", __name__)


class SuggestingGroup(click.Group):
    """A group that answers a misspelled command with the one that is meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            near = diagnostics().did_you_mean(name, known)
            raise click.UsageError(f"no command `{name}`" + (f"; {near}" if near else ""), ctx)
        return super().resolve_command(ctx, args)
