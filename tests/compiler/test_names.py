"""Names of layers, weights, values and outputs: which may meet, and which are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.refusals import failure_of

import netc

COLLIDING = {
    "let n = 3\nINPUT(4x4x3) -> for i in range(3) { LN } as l{n}": "l3",
    "INPUT(4x4x3) -> for i in range(4) { LN } as l{i // 2}": "l0",
    "INPUT -> [CONV as conv{1}]*2": "conv1",
    "INPUT -> CONV -> CONV as conv{1}": "conv1",
    "INPUT(3) -> ( ID | PARAM(3) as a.weight ) -> ADD -> FC as a": "a.weight",
    "INPUT(3) -> FC(3) as a -> ( ID | PARAM(3) as a.bias ) -> ADD": "a.bias",
    "INPUT(2) as a.weight -> FC(2) as a": "a.weight",
    "INPUT(4x4x3) as n.running_mean -> BN as n": "n.running_mean",
    "INPUT(2) -> FC(2) as a -> RELU\nINPUT(2) as a.weight -> FC": "a.weight",
    "INPUT(3) -> FC as a -> [RELU] as a": "a",
    "INPUT(4) -> SPLIT(2) as s -> ADD -> SPLIT(2) as s -> ADD": "s",
    "INPUT(4) -> ( FC(2) | FC(2) ) -> ADD as a -> [FC(2)]*2 as a": "a",
    "INPUT(4) -> [FC(4) as c] as c": "c",
    "block B { FC(4) }\nINPUT(4) -> B as b{0} -> B as b0": "b0",
    "block B { FC(4) }\nINPUT(4) -> B -> B as b{1}": "b1",
    "x = INPUT(4) -> FC(4) as y\ny = x -> FC(4)": "y",
}


@pytest.mark.parametrize("program", COLLIDING)
def test_a_name_that_is_given_twice_is_refused_where_it_is_given(program: str) -> None:
    """Labels, inputs, weights and computed names share one table; the second comer is told."""
    first = failure_of(netc.compile, program).diagnostics[0]
    assert (first.code, f"`{COLLIDING[program]}`" in first.message) == ("E112", True)
    assert first.span is not None
    assert first.also or "repetition" in first.label


OF_OUTPUTS = {
    "x = INPUT(4) as y\noutput y = x -> RELU": "the output `y` has the name of an input",
    "INPUT(2) as x -> FC(2) as y\noutput x = y": "the output `x` has the name of an input",
    "INPUT(2) as x -> FC(2)\noutput x": "the output `x` has the name of an input",
    "INPUT(2) -> ( ID | PARAM(2) as p ) -> ADD as y\noutput p = y": (
        "the output `p` has the name of a weight"
    ),
}


@pytest.mark.parametrize("program", OF_OUTPUTS)
def test_an_output_with_the_name_of_an_input_or_a_weight_is_refused(program: str) -> None:
    """A model tells values apart by name alone, so this is found when the program is checked."""
    first = failure_of(netc.compile, program).diagnostics[0]
    assert (first.code, first.message) == ("E112", OF_OUTPUTS[program])
    assert [pointer.text for pointer in first.also] == ["first given here"]


AUTOMATIC = {
    'INPUT(2) as "output" -> FC(2)': ["output2"],
    "INPUT(2) as output": ["output2"],
    "INPUT(4) as output2 -> SPLIT(2)": ["output", "output3"],
    "INPUT(2) -> ( ID | PARAM(2) as output ) -> ADD -> FC(2)": ["output2"],
    "INPUT(2) -> FC(2) as output -> RELU": ["output"],
}


@pytest.mark.parametrize("program", AUTOMATIC)
def test_automatic_outputs_skip_names_of_inputs_and_weights(program: str, tmp_path: Path) -> None:
    """What passes `check` can be exported: an output that nobody named takes a free name."""
    net = netc.compile(program)
    assert list(net.graph.outputs) == AUTOMATIC[program]
    net.export(tmp_path / "m.onnx")
    found = onnx.load(str(tmp_path / "m.onnx")).graph
    assert [output.name for output in found.output] == AUTOMATIC[program]


TRAINED = [
    *(("INPUT(2) as {} -> FC(2)", f"an input `{n}`") for n in ("loss", "target")),
    ("INPUT(2) as {} -> FC(2) as f", "an input `f.weight.next`"),
    ("INPUT(2) as {} -> FC(2) as f", "an input `f.weight.momentum`"),
    ("INPUT(2) as {} -> FC(2) as f", "an input `f.bias.momentum.next`"),
    ("INPUT(2) as {} -> BN as b -> FC(2)", "an input `b.running_mean.next`"),
    *(
        ("INPUT(2) -> ( ID | PARAM(2) as {} ) -> ADD -> FC(2) as f", f"a weight `{n}`")
        for n in ("loss", "target", "f.weight.next", "f.bias.momentum")
    ),
    ("x = INPUT(2) -> FC(2)\noutput {} = x", "an output `loss`"),
]


@pytest.mark.parametrize(("program", "what"), TRAINED, ids=[what for _, what in TRAINED])
def test_names_that_a_step_of_training_needs(program: str, what: str, tmp_path: Path) -> None:
    """Training and the export of a step refuse them in the same words."""
    net = netc.compile(program.format(what.split("`")[1]))
    changes: dict[str, Any] = {"loss": "mse", "optimizer": "sgd(lr=0.1, momentum=0.9)"}
    data = np.zeros((4, 2), np.float32), np.zeros((4, 2), np.float32)
    for attempt in (
        lambda: net.export_training(tmp_path / "t.onnx", **changes),
        lambda: net.train(data, split=(1, 0, 0), epochs=1, **changes),
    ):
        first = failure_of(attempt).diagnostics[0]
        assert first.code == "E134"
        assert first.message == f"the network has {what}, a name that training needs for itself"


@pytest.mark.parametrize("name", ["loss", "target"])
def test_a_train_block_reserves_names(name: str) -> None:
    """What could never be trained does not pass `check`."""
    program = f"INPUT(2) as {name} -> FC(2)\n"
    netc.compile(program)
    first = failure_of(netc.compile, f"{program}train {{ data = xor }}\n").diagnostics[0]
    assert first.code == "E134"
    assert first.span is not None


FREE = {
    "INPUT -> CONV as conv{1} -> CONV": ["input", "conv1", "conv2"],
    "INPUT -> for i in range(2) { CONV as conv{i + 1} } -> CONV -> CONV": [
        *("input", "conv1", "conv2", "conv3", "conv4"),
    ],
    "block B(i) { CONV as conv{i} -> CONV }\nINPUT -> B(1)": ["input", "b1.conv1", "b1.conv2"],
    "block B { CONV as c }\nINPUT -> B as b{1} -> B": ["input", "b1.c", "b2.c"],
    "conv1 = INPUT -> CONV\nconv1 -> CONV": ["input", "conv2", "conv3"],
    "INPUT(4) -> SPLIT(2) as split{1} -> ADD -> SPLIT(2) -> ADD": [
        *("input", "split1", "add1", "split2", "add2"),
    ],
}


@pytest.mark.parametrize("program", FREE)
def test_automatic_names_skip_computed_labels(program: str) -> None:
    """An unlabelled layer takes the next name that no label has taken, computed ones included."""
    assert list(netc.compile(program).graph.layers) == FREE[program]


SPOKEN_OF = [
    "x = INPUT(4x4x3) -> CONV(3)\noutput mask = x -> CONV(5)\nassert shape(mask) == 4x4x5",
    "x = INPUT(4x4x3) -> CONV(3)\noutput mask = x -> CONV(3)\nassert receptive_field(mask) == 5x5",
    "x = INPUT(4x4x3) -> CONV(3)\nassert params(x) == 84 and stride(x) == 1x1\nx -> FC",
    "x = INPUT(4x4x3) -> CONV(3)\noutput mask = x -> CONV(3, share=x)\nassert params == 84",
    "output a = INPUT(4x4x3) -> CONV(3)\noutput b = a -> CONV(3, share=a)\nassert params == 84",
    "INPUT(4x4x3) -> POOL as p\nq = p\nq -> UNPOOL(q)",
    "q = INPUT(4x4x3) -> POOL\nq -> UNPOOL(q)",
    "output q = INPUT(4x4x3) -> POOL\noutput r = q -> UNPOOL(q)",
    "block B { y = CONV(3)\ny -> CONV(3, share=y) }\nINPUT(4x4x3) -> B as b\n"
    "assert shape(b.y) == 4x4x3 and params == 84",
    "block B { y = POOL\ny -> UNPOOL(y) }\nINPUT(4x4x3) -> B as b\nassert shape(b.y) == 2x2x3",
    "block B { CONV(3) as c }\nINPUT(4x4x3) -> B as b -> B(share=b)\nassert params == 84",
    "output y = INPUT(4) -> FC(2) as y\nassert shape(y) == 2",
]


@pytest.mark.parametrize("program", SPOKEN_OF)
def test_outputs_and_bindings_are_spoken_of_as_labels_are(program: str) -> None:
    """The name of an output or a binding serves in assertions, in `share=` and in `UNPOOL`."""
    assert netc.compile(program).warnings == ()


def test_outputs_and_bindings_can_be_fetched() -> None:
    """A run returns the tensors of outputs, bindings and labels by their names."""
    net = netc.compile("x = INPUT(2) as a -> FC(2, weight=[[1, 0], [0, 2]])\noutput y = x -> NEG")
    found = net.run(np.array([[3.0, 4.0]], np.float32), net.initialize(), fetch=["a", "x", "y"])
    assert isinstance(found, dict)
    assert {name: value.tolist() for name, value in found.items()} == {
        "a": [[3.0, 4.0]],
        "x": [[3.0, 8.0]],
        "y": [[-3.0, -8.0]],
    }


def test_an_output_with_the_name_of_another_value_is_warned_of() -> None:
    """The program means the labelled value by that name, and a run's results mean the output."""
    net = netc.compile(
        "x = INPUT(3) -> FC(2) as y -> RELU\noutput y = x -> FC(3)\nassert shape(y) == 2"
    )
    assert [(w.code, w.message) for w in net.warnings] == [
        ("W109", "the output `y` has the name of another value")
    ]
    assert net.graph.outputs["y"].shape[1:] == (3,)


