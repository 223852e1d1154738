"""An ONNX file -> a model."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath

from ...grammar.diagnostics import Diagnostic
from ...grammar.source import UNPRINTABLE
from ..ir.graph import Graph
from ..ir.verify import verify
from ..model import Metadata, Model
from ..onnx_standard.protos import PRODUCER
from ..ops.opdef import OPS
from .attempts import layered
from .graph import graph_of
from .opening import FixedBatch, fixed_batch, opened
from .read import ModelFile, read_model
from .reshaping import stated_targets
from .rules.classical import CLASSICAL, ZIP_MAP
from .simplify import simplify
from .upgrade import upgrade


def import_model(source: str | Path | bytes, *, name: str = "") -> Model:
    """Read a model; its weights stay where they lie until they are asked for.

    Args:
        source: A file, or the bytes of one.
        name: The network's name; by default that of the file.

    Raises:
        NetError: The file is no sound model, as `read_model` and `upgrade` say, or the types of
            its operators do not fit each other (E506).
    """
    file = read_model(source)
    maps = tuple(_maps(file))  # which no graph has
    raw = _simplified(_operators(file))
    fixed: tuple[Diagnostic, ...] = ()
    batch = fixed_batch(raw)
    if batch is not None:
        try:
            raw = _simplified(opened(raw))
        except FixedBatch as reason:
            fixed, batch = (_fixed(batch, reason),), None
    graph = layered(raw, keeps_equals=file.proto.producer_name == PRODUCER)
    stem = "model" if isinstance(source, bytes) else PurePath(source).stem
    graph.name = UNPRINTABLE.sub("_", name or stem)
    verify(graph, after="import")
    warnings = (*file.warnings, *maps, *fixed, *_foreign(graph))
    return Model(graph, Metadata(warnings=warnings, batch=batch))


def import_operators(source: str | Path | bytes) -> Graph:
    """The operators of a model as they stand, with its weights; none is a layer.

    Raises:
        NetError: As `import_model`.
    """
    graph = _operators(read_model(source))
    verify(graph, after="import")
    return graph


def _operators(file: ModelFile) -> Graph:
    return graph_of(upgrade(file.proto), str(file.folder or ""))


def _simplified(graph: Graph) -> Graph:
    return simplify(stated_targets(graph))


def _fixed(batch: int | None, reason: FixedBatch) -> Diagnostic:
    return Diagnostic(
        "W578",
        f"the model takes {batch} samples at a time, and counts are for all of them",
        notes=(str(reason),),
        help="export it with an open batch, as the first axis of each input",
    )


def _maps(file: ModelFile) -> Iterator[Diagnostic]:
    """A warning for each value that is a list of maps, and an array here."""
    for node in file.proto.graph.node:
        if (node.domain, node.op_type) == (CLASSICAL, ZIP_MAP):
            yield Diagnostic(
                "W577",
                f"`{next(iter(node.output), '')}` is an array of the scores of all classes, not a"
                " list of maps from their labels",
                help="column i is of the i-th label",
            )


def _foreign(graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each operator that netc has no rules for."""
    found = Counter(node.op_type for _, node in graph.nodes() if node.row is not None)
    for op_type, count in found.items():
        if OPS.find(op_type, graph.opsets) is None:
            times = "" if count == 1 else f", {count} times"
            yield Diagnostic(
                "W104",
                f"the model has `{op_type}`{times}, which has no rules of netc's own: onnx's"
                " reference implementation runs it, and it counts as one operation per element",
            )
