"""Convolutions with one window, which sees all of its input, as the dense layers that they are.

In a step of training, where weights are inputs, onnxruntime multiplies such a window with each
sample apart, and one product of matrices takes a third of the time.
"""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import CONSTANT, PARAMETER, Value, present
from ..ir.signature import OpCall
from ..ir.windows import window_of


def as_product(
    build: Builder, inputs: Sequence[Value | None], call: OpCall
) -> Sequence[Value] | None:
    """x (N, C, *K), w (M, C, *K), b (M) => y (N, M, 1, ...) as a product of matrices."""
    (x, w), bias = present(inputs[:2]), inputs[2:]
    if not is_free(build, w) or not is_one_window(call, x.shape[2:]):
        return None
    rows, kernels = (build.Reshape(each, build.index_constant((0, -1))) for each in (x, w))
    y = build.Gemm(rows, kernels, *bias, alpha=1.0, beta=1.0, transA=0, transB=1)
    ones = (1,) * (len(x.shape) - 2)
    return (build.Reshape(y, build.index_constant((0, -1, *ones))),)


def as_transposed_product(
    build: Builder, inputs: Sequence[Value | None], call: OpCall
) -> Sequence[Value] | None:
    """dy (N, M, 1, ...), w (M, C, *K) => dx (N, C, *K) as a product of matrices."""
    (dy, w), bias = present(inputs[:2]), inputs[2:]
    kernel, extra = call.attributes["kernel_shape"], call.attributes["output_padding"]
    fits = set(dy.shape[2:]) == {1} and is_one_window(call, kernel) and not any(extra or ())
    if not fits or not is_free(build, w) or any(bias):
        return None
    rows, kernels = (build.Reshape(each, build.index_constant((0, -1))) for each in (dy, w))
    dx = build.Gemm(rows, kernels, alpha=1.0, beta=1.0, transA=0, transB=0)
    return (build.Reshape(dx, build.index_constant((0, -1, *kernel))),)


def is_free(build: Builder, w: Value) -> bool:
    """Whether a weight is an input, as in a step of training; engines lay constant ones out."""
    return build.graph.producer(w).op_type not in (PARAMETER, CONSTANT)


def is_one_window(call: OpCall, extents: Sequence[Dim]) -> bool:
    """Whether the window is as large as what it sees, in one group, and more than a number."""
    window = window_of(call.attributes)
    plain = set(window.dilations) == {1} and not any(window.pads) and call.attributes["group"] == 1
    return plain and tuple(extents) == window.kernel and set(window.kernel) != {1}
