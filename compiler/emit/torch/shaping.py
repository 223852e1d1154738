"""Operators that move elements, or cut and join tensors -> expressions of PyTorch."""

from collections.abc import Mapping, Sequence

from ...ir.graph import required
from .code import (
    POSTFIX,
    PRODUCT,
    Code,
    Group,
    Input,
    Number,
    Part,
    call,
    code,
    joined,
    listed,
    method,
    number,
    operand,
    option,
)
from .operator_call import OperatorCall, Row, dtype


def reshape(op: OperatorCall) -> Code:
    """Whatever leaves elements in their order."""
    before, after = op.x.shape, op.outputs[0].shape
    if len(after) == 2 < len(before) and before[:1] == after[:1]:
        return method(0, "flatten", 1)
    if len(before) == 1 and [extent for extent in after if extent != 1] == [*before]:
        return method(0, "reshape", *(1 if extent == 1 else -1 for extent in after))
    return method(0, "reshape", *op.sizes(after))


def squeezed(name: str) -> Row:
    """An axis less or more; several are a reshape."""

    def write(op: OperatorCall) -> Code:
        axes = op.constant(1)
        rank = max(op.x.rank, op.outputs[0].rank)
        if axes is not None and len(axes) == 1:
            return method(0, name, axes[0] % rank)
        return reshape(op)

    return Row(write, frozenset({1}))


def sliced(op: OperatorCall) -> Code:
    """Slice; steps back are steps ahead of what is flipped."""
    starts, ends, axes, steps = map(op.constant, range(1, 5))
    axes = range(len(starts)) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    places = [code(":")] * op.x.rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step < 0:
            raise NotImplementedError("negative steps")
        places[axis] = _range(start, end, step)
    while len(places) > 1 and places[-1] == code(":"):
        places.pop()
    return Code((*operand(0, POSTFIX).parts, Group(tuple(places), "[]", "subscript")))


def _range(start: object, end: object, step: int) -> Code:
    if not isinstance(start, int) or not isinstance(end, int):
        raise NotImplementedError("places that only an input determines")
    first = [] if start == 0 else _place(start)
    last = [] if end >= 2**31 else _place(end)
    return Code((*first, ":", *last, *([f":{step}"] if step != 1 else [])))


def _place(number: int) -> list[Part]:
    sign: list[Part] = ["-"] if number < 0 else []
    return [*sign, Number(abs(number), "cut")]


def gather(op: OperatorCall) -> Code:
    """Gather; a lookup in a table is an embedding, and indices count from the end, too."""
    axis, index = op["axis"] % op.x.rank, required(op.inputs[1])
    (count,) = op.known_extents((axis,))
    places = joined("%", PRODUCT, operand(1, PRODUCT), code(count))
    if axis == 0 and op.x.rank == 2 and index.rank > 0:
        return call("F.embedding", places, operand(0))
    if index.rank == 1:
        return method(0, "index_select", axis, places)
    shape = (*op.x.shape[:axis], *index.shape, *op.x.shape[axis + 1 :])
    rows = method(0, "index_select", axis, method(places, "reshape", -1))
    return method(rows, "reshape", *op.sizes(shape))


MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}


def pad(op: OperatorCall) -> Code:
    """Pad on all axes; other than constants PyTorch pads the last axes of images."""
    mode = op["mode"]
    if mode not in MODES or op.constant(3) is not None:
        raise NotImplementedError("axes, or what wraps around")
    pads, value = op.constant(1), op.constant(2)
    half = len(pads) // 2
    pairs = list(zip(pads[:half][::-1], pads[half:][::-1], strict=True))
    while len(pairs) > 1 and pairs[-1] == (0, 0):
        pairs.pop()
    order = tuple(n for pair in pairs for n in pair)
    if mode == "constant":
        filling = 0 if value is None else value
        return call("F.pad", operand(0), number(order, "pad"), option("value", filling, 0.0))
    if len(pairs) > 3 or (len(pairs) + 2 < op.x.rank and op.x.rank < 3):
        raise NotImplementedError("mirrors or edges of more than three axes")
    return _padded_at_the_end(op, order, MODES[mode])


