"""Operators that read an image between its pixels, at places that are computed."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import unknown
from ..ir.graph import Value, present, required
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import DType, TensorType
from ..ir.types import product as size_of
from ..ir.windows import window_of
from .building import extent, number, plus, times, vector
from .cuts import UnknownValueError, are_known, length_of
from .opdef import Cost, OpDef, Operands, Precision, define
from .receptive_field import everything

NEIGHBOURS = {"nearest": 1, "linear": 2, "cubic": 4}


def infer_grid_sample(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), places (N, *O, R) of R coordinates from -1 to 1 => y (N, C, *O)."""
    x, grid, rank = call.type(0), call.type(1), call.type(0).rank - 2
    if rank < 1 or grid.rank != x.rank or grid.shape[-1] not in (rank, unknown()):
        raise InferenceError(f"GridSample cannot read {x} at {grid}")
    for name, words in WORDS.items():
        if call.attributes[name] not in words:
            raise InferenceError(f"GridSample has no {name} `{call.attributes[name]}`")
    return (x.with_shape((*x.shape[:2], *grid.shape[1:-1])),)


WORDS = {"mode": tuple(NEIGHBOURS), "padding_mode": ("zeros", "border", "reflection")}


def grid_sample_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per neighbour that is weighed."""
    taps = NEIGHBOURS[call.attributes["mode"]] ** (call.type(0).rank - 2)
    return Cost(elementwise=outputs[0].size * taps)


def grid_sample(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """The pixels at the corners around each place, weighed.

    Raises:
        UnknownValueError: The image's extents are unknown, or the mode is not built.
    """
    x, grid = present(operands)
    extents = [dim for dim in x.shape[2:] if isinstance(dim, int)]
    words = call.attributes["mode"], call.attributes["padding_mode"]
    if len(extents) < len(x.shape) - 2 or words[0] == "cubic" or words[1] == "reflection":
        raise UnknownValueError(
            "GridSample is built from others in the modes `linear` and `nearest`"
        )
    corners = [
        _axis_corners(build, grid, len(extents) - 1 - axis, size, call)
        for axis, size in enumerate(extents)
    ]
    line = build.index_constant((0, 0, -1))
    pixels = build.Reshape(x, line)
    total: Value | None = None
    for chosen in product(*corners):
        place, weight = chosen[0]
        for size, (further, share) in zip(extents[1:], chosen[1:], strict=True):
            place = build.Add(build.Mul(place, build.constant(size, DType.INT64)), further)
            weight = build.Mul(weight, share)
        found = build.GatherElements(pixels, _for_channels(build, place, x), axis=2)
        term = build.Mul(found, build.Reshape(weight, vector(build, [extent(x, 0), 1, -1])))
        total = term if total is None else build.Add(total, term)
    assert total is not None
    shape = [extent(x, 0), extent(x, 1), *(extent(grid, i) for i in range(1, len(x.shape) - 1))]
    return [build.Reshape(total, vector(build, shape))]


def _for_channels(build: Builder, place: Value, x: Value) -> Value:
    """Indices (N, *O), the same for each channel: (N, C, prod O)."""
    wide = build.Reshape(place, vector(build, [extent(x, 0), 1, -1]))
    ones = build.index_constant((1,))
    return build.Expand(
        wide, build.op("Concat", (ones, build.Shape(x, start=1, end=2), ones), {"axis": 0})[0]
    )


def _axis_corners(
    build: Builder, grid: Value, column: int, size: int, call: OpCall
) -> list[tuple[Value, Value]]:
    """For each neighbour on an axis its index, clamped to the axis, and what it weighs."""
    at = build.Gather(grid, build.index_constant(column), axis=-1)
    if call.attributes["align_corners"]:
        at = times(build, plus(build, at, 1.0), (size - 1) / 2)
    else:
        at = plus(build, times(build, plus(build, at, 1.0), size / 2), -0.5)
    zero, last = number(build, 0.0, at), number(build, size - 1.0, at)
    if call.attributes["mode"] == "nearest":
        at = _without_gradient(build, build.Round(at))
    if call.attributes["padding_mode"] == "border":
        at = build.Clip(at, zero, last)
    first = _without_gradient(build, build.Floor(at))
    taps = [first] if call.attributes["mode"] == "nearest" else [first, plus(build, first, 1.0)]
    corners = []
    for tap in taps:
        away = build.Abs(build.Sub(at, tap))
        weight = build.Sub(number(build, 1.0, at), away)
        inside = build.And(build.GreaterOrEqual(tap, zero), build.LessOrEqual(tap, last))
        weight = build.Where(inside, weight, zero)
        corners.append((build.Cast(build.Clip(tap, zero, last), to=DType.INT64), weight))
    return corners


def _without_gradient(build: Builder, x: Value) -> Value:
    """Whole numbers, through which no gradient passes."""
    return build.Cast(build.Cast(x, to=DType.INT64), to=x.dtype)


def infer_affine_grid(call: OpCall) -> Sequence[TensorType]:
    """theta (N, R, R + 1), the size (N, C, *S) of an image => places (N, *S, R)."""
    theta, rank = call.type(0), length_of(call, 1) - 2
    if rank not in (2, 3) or theta.shape[1:] != (rank, rank + 1):
        raise InferenceError(f"AffineGrid cannot place a size of {rank + 2} numbers by {theta}")
    size = call.vector(1)
    spatial = (unknown(),) * rank if size is None else size[2:]
    return (theta.with_shape((theta.shape[0], *spatial, rank)),)


def affine_grid(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """theta times the coordinates of each pixel, which are those of the last axis first, and 1.

    Raises:
        UnknownValueError: The size is unknown.
    """
    theta, size = required(operands[0]), call.vector(1)
    spatial = [] if size is None else [dim for dim in size[2:] if isinstance(dim, int)]
    rank = len(theta.shape[1:]) and length_of(call, 1) - 2
    if len(spatial) < rank:
        raise UnknownValueError("AffineGrid needs a size that is known at compile time")
    shape, column = build.index_constant(tuple(spatial)), build.index_constant((-1,))
    places: list[Value] = []
    for axis in reversed(range(rank)):
        line: Any = tuple(coordinates(spatial[axis], bool(call.attributes["align_corners"])))
        for _ in range(rank - 1 - axis):
            line = tuple((item,) for item in line)
        wide = build.Expand(build.constant(line, theta.dtype), shape)
        places.append(build.Unsqueeze(wide, column))
    ones = build.Expand(number(build, 1.0, theta), build.index_constant((*spatial, 1)))
    every = build.op("Concat", (*places, ones), {"axis": -1})[0]
    flat = build.Reshape(every, build.index_constant((-1, rank + 1)))
    found = build.MatMul(flat, build.Transpose(theta, perm=(0, 2, 1)))
    return [build.Reshape(found, vector(build, [extent(theta, 0), *spatial, rank]))]


def coordinates(size: int, align_corners: bool) -> list[float]:
    """The places of an axis's pixels between -1 and 1: their centres, or corners at the ends."""
    if align_corners:
        return [2 * i / (size - 1) - 1 for i in range(size)] if size > 1 else [0.0] * size
    return [(2 * i + 1) / size - 1 for i in range(size)]


