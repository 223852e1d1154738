"""What hovering over text shows: what is called, what it takes, what comes of it."""

from collections.abc import Iterator, Sequence

from lsprotocol.types import Hover, MarkupContent, MarkupKind, Position

from ..compiler.expressions.arguments import spell
from ..compiler.expressions.evaluate import Function, Namespace
from ..compiler.expressions.recovery import POISON
from ..compiler.ir.types import author_size
from ..compiler.training.settings import EXAMPLE_VALUES, SETTINGS
from ..grammar import ast
from ..grammar.source import Span
from ..summary.rows import LayerRow
from .document import Document
from .names import Definition
from .places import offset_of, range_of
from .shapes import sizes
from .signatures import Signature, signature_of
from .surroundings import surroundings


def hover(document: Document, place: Position) -> Hover | None:
    """What hovering over a place shows; None where nothing is known of it."""
    offset = offset_of(document.source, place)
    token = next((t for t in document.tokens if t.start_pos <= offset < t.end_pos), None)
    if token is None or token.type in ("COMMENT", "STRING"):
        return None
    span = Span(document.source, token.start_pos, token.end_pos)
    text = "\n\n".join(filter(None, _paragraphs(document, span)))
    if not text:
        return None
    return Hover(MarkupContent(MarkupKind.Markdown, text), range_of(span))


def _paragraphs(document: Document, word: Span) -> Iterator[str]:
    around = surroundings(document.source, word.end)
    home = document.compiled.home
    setting = around.setting if around.in_train else None
    follows = document.source.text[word.end : word.end + 1]
    if around.in_train and setting is None and word.text in SETTINGS:
        yield from _setting_text(word.text)
        return
    if around.call is not None and _is_keyword(document, word):
        called = signature_of(around.call.name, home, setting)
        taken = called and called.argument(word.text)
        if called and taken:
            accepts = f": {taken.accepts}" if taken.accepts else ""
            yield f"{_code(taken.text)}\n\nof `{called.name}`{accepts}"
            return
    names = document.names
    definition = None if names is None else names.definition_at(word.start)
    step = document.step_at(word.start)
    called = signature_of(_whole(document, word), home, setting)
    is_called = step is None or step.item.span.start == word.start or follows == "("
    if called is not None and (definition is None or definition.kind in ("block", "function")):
        if is_called or definition is not None:
            yield from _signature_text(called)
    elif definition is not None:
        yield from _definition_text(document, definition)
    if step is not None and _names_step(step, word):
        yield from _step_text(document, step)


def _is_keyword(document: Document, word: Span) -> bool:
    rest = document.source.text[word.end :].lstrip()
    return rest.startswith("=") and not rest.startswith("==")


def _whole(document: Document, word: Span) -> str:
    """A word with the import's name before it: `r.Basic`."""
    text = document.source.text
    start = word.start
    if text[start - 1 : start] == ".":
        start -= 1
        while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
            start -= 1
    return text[start : word.end]


def _names_step(step: ast.Step, word: Span) -> bool:
    """Whether a word is what a step calls, or its label."""
    item = step.item
    if step.label is not None and step.label.span.start <= word.start < step.label.span.end:
        return True
    if isinstance(item, ast.Call):
        return item.name_span.start <= word.start < item.name_span.end
    return isinstance(item, ast.Reference | ast.Shorthand)


def _code(text: str) -> str:
    return f"```net\n{text}\n```"


def _signature_text(called: Signature) -> Iterator[str]:
    yield _code(called.text)
    yield called.about


def _setting_text(name: str) -> Iterator[str]:
    example = EXAMPLE_VALUES.get(name)
    yield _code(f"{name} = {example}" if example else name)
    yield "A setting of the `train` block."


def _definition_text(document: Document, definition: Definition) -> Iterator[str]:
    """What a name stands for: the value of a `let`, the shape of a tensor."""
    compiled = document.compiled
    home = compiled.home
    value = home.lets.get(definition.name)
    if definition.kind == "value" and value is not None and not isinstance(value, Function):
        yield _code(f"let {definition.name} = {spell(value)}")
    elif definition.kind == "import" and isinstance(value, Namespace):
        yield _code(definition.syntax.span.text)
    elif definition.kind == "parameter":
        yield _code(definition.syntax.span.text)
        yield "A parameter."
    elif definition.name in compiled.graph.labels:
        tensor = compiled.graph.labels[definition.name]
        if tensor is not POISON:
            yield _code(f"{definition.name}: {author_size(tensor.type)}")
    else:
        yield f"A {definition.kind}."


def _step_text(document: Document, step: ast.Step) -> Iterator[str]:
    """What comes into a step and out of it, each time, and what its layers hold and cost."""
    turns = document.compiled.trace.get(step.item.span, [])
    if not turns:
        return
    rows = [document.rows[path] for path in document.layers_of(step) if path in document.rows]
    first, last = turns[0], turns[-1]
    lines = [f"{sizes(first.came)} → {sizes(first.went)}" if first.came else sizes(first.went)]
    if len(turns) > 1:
        lines[0] += f" … {sizes(last.came)} → {sizes(last.went)}"
        lines.append(f"{len(turns):,} times")
    lines += _facts(rows)
    yield "  \n".join(lines)


def _facts(rows: Sequence[LayerRow]) -> Iterator[str]:
    """Parameters, operations and receptive field of the layers that a step stands for."""
    if not rows:
        return
    params, macs = sum(row.params for row in rows), [row.macs for row in rows]
    if params:
        yield f"{params:,} parameters"
    if any(each != 0 for each in macs):
        total = sum(macs[1:], macs[0])
        yield f"{total:,} MACs" if isinstance(total, int) else f"{total} MACs"
    fields = [row.receptive_field for row in rows if row.receptive_field]
    if fields:
        first, last = ("x".join(map(str, field)) for field in (fields[0], fields[-1]))
        yield f"receptive field {last}" if first == last else f"receptive field {first} … {last}"
