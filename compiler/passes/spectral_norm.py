"""What spectral normalization (Miyato et al. 2018) computes in each mode, in standard operators."""

from math import prod

from ..ir.builder import Builder
from ..ir.graph import Value


def divided(build: Builder, weight: Value, u: Value, v: Value, axis: int) -> Value:
    """W / (u W v): the weight divided by its largest singular value, which u and v determine."""
    product = build.MatMul(_matrix(build, weight, axis), v)
    return build.Div(weight, build.ReduceSum(build.Mul(u, product), keepdims=0))


def moved(
    build: Builder, weight: Value, v: Value, axis: int, epsilon: float
) -> tuple[Value, Value]:
    """U and v after a step of the power method, of which nothing is differentiated.

    u = W v / |W v| and then v = u W / |u W|, as in PyTorch, where norms are at least epsilon.
    """
    matrix = build.op("netc.Detach", (_matrix(build, weight, axis),))[0]
    u = _normalized(build, build.MatMul(matrix, v), epsilon)
    return u, _normalized(build, build.MatMul(u, matrix), epsilon)


def _matrix(build: Builder, weight: Value, axis: int) -> Value:
    """The weight as a matrix whose rows are what lies on an axis."""
    rank, shape = weight.type.rank, weight.type.extents
    if axis:
        order = (axis, *(place for place in range(rank) if place != axis))
        weight = build.Transpose(weight, perm=order)
    if rank == 2:
        return weight
    return build.Reshape(weight, build.index_constant((shape[axis], prod(shape) // shape[axis])))


def _normalized(build: Builder, x: Value, epsilon: float) -> Value:
    norm = build.ReduceL2(x, keepdims=0)
    return build.Div(x, build.Max(norm, build.constant(epsilon, x.dtype)))
