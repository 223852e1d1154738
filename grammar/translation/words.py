"""What other frameworks call layers, arguments and values, a row each: words, no syntax.

PyTorch, Keras, Caffe, ONNX and whiteboards have other names. A row of `LAYERS` says what a name is
called here and what its positional arguments are, in their order; `KEYWORDS` and `VALUES` do the
same for keywords and values. A name of netc's own has a row where people call it as they are used
to: `POOL(2)`, `CONV(3, 64, 3)`.
"""

from collections.abc import Mapping
from typing import NamedTuple

DROP = "_"  # an argument that netc infers or does not need


class Row(NamedTuple):
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
_HARDTANH = 'op("HardSigmoid", alpha=0.5, beta=0.5) -> NORMALIZE(mean=0.5, std=0.5)'

# Names in lower case, without `_` and without the number of spatial axes (`conv` for `Conv2d`).
LAYERS: Mapping[str, Row] = {
    "input": Row("INPUT", "size size size size"),
    **dict.fromkeys(("image", "inputdata"), Row("INPUT", "size size size size")),
    "inputlayer": Row("INPUT", "size size size size"),
    "placeholder": Row("INPUT", "_ size"),
    "data": Row("INPUT", "size size size size"),
    "dense": Row("FC", "units activation bias"),
    "linear": Row("FC", "_ units bias"),
    "lazylinear": Row("FC", "units bias"),
    "innerproduct": Row("FC", "units"),
    "fullyconnected": Row("FC", "units activation"),
    "fullconnected": Row("FC", "units activation"),
    "gemm": Row("FC", "units"),
    "matmul": Row("FC", "units"),
    **dict.fromkeys(
        ("output", "logits", "classifier", "prediction", "predictions"),
        Row("FC", "units activation"),
    ),
    "hidden": Row("FC", "units", after="RELU"),
    "fc": Row("FC", "_ units activation"),
    "conv": Row("CONV", _TORCH_CONV),
    "lazyconv": Row("CONV", _KERAS_CONV),
    "convolution": Row("CONV", _KERAS_CONV),
    "convtranspose": Row("UPCONV", _TORCH_UPCONV, given=("stride", "1")),
    "convolutiontranspose": Row("UPCONV", _KERAS_CONV, given=("stride", "1")),
    "transposedconv": Row("UPCONV", _KERAS_CONV),
    "deconvolution": Row("UPCONV", _KERAS_CONV),
    "deconv": Row("UPCONV", _KERAS_CONV),
    "upconv": Row("UPCONV", _TORCH_UPCONV),
    "depthwiseconv": Row("DWCONV", "kernel stride pad multiplier"),
    "dwconv": Row("DWCONV", "kernel _ _"),
    "depthwise": Row("DWCONV", "kernel _ _"),
    **dict.fromkeys(
        ("pointwise", "pointwiseconv"), Row("CONV", "filters", given=("kernel", "1x1"))
    ),
    **dict.fromkeys(("dilatedconv", "atrousconv"), Row("CONV", _KERAS_CONV)),
    "separableconv": Row("DWCONV", "filters kernel stride pad", after="CONV(1x1, {filters})"),
    "locallyconnected": Row("LOCAL", _KERAS_CONV),
    "maxpool": Row("MAXPOOL", _POOL),
    "maxpooling": Row("MAXPOOL", _POOL),
    "avgpool": Row("AVGPOOL", _POOL),
    "averagepool": Row("AVGPOOL", _POOL),
    "averagepooling": Row("AVGPOOL", _POOL),
    "avgpooling": Row("AVGPOOL", _POOL),
    "pool": Row("POOL", _POOL),
    "pooling": Row("POOL", _POOL),
    "lppool": Row("POOL", "p kernel stride", given=("mode", "lp")),
    "maxunpool": Row("UNPOOL", "_ _ _"),
    "adaptiveavgpool": Row("ADAPTIVEPOOL", "size"),
    "adaptivemaxpool": Row("ADAPTIVEPOOL", "size", given=("mode", "max")),
    "globalaveragepooling": Row("GAP", "_"),
    "globalaveragepool": Row("GAP", "_"),
    "globalavgpool": Row("GAP", "_"),
    "globalpool": Row("GAP", "_"),
    "gap": Row("GAP", "_"),
    "globalmaxpooling": Row("GMP", "_"),
    "globalmaxpool": Row("GMP", "_"),
    "gmp": Row("GMP", "_"),
    "batchnorm": Row("BN", "_ eps momentum affine"),
    "batchnormalization": Row("BN", "_ _ _"),
    "lazybatchnorm": Row("BN", "eps momentum affine"),
    "bn": Row("BN", "_"),
    "layernorm": Row("LN", "normalized eps"),
    "layernormalization": Row("LN", "_ _"),
    "ln": Row("LN", "_"),
    "groupnorm": Row("GN", "groups _ eps affine"),
    "groupnormalization": Row("GN", "groups"),
    "gn": Row("GN", "groups _"),
    "instancenorm": Row("IN", "_ eps _ affine", given=("affine", "no")),
    "instancenormalization": Row("IN", "_"),
    "in": Row("IN", "_"),
    "rmsnorm": Row("RMSNORM", "_ eps"),
    "rmsnormalization": Row("RMSNORM", "_"),
    "localresponsenorm": Row("LRN", "size alpha beta k"),
    "localresponsenormalization": Row("LRN", "size alpha beta k"),
    "normalization": Row("NORMALIZE", "_"),
    "leakyrelu": Row("LRELU", "slope"),
    "lrelu": Row("LRELU", "slope"),
    "prelu": Row("PRELU", "_"),
    "elu": Row("ELU", "alpha"),
    "celu": Row("CELU", "alpha"),
    "gelu": Row("GELU", "mode"),
    **{
        name.lower(): Row(name, "units")
        for name in (
            *("RELU", "RELU6", "SELU", "SIGMOID", "HARDSIGMOID", "SWISH", "SILU", "HARDSWISH"),
            *("MISH", "TANH", "SOFTPLUS", "SOFTSIGN", "STEP", "SOFTMAX", "LOGSOFTMAX"),
        )
    },
    "logistic": Row("SIGMOID", "units"),
    "heaviside": Row("STEP", "units"),
    "logsigmoid": Row("SIGMOID", "_", after="LOG"),
    "softmin": Row("SOFTMAX", "_", before="NEG"),
    "tanhshrink": Row("", "_", before="( ID | TANH ) -> SUB"),
    "hardtanh": Row("", "_ _", before=_HARDTANH),
    "hardshrink": Row("", "_", before='op("Shrink", lambd=0.5, bias=0.0)'),
    "softshrink": Row("", "_", before='op("Shrink", lambd=0.5, bias=0.5)'),
    "exponential": Row("EXP", "_"),
    **{name: Row(name.upper(), "_") for name in ("abs", "exp", "log", "sqrt", "square", "neg")},
    "threshold": Row("STEP", "_ _"),
    "activation": Row("", "activation"),
    "dropout": Row("DROPOUT", "rate _"),
    "spatialdropout": Row("DROPOUT", "rate"),
    "alphadropout": Row("DROPOUT", "rate"),
    "gaussiandropout": Row("DROPOUT", "rate"),
    "droppath": Row("DROPPATH", "rate"),
    "stochasticdepth": Row("DROPPATH", "rate _"),
    "flatten": Row("FLATTEN", "_ _"),
    "reshape": Row("RESHAPE", "size size size size"),
    "unflatten": Row("RESHAPE", "_ size"),
    "view": Row("RESHAPE", "size size size size"),
    "permute": Row("PERMUTE", "axes"),
    "transpose": Row("PERMUTE", "axes"),
    "embedding": Row("EMBED", "vocabulary width"),
    "embed": Row("EMBED", "vocabulary width"),
    "multiheadattention": Row("ATTENTION", "_ heads dropout"),
    "selfattention": Row("ATTENTION", "heads"),
    "attention": Row("ATTENTION", "_ heads"),
    "multiheaddotproductattention": Row("ATTENTION", "heads"),
    "mha": Row("ATTENTION", "heads"),
    "upsample": Row("UPSAMPLE", "_ factor mode"),
    "upsampling": Row("UPSAMPLE", "factor"),
    "interpolate": Row("UPSAMPLE", "_ factor mode"),
    "resize": Row("UPSAMPLE", "factor"),
    **dict.fromkeys(("pixelshuffle", "depthtospace"), Row("PIXELSHUFFLE", "factor")),
    "channelshuffle": Row("CHANNELSHUFFLE", "groups"),
    **dict.fromkeys(("zeropadding", "zeropad", "constantpad"), Row("PAD", "pad value")),
    **dict.fromkeys(("reflectionpad", "reflectpad"), Row("PAD", "pad", given=("mode", "reflect"))),
    **dict.fromkeys(("replicationpad", "replicatepad"), Row("PAD", "pad", given=("mode", "edge"))),
    "pad": Row("PAD", "pad mode"),
    "cropping": Row("CROP", "margin"),
    "identity": Row("ID", "_"),
    "noop": Row("ID", "_"),
    "add": Row("ADD"),
    "eltwise": Row("ADD"),
    **dict.fromkeys(("residual", "skip", "skipconnection", "shortcut", "sum", "plus"), Row("ADD")),
    "concatenate": Row("CONCAT"),
    "concat": Row("CONCAT"),
    "cat": Row("CONCAT"),
    "merge": Row("CONCAT"),
    "stack": Row("CONCAT"),
    "multiply": Row("MUL"),
    "mul": Row("MUL"),
    "subtract": Row("SUB"),
    "sub": Row("SUB"),
    "average": Row("MEAN"),
    "maximum": Row("MAX"),
    "dot": Row("DOT"),
}
MERGES = frozenset({"ADD", "CONCAT", "MUL", "SUB", "MEAN", "MAX", "DOT"})
ACTIVATIONS = frozenset(
    row.name for row in LAYERS.values() if row.positional == "units" and row.name.isupper()
) - {"FC"}

