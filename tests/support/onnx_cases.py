"""ONNX's own test cases of operators, and graphs of them: what each yields on given arrays."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from onnx import ModelProto

from netc.compiler.ir.graph import Graph
from netc.compiler.onnx_import.model import import_model


@dataclass(frozen=True)
class Case:
    """A test case.

    Attributes:
        name: ONNX's name of it, without `test_`.
        model: A model of one operator, or of what it expands to.
        sets: Arrays that the model takes and yields, in order.
    """

    name: str
    model: ModelProto
    sets: Sequence[tuple[Sequence[Any], Sequence[Any]]]

    def __str__(self) -> str:
        return self.name

    @property
    def graph(self) -> Graph:
        """The model as it is imported."""
        return import_model(self.model.SerializeToString(), name=self.name).graph


@cache
def all_cases() -> Mapping[str, Case]:
    """ONNX's cases of single operators, by name."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that overflow on purpose
        found = load_model_tests(kind="node")
    given = ((c.name.removeprefix("test_"), c.model, c.data_sets) for c in found)
    cases = (Case(name, model, sets) for name, model, sets in given if model and sets)
    return {case.name: case for case in cases}
