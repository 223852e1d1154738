"""Training over MPI: N ranks are as one, whatever happens to them, and one asks for no MPI."""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.command_line import netc
from support.ranks import environment_without, needs_mpi, netc_on_ranks, on_ranks, with_fault

from netc.compiler.ir.types import DType, TensorType
from netc.grammar.diagnostics import NetError
from netc.runtime.kerneldef import Array
from netc.runtime.ranks.buckets import Buckets, Layout, layouts
from netc.runtime.ranks.launch import Launch, launch
from netc.runtime.ranks.shared_state import parts
from netc.runtime.ranks.team import check_size, cores_of
from netc.runtime.run_folder.history import History

# 105 steps; 53 samples are no number that ranks can share evenly.
MLP = """
INPUT(8x8) -> FC(32) -> RELU -> DROPOUT(0.3) -> FC(16) -> NOISE(0.1) -> TANH -> FC(10)

train {
  data      = digits
  split     = (0.6, 0.2, 0.2)
  augment   = [translate(1), noise(0.05)]
  regularize = l2(1e-3)
  clip      = norm(1)
  optimizer = OPTIMIZER
  batch     = 53
  epochs    = 5
}
"""
CONVOLUTIONS = """
INPUT(8x8) -> CONV(3x3, 4, bias=no) -> BN -> RELU
  -> CONV(3x3, 4, stride=2, bias=no) -> BN -> RELU -> FC(10)

train {
  data = digits, split = (0.1, 0.2, 0.7), optimizer = sgd(lr=0.05), batch = 60, epochs = 3
  sync_bn = yes
}
"""
MIXED = """
INPUT(8x8) -> CONV(3x3, 4) -> RELU -> FC(10)

train {
  data = digits, split = (0.2, 0.2, 0.6), augment = [translate(1), cutmix(rate=0.5), mixup(0.4)]
  loss = cross_entropy(label_smoothing=0.1), optimizer = sgd(lr=0.05), batch = 53, epochs = 2
}
"""
PROGRAMS = {
    "mixed": MIXED,
    "sgd": MLP.replace("OPTIMIZER", "sgd(lr=0.1, momentum=0.9)"),
    "adam": MLP.replace("OPTIMIZER", "adam(lr=0.003)"),
    "bn": CONVOLUTIONS,
    "short": CONVOLUTIONS.replace("epochs = 3", "epochs = 1"),
}
RUNS = tuple(
    f"{name} {engine}" for name in ("sgd", "adam", "bn") for engine in ("numpy", "onnxruntime")
)
# Takes one run after the other: a start of MPI takes longer than most of them.
ALL_OF_THEM = """
import sys
from netc.cli import run
for name in sys.argv[1:]:
    program, engine = name.split()
    assert run(["train", f"{program}.net", "--engine", engine, "-o", name]) == 0
assert "mpi4py" in sys.modules
"""


def weights(folder: Path) -> dict[str, Array]:
    """The weights that a run left."""
    return load_file(folder / "weights.safetensors")


def check_close(found: Mapping[str, Array], expected: Mapping[str, Array], within: float) -> None:
    """Weights differ by no more than rounding, against the largest of a tensor."""
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert np.abs(found[name] - array).max() <= within * np.abs(array).max(), name