# Keywords of other frameworks, and of whiteboards, as netc's; `DROP` for what it infers.
KEYWORDS: Mapping[str, str] = {
    **dict.fromkeys(("kernel_size", "ksize", "pool_size", "kernel_shape", "filter_size"), "kernel"),
    **dict.fromkeys(("window", "window_shape", "window_size"), "kernel"),
    **dict.fromkeys(
        ("out_channels", "num_filters", "num_filter", "n_filters", "out_features"), "count"
    ),
    **dict.fromkeys(("num_output", "output_dim", "num_units", "n_units", "features"), "count"),
    **dict.fromkeys(("channels", "outputs", "hidden", "neurons", "nodes", "out", "size"), "count"),
    **dict.fromkeys(("num_classes", "n_classes", "num_hidden"), "count"),
    **dict.fromkeys(("strides", "subsample", "steps"), "stride"),
    **dict.fromkeys(("padding", "pads", "border_mode"), "pad"),
    **dict.fromkeys(("dilations", "dilation_rate"), "dilation"),
    **dict.fromkeys(("group", "num_groups"), "groups"),
    **dict.fromkeys(("use_bias", "bias_term", "biases"), "bias"),
    **dict.fromkeys(("kernel_initializer", "weight_init", "initializer"), "init"),
    **dict.fromkeys(
        ("p", "prob", "dropout_ratio", "dropout_rate", "dropout_prob", "drop_prob", "ratio"), "rate"
    ),
    **dict.fromkeys(("keep_prob", "keep"), "keep"),
    **dict.fromkeys(("max_value",), "ceiling"),
    **dict.fromkeys(("negative_slope", "alpha"), "slope"),
    **dict.fromkeys(("epsilon",), "eps"),
    **dict.fromkeys(("num_heads", "n_heads", "nhead"), "heads"),
    **dict.fromkeys(("input_dim", "num_embeddings", "vocab_size"), "vocabulary"),
    **dict.fromkeys(("embedding_dim", "embed_dim", "output_size"), "width"),
    **dict.fromkeys(("scale_factor", "upscale_factor", "scale"), "factor"),
    **dict.fromkeys(("depth_multiplier",), "multiplier"),
    **dict.fromkeys(("output_padding",), "output_pad"),
    **dict.fromkeys(("cropping",), "margin"),
    **dict.fromkeys(("ceil_mode",), "ceil"),
    **dict.fromkeys(("count_include_pad",), "count_pad"),
    **dict.fromkeys(("elementwise_affine",), "affine"),
    **dict.fromkeys(("trainable", "requires_grad"), "trainable"),
    **dict.fromkeys(("shape", "input_shape", "dims", "image_size"), "size"),
    **dict.fromkeys(("in_channels", "in_features", "num_features", "input_size", "dim"), DROP),
    **dict.fromkeys(("inplace", "data_format", "axis", "device", "dtype"), DROP),
    **dict.fromkeys(("num_channels", "num_parameters", "input_length", "seed", "dim0"), DROP),
    **dict.fromkeys(("track_running_stats", "add_zero_attn", "end_dim", "layout"), DROP),
    **dict.fromkeys(("batch", "batch_size", "return_indices", "key_dim"), DROP),
    **dict.fromkeys(("batch_first", "start_dim", "lower", "upper", "min_val", "max_val"), DROP),
    **dict.fromkeys(
        ("pool", "pool_type", "pooling", "type", "interpolation", "approximate"), "mode"
    ),
    **dict.fromkeys(("act", "nonlinearity", "activation_fn"), "activation"),
    **dict.fromkeys(("batch_norm", "batchnorm", "use_bn"), "bn"),
    **dict.fromkeys(("drop",), "dropout"),
    **dict.fromkeys(("label",), "name"),
    **dict.fromkeys(("normalized_shape",), "normalized"),
}
# Keywords of netc's own whose foreign meaning differs: looked up before `KEYWORDS`.
OWN: Mapping[str, frozenset[str]] = {
    "LRN": frozenset({"size", "alpha", "k"}),
    "ELU": frozenset({"alpha"}),
    "CELU": frozenset({"alpha"}),
    "CONCAT": frozenset({"axis"}),
    "POOL": frozenset({"p"}),
    "INPUT": frozenset({"size", "dtype"}),
    "PARAM": frozenset({"size", "dtype"}),
    "RESHAPE": frozenset({"size"}),
    "ADAPTIVEPOOL": frozenset({"size"}),
    "CROP": frozenset({"size"}),
    "WINDOW": frozenset({"size"}),
    "ATTENTION": frozenset({"dropout"}),
    "BN": frozenset({"scale"}),
    "LN": frozenset({"scale"}),
    "GN": frozenset({"scale"}),
    "PAD": frozenset({"value"}),
}
# The letters of textbooks, of layers that have a kernel.
LETTERS: Mapping[str, str] = {
    "k": "kernel",
    "s": "stride",
    "p": "pad",
    "d": "dilation",
    "rate": "dilation",
    "g": "groups",
    "f": "out_channels",
    "n": "out_channels",
}
NORMS = frozenset("BN LN GN IN RMSNORM".split())
WINDOWED = frozenset("CONV UPCONV DWCONV LOCAL POOL MAXPOOL AVGPOOL".split())
# Keywords that a layer infers, though they say something elsewhere.
INFERRED: Mapping[str, frozenset[str]] = {
    "ATTENTION": frozenset({"embed_dim"}),
    **dict.fromkeys(("FC", "LINEAR"), frozenset({"input_dim"})),
}
# What a count is called, by layer; `kernel` for pools, whose size is their window.
COUNTS: Mapping[str, str] = {
    **dict.fromkeys(("CONV", "UPCONV", "LOCAL"), "filters"),
    **dict.fromkeys(("FC", "LINEAR", "DROPCONNECT"), "units"),
    **dict.fromkeys(("POOL", "MAXPOOL", "AVGPOOL"), "kernel"),
    "UPSAMPLE": "factor",
    "DWCONV": "filters",
    "EMBED": "width",
    "ADAPTIVEPOOL": "size",
    "GN": "groups",
}
VALUES: Mapping[str, str] = {
    "True": "yes",
    "true": "yes",
    "TRUE": "yes",
    "False": "no",
    "false": "no",
    "FALSE": "no",
    **dict.fromkeys(
        ("he_normal", "he_uniform", "kaiming", "kaiming_normal", "kaiming_uniform"), "he"
    ),
    **dict.fromkeys(("glorot_uniform", "glorot_normal", "xavier", "xavier_uniform"), "glorot"),
    **dict.fromkeys(("lecun_normal", "lecun_uniform"), "lecun"),
    "zero": "zeros",
    "average": "avg",
    "mean": "avg",
    "MAX": "max",
    "AVE": "avg",
    "AVG": "avg",
    "SAME": "same",
    "VALID": "valid",
    "none": "none",
}
INTERPOLATIONS = frozenset({"nearest", "linear", "bilinear", "trilinear"})
SIZED = frozenset({"INPUT", "PARAM", "RESHAPE", "ADAPTIVEPOOL", "CROP", "WINDOW", "LRN"})
PER_AXIS = frozenset({"stride", "dilation", "pad", "output_pad"})
COUNTED = frozenset({"filters", "units", "groups", "heads", "vocabulary", "width", "factor"})

# Keywords that give the value that a function takes.
VALUED = frozenset({"inputs", "input", "bottom"})
