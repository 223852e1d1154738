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


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("optimizer = Adam(0.01)", "`adam(0.01)`"),
        ('optimizer = "adam"', "`adam`"),
        ("optimizer = optim.Adam(lr=0.001)", "`Adam(lr=0.001)`"),
        ("augment = [rotation(10)]", "`rotate(10)`"),
        ("augment = RandomRotation(15)", "`rotate(15)`"),
        ("augment = [horizontal_flip]", "`flip(horizontal)`"),
        ("preprocess = zscore", "`standardize`"),
        ("regularize = weight_decay(0.5)", "`l2(0.5)`"),
        ('data = ImageFolder("dir/")', '`images("dir/")`'),
        ("lr = 0.1", "`optimizer = sgd(lr=0.1)`"),
        ("learning_rate = 0.1", "`optimizer = sgd(lr=0.1)`"),
        ("random_state = 4", "`seed`"),
        ("loss_fn = mse", "`loss`"),
        ("dropout = 0.5", "`DROPOUT(0.5)`"),
        ("early_stopping = yes", "`netc train --patience 5`"),
    ],
)
def test_a_setting_keeps_its_value_in_our_words(written: str, meant: str) -> None:
    """Positional arguments and values are kept; what stands elsewhere is told where."""
    with pytest.raises(netc.NetError) as refused:
        netc.compile(f"INPUT -> FC\ntrain {{ {written} }}\n")
    assert meant in (refused.value.diagnostics[0].help or "")


def test_a_learning_rate_alone_becomes_an_optimizer() -> None:
    """Outside of a block, too, the help spells a block that compiles."""
    with pytest.raises(netc.NetError) as refused:
        netc.compile("INPUT -> FC\nlr = 0.01\n")
    assert refused.value.diagnostics[0].help == "write `train { optimizer = sgd(lr=0.01) }`"
    netc.compile("INPUT -> FC\ntrain { optimizer = sgd(lr=0.01) }\n")
