"""`inline Block(...)`: a call that opens no scope."""

import pytest
from support.refusals import failure_of

import netc

STEM = """\
block Stem(c) {
  let twice = 2 * c
  x = in -> CONV(3x3, c) as conv1
  x -> BN as bn1 -> RELU -> CONV(3x3, twice)
}
"""
WRITTEN = "x = INPUT(8x8x3) -> CONV(3x3, 4) as conv1\nx -> BN as bn1 -> RELU -> CONV(3x3, 8)"


def weights(program: str) -> list[str]:
    """The names of a program's weights."""
    return [path for path in netc.compile(program).graph.parameters if path.endswith("weight")]


# a chain with inline calls, the names of its weights
NAMES = [
    ("inline Stem(4) -> FC", ["conv1", "bn1", "conv2", "fc1"]),
    ("CONV(4) as c -> inline Stem(4) -> CONV(4)", ["c", "conv1", "bn1", "conv2", "conv3"]),
    ("inline Stem(4) as s -> FC(s.channels)", ["conv1", "bn1", "conv2", "fc1"]),
    ("[inline Stem(4)]*1 -> FC", ["conv1", "bn1", "conv2", "fc1"]),
    ("[inline Stem(4)]*2 as r", [f"r.{i}.{n}" for i in (0, 1) for n in ("conv1", "bn1", "conv2")]),
    ("for i in [3] { inline Stem(i) } as s{i}", ["s3.conv1", "s3.bn1", "s3.conv2"]),
    ("Body -> FC", ["body1.conv1", "body1.bn1", "body1.conv2", "body1.conv3", "fc1"]),
    ("inline Body -> FC", ["conv1", "bn1", "conv2", "conv3", "fc1"]),
    ("inline Bare -> CONV(2) -> inline Bare", ["conv1", "conv2", "conv3"]),
    ("( inline Stem(4) | CONV(8) ) -> ADD", ["conv1", "bn1", "conv2", "conv3"]),
]


@pytest.mark.parametrize(("chain", "names"), NAMES)
def test_names(chain: str, names: list[str]) -> None:
    """Labels, values and automatic names are those of the place of the call."""
    blocks = STEM + "block Body { inline Stem(4) -> CONV(2) }\nblock Bare { CONV(2) }\n"
    assert weights(f"{blocks}INPUT(8x8x3) -> {chain}") == [f"{name}.weight" for name in names]


def test_it_is_what_is_written_there() -> None:
    """A network with the call has the layers, types and weights of one with the block's body."""
    called = netc.compile(f"{STEM}INPUT(8x8x3) -> inline Stem(4) -> FC(2)")
    written = netc.compile(f"{WRITTEN} -> FC(2)")
    assert list(called.graph.layers) == list(written.graph.layers)
    assert called.params == written.params
    assert called.macs == written.macs


def test_the_calls_words_hold() -> None:
    """`frozen` freezes the layers of the block, and a block around shares them."""
    netc.compile(
        f"{STEM}INPUT(8x8x3) -> inline Stem(4, frozen=yes) -> FC(2)\n"
        "assert trainable == 2 * 8 * 8 * 8 + 2"
    )
    net = netc.compile(
        f"{STEM}block Tower {{ inline Stem(3) }}\n"
        "x = INPUT(8x8x3)\nl = x -> Tower as a\nr = x -> Tower(share=a)\n( l | r ) -> ADD"
    )
    assert all(path.startswith("a.") for path in net.graph.parameters)


def test_defaults_and_names_of_the_blocks_file() -> None:
    """The block's defaults hold in it, and the caller's parameters are not seen."""
    blocks = "block A { CONV(k) }\nblock B(k) { inline A }\nlet k = 3\ndefault CONV(bias=no)\n"
    net = netc.compile(f"{blocks}INPUT(8x8x3) -> B(5) as b")
    assert [(p, v.shape[0]) for p, v in net.graph.parameters.items()] == [
        *(("b.conv1.weight", 3), ("b.conv1.bias", 3))
    ]


# a chain, a code, what is said, and the help
REFUSED = [
    ("inline RELU", "E101", "`inline` takes a block, and `RELU` is a layer", "write `RELU`"),
    ("inline CONV(3)", "E101", "and `CONV` is a layer", "write `CONV(3)`"),
    ("ID as v -> inline v", "E101", "`inline` takes a block, and `v` is a value", "write `v`"),
    ("inline Stam(3)", "E101", "unknown layer or value `Stam`", "did you mean `Stem`?"),
    ("inline Stem(3, share=x)", "E117", "has no scope for shared weights", "leave out `inline`"),
    ("inline Stem(3) -> inline Stem(3)", "E112", "`conv1` is given twice", "without `inline`"),
    ("CONV(3) -> inline Stem(3)", "E112", "`conv1` is given twice", "automatic one"),
    ("[inline Stem(3)]*2", "E112", "`conv1` is given twice", "label the repetition"),
    ("inline Again", "E116", "a block cannot call itself: Again -> Again", "repeat a chain"),
]


@pytest.mark.parametrize(("chain", "code", "message", "help"), REFUSED)
def test_refused(chain: str, code: str, message: str, help: str) -> None:
    """What is no block, shared weights, and names that are there already."""
    caught = failure_of(
        netc.compile, f"{STEM}block Again {{ inline Again }}\nINPUT(8x8x3) -> {chain}"
    )
    first = caught.diagnostics[0]
    assert first.code == code
    assert message in first.message
    assert help in (first.help or "")