def write_programs(folder: Path) -> None:
    """The programs as files."""
    for name, text in PROGRAMS.items():
        (folder / f"{name}.net").write_text(text)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The results of a run in one process, which asks for no MPI."""
    folder = tmp_path_factory.mktemp("alone")
    write_programs(folder)

    @cache
    def trained(name: str) -> Path:
        program, engine = name.split()
        arguments = ("train", f"{program}.net", "--engine", engine, "-o", name, "--threads", "1")
        assert netc(*arguments, cwd=folder).status == 0
        assert "mpi4py" not in sys.modules
        return folder / name

    return trained


@needs_mpi
@pytest.mark.parametrize(
    ("count", "runs"),
    [
        (2, ["short numpy"]),
        pytest.param(2, RUNS[:3], marks=pytest.mark.slow),
        pytest.param(2, RUNS[3:], marks=pytest.mark.slow),
        pytest.param(2, ["mixed numpy", "mixed onnxruntime"], marks=pytest.mark.slow),
        pytest.param(4, RUNS, marks=pytest.mark.slow),
    ],
    ids=["quick", "2", "2 more", "mixed", "4"],
)
def test_ranks_come_to_what_one_does(
    count: int, runs: Sequence[str], alone: Callable[[str], Path], tmp_path: Path
) -> None:
    """A hundred steps of SGD and Adam, with noise and BN, on both engines; rank 0 alone speaks."""
    write_programs(tmp_path)
    found = on_ranks(count, "-c", ALL_OF_THEM, *runs, cwd=tmp_path)
    assert found.status == 0, found.err
    assert found.out.count("written to") == len(runs)
    for run in runs:
        expected = alone(run)
        check_close(
            weights(tmp_path / run),
            weights(expected),
            2e-3 if "bn" in run or "short" in run else 2e-4,
        )
        histories = [History.read(str(each / "history.csv")) for each in (expected, tmp_path / run)]
        for column, within in {"loss": 1e-3, "val_loss": 1e-3, "accuracy": 0.01}.items():
            one, several = (np.array(each.column(column), float) for each in histories)
            np.testing.assert_allclose(several, one, rtol=0, atol=within)


SCARCE = """
from netc.runtime.ranks import shared_memory
shared_memory._is_free = lambda size: False
"""


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_ranks_that_share_no_memory(
    engine: str, alone: Callable[[str], Path], tmp_path: Path
) -> None:
    """Where it is scarce, sums travel as messages, and each rank updates all of its own weights."""
    write_programs(tmp_path)
    run = f"adam {engine}"
    found = on_ranks(2, "-c", SCARCE + ALL_OF_THEM, run, cwd=tmp_path)
    assert found.status == 0, found.err
    check_close(weights(tmp_path / run), weights(alone(run)), 2e-4)


SAYS = {
    "error": "on rank 1 of 3:\nerror[E523]: a label is out of range\n",
    "bug": "ValueError: nobody foresaw this",
    "nan": "error[E542]: the loss is not finite in step",
    "interruption": "stopped; continue with: mpiexec -n 3 netc train adam.net -o run --resume",
    "death": "",  # mpiexec's own words
}


@needs_mpi
@pytest.mark.parametrize(
    "what", ["error", *(pytest.param(w, marks=pytest.mark.slow) for w in SAYS if w != "error")]
)
def test_what_happens_to_one_rank_ends_all(what: str, tmp_path: Path) -> None:
    """None waits forever, one says what happened, and the checkpoint before it can be resumed."""
    write_programs(tmp_path)
    arguments = ("train", "adam.net", "-o", "run", "--save-every", "0")
    found = with_fault(3, what, *arguments, rank=1, cwd=tmp_path)
    assert found.status == {"interruption": 130, "death": 9}.get(what, 1)
    assert SAYS[what] in found.err
    assert found.err.count("error[") <= 1
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()
    resumed = netc("train", "adam.net", "-o", "run", "--resume", cwd=tmp_path)
    while "another process is training" in resumed.err:  # the launcher ends before its processes
        resumed = netc("train", "adam.net", "-o", "run", "--resume", cwd=tmp_path)
    assert resumed.status == 0
    assert "ranks: 3 then, 1 now" in resumed.err


@needs_mpi
@pytest.mark.slow
def test_resuming_is_repeatable(alone: Callable[[str], Path], tmp_path: Path) -> None:
    """From one checkpoint, equal numbers of ranks come to equal bits, others to equal numbers."""
    write_programs(tmp_path)
    arguments = ("train", "adam.net", "-o", "run", "--save-every", "0")
    assert with_fault(2, "interruption", *arguments, rank=0, cwd=tmp_path).status == 130
    runs = {}
    for name, count in {"first": 2, "again": 2, "more": 4}.items():
        shutil.copytree(tmp_path / "run", tmp_path / name)
        resumed = ("train", "adam.net", "-o", name, "--resume")
        assert netc_on_ranks(count, *resumed, cwd=tmp_path).status == 0
        runs[name] = weights(tmp_path / name)
    netc_on_ranks(2, "train", "adam.net", "-o", "unbroken", cwd=tmp_path).ok()
    for other in (runs["again"], weights(tmp_path / "unbroken")):
        assert all((other[name] == array).all() for name, array in runs["first"].items())
    check_close(runs["more"], runs["first"], 2e-4)
    check_close(runs["first"], weights(alone("adam numpy")), 2e-4)


@needs_mpi
def test_errors_are_told_once(tmp_path: Path) -> None:
    """What is wrong with a program is wrong on every rank, and said by one."""
    found = netc_on_ranks(3, "train", "INPUT(8x8) -> FOO", "-o", "run", cwd=tmp_path).failed()
    assert found.err.count("error[E101]") == 1
    assert not (tmp_path / "run").exists()


@needs_mpi
def test_without_mpi4py(tmp_path: Path) -> None:
    """The first of the processes says what they lack."""
    env = environment_without("mpi4py", tmp_path)
    found = on_ranks(2, "-m", "netc", "train", "INPUT(8x8) -> FC(10)", cwd=tmp_path, env=env)
    assert found.status == 1
    assert found.err == (
        "error[E548]: 2 processes were started, which cannot reach each other\n"
        "  = note: mpi4py is not installed\n"
        "  = help: pip install 'netc[mpi]', or start one process, without mpiexec\n\n"
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Launch(0, 1)),
        ({"PMI_SIZE": "4", "PMI_RANK": "3"}, Launch(3, 4)),
        ({"PMI_SIZE": "1", "PMI_RANK": "0"}, Launch(0, 1)),
        ({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}, Launch(1, 2)),
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5", "PMIX_RANK": "5"}, Launch(5, 8)),
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5"}, Launch(0, 1)),
        ({"PMI_SIZE": "many", "PMI_RANK": "0"}, Launch(0, 1)),
    ],
    ids=str,
)
def test_launchers(environment: dict[str, str], expected: Launch) -> None:
    """What launchers tell a process, and a job of SLURM's that asked for no MPI."""
    assert launch(environment) == expected


