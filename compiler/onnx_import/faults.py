"""What a model may not do: the errors that all stages of reading one raise."""

from ...grammar.diagnostics import NetError, error


def fault(message: str, *, help: str | None = None) -> NetError:
    """E576: the model breaks a rule of the ONNX standard."""
    return error("E576", message, help=help)


def lost(message: str, *, help: str | None = None) -> NetError:
    """E577: data that lie in other files are not to be had."""
    return error("E577", message, help=help)


def shown(name: str) -> str:
    """A name as messages show it, however long."""
    return f"`{name}`" if len(name) <= 80 else f"`{name[:77]}...`"
