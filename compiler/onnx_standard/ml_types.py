"""What ONNX's operators of classical learning (`ai.onnx.ml`) yield, which onnx itself leaves open.

The operators' definitions in onnx 1.17, `docs/Operators-ml.md`.
"""

from collections.abc import Callable, Mapping, Sequence

from ..ir.dim import Dim, unknown
from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType

Rule = Callable[[OpCall], Sequence[TensorType]]


def _operand(call: OpCall, place: int = 0) -> TensorType:
    type = call.inputs[place] if place < len(call.inputs) else None
    if type is None:
        raise InferenceError("it lacks an argument")
    return type


def _samples(call: OpCall) -> Dim:
    """How many rows (N, features) there are; a vector is one."""
    x = _operand(call)
    return x.shape[0] if x.rank > 1 else 1


def _real(call: OpCall) -> Sequence[TensorType]:
    """Real numbers in the operand's shape."""
    return (TensorType(DType.FLOAT32, _operand(call).shape),)


def _alike(call: OpCall) -> Sequence[TensorType]:
    """The operand's type."""
    return (_operand(call),)


def _classes(call: OpCall) -> Sequence[TensorType]:
    """A label for each sample, (N), and scores, (N, classes)."""
    given = call.attributes
    texts, numbers = (
        next((given[n] for n in names if given.get(n)), None)
        for names in (
            ("classlabels_strings", "classlabels_string"),
            ("classlabels_ints", "classlabels_int64s"),
        )
    )
    labels = texts or numbers
    samples = _samples(call)
    label = DType.STRING if texts else DType.INT64
    count: Dim = len(labels) if labels else unknown()
    return TensorType(label, (samples,)), TensorType(DType.FLOAT32, (samples, count))


def _targets(call: OpCall) -> Sequence[TensorType]:
    """Real numbers (N, targets)."""
    targets = call.attributes.get("targets") or call.attributes.get("n_targets") or 1
    return (TensorType(DType.FLOAT32, (_samples(call), targets)),)


def _features(call: OpCall) -> Sequence[TensorType]:
    """Some of the last axis; a vector becomes a row."""
    x, places = _operand(call), _operand(call, 1)
    if not x.rank:
        raise InferenceError("it takes no scalar")
    others = x.shape[:-1] if x.rank > 1 else (1,)
    return (x.with_shape((*others, places.size)),)


ML_TYPES: Mapping[str, Rule] = {
    "ArrayFeatureExtractor": _features,
    "Binarizer": _alike,
    "Imputer": _alike,
    "LinearClassifier": _classes,
    "LinearRegressor": _targets,
    "Normalizer": _real,
    "SVMClassifier": _classes,
    "SVMRegressor": _targets,
    "Scaler": _real,
    "TreeEnsembleClassifier": _classes,
    "TreeEnsembleRegressor": _targets,
}
