"""Every change of an operator that ONNX's history tells of has a rule, or a reason for none."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from onnx import defs

from netc.compiler.ir.signature import OPSETS
from netc.compiler.onnx_import.rules import RULES
from netc.compiler.onnx_import.rules.experimental import DROPPED

REASONS = {
    "a new attribute, whose default is what was": """
        ArgMax-12 ArgMin-12 AveragePool-7 AveragePool-10 AveragePool-19 Cast-19 CastLike-19
        DepthToSpace-11 DequantizeLinear-13 DequantizeLinear-21 GRU-14 GatherND-12
        LSTM-14 LpPool-18 MaxPool-8 MaxPool-10 QuantizeLinear-13 QuantizeLinear-19
        QuantizeLinear-21 RNN-14 Reshape-14 Resize-18 ScatterElements-16 ScatterND-16 Shape-15
        TopK-11
        """,
    "a new attribute beside others, of which one is given": "Constant-11 Constant-12",
    "a new argument or output, which may be left out": "Gemm-11 OptionalHasElement-18 Pad-18",
    "opset 2 has no argument for sizes, and 13 has it again": "Split-2",
}


def _signature(schema: defs.OpSchema) -> Any:
    """What a node may say: attributes with defaults, how many arguments and outputs."""
    attributes = {
        (name, str(a.type), a.required, str(a.default_value))
        for name, a in schema.attributes.items()
    }
    arguments = [str(formal.option) for formal in schema.inputs]
    outputs = [str(formal.option) for formal in schema.outputs]
    return attributes, arguments, outputs, schema.deprecated


def _changes() -> set[tuple[str, int]]:
    """The operators and versions up to ours at which what a node may say changes."""
    history = defaultdict(list)
    for schema in defs.get_all_schemas_with_history():
        if not schema.domain and schema.since_version <= OPSETS[""]:
            history[schema.name].append(schema)
    found = set()
    for name, schemas in history.items():
        schemas.sort(key=lambda schema: schema.since_version)
        for older, newer in pairwise(schemas):
            if _signature(older) != _signature(newer):
                found.add((name, newer.since_version))
    return found


def _excused() -> set[tuple[str, int]]:
    changes = (change.rsplit("-", 1) for words in REASONS.values() for change in words.split())
    return {(name, int(version)) for name, version in changes}


def test_every_change_has_a_rule_or_a_reason() -> None:
    """An operator that says something in another way is rewritten, or need not be."""
    rules = {(op_type, since) for op_type, found in RULES.items() for since in found}
    assert _changes() - rules - _excused() == set()


def test_reasons_are_of_changes() -> None:
    """No reason is left behind by a change that is none, or that has a rule."""
    rules = {(op_type, since) for op_type, found in RULES.items() for since in found}
    assert _excused() - _changes() == set()
    assert _excused() & rules == set()


def test_rules_are_of_versions() -> None:
    """A rule is for a version of an operator that ONNX has, or for one that it dropped."""
    versions = {
        (schema.name, schema.since_version) for schema in defs.get_all_schemas_with_history()
    }
    rules = {(op_type, since) for op_type, found in RULES.items() for since in found}
    dropped = {(op_type, since) for op_type, since in rules if since == DROPPED}
    names = {name for name, _ in versions}
    assert rules - versions == {rule for rule in dropped if rule[0] not in names}
