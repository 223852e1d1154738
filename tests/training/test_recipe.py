"""`train` blocks become recipes, and settings from outside change them."""

from typing import Any

import pytest
from support.refusals import codes_of, failure_of

import netc
from netc.compiler.training.changes import revise
from netc.compiler.training.recipe import Recipe, settle
from netc.compiler.training.settings import SETTINGS
from netc.compiler.training.term_table import TERMS
from netc.compiler.training.terms import Term

CHAIN = "INPUT(28x28) -> FC(10)\n"
ALL = """
  data       = digits
  split      = (0.7, 0.2, 0.1)
  preprocess = [mean_subtract, whiten(zca)]
  augment    = [flip(horizontal), rotate(10), translate(2), crop(28x24), noise(0.05), color(0.1)]
  loss       = cross_entropy(label_smoothing=0.1)
  regularize = [l1(1e-5), l2(5e-4)]
  optimizer  = sgd(lr=0.1, momentum=0.9, nesterov=yes)
  schedule   = exponential(k=0.01, warmup=5)
  momentum   = linear(0.9, 0.999)
  per        = epoch
  batch      = 128
  last       = drop
  epochs     = 40
  seed       = 7
"""


def recipe(block: str, chain: str = CHAIN) -> Recipe:
    """The recipe of a block behind a chain."""
    found = netc.compile(f"{chain}train {{\n{block}\n}}\n").recipe
    assert found is not None
    return found


def code(block: str, chain: str = CHAIN) -> str:
    """The code of the only error that a block has."""
    (diagnostic,) = failure_of(recipe, block, chain).diagnostics
    assert diagnostic.span is not None
    return diagnostic.code


def changed(found: Recipe, **changes: Any) -> Recipe:
    """A recipe with settings replaced."""
    return revise(found, changes, tuple(found.loss))


def test_a_program_without_a_block_has_no_recipe() -> None:
    """What is not said is not made up."""
    assert netc.compile(CHAIN).recipe is None


def test_everything_that_a_block_says() -> None:
    """Each setting is in the recipe, arguments bound and defaults filled in."""
    found = recipe(ALL)
    assert found.data == Term("data", "digits", {})
    assert found.split == (0.7, 0.2, 0.1)
    assert found.preprocess == (
        Term("preprocess", "mean_subtract", {"per": "element"}),
        Term("preprocess", "whiten", {"method": "zca", "eps": 1e-5, "components": None}),
    )
    assert [term.name for term in found.augment] == "flip rotate translate crop noise color".split()
    assert found.augment[3].arguments == {"size": (28, 24), "pad": 0}
    arguments = {"ignore_index": -100, "label_smoothing": 0.1, "class_weights": None}
    arguments |= {"target": None}
    assert found.loss == {"output": Term("loss", "cross_entropy", arguments)}
    assert [(t.name, t.arguments["strength"]) for t in found.regularize] == [
        ("l1", 1e-5),
        ("l2", 5e-4),
    ]
    assert found.optimizer.arguments == {
        "lr": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.0,
    }
    assert found.schedule.arguments == {"k": 0.01, "warmup": 5, "per": "epoch"}
    assert found.momentum is not None
    assert found.momentum.arguments == {"start": 0.9, "end": 0.999, "warmup": 0, "per": "epoch"}
    assert (found.batch, found.last, found.epochs, found.seed) == (128, "drop", 40, 7)


def test_defaults() -> None:
    """An empty block is a complete recipe."""
    assert recipe("") == settle({}, ["output"])
    found = recipe("")
    assert found.loss["output"].name == "cross_entropy"
    assert (found.optimizer.name, found.optimizer.arguments["lr"]) == ("adam", 0.001)
    assert (found.schedule.name, found.momentum, found.per) == ("constant", None, "step")
    assert (found.split, found.batch, found.last) == ((0.8, 0.1, 0.1), 32, "keep")
    assert (found.epochs, found.seed, found.data) == (10, 0, None)


def test_terms_know_where_they_stand() -> None:
    """A term's span is its own text."""
    found = recipe(ALL)
    assert found.optimizer.span is not None
    assert found.optimizer.span.text == "sgd(lr=0.1, momentum=0.9, nesterov=yes)"
    assert found.span is not None
    assert found.span.text == "train"