def test_a_warning_is_given_once_per_place_with_a_count() -> None:
    """Turns and calls make many layers of one place in the text, which one warning speaks of."""
    net = netc.compile(
        'block B { op("GlobalLpPool") }\nx = INPUT(4x4x3)\nx -> CONV -> [B]*3\n'
        "for i in range(4) { x -> FC }\nx -> FC"
    )
    counted = "this is the first of {} layers from this place that it holds for".format
    assert [(w.code, w.notes) for w in net.warnings] == [
        ("W104", (counted(3),)),
        ("W103", ()),
        ("W103", (counted(4),)),
    ]


# the body of a block that gets 4 channels, and the channels that it yields
INPUTS_OF_TURNS = {
    "for i in range(2) { CONV(2 * in.channels) }": 16,
    "[( in | CONV(4) ) -> CONCAT]*3": 16,
    "[( in | CONV(4) ) -> CONCAT]*2 as a -> CONV(in.channels)": 4,
    "[[CONV(2 * in.channels)]*2 -> CONV(in.channels + 1)]*2": 6,
    "for i in range(2) { if in.channels == 4 { CONV(5) } else { CONV(in.channels + 2) } }": 7,
    "for i in range(in.channels) { CONV(in.channels + i) }": 10,
    "x = in\n[( x | CONV(4) ) -> CONCAT]*2": 8,
    "let c = in.channels\n[CONV(c + in.channels)]*2": 12,
    "( ID | CONV(1) ) -> [( CONV(in.channels) | ID )]*2 -> CONCAT": 5,
}


