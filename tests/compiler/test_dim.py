"""Symbolic extents: canonical form, equality, substitution."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netc.compiler.ir.dim import BATCH, Dim, equal, is_unknown, substitute, symbol, unknown
from netc.compiler.ir.types import broadcast

H = symbol("H")
W = symbol("W")


@pytest.mark.parametrize(
    ("extent", "text"),
    [
        (H + 1, "H + 1"),
        (2 * H - H, "H"),
        (H * W + W * H, "2*H*W"),
        ((H + 3) // 2, "(H + 1)//2 + 1"),
        (((H // 2) // 2), "H//4"),
        ((((H + 1) // 2) + 1) // 2, "(H + 3)//4"),
        ((4 * H + 6) // 2, "2*H + 3"),
        (2 * (H // 2) + 1, "2*(H//2) + 1"),
        ((H // 2) * ((W + 1) // 2), "((W + 1)//2)*(H//2)"),
        (5 - H, "-H + 5"),
    ],
)
def test_canonical_form(extent: Dim, text: str) -> None:
    """Equal extents are spelled alike, whatever way they were computed."""
    assert str(extent) == text


def test_what_cancels_is_an_integer() -> None:
    """A difference of equal extents is the integer 0."""
    assert (H + W) - (W + H) == 0
    assert isinstance((H + 2) - H, int)


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (3, 3, True),
        (3, 4, False),
        (H + 1, 1 + H, True),
        (H, W, None),
        (H + 1, H, False),
        (H + 1, 0, False),
        (BATCH, 1, None),
        (2 * H, H, None),
        (4 * H, 8, None),
        (4 * H, 6, False),
        (6 * H + 4 * W, 3, False),
        (6 * H + 4 * W, 8, None),
        (48 * BATCH, 8, False),
    ],
)
def test_equality_is_yes_no_or_unknown(a: Dim, b: Dim, verdict: bool | None) -> None:
    """Extents are never negative, and only what that decides is decided."""
    assert equal(a, b) is verdict


@given(
    st.integers(0, 500),
    st.integers(1, 9),
    st.integers(-20, 20),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_floor_division_commutes_with_substitution(h: int, a: int, c: int, k: int, m: int) -> None:
    """floor(floor((a H + c) / k) / m) is the same whether H is known before or after."""
    assert substitute((a * H + c) // k // m, {"H": h}) == (a * h + c) // k // m


def test_substitution_keeps_what_is_unknown() -> None:
    """Symbols without a value stay."""
    assert substitute(H * W + 1, {"H": 2}) == 2 * W + 1


def test_unknown_extents() -> None:
    """An extent that nothing is known of equals itself only, and nothing else is ruled out."""
    one, other = unknown(), unknown()
    assert str(one) == str(other) == "?"
    assert str(2 * one + 1) == "2*? + 1"
    assert (equal(one, one), equal(one, other), equal(one, 5), equal(one, H)) == (
        *(True, None, None, None),
    )
    assert equal(one + 1, 0) is False
    assert one != other
    assert substitute(one + H, {"H": 2, "?": 9}) == one + 2
    assert substitute((one + 1) // 2 * H, {"H": 2}, others=5) == 10
    assert is_unknown((one + 1) // 2)
    assert one // 2 != other // 2
    assert (2 * one + 1) // 2 == one
    assert not any(map(is_unknown, (5, H, H // 2)))


def test_unknown_extents_broadcast() -> None:
    """Broadcasting takes what is known, and leaves open what is not."""
    one, other = unknown(), unknown()
    assert broadcast([(one, 1, 5), (4, one, one)]) == (4, one, 5)
    assert broadcast([(one,), (H,)]) == broadcast([(H,), (one,)]) == (H,)
    (both,) = broadcast([(one,), (other,)])
    assert is_unknown(both)
    assert both not in (one, other)
