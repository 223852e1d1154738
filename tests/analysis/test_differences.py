"""What changed between two networks: what is found, and the words for it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from support.network_rows import marked_specs

import netc
from netc.comparison.report import Diff


def diff(before: str, after: str) -> Diff:
    """What changed between two programs."""
    return netc.diff(netc.compile(before), netc.compile(after))


CHANGES = {
    "an inserted layer": (
        "INPUT(8) -> FC(4) -> RELU -> FC(2)",
        "INPUT(8) -> FC(4) -> RELU -> DROPOUT -> FC(2)",
        ["added  `dropout1`: DROPOUT(0.5) after `relu1`"],
    ),
    "a removed layer": (
        "INPUT(8) -> FC(4) -> RELU -> FC(2)",
        "INPUT(8) -> RELU -> FC(2)",
        [
            "removed  `fc1`: FC(4) after `input`, 36 parameters",
            "follows  `relu1`: output 4 -> 8",
            "follows  `fc2` -> `fc1`: parameters 10 -> 18",
        ],
    ),
    "an argument that was not given": (
        "INPUT -> CONV -> GAP -> FC",
        "INPUT -> CONV(bias=no, stride=2) -> GAP -> FC",
        [
            "changed  `conv1`: stride 1 -> 2; bias yes -> no; output 32x32x32 -> 16x16x32; "
            "parameters 896 -> 864"
        ],
    ),
    "an argument that a default filled in, spelled out": (
        "INPUT -> CONV -> GAP -> FC(10)",
        "INPUT(32x32x3) -> CONV(3x3, 32, stride=1x1) -> GAP -> FC(10)",
        ["no difference"],
    ),
    "a label": (
        "INPUT(8) -> FC(4) as a -> RELU -> FC(2)",
        "INPUT(8) -> FC(4) as b -> RELU -> FC(2)",
        ["renamed  `a` -> `b`"],
    ),
    "the label of a scope": (
        "INPUT(8) -> [FC(4) -> RELU]*3 as a -> FC(2)",
        "INPUT(8) -> [FC(4) -> RELU]*3 as b -> FC(2)",
        ["renamed  `a` -> `b` (6 layers)"],
    ),
    "layers in front, whose names shift the others": (
        "INPUT(4) -> FC(4) -> RELU -> FC(4) -> RELU -> FC(2)",
        "INPUT(4) -> FC(3) -> RELU -> FC(4) -> RELU -> FC(4) -> RELU -> FC(2)",
        [
            "added    `fc1`: FC(3) after `input`, 15 parameters",
            "added    `relu1`: RELU after `fc1`",
            "follows  `fc1` -> `fc2`: parameters 20 -> 16",
            "renamed  4 automatic names shift",
        ],
    ),
    "more turns of a repetition": (
        "INPUT(4) -> [FC(4) -> RELU]*2 as a -> FC(2)",
        "INPUT(4) -> [FC(4) -> RELU]*5 as a -> FC(2)",
        ["added  `a.2` to `a.4`: 3 times 2 layers (FC, RELU), 60 parameters"],
    ),
    "a scope": (
        "INPUT(4) -> FC(4) -> RELU -> FC(2)",
        "block B { FC(4) -> RELU -> FC(4) -> RELU }\nINPUT(4) -> FC(4) -> RELU -> B as b -> FC(2)",
        ["added  `b`: 4 layers (2 FC, 2 RELU), 40 parameters"],
    ),
    "a size, which many layers follow": (
        "INPUT(8x8x3) -> CONV(4) -> BN -> RELU -> POOL -> CONV(8) -> RELU -> GAP -> FC(2)",
        "INPUT(16x16x3) -> CONV(4) -> BN -> RELU -> POOL -> CONV(8) -> RELU -> GAP -> FC(2)",
        [
            "changed  `input`: size 8x8x3 -> 16x16x3; output 8x8x3 -> 16x16x3",
            "follows  `conv1` to `relu1` (3 layers): output 8x8x4 -> 16x16x4",
            "follows  `pool1`: output 4x4x4 -> 8x8x4",
            "follows  `conv2` and `relu2`: output 4x4x8 -> 8x8x8",
        ],
    ),
    "two layers in another order": (
        "INPUT -> CONV(8) -> BN -> RELU -> GAP -> FC",
        "INPUT -> CONV(8) -> RELU -> BN -> GAP -> FC",
        [
            "added    `relu1`: RELU after `conv1`",
            "removed  `relu1`: RELU after `bn1`",
        ],
    ),
    "another activation under a label": (
        "INPUT(8) -> FC(4) -> RELU as act -> FC(2)",
        "INPUT(8) -> FC(4) -> LRELU(0.1) as act -> FC(2)",
        ["changed  `act`: layer RELU -> LRELU(0.1)"],
    ),
    "the same layers, connected otherwise": (
        "INPUT(8) -> FC(8) as a -> RELU as b -> FC(8) as c\n( a | c ) -> ADD -> FC(2)",
        "INPUT(8) -> FC(8) as a -> RELU as b -> FC(8) as c\n( b | c ) -> ADD -> FC(2)",
        ["changed  `add1`: input `a` and `c` -> `b` and `c`"],
    ),
    "a branch": (
        "INPUT(8) -> FC(8) as a -> RELU as b\n( a | b ) -> ADD -> FC(2)",
        "INPUT(8) -> FC(8) as a -> RELU as b\n( a | b -> FC(8) as c ) -> ADD -> FC(2)",
        ["added  `c`: FC(8) after `b`, 72 parameters"],
    ),
    "shared weights": (
        "INPUT(8) -> FC(8) as a -> RELU -> FC(8) as b -> RELU -> FC(2)",
        "INPUT(8) -> FC(8) as a -> RELU -> FC(8, share=a) as b -> RELU -> FC(2)",
        ["changed  `b`: weights own -> of `a`; parameters 72 -> 0"],
    ),
    "frozen weights": (
        "INPUT(8) -> FC(4) -> RELU -> FC(2)",
        "INPUT(8) -> FC(4, frozen=yes) -> RELU -> FC(2)",
        ["changed  `fc1`: frozen no -> yes"],
    ),
    "other literal weights": (
        "INPUT(4) -> FC(2, weight=[[1, 2, 3, 4], [5, 6, 7, 8]]) -> RELU",
        "INPUT(4) -> FC(2, weight=[[1, 2, 3, 4], [5, 6, 7, 9]]) -> RELU",
        ["changed  `fc1`: weight [...] -> [...] with other values"],
    ),
    "the name of an output": (
        "output a = INPUT(8) -> FC(2)",
        "output b = INPUT(8) -> FC(2)",
        ["renamed  output `a` -> `b`"],
    ),
    "a further output": (
        "output a = INPUT(8) -> FC(4) as x -> RELU -> FC(2)",
        "output a = INPUT(8) -> FC(4) as x -> RELU -> FC(2)\noutput x",
        ["added  output `x` of `x`: 4"],
    ),
    "another layer as the output": (
        "INPUT(8) -> FC(8) as x -> RELU as y -> FC(8) as z\noutput o = x -> ID as w\noutput y",
        "INPUT(8) -> FC(8) as x -> RELU as y -> FC(8) as z\noutput o = x -> ID as w\noutput y = z",
        ["changed  output `y`: input `y` -> `z`"],
    ),
}
DIFFERENT = sorted(what for what, (_, _, lines) in CHANGES.items() if lines != ["no difference"])


@pytest.mark.parametrize("what", CHANGES)
def test_changes(what: str) -> None:
    """What changed is said, and nothing else is."""
    before, after, lines = CHANGES[what]
    assert str(diff(before, after)).split("\n\n")[0].splitlines() == lines


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_changes_from_a_network_to_itself(what: str) -> None:
    """Compiled twice, a program gives no difference."""
    for program in CHANGES[what][:2]:
        assert diff(program, program).equal
        assert str(diff(program, program)) == "no difference"


@pytest.mark.parametrize("what", DIFFERENT)
def test_backwards(what: str) -> None:
    """What is added one way is removed the other way, and the counts are swapped."""
    before, after, _ = CHANGES[what]
    there, back = diff(before, after), diff(after, before)
    kinds = [[change.change for change in found.changes] for found in (there, back)]
    assert kinds[0].count("added") == kinds[1].count("removed")
    assert not back.equal
    assert [(t.name, t.after, t.before) for t in there.totals] == [tuple(t) for t in back.totals]


def test_counts() -> None:
    """The table compares layers, parameters and operations, formulas too."""
    found = diff("INPUT((H, W, 3)) -> CONV -> GAP -> FC", "INPUT((H, W, 1)) -> CONV -> GAP -> FC")
    assert str(found).split("\n\n")[1] == (
        "                    before          after  difference\n"
        "layers                   4              4        none\n"
        "parameters           1,226            650        -576\n"
        "MACs         864*H*W + 320  288*H*W + 320    -576*H*W\n"
        "FLOPs       1792*H*W + 650  640*H*W + 650   -1152*H*W"
    )


def test_published() -> None:
    """ResNet-152 has more bottlenecks than ResNet-50 in two stages, and is equal in all else."""
    found = netc.diff(netc.load("zoo:resnet50"), netc.load("zoo:resnet152"))
    assert str(found).split("\n\n")[0].splitlines() == [
        "added  `layer2.4` to `layer2.7`: 4 times 10 layers (3 CONV, 3 BN, 3 RELU, ADD), "
        "1,120,256 parameters",
        "added  `layer3.6` to `layer3.35`: 30 times 10 layers (3 CONV, 3 BN, 3 RELU, ADD), "
        "33,515,520 parameters",
    ]


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "squeezenet1_1", "training/digits_cnn"])
def test_a_model_and_the_program_that_is_written_of_it(name: str, tmp_path: Path) -> None:
    """They differ by nothing but names: branches that do nothing are in no model."""
    path = tmp_path / "m.onnx"
    netc.load(f"zoo:{name}").export(path)
    model = netc.load_onnx(path)
    found = netc.diff(model, netc.compile(model.to_text()))
    assert {change.change for change in found.changes} <= {"same", "renamed"}
    assert all(total.before == total.after for total in found.totals)


def test_branches_that_do_nothing() -> None:
    """What they pass on is read by what reads them, also one behind the other."""
    shortcut = "INPUT(4x4x2) -> ( CONV(2) | {} ) -> ADD -> FC"
    assert diff(shortcut.format("ID"), shortcut.format("ID -> ID")).equal
    found = diff(shortcut.format("ID"), shortcut.format("RELU"))
    assert [change.change for change in found.changes if change.change != "same"] == ["added"]


@pytest.mark.parametrize("name", marked_specs())
def test_shipped_specs(name: str) -> None:
    """A network equals itself, and differs from another one."""
    network = netc.load(f"zoo:{name}")
    assert netc.diff(network, network).equal
    other = netc.diff(network, netc.compile("INPUT -> FC(12_345)"))
    assert not other.equal
    assert other.to_dict()["totals"]["layers"]["after"] == 2
    assert "12345" in str(other)


CLASSIFIER = """<ir_version: 8, opset_import: ["" : 17]>
g (float[N,4] x) => (int64[N] label, float[N,3] scores)
<int64[3] classes = {5, 7, 9}, float[3] bias = {1, 2, 3}, float[4] scales = {1, 2, 3, 4}> {
  a = Mul(x, scales)
  b = Slice(a, zero, three, one)
  c = Shrink(b)
  scores = Max(c, bias, b)
  i = ArgMax<axis = 1, keepdims = 0>(scores)
  label = Gather(classes, i)
}"""


def test_a_model_is_its_program() -> None:
    """What a program states before an operator, and a model within it, is no difference."""
    model = onnx.parser.parse_model(CLASSIFIER)
    for name, number in (("zero", 0), ("one", 1), ("three", 3)):
        tensor = onnx.numpy_helper.from_array(np.array([number]), name)
        model.graph.initializer.append(tensor)
    net = netc.load_onnx(model.SerializeToString())
    text = net.to_text()
    assert 'op("Constant", value=[5, 7, 9])' in text
    found = netc.diff(net, netc.compile(text))
    assert {each.change for each in found.changes} <= {"same", "renamed"}
    found = netc.diff(net, netc.compile(text.replace("[5, 7, 9]", "[5, 7, 8]")))
    (changed,) = (each for each in found.changes if each.change == "changed")
    assert [tuple(each) for each in changed.differences] == [
        ("constants", "[[5, 7, 9]]", "[[5, 7, 8]]")
    ]


def test_branches_in_another_order_are_the_same() -> None:
    """Steps that do not read each other may be said in any order."""
    found = diff(
        "x = INPUT(4)\noutput a = x -> FC(3) -> RELU\noutput b = x -> ABS -> TANH",
        "x = INPUT(4)\noutput b = x -> ABS -> TANH\noutput a = x -> FC(3) -> RELU",
    )
    assert {each.change for each in found.changes} <= {"same", "renamed"}
