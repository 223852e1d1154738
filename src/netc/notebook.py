"""What `%load_ext netc` adds to a notebook: cells that hold a program, `%%net [name]`."""

from keyword import iskeyword
from typing import Any

from .grammar.diagnostics import Diagnostic, NetError, error
from .loading import compile
from .network import Network

MAGIC = "net"


def register(shell: Any) -> None:
    """Give an IPython shell the cell magic."""

    def cell(line: str, text: str) -> Any:
        return run_cell(shell, line, text)

    shell.register_magic_function(cell, magic_kind="cell", magic_name=MAGIC)


def run_cell(shell: Any, line: str, text: str) -> "Network | Problems":
    """Compile a cell and bind the network to a name: the given one, the program's own, or `net`.

    Returns:
        What the notebook shows: the network, or what is wrong with its program.
    """
    try:
        name = line.strip()
        if name and not _bindable(name):
            help = "write `%%net` or, to name the network, `%%net lenet`"
            raise error("E101", f"`{name}` is not a name for a network", help=help)
        net = compile(text, name="<net>")
    except NetError as failure:
        return Problems(failure.diagnostics)
    own = net.name if _bindable(net.name) else MAGIC
    shell.push({name or own: net})
    return net


def _bindable(name: str) -> bool:
    """Whether Python takes a word as a name."""
    return name.isidentifier() and not iskeyword(name)


class Problems(tuple[Diagnostic, ...]):
    """Diagnostics, as a notebook shows them."""

    def __repr__(self) -> str:
        return str(NetError(self))

    def _repr_html_(self) -> str:
        return NetError(self)._repr_html_()
