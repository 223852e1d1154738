"""What may be written at a place: what can be called, arguments, names, settings, files."""

import os
from collections.abc import Container, Iterator
from pathlib import Path

from lsprotocol.types import (
    Command,
    CompletionItem,
    CompletionItemKind,
    MarkupContent,
    MarkupKind,
    ParameterInformation,
    Position,
    SignatureHelp,
    SignatureInformation,
)

from ..compiler.analysis.quantities import OF_LABEL, OF_NETWORK
from ..compiler.expressions.evaluate import Namespace
from ..compiler.expressions.functions import FUNCTIONS
from ..compiler.expressions.tensor_attributes import TENSOR_ATTRIBUTES
from ..compiler.layers.layerdef import LAYERS
from ..compiler.lower.definitions import LIBRARY, SHARED
from ..compiler.ops.opdef import OPS
from ..compiler.training.settings import SETTINGS
from ..compiler.training.term_table import TERMS
from .document import Document
from .names import Kind
from .places import offset_of
from .signatures import Signature, kind_of_setting, signature_of
from .surroundings import OpenCall, Surroundings, surroundings

STATEMENTS = ("net", "import", "let", "block", "default", "output", "assert", "train", "language")
STEPS = ("in", "for", "if", "inline")
_PATHS = (None, "path", "labels")  # arguments of data that name files
_SUGGEST = Command("Suggest", "editor.action.triggerSuggest")

_KINDS: dict[Kind, CompletionItemKind] = {
    "block": CompletionItemKind.Class,
    "function": CompletionItemKind.Function,
    "value": CompletionItemKind.Constant,
    "parameter": CompletionItemKind.Variable,
    "tensor": CompletionItemKind.Variable,
    "label": CompletionItemKind.Variable,
    "output": CompletionItemKind.Variable,
    "import": CompletionItemKind.Module,
}
_TENSORS: Container[Kind] = frozenset({"tensor", "label", "output"})
_NAMED: Container[Kind] = _KINDS.keys() - {"block"}  # blocks come with those of imports


def complete(document: Document, place: Position) -> list[CompletionItem]:
    """What may stand at a place and starts with what is written of it."""
    offset = offset_of(document.source, place)
    around = surroundings(document.source, offset)
    if around.in_comment:
        return []
    if around.string is not None:
        return list(_in_string(document, around))
    items = {item.label: item for item in _items(document, around, offset)}
    start = around.word.casefold()
    return [item for item in items.values() if item.label.casefold().startswith(start)]


def _in_string(document: Document, around: Surroundings) -> Iterator[CompletionItem]:
    """What a string may hold: programs to import, operators, files of data."""
    written = around.string or ""
    if around.previous == "import":
        yield from _libraries(written)
        yield from _files(document, written, ".net")
    elif around.call is not None and around.call.name == "op" and around.call.place == 0:
        for name in sorted({name for domain, name, _ in OPS if not domain}):
            if name.casefold().startswith(written.casefold()):
                yield CompletionItem(name, kind=CompletionItemKind.Operator)
    elif around.in_train and around.call is not None and around.call.keyword in _PATHS:
        yield from _files(document, written, "")


def signature_help(document: Document, place: Position) -> SignatureHelp | None:
    """What the call takes whose arguments a place is among, and which of them it is."""
    offset = offset_of(document.source, place)
    around = surroundings(document.source, offset)
    called = _called(document, around)
    if called is None or around.call is None:
        return None
    names = [each.name for each in called.keywords]
    keyword, place_of = around.call.keyword, around.call.place
    active = names.index(keyword) if keyword in names else place_of if keyword is None else None
    information = SignatureInformation(
        called.text,
        MarkupContent(MarkupKind.Markdown, called.about),
        [ParameterInformation(each.text, each.accepts or None) for each in called.arguments],
    )
    known = active if active is not None and active < len(called.arguments) else None
    return SignatureHelp([information], 0, known)


def _called(document: Document, around: Surroundings) -> Signature | None:
    if around.call is None:
        return None
    setting = around.setting if around.in_train else None
    return signature_of(around.call.name, document.compiled.home, setting)


def _items(document: Document, around: Surroundings, offset: int) -> Iterator[CompletionItem]:
    if around.previous == ".":
        yield from _members(document, around)
    elif around.in_train and around.call is None and around.setting is None:
        for name in SETTINGS:
            yield CompletionItem(name, kind=CompletionItemKind.Property, insert_text=f"{name} = ")
    elif around.in_train and around.call is None:
        yield from _choices(around.setting or "")
    elif around.call is not None:
        yield from _arguments(document, around, around.call)
        yield from _expression(document, offset)
    elif around.previous == "output":
        yield from _visible(document, offset, kinds=_TENSORS)
    elif around.previous in ("let", "block", "net", "as") or _is_value(around):
        if _is_value(around):
            yield from _expression(document, offset)
            if around.previous == "assert":
                yield from _quantities()
    else:
        yield from _steps(document, around, offset)


def _is_value(around: Surroundings) -> bool:
    """Whether an expression stands at a place outside of calls."""
    if around.previous == "assert" or "assert" in around.before[-2:]:
        return True
    is_let = "let" in around.before and "=" in around.before[around.before.index("let") :]
    is_walked = around.previous == "in" and "for" in around.before
    return (is_let and not around.starts_line) or is_walked or around.previous in ("*", "==", "if")


