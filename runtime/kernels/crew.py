"""Threads that help the one that computes, and wait actively for the next task for a short while.

To wake a thread that sleeps takes 30 µs and more on a virtual machine, as long as a small kernel
does; one that waits for a spinlock goes on within 1 µs. Python's own lock lets threads sleep, too:
so no thread asks for it while another is about to use it.
"""

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any

Task = Callable[[], None]

TRIES = 2**17  # to find a task before a helper sleeps: about 1 ms
CACHE_LINE = 64  # bytes


class Helper:
    """A thread that takes one task at a time, of one caller at a time.

    A task that it has not begun by the time the caller waits for it is taken back, so that a
    helper whose core is busy with other processes delays no caller.
    """

    def __init__(self) -> None:
        self._free = threading.Lock()
        self._tasks: deque[Task] = deque()
        self._failure: BaseException | None = None
        self._called, self._done, self._bed = _Signal(), _Signal(), threading.Lock()
        self._bed.acquire()
        self._turning, self._asleep = threading.Lock(), False
        self._core: int | None = None
        self._thread = threading.Thread(target=self._serve, name="netc", daemon=True)
        self._thread.start()

    def begin(self, task: Task) -> bool:
        """Give it a task, to be ended by `end`; False if it serves somebody else."""
        if not self._free.acquire(blocking=False):
            return False
        self._leave_core()
        with self._turning:
            self._tasks.append(task)
            asleep, self._asleep = self._asleep, False
        if asleep:
            self._bed.release()
        else:
            self._called.send()
        return True

    def end(self) -> None:
        """Take the task back, or wait until it is done; raise what it has raised."""
        # An interrupt on the way leaves it taken: then its task may still be running.
        try:
            self._tasks.popleft()
        except IndexError:
            self._done.wait()
        failure, self._failure = self._failure, None
        self._free.release()
        if failure is not None:
            raise failure

    def _serve(self) -> None:
        tell, wait = self._done.send, self._called.wait_shortly
        while True:
            # Between telling and waiting lies nothing: a caller that waits for the one wants
            # Python's lock, which the other lets go of.
            if self._compute():
                tell()
            if not wait():
                self._sleep()

    def _compute(self) -> bool:
        """Do the task, if there is one."""
        try:
            task = self._tasks.popleft()
        except IndexError:
            return False
        try:
            task()
        except BaseException as failure:  # which the caller raises
            self._failure = failure
        return True

    def _sleep(self) -> None:
        """Sleep until there is a task."""
        with self._turning:
            if self._tasks:
                return
            self._asleep = True
        self._bed.acquire()

    def _leave_core(self) -> None:
        """Leave the core that the caller runs on to it, if there are others.

        Linux may wake a thread on the core of the one that wakes it, and leave it waiting there.
        """
        tell, thread = _core_teller(), self._thread.native_id
        if tell is None or thread is None or (core := tell()) == self._core:
            return
        self._core = core
        if others := allowed_cores() - {core}:
            with suppress(OSError):  # a system may forbid it, or take cores away
                os.sched_setaffinity(thread, others)


class _Signal:
    """What one thread sends, and another waits for: a lock that is released by the one.

    It is a `pthread_spin_lock` of POSIX, which is waited for actively and without Python's lock.
    `lfind` tries it a number of times: the comparison that it searches with is
    `pthread_spin_trylock`. Without one there is no short wait, and the long one sleeps.

    Attributes:
        send: Send it; once more, it is still one signal.
        wait: Wait until it is sent.
        wait_shortly: Wait for `TRIES` tries; a false value if it was not sent.
    """

    send: Callable[[], Any]
    wait: Callable[[], Any]
    wait_shortly: Callable[[], Any]

    def __init__(self) -> None:
        waiting = _spinlocks()
        if waiting is None:
            event = threading.Event()
            self.send, self.wait_shortly = event.set, bool
            self.wait = partial(_consume, event)
            return
        self._memory = ctypes.create_string_buffer(2 * CACHE_LINE)  # no other lock shares its line
        start = ctypes.addressof(self._memory)
        lock = ctypes.c_void_p(start + -start % CACHE_LINE)
        prompt = ctypes.PyDLL(None)  # keeps Python's lock, as what takes no time should
        prompt.pthread_spin_init(lock, 0)
        prompt.pthread_spin_lock(lock)
        tries, attempt = ctypes.c_size_t(TRIES), waiting.pthread_spin_trylock
        self.send = partial(prompt.pthread_spin_unlock, lock)
        self.wait = partial(waiting.pthread_spin_lock, lock)
        self.wait_shortly = partial(waiting.lfind, lock, lock, ctypes.byref(tries), 0, attempt)


def _consume(event: threading.Event) -> None:
    event.wait()
    event.clear()


@cache
def _spinlocks() -> ctypes.CDLL | None:
    """The system's library, if it has what a signal needs."""
    if os.name != "posix":
        return None
    library = ctypes.CDLL(None)  # its functions are called without Python's lock
    needed = ("pthread_spin_lock", "pthread_spin_trylock", "lfind")
    if not all(hasattr(library, name) for name in needed):
        return None
    library.lfind.restype = ctypes.c_void_p
    return library


@cache
def allowed_cores() -> frozenset[int]:
    """The cores that the system lets this process use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return frozenset(affinity(0) if affinity else range(os.cpu_count() or 1))


@cache
def _core_teller() -> Callable[[], int] | None:
    """Linux's function that returns the core that a thread runs on; None elsewhere."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    found: Callable[[], int] | None = getattr(ctypes.CDLL(None), "sched_getcpu", None)
    return found


_crew: list[Helper] = []


def helpers(count: int) -> list[Helper]:
    """The first `count` helpers."""
    while len(_crew) < count:
        _crew.append(Helper())
    return _crew[:count]


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_crew.clear)
