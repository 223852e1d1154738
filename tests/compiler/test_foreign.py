"""Calls in the words of other frameworks are answered with ours, and the answers compile."""

import re

import pytest
from support.refusals import failure_of, help_of

import netc

# What people write behind an input, and the call that the help spells.
ROWS = [
    ("Dense(10)", "FC(10)"),
    ("Linear(784, 10)", "FC(10)"),
    ('Dense(64, activation="relu")', "FC(64) -> RELU"),
    ("Conv2d(3, 64, 3)", "CONV(3x3, 64)"),
    ("Conv2d(3, 64, 3, stride=2, padding=1)", "CONV(3x3, 64, stride=2, pad=1)"),
    ("Conv2d(3, 64, kernel_size=3, bias=False)", "CONV(3x3, 64, bias=no)"),
    ('Conv2D(32, 3, activation="relu")', "CONV(3x3, 32) -> RELU"),
    ('Conv2D(32, (3, 3), padding="same")', "CONV(3x3, 32, pad=same)"),
    ("Conv2D(filters=8, kernel_size=5, strides=2)", "CONV(5x5, 8, stride=2)"),
    ("BatchNorm2d(3)", "BN"),
    ("BatchNormalization", "BN"),
    ("BN(3)", "BN"),
    ("MaxPool2d(2)", "MAXPOOL(2x2)"),
    ("MaxPool2d(3, stride=2)", "MAXPOOL(3x3, stride=2)"),
    ("MaxPooling2D((2, 2))", "MAXPOOL(2x2)"),
    ("POOL(2)", "POOL(2x2)"),
    ("POOL(size=2)", "POOL(2x2)"),
    ("POOL(3, 2)", "POOL(3x3, stride=2)"),
    ("GlobalAveragePooling2D", "GAP"),
    ("Flatten", "FLATTEN"),
    ("Dropout(0.5)", "DROPOUT(0.5)"),
    ("relu", "RELU"),
    ("CONV(3, 64, 3)", "CONV(3x3, 64)"),
    ("LeakyReLU(0.2)", "LRELU(0.2)"),
    ("GroupNorm(3, 3)", "GN(3)"),
    ("FC(128, activation=relu)", "FC(128) -> RELU"),
    ("FC(128, dropout=0.5)", "FC(128) -> DROPOUT(0.5)"),
    ("SOFTMAX(10)", "FC(10) -> SOFTMAX"),
    ("CONV(3x3, 16, activation=relu)", "CONV(3x3, 16) -> RELU"),
    ("CONV(3x3, 16, strides=2)", "CONV(3x3, 16, stride=2)"),
    ('CONV(3x3, 16, padding="same")', "CONV(3x3, 16, pad=same)"),
    ("CONV(filters=16, kernel_size=3)", "CONV(3x3, 16)"),
    ("nn.ConvTranspose2d(3, 8, 4)", "UPCONV(4x4, 8, stride=1)"),
    ("nn.ConvTranspose2d(3, 8, 4, 2, 1)", "UPCONV(4x4, 8, stride=2, pad=1)"),
    ("Conv2DTranspose(8, 3)", "UPCONV(3x3, 8, stride=1)"),
    ("Conv2DTranspose(8, 2, strides=2)", "UPCONV(2x2, 8, stride=2)"),
    ("nn.ZeroPad2d((1, 2, 3, 4))", "PAD(((3, 1), (4, 2)))"),
    ("nn.ZeroPad2d(2)", "PAD(2)"),
    ("LINEAR(10, activation=relu)", "LINEAR(10) -> RELU"),
    ("LINEAR(3, 10)", "LINEAR(10)"),
    ("Conv(k=3, s=2, p=1, f=64)", "CONV(3x3, 64, stride=2, pad=1)"),
    ("CONV(F=64, K=3, S=1, P=1)", "CONV(3x3, 64, stride=1, pad=1)"),
    ("POOL(k=3, s=2)", "POOL(3x3, stride=2)"),
    ("LPPOOL(2, 3)", "POOL(3x3, lp, p=2)"),
    ("conv1x1(64)", "CONV(1x1, 64)"),
    ("conv3x3(3, 64)", "CONV(3x3, 64)"),
    ("MaxPool3x3(stride=2)", "MAXPOOL(3x3, stride=2)"),
    ("ReLU(6)", "RELU6"),
    ("ReLU(max_value=6.0)", "RELU6"),
    ("nn.ReLU(True)", "RELU"),
    ("Dropout(keep_prob=0.8)", "DROPOUT(0.2)"),
    ("Conv_1(3, 8)", "CONV(3x3, 8)"),
    ("ADD(CONV(3x3, 3), ID)", "( CONV(3x3, 3) | ID ) -> ADD"),
    ("concat(conv(3x3, 8), conv(5x5, 8))", "( CONV(3x3, 8) | CONV(5x5, 8) ) -> CONCAT"),
    ("CONV(3x3x3, 16)", "CONV(3x3, 16)"),
    ("CONV(3x3, 3, 64)", "CONV(3x3, 64)"),
    ('CONV("3x3", "64")', "CONV(3x3, 64)"),
    ("CONV(3x3 64)", "CONV(3x3, 64)"),
    ("CONV(3x3, 64, rate=2)", "CONV(3x3, 64, dilation=2)"),
    ("DILATED_CONV(3x3, 64, rate=2)", "CONV(3x3, 64, dilation=2)"),
    ("DEPTHWISE(3x3)", "DWCONV(3x3)"),
    ("POINTWISE(32)", "CONV(1x1, 32)"),
    ("LOGITS(10)", "FC(10)"),
    ("FC_10", "FC(10)"),
    ("CONV(3x3, 64, 2)", "CONV(3x3, 64, stride=2)"),
    ("CONV(3x3, 64, 2, 1)", "CONV(3x3, 64, stride=2, pad=1)"),
    ("CONV(3x3x64)", "CONV(3x3, 64)"),
    ("CONV(64x3x3)", "CONV(3x3, 64)"),
    ("CONV(5x5x3, filters=16, stride=2)", "CONV(5x5, 16, stride=2)"),
    ("CONV(3x3, 16, bias=None)", "CONV(3x3, 16, bias=no)"),
    ("CONV(3x3, 16, pad=none)", "CONV(3x3, 16, pad=valid)"),
    ("CONCAT(CONV(3x3, 8), CONV(5x5, 8))", "( CONV(3x3, 8) | CONV(5x5, 8) ) -> CONCAT"),
    ("SKIP(CONV(3x3, 3))", "( CONV(3x3, 3) | ID ) -> ADD"),
    (
        "SeparableConv2D(64, 5, strides=2, padding='same')",
        "DWCONV(5x5, stride=2, pad=same, bias=no) -> CONV(1x1, 64)",
    ),
    (
        "SeparableConv2D(filters=64, kernel_size=3, use_bias=False)",
        "DWCONV(3x3, bias=no) -> CONV(1x1, 64, bias=no)",
    ),
    ("nn.AdaptiveMaxPool2d(1)", "GMP"),
    ("nn.AdaptiveMaxPool2d((4, 4))", "ADAPTIVEPOOL(4x4, max)"),
    ("BatchNormalization(momentum=0.99)", "BN(momentum=0.01)"),
    ("nn.BatchNorm2d(3, momentum=0.01)", "BN(momentum=0.01)"),
    ("nn.InstanceNorm2d(3)", "IN(affine=no)"),
    ("nn.InstanceNorm2d(3, affine=True)", "IN(affine=yes)"),
    ("nn.GroupNorm(num_groups=3, num_channels=3)", "GN(3)"),
    ("nn.LayerNorm([3, 32, 32])", "LN(axes=all)"),
    ("nn.LayerNorm(3)", "LN"),
    ("nn.GELU(approximate='tanh')", "GELU(tanh)"),
    ("gluon.nn.Dense(12, activation='relu')", "FC(12) -> RELU"),
    ("slim.conv2d(64, [3, 3])", "CONV(3x3, 64)"),
    ("nn.max_pool(window_shape=(2, 2), strides=(2, 2))", "MAXPOOL(2x2, stride=2)"),
    ("HIDDEN(12, activation=tanh)", "FC(12) -> TANH"),
    ("HIDDEN(12)", "FC(12) -> RELU"),
    ("ZeroPadding2D(((1, 2), (3, 4)))", "PAD(((1, 3), (2, 4)))"),
    ("ZeroPadding2D((1, 2))", "PAD(1x2)"),
    ("nn.ReflectionPad2d(1)", "PAD(1, reflect)"),
    ("nn.ReplicationPad2d((1, 2, 3, 4))", "PAD(((3, 1), (4, 2)), edge)"),
    ("Cropping2D(((1, 2), (3, 4)))", "CROP(margin=((1, 3), (2, 4)))"),
    ("Cropping2D(cropping=2)", "CROP(margin=2)"),
    (
        "nn.Conv2d(3, 8, 5, padding=2, padding_mode='reflect')",
        "PAD(2, reflect) -> CONV(5x5, 8, pad=valid)",
    ),
    ("nn.Conv2d(3, 8, 5, padding_mode='zeros')", "CONV(5x5, 8)"),
    ("F.interpolate(scale_factor=2, mode='bilinear')", "UPSAMPLE(2, bilinear)"),
    ("nn.LogSigmoid()", "SIGMOID -> LOG"),
    ("nn.Tanhshrink()", "( ID | TANH ) -> SUB"),
    (
        "nn.Hardtanh()",
        'op("HardSigmoid", alpha=0.5, beta=0.5) -> NORMALIZE(mean=0.5, std=0.5)',
    ),
    ("BatchNormalization(scale=True)", "BN"),
]


