"""ONNX's own test suites on netc's backend, and the figures that they come to.

`python -m support.conformance`, with `tests` on the path, prints them.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, SequenceProto, TensorProto, numpy_helper

import netc
from netc import NetError
from netc.onnx_backend import NetcBackend

SUITES = ("node", "simple", "pytorch-converted", "pytorch-operator")
OWN, REFERENCE = "own kernels", "onnx's reference"
DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"


@dataclass(frozen=True)
class Case:
    """A test case of ONNX: a model with pairs of inputs and outputs."""

    suite: str
    name: str
    model: ModelProto
    pairs: Sequence[tuple[Sequence[Any], Sequence[Any]]]
    rtol: float
    atol: float

    def __str__(self) -> str:
        return self.name


@cache
def cases(suite: str) -> Sequence[Case]:
    """The cases of a suite."""
    if suite == "node":
        return list(_node_cases())
    return [_read(suite, folder) for folder in sorted((DATA / suite).iterdir())]


def _node_cases() -> Iterator[Case]:
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that overflow on purpose
        found = load_model_tests(kind="node")
    for case in found:
        assert case.model is not None
        assert case.data_sets is not None
        pairs = [([*map(_held, x)], [*map(_held, y)]) for x, y in case.data_sets]
        yield Case("node", case.name, case.model, pairs, case.rtol, case.atol)


def _held(value: Any) -> Any:
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else value


def _read(suite: str, folder: Path) -> Case:
    model = onnx.load(folder / "model.onnx")
    pairs = []
    for data in sorted(folder.glob("test_data_set_*")):
        given = [_array(path) for path in _numbered(data, "input")]
        pairs.append((given, [_array(path) for path in _numbered(data, "output")]))
    return Case(suite, folder.name, model, pairs, 1e-3, 1e-7)


def _numbered(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[-1]))


def _array(path: Path) -> Any:
    data = path.read_bytes()
    try:
        return numpy_helper.to_array(TensorProto.FromString(data))
    except Exception:
        return numpy_helper.to_list(SequenceProto.FromString(data))


def outcome(case: Case) -> str:
    """Who computed what was expected, or why nobody did."""
    try:
        prepared = NetcBackend.prepare(case.model)
        for given, expected in case.pairs:
            results = prepared.run(list(given))
            for found, wanted in zip(results, expected, strict=True):
                if reason := _difference(found, wanted, case):
                    return reason
        return REFERENCE if prepared.foreign else OWN
    except NetError as failure:
        return f"{failure.diagnostics[0].code}: {failure.diagnostics[0].message}"


def outcome_of_layers(case: Case) -> str:
    """What differs when the model is read as a network; empty where nothing does."""
    try:
        net = netc.load_onnx(case.model.SerializeToString())
        for given, expected in case.pairs:
            feeds = dict(zip((spec.name for spec in net.inputs), given, strict=True))
            found = net.run(feeds)
            results = list(found.values()) if isinstance(found, dict) else [found]
            for result, wanted in zip(results, expected, strict=True):
                if reason := _difference(result, wanted, case):
                    return reason
    except NetError as failure:
        return f"{failure.diagnostics[0].code}: {failure.diagnostics[0].message}"
    return ""


def _difference(found: Any, wanted: Any, case: Case) -> str:
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return "another length"
        return next(filter(None, map(_difference, found, wanted, repeat(case))), "")
    if wanted is None:
        return "" if found is None else "a value where there is none"
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return f"{found.dtype}{found.shape} is not {wanted.dtype}{wanted.shape}"
    if wanted.dtype.kind in "OSU":
        return "" if (found.astype(str) == wanted.astype(str)).all() else "other strings"
    wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
    close = np.allclose(
        found.astype(wide), wanted.astype(wide), case.rtol, case.atol, equal_nan=True
    )
    return "" if close else "other numbers"


def figures(suites: Sequence[str] = SUITES) -> Mapping[str, Counter[str]]:
    """How many cases of each suite are computed, and by whom."""
    return {suite: Counter(map(_who, cases(suite))) for suite in suites}


def _who(case: Case) -> str:
    found = outcome(case)
    return found if found in (OWN, REFERENCE) else "failed"


if __name__ == "__main__":
    for suite, found in figures(sys.argv[1:] or SUITES).items():
        total = sum(found.values())
        share = 100 * (total - found["failed"]) / total
        parts = ", ".join(f"{count:,} by {who}" for who, count in found.items() if who != "failed")
        print(f"{suite}: {share:.1f} % of {total:,} cases: {parts}; {found['failed']:,} failed")
