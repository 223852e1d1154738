"""Where a call is refused, its help is a fix: the program that follows it compiles."""

import re
from time import monotonic

import pytest
from support.advice import followed
from support.refusals import failure_of

import netc

# The error, a program, and how many fixes its help spells.
REFUSED = [
    # Branches of other channels.
    ("E202", "INPUT(8x8x3) -> ( CONV(3x3, 8) | CONV(1x1, 16) ) -> ADD", 1),
    ("E202", "INPUT(8x8x3) -> ( CONV(8) | CONV(8) | CONV(5) ) -> MUL", 1),
    ("E202", "INPUT(8x8x3) -> ( CONV(8) | CONV(6) | CONV(5) ) -> MEAN", 1),
    ("E202", "INPUT(4x4x4x2) -> ( CONV(3x3x3, 4) | ID ) -> ADD", 1),
    ("E202", "INPUT((H, W, 3)) -> ( CONV(8) | ID ) -> ADD", 1),
    ("E202", "INPUT(8) -> ( FC(4) | FC(5) ) -> SUB", 1),
    ("E202", "INPUT(6x4, sequence) -> ( LINEAR(5) | ID ) -> SUB", 1),
    ("E202", "INPUT(8x8x3) -> ( CONV(8) | CONV(5) ) -> CONCAT(axis=height)", 2),
    # Of other sizes: by whole factors, along other axes, by a little, by any ratio.
    ("E202", "INPUT(8x8x3) -> ( CONV(8) | CONV(8, stride=2) ) -> ADD", 2),
    ("E202", "INPUT(8x8x3) -> ( POOL | ID ) -> MUL", 2),
    ("E202", "INPUT(8x8x3) -> ( CONV(8, stride=2) | ID ) -> ADD", 1),
    ("E202", "INPUT(8x8x3) -> ( ID | CONV(8, stride=2) ) -> MAX", 1),
    ("E202", "INPUT(8x8x3) -> ( ID | POOL(2x4) ) -> MEAN", 2),
    ("E202", "INPUT(8x8x3) -> ( POOL(2x1) | POOL(1x2) ) -> DOT", 1),
    ("E202", "INPUT(8x8x3) -> ( CONV(2x1, 5, pad=valid) | CONV(1x2, 5, pad=valid) ) -> MUL", 1),
    ("E202", "INPUT(8x8x3) -> ( ID | CONV(2x2, 3, pad=valid) ) -> ADD", 1),
    ("E202", "INPUT(8x8x3) -> ( ID | CONV(2x2, 5, pad=valid) ) -> ADD", 1),
    ("E202", "INPUT(7x7x3) -> ( ID | POOL(2x2) ) -> ADD", 1),
    ("E202", "INPUT((H, W, 3)) -> ( ID | CONV(3x3, 3, pad=valid) ) -> ADD", 1),
    ("E202", "INPUT((H, W, 3)) -> ( ID | CONV(2x2, 3, pad=valid) ) -> ADD", 1),
    ("E202", "INPUT((H, W, 3)) -> ( ID | CONV(8, stride=2) ) -> ADD", 1),
    ("E202", "INPUT((L, 3), sequence) -> ( ID | CONV(kernel=2, filters=3, pad=0) ) -> ADD", 1),
    ("E202", "INPUT(6x4, sequence) -> ( ID | POOL(kernel=2) ) -> ADD", 2),
    ("E202", "INPUT(6x4, sequence) -> ( ID | CONV(kernel=3, filters=5, stride=2) ) -> ADD", 1),
    ("E202", "INPUT(7x4, sequence) -> ( ID | CONV(kernel=3, filters=4, pad=0) ) -> ADD", 1),
    # Side by side: along the axis on which they differ, or resized.
    ("E202", "INPUT(8x8x3) -> ( CONV(8) | POOL ) -> CONCAT", 2),
    ("E202", "INPUT(8x8x3) -> ( ID | POOL(1x2) ) -> CONCAT", 2),
    ("E202", "INPUT(6x4, sequence) -> ( ID | POOL(kernel=2) ) -> CONCAT", 2),
    # Of other ranks.
    ("E202", "INPUT(4x5x3) -> ( ID | RESHAPE(20x3) ) -> MEAN", 1),
    ("E202", "INPUT(4x5x3) -> ( ID | RESHAPE(12x5) ) -> ADD", 1),
    ("E202", "INPUT(4x5x3) -> ( ID | RESHAPE(2x2x5x3) ) -> ADD", 1),
    ("E202", "INPUT(4x5x3) -> ( ID | GAP -> FC(5) ) -> MUL", 1),
    ("E202", "INPUT(4x5x3) -> ( GAP -> FC(5) | ID ) -> MUL", 1),
    ("E202", "INPUT(6x4, sequence) -> ( ID | FC(5) ) -> ADD", 1),
    # Of other element types.
    ("E202", 'INPUT(3) -> ( ID | op("Cast", to="float64") ) -> MUL', 1),
    ("E202", 'INPUT(3) -> ( ID | op("Cast", to="float64") -> FC(5) ) -> MUL', 1),
    ("E202", "INPUT(7, dtype=int64) -> ( ID | ID ) -> ADD", 1),
    ("E202", "INPUT(7, dtype=int64) -> ( EMBED(9, 4) | ID ) -> ADD", 1),
    # More branches than two.
    ("E202", "INPUT(5) -> ( ID | ID | ID ) -> SUB", 1),
    ("E202", "INPUT(8x8x3) -> ( ID | POOL | ID ) -> SUB", 1),
    ("E202", "INPUT(5) -> ( ID | ID | FC(4) | ID ) -> DOT", 1),
    ("E202", "INPUT(6x4, sequence) -> ( ID | ID | POOL(kernel=2) ) -> ATTENTION(2)", 1),
    # Vectors where positions are needed, single numbers, whole numbers, open extents.
    ("E201", "INPUT(784) -> CONV(3x3, 8)", 2),
    ("E201", "INPUT(3072) -> POOL", 2),
    ("E201", "INPUT(8) -> UPSAMPLE -> FC", 1),
    ("E201", "INPUT(100) -> UPCONV(4x4, 8)", 1),
    ("E201", "INPUT(7) -> CONV(kernel=3, filters=8)", 1),
    ("E201", "INPUT(7) -> conv3-8", 1),
    ("E201", "INPUT -> FC -> GAP -> FC", 1),
    ("E201", "INPUT(5) -> SLICE(0) -> SOFTMAX", 2),
    ("E201", "INPUT(5) -> SLICE(0) -> LN", 1),
    ("E201", "INPUT(7, dtype=int64) -> FC(3)", 2),
    ("E201", "INPUT(7, dtype=int64) -> RELU", 2),
    ("E201", "INPUT(7x5x3, dtype=int64) -> CONV(3x3, 3)", 1),
    ("E201", "INPUT((H, W, 3)) -> FC(3)", 1),
    ("E201", "INPUT -> POOL as p -> CONV(3x3, 8) -> UNPOOL(p)", 1),
    ("E201", "INPUT -> POOL as p -> POOL -> UNPOOL(p)", 1),
    ("E201", "INPUT(8) -> RESHAPE(1x2x1x2x2)", 1),
    ("E201", "INPUT(2x3x8x8x3) -> FC", 1),
    # Windows that are too large.
    ("E203", "INPUT(8x8x1) -> CONV(9x9, 4, pad=valid) -> FC", 2),
    ("E203", "INPUT(8x4, sequence) -> POOL(kernel=9)", 2),
    ("E203", "INPUT(8x8x1) -> POOL(9x3)", 2),
    ("E203", "INPUT(1x1x8) -> POOL", 1),
    # Groups that do not divide.
    ("E204", "INPUT(8x8x6) -> CHANNELSHUFFLE(4) -> FC", 2),
    ("E204", "INPUT -> CONV(3x3, 8, groups=2) -> FC", 2),
    ("E204", "INPUT(8x8x4) -> CONV(3x3, 6, groups=4) -> FC", 1),
    ("E204", "INPUT -> CONV(3x3, 48) -> GN -> FC", 2),
    ("E204", "INPUT(6x4, sequence) -> ATTENTION(3)", 2),
    ("E204", "INPUT(8x8x6) -> PIXELSHUFFLE(2) -> FC", 1),
    ("E204", "INPUT(6x4x3) -> SPLIT(2) -> ADD", 2),
    # Arguments that are given twice, too many, or out of range.
    ("E106", "INPUT -> CONV(3x3, 8, kernel=5) -> FC", 1),
    ("E106", "INPUT -> AVGPOOL(max) -> FC", 1),
    ("E103", "INPUT(14x14x8) -> RESHAPE(196x9)", 1),
    ("E103", "INPUT(14x14x8) -> RESHAPE(13x14x8)", 1),
    ("E103", "INPUT(6x4x3) -> RESHAPE(70)", 1),
    ("E103", "INPUT(6x4x3) -> CROP(7x4)", 1),
    ("E103", "INPUT(6x4x3) -> SLICE(-1, 1, axis=height)", 1),
    ("E103", "INPUT -> CONV(3x3, 8, stride=0) -> FC", 1),
    ("E103", "INPUT -> FC(-3)", 1),
    ("E103", "INPUT -> UPCONV(3x3, 8, output_pad=2) -> FC", 1),
    ("E103", "INPUT -> UPCONV(3x3, 8, pad=same, output_pad=1) -> FC", 1),
    ("E103", "INPUT(2x8x3) -> UPCONV(2x2, 8, pad=2x1) -> FC", 1),
    ("E103", "INPUT(8x8x3) -> WINDOW(4) -> UNWINDOW(2)", 1),
    ("E103", "INPUT -> BN(affine=no, weight=2) -> FC", 1),
    ("E101", "INPUT(9x9x3) as picture -> CROP(pictur)", 0),
    ("E117", "INPUT(8) -> FC(4) as a -> FC(4, share=a) -> FC", 1),
    # Within blocks and repetitions, with names in arguments.
    ("E204", "let c = 6\nINPUT(8x8x8) -> CONV(3x3, c, groups=c // 2) -> FC", 2),
    (
        "E202",
        "block B(c) { ( CONV(3x3, c) | CONV(1x1, 4) ) -> ADD }\nINPUT(8x8x8) -> B(6) -> FC",
        1,
    ),
    (
        "E202",
        "block Res(c, s) { ( CONV(3x3, c, stride=s) | ID ) -> ADD }\n"
        "INPUT(8x8x8) -> Res(8, 1) -> Res(16, 2) -> Res(24, 1) -> FC",
        1,
    ),
    ("E202", "INPUT(8x8x8) -> for c in [8, 12, 16] { ( CONV(3x3, c) | ID ) -> ADD } -> FC", 1),
    ("E105", "INPUT(6x4x6) -> SPLIT -> ADD", 1),
    ("E105", "block B(c) { CONV(3x3, c) }\nINPUT(8x8x8) -> B -> FC", 1),
    ("E104", "block B(c) { CONV(3x3, c) }\nINPUT(8x8x8) -> B(4, 5) -> FC", 1),
    ("E203", "INPUT(8x8x1) -> [CONV(3x3, 4, pad=valid)]*4 -> FC", 2),
]