def test_values_are_expressions() -> None:
    """`let`s, arithmetic and conditions work in a block as elsewhere."""
    chain = f"let deep = no\nlet rate = 0.2\n{CHAIN}"
    found = recipe(
        "optimizer = if deep then adam else sgd(rate / 2)\nbatch = 2 ^ 7\nepochs = 10 * 4", chain
    )
    assert (found.optimizer.name, found.optimizer.arguments["lr"]) == ("sgd", 0.1)
    assert (found.batch, found.epochs) == (128, 40)


def test_all_samples_in_one_batch() -> None:
    """`all` is full-batch gradient descent."""
    assert recipe("batch = all").batch is None


def test_two_shares_leave_no_test_data() -> None:
    """The last share may be left out."""
    assert recipe("split = (0.9, 0.1)").split == (0.9, 0.1, 0.0)
    assert recipe("split = (1, 0, 0)").split == (1.0, 0.0, 0.0)


TWO = """
x = INPUT(8x8x3) -> FC(16) -> RELU
x -> FC(3) as cls
x -> FC(4) as box
output cls
output box
"""


def test_a_loss_for_each_output() -> None:
    """Several outputs have losses and weights of their own; one may go without."""
    found = recipe("loss = {cls: cross_entropy, box: huber(2)}\nweights = {cls: 1, box: 0.5}", TWO)
    assert {name: term.name for name, term in found.loss.items()} == {
        "cls": "cross_entropy",
        "box": "huber",
    }
    assert found.loss["box"].arguments == {"delta": 2.0, "target": None}
    assert found.objective.weights == {"cls": 1.0, "box": 0.5}
    assert list(recipe("loss = {box: mse}", TWO).loss) == ["box"]


def test_the_unnamed_output_may_be_named() -> None:
    """`output` is what an output is called that has no other name."""
    assert list(recipe("loss = {output: mse}").loss) == ["output"]


REFUSED = {
    "learning = 1": "E122",
    "lr = 0.1": "E122",
    "batch = 2\nbatch = 3": "E123",
    "regularize = [l2(1), l2(2)]": "E123",
    "loss = {output: mse, output: mae}": "E123",
    "optimizer = sdg": "E124",
    "optimizer = mse": "E124",
    "loss = cosine": "E124",
    "optimizer = sgd(lr=-0.1)": "E103",
    "optimizer = sgd(lr=0)": "E103",
    "optimizer = sgd(momentum=1)": "E103",
    "optimizer = sgd(rate=0.1)": "E102",
    "optimizer = sgd(0.1, lr=0.2)": "E106",
    "schedule = step": "E105",
    "schedule = linear(1, 2, 3)": "E104",
    "optimizer = 0.1": "E125",
    "loss = 3": "E125",
    'data = "mnist/"': "E125",
    "momentum = 0.9": "E125",
    "batch = 0": "E125",
    "batch = 1.5": "E125",
    "batch = some": "E125",
    "batch = {output: 3}": "E125",
    "weights = 2": "E125",
    "weights = {output: -1}": "E125",
    "loss = {}": "E125",
    "epochs = 0": "E125",
    "seed = -1": "E125",
    "last = half": "E125",
    "per = batch": "E125",
    "split = 0.8": "E125",
    "split = (0.8, 0.1, 0.2)": "E125",
    "split = (0, 0.5, 0.5)": "E125",
    "split = (1.2, -0.2)": "E125",
    "split = (0.5, 0.2, 0.2, 0.1)": "E125",
    "optimizer = sgd(momentum=0.5)\nmomentum = linear(0.5, 1)": "E125",
    "optimizer = sgd(weight_decay=1e-4)\nregularize = l2(5e-4)": "E126",
    "optimizer = adamw\nregularize = l2(5e-4)": "E126",
    "optimizer = sgd(nesterov=yes)": "E126",
    "optimizer = adam\nmomentum = linear(0.9, 0.99)": "E126",
    "optimizer = sgd\nmomentum = cosine": "E126",
    "optimizer = sgd(lr=0.1)\nschedule = linear(0.03, 0.0001)": "E126",
    "optimizer = sgd(momentum=0.5)\nmomentum = linear(0.9, 0.999)": "E126",
    "loss = {logits: mse}": "E127",
    "weights = {logits: 2}": "E127",
    "loss = nll": "E132",
    "optimizer = if 1 then sgd else adam": "E302",
}


@pytest.mark.parametrize(("block", "expected"), REFUSED.items(), ids=REFUSED)
def test_what_is_refused(block: str, expected: str) -> None:
    """Each mistake has its code, once, and a place."""
    assert code(block) == expected


