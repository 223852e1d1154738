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
    ("data", 'MNIST("data")', 'idx("data")'),
    ("data", "cifar10", 'cifar10("cifar-10-batches-bin/")'),
    ("data", "CIFAR10", 'cifar10("cifar-10-batches-bin/")'),
    ("data", "imagenet", 'images("imagenet/train/", size=224x224)'),
    ("data", 'ImageFolder("dir")', 'images("dir")'),
    ("data", "load_iris()", 'csv("iris.data")'),
    ("data", '"data.csv"', 'csv("data.csv")'),
    ("data", '"data.npz"', 'npz("data.npz")'),
    ("loss", "nn.CrossEntropyLoss", "cross_entropy"),
    ("loss", "kl_div", "cross_entropy"),
    ("loss", "softmax_loss", "cross_entropy"),
    ("loss", '"mse"', "mse"),
    ("loss", "SmoothL1Loss(beta=0.5)", "huber(0.5)"),
    ("optimizer", '"adam"', "adam"),
    ("optimizer", "Adam(1e-3)", "adam(lr=0.001)"),
    ("optimizer", "adam(learning_rate=0.01, beta_1=0.8)", "adam(lr=0.01, beta1=0.8)"),
    ("optimizer", "adam(momentum=0.9)", "adam(beta1=0.9)"),
    ("optimizer", "RMSprop(0.01, rho=0.9, epsilon=1e-7)", "rmsprop(lr=0.01, alpha=0.9, eps=1e-07)"),
    ("optimizer", "AdamW(weight_decay=0.01)", "adamw(weight_decay=0.01)"),
    ("schedule", "StepLR(step_size=30, gamma=0.1)", "step(every=30, factor=0.1, per=epoch)"),
    ("schedule", "StepLR(30)", "step(every=30, per=epoch)"),
    ("schedule", "CosineAnnealingLR(T_max=50, eta_min=0.01)", "cosine(end=0.01, per=epoch)"),
    ("schedule", "ExponentialLR(gamma=0.9)", "exponential(k=0.105361, per=epoch)"),
    ("augment", "RandomHorizontalFlip", "flip(horizontal)"),
    ("augment", "RandomVerticalFlip(p=0.3)", "flip(vertical, rate=0.3)"),
    ("augment", "RandomCrop(32, padding=4)", "crop(32x32, pad=4)"),
    ("augment", "RandomRotation(10)", "rotate(10)"),
    ("augment", "ColorJitter(brightness=0.4)", "color(0.4)"),
    ("preprocess", "MinMaxScaler()", "scale"),
    ("preprocess", "Normalize", "standardize"),
    ("preprocess", "PCA(n_components=10)", "pca(10)"),
]

SETTINGS = [
    ("learning_rate = 0.1", "optimizer = sgd(lr=0.1)"),
    ("lr = 0.1", "optimizer = sgd(lr=0.1)"),
    ("batch_size = 64", "batch = 64"),
    ("num_epochs = 5", "epochs = 5"),
    ("validation_split = 0.2", "split = (0.8, 0.2)"),
    ("test_size = 0.25", "split = (0.75, 0, 0.25)"),
    ("criterion = CrossEntropyLoss()", "loss = cross_entropy"),
    ("loss_fn = mse", "loss = mse"),
    ("scheduler = cosine", "schedule = cosine"),
    ("opt = Adam(lr=1e-3)", "optimizer = adam(lr=0.001)"),
    ("dataset = mnist", 'data = idx("mnist/")'),
    ("random_state = 3", "seed = 3"),
    ("drop_last = True", "last = drop"),
]


@pytest.mark.parametrize(("written", "meant"), SETTINGS)
def test_the_help_spells_our_setting_and_it_compiles(written: str, meant: str) -> None:
    """The help holds the whole setting, its value in our words as well."""
    program = "INPUT(28x28) -> FC(10)\ntrain {{\n  {}\n}}\n"
    with pytest.raises(netc.NetError) as refused:
        netc.compile(program.format(written))
    assert refused.value.diagnostics[0].help == f"write `{meant}`"
    netc.compile(program.format(meant))


@pytest.mark.parametrize(
    ("written", "help"),
    [
        ("metrics = [accuracy]", "netc evaluate --metric accuracy"),
        ("callbacks = [EarlyStopping()]", "netc train --patience 5"),
        ("shuffle = yes", "remove the line"),
    ],
)
def test_what_a_program_does_not_say_is_pointed_elsewhere(written: str, help: str) -> None:
    """Metrics, early stopping and shuffling are no settings."""
    with pytest.raises(netc.NetError) as refused:
        netc.compile(f"INPUT(28x28) -> FC(10)\ntrain {{\n  {written}\n}}\n")
    assert help in (refused.value.diagnostics[0].help or "")


def test_bad_values_keep_their_own_help() -> None:
    """A known choice with a value that it refuses is not rewritten."""
    with pytest.raises(netc.NetError, match="the `lr` of adam is a positive number"):
        netc.compile("INPUT(4) -> FC(2)\ntrain {\n  optimizer = adam(lr=-1)\n}\n")


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
        ("optimizer = Adam(0.01)", "`adam(lr=0.01)`"),
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
        ("random_state = 4", "`seed = 4`"),
        ("loss_fn = mse", "`loss = mse`"),
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
