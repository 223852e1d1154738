"""Patterns of weights' names -> what learning rates and weight decays are multiplied by."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from ...grammar.diagnostics import Diagnostic, NetError, did_you_mean, error
from ...grammar.source import Span

Factors = Mapping[str, float]  # by pattern
WEIGHTS = "weights"  # what decays, without biases and the scales and shifts of normalizations


def factor_of(name: str, factors: Factors) -> float:
    """The factor of a weight: that of the last pattern that fits it, and 1 where none does."""
    found = [factor for pattern, factor in factors.items() if fits(pattern, name)]
    return found[-1] if found else 1.0


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern stands for a weight: for its name, or for a layer or block that has it."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def check_patterns(
    factors: Factors,
    names: Sequence[str],
    place: Callable[[str], Span | None] = lambda pattern: None,
) -> None:
    """Refuse patterns that fit no weight.

    Args:
        factors: By pattern.
        names: The weights.
        place: Where a pattern is written.

    Raises:
        NetError: E563, with a diagnostic for each.
    """
    findings: list[Diagnostic] = []
    for pattern in factors:
        if not any(fits(pattern, name) for name in names):
            near = did_you_mean(pattern, [*names, *_scopes(names)])
            help = near or (
                f"a label or a pattern such as `{names[0]}` or `*` does" if names else None
            )
            message = f"the pattern `{pattern}` matches no weight"
            findings += error("E563", message, place(pattern), help=help).diagnostics
    if findings:
        raise NetError(findings)


def _scopes(names: Sequence[str]) -> list[str]:
    """The layers and blocks that have weights."""
    parts = (name.split(".") for name in names)
    return list(dict.fromkeys(".".join(p[:n]) for p in parts for n in range(1, len(p))))
