"""Settings from Python stay values; what does not fit is told where it was given."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of, refusal

import netc
from netc.compiler.training import held_settings
from netc.compiler.training.terms import Term
from netc.grammar.source import Span

ONE = "INPUT(28x28) -> FC(10)\n"
TWO = "x = INPUT(8) -> FC(4)\nx -> FC(3) as cls\nx -> FC(4) as box\noutput cls\noutput box\n"


def recipe(program: str = ONE, **settings: Any) -> Any:
    """The recipe of a network with settings."""
    return netc.compile(program).with_settings(**settings).recipe


def told(program: str = ONE, **settings: Any) -> str:
    """What is said of settings that are refused."""
    return refusal(recipe, program, **settings)


VALUES: dict[str, Any] = {
    "batch": 64,
    "epochs": np.int64(3),
    "seed": np.uint8(7),
    "split": [np.float64(0.5), Fraction(1, 4), 0.25],
    "optimizer": netc.SGD(lr=np.float32(0.1), momentum=0.1 + 0.2, nesterov=True),
    "schedule": Term("schedule", "step", {"every": 3, "factor": 0.1 + 0.2, "per": "epoch"}),
    "regularize": [Term("regularize", "l2", {"strength": 1 / 3, "biases": True})],
    "augment": [Term("augment", "crop", {"size": (28, 24), "pad": 2})],
    "data": Term("data", "csv", {"path": 'a "b"\\', "target": ("y", "none"), "delimiter": None}),
    "loss": {"output": Term("loss", "cross_entropy", {"label_smoothing": 0.1 + 0.2})},
    "weights": {"output": np.float16(0.1)},
}


def test_values_are_kept_and_never_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers keep all their digits, and choices their arguments; no text is read."""

    def parse(span: Span) -> Any:
        raise AssertionError(f"{span.text} was parsed")

    monkeypatch.setattr(held_settings, "parse_setting", parse)
    found = recipe(**VALUES)
    assert (found.batch, found.epochs, found.seed) == (64, 3, 7)
    assert found.split == (0.5, 0.25, 0.25)
    assert found.optimizer.arguments["lr"] == float(np.float32(0.1))
    assert found.optimizer.arguments["momentum"] == 0.1 + 0.2
    assert found.schedule.arguments["factor"] == 0.1 + 0.2
    assert found.schedule.arguments["per"] == "epoch"
    assert found.regularize[0].arguments == {"strength": 1 / 3, "biases": True}
    assert found.augment[0].arguments == {"size": (28, 24), "pad": 2}
    assert found.data.arguments["path"] == 'a "b"\\'
    assert list(found.data.arguments["target"]) == ["y", "none"]
    assert found.data.arguments["delimiter"] is None
    assert found.loss["output"].arguments["label_smoothing"] == 0.1 + 0.2
    assert found.weights == {"output": float(np.float16(0.1))}
    numbers = recipe(lr=0.1 + 0.2, beta1=np.float64(0.7))
    assert numbers.optimizer.arguments["lr"] == 0.1 + 0.2
    assert numbers.optimizer.arguments["beta1"] == 0.7


def test_text_is_program_text() -> None:
    """What a block can say can be said as text, alone and inside lists and by output."""
    found = recipe(
        TWO,
        regularize=["l1(1e-5)", "l2(5e-4)"],
        optimizer="if 2 > 1 then sgd(lr=1 / 4) else adam",
        loss={"cls": "cross_entropy(label_smoothing=0.1)", "box": "huber(2)"},
        batch="2 ^ 5  # a comment",
    )
    assert [term.arguments["strength"] for term in found.regularize] == [1e-5, 5e-4]
    assert (found.optimizer.name, found.optimizer.arguments["lr"]) == ("sgd", 0.25)
    assert found.loss["box"].arguments == {"delta": 2.0, "target": None}
    assert found.batch == 32
    assert recipe(TWO, loss="{cls: mse, box: mae}").loss["box"].name == "mae"


def test_a_value_that_does_not_fit_is_marked() -> None:
    """The message shows the keyword, and marks the value."""
    assert told(batch=-1) == (
        "error[E125]: `batch` must be a positive integer or `all`, not `-1`\n"
        "  --> <settings>:1:7\n"
        "   |\n"
        " 1 | batch=-1\n"
        "   |       ^^\n"
        "   |\n"
        "   = help: such as `batch = 32`"
    )


def test_text_that_does_not_fit_is_marked_within_a_list() -> None:
    """Text keeps its place among other values."""
    assert told(epochs=3, regularize=[Term("regularize", "l1", {"strength": 0.5}), "l2(-1)"]) == (
        "error[E103]: the `strength` of l2 must be a non-negative number, not `-1`\n"
        "  --> <settings>:2:34\n"
        "   |\n"
        " 2 | regularize=[l1(strength=0.5), l2(-1)]\n"
        "   |                                  ^^\n"
        "   |\n"
        "   = help: write a number above 0, such as `strength=0.01`"
    )


