"""What holds for all tests: Hypothesis, the marker `oracle`, and the option `--update-golden`."""

import os
import signal
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import settings

# Workers side by side, each with a thread for every core, would wait for each other all the time.
# OpenBLAS reads this when NumPy is imported, which is later.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The same examples everywhere, and no limit of time: a busy machine is no failure.
settings.register_profile("netc", deadline=None, derandomize=True, database=None)
settings.load_profile("netc")

# A job in the background ignores Ctrl-C, and so would the tests that send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites expected texts; they are reviewed as code."""
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files")


def pytest_configure(config: pytest.Config) -> None:
    """Where no bytecode is to be left in the tree, workers and processes share some elsewhere.

    Each of them would else compile all of netc, which takes longer than most commands.
    """
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        del os.environ["PYTHONDONTWRITEBYTECODE"]
        folder = tempfile.TemporaryDirectory(prefix="netc-bytecode-", ignore_cleanup_errors=True)
        os.environ["PYTHONPYCACHEPREFIX"] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip those marked `oracle`, with the remedy, where there is no PyTorch to compare with."""
    if find_spec("torch") is not None:
        return
    skip = pytest.mark.skip(reason="PyTorch is not installed: pip install '.[oracle]'")
    for item in items:
        if item.get_closest_marker("oracle"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def on_one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """PyTorch's threads wait for each other longer than they compute."""
    if request.node.get_closest_marker("oracle") is None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
