"""A word or a truth value where its keyword or `yes` is missing is answered with both."""

import pytest
from support.refusals import failure_of

import netc


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("INPUT(20, {})", ("int64", "dtype=int64")),
        ("INPUT(8x8, {}) -> FC(2)", ("float64", "dtype=float64")),
        ("INPUT(8x8) -> CONV(3x3, 8, {}) -> FC(2)", ("he", "init=he")),
        ("INPUT(8x8) -> CONV(3x3, 8, {}) -> FC(2)", ("valid", "pad=valid")),
        ("INPUT(8x8) -> CONV(3x3, 8, {}) -> FC(2)", ("frozen", "frozen=yes")),
        ("INPUT(8x8, sequence) -> ATTENTION(4, {}) -> FC(2)", ("causal", "causal=yes")),
        ("INPUT(8x8) -> REDUCE(sum, {})", ("height", "axis=height")),
        ("INPUT(8x8) -> FC(2, {})", ("bias=0", "bias=no")),
        ("INPUT(8x8) -> BN(affine=1{})", ("", "affine=yes")),
        ("INPUT(8) -> FC(2)\ntrain {{ regularize = l2(0.1, {}) }}", ("biases=True", "biases=yes")),
        ("INPUT(8) -> FC(2)\ntrain {{ loss = mse({}) }}", ("half", "half=yes")),
        ("INPUT(8) -> FC(2)\ntrain {{ schedule = cosine({}) }}", ("epoch", "per=epoch")),
        (
            "INPUT(8) -> FC(2)\ntrain {{ optimizer = sgd(0.1, 0.9, {}) }}",
            ("nesterov=True", "nesterov=yes"),
        ),
    ],
)
def test_the_help_spells_the_keyword(written: str, meant: tuple[str, str]) -> None:
    """The help holds the argument as it is written here, and following it compiles."""
    wrong, right = meant
    assert right in (failure_of(netc.compile, written.format(wrong)).diagnostics[0].help or "")
    netc.compile(written.replace("=1{}", "={}").format(right.removeprefix("affine=")))


def test_a_word_that_no_argument_knows_is_a_name() -> None:
    """It is taken for a number that is not given yet."""
    refused = failure_of(netc.compile, "INPUT(8x8) -> CONV(3x3, n) -> FC(2)")
    assert refused.diagnostics[0].code == "E101"
