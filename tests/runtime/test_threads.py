"""How many threads compute: ours, with one of BLAS in each, unless the user has chosen."""

import os
import signal
import threading
import time

import numpy as np
import onnxruntime
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import netc
from netc.runtime.engines.threads import one_thread
from netc.runtime.kernels import crew
from netc.runtime.kernels import workers as pool
from netc.runtime.kernels.crew import Helper, allowed_cores, helpers
from netc.runtime.kernels.workers import OF_BLAS, OURS, limited, shares, spread, workers

SMALL = "INPUT(8x8x1) -> CONV(3x3, 16) -> RELU -> FC(10)"


def threads() -> set[int]:
    """How many threads BLAS's libraries use now."""
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


@pytest.fixture
def unchosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment variable says how many."""
    for name in (OURS, *OF_BLAS):
        monkeypatch.delenv(name, raising=False)


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


@pytest.mark.parametrize("name", OF_BLAS)
@pytest.mark.usefixtures("unchosen")
def test_what_the_user_chose_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment that sets the threads is obeyed."""
    monkeypatch.setenv(name, "2")
    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        with one_thread():
            assert threads() == before


@pytest.mark.usefixtures("unchosen")
def test_who_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our variable says how many; threads of BLAS that the user asked for leave one of ours."""
    assert workers() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert workers() == 1
    monkeypatch.setenv(OURS, "3")
    assert workers() == 3
    assert shares(10) == [slice(0, 3), slice(3, 6), slice(6, 10)]
    assert shares(10, least=5) == [slice(0, 5), slice(5, 10)]
    for text in ("many", "0", "-1", "1.5"):
        monkeypatch.setenv(OURS, text)
        with pytest.raises(netc.NetError, match="`NETC_NUM_THREADS` must be a positive integer"):
            workers()


def test_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part is computed once, on several threads, and what one raises is raised."""
    monkeypatch.setenv(OURS, "3")
    found: list[int] = []
    used: set[int] = set()
    meet = threading.Barrier(3)

    def compute(part: int) -> None:
        if part < 3:
            meet.wait(10)
        used.add(threading.get_ident())
        found.append(part)

    spread(compute, range(20), 2**30)
    assert sorted(found) == list(range(20))
    assert len(used) == 3

    def fail(part: int) -> None:
        if part == 1:
            raise MemoryError

    with pytest.raises(MemoryError):
        spread(fail, range(3), 2**30)


@pytest.mark.parametrize("spins", [True, False])
@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_a_helper_takes_one_task_after_the_other(
    spins: bool, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it still waits actively, sleeps already, or can only sleep."""
    if not spins:
        monkeypatch.setattr(crew, "_spinlocks", lambda: None)
    helper, found = Helper(), list[int]()
    for number in range(20):
        begun = threading.Event()

        def task(number: int = number, begun: threading.Event = begun) -> None:
            begun.set()
            found.append(number)

        assert helper.begin(task)
        assert not helper.begin(task)
        assert begun.wait(10)
        helper.end()
        time.sleep(pause)
    assert found == list(range(20))


def test_a_task_that_is_not_begun_is_taken_back() -> None:
    """A helper whose core is taken by other processes delays nobody."""
    helper, found = Helper(), list[int]()
    while not helper._asleep:
        time.sleep(0.001)
    helper._bed.release()  # it finds nothing, and waits for what is never sent
    helper._asleep, helper._called.send = False, lambda: None
    assert helper.begin(lambda: found.append(1))
    helper.end()
    assert not found


def test_who_finds_no_helper_computes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that computes while another has all helpers does not wait for them."""
    monkeypatch.setenv(OURS, "2")
    (helper,) = helpers(1)
    wait, begun = threading.Event(), threading.Event()

    def task() -> None:
        begun.set()
        wait.wait(10)

    assert helper.begin(task)
    assert begun.wait(10)
    found: set[int] = set()
    spread(lambda part: found.add(threading.get_ident()), range(20), 2**30)
    wait.set()
    helper.end()
    assert found == {threading.get_ident()}


@pytest.mark.usefixtures("unchosen")
def test_a_program_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within `netc.threads` nothing else counts, on either engine; afterwards it does again."""
    monkeypatch.setenv(OURS, "2")
    network = netc.compile(SMALL)
    x, state = np.zeros((1, 1, 8, 8), np.float32), network.initialize()
    found: list[int] = []
    session = onnxruntime.InferenceSession

    def opened(model: bytes, options: onnxruntime.SessionOptions, **others: object) -> object:
        found.append(options.intra_op_num_threads)
        return session(model, options, **others)

    monkeypatch.setattr("onnxruntime.InferenceSession", opened)
    with netc.threads(3):
        assert workers() == 3
        with netc.threads(1):
            assert workers() == 1
            network.run(x, state, engine="onnxruntime")
        assert workers() == 3
    assert workers() == 2
    assert set(found) == {1}
    with pytest.raises(netc.NetError, match="`threads` must be a positive integer, not `0`"):
        netc.threads(0).__enter__()
    with pytest.raises(netc.NetError, match="`threads` must be at most 1_024, not `2000`"):
        netc.threads(2000).__enter__()


@pytest.mark.parametrize("count", ["2", "5"])
def test_results_do_not_depend_on_threads(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of training yields the same numbers on one thread and on several."""
    program = (
        "INPUT(24x24x3) -> CONV(3x3, 32) -> BN -> RELU -> POOL -> DWCONV(3x3) -> CONV(3x3, 48)"
        " -> TANH -> FC(64) -> RELU -> FC(10)"
    )
    net = netc.compile(program)
    state = net.initialize(0)
    random = np.random.default_rng(0)
    x = random.standard_normal((32, 3, 24, 24)).astype(np.float32)
    target = random.integers(0, 10, 32)
    results = []
    for chosen in ("1", count):
        monkeypatch.setenv(OURS, chosen)
        results.append(net.value_and_grad(x, target, state))
    (value, gradients), (other, others) = results
    np.testing.assert_array_equal(value, other)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, others[name], rtol=0, atol=1e-6, err_msg=name)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child does not wait for threads that only its parent has."""
    monkeypatch.setenv(OURS, "2")
    spread(lambda part: None, range(4), 2**30)
    child = os.fork()
    if not child:
        signal.alarm(20)
        found: list[int] = []
        spread(found.append, range(4), 2**30)
        os._exit(0 if sorted(found) == [0, 1, 2, 3] else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(allowed_cores()) < 2,
    reason="the system binds no threads to cores, or there is one core",
)
def test_threads_keep_off_the_core_of_their_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would wait there while it computes; the caller itself may run anywhere, as before."""
    monkeypatch.setattr(pool, "WORTHWHILE", 1)
    before = os.sched_getaffinity(0)
    found: dict[bool, set[int]] = {}
    meet = threading.Barrier(2, timeout=60)

    def look(_: int) -> None:
        meet.wait()
        found[threading.current_thread() is threading.main_thread()] = os.sched_getaffinity(0)

    try:
        for core in sorted(before):
            os.sched_setaffinity(0, {core})
            with limited(2):
                spread(look, [0, 1], 2)
            assert found == {True: {core}, False: before - {core}}
    finally:
        os.sched_setaffinity(0, before)
    with limited(2):
        spread(look, [0, 1], 2)
    assert found[True] == before
