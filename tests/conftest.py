"""What holds for all tests: the marker `oracle`, and the option `--update-golden`."""

import os
import signal
from importlib.util import find_spec

import pytest

# Workers side by side, each with a thread for every core, would wait for each other all the time.
# OpenBLAS reads this when NumPy is imported, which is later.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A job in the background ignores Ctrl-C, and so would the tests that send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes expected texts anew; they are reviewed as code."""
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


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
