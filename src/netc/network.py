"""`Network`: a compiled program as a frozen record whose methods call the four parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from .compiler.analysis.counts import Counts, count
from .compiler.pipeline import Compiled
from .compiler.pipeline import compile as compile_source
from .compiler.types import TensorType
from .grammar.source import Source
from .sources import read_program

if TYPE_CHECKING:
    from numpy import ndarray

    from .compiler.dim import Dim
    from .compiler.graph import Graph, Value
    from .grammar.diagnostics import Diagnostic
    from .summary import Row, Summary

    Array = ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A named input or output; `shape` is channels first, with the batch as `"N"`."""

    name: str
    shape: tuple[int | str, ...]
    dtype: str


@dataclass(frozen=True)
class Network:
    """A compiled, checked network."""

    compiled: Compiled

    @property
    def graph(self) -> "Graph":
        """The graph, neither in training nor in inference mode; `graph.nx` is networkx's."""
        return self.compiled.graph

    @property
    def name(self) -> str:
        """The name that the program gives, or else the file's."""
        return self.graph.name

    @property
    def warnings(self) -> "tuple[Diagnostic, ...]":
        """Findings that are no errors."""
        return self.compiled.warnings

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The inputs, in order of appearance."""
        return _specs(self.graph.inputs)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The outputs, in order of appearance."""
        return _specs(self.graph.outputs)

    @cached_property
    def counts(self) -> Counts:
        """Parameters, MACs and elementwise operations, per layer and in total."""
        return count(self.graph)

    @property
    def params(self) -> int:
        """Learned parameters, trainable and frozen; running statistics are not among them."""
        return self.counts.params

    @property
    def macs(self) -> "Dim":
        """Multiply-accumulates for one sample."""
        return self.counts.macs

    @property
    def flops(self) -> "Dim":
        """2 x MACs + elementwise operations for one sample."""
        return self.counts.flops

    @property
    def layers(self) -> "Sequence[Row]":
        """The layer table's rows."""
        return self.summary().rows

    def summary(
        self, *, depth: int | None = None, columns: Sequence[str] | None = None
    ) -> "Summary":
        """The layer table; `depth` folds scopes that lie deeper, `columns` chooses by key."""
        from .summary import summarize

        return summarize(self.graph, depth=depth, columns=columns)

    def initialize(self, seed: int = 0) -> "Mapping[str, Array]":
        """Parameters and buffers by name, drawn when read."""
        from .runtime.initialize import initialize

        return initialize(self.graph, seed)

    def check_weights(self, state: "Mapping[str, Array]") -> None:
        """Compare weights with the network.

        Raises:
            NetError: Weights are missing, unexpected, or of the wrong shape or type.
        """
        from .runtime.checkpoint import check_weights

        check_weights(self.graph, state)

    def run(
        self,
        x: "Array | Mapping[str, Array]",
        state: "Mapping[str, Array]",
        *,
        engine: str = "numpy",
        device: str = "cpu",
        fetch: Sequence[str] | None = None,
        dtype: str | None = None,
    ) -> "Array | dict[str, Array]":
        """Run the network in inference mode.

        Args:
            x: The input, (N, C, H, W) for images, or inputs by name.
            state: Parameters and buffers by name.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            fetch: Labels whose tensors to return instead of the outputs.
            dtype: On NumPy, `float64` computes in double precision; the network's own otherwise.

        Returns:
            The output, or a dictionary where there are several or `fetch` names some.

        Raises:
            NetError: The input or the weights do not fit, or the engine cannot be had.
        """
        from .runtime.engines import run

        if dtype is None:  # the weights may have either type where the plan's is not the network's
            self.check_weights(state)
        feeds = x if isinstance(x, Mapping) else {self.inputs[0].name: x}
        results = run(
            self.graph, feeds, state, engine=engine, device=device, fetch=fetch, dtype=dtype
        )
        return results if fetch is not None or len(results) > 1 else next(iter(results.values()))

    def export(
        self,
        path: "str | PathLike[str]",
        state: "Mapping[str, Array] | None" = None,
        *,
        opset: int | None = None,
        seed: int = 0,
    ) -> None:
        """Write the network as an ONNX model, checked and with its shapes inferred.

        Args:
            path: The model's file; weights above 2 GiB go to a file beside it.
            state: Parameters and buffers; drawn with `seed` where it is None.
            opset: 22, the default, or above.
            seed: For the weights, where no state is given.

        Raises:
            NetError: The weights do not fit, or the file cannot be written.
        """
        from .exports import export_network

        export_network(self.compiled, fspath(path), state, opset=opset, seed=seed)

    def draw(
        self,
        path: "str | PathLike[str]",
        *,
        style: str = "graph",
        depth: int | None = None,
        direction: str = "TB",
        format: str | None = None,
        theme: str = "light",
    ) -> None:
        """Draw the network; the file's suffix or `format` chooses svg, png, pdf or dot.

        Raises:
            NetError: The style or format is not known, no renderer is installed, or the file
                cannot be written.
        """
        from .compiler.emit.dot import to_dot
        from .compiler.emit.render import render

        text = to_dot(self.graph, style=style, depth=depth, direction=direction, theme=theme)
        render(text, fspath(path), format=format)


def compile(text: str, *, name: str = "<chain>", max_layers: int | None = None) -> Network:
    """Compile a program given as text.

    Raises:
        NetError: The program is wrong.
    """
    return compile_program(Source(name, text), max_layers=max_layers)


def load(path: "str | PathLike[str]", *, max_layers: int | None = None) -> Network:
    """Compile a `.net` file, or a shipped spec as `zoo:NAME`.

    Raises:
        NetError: The file cannot be read, or the program is wrong.
    """
    return compile_program(read_program(fspath(path)), max_layers=max_layers)


def compile_program(source: Source, *, max_layers: int | None = None) -> Network:
    """Compile a source; `max_layers` raises the limit on its layers."""
    limits = {} if max_layers is None else {"max_layers": max_layers}
    return Network(compile_source(source, **limits))


def _specs(values: "Mapping[str, Value]") -> tuple[TensorSpec, ...]:
    return tuple(_spec(name, value.type) for name, value in values.items())


def _spec(name: str, type: TensorType) -> TensorSpec:
    shape = tuple(dim if isinstance(dim, int) else str(dim) for dim in type.shape)
    return TensorSpec(name, shape, type.dtype.value)
