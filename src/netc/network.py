"""`Network`: a model; its methods call the compiler and the runtime.

Each loads what it calls, so that checks and summaries start without NumPy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from .choices import (
    Device,
    Direction,
    EngineName,
    Format,
    HalfPrecision,
    Mode,
    Precision,
    Style,
    ThemeName,
)
from .compiler.analysis.counts import Counts, count
from .evaluable import Evaluable
from .tensor_specs import TensorSpec, specs

if TYPE_CHECKING:
    from .benchmarks import Benchmark, Profile
    from .compiler.ir.dim import Dim
    from .compiler.ir.graph import Graph
    from .compiler.training.recipe import Recipe
    from .compiler.training.terms import Term
    from .evaluable import Origin
    from .grammar.diagnostics import Diagnostic
    from .runtime.engines.deviations import Rounding
    from .runtime.kerneldef import Array
    from .summary.rows import LayerRow
    from .summary.table import Summary
    from .trainable import Weights
    from .training import Loss


@dataclass(frozen=True)
class Network(Evaluable):
    """A compiled, checked network, which `netc.compile`, `netc.load` and `netc.load_onnx` make.

    It is never changed: what is computed is returned, and weights are mappings of arrays by name.
    Two networks are equal where they share their `model`.

    Attributes:
        model: What was compiled: the graph, and what else is known of the program.
    """

    def __repr__(self) -> str:
        ends = (", ".join(map(str, specs)) for specs in (self.inputs, self.outputs))
        layers = f"{len(self.graph.layers):,} layers, {self.params:,} parameters"
        return f"<Network {self.name}: {layers}, {' -> '.join(ends)}>"

    def _repr_svg_(self) -> str:
        """What a notebook shows: the diagram."""
        from .compiler.pictures.graph import graph_scene
        from .compiler.pictures.svg import to_svg

        return to_svg(graph_scene(self.graph, counts=self.counts)).partition("\n")[2]

    def _repr_html_(self) -> str:
        return f'<div style="overflow:auto">{self._repr_svg_()}</div>'

    @property
    def graph(self) -> "Graph":
        """The graph, in neither training nor inference mode; `graph.nx` is the networkx graph."""
        return self.model.graph

    @property
    def name(self) -> str:
        """The name given in the program, or that of its file."""
        return self.graph.name

    @property
    def warnings(self) -> "tuple[Diagnostic, ...]":
        """Warnings from compilation."""
        return self.model.metadata.warnings

    @property
    def recipe(self) -> "Recipe | None":
        """The settings of the program's `train` block, or None if it has none."""
        return self.model.recipe

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The inputs, in order of appearance."""
        return specs(self.graph.inputs)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The outputs, in order of appearance."""
        return specs(self.graph.outputs)

    @cached_property
    def counts(self) -> Counts:
        """Parameters, MACs and elementwise operations, per layer and in total."""
        return count(self.graph)

    @property
    def params(self) -> int:
        """The number of learned parameters, trainable and frozen, without running statistics."""
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
    def layers(self) -> "Sequence[LayerRow]":
        """The rows of the layer table."""
        return self.summary().rows

    def summary(
        self, *, depth: int | None = None, columns: Sequence[str] | None = None
    ) -> "Summary":
        """The layer table; `depth` folds deeper scopes, `columns` selects columns by key."""
        from .summary.table import summarize

        return summarize(self.graph, depth=depth, columns=columns)

    def run(
        self,
        x: "Array | Mapping[str, Any]",
        state: "Mapping[str, Array] | None" = None,
        *,
        engine: EngineName = "numpy",
        device: Device = "cpu",
        fetch: Sequence[str] | None = None,
        dtype: Precision | None = None,
    ) -> "Array | dict[str, Array]":
        """Run the network in inference mode.

        Args:
            x: The input, (N, C, H, W) for images, or inputs by name. A sequence of an ONNX model is
                a list of arrays, and an optional value may be None.
            state: Parameters and buffers by name; by default, the values given in the program.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            fetch: Labels of tensors to return instead of the outputs.
            dtype: `float64` computes in double precision on NumPy; by default, the network's type.

        Returns:
            The output, or a dictionary if there are several or `fetch` is given.

        Raises:
            NetError: The input or the weights do not fit, the engine is not available, or there is
                no state and the program does not give the values of all weights (E546).
        """
        from .runtime.engines.engine import run
        from .runtime.weights.initialize import own_weights

        if state is None:
            help = "give a state, such as `net.initialize(seed=0)` or `netc.load_weights(path)`"
            state = own_weights(self.graph, help=help)
        if dtype is None:  # the weights may have either type where the plan's is not the network's
            self.check_weights(state)
        results = run(
            *(self.graph, self._named(x), state),
            engine=engine,
            device=device,
            fetch=fetch,
            dtype=dtype,
        )
        return results if fetch is not None or len(results) > 1 else next(iter(results.values()))

    def export(
        self,
        path: "str | PathLike[str]",
        state: "Mapping[str, Array] | None" = None,
        *,
        opset: int | None = None,
        seed: int = 0,
        dtype: HalfPrecision | None = None,
        keep_io_types: bool = True,
        fused_attention: bool = False,
    ) -> "Rounding | None":
        """Write the network as an ONNX model, checked and with inferred shapes.

        Args:
            path: The model's file; weights of more than 2 GiB go to a second file next to it.
            state: Parameters and buffers; by default, drawn at random with `seed`.
            opset: 13 or later; 22 by default, with `fused_attention` 23.
            seed: The seed for weights if no state is given.
            dtype: `float16` or `bfloat16`, for weights and products; float32 by default.
                Normalizations, softmax, powers, logarithms and large sums stay in float32.
            keep_io_types: Whether inputs and outputs stay float32, too.
            fused_attention: Whether attention layers are ONNX's `Attention`, which came with opset
                23, and not the operators that it stands for.

        Returns:
            With `dtype`, how far the model is from float32 on a random batch; otherwise None.

        Raises:
            NetError: The weights do not fit, one of them is beyond the range of `dtype`, or the
                file cannot be written.
        """
        from .compiler.emit.onnx import Half
        from .exports import export_network

        half = None if dtype is None else Half.of(dtype, keep_io_types=keep_io_types)
        found = export_network(
            self.model,
            fspath(path),
            state,
            opset=opset,
            seed=seed,
            half=half,
            fused_attention=fused_attention,
        )
        return None if found.half is None else found.half.measure()

    def export_torch(self, path: "str | PathLike[str]") -> None:
        """Write the network as a file of Python that defines it in PyTorch, without weights.

        It imports only PyTorch. `state_dict()` has our names, so that weights from here load there.
        A `train` block becomes a function `train(model, loader)`.

        Raises:
            NetError: A layer has no counterpart in PyTorch, the file cannot be written, or it is
                called as an ONNX model is (E505).
        """
        from .exports import export_source

        export_source(self.model, fspath(path))

    def to_text(self) -> str:
        """The network as a program, in its canonical form.

        It is the program that the network was compiled from; of an imported network, one is
        written that compiles to the same layers, with weights of the same names.

        Raises:
            NetError: The network has what no program can say, such as a fixed batch (E579).
        """
        from .programs import program_text

        return program_text(self.model)

    def backward(
        self,
        loss: "Loss | None" = None,
        *,
        of: str | None = None,
        wrt: Sequence[str] | None = None,
        training: bool = True,
    ) -> "Graph":
        """The forward and backward pass as one graph, with outputs `loss` (or `of`) and `*.grad`.

        Args:
            loss: The name of a loss, such as `cross_entropy`, or a dictionary with one for each
                output. By default, that of the `train` block; without a block, an output of one
                number is itself differentiated, and any other gets `cross_entropy`.
            of: An output, or the label of a value, to differentiate instead of a loss. Several
                numbers, including those of a batch, are summed.
            wrt: The names of inputs, parameters and values to differentiate with respect to. By
                default, all trainable parameters, or the inputs if there is neither a loss nor a
                trainable parameter.
            training: Whether Dropout is active and BN normalizes by the batch.

        Raises:
            NetError: Loss and output do not fit, a name is unknown, or an operator has no
                gradient.
        """
        from .gradients import backward

        return backward(self.model, loss, of=of, wrt=wrt, training=training)

    def value_and_grad(
        self,
        x: "Array | Mapping[str, Array]",
        t: "Array | Mapping[str, Array] | None",
        state: "Mapping[str, Array]",
        *,
        loss: "Loss | None" = None,
        of: str | None = None,
        wrt: Sequence[str] | None = None,
        training: bool = True,
        dtype: Precision | None = None,
    ) -> "tuple[float, dict[str, Array]]":
        """The loss on a batch, and its gradient with respect to each trainable parameter.

        Args:
            x: The input, or inputs by name.
            t: The target, or targets by output name: class indices, or arrays of the output's
                shape. None if no loss is differentiated.
            state: Parameters and buffers by name.
            loss: See `backward`.
            of: See `backward`; the value is then the sum of its numbers.
            wrt: See `backward`.
            training: See `backward`.
            dtype: `float64` computes in double precision.

        Raises:
            NetError: Arrays, loss and network do not match.
        """
        from .gradients import value_and_grad

        feeds = self._named(x)
        options: dict[str, Any] = {"loss": loss, "of": of, "wrt": wrt}
        return value_and_grad(
            self.model, feeds, t, state, training=training, dtype=dtype, **options
        )

    def gradcheck(
        self,
        x: "Array | Mapping[str, Array]",
        t: "Array | Mapping[str, Array] | None",
        state: "Mapping[str, Array]",
        *,
        loss: "Loss | None" = None,
        training: bool = True,
        samples: int | None = 20,
        seed: int = 0,
    ) -> dict[str, float]:
        """Compare gradients with central differences in float64; a small batch is enough.

        Args:
            x: See `value_and_grad`.
            t: See `value_and_grad`.
            state: See `value_and_grad`.
            loss: See `backward`.
            training: See `backward`.
            samples: How many entries of each parameter to compare; None compares all.
            seed: The seed for choosing entries, and for Dropout's noise.

        Returns:
            The largest error of each trainable parameter, relative to its largest difference.

        Raises:
            NetError: See `value_and_grad`.
        """
        from .gradient_checks import gradcheck

        checked = partial(gradcheck, self.model, self._named(x), t, state, loss=loss)
        return checked(training=training, samples=samples, seed=seed)

    def export_training(
        self,
        path: "str | PathLike[str]",
        *,
        loss: "Loss | None" = None,
        optimizer: "Term | None" = None,
        opset: int | None = None,
    ) -> None:
        """Write a training step, with loss, gradients and update, as one ONNX model.

        Its inputs are those of the network, `target`, `step`, `lr`, `momentum` and all state by
        name, where the network takes one of these names `train:step` and so on; its outputs are
        those of the network, `loss`, and `<name>.next` for all state that changes.

        Args:
            path: The model's file.
            loss: See `backward`.
            optimizer: For example `netc.SGD(momentum=0.9)`; by default, that of the `train` block.
            opset: 13 or later; 22 by default.

        Raises:
            NetError: Loss and output do not fit, or the file cannot be written.
        """
        from .gradients import export_step

        changes = {"loss": loss, "optimizer": optimizer}
        export_step(self.model, fspath(path), changes=changes, opset=opset)

    def bench(
        self,
        mode: Mode = "step",
        *,
        batch: int | None = None,
        engines: Sequence[str] | None = None,
        seconds: float = 0.5,
        threads: int | None = None,
    ) -> "Benchmark":
        """Time the network on a batch that is drawn at random, beside PyTorch if it is installed.

        Each engine runs in a separate process, in turn, after the results were compared.

        Args:
            mode: `forward`, or `step` for a step of training as the `train` block says.
            batch: The number of samples; by default, that of the `train` block, or 32.
            engines: Some of `numpy`, `onnxruntime` and `pytorch`; by default, all installed ones.
            seconds: How long each is timed in each of five rounds.
            threads: How many threads NumPy and PyTorch use; by default, as many as each chooses.

        Returns:
            The figures, with `timings` and `ratio(engine)`; its `to_text()` is a table.

        Raises:
            NetError: An engine is not installed (E502), or the batch or the loss does not fit.
        """
        from .benchmarks import bench

        limits: dict[str, Any] = {"batch": batch, "seconds": seconds, "threads": threads}
        return bench(self.model, mode=mode, engines=engines, **limits)

    def profile(
        self,
        mode: Mode = "step",
        *,
        batch: int | None = None,
        seconds: float = 0.5,
        threads: int | None = None,
    ) -> "Profile":
        """Time each layer on NumPy; the arguments are those of `bench`.

        Returns:
            The times, with a row for each of `layers`; `to_text()` is a table, `draw(path)` draws.

        Raises:
            NetError: The batch or the loss does not fit.
        """
        from .benchmarks import profile

        return profile(self.model, mode=mode, batch=batch, seconds=seconds, threads=threads)

    def draw(
        self,
        path: "str | PathLike[str]",
        *,
        style: Style = "graph",
        depth: int | None = None,
        direction: Direction | None = None,
        format: Format | None = None,
        theme: ThemeName = "light",
        **options: Any,
    ) -> None:
        """Draw the network; the file's suffix or `format` chooses a format.

        Args:
            path: The file to write.
            style: `graph` draws the layers; `ops` draws operators, `backward` their chain rule;
                `volumes` draws feature maps as boxes in three dimensions; `neurons` draws dense
                layers as columns of circles.
            depth: Fold scopes below this depth.
            direction: The direction of the arrows: `TB` (the default for layers), `LR` (the
                default for operators), `BT` or `RL`.
            format: `svg`, `png`, `pdf` or `tex`; of `graph`, `ops` and `backward` also `dot` and
                `mmd`.
            theme: `light` or `dark`.
            options: `width` in pixels, `dpi` and `title`. For `graph`, `volumes` and `neurons`:
                `style_file`, a TOML file with colours and labels. For `graph`, `ops` and
                `backward`: `page` is what it must fit, such as `a4`, or `160x100` in millimetres;
                `compact` joins normalizations and activations to the layer before them,
                and draws layers rather than operators. For `graph`: `show` lists what boxes say,
                of `names`, `arguments`, `shapes`, `params` and `macs`; `layout`, `u` or
                `layered`. For `backward`: `loss`, and `inputs`, `targets` and `state` by name,
                whose numbers appear on the arrows.
                For `volumes`: `maps`, `volumes` or `planes`, and `scale`, `log` or `linear`.
                For `neurons`: `state`, weights that the edges show.

        Raises:
            NetError: A choice is unknown or does not go with the style or the network, no renderer
                is installed, or the file cannot be written.
        """
        from .drawing import draw

        choices = {"style": style, "depth": depth, "direction": direction, "theme": theme}
        draw(self.model, path, format=format, **choices, **options)

    def report(
        self,
        path: "str | PathLike[str]",
        *,
        run: "Origin | None" = None,
        weights: "Weights | None" = None,
    ) -> None:
        """Write one HTML file that needs no network: diagram, layers, formulas, memory, program.

        Args:
            path: The file.
            run: A run, or its folder: its curves, confusion matrix, filters and feature maps.
            weights: Weights by name, or a file of them, instead of the run's, for histograms.

        Raises:
            NetError: The weights do not fit, or files cannot be read or written.
        """
        from .report import report

        report(self.model, path, run=run, weights=weights)
