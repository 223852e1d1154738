"""Network -> what the page says of each layer, as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..compiler.analysis.counts import LayerCounts
from ..compiler.analysis.formulas import formulas_of
from ..compiler.analysis.memory import live_bytes
from ..compiler.analysis.receptive_fields import ReceptiveField, receptive_fields, seen_by
from ..compiler.ir.graph import Graph, Node
from ..compiler.layers.layerdef import LAYERS
from ..compiler.model import Model
from ..grammar.lexing.lexer import keywords, tokens
from ..runtime.kerneldef import Array
from ..summary.columns import COLUMNS, quantity
from ..summary.rows import LayerRow
from ..summary.table import Summary

BINS = 40
COLUMNS_SHOWN = ("layer", "call", "output", "params", "macs", "memory", "receptive_field")


def layer_table(
    model: Model, summary: Summary, weights: Mapping[str, Array] | None
) -> dict[str, Any]:
    """The table's columns and a record for each layer."""
    graph, fields = model.graph, receptive_fields(model.graph)
    nodes: dict[str, list[Node]] = {}
    for _, node in graph.nodes():
        nodes.setdefault(node.scope, []).append(node)
    columns = [COLUMNS[key] for key in COLUMNS_SHOWN]
    return {
        "columns": [
            {"title": c.title.replace("\n", " "), "number": c.align == "right"} for c in columns
        ],
        "rows": [
            {
                "name": row.name,
                "kind": row.kind,
                "cells": [column.text(row) for column in columns],
                "keys": [_key(column.key, row) for column in columns],
                "arguments": _arguments(row),
                "formulas": [
                    [f.name, f.formula, f.numbers]
                    for f in formulas_of(
                        graph,
                        row.name,
                        nodes.get(row.name, []),
                        summary.counts.layers.get(row.name, LayerCounts()),
                    )
                ],
                "lines": _lines(model, row),
                "seen": _seen(graph, row, fields.get(row.name)),
                "weights": histograms(nodes.get(row.name, []), weights),
            }
            for row in summary.rows
        ],
    }


def _key(column: str, row: LayerRow) -> int | str:
    """What a column is sorted by."""
    if column == "receptive_field":
        known = [extent for extent in row.receptive_field if isinstance(extent, int)]
        return max(known, default=0)
    value = COLUMNS[column].value(row)
    return value if isinstance(value, int | str) else str(value)


def _arguments(row: LayerRow) -> list[list[Any]]:
    """Name, value, and whether a default filled it in."""
    names = [name for name, value in row.arguments.items() if value is not None]
    return [[name, row.spelled(name), name in row.defaulted] for name in names]


def _lines(model: Model, row: LayerRow) -> list[int] | None:
    """The first and the last line that a layer is written on, from 1."""
    program, span = model.metadata.program, row.span
    if program is None or span is None or span.source is not program.source:
        return None
    last = max(span.start, span.end - 1)
    return [span.source.locate(span.start)[0], span.source.locate(last)[0]]


def _seen(graph: Graph, row: LayerRow, field: ReceptiveField | None) -> dict[str, Any] | None:
    """What the element in the middle sees of an input that is a picture."""
    source = next(iter(graph.inputs.values()), None)
    if source is None or field is None or source.type.rank != 4 or not row.outputs:
        return None
    sizes = [n for n in (*source.shape[2:], *field.extents) if isinstance(n, int)]
    places = row.outputs[0].shape[2:] if field.strides is not None else (1, 1)
    if len(sizes) != 4 or len(places) != 2 or not all(isinstance(n, int) for n in places):
        return None
    middle = (int(places[0]) // 2, int(places[1]) // 2)  # type: ignore[arg-type]  # both are numbers
    box = seen_by(field, middle, (sizes[0], sizes[1]))
    strides = field.strides and [float(stride) for stride in field.strides]
    return {"size": sizes[:2], "field": sizes[2:], "box": list(box), "stride": strides}


def histograms(nodes: Sequence[Node], weights: Mapping[str, Array] | None) -> list[dict[str, Any]]:
    """How the numbers of each of a layer's parameters are spread, where there are weights."""
    if weights is None:
        return []
    found = []
    for node in nodes:
        name = node.attributes["name"] if node.op_type == "Parameter" else None
        if name is None or node.attributes["buffer"] or name not in weights:
            continue
        values = np.asarray(weights[name], np.float64).ravel()
        finite = values[np.isfinite(values)]
        counts, edges = np.histogram(finite, BINS)
        found.append(
            {
                "name": name,
                "counts": counts.tolist() if finite.size else [],
                "ends": [float(edges[0]), float(edges[-1])],
                "mean": float(finite.mean()) if finite.size else 0.0,
                "deviation": float(finite.std()) if finite.size else 0.0,
                "broken": int(values.size - finite.size),
            }
        )
    return found


def memory_timeline(graph: Graph) -> list[list[Any]]:
    """The layers in the order of the forward pass, with the most bytes that are live in each."""
    most: dict[str, int] = {}
    for identifier, live in live_bytes(graph):
        node = graph[identifier]
        if not isinstance(live, int):
            return []
        if node.scope in graph.layers and node.op_type not in ("Parameter", "Constant"):
            most[node.scope] = max(most.get(node.scope, 0), live)
    return [[name, live] for name, live in most.items()]


# What a token's type is shown as; layers, words of the language and names differ by their text.
TOKENS = {"COMMENT": "comment", "STRING": "string", "INT": "number", "NUMBER": "number"}
TOKENS |= {"SIZE": "number", "REAL": "number"}


def highlighted(text: str) -> list[list[list[str]]]:
    """The lines of a program, each as pieces: what a piece is, and its text."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for token in tokens(text):
        start, end = token.start_pos, token.end_pos
        pieces += [("", text[at:start]), (_class(token.type, token.value), text[start:end])]
        at = end
    pieces.append(("", text[at:]))
    lines: list[list[list[str]]] = [[]]
    for kind, piece in pieces:
        for i, part in enumerate(piece.split("\n")):
            if i:
                lines.append([])
            if part:
                lines[-1].append([kind, part])
    return lines


def _class(type: str, text: str) -> str:
    if type in TOKENS:
        return TOKENS[type]
    if text in keywords():
        return "keyword"
    return "layer" if text in LAYERS else ""


def totals(summary: Summary) -> list[list[str]]:
    """Totals by name."""
    return [list(pair) for pair in summary.totals() if pair[0] != "counted"] + [
        ["layers", f"{quantity(summary.layers):,}"]
    ]
