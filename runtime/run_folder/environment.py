"""What the last bits of a run depend on: engine, versions, BLAS, processor and threads."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...grammar.diagnostics import Diagnostic
from ..engines.session import version
from ..kernels.workers import OF_BLAS, chosen_workers, workers


def environment(engine: str, ranks: int = 1) -> dict[str, str]:
    """What the last bits of a run depend on, by name.

    Raises:
        NetError: E502, the engine onnxruntime is not installed.
    """
    build: Any = np.show_config(mode="dicts")
    found = {
        "engine": engine,
        "numpy": np.__version__,
        "BLAS": _blas(build),
        "BLAS kernels": os.environ.get("OPENBLAS_CORETYPE", ""),
        "instructions": (build.get("SIMD Extensions", {}).get("found") or [""])[-1],
        "threads": _threads(),
    }
    if engine == "onnxruntime":
        found["onnxruntime"] = version()
    if ranks > 1:
        found["ranks"] = str(ranks)
    return found


def _blas(build: Mapping[str, Any]) -> str:
    blas = build.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', '')} {blas.get('version', '')}".strip()


def _threads() -> str:
    """Ours, or those of BLAS where they are the only ones that somebody chose."""
    of_blas = next((os.environ[name] for name in OF_BLAS if os.environ.get(name)), None)
    return str(workers()) if chosen_workers() or of_blas is None else of_blas


def compare(saved: Mapping[str, str], now: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """A warning where two environments differ: W502."""
    notes = [
        f"{name}: {_value_of(saved, name)} then, {_value_of(now, name)} now"
        for name in dict.fromkeys([*saved, *now])
        if saved.get(name) != now.get(name)
    ]
    if not notes:
        return ()
    return (
        Diagnostic(
            "W502",
            "the run continues elsewhere than it began: its last bits may differ from those of an"
            " unbroken one",
            notes=tuple(notes),
        ),
    )


def _value_of(environment: Mapping[str, str], name: str) -> str:
    """What an environment says; one rank, where it says none."""
    return environment.get(name) or ("1" if name == "ranks" else "none")
