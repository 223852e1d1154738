"""Graph and seed -> first values of parameters and buffers, drawn when they are read."""

from collections.abc import Callable
from hashlib import sha256
from math import prod, sqrt
from typing import Any

import numpy as np

from ...compiler.analysis.initial_values import resolve
from ...compiler.ir.graph import Graph
from ...compiler.ir.initializers import CONSTANT_INITIALIZERS, LEFT, NORM, RIGHT, ZEROS, Init
from ...compiler.ir.types import TensorType
from ...grammar.diagnostics import error, listing
from ..arrays.element_types import numpy_type
from ..arrays.memory import physical_memory
from ..kerneldef import Array
from .state import LazyState

# Numbers are drawn in float64 and rounded, so that the last bits of a platform's mathematical
# functions do not show; a block at a time, so that nothing big is held twice.
DRAWN_AT_ONCE = 2**16

# What layers call their weights, which may be normalized.
NORMALIZED = ("parametrizations.weight.original1", "parametrizations.weight.original")
WEIGHTS = ("weight", *NORMALIZED)
POWER_STEPS = 15  # before training, as in PyTorch
SMALLEST_NORM = 1e-12

Draw = Callable[[np.random.Generator, int], Array]
Fans = tuple[int, int]  # products per output element, and uses of each input element


def initialize(graph: Graph, seed: int = 0) -> "InitialState":
    """The first values of a network's parameters and buffers.

    Each parameter has its own stream, keyed by seed and name: inserting a layer changes no other
    layer's values as long as names stay.
    """
    return InitialState(graph, seed)


class InitialState(LazyState):
    """Parameters by name, drawn again, and equal, each time that they are read.

    Raises:
        NetError: E507, a parameter does not fit into memory.
    """

    def __init__(self, graph: Graph, seed: int) -> None:
        super().__init__(graph.parameters)
        self.graph = graph
        self.seed = seed
        self._resolved = resolve(graph)

    def __getitem__(self, name: str) -> Array:
        attributes = self.graph.producer(self.graph.parameters[name]).attributes
        type = self.type_of(name)
        try:
            if attributes["literal"] is not None:
                return np.array(attributes["literal"], numpy_type(type.dtype))
            init = self._init(name)
            if init.name in DERIVED:
                return DERIVED[init.name](self, name, init, type)
            return draw(init, type, self._fans(name), stream(self.seed, name))
        except (MemoryError, ValueError):
            raise error(
                "E507",
                f"there is not enough memory for the weight `{name}` of {type.nbytes:_} bytes",
            ) from None

    def type_of(self, name: str) -> TensorType:
        """A parameter's type."""
        return self.graph.parameters[name].type

    @property
    def drawn(self) -> list[str]:
        """The parameters that depend on the seed: neither literals nor constants."""
        return [
            name
            for name, value in self.graph.parameters.items()
            if self.graph.producer(value).attributes["literal"] is None
            and self._init(name).name not in CONSTANT_INITIALIZERS | DERIVED.keys()
        ]

    def _init(self, name: str) -> Init:
        """A parameter's initializer; PyTorch's defaults hold for the bias beside a weight, too."""
        init: Init = self.graph.producer(self.graph.parameters[name]).attributes["init"]
        init = self._resolved.get(name, init)
        weight = self.weight_beside(name)
        if init == ZEROS and name.endswith("bias") and weight is not None:
            own: Init = self.graph.producer(self.graph.parameters[weight]).attributes["init"]
            return own if own.name == "torch" else init
        return init

    def _fans(self, name: str) -> Fans:
        """What the layer says of itself, or its shape; a bias has those of the weight beside it."""
        weight = self.weight_beside(name) or name
        stated: Fans | None = self.graph.producer(self.graph.parameters[weight]).attributes["fans"]
        return stated or fans(self.type_of(weight).extents)

    def weight_beside(self, name: str) -> str | None:
        """For a vector, the weight matrix or kernel of the same layer."""
        scope, _, last = name.rpartition(".")
        parameters = self.graph.parameters
        for weight in (f"{scope}.{own}" for own in WEIGHTS) if last == "bias" else ():
            if weight in parameters and parameters[weight].type.rank >= 2:
                return weight
        return None


def own_weights(graph: Graph, *, help: str) -> InitialState:
    """The weights of a network whose program gives the values of them all.

    Args:
        graph: The network.
        help: The error's help.

    Raises:
        NetError: E546, some would be drawn at random.
    """
    state = initialize(graph)
    if lacking := [name for name in state.drawn if state.weight_beside(name) is None]:
        note = f"the program does not give the values of {listing(lacking, 1)}"
        raise error("E546", "there are no weights", notes=[note], help=help)
    return state


def fans(shape: tuple[int, ...]) -> Fans:
    """`fan_in` and `fan_out` of dense (out, in) and convolution (out, in / groups, *k) weights."""
    if len(shape) < 2:
        size = prod(shape)
        return size, size
    taps = prod(shape[2:])
    return shape[1] * taps, shape[0] * taps


