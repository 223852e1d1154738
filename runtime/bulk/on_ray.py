"""A task of prediction -> Ray Data: actors with a session each, which predict shards."""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pickle import dumps, loads
from typing import Any

from ...grammar.diagnostics import NetError, error
from ..extras import from_extra
from .task import Predictor, Task

# What Ray otherwise writes to the terminal, besides what concerns future versions of it.
_QUIET = {"RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
ADDRESS, SECONDS_TO_ANSWER = "RAY_ADDRESS", 10.0
STORE = 2**28  # bytes of objects that a Ray of our own may keep, besides two copies of the model


class Worker:
    """An actor: it holds one session, and predicts a shard at a time.

    Args:
        task: What it predicts.
    """

    def __init__(self, task: Task) -> None:
        self.predictor = Predictor(task)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Predict shards; errors travel as data, so that no actor tries the shard again."""
        rows, failures = [], []
        for number in batch["shard"]:
            try:
                rows.append(self.predictor.predict(int(number)))
                failures.append(b"")
            except NetError as failure:
                rows.append(0)
                failures.append(dumps(failure.diagnostics))
        return {"rows": rows, "failure": failures}


def predict_on_ray(
    task: Task,
    numbers: Sequence[int],
    *,
    actors: int | None = None,
    cpus: int = 1,
    gpus: float = 0.0,
    done: Callable[[int], None] = lambda rows: None,
    worker: type = Worker,
) -> int:
    """Predict shards on Ray: that which `RAY_ADDRESS` names, or else a new one on this machine.

    Ray starts lost actors again, and gives their shards to others; a shard's file appears once it
    is whole, so no row is there twice.

    Args:
        task: What is predicted.
        numbers: The shards.
        actors: How many actors there are; by default, as many as the processors are enough for.
        cpus: Processors for each, and the threads that it computes on.
        gpus: GPUs for each.
        done: Called with the number of rows of each shard.
        worker: What the actors are.

    Returns:
        How many rows were written.

    Raises:
        NetError: E528, Ray is not installed; E547, it fails; or what a shard raises.
    """
    ray = _ray()
    ours = not ray.is_initialized()
    if ours:
        _start(ray, task)
    try:
        count = min(_room(ray, cpus, gpus) if actors is None else actors, len(numbers))
        total = 0
        for row in _results(ray, task, numbers, count, worker, cpus, gpus):
            if row["failure"]:
                raise NetError(loads(row["failure"]))
            total += row["rows"]
            done(row["rows"])
        return total
    except ray.exceptions.RayError as failure:
        raise error("E547", f"Ray failed: {str(failure).strip().splitlines()[-1]}") from failure
    finally:
        if ours:
            ray.shutdown()


def _results(
    ray: Any,
    task: Task,
    numbers: Sequence[int],
    actors: int,
    worker: type,
    cpus: int,
    gpus: float,
) -> Iterator[dict[str, Any]]:
    """What `Worker` answers for each shard, as soon as it does."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    shards = ray.data.from_items(
        [{"shard": number} for number in numbers], override_num_blocks=len(numbers)
    )
    found = shards.map_batches(
        worker,
        fn_constructor_args=(task,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=cpus,
        **({"num_gpus": gpus} if gpus else {}),
    )
    yield from found.iter_rows()


def _room(ray: Any, cpus: int, gpus: float) -> int:
    """How many actors there is room for.

    Raises:
        NetError: E547, for none.
    """
    have = ray.cluster_resources()
    room = int(have.get("CPU", 0) // cpus)
    if gpus:
        room = min(room, int(have.get("GPU", 0) // gpus))
    if room:
        return room
    message = (
        f"Ray has {have.get('CPU', 0):g} CPUs and {have.get('GPU', 0):g} GPUs, and an actor needs"
        f" {cpus} and {gpus:g}"
    )
    raise error("E547", message, help="choose less: `--cpus-per-actor`, `--gpus-per-actor`")


def _start(ray: Any, task: Task) -> None:
    """Connect to a cluster that the environment names, or start one here.

    Raises:
        NetError: E547, there is no such cluster.
    """
    address = os.environ.get(ADDRESS)
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        options |= {"include_dashboard": False}
        options |= {"object_store_memory": STORE + 2 * len(task.model)}
    for name, text in _QUIET.items():
        os.environ.setdefault(name, text)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        _knock(address or "")
        ray.init(**options)
    except (OSError, OverflowError, RuntimeError, ValueError) as failure:
        where = "does not start" if address is None else f"does not answer at `{address}`"
        notes = str(failure).strip().splitlines()[-1:]
        help = "`ray start --head` starts one; `RAY_ADDRESS` names it, or none for one of your own"
        raise error("E547", f"Ray {where}", notes=notes, help=help) from None


def _knock(address: str) -> None:
    """Find out whether something listens at HOST:PORT; Ray itself would wait for minutes.

    Raises:
        OSError: Nothing does.
    """
    host, _, port = address.rpartition(":")
    if "/" not in host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()


def _ray() -> Any:
    """Ray with its data."""
    with from_extra("`--engine ray` runs", "Ray", "ray"):
        import ray
        import ray.data
    return ray