@pytest.mark.parametrize(("written", "meant"), ROWS)
def test_the_help_spells_our_call_and_it_compiles(written: str, meant: str) -> None:
    """The help holds the corrected call, which compiles where the foreign one stood."""
    refused = failure_of(netc.compile, f"INPUT(32x32x3) -> {written} -> FC(2)")
    found = re.search(r"write `(.*)`$", refused.diagnostics[0].help or "")
    assert found is not None, str(refused)
    assert found[1] == meant
    netc.compile(f"INPUT(32x32x3) -> {found[1]} -> FC(2)")


@pytest.mark.parametrize(
    ("written", "meant", "said"),
    [
        ("Dense(4, kernel_regularizer=l2(0.1))", "FC(4)", "`kernel_regularizer` belongs to"),
        ("nn.Conv2d(3, 8, 3, padding=1, padding_mode='circular')", "CONV(3x3, 8, pad=1)", "`PAD`"),
        ("GlobalAveragePooling2D(keepdims=True)", "GAP", "`GAP` yields a vector"),
        ("BatchNormalization(scale=False)", "BN", "`affine` covers both"),
        ("BatchNormalization(scale=False, center=False)", "BN(affine=no)", "`affine` covers both"),
        (
            "UPSAMPLE(2, bilinear, align_corners=True)",
            "UPSAMPLE(2, bilinear)",
            "between the centres",
        ),
        ("Dense(4, kernel_constraint=max_norm(2))", "FC(4)", "`kernel_constraint` has no"),
        ("Dense(4, bias_initializer='ones')", "FC(4)", "`bias_value=0.1`"),
        ("nn.Upsample(size=(64, 64))", "UPSAMPLE", "takes a factor"),
    ],
)
def test_the_help_says_what_it_leaves_out(written: str, meant: str, said: str) -> None:
    """An argument that netc's layer has not is named behind the call, and the call compiles."""
    help = help_of(netc.compile, f"INPUT(32x32x3) -> {written} -> FC(2)") or ""
    assert help.startswith(f"write `{meant}`; ")
    assert said in help
    netc.compile(f"INPUT(32x32x3) -> {meant} -> FC(2)")


