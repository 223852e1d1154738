"""How much memory this process has, in MiB, where the system says so: Linux."""

from contextlib import suppress

MEBI = 2**10  # KiB


def resident() -> float | None:
    """What is resident now."""
    return _status("VmRSS")


def peak() -> float | None:
    """The most that was resident since `reset_peak`."""
    return _status("VmHWM")


def reset_peak() -> None:
    """Count the peak from now on, where the system lets us."""
    with suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _status(name: str) -> float | None:
    with suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name):
                return int(line.split()[1]) / MEBI
    return None
