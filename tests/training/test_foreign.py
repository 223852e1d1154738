"""Settings in the words of other frameworks are answered with ours, and the answers compile."""

import re

import pytest
from support.refusals import failure_of, help_of

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
    ("data", 'csv("x.csv", sep=";", label="y")', 'csv("x.csv", delimiter=";", target="y")'),
    ("data", 'np.load("data.npz")', 'npz("data.npz")'),
    ("data", 'np.loadtxt("t.csv", delimiter=",")', 'csv("t.csv", delimiter=",")'),
    ("optimizer", "adam(betas=(0.5, 0.9))", "adam(beta1=0.5, beta2=0.9)"),
    ("optimizer", "momentum(0.9)", "sgd(momentum=0.9)"),
    ("optimizer", "nesterov", "sgd(momentum=0.9, nesterov=yes)"),
    ("regularize", "L1L2(l1=0.01, l2=0.02)", "[l1(0.01), l2(0.02)]"),
    ("regularize", "l2(0.1) + l1(0.2)", "[l2(0.1), l1(0.2)]"),
    ("augment", "rotate(1) + flip + noise(0.1)", "[rotate(1), flip, noise(0.1)]"),
    ("loss", "nn.CrossEntropyLoss", "cross_entropy"),
    ("loss", "kl_div", "kl_divergence"),
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
    assert help_of(netc.compile, program.format(written)) == f"write `{meant}`"
    netc.compile(program.format(meant))


@pytest.mark.parametrize(
    ("written", "help"),
    [
        ("metric = [accuracy]", "write `metrics = [accuracy, f1]`"),
        ("callbacks = [EarlyStopping()]", "netc train --patience 5"),
        ("shuffle = yes", "remove the line"),
    ],
)
def test_what_a_program_does_not_say_is_pointed_elsewhere(written: str, help: str) -> None:
    """Metrics, early stopping and shuffling are no settings."""
    assert help in help_of(netc.compile, f"INPUT(28x28) -> FC(10)\ntrain {{\n  {written}\n}}\n")


def test_bad_values_keep_their_own_help() -> None:
    """A known choice with a value that it refuses is not rewritten."""
    with pytest.raises(netc.NetError, match="the `lr` of adam must be a positive number"):
        netc.compile("INPUT(4) -> FC(2)\ntrain {\n  optimizer = adam(lr=-1)\n}\n")


