"""Settings in the words of other frameworks are answered with ours, and the answers compile."""

import re

import pytest

import netc

ROWS = [
    ("loss", "categorical_crossentropy", "cross_entropy"),
    ("loss", "CrossEntropyLoss", "cross_entropy"),
    ("loss", "BCEWithLogitsLoss", "binary_cross_entropy"),
    ("loss", "MSELoss", "mse"),
    ("loss", "mean_squared_error", "mse"),
    ("optimizer", "Adam(lr=1e-3)", "adam(lr=0.001)"),
    ("optimizer", "SGD(learning_rate=0.1, momentum=0.9)", "sgd(lr=0.1, momentum=0.9)"),
    ("data", "mnist", 'idx("mnist/")'),
    ("data", "fashion_mnist", 'idx("fashion-mnist/")'),
    ("augment", "RandomHorizontalFlip", "flip(horizontal)"),
]


@pytest.mark.parametrize(("setting", "written", "meant"), ROWS)
def test_the_help_spells_our_choice_and_it_compiles(setting: str, written: str, meant: str) -> None:
    """The help holds the corrected choice, which compiles where the foreign one stood."""
    program = "INPUT(28x28) -> FC(10)\ntrain {{\n  {} = {}\n}}\n"
    with pytest.raises(netc.NetError) as refused:
        netc.compile(program.format(setting, written))
    found = re.search(r"write `([^`]*)`", refused.value.diagnostics[0].help or "")
    assert found is not None, str(refused.value)
    assert found[1] == meant
    netc.compile(program.format(setting, found[1]))


@pytest.mark.parametrize("setting", ["regularize", "preprocess", "augment"])
@pytest.mark.parametrize("written", ["none", "[]"])
def test_none_is_an_empty_list_of_choices(setting: str, written: str) -> None:
    """`none` and an empty list say the same."""
    net = netc.compile(f"INPUT(8x8) -> FC(10)\ntrain {{\n  {setting} = {written}\n}}\n")
    assert net.recipe is not None
    assert getattr(net.recipe, setting) == ()
