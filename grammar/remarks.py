"""What a program says of its own definitions: their signatures, and the comments before them."""

from . import ast
from .source import Source


def signature(statement: ast.BlockStatement | ast.FunctionStatement) -> str:
    """What a block or a function takes, as its definition says."""
    given = ", ".join(parameter.span.text for parameter in statement.parameters)
    tensors = ", ".join(name.id for name in getattr(statement, "inputs", ()))
    if tensors:
        given = f"{given}; {tensors}"
    return f"{statement.name}({given})" if given else statement.name


def remark(source: Source, start: int) -> str:
    """The comment in the lines directly before a statement, as one text; empty without one.

    The comment that opens a file is the file's.
    """
    number = source.locate(start)[0]
    before = number
    while before > 1 and source.line(before - 1).startswith("#"):
        before -= 1
    if before == 1:
        return ""
    lines = (source.line(each).strip("# ") for each in range(before, number))
    return " ".join(filter(None, lines))
