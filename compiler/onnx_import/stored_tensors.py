"""The tensors that a model stores -> the parameters of layers, each in the graph once."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from math import prod
from typing import Any

import numpy as np

from ..ir.dim import Dim
from ..ir.graph import Graph, Node, Output, Value
from ..layers.layer_builder import LayerBuilder
from .recognition.trail import NoMatch, Stack, Weight
from .weights import Literal, key_of, literal_of, simplified, size_of


class WeightedBuilder(LayerBuilder):
    """Builds a layer whose weights are there already."""

    stored: "StoredTensors"
    weights: Mapping[str, Weight | Stack]

    def parameter(self, name: str, shape: Sequence[Dim], **options: Any) -> Value:
        """The parameter with the model's numbers; a weight that another layer has is shared."""
        suffix = name.removeprefix(self.scope).removeprefix(".")
        return self.stored.weight(self, self.weights, suffix, name, _settled(shape), options)


@dataclass(eq=False)
class StoredTensors:
    """What a graph of layers has of the tensors of a model.

    Attributes:
        raw: The model's operators.
        target: The graph of layers.
        keeps_equals: Whether tensors that are stored once are one where they are equal by chance.
        held: What stands for a tensor, or for a part or form of it.
        shared: The matrices that several layers have.
        tables: Tables of tokens, of which exporters store another copy for a last layer that has
            them, too.
    """

    raw: Graph
    target: Graph
    keeps_equals: bool
    held: dict[Hashable, Value] = field(default_factory=dict)
    shared: set[Output] = field(default_factory=set)
    tables: list[tuple[Literal, Value]] = field(default_factory=list)

    def mark(self) -> tuple[int, int]:
        """How much there is until now."""
        return len(self.held), len(self.tables)

    def take_back(self, mark: tuple[int, int]) -> None:
        """Forget what has been entered since."""
        while len(self.held) > mark[0]:
            self.held.popitem()
        del self.tables[mark[1] :]

    def weight(
        self,
        build: LayerBuilder,
        weights: Mapping[str, Weight | Stack],
        suffix: str,
        name: str,
        shape: tuple[int, ...],
        options: dict[str, Any],
    ) -> Value:
        """A layer's parameter, with the numbers of the model."""
        if suffix not in weights:
            raise NoMatch
        weight = simplified(self.raw, weights[suffix])
        literal = literal_of(self.raw, weight)
        key = (*key_of(weight), shape)
        if self.is_tied(key, weights, literal):
            return self.held[key]
        if size_of(literal) != prod(shape):
            raise NoMatch
        literal = literal.shaped(shape)
        for table, held in self.tables:
            if table.type == literal.type and np.array_equal(table, literal):
                self.held[key] = held
                return held
        value = LayerBuilder.parameter(build, name, shape, **{**options, "literal": literal})
        self.held[key] = value
        if build.spelling == "EMBED":
            self.tables.append((literal, value))
        return value

    def note_sharing(self, main: Weight) -> None:
        """Note whether another layer has the matrix already."""
        if any(key[:2] == output_of(main.value) for key in self.held):  # type: ignore[index]
            self.shared.add(output_of(main.value))

    def is_tied(
        self, key: Hashable, weights: Mapping[str, Weight | Stack], stored: Literal
    ) -> bool:
        """Whether a layer's tensor is another layer's, too.

        Exporters may store equal tensors once. Vectors of one number, such as the zeros that biases
        start with, are equal by chance, unless the matrix beside them is shared.
        """
        if key not in self.held:
            return False
        if self.keeps_equals:
            return True
        main = weights.get("weight")
        if isinstance(main, Weight) and main.value.type.rank > 1:
            return output_of(main.value) in self.shared
        return stored.type.rank > 1 or not stored.is_uniform

    def copied(self, node: Node, key: Hashable, path: str, attributes: Mapping[str, Any]) -> Value:
        """A stored tensor as the model has it, once."""
        copied = Node(node.op_type, (), node.outputs, attributes, path or node.scope)
        return self.once(key, lambda: self.target.add(copied)[0])

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What stands for a tensor, made when it is first asked for."""
        if key not in self.held:
            self.held[key] = make()
        return self.held[key]

    def free_name(self, name: str) -> str:
        """A name for a parameter: its own, unless a layer holds the tensor in another form."""
        others = (f"{name}_{number}" for number in count(2))
        return next(n for n in chain((name,), others) if n not in self.target.parameters)


def _settled(shape: Sequence[Dim]) -> tuple[int, ...]:
    return tuple(extent for extent in shape if isinstance(extent, int))


def output_of(value: Value) -> Output:
    """A value without its type."""
    return value.node, value.output
