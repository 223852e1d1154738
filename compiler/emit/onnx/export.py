"""Graph and weights -> an ONNX model in a file, checked."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import BinaryIO

from onnx import GraphProto, ModelProto, helper

from ....grammar.diagnostics import error
from ....grammar.files import atomic_writer
from ...ir.graph import Graph, Value
from ...ir.verify import verify
from ...onnx_standard.protos import PRODUCER
from ...onnx_standard.schemas import ir_version
from ...passes.fuse_attention import SINCE, fuse_attention
from ...passes.pipeline import DECOMPOSE, SIMPLIFY, Pass, in_mode, run_passes
from .check import check_file, check_skeleton
from .half import Half, RoundedState
from .nodes import Emission, emit
from .older import settle_opset
from .weights import State, Weight, chunks, layout, write_data
from .wire import write_model

NO_METADATA: Mapping[str, str] = MappingProxyType({})
MAX_INLINE = 1900 * 2**20  # bytes; protobuf, and with it a model's one file, ends at 2 GiB


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported.

    Attributes:
        graph: The graph as it is in the model, in inference mode.
        values: The graph's values by their names in the model.
    """

    graph: Graph
    values: Mapping[str, Value]


def export(
    graph: Graph,
    state: State,
    path: str,
    *,
    opset: int | None = None,
    metadata: Mapping[str, str] | None = None,
    version: str = "",
    half: Half | None = None,
    fused_attention: bool = False,
    every_value: bool = False,
    max_inline: int = MAX_INLINE,
) -> Export:
    """Write a network as an ONNX model for inference, with a symbolic batch `N`.

    Weights are read one at a time. The same graph, weights and versions give the same bytes. A
    model larger than `max_inline` keeps its weights in `<path>.data` beside it. Nothing is
    written unless onnx accepts the graph; the file itself is checked afterwards.

    Args:
        graph: The network, mode-neutral.
        state: Parameters and buffers by name.
        path: The model's file.
        opset: From 13 on; 22 is the default, and with `fused_attention` 23.
        metadata: Entries of the model's `metadata_props`, such as the source text.
        version: The producer's version.
        half: How to write it in half precision; in float32 by default.
        fused_attention: Whether attention layers are ONNX's `Attention`, from opset 23 on.
        every_value: Make every computed value an output, after the network's own.
        max_inline: Bytes up to which the weights stay in the model's file.

    Returns:
        The exported graph, and its values by their names in the model.

    Raises:
        NetError: The opset cannot be written, or lacks an operator (E509), the weights do not fit
            (E501) or the type (E508), onnx refuses the model (E506), names collide (E510), or a
            file cannot be written (E004).
    """
    form = Form(opset, half, fused_attention=fused_attention, every_value=every_value)
    model, emission, weights = _prepare(graph, form, metadata or {}, version)
    state = state if half is None else RoundedState(state, emission.graph)
    size = emission.proto.ByteSize() + sum(weight.bytes for weight in weights)
    if size > max_inline:
        _write_external(path, model, emission.proto, weights, state)
    else:
        with atomic_writer(path) as file:
            _write_inline(file, model, emission.proto, weights, state)
    if os.path.isfile(path):  # and not a stream, which is gone
        check_file(path)
    return _exported(emission)


def write(
    graph: Graph,
    state: State,
    file: BinaryIO,
    *,
    opset: int | None = None,
    every_value: bool = False,
) -> Export:
    """Write a model with its weights inside to an open file, for an engine in this process.

    Raises:
        NetError: As `export`.
    """
    model, emission, weights = _prepare(graph, Form(opset, every_value=every_value))
    _write_inline(file, model, emission.proto, weights, state)
    return _exported(emission)


@dataclass(frozen=True, slots=True)
class Form:
    """How a model is written; see `export`."""

    opset: int | None
    half: Half | None = None
    fused_attention: bool = False
    every_value: bool = False

    def version(self, graph: Graph) -> int:
        """The opset.

        Raises:
            NetError: E509, it has no `Attention`.
        """
        least = SINCE if self.fused_attention else graph.opsets[""]
        if self.fused_attention and self.opset is not None and self.opset < SINCE:
            message = f"opset {self.opset} has no operator `Attention`"
            raise error("E509", message, help=f"choose opset {SINCE} or later")
        return least if self.opset is None else self.opset


def _prepare(
    graph: Graph, form: Form, metadata: Mapping[str, str] = NO_METADATA, version: str = ""
) -> tuple[ModelProto, Emission, list[Weight]]:
    """The model without its graph, the graph without its weights, and the weights' places."""
    opset, half = form.version(graph), form.half
    model = ModelProto(
        ir_version=ir_version(opset),
        opset_import=[helper.make_opsetid("", opset)],
        producer_name=PRODUCER,
        producer_version=version,
    )
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    to_opset = Pass("settle_opset", partial(settle_opset, opset=opset), DECOMPOSE.leaves)
    fuse = (Pass("fuse_attention", fuse_attention),) if form.fused_attention else ()
    settled = run_passes(graph, (in_mode(training=False), *fuse, *SIMPLIFY))
    if half is not None:  # before operators of float32 are built from others, which then are, too
        settled = half.apply(settled, opset)
        verify(settled, after="half_precision")
        settled = run_passes(settled, SIMPLIFY, forms=SIMPLIFY[0].needs)
    settled = run_passes(settled, (DECOMPOSE, to_opset), forms=DECOMPOSE.needs)
    domains = set(_domains(settled)) - {""}
    imports = (helper.make_opsetid(domain, settled.opsets[domain]) for domain in sorted(domains))
    model.opset_import.extend(imports)
    emission = emit(settled, opset, every_value=form.every_value)
    weights = layout(emission.graph)
    check_skeleton(model, emission.proto, weights)
    return model, emission, weights


def _domains(graph: Graph) -> Iterator[str]:
    """The domains of all operators, in subgraphs, too."""
    for _, node in graph.nodes():
        if node.row is not None:
            yield node.row.domain
        for inner in node.subgraphs.values():
            yield from _domains(inner)


def _write_inline(
    file: BinaryIO, model: ModelProto, graph: GraphProto, weights: list[Weight], state: State
) -> None:
    headers = [weight.header(None) for weight in weights]
    sizes = [weight.bytes for weight in weights]
    write_model(file, model, graph, headers, sizes, chunks(weights, state))


def _write_external(
    path: str, model: ModelProto, graph: GraphProto, weights: list[Weight], state: State
) -> None:
    """The data first: a model never stands without it."""
    data = f"{path}.data"
    with atomic_writer(data) as file:
        write_data(file, weights, state)
    headers = [weight.header(os.path.basename(data)) for weight in weights]
    with atomic_writer(path) as file:
        write_model(file, model, graph, headers)


def _exported(emission: Emission) -> Export:
    graph = emission.graph
    values = {
        name: Value(node, output, graph[node].outputs[output])
        for (node, output), name in emission.names.values.items()
    }
    return Export(graph, values)
