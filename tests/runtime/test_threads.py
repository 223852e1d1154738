"""How many threads BLAS uses: one for small products, unless the user has chosen."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import netc
from netc.compiler.passes.pipeline import settle
from netc.runtime.engines.plan import plan
from netc.runtime.engines.threads import CHOSEN, is_large, one_thread

SMALL = "INPUT(8x8x1) -> CONV(3x3, 16) -> RELU -> FC(10)"
WIDE = "INPUT(1024) -> FC(2048) -> FC(10)"


def threads() -> set[int]:
    """How many threads BLAS's libraries use now."""
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


@pytest.fixture
def unchosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment variable says how many."""
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("program", "batch", "large"),
    [(SMALL, 32, False), (WIDE, 1, False), (WIDE, 256, True)],
)
def test_large_products_are_told(program: str, batch: int, large: bool) -> None:
    """What counts is the work of one operator with the batch that is fed."""
    planned = plan(settle(netc.compile(program).graph))
    assert is_large(planned.graph, planned.order, {"N": batch}) is large


@pytest.mark.usefixtures("unchosen")
def test_a_run_uses_one_thread_and_gives_the_others_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a small run there is one thread; before and after it as many as there were."""
    network = netc.compile(SMALL)
    seen: list[set[int]] = []

    def take(*given: object) -> tuple[()]:
        seen.append(threads())
        return ()

    monkeypatch.setattr("netc.runtime.engines.executor._take", take)
    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        with one_thread():
            assert threads() == {1}
        with pytest.raises(AssertionError):  # no result was computed
            network.run(np.zeros((1, 1, 8, 8), np.float32), network.initialize())
        assert threads() == before
    assert seen
    assert all(found == {1} for found in seen)


@pytest.mark.usefixtures("unchosen")
def test_overlapping_runs_do_not_keep_the_limit() -> None:
    """Two at once do not leave the process with one thread for ever."""
    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        first, second = threading.Event(), threading.Event()

        def other() -> None:
            with one_thread():
                first.set()
                second.wait(10)

        thread = threading.Thread(target=other)
        with one_thread():
            thread.start()
            assert first.wait(10)
        second.set()
        thread.join()
        assert threads() == before


@pytest.mark.parametrize("name", CHOSEN)
@pytest.mark.usefixtures("unchosen")
def test_what_the_user_chose_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment that sets the threads is obeyed."""
    monkeypatch.setenv(name, "2")
    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        with one_thread():
            assert threads() == before
