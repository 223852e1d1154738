"""A command that several processes run together: one speaks, and what ends one ends all."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout

import click

from ..grammar.diagnostics import NetError
from ..runtime.ranks.launch import launch
from ..runtime.ranks.team import ALONE, Team, join
from .terminal import show_diagnostics

GRACE, STAGGER = 0.5, 0.05  # seconds that a rank leaves to those before it, to say what failed


@contextmanager
def together() -> Iterator[Team]:
    """The ranks that a launcher such as `mpiexec` started; without one, this process alone.

    The first rank speaks for all: what others print is lost. An error on any rank ends all of
    them, because they would wait for each other: the first to fail says what it is.

    Raises:
        NetError: E548 on the first rank, the others end without a word.
    """
    started = launch()
    if started.size == 1:
        yield ALONE
        return
    team: Team | None = None
    try:
        with ExitStack() as silent:
            if started.rank:
                nowhere = silent.enter_context(open(os.devnull, "w", encoding="utf-8"))
                silent.enter_context(redirect_stdout(nowhere))
                silent.enter_context(redirect_stderr(nowhere))
            try:
                team = join()
            except NetError:
                if started.rank:
                    sys.exit(0)  # or the launcher would end the first one before it has spoken
                raise
            yield team
    except (click.ClickException, KeyboardInterrupt) as ended:  # which all ranks come to
        if started.rank:
            sys.exit(ended.exit_code if isinstance(ended, click.ClickException) else 130)
        raise
    except Exception as failure:
        if team is None:
            raise
        _end_all(team, failure)


def _end_all(team: Team, failure: Exception) -> None:
    """Say what failed, unless an earlier rank has said it meanwhile, and end all ranks."""
    if team.rank:
        time.sleep(GRACE + STAGGER * team.rank)
        click.echo(f"on rank {team.rank} of {team.size}:", err=True)
    if isinstance(failure, NetError):
        show_diagnostics(failure.diagnostics)
    else:
        traceback.print_exception(failure)
    sys.stdout.flush()
    sys.stderr.flush()
    team.abort(1)
