"""Layers that drop something in training, and nothing at inference."""

from ..expressions.arguments import Flag, Initializer, Numbers, Positive, Rate
from ..ir.graph import Value
from ..ir.initializers import AUTO
from ..ir.types import DType
from .activation import real
from .dense import HIDDEN_UNITS, flattened
from .layer_builder import LayerBuilder
from .layerdef import layer


@layer("DROPOUT", number="rate")
def dropout(build: LayerBuilder, x: Value, *, rate: Rate = 0.5) -> Value:
    """Drops elements in training and scales the rest by 1 / (1 - rate) (ONNX `Dropout`).

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014.
    """
    return _dropped(build, real(build, x), rate)


@layer("DROPCONNECT", counts="units", number="rate")
def drop_connect(
    build: LayerBuilder,
    x: Value,
    *,
    units: Positive = HIDDEN_UNITS,
    rate: Rate = 0.5,
    bias: Flag = True,
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """A dense layer whose single weights are dropped in training, as one for the whole batch.

    Wan, Zeiler, Zhang, LeCun and Fergus 2013; the weights that stay are scaled by
    1 / (1 - rate), so that inference uses them as they are.
    """
    flat = flattened(build, x)
    (features,) = build.concrete(flat, (1,))
    w = build.weight((units, features), init=init, literal=weight)
    b = build.bias(units, literal=bias_value) if bias else None
    return build.Gemm(flat, _dropped(build, w, rate), b, transB=1)


@layer("DROPPATH", number="rate")
def drop_path(build: LayerBuilder, x: Value, *, rate: Rate = 0.5) -> Value:
    """Drops whole samples of a branch in training: stochastic depth (Huang et al. 2016).

    A merge with the branch that is kept follows it: `( ID | ... -> DROPPATH(0.2) ) -> ADD`.
    """
    ones = (1,) * (real(build, x).type.rank - 1)
    batch = build.Shape(x, start=0, end=1)
    per_sample = build.Concat(batch, build.index_constant(ones), axis=0)
    kept = build.Expand(build.constant(1.0, x.dtype), per_sample)
    return build.Mul(x, _dropped(build, kept, rate))


def _dropped(build: LayerBuilder, x: Value, rate: float) -> Value:
    return build.Dropout(x, build.constant(rate, DType.FLOAT32))