def test_text_that_cannot_be_parsed_is_marked_by_output() -> None:
    """Errors of syntax have their place, too."""
    assert told(TWO, loss={"cls": "mse", "box": "mae("}) == (
        "error[E013]: `(` is never closed\n"
        "  --> <settings>:1:25\n"
        "   |\n"
        " 1 | loss={cls: mse, box: mae(}\n"
        "   |                         ^\n"
        "   |\n"
        "   = help: add the missing `)`"
    )


def test_all_settings_that_do_not_fit_are_told_in_order() -> None:
    """One call tells all that is wrong with it."""
    caught = failure_of(recipe, loss="foo", batch=0, per=1)
    assert [d.code for d in caught.diagnostics] == ["E124", "E125", "E125"]
    assert [d.span.text for d in caught.diagnostics if d.span] == ["foo", "0", "1"]


def test_settings_that_contradict_each_other_are_both_shown() -> None:
    """The second culprit is marked on its own line."""
    assert told(lr=0.2, schedule="linear(0.3, 0.1)") == (
        "error[E126]: `lr` has no effect: `linear(start=0.3, end=0.1)` sets it\n"
        "  --> <settings>:1:1\n"
        "   |\n"
        " 1 | lr=0.2\n"
        "   | ^^^^^^\n"
        "  ::: <settings>:2:10\n"
        "   |\n"
        " 2 | schedule=linear(0.3, 0.1)\n"
        "   |          ---------------- the schedule\n"
        "   |\n"
        "   = help: set `schedule` instead"
    )


def test_optimizers_mark_the_keyword() -> None:
    """A call of Python's is shown as it was made."""
    assert refusal(netc.SGD, momentum=0.5, lr=-1) == (
        "error[E103]: the `lr` of SGD must be a positive number, not `-1`\n"
        "  --> <Python>:1:19\n"
        "   |\n"
        " 1 | SGD(momentum=0.5, lr=-1)\n"
        "   |                   ^^^^^\n"
        "   |\n"
        "   = help: write a number above 0, such as `lr=0.01`"
    )


class Thing:
    """Nothing that a setting takes."""

    def __repr__(self) -> str:
        return "Thing()"


