"""Dense layers."""

from ..arguments import Flag, Initializer, Numbers, Positive
from ..graph import Value
from ..initializers import AUTO
from ..layer_builder import LayerBuilder
from ..layerdef import layer
from .spatial import describe

HIDDEN_UNITS = 128


@layer("FC", counts="units")
def fully_connected(
    build: LayerBuilder,
    x: Value,
    *,
    units: Positive = HIDDEN_UNITS,
    bias: Flag = True,
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Dense layer on the flattened input (ONNX `Gemm`): y = x WT + b; W is (units, features)."""
    flat = flattened(build, x)
    (features,) = build.concrete(flat, (1,))
    w = build.weight((units, features), init=init, literal=weight)
    b = build.bias(units, literal=bias_value) if bias else None
    return build.Gemm(flat, w, b, transB=1)


@layer("FLATTEN")
def flatten(build: LayerBuilder, x: Value) -> Value:
    """All axes but the batch as one, channels first and row-major (ONNX `Flatten`)."""
    return flattened(build, x)


def flattened(build: LayerBuilder, x: Value) -> Value:
    """`x` as (N, features)."""
    if x.type.rank < 1 or not x.dtype.is_float:
        raise build.fail("E201", f"needs real numbers, but its input is {describe(x)}")
    return x if x.type.rank == 2 else build.Flatten(x, axis=1)