@pytest.mark.parametrize("body", INPUTS_OF_TURNS)
def test_in_is_what_comes_into_the_turn(body: str) -> None:
    """In a repetition `in` is the tensor that it carries; where it carries several, the block's."""
    net = netc.compile(f"block B {{ {body} }}\nINPUT(4x4x4) -> B as b")
    assert net.outputs[0].shape[1] == INPUTS_OF_TURNS[body]
    assert net.warnings == ()


READ = [
    "INPUT(4x4x3) -> CONV(5) as y -> FC(y.channels) as z\nassert y.channels == 5 and z.size == 5",
    "INPUT(4x4x3) -> CONV(5) as y -> if y.height > 2 { FC(7) } else { FC(8) } as z\n"
    "assert shape(z) == 7",
    "INPUT(4x4x3) -> CONV(5) as l.a.b\nlet c = l.a.b.channels\nl.a.b -> FC(c)\n"
    "assert l.a.b.size == 80 and params == 140 + 80 * 5 + 5",
    "INPUT(4x4x3) -> [CONV(5) as c]*2 as l -> FC(l.0.c.channels) as z\nassert z.channels == 5",
    "block B { CONV(5) as c -> CONV(c.channels + 1) }\n"
    "INPUT(4x4x3) -> B as b -> FC(b.c.channels + b.channels) as z\nassert shape(z) == 11",
    "INPUT(4x4x3) as image\noutput q = image -> CONV(image.channels)\nassert q.channels == 3",
    "INPUT(6x4, sequence) as s -> LINEAR(s.length) as z\nassert shape(z) == 6x6",
    "INPUT(4x4x3) -> for i in range(2) { CONV(8) as c{i} } -> FC(c0.rank) as d{c1.width}\n"
    "assert shape(d4) == 3",
    "INPUT(4x4x3) -> CONV(3) as y -> CONV(3) as y.channels -> CONV(3, share=y.channels)\n"
    "assert params == 168",
    "INPUT(4x4x3) -> POOL as y.height -> UNPOOL(y.height) as z\nassert shape(z) == 4x4x3",
]