def draw(init: Init, type: TensorType, fans: Fans, random: np.random.Generator) -> Array:
    """Draw one parameter."""
    if type.nbytes > physical_memory():
        raise MemoryError
    return SAMPLERS[init.name](init.numbers, type, fans, random)


def stream(seed: int, name: str) -> np.random.Generator:
    """A parameter's own stream of random numbers."""
    digest = sha256(f"{seed}\0{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def _in_blocks(type: TensorType, random: np.random.Generator, draw_block: Draw) -> Array:
    """An array filled in row-major order, block by block."""
    array = np.empty(type.extents, type.dtype.value)
    flat = array.reshape(-1)
    for start in range(0, flat.size, DRAWN_AT_ONCE):
        block = flat[start : start + DRAWN_AT_ONCE]
        block[...] = draw_block(random, block.size)
    return array


def _normal(type: TensorType, random: np.random.Generator, std: float) -> Array:
    return _in_blocks(type, random, lambda r, n: r.standard_normal(n) * std)


def _uniform(type: TensorType, random: np.random.Generator, bound: float) -> Array:
    return _in_blocks(type, random, lambda r, n: (r.random(n) * 2 - 1) * bound)


def _he(numbers: Any, type: TensorType, fans: Fans, random: np.random.Generator) -> Array:
    """Normal, std sqrt(2 / fan_in) (He, Zhang, Ren and Sun 2015, equation 10)."""
    return _normal(type, random, sqrt(2 / max(fans[0], 1)))


def _glorot(numbers: Any, type: TensorType, fans: Fans, random: np.random.Generator) -> Array:
    """Uniform, bound sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 16)."""
    return _uniform(type, random, sqrt(6 / max(sum(fans), 1)))


def _lecun(numbers: Any, type: TensorType, fans: Fans, random: np.random.Generator) -> Array:
    """Normal, std sqrt(1 / fan_in) (LeCun, Bottou, Orr and Mueller 1998, equation 16)."""
    return _normal(type, random, sqrt(1 / max(fans[0], 1)))


def _torch(numbers: Any, type: TensorType, fans: Fans, random: np.random.Generator) -> Array:
    """Uniform, bound 1 / sqrt(fan_in): what `kaiming_uniform_(a=sqrt(5))` amounts to."""
    return _uniform(type, random, 1 / sqrt(max(fans[0], 1)))


def _orthogonal(numbers: Any, type: TensorType, fans: Fans, random: np.random.Generator) -> Array:
    """Orthonormal rows or columns of (out, rest) (Saxe, McClelland and Ganguli 2014)."""
    rows = type.extents[0] if type.shape else 1
    columns = prod(type.extents[1:])
    tall = random.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # makes the distribution uniform
    return (q if rows >= columns else q.T).reshape(type.extents).astype(type.dtype.value)


def _constant(numbers: Any, type: TensorType, fans: Fans, random: np.random.Generator) -> Array:
    return np.full(type.extents, numbers[0], type.dtype.value)


# name -> (its numbers, the parameter's type, its fans, its stream) to values
SAMPLERS: dict[str, Callable[[Any, TensorType, Fans, np.random.Generator], Array]] = {
    "he": _he,
    "glorot": _glorot,
    "lecun": _lecun,
    "torch": _torch,
    "orthogonal": _orthogonal,
    "constant": _constant,
    "normal": lambda numbers, type, fans, random: _normal(type, random, numbers[0]),
    "uniform": lambda numbers, type, fans, random: _uniform(type, random, numbers[0]),
    "zeros": lambda numbers, type, fans, random: np.zeros(type.extents, type.dtype.value),
    "ones": lambda numbers, type, fans, random: np.ones(type.extents, type.dtype.value),
}


def _norm(state: InitialState, name: str, init: Init, type: TensorType) -> Array:
    """The norm of each row of the weight beside it, so that normalization changes nothing."""
    weight = state[f"{name.removesuffix('original0')}original1"].astype(np.float64)
    norms = np.sqrt(np.square(weight).sum(axis=tuple(range(1, weight.ndim))))
    return np.asarray(norms.reshape(type.extents).astype(numpy_type(type.dtype)))


def _singular(state: InitialState, name: str, init: Init, type: TensorType) -> Array:
    """A singular vector of the largest singular value, after some steps of the power method."""
    scope, _, _ = name.rpartition(".0.")
    weight = state[f"{scope}.original"].astype(np.float64)
    axis = int(init.numbers[0])
    matrix = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    v = stream(state.seed, f"{scope}.0._v").standard_normal(matrix.shape[1])
    for _ in range(POWER_STEPS):
        u = matrix @ v
        u /= max(float(np.linalg.norm(u)), SMALLEST_NORM)
        v = u @ matrix
        v /= max(float(np.linalg.norm(v)), SMALLEST_NORM)
    return np.asarray((u if init.name == LEFT else v).astype(numpy_type(type.dtype)))


# What is computed from the weight of the same layer: name -> (all, its name, its init, its type).
DERIVED: dict[str, Callable[[InitialState, str, Init, TensorType], Array]] = {
    NORM: _norm,
    LEFT: _singular,
    RIGHT: _singular,
}
