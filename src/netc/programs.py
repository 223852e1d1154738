"""Networks to programs: the text of any network, and files of a program and its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import exists
from pathlib import PurePath

from .compiler.decompile.decompile import Decompiled, decompile
from .compiler.ir.tensor import Tensor
from .compiler.ir.types import TensorType
from .compiler.model import Model
from .grammar.diagnostics import error
from .grammar.files import atomic_writer
from .grammar.formatting.formatter import format_source
from .runtime.arrays.element_types import array_of
from .runtime.kerneldef import Array
from .runtime.weights.files import save_weights
from .runtime.weights.initialize import initialize
from .runtime.weights.state import LazyState, type_of

WEIGHTS = ".safetensors"


def program_text(model: Model) -> str:
    """The program that a model was compiled from, in its canonical form, or one that says it.

    Raises:
        NetError: E579, the network has what no program can say.
    """
    program = model.metadata.program
    return decompile(model.graph).text if program is None else format_source(program.source)


@dataclass(frozen=True, slots=True)
class WrittenProgram:
    """What `write_program` wrote.

    Attributes:
        path: The program.
        weights: The file of its weights; None if there is none.
        tensors: How many tensors that holds.
        program: The program, and what is to say of it.
    """

    path: str
    weights: str | None
    tensors: int
    program: Decompiled


def write_program(
    model: Model, path: str, *, with_weights: bool = True, force: bool = False
) -> WrittenProgram:
    """Write a network as a program, and its weights beside it under the names in the program.

    Either both files are written, or none is.

    Raises:
        NetError: E579, the network has what no program can say; E004, a file cannot be written,
            or is there already and `force` is not given.
    """
    weights = str(PurePath(path).with_suffix(WEIGHTS)) if with_weights else None
    for taken in filter(None, (path, weights)):
        if exists(taken) and not force:
            raise error("E004", f"`{taken}` is there already", help="`--force` overwrites it")
    program = decompile(model.graph)
    held = (program.shapes, program.copies, program.tables)
    state = ReshapedState(initialize(model.graph), *held)
    with atomic_writer(path) as file:
        file.write(program.text.encode("utf-8"))
        if weights is not None:
            save_weights(weights, state)
    return WrittenProgram(path, weights, len(state), program)


class ReshapedState(LazyState):
    """A network's weights as its program holds them; each is read when it is asked for.

    Args:
        state: The network's weights.
        shapes: The shapes of those that the program holds in other shapes.
        copies: What only the program has, each with the network's weight that it copies.
        tables: Constants of the network that are parameters of the program.
    """

    def __init__(
        self,
        state: Mapping[str, Array],
        shapes: Mapping[str, tuple[int, ...]],
        copies: Mapping[str, str] | None = None,
        tables: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__(dict.fromkeys((*state, *(copies or {}), *(tables or {}))))
        self._state = state
        self._shapes = shapes
        self._copies = copies or {}
        self._tables = tables or {}

    def __getitem__(self, name: str) -> Array:
        if name in self._tables:
            return array_of(self._tables[name])
        array = self._state[self._copies.get(name, name)]
        return array.reshape(self._shapes[name]) if name in self._shapes else array

    def type_of(self, name: str) -> TensorType:
        """A weight's type."""
        if name in self._tables:
            return TensorType(self._tables[name].dtype, self._tables[name].shape)
        type = type_of(self._state, self._copies.get(name, name))
        return type.with_shape(self._shapes[name]) if name in self._shapes else type