@pytest.mark.parametrize(("code", "program", "fixes"), REFUSED, ids=[p for _, p, _ in REFUSED])
def test_each_fix_compiles(code: str, program: str, fixes: int) -> None:
    """Every fix that the help spells, put where it says, makes the program compile."""
    found = failure_of(netc.compile, program).diagnostics[0]
    assert found.code == code
    mended = followed(program, found)
    assert len(mended) == fixes, found.help
    for text in mended:
        netc.compile(text)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "INPUT(8x8x3) -> ( CONV(3x3, 8) | CONV(1x1, 16) ) -> ADD",
            "end branch 2 in `CONV(1x1, 8)`",
        ),
        (
            "INPUT(8x8x3) -> ( ID | CONV(8, stride=2) ) -> ADD",
            "end branch 1 in `CONV(1x1, 8, stride=2)`",
        ),
        (
            "INPUT(8x8x3) -> ( CONV(8) | POOL ) -> CONCAT",
            "end branch 1 in `POOL(2x2)`, or end branch 2 in `UPSAMPLE(2x2)`",
        ),
        ("INPUT(8x8x3) -> ( GAP -> FC(5) | ID ) -> MUL", "end branch 1 in `FC(3)`"),
        (
            "INPUT(8x8x3) -> ( ID | CONV(3x3, 3, pad=valid) ) -> ADD",
            "end branch 1 in `CROP(6x6)`",
        ),
        (
            "INPUT(784) -> CONV(3x3, 8)",
            "write `INPUT(28x28)`, or put `RESHAPE(28x28x1)` before it",
        ),
        (
            "INPUT(8x8x1) -> [POOL]*4 -> FC",
            "repeat at most 3 times, or give the layer a stride of 1",
        ),
        (
            "INPUT(8x8x1) -> [CONV(3x3, 4, pad=valid)]*4",
            "repeat at most 3 times, or write `CONV(2x2, 4, pad=valid)` or "
            "`CONV(3x3, 4, pad=same)`",
        ),
        (
            "INPUT(8x8x1) -> CONV(9x9, 4, pad=valid)",
            "write `CONV(8x8, 4, pad=valid)` or `CONV(9x9, 4, pad=same)`",
        ),
        ("INPUT(9x9x3) as picture -> CROP(pictur)", "did you mean `picture`?"),
    ],
)
def test_the_plainest_way_comes_first(program: str, expected: str) -> None:
    """The whole text of some helps."""
    assert failure_of(netc.compile, program).diagnostics[0].help == expected


