"""Two networks to what changed between them, layer by layer."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from struct import pack, unpack
from types import MappingProxyType
from typing import Any

from ..compiler.analysis.memory import Memory
from ..compiler.analysis.sources import sources
from ..compiler.expressions.arguments import BEYOND_REAL
from ..compiler.ir.graph import Graph
from ..compiler.ir.tensor import Tensor
from ..compiler.ir.types import DType
from ..network import Network
from ..summary.rows import LayerRow, rows_of
from .alignment import LayerKey, align
from .changes import OUTPUT, ChangeKind, Difference, LayerChange, LayerSide, Total, listed
from .report import Diff
from .stored import held_numbers, stored_operands

NOTHING = "ID"
CONSTANTS = "constants"  # what a line calls the numbers of operands that are no arguments


def diff(before: Network, after: Network) -> Diff:
    """What changed from one network to another, layer by layer.

    Layers correspond where they have most in common in all, so that a layer that came or went
    does not count as a change of those after it.
    """
    left, right = _layers(before), _layers(after)
    pairs = _aligned(left, right)
    moved = _moved(left, right, pairs)
    same_place = _Correspondence(left, right, [*pairs, *moved.items()])
    changes = _merged(left, right, pairs, same_place, moved)
    ends, other_ends = _ends(before), _ends(after)
    places = {entry.name: j for j, entry in enumerate(other_ends)}
    if places.keys() == {entry.name for entry in ends}:
        by_name = {i: places[entry.name] for i, entry in enumerate(ends)}
        changes += _merged(ends, other_ends, [], same_place, by_name)
    else:
        changes += _merged(ends, other_ends, _aligned(ends, other_ends), same_place)
    a, b = before.counts, after.counts
    totals = (
        Total("layers", len(left), len(right)),
        Total("parameters", a.params, b.params),
        Total("MACs", a.macs, b.macs),
        Total("FLOPs", a.flops, b.flops),
    )
    return Diff((before.name, after.name), tuple(changes), totals)


def _layers(network: Network) -> list[LayerSide]:
    """The layers, without branches that do nothing, and what is stored: models have neither."""
    graph = network.graph
    inputs, _ = sources(graph)
    passed, stored = _passed_on(graph), stored_operands(graph)
    held = held_numbers(graph)
    rows = {
        row.name: _with(row, numbers=held.get(row.name, ()))
        for row in rows_of(graph, network.counts, Memory(0, {}), {})
    }
    for path in reversed(stored):
        row = rows.pop(path)
        numbers = [row.arguments["value"]] if row.kind == "Constant" else []
        rows[stored[path]] = _with(rows[stored[path]], row, numbers)
    return [
        LayerSide(
            row,
            tuple(name for name in _through(passed, inputs[row.name]) if name not in stored),
            _lenders(graph, row),
            graph.layers[row.name].labelled,
        )
        for row in rows.values()
        if row.name in graph.layers and row.name not in passed
    ]


def _with(row: LayerRow, held: LayerRow | None = None, numbers: Sequence[Any] = ()) -> LayerRow:
    """An operator's row with what is stored for it: weights of a layer before it, and numbers."""
    arguments = row.arguments
    others = [each for each in map(_plain, numbers) if each not in map(_plain, arguments.values())]
    if others:
        arguments = {**arguments, CONSTANTS: (*arguments.get(CONSTANTS, ()), *others)}
    row = replace(row, arguments=arguments)
    if held is None:
        return row
    counts = (row.trainable + held.trainable, row.frozen + held.frozen)
    return replace(row, trainable=counts[0], frozen=counts[1], buffers=row.buffers + held.buffers)


def _passed_on(graph: Graph) -> Mapping[str, Sequence[str]]:
    """What stands before branches that do nothing, and have no name."""
    inputs, _ = sources(graph)
    passed: dict[str, Sequence[str]] = {}
    for path, layer in graph.layers.items():
        if layer.kind == NOTHING and not layer.labelled:
            passed[path] = _through(passed, inputs[path])
    return passed