@pytest.mark.parametrize("program", READ)
def test_expressions_read_the_extents_of_labelled_tensors(program: str) -> None:
    """A label before `.channels` and the like stands for its tensor; a whole label is one."""
    assert netc.compile(program).warnings == ()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("INPUT(4x4x3) as y -> FC(z.channels)", "unknown name `z`"),
        ("INPUT(4x4x3) as y -> FC\nassert z.channels == 3", "unknown name `z`"),
        ("INPUT(4x4x3) as y -> FC(y.length)", "a tensor of 4x4x3 has no `.length`"),
        ("INPUT(4x4x3) as y -> FC\nassert y.length == 3", "a tensor of 4x4x3 has no `.length`"),
        (
            "INPUT((H, W, 3)) as y -> FC(y.height)",
            "`.height` is H, which depends on the input's size",
        ),
        ("let c = y.channels\nINPUT(4x4x3) as y -> FC(c)", "unknown name `y`"),
        ("let y = [1]\nINPUT(4x4x3) as y -> FC(y.channels)", "the list `[1]` has no `.channels`"),
    ],
)
def test_extents_that_cannot_be_read(program: str, message: str) -> None:
    """Unknown labels, other axes and open extents are told, the failure's own cause only once."""
    assert failure_of(netc.compile, program).diagnostics[0].message.startswith(message)


def test_extents_of_what_failed_are_not_told() -> None:
    """A label of a layer that failed is no second error where its extents are read."""
    failure = failure_of(
        netc.compile, "INPUT(4x4x3) -> CONV(5, groups=2) as y -> RELU\ny -> FC(y.channels)"
    )
    assert [d.code for d in failure.diagnostics] == ["E204"]


def test_an_automatic_name_in_an_expression_is_warned_of() -> None:
    """`conv1.channels` works, and says that the name shifts."""
    net = netc.compile("INPUT(4x4x3) -> CONV(5) -> FC(conv1.channels) as z\nassert z.channels == 5")
    assert [w.code for w in net.warnings] == ["W102"]


@pytest.mark.parametrize(
    "program",
    [
        'INPUT(2) as "" -> FC',
        'INPUT(2) as {""} -> FC',
        'INPUT(2) -> [FC]*2 as ""',
        'INPUT(2) -> ""',
    ],
)
def test_an_empty_label_is_refused(program: str) -> None:
    """What has no name can be neither fetched nor exported."""
    with pytest.raises(netc.NetError):
        netc.compile(program)