def affine_grid_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """R + 1 products per coordinate."""
    return Cost(macs=outputs[0].size * call.type(0).shape[2])


def infer_roi_align(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, H, W), regions (R, 4) as corners (x, y, x, y), their samples (R) => (R, C, h, w)."""
    x, regions, samples = call.type(0), call.type(1), call.type(2)
    if x.rank != 4 or regions.rank != 2 or regions.shape[1] != 4 or samples.rank != 1:
        raise InferenceError(f"RoiAlign cannot cut {regions} of {samples} out of {x}")
    height, width = call.attributes["output_height"], call.attributes["output_width"]
    return (x.with_shape((regions.shape[0], x.shape[1], height, width)),)


def infer_max_roi_pool(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, H, W), regions (R, 5), a sample and corners (x, y, x, y) => (R, C, h, w)."""
    x, regions = call.type(0), call.type(1)
    if x.rank != 4 or regions.rank != 2 or regions.shape[1] != 5:
        raise InferenceError(f"MaxRoiPool cannot cut {regions} out of {x}")
    return (x.with_shape((regions.shape[0], x.shape[1], *call.attributes["pooled_shape"])),)


def region_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per element and corner of a pixel."""
    return Cost(elementwise=outputs[0].size * 4)


def infer_col2im(call: OpCall) -> Sequence[TensorType]:
    """Columns (N, C * prod K, L), an image's extents S, a block's K => y (N, C, *S)."""
    x, rank = call.type(0), length_of(call, 1)
    if x.rank != 3 or length_of(call, 2) != rank:
        raise InferenceError(f"Col2Im cannot put {x} in blocks")
    image, block = call.vector(1), call.vector(2)
    if block is None or image is None:
        return (x.with_shape((x.shape[0], *(unknown() for _ in range(rank + 1)))),)
    taps = size_of(block)
    if isinstance(x.shape[1], int) and isinstance(taps, int) and x.shape[1] % taps:
        raise InferenceError(f"Col2Im cannot make blocks of {taps} of {x}")
    channels = x.shape[1] // taps if isinstance(taps, int) else unknown()
    return (x.with_shape((x.shape[0], channels, *image)),)


def col2im(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """A transposed convolution whose filters each put one element of the block in its place.

    Raises:
        UnknownValueError: The extents are unknown.
    """
    x, (image, block) = required(operands[0]), (call.vector(1), call.vector(2))
    if image is None or block is None or not are_known(call, 1, 2):
        raise UnknownValueError("Col2Im needs extents that are known at compile time")
    rank, taps = len(block), size_of(block)
    attributes = {**call.attributes, "kernel_shape": tuple(block)}
    window = window_of(attributes)
    counts = window.output(image)
    columns = build.Reshape(x, build.index_constant((-1, int(taps), *map(int, counts))))  # type: ignore[arg-type]  # known
    ones = tuple(
        tuple(1.0 if i == j else 0.0 for j in range(int(taps)))  # type: ignore[arg-type]
        for i in range(int(taps))  # type: ignore[arg-type]
    )
    weights = build.Reshape(
        build.constant(ones, x.dtype),
        build.index_constant((int(taps), 1, *block)),  # type: ignore[arg-type]
    )
    reached = window.scattered(counts)
    extra = tuple(a - b for a, b in zip(image, reached, strict=True))
    y = build.ConvTranspose(
        columns, weights, **attributes, output_padding=extra if any(extra) else None
    )
    channels = extent(x, 1) if not isinstance(x.shape[1], int) else x.shape[1] // int(taps)  # type: ignore[arg-type]
    shape = vector(build, [extent(x, 0), channels, *image[:rank]])
    return [build.Reshape(y, shape)]


def infer_deform_conv(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), w (M, C / group, *K), offsets (N, G * R prod K, *O) => y (N, M, *O)."""
    x, w, offsets = call.type(0), call.type(1), call.type(2)
    if x.rank != w.rank or offsets.rank != x.rank:
        raise InferenceError(f"DeformConv cannot apply {w} at {offsets} to {x}")
    kernel = call.attributes["kernel_shape"] or w.shape[2:]
    window = window_of({**call.attributes, "kernel_shape": kernel})
    return (x.with_shape((x.shape[0], w.shape[0], *window.output(x.shape[2:]))),)