def _through(passed: Mapping[str, Sequence[str]], names: Sequence[str]) -> tuple[str, ...]:
    """What is read, looking through what only passes it on."""
    return tuple(dict.fromkeys(source for name in names for source in passed.get(name, (name,))))


def _lenders(graph: Graph, row: LayerRow) -> tuple[str, ...]:
    """The layers that hold the parameters that a layer shares."""
    owners = (graph.producer(graph.parameters[name]).scope for name in row.shared)
    return tuple(dict.fromkeys(owners))


def _ends(network: Network) -> list[LayerSide]:
    """The network's outputs."""
    graph = network.graph
    _, ends = sources(graph)
    passed = _passed_on(graph)
    return [
        LayerSide(LayerRow(name, OUTPUT, outputs=(value.type,)), _through(passed, ends[name]))
        for name, value in graph.outputs.items()
    ]


def _aligned(before: Sequence[LayerSide], after: Sequence[LayerSide]) -> list[tuple[int, int]]:
    """The places of layers that correspond, found by numbers, which compare faster than calls."""
    numbers: dict[Hashable, int] = {}
    return align(*([_key(numbers, entry) for entry in entries] for entries in (before, after)))


def _key(numbers: dict[Hashable, int], entry: LayerSide) -> LayerKey:
    row = entry.row
    settled = ((name, _settled(row, name)) for name in row.arguments)
    arguments = tuple(sorted((each for each in settled if each[1] is not None), key=str))
    call = (row.kind, arguments)
    held = (row.outputs, row.trainable, row.frozen, row.buffers, len(entry.lenders))
    short, exact = (numbers.setdefault(key, len(numbers)) for key in (call, (call, held)))
    return LayerKey(row.kind, short, exact, row.name, entry.labelled)


def _moved(
    before: Sequence[LayerSide], after: Sequence[LayerSide], pairs: Sequence[tuple[int, int]]
) -> Mapping[int, int]:
    """Equal layers that read the same, and whose order alone differs, as that of branches may."""
    numbers: dict[Hashable, int] = {}
    found: dict[int, int] = {}
    lefts, rights = ({pair[side] for pair in pairs} for side in (0, 1))
    gone = {i: _key(numbers, before[i]).exact for i in range(len(before)) if i not in lefts}
    came = {j: _key(numbers, after[j]).exact for j in range(len(after)) if j not in rights}
    same = _Correspondence(before, after, pairs) if gone and came else None
    for i, left in gone.items():
        for j, right in came.items():
            if left == right and same and same(before[i].inputs, after[j].inputs):
                found[i] = j
                del came[j]
                same = _Correspondence(before, after, [*pairs, *found.items()])
                break
    return found


class _Correspondence:
    """Whether layers of both sides read the same, as the pairs see it.

    What a layer reads that has no counterpart came or went, and is reported as such: it is looked
    through, to what it reads itself.
    """

    def __init__(
        self,
        before: Sequence[LayerSide],
        after: Sequence[LayerSide],
        pairs: Sequence[tuple[int, int]],
    ) -> None:
        self.before = _origins(
            before, {before[i].name: place for place, (i, _) in enumerate(pairs)}
        )
        self.after = _origins(after, {after[j].name: place for place, (_, j) in enumerate(pairs)})

    def __call__(self, before: Sequence[str], after: Sequence[str]) -> bool:
        return _joined(self.before, before) == _joined(self.after, after)


Origins = Mapping[str, tuple[int, ...]]


def _origins(entries: Sequence[LayerSide], paired: Mapping[str, int]) -> Origins:
    """The pairs that stand for each layer: its own, or those of what it reads."""
    found: dict[str, tuple[int, ...]] = {}
    for entry in entries:
        own = paired.get(entry.name)
        found[entry.name] = (own,) if own is not None else _joined(found, entry.inputs)
    return found


def _joined(origins: Origins, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(place for name in names for place in origins.get(name, ())))


