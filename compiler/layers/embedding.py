"""Layers that turn token ids into features, and positions into features that are added."""

from ..expressions.arguments import Initializer, Numbers, Positive
from ..ir.graph import Value
from ..ir.initializers import Init
from ..ir.types import DType
from .axes import arranged
from .layer_builder import LayerBuilder
from .layerdef import layer
from .sequence import sequence
from .spatial import describe

# PyTorch's own, and what ViT, GPT-2 and Swin draw positions from.
TOKENS = Init("normal", (1.0,))
POSITIONS = Init("normal", (0.02,))


@layer("EMBED", counts=("vocabulary", "width"))
def embedding(
    build: LayerBuilder,
    x: Value,
    *,
    vocabulary: Positive,
    width: Positive,
    init: Initializer = TOKENS,
    weight: Numbers | None = None,
) -> Value:
    """A row of the weight (vocabulary, width) for each token id (ONNX `Gather`).

    Token ids (N, L) become a sequence (N, L, width), ids (N, H, W) an image (N, width, H, W). The
    initial values are PyTorch's, `normal(1)`.
    """
    if x.dtype not in (DType.INT32, DType.INT64) or x.type.rank not in (1, 2, 3, 4):
        raise build.fail(
            "E201",
            f"needs token ids, but its input is {describe(x)}",
            help="token ids are `INPUT(length, dtype=int64)`",
        )
    table = build.weight((vocabulary, width), init=init, literal=weight, fans=(vocabulary, width))
    rows = build.Gather(table, x, axis=0)
    return arranged(build, rows, range(1, rows.type.rank))


@layer("POSEMBED", counts="length")
def position_embedding(
    build: LayerBuilder,
    x: Value,
    *,
    length: Positive | None = None,
    init: Initializer = POSITIONS,
    weight: Numbers | None = None,
) -> Value:
    """Adds learned positions, the weight (length, width), to a sequence (ONNX `Add`).

    `length` defaults to the input's; a shorter input takes the first rows. The initial values are
    `normal(0.02)`, which ViT, GPT-2 and Swin use.
    """
    rows = sequence(build, x).shape[1]
    (width,) = build.concrete(x, (2,))
    held = length or build.concrete(x, (1,))[0]
    if isinstance(rows, int) and rows > held:
        raise build.fail(
            "E103",
            f"holds {held} positions, but its input has {rows}",
            at="length",
            help=f"write `{build.spelling}({rows})`",
        )
    table = build.weight((held, width), init=init, literal=weight)
    if rows != held:
        known = isinstance(rows, int)
        end = build.index_constant((rows,)) if known else build.Shape(x, start=1, end=2)
        first = build.index_constant((0,))
        table = build.Slice(table, first, end, first)
    return build.Add(x, table)