def deform_conv_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Products as of a convolution, and corners of pixels for each element that a filter sees."""
    taps = size_of(call.type(1).shape[1:])
    return Cost(macs=outputs[0].size * taps, elementwise=call.type(2).size * 4)


define(
    OpDef(
        "GridSample",
        22,
        precision=Precision.FULL,
        infer=infer_grid_sample,
        cost=grid_sample_cost,
        sees=everything,
        attributes={"mode": "linear", "padding_mode": "zeros", "align_corners": 0},
        function=grid_sample,
    ),
    OpDef(
        "AffineGrid",
        20,
        precision=Precision.HALF,
        infer=infer_affine_grid,
        cost=affine_grid_cost,
        sees=everything,
        attributes={"align_corners": 0},
        function=affine_grid,
    ),
    OpDef(
        "RoiAlign",
        22,
        precision=Precision.FULL,
        infer=infer_roi_align,
        cost=region_cost,
        sees=everything,
        attributes={
            "mode": "avg",
            "output_height": 1,
            "output_width": 1,
            "sampling_ratio": 0,
            "spatial_scale": 1.0,
            "coordinate_transformation_mode": "half_pixel",
        },
    ),
    OpDef(
        "MaxRoiPool",
        22,
        infer=infer_max_roi_pool,
        cost=region_cost,
        sees=everything,
        attributes={"pooled_shape": REQUIRED, "spatial_scale": 1.0},
    ),
    OpDef(
        "Col2Im",
        18,
        precision=Precision.FULL,
        infer=infer_col2im,
        cost=region_cost,
        sees=everything,
        attributes={"dilations": None, "pads": None, "strides": None},
        function=col2im,
    ),
    OpDef(
        "DeformConv",
        22,
        precision=Precision.HALF,
        infer=infer_deform_conv,
        cost=deform_conv_cost,
        sees=everything,
        attributes={
            "kernel_shape": None,
            "strides": None,
            "pads": None,
            "dilations": None,
            "group": 1,
            "offset_group": 1,
        },
    ),
)
