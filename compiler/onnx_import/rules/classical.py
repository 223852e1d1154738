"""Operators of `ai.onnx.ml` that are linear maps and choices, in terms of ONNX's own.

Their coefficients are weights then, which count and can be trained.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import AttributeProto, TensorProto

from ..attributes import value
from ..rewriting import Draft, Rewrite

CLASSICAL = "ai.onnx.ml"
ZIP_MAP = "ZipMap"
NORMS: Mapping[str, str] = {"L1": "ReduceL1", "L2": "ReduceL2"}
POST: Mapping[str, str] = {"NONE": "Identity", "LOGISTIC": "Sigmoid", "SOFTMAX": "Softmax"}


def scaler(draft: Draft) -> None:
    """y = (x - offset) scale, each a number or one per feature."""
    offset, scale = (_floats(draft, name) for name in ("offset", "scale"))
    if not offset.size or not scale.size:
        return
    centred = draft.add("Sub", _real(draft), draft.constant(offset, "offset"), hint="centred")
    draft.add("Mul", centred, draft.constant(scale, "scale"), output=draft.output(0))


def regressor(draft: Draft) -> None:
    """y = x WT + b."""
    rows = draft.int_of("targets", 1)
    if draft.string_of("post_transform", "NONE") == "NONE" and _fits(draft, rows):
        _linear(draft, rows, output=draft.output(0))


def classifier(draft: Draft) -> None:
    """Scores of x WT + b, and the label of the largest one; a row of W for each label."""
    labels = _labels(draft)
    post = POST.get(draft.string_of("post_transform", "NONE"))
    rows = _floats(draft, "intercepts").size
    if labels is None or post is None or rows != labels.size or not _fits(draft, rows):
        return
    scores = _linear(draft, rows)
    choice = draft.add("ArgMax", scores, hint="choice", axis=1, keepdims=0)
    draft.add("Gather", draft.constant(labels, "labels"), choice, output=draft.output(0))
    if draft.output(1):  # a softmax is over the last axis unless the node says otherwise
        draft.add(post, scores, output=draft.output(1))


def normalizer(draft: Draft) -> None:
    """x / |x| of each row; nothing of a row of zeros."""
    norm = NORMS.get(draft.string_of("norm", "MAX"))
    if norm is not None:
        x = _real(draft)
        size = draft.add(norm, x, draft.ints((-1,), "axes"), hint="size")
        least = draft.real(float(np.finfo(np.float32).tiny), "least")
        draft.add("Div", x, draft.add("Max", size, least), output=draft.output(0))


def zip_map(draft: Draft) -> None:
    """The scores as an array: that of a map of each sample, whose keys are the labels, in order."""
    draft.add("Identity", draft.input(0), output=draft.output(0))


def extractor(draft: Draft) -> None:
    """Elements along the last axis; a vector counts as a matrix of one row."""
    rank = draft.types.rank(draft.input(0))
    if rank is None:
        return
    flat = draft.add("Reshape", draft.input(1), draft.ints((-1,), "all"), hint="indices")
    if rank > 1:
        draft.add("Gather", draft.input(0), flat, output=draft.output(0), axis=rank - 1)
        return
    taken = draft.add("Gather", draft.input(0), flat, hint="taken")
    draft.add("Unsqueeze", taken, draft.ints((0,), "axes"), output=draft.output(0))


PLAIN: Mapping[str, Rewrite] = {
    "ArrayFeatureExtractor": extractor,
    "LinearClassifier": classifier,
    "LinearRegressor": regressor,
    "Normalizer": normalizer,
    "Scaler": scaler,
    ZIP_MAP: zip_map,
}


def _floats(draft: Draft, name: str) -> "np.ndarray[Any, Any]":
    return np.array(value(draft.node, name, AttributeProto.FLOATS, ()), np.float32)


def _labels(draft: Draft) -> "np.ndarray[Any, Any] | None":
    numbers = value(draft.node, "classlabels_ints", AttributeProto.INTS)
    if numbers:
        return np.array(numbers, np.int64)
    texts = value(draft.node, "classlabels_strings", AttributeProto.STRINGS)
    return np.array(texts, object) if texts else None


def _real(draft: Draft) -> str:
    """The operand in float32, which these operators compute in."""
    x = draft.input(0)
    return x if draft.types.code(x) == TensorProto.FLOAT else draft.add("Cast", x, to=1)


def _fits(draft: Draft, rows: int) -> bool:
    """Whether there are coefficients for this number of rows."""
    count = _floats(draft, "coefficients").size
    return rows > 0 and count > 0 and count % rows == 0


def _linear(draft: Draft, rows: int, *, output: str = "") -> str:
    """X WT + b with the coefficients, which must be there."""
    matrix = _floats(draft, "coefficients").reshape(rows, -1)
    shift = _floats(draft, "intercepts")
    weights = [draft.weight(matrix, "weight")]
    weights += [draft.weight(shift, "bias")] if shift.size == rows else []
    return draft.add("Gemm", _real(draft), *weights, output=output, hint="scores", transB=1)
