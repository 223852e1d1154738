"""What the curves of a run say, as a kind, a sentence and advice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..run_folder.json_files import for_json

FindingKind = Literal[
    "constant",
    "diverged",
    "oscillating",
    "overfitting",
    "high_variance",
    "not_learning",
    "underfitting",
    "uncertain",
    "plateau",
    "improving",
    "fine",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the curves say.

    Attributes:
        kind: What it is.
        message: What is seen, with its numbers.
        advice: What to try, or nothing.
        since: The epoch from which on it is seen, where there is one.
        numbers: What it rests on, by name.
    """

    kind: FindingKind
    message: str
    advice: str
    since: int | None
    numbers: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.message}; {self.advice}" if self.advice else self.message

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON; numbers that are not finite are texts."""
        numbers = {name: for_json(number) for name, number in self.numbers.items()}
        own = {"kind": self.kind, "message": self.message, "advice": self.advice}
        return {**own, "since": self.since, "numbers": numbers}


def said(number: float) -> str:
    """A loss as the sentences write it."""
    return f"{float(number):.4g}"