@pytest.mark.parametrize(("setting", "written", "meant"), ROWS)
def test_the_help_spells_our_choice_and_it_compiles(setting: str, written: str, meant: str) -> None:
    """The help holds the corrected choice, which compiles where the foreign one stood."""
    program = "INPUT(28x28) -> FC(10)\ntrain {{\n  {} = {}\n}}\n"
    refused = failure_of(netc.compile, program.format(setting, written))
    found = re.search(r"write `([^`]*)`", refused.diagnostics[0].help or "")
    assert found is not None, str(refused)
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
        ("optimizer = optim.Adam(lr=0.001)", "write `adam(lr=0.001)`"),
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
        ("loss = nn.CrossEntropyLoss()", "write `cross_entropy`"),
        ("loss = nn.BCEWithLogitsLoss(weight=w)", "; `weight` has no counterpart"),
        ("optimizer = torch.optim.SGD(model.parameters(), 0.1)", "write `sgd(lr=0.1)`"),
        ('optimizer = Adam(lr="1e-3", amsgrad=True)', "; `amsgrad` has no counterpart"),
        ("optimizer = SGD(nesterov=True)", "write `sgd(nesterov=yes)`"),
        ("optimizer = Nadam(0.01)", "write `adam(lr=0.01)`, the nearest one"),
        ("loss = kl_div", "write `kl_divergence`"),
        ("loss = ctc", "write `cross_entropy`, the nearest one"),
        ("loss = focal_loss", "write `focal`"),
        ("loss = DiceLoss", "write `dice`"),
        ("class_weight = 1", "cross_entropy(class_weights=[1, 3])"),
        (
            "schedule = ReduceLROnPlateau(factor=0.5, min_lr=1e-5)",
            "write `plateau(factor=0.5, end=1e-05)`",
        ),
        ("gradient_accumulation_steps = 4", "write `accumulate = 4`"),
        ("schedule = none", "write `constant`"),
        ("schedule = LinearLR", "the nearest one"),
        ("schedule = OneCycleLR(max_lr=0.1)", "write `one_cycle`"),
        ("schedule = MultiStepLR([30, 60], gamma=0.1)", "write `multistep"),
        ("schedule = CosineAnnealingWarmRestarts(10)", "write `restarts(every=10, per=epoch)`"),
        ("schedule = PolynomialLR(power=0.9)", "write `polynomial(power=0.9, per=epoch)`"),
        ("data = keras.datasets.cifar10.load_data()", '`cifar10("cifar-10-batches-bin/")`'),
        ("data = x_train", '`npz("data.npz")`'),
        ("augment = transforms.Compose([RandomHorizontalFlip()])", "write a list"),
        ("regularize = regularizers.l2(0.01)", "write `l2(0.01)`"),
        ("split = 0.8", "write `(0.8, 0.2)`"),
        ("split = 80/20", "write `(0.8, 0.2)`"),
        ("split = (70, 15, 15)", "write `(0.7, 0.15, 0.15)`"),
        ('epochs = "10"', "write `10`"),
        ("epochs = 1e1", "write `10`"),
        ("val_split = 0.2", "write `split = (0.8, 0.2)`"),
        ("test_split = 0.2", "write `split = (0.8, 0, 0.2)`"),
        ("train_size = 0.9", "write `split = (0.9, 0.1)`"),
        ('lr = "0.1"', "write `optimizer = sgd(lr=0.1)`"),
        ("clipnorm = 1.0", "write `clip = norm(1)`"),
        ("split = (0, 0.5, 0.5)", "such as `split = (0.8, 0.1, 0.1)`"),
        ("data = new.csv", 'write `csv("new.csv")`'),
        ("data = folder/new.parquet", 'write `parquet("folder/new.parquet")`'),
        ('data = csv("t.csv", taret="y")', "did you mean `target`?"),
        ("loss = cross_entropy(class_weight=balanced)", "did you mean `class_weights`?"),
    ],
)
def test_a_setting_keeps_its_value_in_our_words(written: str, meant: str) -> None:
    """Positional arguments and values are kept; what stands elsewhere is told where."""
    assert meant in help_of(netc.compile, f"INPUT -> FC\ntrain {{ {written} }}\n")


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("optimizer", "Adam(lr=1e-3)", "write `adam(lr=0.001)`"),
        ("loss", "nn.MSELoss()", "write `mse`"),
        ("batch_size", "32", "write `batch = 32`"),
        ("val_split", "0.2", "write `split = (0.8, 0.2)`"),
    ],
)
def test_a_setting_of_the_command_line_is_answered_alike(name: str, text: str, meant: str) -> None:
    """What `--set` gives is told in our words with its value, as in a block."""
    network = netc.compile("INPUT(8x8) -> FC\ntrain { data = digits }\n")
    assert network.recipe is not None
    assert failure_of(network.with_settings, **{name: text}).diagnostics[0].help == meant


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("val_split = 0.1", "write `train { split = (0.9, 0.1) }`"),
        ("batch_size = 32", "write `train { batch = 32 }`"),
        ("epochs = 5", "write `train { epochs = 5 }`"),
        ("early_stopping = 5", "stop early with `netc train --patience 5`; the best epoch is kept"),
    ],
)
def test_a_setting_outside_of_the_block_is_told_where_it_stands(line: str, help: str) -> None:
    """Settings in our words or in others', below a network, stand in a `train` block."""
    assert failure_of(netc.compile, f"INPUT -> FC\n{line}\n").diagnostics[0].help == help


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "train { optimizer: adam, lr: 0.001, epochs: 10, batch_size: 32 }",
            "train { optimizer = adam(lr=0.001), epochs = 10, batch = 32 }",
        ),
        (
            "train {\n  lr: 0.1\n  loss: mse\n  epochs: 3\n}",
            "train { optimizer = sgd(lr=0.1), loss = mse, epochs = 3 }",
        ),
        (
            "train(optimizer=adam, lr=0.01, val_split=0.2)",
            "train { optimizer = adam(lr=0.01), split = (0.8, 0.2) }",
        ),
    ],
)
def test_a_block_in_another_notation_is_told_whole(written: str, meant: str) -> None:
    """Colons and calls are answered with all settings, and a rate goes to its optimizer."""
    assert help_of(netc.compile, f"INPUT -> FC(10)\n{written}\n") == f"write `{meant}`"
    netc.compile(f"INPUT -> FC(10)\n{meant}\n")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "optimizer = adam\nlr = 0.01\nepochs = 5\nbatch_size = 32",
            "train { optimizer = adam(lr=0.01), epochs = 5, batch = 32 }",
        ),
        (
            'model.compile(optimizer="adam", loss="mse")\nmodel.fit(x, y, epochs=5)',
            "train { optimizer = adam, loss = mse, epochs = 5 }",
        ),
        (
            'compile(optimizer="adam", loss="mse")\nfit(x, y, epochs=5)',
            "train { optimizer = adam, loss = mse, epochs = 5 }",
        ),
        ("optimizer = adam\nloss = mse", "train { optimizer = adam, loss = mse }"),
        (
            "train:\n  epochs: 10\n  lr: 0.1",
            "train { epochs = 10, optimizer = sgd(lr=0.1) }",
        ),
    ],
)
def test_settings_on_several_lines_are_told_as_one_block(written: str, meant: str) -> None:
    """Settings below each other, and those of two calls, belong to one block."""
    assert help_of(netc.compile, f"INPUT -> FC(10)\n{written}\n") == f"write `{meant}`"
    netc.compile(f"INPUT -> FC(10)\n{meant}\n")


def test_a_learning_rate_alone_becomes_an_optimizer() -> None:
    """Outside of a block, too, the help spells a block that compiles."""
    refused = failure_of(netc.compile, "INPUT -> FC\nlr = 0.01\n")
    assert refused.diagnostics[0].help == "write `train { optimizer = sgd(lr=0.01) }`"
    netc.compile("INPUT -> FC\ntrain { optimizer = sgd(lr=0.01) }\n")