def _members(document: Document, around: Surroundings) -> Iterator[CompletionItem]:
    """What can follow a dot: extents of a tensor, blocks and values of an import."""
    owner = around.before[-2] if len(around.before) > 1 else ""
    home = document.compiled.home
    namespace = home.lets.get(owner)
    if isinstance(namespace, Namespace):
        for name, value in namespace.values.items():
            is_block = f"{owner}.{name}" in home.blocks
            kind = _KINDS["block" if is_block else "value"]
            yield CompletionItem(name, kind=kind, detail=None if is_block else str(value)[:60])
        return
    for name in sorted(TENSOR_ATTRIBUTES):
        yield CompletionItem(name, kind=CompletionItemKind.Property)
    for path in document.compiled.graph.labels:
        if path.startswith(f"{owner}."):
            yield CompletionItem(path.removeprefix(f"{owner}.").partition(".")[0])


def _choices(setting: str) -> Iterator[CompletionItem]:
    """What a setting may be."""
    if setting == "metrics":
        from ..runtime.metrics.definitions import METRICS  # it needs NumPy, and all else does not

        for name in METRICS:
            yield CompletionItem(name, kind=CompletionItemKind.EnumMember)
    for name in TERMS.get(kind_of_setting(setting), ()):
        called = signature_of(name, None, setting)
        yield _callable(name, called, CompletionItemKind.EnumMember)


def _arguments(
    document: Document, around: Surroundings, call: OpenCall
) -> Iterator[CompletionItem]:
    """Keywords that a call lacks, and the words that stand for its arguments."""
    called = _called(document, around)
    if called is None:
        return
    current = None if call.keyword is None else called.argument(call.keyword)
    if current is not None:
        for word in current.words:
            yield CompletionItem(word, kind=CompletionItemKind.EnumMember, sort_text=f"0{word}")
        return
    for each in called.keywords:
        if each.name not in call.given:
            yield CompletionItem(
                f"{each.name}=",
                kind=CompletionItemKind.Field,
                detail=each.text,
                documentation=each.accepts or None,
                sort_text=f"0{each.name}",
                command=_SUGGEST if each.words else None,
            )
    for each in called.arguments:
        for word in each.words if each.words != ("yes", "no") else ():
            detail = f"{each.name}={word}"
            yield CompletionItem(word, kind=CompletionItemKind.EnumMember, detail=detail)


def _expression(document: Document, offset: int) -> Iterator[CompletionItem]:
    """The names of values, and the functions."""
    yield from _visible(document, offset)
    for name in FUNCTIONS:
        yield _callable(name, signature_of(name, None), CompletionItemKind.Function)


def _quantities() -> Iterator[CompletionItem]:
    for name in OF_NETWORK:
        yield CompletionItem(name, kind=CompletionItemKind.Property)
    for name in OF_LABEL:
        yield CompletionItem(name, kind=CompletionItemKind.Function, detail=f"{name}(label)")


def _steps(document: Document, around: Surroundings, offset: int) -> Iterator[CompletionItem]:
    """What a chain may go on with, and at the start of a line what starts a statement."""
    home = document.compiled.home
    for name in LAYERS:
        yield _callable(name, signature_of(name, None), CompletionItemKind.Class)
    for name in home.blocks:
        yield _callable(name, signature_of(name, home), CompletionItemKind.Struct)
    yield from _visible(document, offset)
    words = (*STATEMENTS, *STEPS) if around.starts_line else STEPS
    for word in words:
        yield CompletionItem(word, kind=CompletionItemKind.Keyword, sort_text=f"0{word}")


def _visible(
    document: Document, offset: int, *, kinds: Container[Kind] = _NAMED
) -> Iterator[CompletionItem]:
    for each in () if document.names is None else document.names.visible(offset):
        if each.kind in kinds:
            kind, first = _KINDS[each.kind], f"1{each.name}"
            yield CompletionItem(each.name, kind=kind, detail=each.kind, sort_text=first)


def _callable(name: str, called: Signature | None, kind: CompletionItemKind) -> CompletionItem:
    about = None if called is None else MarkupContent(MarkupKind.Markdown, called.about)
    detail = None if called is None else called.text
    return CompletionItem(name, kind=kind, detail=detail, documentation=about)


def _libraries(written: str) -> Iterator[CompletionItem]:
    """The library's files."""
    for path in sorted(SHARED.glob("*.net")):
        if f"{LIBRARY}{path.name}".startswith(written):
            yield _file(f"{LIBRARY}{path.name}", written)


def _files(document: Document, written: str, suffix: str) -> Iterator[CompletionItem]:
    """Folders, and files of a suffix, below the folder of the text."""
    folder = Path(os.path.dirname(document.source.name), os.path.dirname(written))
    try:
        found = sorted(folder.iterdir()) if not written.startswith(LIBRARY) else []
    except (OSError, ValueError):
        found = []
    start = written.rpartition("/")[0]
    for each in found:
        path = os.path.join(start, each.name) + ("/" if each.is_dir() else "")
        is_fitting = path.endswith((suffix, "/")) and path.startswith(written)
        if is_fitting and not each.name.startswith(".") and path != document.source.name:
            yield _file(path, written)


def _file(path: str, written: str) -> CompletionItem:
    """A file; editors replace the last word alone, which ends at a colon or a slash."""
    kept = max(written.rfind(":"), written.rfind("/")) + 1
    return CompletionItem(path, kind=CompletionItemKind.File, insert_text=path[kept:])
