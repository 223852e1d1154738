"""Models -> how long their engines take, beside PyTorch, and a table of that."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from math import inf
from os import PathLike, fspath
from typing import Any

from .choices import check_count
from .compiler.model import Model
from .compiler.training.recipe import Recipe
from .grammar.diagnostics import did_you_mean, error
from .runtime.benchmarking.contenders import CONTENDERS, PYTORCH, Contender
from .runtime.benchmarking.machine import Machine, machine
from .runtime.benchmarking.measuring import ROUNDS, Timing, environment, layer_times, measure
from .runtime.benchmarking.profile import LayerTime
from .runtime.benchmarking.work import Work, random_work
from .runtime.engines.engine import plan_of
from .runtime.engines.plan_text import plan_text
from .runtime.plots.canvas import PictureFile
from .runtime.plots.layer_times import Bar, draw_layer_times
from .tables import counted, hanging, table
from .training import recipe_of

ENGINE_NAMES = tuple(dict.fromkeys(each.engine for each in CONTENDERS.values()))
SECONDS = 0.5  # of a block
PACKAGES = {"onnxruntime": "'netc[cpu]'", PYTORCH: "torch"}
HEAD = ("", "ms", "fastest", "samples/s", "GFLOP/s", "of peak", "/ PyTorch", "MiB")
MODES = {"forward": False, "step": True}
TITLES = {"forward": "forward", "step": "a step of training"}
PROFILE_HEAD = ("layer", "kind", "forward ms", "backward ms", "share", "GFLOP/s", "of peak")
BATCH = 32  # samples, where nothing says how many
BUSY = 0.1  # the share of the processors that others took, from which on a table says so

# Opens a display of how many of a number of blocks are done.
BenchProgress = Callable[[int], AbstractContextManager[Callable[[int], object]]]


def _silent(blocks: int) -> AbstractContextManager[Callable[[int], object]]:
    return nullcontext(lambda count: None)


@dataclass(frozen=True)
class Benchmark:
    """How long a network took on its engines.

    Attributes:
        network: Its name.
        mode: `forward`, or `step` for a step of training.
        batch: The samples at once.
        macs: Multiply-accumulates of the whole batch; of a step, with its gradients.
        machine: What the machine can do at most.
        timings: A row for each contender.
    """

    network: str
    mode: str
    batch: int
    macs: int
    machine: Machine
    timings: Sequence[Timing]

    def __repr__(self) -> str:
        rows = (f"{t.contender} {t.seconds * 1e3:.3g} ms" for t in self.timings if not t.failure)
        return f"<Benchmark of {self.network}, {self.mode}, batch {self.batch}: {', '.join(rows)}>"

    def __str__(self) -> str:
        return self.to_text()

    def of(self, engine: str) -> Timing | None:
        """The row of an engine; of PyTorch, that of its fastest variant."""
        rows = [t for t in self.timings if t.engine == engine and t.failure is None]
        return min(rows, key=lambda timing: timing.seconds, default=None)

    def ratio(self, engine: str) -> float | None:
        """How many times as long as PyTorch's fastest variant an engine took."""
        ours, theirs = self.of(engine), self.of(PYTORCH)
        return None if ours is None or theirs is None else ours.ratio(theirs)

    def gflops(self, timing: Timing) -> float:
        """10^9 operations a second, 2 per multiply-accumulate."""
        return 2e-9 * self.macs / timing.seconds

    def to_text(self, room: int | None = None) -> str:
        """A table, and sentences about it, at most `room` columns wide."""
        head = f"{self.network}: {TITLES[self.mode]}, batch {self.batch}"
        lines = [head, "", *table([HEAD, *self._rows()], room=room)]
        for sentence in self._sentences():
            lines += hanging("", sentence, room)
        return "\n".join(lines)

    def _rows(self) -> Iterator[tuple[str, ...]]:
        theirs = self.of(PYTORCH)
        for timing in self.timings:
            if timing.failure is not None:
                continue
            gflops = self.gflops(timing)
            yield (
                timing.contender,
                f"{timing.seconds * 1e3:.3g}",
                f"{timing.fastest * 1e3:.3g}",
                f"{self.batch / timing.seconds:,.0f}",
                f"{gflops:.1f}",
                f"{gflops / self.machine.gflops:.0%}",
                "-" if theirs is None else f"{timing.ratio(theirs):.2f}",
                "-" if timing.mebibytes is None else f"{timing.mebibytes:.0f}",
            )

    def _sentences(self) -> Iterator[str]:
        yield str(self.machine)
        for timing in self.timings:
            if timing.failure is not None:
                yield f"{timing.contender}: {timing.failure}"
        worst = max((t.contended for t in self.timings), default=0.0)
        if worst > BUSY:
            yield f"other processes took up to {worst:.0%} of the processors: figures are rough"

    def to_dict(self) -> dict[str, Any]:
        """All figures, in seconds; None where there is none.

        Of each contender what `Timing` holds, and as in the table its median (`seconds`), its
        `gflops`, their share of the machine's (`of_peak`), and its `ratio` to PyTorch's fastest.
        """
        return {
            "network": self.network,
            "mode": self.mode,
            "batch": self.batch,
            "macs": self.macs,
            "machine": asdict(self.machine),
            "timings": [_finite(asdict(t)) | self._derived(t) for t in self.timings],
        }

    def _derived(self, timing: Timing) -> dict[str, float | None]:
        if timing.failure is not None:
            return dict.fromkeys(("seconds", "gflops", "of_peak", "ratio"))
        gflops, theirs = self.gflops(timing), self.of(PYTORCH)
        return {
            "seconds": timing.seconds,
            "gflops": gflops,
            "of_peak": gflops / self.machine.gflops,
            "ratio": None if theirs is None else timing.ratio(theirs),
        }