def test_processes_that_miss_each_other() -> None:
    """A launcher of another MPI starts processes that would each train alone."""
    check_size(Launch(0, 4), 4)
    with pytest.raises(NetError, match="4 processes were started, but MPI sees 1"):
        check_size(Launch(0, 4), 1)


@pytest.mark.parametrize(
    ("own", "masks", "expected"),
    [
        ({0, 1, 2, 3}, [{0, 1, 2, 3}] * 2, 2),
        ({0, 1, 2, 3}, [{0, 1, 2, 3}] * 3, 1),
        ({0, 1}, [{0, 1}, {2, 3}], 2),
        ({0, 1}, [{0, 1}] * 5, 1),
        ({0, 1, 2, 3}, [{0, 1, 2, 3}, {0}], 3),
    ],
)
def test_cores_of_a_rank(own: set[int], masks: list[set[int]], expected: int) -> None:
    """Ranks share the cores that they may use, bound to their own or not; each has at least one."""
    assert cores_of(frozenset(own), [frozenset(mask) for mask in masks]) == expected


PATIENCE = 20  # how often a sum is asked for before it arrives


class _Doubled:
    """A sum over two ranks that have the same."""

    def __init__(self, layout: Layout, log: list[int]) -> None:
        self.terms = self.total = np.zeros(layout.size, layout.dtype)
        self.asked, self.log = 0, log

    def start(self) -> None:
        """Note how large the buffer is."""
        self.asked = 0
        self.log.append(self.terms.size)

    def arrived(self) -> bool:
        """Not at first."""
        self.asked += 1
        if self.asked == PATIENCE:
            self.total *= 2
        return self.asked >= PATIENCE