@pytest.mark.parametrize("block", ["", "loss = mse", "loss = {cls: mse}\nweights = {box: 1}"])
def test_losses_and_outputs(block: str) -> None:
    """Of several outputs it must be said which has which loss."""
    assert code(block, TWO) == "E127"


def test_a_second_block() -> None:
    """A network is trained in one way."""
    assert codes_of(netc.compile, f"{CHAIN}train {{\n}}\ntrain {{\n}}\n") == ["E123"]


def test_all_mistakes_of_a_block_are_told_in_order() -> None:
    """One run reports all the errors that it can find."""
    caught = failure_of(recipe, "batch = 0\nper = none\noptimizer = sdg\nepoch = 3")
    assert [d.code for d in caught.diagnostics] == ["E125", "E125", "E124", "E122"]


def test_what_a_failed_let_leaves_is_not_told_again() -> None:
    """A setting that reads a poisoned value adds no error."""
    assert code("batch = k", f"let k = nope\n{CHAIN}") == "E101"


def test_a_warning_about_a_slow_pair() -> None:
    """The pair of loss and output layer is checked when the program is compiled."""
    text = f"{CHAIN.strip()} -> SOFTMAX\ntrain {{\n  loss = mse\n}}\n"
    assert [w.code for w in netc.compile(text).warnings] == ["W110"]


@pytest.mark.parametrize(
    "block",
    [
        "",
        ALL,
        'data = csv("a \\"b\\"\\\\c.csv", target=["y", "none"], points=unit)',
        'data = idx("none", labels=none)\nbatch = all',
        "data = shapes(target=[box, mask], noise=1e-05)\nsplit = (0.9, 0.1)",
        "augment = flip(vertical, rate=1, pairs=[(0, 1), (2, 4)])",
        "optimizer = rmsprop(0.1, 0.5, centered=yes)\nschedule = step(3, 0.5, per=epoch)",
        "loss = cross_entropy(ignore_index=-1)\nweights = {output: 0.25}",
    ],
)
def test_settings_as_text_are_read_as_the_same_recipe(block: str) -> None:
    """A recipe's text says all of it."""
    found = recipe(block)
    settings = found.settings()
    lines = "\n".join(f"{name} = {text}" for name, text in settings.items())
    assert recipe(lines) == found
    assert revise(None, settings, ["output"]) == found
    assert list(settings) == [name for name in SETTINGS if name in settings]


def test_rates_of_a_run() -> None:
    """Learning rate and momentum follow their schedules over all epochs."""
    found = recipe(
        "optimizer = sgd(momentum=0.9, nesterov=yes)\nschedule = linear(0.03, 0.0001)\n"
        "momentum = linear(0.9, 0.999)\nepochs = 5"
    )
    assert found.rates(0, steps_per_epoch=10) == (0.03, 0.9)
    lr, momentum = found.rates(49, steps_per_epoch=10)
    assert (lr, momentum) == pytest.approx((0.0001, 0.999), rel=1e-12)
    assert recipe("optimizer = sgd(0.1, 0.8)").rates(3, steps_per_epoch=10) == (0.1, 0.8)
    assert recipe("optimizer = adam(0.1)").rates(3, steps_per_epoch=10) == (0.1, 0.0)


def test_overriding_settings_and_arguments_of_the_optimizer() -> None:
    """`--set` takes what a program takes."""
    found = recipe(ALL)
    assert changed(found, batch="all").batch is None
    assert changed(found, epochs="2 * 3").epochs == 6
    assert changed(found, data="spirals(100)").data == Term(
        "data", "spirals", {"samples": 100, "classes": 3, "noise": 0.2, "seed": 0}
    )
    assert changed(found, loss="nll").loss["output"].name == "nll"
    assert changed(found, augment="[]").augment == ()
    lower = changed(found, lr="0.01")
    assert lower.optimizer.arguments == {**found.optimizer.arguments, "lr": 0.01}
    assert lower.schedule == found.schedule
    plain = recipe("optimizer = sgd(0.1)")
    assert changed(plain, momentum="0.5").optimizer.arguments["momentum"] == 0.5
    ramped = changed(changed(plain, momentum="0.5"), momentum="linear(0.5, 0.9)")
    assert ramped.descent.by_momentum
    assert changed(plain, momentum=0.9, nesterov=True).optimizer.arguments["nesterov"] is True


