"""What other frameworks call layers, arguments and values, a row each: words, no syntax.

PyTorch, Keras, Caffe, ONNX and whiteboards have other names. A row of `OUR_LAYERS` says what a name
is called here and what its positional arguments are, in their order; `OUR_KEYWORDS` and
`OUR_VALUES` do the same for keywords and values. A name of netc's own has a row where people call
it as they are used to: `POOL(2)`, `CONV(3, 64, 3)`.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

DROP = "_"  # an argument that netc infers or does not need


_T = TypeVar("_T")


def by_word(rows: Mapping[str, _T]) -> dict[str, _T]:
    """A table by word, from rows that hold for several words each."""
    return {word: value for words, value in rows.items() for word in words.split()}


class OurLayer(NamedTuple):
    """What a foreign layer is here.

    Attributes:
        name: netc's layer; nothing where only an argument says which.
        positional: For each positional argument, netc's keyword, or `DROP`.
        before, after: Steps that stand around it.
        given: What it is besides, in netc's words: keyword and value.
    """

    name: str
    positional: str = ""
    before: str = ""
    after: str = ""
    given: tuple[str, str] | None = None


_TORCH_CONV = "_ filters kernel stride pad dilation groups bias"
_TORCH_UPCONV = "_ filters kernel stride pad output_pad groups bias dilation"
_KERAS_CONV = "filters kernel stride pad"
_POOL = "kernel stride pad"
_ACTIVATIONS = (
    "RELU RELU6 SELU SIGMOID HARDSIGMOID SWISH SILU HARDSWISH MISH TANH SOFTPLUS SOFTSIGN STEP"
    " SOFTMAX LOGSOFTMAX"
)
_HARDTANH = 'op("HardSigmoid", alpha=0.5, beta=0.5) -> NORMALIZE(mean=0.5, std=0.5)'

# Names in lower case, without `_` and without the number of spatial axes (`conv` for `Conv2d`).
_ROWS: Mapping[str, OurLayer] = {
    "input image inputdata inputlayer data": OurLayer("INPUT", "size size size size"),
    "placeholder": OurLayer("INPUT", "_ size"),
    "dense": OurLayer("FC", "units activation bias"),
    "linear": OurLayer("FC", "_ units bias"),
    "lazylinear": OurLayer("FC", "units bias"),
    "innerproduct gemm matmul": OurLayer("FC", "units"),
    "fullyconnected fullconnected output logits classifier prediction predictions": OurLayer(
        "FC", "units activation"
    ),
    "hidden": OurLayer("FC", "units", after="RELU"),
    "fc": OurLayer("FC", "_ units activation"),
    "conv": OurLayer("CONV", _TORCH_CONV),
    "lazyconv convolution dilatedconv atrousconv": OurLayer("CONV", _KERAS_CONV),
    "convtranspose": OurLayer("UPCONV", _TORCH_UPCONV, given=("stride", "1")),
    "convolutiontranspose": OurLayer("UPCONV", _KERAS_CONV, given=("stride", "1")),
    "transposedconv tconv deconvolution deconv": OurLayer("UPCONV", _KERAS_CONV),
    "upconv": OurLayer("UPCONV", _TORCH_UPCONV),
    "depthwiseconv": OurLayer("DWCONV", "kernel stride pad multiplier"),
    "dwconv depthwise": OurLayer("DWCONV", "kernel _ _"),
    "pointwise pointwiseconv": OurLayer("CONV", "filters", given=("kernel", "1x1")),
    "separableconv": OurLayer("DWCONV", _KERAS_CONV, after="CONV(1x1, {filters})"),
    "locallyconnected": OurLayer("LOCAL", _KERAS_CONV),
    "maxpool maxpooling": OurLayer("MAXPOOL", _POOL),
    "avgpool averagepool averagepooling avgpooling": OurLayer("AVGPOOL", _POOL),
    "pool pooling": OurLayer("POOL", _POOL),
    "lppool": OurLayer("POOL", "p kernel stride", given=("mode", "lp")),
    "maxunpool": OurLayer("UNPOOL", "_ _ _"),
    "adaptiveavgpool": OurLayer("ADAPTIVEPOOL", "size"),
    "adaptivemaxpool": OurLayer("ADAPTIVEPOOL", "size", given=("mode", "max")),
    "globalaveragepooling globalaveragepool globalavgpool globalpool gap": OurLayer("GAP", "_"),
    "globalmaxpooling globalmaxpool gmp": OurLayer("GMP", "_"),
    "batchnorm": OurLayer("BN", "_ eps momentum affine"),
    "batchnormalization": OurLayer("BN", "_ _ _"),
    "lazybatchnorm": OurLayer("BN", "eps momentum affine"),
    "bn": OurLayer("BN", "_"),
    "layernorm": OurLayer("LN", "normalized eps"),
    "layernormalization": OurLayer("LN", "_ _"),
    "ln": OurLayer("LN", "_"),
    "groupnorm": OurLayer("GN", "groups _ eps affine"),
    "groupnormalization": OurLayer("GN", "groups"),
    "gn": OurLayer("GN", "groups _"),
    "instancenorm": OurLayer("IN", "_ eps _ affine", given=("affine", "no")),
    "instancenormalization in": OurLayer("IN", "_"),
    "rmsnorm": OurLayer("RMSNORM", "_ eps"),
    "rmsnormalization": OurLayer("RMSNORM", "_"),
    "localresponsenorm localresponsenormalization": OurLayer("LRN", "size alpha beta k"),
    "normalization": OurLayer("NORMALIZE", "_"),
    "leakyrelu lrelu": OurLayer("LRELU", "slope"),
    "prelu": OurLayer("PRELU", "_"),
    "elu": OurLayer("ELU", "alpha"),
    "celu": OurLayer("CELU", "alpha"),
    "gelu": OurLayer("GELU", "mode"),
    "logistic": OurLayer("SIGMOID", "units"),
    "heaviside": OurLayer("STEP", "units"),
    "logsigmoid": OurLayer("SIGMOID", "_", after="LOG"),
    "softmin": OurLayer("SOFTMAX", "_", before="NEG"),
    "tanhshrink": OurLayer("", "_", before="( ID | TANH ) -> SUB"),
    "hardtanh": OurLayer("", "_ _", before=_HARDTANH),
    "hardshrink": OurLayer("", "_", before='op("Shrink", lambd=0.5, bias=0.0)'),
    "softshrink": OurLayer("", "_", before='op("Shrink", lambd=0.5, bias=0.5)'),
    "exponential": OurLayer("EXP", "_"),
    "threshold": OurLayer("STEP", "_ _"),
    "activation": OurLayer("", "activation"),
    "dropout": OurLayer("DROPOUT", "rate _"),
    "spatialdropout alphadropout gaussiandropout": OurLayer("DROPOUT", "rate"),
    "gaussiannoise": OurLayer("NOISE", "scale _"),
    "droppath": OurLayer("DROPPATH", "rate"),
    "stochasticdepth": OurLayer("DROPPATH", "rate _"),
    "flatten": OurLayer("FLATTEN", "_ _"),
    "reshape view": OurLayer("RESHAPE", "size size size size"),
    "unflatten": OurLayer("RESHAPE", "_ size"),
    "permute transpose": OurLayer("PERMUTE", "axes"),
    "embedding embed": OurLayer("EMBED", "vocabulary width"),
    "multiheadattention": OurLayer("ATTENTION", "_ heads dropout"),
    "selfattention multiheaddotproductattention mha": OurLayer("ATTENTION", "heads"),
    "attention": OurLayer("ATTENTION", "_ heads"),
    "upsample interpolate": OurLayer("UPSAMPLE", "_ factor mode"),
    "upsampling": OurLayer("UPSAMPLE", "factor"),
    "resize": OurLayer("RESIZE", "size mode"),
    "pixelshuffle depthtospace": OurLayer("PIXELSHUFFLE", "factor"),
    "channelshuffle": OurLayer("CHANNELSHUFFLE", "groups"),
    "zeropadding zeropad constantpad": OurLayer("PAD", "pad value"),
    "reflectionpad reflectpad": OurLayer("PAD", "pad", given=("mode", "reflect")),
    "replicationpad replicatepad": OurLayer("PAD", "pad", given=("mode", "edge")),
    "pad": OurLayer("PAD", "pad mode"),
    "cropping": OurLayer("CROP", "margin"),
    "identity noop": OurLayer("ID", "_"),
    "detach stopgradient stopgrad stop gradientstop": OurLayer("DETACH", "_"),
    "add eltwise residual skip skipconnection shortcut sum plus": OurLayer("ADD"),
    "concatenate concat cat merge stack": OurLayer("CONCAT"),
    "multiply mul": OurLayer("MUL"),
    "subtract sub": OurLayer("SUB"),
    "average": OurLayer("MEAN"),
    "maximum": OurLayer("MAX"),
    "dot": OurLayer("DOT"),
}
OUR_LAYERS: Mapping[str, OurLayer] = {
    **by_word(_ROWS),
    **{name.lower(): OurLayer(name, "units") for name in _ACTIVATIONS.split()},
    **{name: OurLayer(name.upper(), "_") for name in "abs exp log sqrt square neg".split()},
}
MERGES = frozenset({"ADD", "CONCAT", "MUL", "SUB", "MEAN", "MAX", "DOT"})
ACTIVATION_LAYERS = frozenset(
    row.name for row in OUR_LAYERS.values() if row.positional == "units" and row.name.isupper()
) - {"FC"}


def _sets(words: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    return {key: frozenset(row.split()) for key, row in words.items()}


# Keywords of other frameworks, and of whiteboards, as netc's; `DROP` for what it infers.
OUR_KEYWORDS: Mapping[str, str] = by_word(
    {
        "kernel_size ksize pool_size kernel_shape filter_size window window_shape": "kernel",
        "window_size": "kernel",
        "out_channels num_filters num_filter n_filters out_features num_output": "count",
        "output_dim num_units n_units features channels outputs hidden neurons nodes": "count",
        "out size num_classes n_classes num_hidden": "count",
        "strides subsample steps": "stride",
        "padding pads border_mode": "pad",
        "dilations dilation_rate": "dilation",
        "group num_groups": "groups",
        "use_bias bias_term biases": "bias",
        "kernel_initializer weight_init initializer": "init",
        "p prob dropout_ratio dropout_rate dropout_prob drop_prob ratio": "rate",
        "keep_prob keep": "keep",
        "max_value": "ceiling",
        "negative_slope alpha": "slope",
        "epsilon": "eps",
        "num_heads n_heads nhead": "heads",
        "input_dim num_embeddings vocab_size": "vocabulary",
        "embedding_dim embed_dim output_size": "width",
        "scale_factor upscale_factor scale": "factor",
        "depth_multiplier": "multiplier",
        "output_padding": "output_pad",
        "cropping": "margin",
        "ceil_mode": "ceil",
        "align_corners": "align",
        "count_include_pad": "count_pad",
        "elementwise_affine": "affine",
        "trainable requires_grad": "trainable",
        "shape input_shape dims image_size": "size",
        "in_channels in_features num_features input_size dim inplace data_format axis": DROP,
        "device dtype num_channels num_parameters input_length seed dim0": DROP,
        "track_running_stats add_zero_attn end_dim layout batch batch_size": DROP,
        "return_indices key_dim batch_first start_dim lower upper min_val max_val": DROP,
        "pool pool_type pooling type interpolation approximate": "mode",
        "act nonlinearity activation_fn": "activation",
        "batch_norm batchnorm use_bn": "bn",
        "drop": "dropout",
        "label": "name",
        "normalized_shape": "normalized",
    }
)
# Keywords of netc's own whose foreign meaning differs: looked up before `KEYWORDS`.
OWN: Mapping[str, frozenset[str]] = _sets(
    {
        "size": "INPUT PARAM RESHAPE ADAPTIVEPOOL CROP WINDOW LRN RESIZE",
        "dtype": "INPUT PARAM",
        "alpha": "ELU CELU LRN",
        "scale": "BN LN GN",
        "k": "LRN",
        "p": "POOL",
        "axis": "CONCAT",
        "dropout": "ATTENTION",
        "value": "PAD",
    }
)
# The letters of textbooks, of layers that have a kernel.
LETTERS: Mapping[str, str] = by_word(
    {
        "k": "kernel",
        "s": "stride",
        "p": "pad",
        "d rate": "dilation",
        "g": "groups",
        "f n": "out_channels",
    }
)
NORM_LAYERS = frozenset("BN LN GN IN RMSNORM".split())
WINDOWED = frozenset("CONV UPCONV DWCONV LOCAL POOL MAXPOOL AVGPOOL".split())
# Keywords that a layer infers, though they say something elsewhere.
INFERRED: Mapping[str, frozenset[str]] = _sets({"embed_dim": "ATTENTION", "input_dim": "FC LINEAR"})
# What a count is called, by layer; `kernel` for pools, whose size is their window.
COUNT_KEYWORDS: Mapping[str, str] = by_word(
    {
        "CONV UPCONV LOCAL DWCONV": "filters",
        "FC LINEAR DROPCONNECT": "units",
        "POOL MAXPOOL AVGPOOL": "kernel",
        "UPSAMPLE": "factor",
        "EMBED": "width",
        "ADAPTIVEPOOL": "size",
        "GN": "groups",
    }
)
OUR_VALUES: Mapping[str, str] = by_word(
    {
        "True true TRUE": "yes",
        "False false FALSE": "no",
        "he_normal he_uniform kaiming kaiming_normal kaiming_uniform": "he",
        "glorot_uniform glorot_normal xavier xavier_uniform": "glorot",
        "lecun_normal lecun_uniform": "lecun",
        "zero": "zeros",
        "average mean AVE AVG": "avg",
        "MAX": "max",
        "bi bidirectional bidirect": "both",
        "float single": "float32",
        "double": "float64",
        "int integer long": "int64",
        "byte": "uint8",
        "reverse backwards": "backward",
        "SAME": "same",
        "VALID": "valid",
        "none": "none",
    }
)
INTERPOLATIONS = frozenset({"nearest", "linear", "bilinear", "trilinear"})
PER_AXIS = frozenset({"stride", "dilation", "pad", "output_pad", "margin"})
COUNTED = frozenset("filters units groups heads vocabulary width factor".split())

# Keywords that give the value that a function takes.
VALUED = frozenset({"inputs", "input", "bottom"})