def test_a_causal_convolution_pads_in_front() -> None:
    """Keras' `padding="causal"` is a padding in front, as long as the dilated kernel less one."""
    with pytest.raises(netc.NetError) as refused:
        netc.compile(
            'INPUT(9x4, sequence) -> Conv1D(8, 3, padding="causal", dilation_rate=2) -> FC'
        )
    meant = "PAD((4, 0), axis=length) -> CONV(8, kernel=3, pad=valid, dilation=2)"
    assert refused.value.diagnostics[0].help == f"write `{meant}`"
    assert netc.compile(f"INPUT(9x4, sequence) -> {meant}").outputs[0].shape == ("N", 9, 8)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nn.LSTM(64, 128)", "LSTM(128)"),
        ("SimpleRNN(32)", "RNN(32, last)"),
        ("BiGRU(128)", "GRU(128, last, direction=both)"),
        ("nn.TransformerEncoderLayer(d_model=16, nhead=2, dim_feedforward=32)", "LINEAR(32)"),
        ("TimeDistributed(Dense(12))", "LINEAR(12)"),
    ],
)
def test_a_recipe_holds_the_numbers_of_the_call(written: str, meant: str) -> None:
    """What netc has not is written by other layers, with the sizes that the author gave."""
    assert meant in help_of(netc.compile, f"INPUT(10x16, sequence) -> {written} -> FC")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("INPUT(224, 224, 3)", "INPUT(224x224x3)"),
        ("INPUT(None, 32, 32, 3)", "INPUT(32x32x3)"),
        ("INPUT(64x64x3, batch=32)", "INPUT(64x64x3)"),
        ("Input((28, 28, 1))", "INPUT(28x28x1)"),
    ],
)
def test_the_help_spells_the_input_without_its_batch(written: str, meant: str) -> None:
    """An input's extents are one size, and the batch is never written."""
    assert help_of(netc.compile, f"{written} -> GAP -> FC(2)") == f"write `{meant}`"
    netc.compile(f"{meant} -> GAP -> FC(2)")


