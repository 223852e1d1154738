"""Statements and blocks -> the text of a program."""

from collections.abc import Iterable, Iterator

from ...grammar.formatting.formatter import format_source
from ...grammar.source import Source
from .spelling import label_text, spelled
from .tree import (
    Argument,
    Block,
    Call,
    Chain,
    Choice,
    Group,
    Loop,
    Reference,
    Statement,
    Step,
    Value,
)

WIDTH = 96  # columns; the formatter breaks what is wider than its own limit


def program_text(name: str, blocks: Iterable[Block], statements: Iterable[Statement]) -> str:
    """The canonical text of a program."""
    parts = [f"net {name}\n"]
    parts += [f"{_block(block)}\n" for block in blocks]
    parts.append("".join(f"{_statement(statement)}\n" for statement in statements))
    return format_source(Source("<program>", "\n".join(parts)))


def _block(block: Block) -> str:
    parameters = f"({', '.join(block.parameters)})" if block.parameters else ""
    return f"block {block.name}{parameters} {{\n  {_chain(block.body, indent=4)}\n}}"


def _statement(statement: Statement) -> str:
    if not statement.chain:
        return statement.target
    return statement.target + _chain(statement.chain, used=len(statement.target))


def _chain(chain: Chain, *, used: int = 0, indent: int = 2) -> str:
    """A chain in lines of as many steps as fit; a step that does not fit has lines of its own."""
    lines: list[str] = []
    line, width = "", used + 2
    for text in _steps(chain):
        if line and (width + len(text) + 4 > WIDTH or len(text) > WIDTH - indent):
            lines.append(line)
            line, width = "", indent + 3
        line = f"{line} -> {text}" if line else text
        width += len(text) + 4
    lines.append(line)
    return f"\n{' ' * indent}-> ".join(lines)


def _steps(chain: Chain) -> Iterator[str]:
    for step in chain:
        label = getattr(step, "label", None)
        text = _step(step)
        yield text if label is None else f"{text} as {_label(label)}"


def _label(label: str) -> str:
    return label if _is_computed(label) else label_text(label)


def chain_text(chain: Chain) -> str:
    """A chain in one line."""
    return " -> ".join(_steps(chain)) or "ID"


def _step(step: Step) -> str:
    match step:
        case Call():
            arguments = ", ".join(filter(None, map(_argument, step.arguments)))
            return f"{step.kind}({arguments})" if arguments else step.kind
        case Reference(name):
            return name
        case Group(branches):
            return f"( {' | '.join(map(chain_text, branches))} )"
        case Loop(body, _, stop, "", variable="") if not _is_computed(step.label):
            times = spelled(stop)
            return f"[{chain_text(body)}]*{times if times.isalnum() else f'({times})'}"
        case Loop(body, start, stop, head, variable=variable):
            head = head or f"{variable} in {_range(start, stop)}"
            return f"for {head} {{ {chain_text(body)} }}"
        case Choice(condition, body):
            return f"if {condition} {{ {chain_text(body)} }}"


def _is_computed(label: str | None) -> bool:
    return label is not None and "{" in label


def _range(start: Value, stop: Value) -> str:
    return f"range({'' if start == 0 else f'{spelled(start)}, '}{spelled(stop)})"


def _argument(argument: Argument) -> str:
    if argument.value == argument.default and not argument.always:
        return ""
    text = spelled(argument.value)
    return text if argument.bare else f"{argument.name}={text}"