def test_what_schedules_count_can_be_overridden() -> None:
    """A new `per` holds for the schedules that are there."""
    found = changed(recipe(ALL), per="step")
    assert found.schedule.arguments["per"] == "step"
    assert found.momentum is not None
    assert found.momentum.arguments["per"] == "step"
    found = changed(recipe(ALL), per="step", schedule="cosine(per=epoch)")
    assert found.schedule.arguments["per"] == "epoch"


def test_python_values_are_settings_too() -> None:
    """Terms, numbers, lists and mappings from Python mean what they mean in a program."""
    found = revise(
        None,
        {
            "optimizer": netc.SGD(lr=0.1, momentum=0.9),
            "regularize": ["l1(1e-5)", Term("regularize", "l2", {"strength": 0.1, "biases": True})],
            "loss": {"cls": "cross_entropy", "box": Term("loss", "huber", {"delta": 2.0})},
            "weights": {"cls": 1, "box": 0.5},
            "split": (0.5, 0.5),
            "schedule": "cosine",
            "batch": 64,
            "seed": None,
        },
        ["cls", "box"],
    )
    assert found.optimizer == netc.SGD(lr=0.1, momentum=0.9)
    assert [term.arguments for term in found.regularize] == [
        {"strength": 1e-5, "biases": False},
        {"strength": 0.1, "biases": True},
    ]
    assert found.loss["box"].arguments == {"delta": 2.0, "target": None}
    assert found.weights == {"cls": 1.0, "box": 0.5}
    assert (found.split, found.batch, found.seed) == ((0.5, 0.5, 0.0), 64, 0)


OVERRIDES_REFUSED = [
    ("lr", "-1", "E103"),
    ("lr", "fast", "E103"),
    ("lr", "{a: 1}", "E125"),
    ("alpha", "0.5", "E102"),
    ("learning_rate", "1", "E122"),
    ("batch", "0", "E125"),
    ("batch", "3\n epochs = 4", "E125"),
    ("batch", "3 }\nINPUT -> FC\ntrain {", "E013"),
    ("batch", "3 }\nINPUT", "E013"),
    ("momentum", "0", "E126"),
    ("weight_decay", "0.1", "E126"),
    ("optimizer", "adamw", "E126"),
]


@pytest.mark.parametrize(("name", "text", "expected"), OVERRIDES_REFUSED)
def test_overrides_that_are_refused(name: str, text: str, expected: str) -> None:
    """Settings from outside are checked like those of a program, and against it."""
    found = recipe("optimizer = sgd(0.1, 0.9, nesterov=yes)\nregularize = l2(1e-4)")
    assert [d.code for d in failure_of(changed, found, **{name: text}).diagnostics] == [expected]


def test_a_rate_that_a_schedule_rules_cannot_be_overridden() -> None:
    """What would have no effect is refused, whatever its value."""
    found = recipe("optimizer = sgd\nschedule = linear(0.03, 0.0001)")
    for text in ("0.01", "0.5"):
        assert [d.code for d in failure_of(changed, found, lr=text).diagnostics] == ["E126"]
    assert changed(found, lr="0.03").optimizer.arguments["lr"] == 0.03


@pytest.mark.parametrize("kind", TERMS)
def test_every_choice_is_bound_or_says_what_it_needs(kind: str) -> None:
    """Each name of the table is known; without arguments it is complete, or E105 says which."""
    setting = "data" if kind == "data" else kind
    for name, row in TERMS[kind].items():
        needed = [argument for argument in row.kinds if argument not in row.defaults]
        program = f"{CHAIN}train {{\n  {setting} = {name}\n}}\n"
        try:
            netc.compile(program)
        except netc.NetError as failure:
            codes = {d.code for d in failure.diagnostics}
            assert codes == ({"E105"} if needed else {"E132"}), name
        else:
            assert not needed, name


def test_samples_that_are_alone_are_not_mixed() -> None:
    """A batch of one has no other sample."""
    text = "INPUT(4) -> FC(2)\ntrain { batch = 1, augment = mixup }"
    with pytest.raises(netc.NetError, match="mixes samples of a batch, and `batch` is 1"):
        netc.compile(text)


def test_a_flag_is_no_name() -> None:
    """A word that is neither yes nor no."""
    with pytest.raises(netc.NetError, match="`sync_bn` must be `yes` or `no`, not `maybe`"):
        netc.compile("INPUT(4) -> FC(2)\ntrain { sync_bn = maybe }")