@pytest.mark.parametrize("written", ["CONV(0.5)", "POOL(2.5)", "CONV(3x3, n)", "CONV(True)"])
def test_the_help_spells_no_call_that_is_refused(written: str) -> None:
    """Values that our argument does not take are not put into a corrected call."""
    assert "write `" not in help_of(netc.compile, f"INPUT(32x32x3) -> {written} -> FC(2)")


def test_the_help_for_a_sequence_spells_a_kernel_of_one_number() -> None:
    """A 1-D kernel is a keyword, which goes behind the counts."""
    refused = failure_of(netc.compile, "INPUT(16x3, sequence) -> Conv1d(3, 8, 5) -> FC(2)")
    assert refused.diagnostics[0].help == "write `CONV(8, kernel=5)`"
    netc.compile("INPUT(16x3, sequence) -> CONV(8, kernel=5) -> FC(2)")


@pytest.mark.parametrize("written", ["nn.GRU(3, 8)", "nn.Fold(3)", "nn.GLU()"])
def test_a_layer_of_another_framework_is_named_as_such(written: str) -> None:
    """No step of the help is invented from the numbers of a layer that netc has not."""
    first = failure_of(netc.compile, f"INPUT -> {written} -> FC(2)").diagnostics[0]
    assert "of another framework" in first.message
    assert "FC(" not in (first.help or "")