def _finite(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures with None for infinity, which JSON lacks."""
    return {name: None if value == inf else value for name, value in figures.items()}


@dataclass(frozen=True)
class Profile:
    """How long each layer of a network takes on NumPy.

    Attributes:
        network, mode, batch, machine: See `Benchmark`.
        layers: A row for each layer, in the order of the network.
    """

    network: str
    mode: str
    batch: int
    machine: Machine
    layers: Sequence[LayerTime]

    def __repr__(self) -> str:
        layers = counted(len(self.layers), "layer")
        return f"<Profile of {self.title}: {layers}, {self.seconds * 1e3:.3g} ms>"

    def __str__(self) -> str:
        return self.to_text()

    @property
    def seconds(self) -> float:
        """All layers together."""
        return sum(layer.seconds for layer in self.layers)

    @property
    def title(self) -> str:
        """What was measured."""
        return f"{self.network}: {TITLES[self.mode]} on NumPy, batch {self.batch}"

    def share(self, layer: LayerTime) -> float:
        """A layer's part of the whole time."""
        return layer.seconds / self.seconds

    def to_text(self, room: int | None = None) -> str:
        """A table at most `room` columns wide."""
        rows = [self._row(layer) for layer in self.layers]
        shown = [place for place in range(len(PROFILE_HEAD)) if MODES[self.mode] or place != 3]
        cells = [[row[place] for place in shown] for row in (PROFILE_HEAD, *rows)]
        lines = [self.title, "", *table(cells, room=room, left=(0, 1)), ""]
        total = f"{self.seconds * 1e3:.3g} ms in all"
        return "\n".join([*lines, total, *hanging("", str(self.machine), room)])

    def _row(self, layer: LayerTime) -> tuple[str, ...]:
        return (
            layer.layer,
            layer.kind,
            f"{layer.forward * 1e3:.3f}",
            f"{layer.backward * 1e3:.3f}",
            f"{self.share(layer):.1%}",
            f"{layer.gflops:.1f}" if layer.macs else "-",
            f"{layer.gflops / self.machine.gflops:.0%}" if layer.macs else "-",
        )

    def to_dict(self) -> dict[str, Any]:
        """All figures, in seconds."""
        return asdict(self)

    def draw(self, path: str | PathLike[str]) -> None:
        """Draw a bar for each layer, as SVG, PNG or PDF.

        Raises:
            NetError: matplotlib is not installed (E503), or the file cannot be written.
        """
        bars = [
            Bar(layer.layer, layer.forward, layer.backward, f"{self.share(layer):.0%}")
            for layer in self.layers
        ]
        draw_layer_times(bars, PictureFile(fspath(path), self.title))


def profile(
    model: Model,
    *,
    mode: str,
    batch: int | None = None,
    seconds: float = SECONDS,
    threads: int | None = None,
) -> Profile:
    """Time the layers of a network on NumPy; see `Network.profile`.

    Raises:
        NetError: The batch or the loss does not fit, or nothing could be timed (E506).
    """
    work = _checked_work(model, mode, batch, seconds, threads)
    layers = layer_times(work, seconds=seconds, threads=threads)
    return Profile(model.graph.name, mode, work.batch, machine(environment(threads)), layers)


def bench(
    model: Model,
    *,
    mode: str,
    batch: int | None = None,
    engines: Sequence[str] | None = None,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    threads: int | None = None,
    progress: BenchProgress = _silent,
) -> Benchmark:
    """Time a network on a batch that is drawn at random; see `Network.bench`.

    Args:
        model: The network.
        mode: `forward` or `step`.
        batch: How many samples; by default, those of the recipe, or 32.
        engines: Which of `numpy`, `onnxruntime` and `pytorch`; all that are installed.
        seconds: How long each contender is timed in each round.
        rounds: How many rounds.
        threads: How many threads each may use; by default, as many as it chooses itself.
        progress: Shows how many of a number of blocks are done.

    Raises:
        NetError: An engine is not known or not installed (E502), the batch or the loss does not
            fit, or nothing could be timed (E506).
    """
    chosen = _contenders(engines)
    work = _checked_work(model, mode, batch, seconds, threads)
    contenders = [each for each in chosen if each.applies_to(work)]
    limits: dict[str, Any] = {"seconds": seconds, "threads": threads}
    with progress(len(contenders) * (rounds + 1)) as done:
        timings = measure(work, contenders, rounds=rounds, done=lambda: done(1), **limits)
    if all(timing.failure for timing in timings):
        notes = [f"{timing.contender}: {timing.failure}" for timing in timings]
        raise error("E506", "nothing could be timed", notes=notes)
    found = machine(environment(threads))
    return Benchmark(model.graph.name, mode, work.batch, work.macs(), found, timings)


def plan(model: Model, *, mode: str, batch: int | None = None) -> str:
    """How NumPy computes a network on a batch: for each step its layout, memory and threads.

    Raises:
        NetError: The batch or the loss does not fit.
    """
    work = _checked_work(model, mode, batch, SECONDS, None)
    planned = (
        plan_of(work.train_step().graph)
        if work.step
        else plan_of(work.graph, weights=work.state)  # as `bench` computes it
    )
    head = f"{model.graph.name}: {TITLES[mode]}, batch {work.batch}"
    return f"{head}\n\n{plan_text(planned, work.symbols)}"


def check_loss(model: Model) -> None:
    """Refuse a network that cannot take a step of training.

    Raises:
        NetError: There is no loss, or it does not fit the network.
    """
    work_of(model, 1, step=True).train_step()


def _checked_work(
    model: Model, mode: Any, batch: int | None, seconds: Any, threads: int | None
) -> Work:
    """The work of options from Python.

    Raises:
        NetError: E125, one of them is no such option; or what `work_of` raises.
    """
    if mode not in MODES:
        help = did_you_mean(str(mode), MODES) or f"choose {' or '.join(MODES)}"
        raise error("E125", f"unknown mode `{mode}`", help=help)
    if not isinstance(seconds, int | float) or not 0 <= seconds < inf:
        raise error("E125", f"`seconds` must be a number, not `{seconds}`")
    if threads is not None:
        check_count("threads", threads)
    return work_of(model, batch, step=MODES[mode])


def work_of(model: Model, batch: int | None, *, step: bool) -> Work:
    """A network on a batch that is drawn at random; the recipe's size, or 32.

    Raises:
        NetError: The batch or the loss does not fit.
    """
    recipe = recipe_of(model) if step else Recipe(loss={})
    if batch is not None:
        check_count("batch", batch)
        recipe = replace(recipe, batch=batch)
    elif model.recipe is not None:
        recipe = replace(recipe, batch=model.recipe.batch)
    size = BATCH if recipe.batch is None else recipe.batch
    return random_work(model.graph, recipe, batch=size, step=step)


def _contenders(engines: Sequence[str] | None) -> list[Contender]:
    """All that are installed, or those of some engines, which must be.

    Raises:
        NetError: E502.
    """
    for engine in engines or ():
        if engine not in ENGINE_NAMES:
            help = did_you_mean(engine, ENGINE_NAMES) or f"choose from {', '.join(ENGINE_NAMES)}"
            raise error("E502", f"unknown engine `{engine}`", help=help)
    wanted = [c for c in CONTENDERS.values() if engines is None or c.engine in engines]
    missing = {each.engine: None for each in wanted if not each.available}
    if engines is not None and missing:
        name = next(iter(missing))
        raise error("E502", f"{name} is not installed", help=f"pip install {PACKAGES[name]}")
    return [each for each in wanted if each.available]
