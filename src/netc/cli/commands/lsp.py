"""`netc lsp`: a language server for editors, on standard input and output."""

import click


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak on standard input and output, as always.")
def command(stdio: bool) -> None:
    """Serve editors: diagnostics, shapes, completion and more, while programs are written.

    Editors start it themselves, and speak the Language Server Protocol with it.
    """
    try:
        from ...language_server.server import make_server
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        from ...runtime.data.faults import not_installed  # with NumPy, which servers start without

        raise not_installed("editors are served", "pygls", "editor") from None
    make_server().start_io()
