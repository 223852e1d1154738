"""Parameters and constants of a graph as tensors of PyTorch."""

import struct
from collections.abc import Mapping
from itertools import chain, pairwise
from typing import Any

from ...ir.graph import Node
from ...ir.initializers import Init
from ...ir.types import DType, TensorType
from .code import PRODUCT, Code, Number, call, code, joined, keyword, listed, method

MOST_SPELLED = 4096  # numbers of a literal


def single(number: float) -> float:
    """The shortest number that is the same in single precision."""
    for digits in range(1, 10):
        short = float(f"{number:.{digits}g}")
        if abs(short) > 3.4e38 or struct.pack("f", short) == struct.pack("f", number):
            return short
    return number


def scalar(node: Node) -> Any:
    """The number of a constant without axes."""
    return _short(node.attributes["value"].number(), node.outputs[0].dtype)


def _short(number: Any, dtype: DType) -> Any:
    return single(number) if dtype is DType.FLOAT32 else number


def _dtype(dtype: DType) -> list[Code]:
    if dtype in (DType.FLOAT32, DType.INT64, DType.BOOL):
        return []
    return [keyword("dtype", _name(dtype))]


def _name(dtype: DType) -> str:
    return f"torch.{dtype.value}"


def buffer(value: Any, type: TensorType) -> Code:
    """A constant: a range, one number in all places, or a literal."""
    flat = list(_flattened(value))
    shape = tuple(type.extents)
    options = _dtype(type.dtype)
    if len(flat) > 1 and len(set(flat)) == 1:
        return call("torch.full", shape, _spelled(flat[0], type.dtype), *options)
    if len(flat) > 2 and type.dtype.is_integer and (ordered := _range(flat)):
        found = call("torch.arange", *ordered, *options)
        return found if len(shape) == 1 else method(found, "reshape", *shape)
    if not flat:
        options = [] if type.dtype is DType.FLOAT32 else [keyword("dtype", _name(type.dtype))]
        return call("torch.zeros", shape, *options)
    if len(flat) > MOST_SPELLED:
        raise NotImplementedError(f"a constant of {len(flat):_} numbers")
    literal = _literal(value, type.dtype)
    return call("torch.tensor", literal, *options)


def _range(numbers: list[Any]) -> tuple[int, ...] | None:
    """The arguments of a range that numbers are."""
    step = numbers[1] - numbers[0]
    if step == 0 or any(b - a != step for a, b in pairwise(numbers)):
        return None
    end = numbers[-1] + (1 if step > 0 else -1)
    if (numbers[0], step) == (0, 1):
        return (end,)
    return (numbers[0], end) if step == 1 else (numbers[0], end, step)


def _flattened(value: Any) -> Any:
    if isinstance(value, tuple):
        return chain.from_iterable(map(_flattened, value))
    return (value,)


def _literal(value: Any, dtype: DType) -> Code:
    if isinstance(value, tuple):
        return listed([_literal(item, dtype) for item in value])
    return code(_spelled(value, dtype))


def _spelled(value: Any, dtype: DType) -> Any:
    return _short(value, dtype) if isinstance(value, float) else value


FILLED: Mapping[str, str] = {"zeros": "torch.zeros", "ones": "torch.ones"}


def parameter(node: Node) -> tuple[str, Code]:
    """A parameter or a running statistic that no module of PyTorch holds, at its initial values."""
    attributes = node.attributes
    initial = _initial(attributes["init"], node.outputs[0].extents, node.outputs[0].dtype)
    if attributes["buffer"]:
        return "state", initial
    frozen = [] if attributes["trainable"] else [keyword("requires_grad", "False")]
    return "parameter", call("nn.Parameter", initial, *frozen)


def _initial(init: Init, shape: tuple[int, ...], dtype: DType) -> Code:
    sizes: list[Any] = list(shape) or [code("()")]
    options = _dtype(dtype)
    if init.name in FILLED:
        return call(FILLED[init.name], *sizes, *options)
    if init.name == "constant":
        size = Code(("(", Number(shape[0], "channels"), ",)")) if len(shape) == 1 else shape
        return call("torch.full", size, init.numbers[0], *options)
    if init.name == "normal":
        drawn = call("torch.randn", *sizes, *options)
        std = init.numbers[0]
        return drawn if std == 1 else joined("*", PRODUCT, drawn, code(std))
    drawn = call("torch.randn", *sizes, *options)
    return joined("*", PRODUCT, drawn, code(0.02))
