"""Has onnx check a model: its structure, and its shapes against strict inference."""

from collections.abc import Callable

from onnx import GraphProto, ModelProto, checker, shape_inference

from ....grammar.diagnostics import NetError, error
from ....grammar.files import path_or_bytes
from ...onnx_standard.protos import value_info
from .weights import Weight


def check_skeleton(model: ModelProto, graph: GraphProto, weights: list[Weight]) -> None:
    """Check a model before any weight is read: parameters stand in as inputs.

    All types that the graph states are compared with those that onnx infers.

    Raises:
        NetError: E506, with onnx's own words.
    """
    skeleton = ModelProto()
    skeleton.CopyFrom(model)
    skeleton.graph.CopyFrom(graph)
    skeleton.graph.input.extend(value_info(weight.name, weight.type) for weight in weights)
    _passes(lambda: checker.check_model(skeleton))
    _passes(
        lambda: shape_inference.infer_shapes(
            skeleton, check_type=True, strict_mode=True, data_prop=True
        )
    )


def check_file(path: str) -> None:
    """Check a written model where it lies, so that nothing big is loaded twice.

    Raises:
        NetError: E506, with onnx's own words.
    """
    _passes(lambda: checker.check_model(path_or_bytes(path), full_check=True))


def _passes(examine: Callable[[], object]) -> None:
    try:
        examine()
    except (checker.ValidationError, shape_inference.InferenceError) as failure:
        raise _refused(failure) from failure


def _refused(failure: Exception) -> NetError:
    first, *rest = str(failure).strip().splitlines()
    return error("E506", f"onnx refuses the exported model: {first}", notes=rest[:3])