def test_buckets() -> None:
    """Arrays of a type share buffers, which start in order, each when all of its arrays are in."""
    types = {
        "a": TensorType(DType.FLOAT32, (3, 5)),
        "n": TensorType(DType.INT64, ()),
        "b": TensorType(DType.FLOAT32, ()),
        "c": TensorType(DType.FLOAT32, (40,)),
    }
    log: list[int] = []
    buckets = Buckets((layout, _Doubled(layout, log)) for layout in layouts(types, limit=100))
    arrays = {"a": np.arange(15.0).reshape(5, 3).T, "n": np.array(7), "b": np.array(3.0)}
    arrays["c"] = np.ones(40)
    for turn in range(2):
        assert len(log) == 3 * turn
        buckets.offer("b", arrays["b"] + turn)
        buckets.offer("c", arrays["c"] + turn)
        assert len(log) == 3 * turn  # the first bucket waits for `a`
        buckets.offer("a", arrays["a"] + turn)
        assert len(log) == 3 * turn + 1
        buckets.offer("n", arrays["n"] + turn)
        assert len(log) == 3 * turn + 3
        for name, found in buckets.collect().items():
            np.testing.assert_array_equal(found, 2 * (arrays[name] + turn))
    buckets.offer_nothing()
    assert all(not array.any() for array in buckets.collect().values())


def test_parts_of_the_update() -> None:
    """What is kept for a weight is computed with it, and ranks have about as much to do."""
    sizes = {"a.weight": 60, "a.weight.momentum": 60, "a.bias": 5, "b.weight": 40, "c": 30, "cc": 9}
    first, second = parts({f"{name}.next": size for name, size in sizes.items()}, 2)
    assert first == {"a.weight.next", "a.weight.momentum.next"}
    assert second == {"a.bias.next", "b.weight.next", "c.next", "cc.next"}
    assert parts({"a.next": 1}, 3) == [{"a.next"}, set(), set()]


# Sums of each rank's own numbers, in memory and, where one rank has none to share, by messages.
SUMMED = """
import numpy as np
from netc.compiler.ir.types import DType, TensorType
from netc.runtime.ranks import shared_memory, sums
from netc.runtime.ranks.team import join

team = join()
parts = [
    {"n": TensorType(DType.INT64, ()), "a": TensorType(DType.FLOAT32, (300, 5))},
    {"b": TensorType(DType.FLOAT64, (3,)), "h": TensorType(DType.FLOAT16, (2,))},
]
for is_shared in (True, False):
    shared_memory._is_free = lambda size: is_shared or team.rank != 1
    shared = team.buckets(parts)
    first = shared[0].buckets[0].sum
    assert isinstance(first, sums.InMemory if is_shared else sums.ByMessages), first
    for turn in range(50):
        for buckets, terms in zip(shared, parts):
            if turn == 7 and team.rank == 0:
                buckets.offer_nothing()
            else:
                for name, type in terms.items():
                    own = np.arange(np.prod(type.shape)).reshape(type.shape) % 10
                    buckets.offer(name, np.asarray(own + team.rank + turn, type.dtype.value))
            adding = range(turn == 7, team.size)
            for name, found in buckets.collect().items():
                own = np.arange(found.size).reshape(found.shape) % 10
                expected = len(adding) * (own + turn) + sum(adding)
                np.testing.assert_array_equal(found, expected)
                assert team.gather(found.tobytes()) == [found.tobytes()] * team.size
if team.gather(True) and team.rank == 0:
    print("equal")
"""


@needs_mpi
@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_sums_of_ranks(count: int, tmp_path: Path) -> None:
    """Every rank has the same sums, turn for turn, in shared memory and by messages."""
    found = on_ranks(count, "-c", SUMMED, cwd=tmp_path)
    assert found.out == "equal\n", found.err
