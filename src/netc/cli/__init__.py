"""The command line. Each command's module is loaded when the command is called, not before."""

import errno
import gc
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from .groups import SuggestingGroup, diagnostics
from .streams import discard_output, prepare_streams

# command -> (module, what `netc --help` says of it)
COMMANDS = {
    "new": ("new", "Write a first program for a task."),
    "check": ("check", "Parse, check shapes and assertions."),
    "summary": ("summary", "Print the layer table."),
    "draw": ("draw", "Draw the network as SVG, PNG, PDF or DOT."),
    "export": ("export", "Write an ONNX model, or a file of Python for PyTorch."),
    "import": ("import_", "Write an ONNX model as a program, with its weights."),
    "build": ("build", "Check, table, diagram, ONNX and verified run in one go."),
    "run": ("run", "Run a network on an array."),
    "train": ("train", "Train a network as its `train` block says."),
    "evaluate": ("evaluate", "Measure a trained network on a data set."),
    "predict": ("predict", "Predict new samples with a trained network."),
    "sanity": ("sanity", "Check data, loss, activations and gradients before training."),
    "gradcheck": ("gradcheck", "Compare gradients with central differences."),
    "bench": ("bench", "Time a network on its engines, beside PyTorch."),
    "plan": ("plan", "Predict how fast several workers train."),
    "features": ("features", "Write the output of a layer for each sample to a file."),
    "show": ("show", "Draw filters, feature maps, curves, regions, predictions and more."),
    "report": ("report", "Write a page of HTML with diagram, layers, formulas and a run."),
    "diff": ("diff", "Show what changed between two networks."),
    "fmt": ("fmt", "Rewrite programs in their canonical form."),
    "lsp": ("lsp", "Serve editors: diagnostics, shapes, completion."),
    "explain": ("explain", "Explain the code of an error or a warning."),
    "zoo": ("zoo", "List the shipped specs with their counts."),
}

COMPLETION = "_NETC_COMPLETE"  # set by the shell that asks what to complete


class LazyGroup(SuggestingGroup):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command from its module, which is loaded now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".commands.{COMMANDS[cmd_name][0]}", __name__)
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command; where it fails and was to print JSON, print the errors as JSON."""
        try:
            return super().invoke(ctx)
        except diagnostics().NetError as failure:
            if ctx.meta.get("netc.json"):
                click.echo(import_module(".terminal", __name__).to_json(failure.diagnostics))
            raise

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and the group's own options, without loading any command."""
        found = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with a line each, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Instead of a FILE you can give a quoted chain, `-` for standard input, or `zoo:NAME` "
    "for a shipped spec.",
)
@click.version_option(__version__, prog_name="netc")
def cli() -> None:
    """netc: write a neural network as on a whiteboard; check it, count it, run it, export it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 success, 1 errors in the input, 2 wrong usage.

    A process that ends soon collects no cycles: that makes start-up a quarter faster.
    """
    gc.disable()
    prepare_streams()
    warnings.showwarning = _show_warning
    sys.exit(run(arguments))


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print what Python warns of as netc prints its own warnings, without a line of its source."""
    click.echo(f"warning: {message}\n", err=True)


def _output_failed(failure: OSError) -> int:
    """The exit code after a failed write: a reader that left is not an error, a full device is."""
    discard_output()
    if failure.errno == errno.EPIPE:
        return 0
    full = diagnostics().Diagnostic("E004", f"cannot write to standard output: {failure.strerror}")
    import_module(".terminal", __name__).show_diagnostics([full])
    return 1


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; diagnostics go to standard error."""
    if COMPLETION in os.environ:
        import_module(".completion", __name__)  # knows how shells take `zoo:NAME`
    try:
        code = cli.main(args=arguments, prog_name="netc", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as wrong_usage:
        wrong_usage.show()
        return wrong_usage.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except SystemExit:
        if isinstance(sys.stdout, TextIOWrapper):
            raise
        return _output_failed(BrokenPipeError(errno.EPIPE, ""))  # click has wrapped a broken pipe
    except OSError as failure:
        if failure.filename is not None:
            raise
        return _output_failed(failure)
    except diagnostics().NetError as failure:
        import_module(".terminal", __name__).show_diagnostics(failure.diagnostics)
        return 1
    except MemoryError:
        help = "run smaller batches or smaller inputs"
        full = diagnostics().Diagnostic("E507", "there is not enough memory", help=help)
        import_module(".terminal", __name__).show_diagnostics([full])
        return 1
    return code if isinstance(code, int) else 0
