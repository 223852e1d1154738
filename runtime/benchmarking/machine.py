"""What the machine can do at most: products and copies of large arrays on NumPy.

`python -m netc.runtime.benchmarking.machine` prints it as JSON, in a separate process so that
the environment says on how many threads.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

SIZES = (384, 768, 1536)  # of square matrices
COPIED = 2**24  # float32 numbers, far more than a cache holds
REPEATS = 5


@dataclass(frozen=True)
class Machine:
    """The best that was measured.

    Attributes:
        gflops: Of products of matrices of float32, in 10^9 operations a second, 2 per MAC.
        gigabytes: Read and written by copies, in 10^9 bytes a second.
    """

    gflops: float
    gigabytes: float

    def __str__(self) -> str:
        return (
            f"the machine: {self.gflops:.0f} GFLOP/s in products of matrices,"
            f" {self.gigabytes:.1f} GB/s in copies"
        )


def machine(environment: Mapping[str, str]) -> Machine:
    """Measure the machine as a process with an environment finds it."""
    command = [sys.executable, "-m", __name__]
    found = subprocess.run(command, env=dict(environment), stdout=subprocess.PIPE, check=True)
    return Machine(**json.loads(found.stdout))


def products() -> float:
    """The best of several sizes."""
    return max(_product(size) for size in SIZES)


def _product(size: int) -> float:
    a = np.ones((size, size), np.float32)
    out = np.empty_like(a)
    return 2e-9 * size**3 / _fastest(lambda: np.matmul(a, a, out=out))


def copies() -> float:
    """Bytes read and bytes written."""
    a = np.ones(COPIED, np.float32)
    out = np.ones_like(a)
    return 2e-9 * a.nbytes / _fastest(lambda: np.copyto(out, a))


def _fastest(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    print(json.dumps(asdict(Machine(products(), copies()))))