@pytest.mark.parametrize(
    ("program", "meant"),
    [
        (
            "class Net(nn.Module):\n  def __call__(self, x):\n"
            "    x = nn.Conv(features=32, kernel_size=(3, 3))(x)\n    x = nn.relu(x)\n"
            "    x = nn.Dense(features=10)(x)\n    return x\n",
            "INPUT -> CONV(3x3, 32) -> RELU -> FC(10)",
        ),
        (
            "net = nn.Sequential()\nnet.add(nn.Conv2D(channels=6, kernel_size=5),"
            " nn.MaxPool2D(pool_size=2, strides=2), nn.Dense(10))\n",
            "INPUT -> CONV(5x5, 6, pad=valid) -> MAXPOOL(2x2, stride=2) -> FC(10)",
        ),
        (
            "import tensorflow as tf\nx = tf.placeholder(tf.float32, [None, 784])\n"
            "h = tf.layers.dense(x, 128, activation=tf.nn.relu)\ny = tf.layers.dense(h, 10)\n",
            "INPUT(784) -> FC(128) -> RELU -> FC(10)",
        ),
    ],
)
def test_a_program_is_told_with_all_its_layers(program: str, meant: str) -> None:
    """Flax's calls, Gluon's `add` of several and TensorFlow 1's functions keep their arguments."""
    assert failure_of(netc.compile, program).diagnostics[0].help == f"write `{meant}`"


def test_a_line_without_an_arrow_is_told_to_continue_the_chain() -> None:
    """Layers on lines of their own keep their arguments in the help."""
    refused = failure_of(netc.compile, "INPUT\nCONV(5x5, 8)\nFC(10)")
    helps = [each.help for each in refused.diagnostics]
    assert helps[0] == "write `-> CONV(5x5, 8)` to continue the chain above"


@pytest.mark.parametrize("written", ["Add()([])", "CONV(3x3)( )", "nn.ReLU()()"])
def test_a_layer_that_is_applied_to_nothing_is_refused(written: str) -> None:
    """An empty application is answered by a diagnostic."""
    with pytest.raises(netc.NetError):
        netc.compile(f"INPUT -> {written}")


@pytest.mark.parametrize("line", ["model.summary()", "loss.backward()", "optimizer.step()"])
def test_a_method_of_a_training_script_is_to_be_removed(line: str) -> None:
    """Its parentheses are not told as an empty group of branches."""
    refused = failure_of(netc.compile, f"INPUT -> FC\n{line}\n")
    assert "calls no methods" in refused.diagnostics[0].message


def test_a_program_with_a_recurrent_layer() -> None:
    """Keras' layers hand on the last state, if they are not told to return sequences."""
    refused = failure_of(
        netc.compile, "model = keras.Sequential([\n  layers.LSTM(64),\n  layers.Dense(10),\n])\n"
    )
    assert "LSTM(64, last) -> FC(10)" in (refused.diagnostics[0].help or "")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("RESNET18", "netc zoo"),
        ("torchvision.models.vgg16()", "netc zoo"),
        ("NORM", "normalizations are `BN`"),
        ("BiLSTM(64)", "LSTM(64, direction=both)"),
        ("OUTPUT", "the end of the chain is the output"),
        ("LOSS", "train { loss = cross_entropy }"),
        ("CROSS_ENTROPY", "train { loss = cross_entropy }"),
        ("MSE", "train { loss = mse }"),
        ("ARGMAX", 'op("ArgMax", axis=1, keepdims=0)'),
        ("...", "[CONV -> RELU]*3"),
        ("…", "[CONV -> RELU]*3"),
    ],
)
def test_a_step_that_is_no_layer_is_told_where_it_belongs(step: str, said: str) -> None:
    """Ends of a chain, losses and dots are not answered with a layer."""
    assert said in help_of(netc.compile, f"INPUT -> FC(10) -> {step}")


def test_a_dense_layer_takes_no_width_of_its_input() -> None:
    """Keras' `input_dim` is an input in front, and not a second count."""
    program = "model = Sequential()\nmodel.add(Dense(64, input_dim=20))\nmodel.add(Dense(1))"
    assert help_of(netc.compile, program) == "write `INPUT(20) -> FC(64) -> FC(1)`"
