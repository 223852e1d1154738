"""`Network`: a compiled program as a frozen record whose methods call the four parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Literal

from .compiler.analysis.counts import Counts, count
from .compiler.pipeline import Compiled
from .compiler.pipeline import compile as compile_source
from .grammar.source import Source
from .sources import read_program
from .tensor_specs import TensorSpec, specs

if TYPE_CHECKING:
    from numpy import ndarray

    from .compiler.dim import Dim
    from .compiler.graph import Graph
    from .compiler.training.recipe import Recipe
    from .compiler.training.terms import Term
    from .grammar.diagnostics import Diagnostic
    from .runtime.training.running import Run
    from .summary import Row, Summary
    from .training import Loss

    Array = ndarray[Any, Any]

Engine = Literal["numpy", "onnxruntime"]
Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "float64"]
Style = Literal["graph", "backward"]
Direction = Literal["TB", "LR", "BT", "RL"]
Format = Literal["svg", "png", "pdf", "dot"]
Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Network:
    """A compiled, checked network."""

    compiled: Compiled

    def __repr__(self) -> str:
        ends = (", ".join(map(str, specs)) for specs in (self.inputs, self.outputs))
        layers = f"{len(self.graph.layers):,} layers, {self.params:,} parameters"
        return f"<Network {self.name}: {layers}, {' -> '.join(ends)}>"

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
    def recipe(self) -> "Recipe | None":
        """What the program's `train` block says; None where it has none."""
        return self.compiled.recipe

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
        state: "Mapping[str, Array] | None" = None,
        *,
        engine: Engine = "numpy",
        device: Device = "cpu",
        fetch: Sequence[str] | None = None,
        dtype: Precision | None = None,
    ) -> "Array | dict[str, Array]":
        """Run the network in inference mode.

        Args:
            x: The input, (N, C, H, W) for images, or inputs by name.
            state: Parameters and buffers by name. Where it is None, those that the program gives.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            fetch: Labels whose tensors to return instead of the outputs.
            dtype: On NumPy, `float64` computes in double precision; the network's own otherwise.

        Returns:
            The output, or a dictionary where there are several or `fetch` names some.

        Raises:
            NetError: The input or the weights do not fit, or the engine cannot be had; or there is
                no state, and the program does not give the values of all weights (E546).
        """
        from .runtime.engines import run
        from .runtime.initialize import own_weights

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
    ) -> None:
        """Write the network as an ONNX model, checked and with its shapes inferred.

        Args:
            path: The model's file; weights above 2 GiB go to a file beside it.
            state: Parameters and buffers; drawn with `seed` where it is None.
            opset: From 13 on; 22 is the default.
            seed: For the weights, where no state is given.

        Raises:
            NetError: The weights do not fit, or the file cannot be written.
        """
        from .exports import export_network

        export_network(self.compiled, fspath(path), state, opset=opset, seed=seed)

    def backward(
        self,
        loss: "Loss | None" = None,
        *,
        of: str | None = None,
        wrt: Sequence[str] | None = None,
        training: bool = True,
    ) -> "Graph":
        """Forward and gradients as one graph, with the outputs `loss` (or `of`) and `<name>.grad`.

        Args:
            loss: A loss by name, such as `cross_entropy`, or one for each output by its name.
                Where it is None, the `train` block's; without a block, an output of one number
                is differentiated itself, and any other has `cross_entropy`.
            of: An output, or any value by its label, to differentiate in place of a loss. Of
                several numbers, the batch's included, it is their sum.
            wrt: With respect to which inputs, parameters and values, by name. Where it is None,
                all trainable parameters; without a loss in a network that has none, its inputs.
            training: Whether Dropout drops, and BN normalizes by the batch.

        Raises:
            NetError: Loss and output do not fit, a name is not known, or an operator has no
                gradient.
        """
        from .training import backward

        return backward(self.compiled, loss, of=of, wrt=wrt, training=training)

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
            t: The target of the only loss, or targets by the output's name: class indices, or
                arrays of the output's shape. None where no loss is differentiated.
            state: Parameters and buffers by name.
            loss: As `backward` has it.
            of: As `backward` has it; the value is then the sum of its numbers.
            wrt: As `backward` has it.
            training: As `backward` has it.
            dtype: `float64` computes in double precision.

        Raises:
            NetError: Arrays, loss and network do not fit together.
        """
        from .training import value_and_grad

        feeds = self._named(x)
        options: dict[str, Any] = {"loss": loss, "of": of, "wrt": wrt}
        return value_and_grad(
            self.compiled, feeds, t, state, training=training, dtype=dtype, **options
        )

    def gradcheck(
        self,
        x: "Array | Mapping[str, Array]",
        t: "Array | Mapping[str, Array]",
        state: "Mapping[str, Array]",
        *,
        loss: "Loss | None" = None,
        training: bool = True,
        samples: int | None = 20,
        seed: int = 0,
    ) -> dict[str, float]:
        """Compare gradients with central differences in float64; a small batch will do.

        Args:
            x: As `value_and_grad` has it.
            t: As `value_and_grad` has it.
            state: As `value_and_grad` has it.
            loss: As `backward` has it.
            training: As `backward` has it.
            samples: How many numbers of each parameter are compared; all where it is None.
            seed: Settles which, and the noise of Dropout.

        Returns:
            For each trainable parameter the largest error, relative to its largest slope.

        Raises:
            NetError: As `value_and_grad`.
        """
        from .training import gradcheck

        checked = partial(gradcheck, self.compiled, self._named(x), t, state, loss=loss)
        return checked(training=training, samples=samples, seed=seed)

    def export_training(
        self,
        path: "str | PathLike[str]",
        *,
        loss: "Loss | None" = None,
        optimizer: "Term | None" = None,
        opset: int | None = None,
    ) -> None:
        """Write one step of training, loss, gradients and update, as one ONNX model.

        Its inputs are the network's, `target`, `step`, `lr`, `momentum` and all state by name; its
        outputs `loss` and `<name>.next` for all state that changes.

        Args:
            path: The model's file.
            loss: As `backward` has it.
            optimizer: Such as `netc.SGD(momentum=0.9)`; the `train` block's where it is None.
            opset: From 13 on; 22 is the default.

        Raises:
            NetError: Loss and output do not fit, or the file cannot be written.
        """
        from .training import export_step

        changes = {"loss": loss, "optimizer": optimizer}
        export_step(self.compiled, fspath(path), changes=changes, opset=opset)

    def train(
        self,
        data: Any = None,
        *,
        engine: Engine = "numpy",
        device: Device = "cpu",
        output: "str | PathLike[str] | None" = None,
        resume: bool = False,
        force: bool = False,
        weights: "Mapping[str, Array] | None" = None,
        patience: int | None = None,
        verbose: bool = False,
        **settings: Any,
    ) -> "Run":
        """Train the network as its `train` block says.

        Args:
            data: `(x, t)`, arrays or dictionaries of them, in place of the block's data.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            output: A folder for checkpoints, history, curves and weights.
            resume: Continue from the checkpoint in that folder.
            force: Overwrite the run that the folder holds.
            weights: Weights to start from.
            patience: After how many epochs without a better one to stop.
            verbose: Whether to show progress on standard error, as `netc train` does.
            settings: Settings of the block by name, such as `epochs=5` or `lr=0.01`.

        Returns:
            The run, with `history`, `state` (the best weights) and `test` (losses and metrics).

        Raises:
            NetError: Data, network and settings do not fit together, or the loss is not finite.
        """
        from .runtime.training.folder import locked
        from .training import job_of, run_job

        progress = None
        if verbose:
            from .cli.training_bar import training_progress

            progress = training_progress()
        folder = None if output is None else fspath(output)
        with locked(folder):
            job = job_of(
                self.compiled,
                data=data,
                changes=settings,
                resume=resume,
                folder=folder,
                engine=engine,
                device=device,
                force=force,
                weights=weights,
                patience=patience,
            )
            return run_job(job, progress=progress, source=self.compiled.source.text)

    def _named(self, x: "Array | Mapping[str, Array]") -> "Mapping[str, Array]":
        """Inputs by name, where a single one is given without."""
        return x if isinstance(x, Mapping) else {next(iter(self.graph.inputs), "input"): x}

    def draw(
        self,
        path: "str | PathLike[str]",
        *,
        style: Style = "graph",
        depth: int | None = None,
        direction: Direction | None = None,
        format: Format | None = None,
        theme: Theme = "light",
        **chain_rule: Any,
    ) -> None:
        """Draw the network; the file's suffix or `format` chooses svg, png, pdf or dot.

        Args:
            path: The picture's file.
            style: `graph`, the layers; or `backward`, the chain rule on operators.
            depth: Of layers, paths of more parts than this fold.
            direction: Where tensors flow: `TB` (layers' default), `LR` (the chain rule's), `BT`
                or `RL`.
            format: svg, png, pdf or dot.
            theme: `light` or `dark`.
            chain_rule: For `backward`: `loss`, and `inputs`, `targets` and `state` by name, whose
                numbers stand on the arrows.

        Raises:
            NetError: A choice is not known, no renderer is installed, or the file cannot be
                written.
        """
        from .compiler.emit.render import render
        from .drawing import to_picture_text

        text = to_picture_text(
            self.compiled, style=style, depth=depth, direction=direction, theme=theme, **chain_rule
        )
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
