"""What a file defines before any layer is lowered: blocks, defaults, imports."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, NetError, Pointer, did_you_mean, error
from ...grammar.limits import MAX_NESTING
from ...grammar.parsing.parser import parse
from ...grammar.source import Span
from ..expressions.arguments import Word
from ..expressions.binding import GivenArgument, place
from ..expressions.evaluate import Namespace
from ..expressions.names import Block, Default, Home, Let, Scope, is_private, labels_in, let_names
from ..layers.layerdef import LAYERS
from .bindings import bind_let, check_differ, check_free, taken_name
from .items import evaluate_in

LIBRARY = "lib:"
SHARED = Path(__file__).parents[2] / "specs" / "lib"
MOST_IMPORTS = 1_000  # of a file
MOST_PARAMETERS = 100  # of a block, which each call resolves


def define_blocks(statements: Sequence[ast.Statement], home: Home) -> None:
    """Enter a file's blocks, so that statements and other blocks may use later ones.

    Raises:
        NetError: A name is taken, or there are too many imports or parameters.
    """
    _check_names(statements)
    imports = [s for s in statements if isinstance(s, ast.ImportStatement)]
    if len(imports) > MOST_IMPORTS:
        message = f"more than {MOST_IMPORTS:_} imports"
        raise error("E404", message, imports[MOST_IMPORTS].span)
    for statement in statements:
        if not isinstance(statement, ast.BlockStatement):
            continue
        if statement.name in LAYERS:
            raise taken_name(statement.name, "a layer", statement.name_span)
        if len(statement.parameters) > MOST_PARAMETERS:
            message = f"a block of more than {MOST_PARAMETERS} parameters"
            help = "give several numbers as one list"
            raise error("E404", message, statement.name_span, help=help)
        earlier = home.blocks.get(statement.name)
        if earlier is not None and earlier.home is home:
            first = Pointer(earlier.statement.name_span, "first defined here")
            message = f"the block `{statement.name}` is defined twice"
            help = "give one of them another name"
            raise error("E112", message, statement.name_span, also=[first], help=help)
        home.blocks[statement.name] = Block(statement, home, labels_in(statement.body))
    for statement in statements:  # once all are known, so that calls of them are no errors, too
        if isinstance(statement, ast.BlockStatement):
            inputs = [each for each in statement.inputs if each.id != "_"]
            check_differ(statement.name, "parameters", statement.parameters)
            check_differ(statement.name, "inputs", inputs)
            check_differ(statement.name, "names", [*statement.parameters, *inputs])


def set_default(statement: ast.DefaultStatement, scope: Scope) -> None:
    """New defaults for a layer, for what follows in this file, or in an import of it.

    Raises:
        NetError: E101, there is no such layer or import; what the arguments are refused with.
    """
    file, dot, name = statement.name.rpartition(".")
    if dot and not isinstance(scope.home.lets.get(file), Namespace):
        start = statement.name_span.start
        span = Span(statement.name_span.source, start, start + len(file))
        help = f'name the import, as in `import "lib:resnet.net" as {file}`'
        raise error("E101", f"unknown name `{file}`", span, help=help)
    if statement.name in scope.home.blocks:
        message = f"`default` takes a layer, and `{statement.name}` is a block"
        help = "the parameters of a block get their defaults where it is defined"
        raise error("E101", message, statement.name_span, help=help)
    if name not in LAYERS:
        near = did_you_mean(name, LAYERS)
        raise error("E101", f"unknown layer `{name}`", statement.name_span, help=near)
    given = tuple(
        GivenArgument(a.name, evaluate_in(scope, a.value, words=True), a.span)
        for a in statement.arguments
    )
    definition = LAYERS[name]
    values, _ = place(definition, given, name)
    layer = f"{file}{dot}{definition.name}"
    scope.home.defaults.append(Default(layer, values, statement.span.start))


def import_file(
    statement: ast.ImportStatement, home: Home, importing: tuple[str, ...] = ()
) -> None:
    """Enter another file's `let`s and blocks into this one.

    Raises:
        NetError: The path leaves the importing file's folder or the library, the file cannot be
            read or is wrong, or files import each other, or nest too deep.
    """
    path = _resolve(statement, home)
    target = os.path.realpath(path)
    chain = (*importing, os.path.realpath(home.source.name))
    if target in chain:
        cycle = " -> ".join(os.path.basename(p) for p in (*chain[chain.index(target) :], path))
        raise error("E121", f"files import each other: {cycle}", statement.span)
    if len(chain) > MAX_NESTING:
        message = f"imports nested more than {MAX_NESTING} levels deep"
        raise error("E402", message, statement.span)
    if target not in home.files:
        home.files[target] = _read(path, statement, home, chain)
    imported = home.files[target]
    if statement.name is None:
        _take_over(home, imported)
        return
    name = statement.name.id
    blocks = _public(imported.blocks)
    home.blocks.update((f"{name}.{each}", block) for each, block in blocks.items())
    words = {each: Word(f"{name}.{each}") for each in blocks}  # for layers that take a block
    home.lets[name] = Namespace({**words, **_public(imported.lets)}, statement.span)


def _check_names(statements: Sequence[ast.Statement]) -> None:
    """Refuse a name of an import that the language, or the file, gives to something else.

    Raises:
        NetError: E112 or E114.
    """
    imports = [s.name for s in statements if isinstance(s, ast.ImportStatement) and s.name]
    others = dict(_defined(statements)) if imports else {}
    for name in imports:
        check_free(name.id, name.span)
        if (other := others.setdefault(name.id, name.span)) != name.span:
            first, second = sorted((other, name.span), key=lambda span: span.start)
            raise error(
                "E112",
                f"the name `{name.id}` is given twice",
                second,
                also=[Pointer(first, "first given here")],
                help=f"write `as {name.id}2` for the import",
            )


def _defined(statements: Sequence[ast.Statement]) -> Iterator[tuple[str, Span]]:
    """The names of a file's values, functions and blocks."""
    for statement in statements:
        if isinstance(statement, Let):
            yield from let_names(statement)
        elif isinstance(statement, ast.BlockStatement):
            yield statement.name, statement.name_span