def _merged(
    before: Sequence[LayerSide],
    after: Sequence[LayerSide],
    pairs: Sequence[tuple[int, int]],
    same: _Correspondence,
    moved: Mapping[int, int] = MappingProxyType({}),
) -> list[LayerChange]:
    """All layers of both sides in order: where both differ, what went comes first."""
    changes: list[LayerChange] = []
    origins = {j: i for i, j in moved.items()}
    i = j = 0
    for x, y in [*pairs, (len(before), len(after))]:
        changes += [LayerChange("removed", before[k], None) for k in range(i, x) if k not in moved]
        changes += [
            _compared(before[origins[k]], after[k], same)
            if k in origins
            else LayerChange("added", None, after[k])
            for k in range(j, y)
        ]
        if x < len(before) and y < len(after):
            changes.append(_compared(before[x], after[y], same))
        i, j = x + 1, y + 1
    return changes


def _compared(before: LayerSide, after: LayerSide, same: _Correspondence) -> LayerChange:
    """A layer that is on both sides, with what differs."""
    own = tuple(_own_differences(before, after, same))
    results = tuple(_results(before.row, after.row))
    change: ChangeKind = (
        "changed"
        if own
        else "follows"
        if results
        else "renamed"
        if before.name != after.name
        else "same"
    )
    return LayerChange(change, before, after, own + results)


def _own_differences(
    before: LayerSide, after: LayerSide, same: _Correspondence
) -> Iterator[Difference]:
    """What the author changed about a layer: what it is, its weights' lot, and what it reads."""
    a, b = before.row, after.row
    if a.kind != b.kind:
        yield Difference("layer", a.called(), b.called())
    else:
        yield from _arguments(a, b)
    if _frozen(a) != _frozen(b) and a.params and b.params:
        yield Difference("frozen", _frozen(a), _frozen(b))
    if not same(before.lenders, after.lenders):
        yield Difference("weights", _owners(before), _owners(after))
    if not same(before.inputs, after.inputs):
        yield Difference("input", listed(before.inputs), listed(after.inputs))


def _frozen(row: LayerRow) -> str:
    return "no" if not row.frozen else "partly" if row.trainable else "yes"


def _owners(entry: LayerSide) -> str:
    return f"of {listed(entry.lenders)}" if entry.lenders else "own"


def _arguments(a: LayerRow, b: LayerRow) -> Iterator[Difference]:
    for name in dict.fromkeys([*a.arguments, *b.arguments]):
        if _settled(a, name) == _settled(b, name):
            continue
        texts = [
            row.spelled(name) if row.arguments.get(name) is not None else "-" for row in (a, b)
        ]
        other = texts[0] == texts[1]
        yield Difference(name, texts[0], f"{texts[1]} with other values" if other else texts[1])


def _settled(row: LayerRow, name: str) -> Any:
    """An argument's value; a size that is the same on each axis is one number, as in `stride=2`.

    No padding is 0. What an input says of classes is the number of units of the last layer.
    """
    value = _plain(row.arguments.get(name))
    if name == "pad" and value == "valid":
        return 0
    if name == "classes":
        return None
    axes = row.outputs[0].rank - 2 if row.outputs else 0
    if isinstance(value, tuple) and len(value) == axes and len(set(value)) == 1:
        return value[0]
    return value


def _plain(value: Any) -> Any:
    """A value that compares as what graphs hold does: real numbers as float32."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, Tensor):
        return _plain(value.nested())
    if isinstance(value, DType):
        return value.value
    if isinstance(value, int | float) and abs(value) < BEYOND_REAL:
        return unpack("f", pack("f", value))[0]
    return value


def _results(a: LayerRow, b: LayerRow) -> Iterator[Difference]:
    """What follows from shapes."""
    if a.outputs != b.outputs:
        kinds = [", ".join(dict.fromkeys(t.dtype.value for t in row.outputs)) for row in (a, b)]
        texts = [a.output, b.output]
        if texts[0] == texts[1]:
            texts = [f"{text} of {kind}" for text, kind in zip(texts, kinds, strict=True)]
        yield Difference("output", *texts)
    if a.params != b.params:
        yield Difference("parameters", a.params, b.params)
    elif a.buffers != b.buffers:
        yield Difference("buffers", a.buffers, b.buffers)
    elif a.frozen != b.frozen and _frozen(a) == _frozen(b):
        yield Difference("frozen parameters", a.frozen, b.frozen)