def _padded_at_the_end(op: OperatorCall, order: tuple[int, ...], mode: str) -> Code:
    """PyTorch mirrors the last n axes of n + 1 or n + 2."""
    axes = max(len(order) // 2, op.x.rank - 2)
    if not op.x.dtype.is_float or axes > 3 or op.x.rank - axes not in (1, 2):
        raise NotImplementedError("mirrors or edges of such axes")
    order += (0,) * (2 * axes - len(order))
    return call("F.pad", operand(0), number(order, "pad"), mode=f'"{mode}"')


def split(op: OperatorCall) -> Code:
    """Split into parts of known sizes."""
    axis = op["axis"]
    sizes = [part.shape[axis] for part in op.outputs]
    if not all(isinstance(size, int) for size in sizes):
        raise NotImplementedError("extents that only an input determines")
    if len(set(sizes)) == 1:
        return method(0, "chunk", len(sizes), axis)
    return method(0, "split", listed([code(str(size)) for size in sizes]), axis)


def expanded(op: OperatorCall) -> Code:
    """Expand; -1 keeps an extent."""
    before, after = op.x.shape, op.outputs[0].shape
    own = (None,) * (len(after) - len(before)) + before
    sizes = [
        code(-1) if kept == extent else op.extent(extent)
        for kept, extent in zip(own, after, strict=True)
    ]
    return method(0, "expand", *sizes) if sizes else operand(0)


def permuted(op: OperatorCall) -> Code:
    """Transpose, by two axes where only these change places."""
    perm = tuple(op["perm"])
    moved = [i for i, axis in enumerate(perm) if axis != i]
    if not moved:
        return operand(0)
    if perm == (1, 0):
        return Code((*operand(0, POSTFIX).parts, ".T"))
    if len(moved) == 2:
        return method(0, "transpose", *moved)
    return method(0, "permute", *perm)


def triangle(op: OperatorCall) -> Code:
    """Trilu."""
    diagonal = int(op.constant(1) or 0)
    return method(0, "triu" if op["upper"] else "tril", *([diagonal] if diagonal else []))


def extents(op: OperatorCall) -> Code:
    """Shape, where it is computed with."""
    first, last = op["start"], op["end"]
    cut = f"[{first or ''}:{'' if last is None else last}]" if first or last is not None else ""
    return call("torch.tensor", Code((Input(0, POSTFIX), f".shape{cut}")))


def concatenated(op: OperatorCall) -> Code:
    """Concat."""
    parts: Sequence[Code] = [operand(i) for i in range(len(op.inputs))]
    return call("torch.cat", listed(parts), option("dim", op["axis"], 0))


def tiled(op: OperatorCall) -> Code:
    """Tile."""
    return method(0, "tile", *(op.extent(often) for often in op.constant(1)))


def filled(op: OperatorCall) -> Code:
    """ConstantOfShape."""
    value, (found,) = op["value"], op.outputs
    number = 0.0 if value is None else value.number()
    usual = {"float32": float, "int64": int, "bool": bool}.get(found.dtype.value)
    options = {} if usual is type(number) else {"dtype": dtype(found)}
    return call("torch.full", listed([op.extent(e) for e in found.shape]), number, **options)


def diagonal(op: OperatorCall) -> Code:
    """EyeLike."""
    ones = call("torch.ones_like", operand(0), dtype=dtype(op.outputs[0]))
    places = [op["k"]] if op["k"] else []
    return method(method(ones, "triu", *places), "tril", *places)


def sampled(op: OperatorCall) -> Code:
    """GridSample."""
    modes = {"linear": "bilinear", "nearest": "nearest", "cubic": "bicubic"}
    options = {
        "mode": option("mode", modes[op["mode"]], "bilinear"),
        "padding": option("padding_mode", op["padding_mode"], "zeros"),
    }
    if op.spatial == 3 and op["mode"] == "cubic":
        raise NotImplementedError("cubes of volumes")
    aligned = code(bool(op["align_corners"]))
    return call("F.grid_sample", operand(0), operand(1), *options.values(), align_corners=aligned)


def placed(op: OperatorCall) -> Code:
    """AffineGrid."""
    sizes = listed([op.extent(extent) for extent in op.constant(1)])
    return call("F.affine_grid", operand(0), sizes, align_corners=bool(op["align_corners"]))


SHAPING: Mapping[str, Row] = {
    "AffineGrid": Row(placed, frozenset({1})),
    "Concat": Row(concatenated),
    "ConstantOfShape": Row(filled, frozenset({0})),
    "EyeLike": Row(diagonal),
    "Expand": Row(expanded, frozenset({1})),
    "Flatten": Row(reshape),
    "Gather": Row(gather),
    "GridSample": Row(sampled),
    "Pad": Row(pad, frozenset({1, 2, 3})),
    "Reshape": Row(reshape, frozenset({1})),
    "Shape": Row(extents),
    "Slice": Row(sliced, frozenset({1, 2, 3, 4})),
    "Split": Row(split, frozenset({1}), several=True),
    "Squeeze": squeezed("squeeze"),
    "Tile": Row(tiled, frozenset({1})),
    "Transpose": Row(permuted),
    "Trilu": Row(triangle, frozenset({1})),
    "Unsqueeze": squeezed("unsqueeze"),
}