@pytest.mark.parametrize(
    "program",
    [
        "INPUT((H, W, 3)) -> ( ID | UPSAMPLE -> PAD(1) ) -> ADD",
        "INPUT(8x8x3) -> CONV(3x3, 8, stride=fast)",
        "INPUT(0)",
        "INPUT((L,)) -> CONV",
    ],
)
def test_no_way_is_offered_where_none_is_known(program: str) -> None:
    """No step makes open extents agree for sure; no number is near a word."""
    help = failure_of(netc.compile, program).diagnostics[0].help or ""
    assert not re.search("end branch|write `(CONV|INPUT)`|in place of names", help)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("frozen=3", "E103"),
        ("frozen=maybe", "E103"),
        ("frozen=[1]", "E103"),
        ("share=7", "E103"),
        ("frozen=yes, frozen=no", "E106"),
        ("share=a, share=a", "E106"),
    ],
)
def test_what_a_block_and_its_layers_have_in_common_is_checked(given: str, code: str) -> None:
    """`frozen` and `share` of a block are of the kinds that those of a layer are."""
    refused = failure_of(netc.compile, f"block B {{ FC(8) }}\nINPUT(8) -> B as a -> B({given})")
    assert refused.diagnostics[0].code == code


def test_trials_leave_the_program_as_it_is() -> None:
    """Names, warnings and errors of a program are those without the fixes that were tried."""
    program = "INPUT(8x8x3) as x -> CONV(3x3, 8) as y\n( x | y ) -> ADD\nx -> CONV(3x3, 6) as z"
    refused = failure_of(netc.compile, f"{program}\n( x | z ) -> MUL")
    assert [d.code for d in refused.diagnostics] == ["E202", "E202"]
    assert {d.help for d in refused.diagnostics} == {"end branch 2 in `CONV(1x1, 3)`"}


def test_advice_takes_a_bounded_time() -> None:
    """Hundreds of branches, and hundreds of errors, are answered at once."""
    branches = " | ".join(
        f"x -> CONV(3x3, {i + 1}) -> POOL({i % 5 + 1}x{i % 7 + 1})" for i in range(99)
    )
    errors = "\n".join("( x | x -> POOL(7x9) | x -> FC(3) -> FC(4) ) -> ADD" for _ in range(99))
    start = monotonic()
    for text in (f"( {branches} ) -> ADD", errors):
        with pytest.raises(netc.NetError):
            netc.compile(f"INPUT(97x89x3) as x\n{text}")
    assert monotonic() - start < 10
