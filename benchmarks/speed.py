"""How long networks of many kinds take, forward and a step of training, beside PyTorch.

Prints a Markdown table of times as multiples of PyTorch's; every contender has its own process.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from measure import markdown

import netc
from netc.benchmarks import Benchmark, bench
from netc.runtime.benchmarking.measuring import Timing

NETS = Path(__file__).parent / "nets"
# Name -> program and batch; None takes the batch of the program's `train` block.
NETWORKS: Mapping[str, tuple[str, int | None]] = {
    **{
        name: (str(NETS / f"{name}.net"), None)
        for name in (
            *("mlp", "lenet5", "vgg", "residual", "mobile", "unet", "wavenet", "transformer"),
            "volumes",
        )
    },
    "digits_cnn": ("zoo:digits_cnn", None),
    "resnet18, 1": ("zoo:resnet18", 1),
    "resnet18, 8": ("zoo:resnet18", 8),
}
HEAD = (
    *("network", "mode", "batch", "PyTorch ms", "numpy ms", "onnxruntime ms"),
    *(
        "numpy / PyTorch",
        "onnxruntime / PyTorch",
        "of fastest calls",
        "of CPU time",
        "numpy of peak",
    ),
    *("PyTorch MiB", "numpy MiB", "onnxruntime MiB"),
)
ENGINES = ("pytorch", "numpy", "onnxruntime")


def main() -> None:
    """Measure and print the table, a row at a time."""
    options = _options()
    names = options.only or list(NETWORKS)
    print(f"load {os.getloadavg()[0]:.1f}, {options.threads or 'default'} threads\n")
    print(markdown(HEAD, []), flush=True)
    for name in names:
        program, batch = NETWORKS[name]
        model = netc.load(program).model
        for mode in options.mode or ("forward", "step"):
            found = bench(
                model,
                mode=mode,
                batch=batch,
                engines=options.engine,
                seconds=0.2 if options.quick else 0.5,
                rounds=2 if options.quick else 5,
                threads=options.threads,
            )
            print(f"| {' | '.join(row(name, found))} |", flush=True)
            for timing in found.timings:
                if timing.failure:
                    print(f"<!-- {timing.contender}: {timing.failure} -->", flush=True)


def row(name: str, found: Benchmark) -> Sequence[str]:
    """The cells of a network in a mode."""
    rows = {engine: found.of(engine) for engine in ENGINES}
    ours = rows["numpy"]
    share = None if ours is None else found.gflops(ours) / found.machine.gflops
    least = (_least(found, lambda t: t.fastest), _least(found, lambda t: t.processor))
    memory = (None if t is None else t.mebibytes for t in rows.values())
    return (
        *(name, found.mode, str(found.batch)),
        *("-" if t is None else f"{t.seconds * 1e3:.3g}" for t in rows.values()),
        *(_number(found.ratio(engine)) for engine in ENGINES[1:]),
        *(*map(_number, least), "-" if share is None else f"{share:.0%}"),
        *("-" if size is None else f"{size:.0f}" for size in memory),
    )


def _least(found: Benchmark, of: Callable[[Timing], float]) -> float | None:
    """NumPy's figure as a multiple of the least of PyTorch's variants."""
    ours, theirs = (
        min((of(t) for t in found.timings if t.engine == engine and not t.failure), default=None)
        for engine in ("numpy", "pytorch")
    )
    return None if ours is None or theirs is None else ours / theirs


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--only", action="append", choices=NETWORKS, metavar="NAME")
    parser.add_argument("--mode", action="append", choices=("forward", "step"))
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    main()