# Settings, the code, the text that is marked, and a part of the message or its help.
REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"batch": 32.0}, "E125", "32.0", "write `32`"),
    ({"batch": True}, "E125", "yes", "not `yes`"),
    ({"batch": "al"}, "E125", "al", "did you mean `all`?"),
    ({"batch": [1, 2]}, "E125", "[1, 2]", "not `[1, 2]`"),
    ({"batch": {"output": 3}}, "E125", "{output: 3}", "write `batch = 3`"),
    ({"batch": Thing()}, "E125", "Thing()", "not `Thing()`"),
    ({"batch": np.arange(3)}, "E125", "array([0, 1, 2])", "not `array([0, 1, 2])`"),
    ({"batch": 1j}, "E125", "1j", "a positive integer or `all`"),
    ({"batch": {1, 2}}, "E125", "{1, 2}", "not `{1, 2}`"),
    ({"batch": "3, epochs=4"}, "E125", ",", "`3, epochs=4` is not a single value"),
    ({"batch": "3\n epochs = 4"}, "E125", "epochs", "`3 epochs = 4` is not a single value"),
    ({"batch": "3 }"}, "E013", "}", "`}` has no opening bracket"),
    ({"batch": " "}, "E011", " ", "nothing follows `=`"),
    ({"batch": "'3'"}, "E010", "'", "does not quote a string"),
    ({"batch": "2 /"}, "E012", "", "nothing follows `/`"),
    ({"seed": 2**70}, "E404", "1180591620717411303424", "is too large"),
    ({"seed": 10**5000}, "E404", hex(10**5000), "is too large"),
    ({"last": True}, "E125", "yes", "one of `keep`, `drop`"),
    ({"split": (80, 20)}, "E125", "[80, 20]", "write `(0.8, 0.2)`"),
    ({"split": np.array([0.8, 0.2])}, "E125", "array([0.8, 0.2])", "sum to 1"),
    ({"loss": 3}, "E125", "3", "a loss such as `cross_entropy`"),
    ({"loss": {"output": None}}, "E125", "None", "not `None`"),
    ({"loss": {"output": ["mse"]}}, "E125", '["mse"]', 'not `["mse"]`'),
    ({"loss": {"logits": "mse"}}, "E127", "logits", "the outputs: `output`"),
    ({"loss": {}}, "E125", "{}", "a value for each of some outputs"),
    ({"loss": netc.SGD()}, "E124", "sgd", "`sgd` belongs to `optimizer`"),
    ({"loss": "crossentropy"}, "E124", "crossentropy", "write `cross_entropy`"),
    ({"loss": "a b"}, "E125", "b", "`a b` is not a single value"),
    ({"weights": 2}, "E125", "2", "a number for each output"),
    ({"weights": {"output": -1}}, "E125", "-1", "a non-negative number"),
    ({"weights": {"a b": 2}}, "E127", '"a b"', "there is no output `a b`"),
    ({"regularize": [0.1]}, "E125", "0.1", "a regularizer such as `l2(5e-4)`"),
    ({"regularize": ["l2(1)", "l2(2)"]}, "E123", "l2(2)", "keep one of them"),
    ({"optimizer": netc.SGD}, "E125", "netc.SGD", "write `sgd`"),
    ({"optimizer": [netc.SGD()]}, "E125", "[sgd]", "an optimizer such as"),
    ({"optimizer": Term("optimizer", "sgd", {"lr": -1})}, "E103", "sgd(lr=-1)", "not `-1`"),
    ({"optimizer": Term("optimizer", "gdb", {})}, "E125", "<optimizer gdb()>", "an optimizer"),
    ({"optimizer": "sgd(lr:0.1)"}, "E011", ":", "`:` does not fit here"),
    ({"momentum": 0.9}, "E102", "momentum=0.9", "adam has no argument `momentum`"),
    ({"schedule": "StepLR(30)"}, "E124", "StepLR", "write `step(every=30, per=epoch)`"),
    ({"lr": -1}, "E103", "lr=-1", "a positive number, not `-1`"),
    ({"lr": "fast"}, "E103", "lr=fast", "not `fast`"),
    ({"lr": {"output": 1}}, "E125", "{output: 1}", "`lr` cannot be set per output"),
    ({"lr": np.array([0.1])}, "E103", "lr=array([0.1])", "not `array([0.1])`"),
    ({"lr": float("nan")}, "E103", "lr=nan", "not `nan`"),
    ({"alpha": 0.5}, "E102", "alpha=0.5", "its arguments are"),
    ({"learning_rate": 0.01}, "E122", "learning_rate", "write `optimizer = sgd(lr=0.01)`"),
    ({"opt": netc.SGD(lr=0.2)}, "E122", "opt", "write `optimizer = sgd(lr=0.2)`"),
    ({"validation_split": 0.2}, "E122", "validation_split", "write `split = (0.8, 0.2)`"),
    ({"callbacks": [Thing()]}, "E122", "callbacks", "stop early"),
    ({"bach": 4}, "E122", "bach", "did you mean `batch`?"),
    ({"let": 1}, "E122", "let", "the settings are"),
    ({"": 1}, "E122", "", "the settings are"),
    ({"data": '"mnist/"'}, "E125", '"mnist/"', "say what it holds"),
]


@pytest.mark.parametrize(("settings", "code", "marked", "said"), REFUSED)
def test_what_is_refused(settings: dict[str, Any], code: str, marked: str, said: str) -> None:
    """Each mistake has its code, its place and its words."""
    (found,) = failure_of(recipe, **settings).diagnostics
    assert found.code == code
    assert found.span is not None
    assert found.span.text == marked
    assert found.span.source.name == "<settings>"
    assert said in f"{found.message} {found.help}"


def test_numbers_of_numpy_make_optimizers() -> None:
    """A learning rate may come out of an array, but is none."""
    assert netc.Adam(lr=np.float64(0.25)) == netc.Adam(lr=0.25)
    assert netc.SGD(lr=np.int32(2)).arguments["lr"] == 2.0
    for value, shown in ((np.array([0.1]), "array([0.1])"), (None, "None"), (Thing(), "Thing()")):
        assert f"must be a positive number, not `{shown}`" in refusal(netc.SGD, lr=value)
    assert [d.code for d in failure_of(netc.SGD, lr=10**400).diagnostics] == ["E404"]


def test_what_numpy_holds_without_axes_is_what_python_holds() -> None:
    """Truth values and arrays without axes are taken; an array with axes is no number."""
    given = netc.SGD(lr=np.array(0.25), momentum=np.array(0.5), nesterov=np.bool_(True))
    assert given == netc.SGD(lr=0.25, momentum=0.5, nesterov=True)
    found = recipe(epochs=np.array(3), optimizer=given)
    assert (found.epochs, found.optimizer) == (3, given)
    with pytest.raises(netc.NetError, match=r"must be a positive number, not `array\(\[0.1\]\)`"):
        netc.SGD(lr=np.array([0.1]))


@pytest.mark.parametrize("loss", [{"cls": "mse"}, "{cls: mse}"])
def test_other_losses_leave_the_weights_of_others_behind(loss: Any) -> None:
    """A weight of the block goes with the loss that it multiplies, however that is replaced."""
    block = "train { loss = {cls: mse, box: mse}, weights = {cls: 2, box: 3} }\n"
    assert recipe(TWO + block, loss=loss).weights == {"cls": 2.0}
