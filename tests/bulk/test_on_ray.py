"""Shards predicted by the actors of a real Ray: the same output, lost actors, interrupted jobs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import ENVIRONMENT
from support.refusals import refusal

import netc
from netc.bulk_prediction import predict_files, task_of
from netc.runtime.bulk import on_ray
from netc.runtime.bulk.on_ray import Worker, predict_on_ray
from netc.runtime.bulk.task import Predictor, Task

ray = pytest.importorskip("ray", reason="pip install '.[ray]'")
pytest.importorskip("pyarrow", reason="pip install '.[ray]'")

import pyarrow as pa  # noqa: E402  # where it is installed
from pyarrow import parquet  # noqa: E402  # where it is installed

pytestmark = [pytest.mark.slow, pytest.mark.extra]

ROWS, SHARDS = 300, 6
MANY = 300  # shards, of which a killed job leaves some
NET = "INPUT(4) -> FC(8) -> TANH -> FC(3)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and shards of tables, in which workers find this netc."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    net = netc.compile(NET)
    net.export("net.onnx", net.initialize(0))
    (tmp_path / "data").mkdir()
    for number in range(SHARDS):
        x = np.random.default_rng(number).normal(size=(ROWS, 4)).astype(np.float32)
        rows = pa.table({f"c{place}": x[:, place] for place in range(4)})
        parquet.write_table(rows, f"data/{number}.parquet")
    return tmp_path


@pytest.fixture
def cluster(folder: Path) -> Iterator[None]:
    """Ray on two processors."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=2**27)
    yield
    ray.shutdown()


def read(output: str) -> dict[str, list[Any]]:
    """All rows of some results."""
    found: dict[str, list[Any]] = parquet.read_table(output).to_pydict()
    return found


class Killed(Worker):
    """An actor that the system kills in the middle of a shard, once."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        write, marker = self.predictor._tables, Path(task.output, "_killed")

        def tables(piece: Any) -> Iterator[Any]:
            yield from write(piece)
            if piece.files.endswith("3.parquet") and not marker.exists():
                marker.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)

        self.predictor._tables = tables  # type: ignore[method-assign]  # what the test is about


def test_the_same_output(folder: Path, cluster: None) -> None:
    """Two actors write what this process writes, to the last bit; errors of data are ours."""
    net = netc.load("net.onnx")
    here = net.predict_files("data", "here.parquet")
    there = net.predict_files("data", "there.parquet", engine="ray", actors=2)
    assert (there.rows, there.shards, there.kept) == (here.rows, SHARDS, 0)
    for number in range(SHARDS):
        name = f"part-0000{number}.parquet"
        assert (folder / "there.parquet" / name).read_bytes() == (
            folder / "here.parquet" / name
        ).read_bytes()
    (folder / "data" / "4.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(netc.NetError, match=r"E521.*4\.parquet|E521") as failure:
        predict_on_ray(_task(net, "bad.parquet"), range(SHARDS), actors=1)
    assert "data/4.parquet" in str(failure.value)
    with pytest.raises(netc.NetError, match="E547"):
        net.predict_files("data/0.parquet", "x.parquet", engine="ray", gpus_per_actor=1)


def _task(net: netc.Network, output: str) -> Task:
    Path(output).mkdir()
    trained = net.trained(None)
    return task_of(net.model, trained, "data", output, settings={}, threads=1)


def test_a_lost_actor(folder: Path, cluster: None) -> None:
    """An actor that is killed in the middle of a shard is replaced: all rows are there, once."""
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    net = netc.load("net.onnx")
    task = _task(net, "out.parquet")
    try:
        rows = predict_on_ray(task, task.missing(), actors=2, worker=Killed)
    finally:
        ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    killed = int((folder / "out.parquet" / "_killed").read_text())
    assert not Path(f"/proc/{killed}").exists()
    assert rows == ROWS * SHARDS
    found = read("out.parquet")
    places = list(zip(found["file"], found["row"], strict=True))
    assert places == [(f"{n}.parquet", row) for n in range(SHARDS) for row in range(ROWS)]
    net.predict_files("data", "here.parquet")
    assert found == read("here.parquet")


def test_a_killed_job(folder: Path) -> None:
    """After `kill -9` of the whole job, the same command goes on at the first missing shard."""
    for number in range(SHARDS, MANY):
        os.link(folder / "data" / "0.parquet", folder / "data" / f"{number}.parquet")
    words = [sys.executable, "-m", "netc", "predict", "net.onnx", "data", "-o", "out.parquet"]
    with subprocess.Popen(
        [*words, "--engine", "ray", "--actors", "1"],
        env={**ENVIRONMENT, "RAY_OVERRIDE_RESOURCES": '{"CPU": 2}'},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as job:
        deadline = time.monotonic() + 90
        first = folder / "out.parquet" / "part-00000.parquet"
        while not first.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        job.kill()
    before = {file.name: file.stat().st_mtime_ns for file in first.parent.glob("part-*")}
    assert 0 < len(before) < MANY
    found = predict_files(netc.load("net.onnx").model, _trained(), "data", "out.parquet")
    assert found.kept >= len(before)
    for name, time_of_writing in before.items():
        assert (first.parent / name).stat().st_mtime_ns == time_of_writing
    rows = read("out.parquet")
    assert len(set(zip(rows["file"], rows["row"], strict=True))) == ROWS * MANY
    assert len(rows["row"]) == ROWS * MANY
    assert not [file for file in first.parent.iterdir() if file.name.startswith(".netc-")]


def _trained() -> Any:
    return netc.load("net.onnx").trained(None)


def test_no_cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address at which nobody answers is an error, within seconds."""
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    task = _task(netc.load("net.onnx"), "out.parquet")
    failure = refusal(predict_on_ray, task, task.missing())
    assert failure.startswith("error[E547]: Ray does not answer at `127.0.0.1:1`")


def test_without_ray(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is an error that names the extra."""
    monkeypatch.setitem(sys.modules, "ray", None)
    assert refusal(on_ray._ray) == (
        "error[E528]: `--engine ray` runs by Ray, which is not installed\n"
        "  = help: install the extra `ray`: `pip install 'netc[ray]'`"
    )
    assert Predictor(_task(netc.load("net.onnx"), "out.parquet")).predict(0) == ROWS
