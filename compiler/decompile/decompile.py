"""A graph of layers -> a program that compiles to the same graph, and where its weights are."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from ...grammar.diagnostics import NetError
from ...grammar.source import Source
from ..ir.graph import Graph
from ..ir.tensor import Tensor
from ..pipeline import compile
from .arguments import BATCH_HELP
from .chains import Chains, with_labels
from .folding import folded
from .items import Items, Key
from .sameness import is_same
from .spelling import is_name, quoted, unsayable
from .tree import Block, Statement, named_by, references_in
from .writing import program_text

MOST_LAYERS = 1_000_000
DEFAULT = "output"  # which is a keyword, and what one output is called without a statement


@dataclass(frozen=True, slots=True)
class Decompiled:
    """A program that says what a graph is.

    Attributes:
        text: The program, in its canonical form.
        shapes: The shapes of the weights that the program holds in other shapes than the graph.
        plain: The operators that are no layers, and how many there are of each.
        copies: Weights that only the program has, each with that of the graph that it copies: those
            of layers that share some of their weights.
        tables: Constants of the graph that are parameters of the program, which nothing trains.
        batch: The number of samples that the graph takes, where the program takes any; or None.
        renamed: Outputs whose names a program cannot give, and what it calls them.
    """

    text: str
    shapes: Mapping[str, tuple[int, ...]]
    plain: Mapping[str, int]
    copies: Mapping[str, str]
    tables: Mapping[str, Tensor]
    batch: int | None
    renamed: Mapping[str, str]


def decompile(graph: Graph) -> Decompiled:
    """The program of a graph; it is compiled, and compared with the graph.

    Raises:
        NetError: E579, the graph has what no program can say.
    """
    items = Items.of(graph)
    outputs, renamed = _output_names(graph)
    _check_outputs(items, outputs)
    statements = _statements(items, outputs)
    name = graph.name if is_name(graph.name) else quoted(graph.name)
    loose = {item.call.path for item in items.found if not item.has_weights}
    taken = {part for layer in graph.layers for part in layer.split(".")} | set(outputs)
    for blocks, body in _forms(statements, taken, loose):
        text = program_text(name, blocks, body)
        if _means(text, graph, items):
            tables = {table.name: table.held for table in items.tables.values()}
            facts = (items.laid_out, items.plain, items.copies, tables, items.batch)
            return Decompiled(text, *facts, renamed)
    if items.batch is not None:
        raise unsayable(f"a batch of {items.batch}, and any other is not the same", BATCH_HELP)
    raise unsayable("this network: what it says of it would mean something else")


def _forms(
    statements: list[Statement], taken: Iterable[str], loose: Container[str]
) -> Iterator[tuple[list[Block], list[Statement]]]:
    """The ways to say a network, shortest first; a way may name what another name hides."""
    yield folded(statements, taken, loose)
    yield folded(statements, taken, loose, with_labels=True)
    yield [], statements


def _means(text: str, graph: Graph, items: Items) -> bool:
    """Whether a program compiles to a graph, apart from what its items say of it."""
    try:
        model = compile(Source("<program>", text), max_layers=MOST_LAYERS)
    except NetError:
        return False
    tables = {place: table.name for place, table in items.tables.items()}
    return is_same(model.graph, graph, items.laid_out, items.copies, tables, items.batch)


def _output_names(graph: Graph) -> tuple[dict[str, Key], dict[str, str]]:
    """The outputs by the names that a program gives them, and the names that it changes.

    A single output needs no name: without a statement it is called `output`.
    """
    found: dict[str, Key] = {}
    renamed: dict[str, str] = {}
    held = {*graph.inputs, *graph.parameters}
    for name, value in graph.outputs.items():
        own = name
        if not is_name(name) or name in held:
            free = (f"output{number}" for number in count(1))
            own = next(n for n in free if n not in held and n not in {*found, *graph.outputs})
            own = DEFAULT if len(graph.outputs) == 1 and DEFAULT not in held else own
        if own != name:
            renamed[name] = own
        found[own] = (value.node, value.output)
    return found, renamed


def _check_outputs(items: Items, outputs: Mapping[str, Key]) -> None:
    made = {key for item in items.found for key in item.results}
    for name, key in outputs.items():
        if key not in made:
            raise unsayable(f"the output `{name}`, which no layer yields")


def _statements(items: Items, outputs: Mapping[str, Key]) -> list[Statement]:
    """The statements, with labels where something needs them."""
    order: dict[str, bool] = {}
    chains = _written(items, outputs, {}, **order)
    if not chains.has_inputs_in_order():
        order["inputs_first"] = True
        chains = _written(items, outputs, {}, **order)
    if not chains.has_lenders_in_order():
        chains = _written(items, outputs, {}, **order, lenders_first=True)
    read = {r.name for s in chains.statements for r in references_in(s.chain)} | {*outputs}
    named = {text for item in items.found for text in named_by(item.call)}
    labels = {
        item.call.path: item.call.path
        for item in items.found
        if item.call.path
        and (
            item.has_weights
            or item.call.path in named
            or (item.call.kind == "INPUT" and item.call.path != "input")
            or (
                item.call.path in read
                and any(key in chains.referred and key not in chains.bound for key in item.results)
            )
        )
    }
    return [Statement(with_labels(s.chain, labels, named), s.target) for s in chains.statements]


def _written(
    items: Items, outputs: Mapping[str, Key], bound: Mapping[Key, str], **order: bool
) -> Chains:
    """The chains, once all that they start with by name has a name that can stand there."""
    chains = Chains(items.found, outputs, dict(bound))
    chains.write(**order)
    unnamed = chains.unnamed()
    if not unnamed:
        return chains
    more = {key: chains.free_name(chains.name(key)) for key in unnamed}
    return _written(items, outputs, {**bound, **more}, **order)