def _public(names: Mapping[str, Any]) -> dict[str, Any]:
    """What an import brings of a file: nothing private, and nothing of what the file names."""
    return {
        name: meant
        for name, meant in names.items()
        if not (is_private(name) or "." in name or isinstance(meant, Namespace))
    }


def _take_over(home: Home, imported: Home) -> None:
    """Enter what an import defines; what is defined already stays as it is."""
    for name, block in _public(imported.blocks).items():
        kept = home.blocks.setdefault(name, block)
        places = kept.statement.name_span, block.statement.name_span
        home.warn_of_hidden(name, "block", kept=places[0], hidden=places[1])
    for name, value in _public(imported.lets).items():
        home.lets.setdefault(name, value)
        place = home.places.setdefault(name, imported.places[name])
        home.warn_of_hidden(name, "value", kept=place, hidden=imported.places[name])


def give_value(statement: Let, home: Home) -> None:
    """Note where a file gives its values, and which of an import's they hide."""
    for name, span in let_names(statement):
        earlier = home.places.get(name, span)
        if earlier.source is not span.source:
            home.warn_of_hidden(name, "value", kept=span, hidden=earlier)
        home.places[name] = span


def _read(path: str, statement: ast.ImportStatement, home: Home, chain: tuple[str, ...]) -> Home:
    """What an imported file defines; its chains are not lowered."""
    try:
        source = home.read(path)
    except NetError as failure:
        first, *rest = failure.diagnostics
        first = replace(first, span=first.span or statement.span)
        if first.code == "E001":
            first = _without_file(first, statement)
        raise NetError([first, *rest]) from None
    shared = {
        name: getattr(home, name)
        for name in ("budget", "files", "warnings", "graph", "lost", "read")
    }
    imported = Home(source, **shared)
    scope = Scope("", None, frozenset(), imported, lets=imported.lets)
    module = parse(source)
    statements = module.statements
    define_blocks(statements, imported)
    for inner in statements:
        match inner:
            case ast.ImportStatement():
                import_file(inner, imported, chain)
            case ast.LetStatement() | ast.FunctionStatement():
                bind_let(inner, scope)
                give_value(inner, imported)
            case ast.DefaultStatement():
                set_default(inner, scope)
    return imported


def _without_file(first: Diagnostic, statement: ast.ImportStatement) -> Diagnostic:
    """What is said of an import that cannot be read, with the file of the library that is near."""
    shipped = [f"{LIBRARY}{file.name}" for file in sorted(SHARED.glob("*.net"))]
    path = statement.path
    if path.startswith(LIBRARY):
        first = replace(first, message=f"the library has no file `{path.removeprefix(LIBRARY)}`")
        near = did_you_mean(path, shipped)
        if near is None:
            files = ", ".join(file.removeprefix(LIBRARY) for file in shipped)
            return replace(first, help=f"its files are {files}")
        meant = near.split("`")[1]
    else:
        meant = f"{LIBRARY}{PurePath(path).stem}.net"
    return replace(first, help=f'write `import "{meant}"`') if meant in shipped else first


def _resolve(statement: ast.ImportStatement, home: Home) -> str:
    """The path that an import means: below the importing file's folder, or in the library."""
    if statement.path.startswith(LIBRARY):
        folder = str(SHARED)
        path = statement.path.removeprefix(LIBRARY)
    else:
        folder = os.path.dirname(home.source.name)
        path = statement.path
    inside = os.path.normpath(path)
    leaves = os.path.isabs(inside) or inside.split(os.sep)[0] == os.pardir or "\0" in path
    if leaves or not _lies_within(os.path.join(folder, inside), folder):
        raise error(
            "E120",
            f"the import `{statement.path}` leaves its folder",
            statement.span,
            help="import from the file's own folder, folders below it, or `lib:`",
        )
    return os.path.join(folder, inside)


def _lies_within(path: str, folder: str) -> bool:
    """Whether a path still is in a folder once links are followed, wherever the folder is."""
    root = os.path.realpath(folder)
    return os.path.commonpath([os.path.realpath(path), root]) == root
