"""`netc lsp`: a language server for editors, on standard input and output."""

import click

from ...runtime.extras import from_extra


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak on standard input and output, as always.")
def command(stdio: bool) -> None:
    """Serve editors: diagnostics, shapes, completion and more, while programs are written.

    Editors start it themselves, and speak the Language Server Protocol with it.
    """
    with from_extra("editors are served", "pygls", "editor"):
        import pygls.lsp.server  # noqa: F401 - loaded before modules of ours that need it
    from ...language_server.server import make_server

    make_server().start_io()
