"""Names that an error kept a program from giving are not told as unknown; others are."""

import time

import pytest
from support.refusals import failure_of

import netc

BROKEN = "INPUT(8x8x4) as x\n"


@pytest.mark.parametrize(
    "lines",
    [
        "for i in range(3) { x -> CONV(3x3, 0) as p{i} }\np1 -> FC(2)",
        "for i in range(3) { p{i} = x -> CONV(3x3, 0) }\n( p0 | p2 ) -> ADD",
        "for i in range(3) { p{i} = x -> SPLIT(2) }\np0 -> FC(2)",
        "for i in wrong { x -> FC(2) as p{i} }\np0 -> FC(2)",
        "x -> [FC(0)]*3 as p\np.1 -> FC(2)",
        "x -> if wrong > 1 { FC(2) as p }\np -> FC(2)",
        "x -> FC(0) as p\nx -> RESIZE(like=p)\nx -> FC(p.channels)\nx -> FC(4, share=p)",
        "block B(n) { FC(n) as q }\nx -> B(m=3) as b\nb.q -> FC(2)",
    ],
)
def test_one_error_is_told_once(lines: str) -> None:
    """What reads the names is not blamed for the error before."""
    assert len(failure_of(netc.compile, BROKEN + lines).diagnostics) == 1


@pytest.mark.parametrize("name", ["q1", "p", "x2"])
def test_other_names_are_unknown(name: str) -> None:
    """An error excuses the names alone that it took along."""
    caught = failure_of(
        netc.compile, f"{BROKEN}for i in range(3) {{ x -> FC(0) as p{{i}}_a }}\n{name} -> FC(2)"
    )
    assert [found.code for found in caught.diagnostics] == ["E103", "E101"]


def test_many_lost_names_take_no_time() -> None:
    """Long labels with many holes are compared with long names at once."""
    label, name = "a" + "{0}" * 60 + "b", "a" + "0" * 900 + "c"
    start = time.perf_counter()
    with pytest.raises(netc.NetError):
        netc.compile(f"{BROKEN}for i in range(2) {{ x -> FC(0) as {label} }}\n{name} -> FC(2)")
    assert time.perf_counter() - start < 5
