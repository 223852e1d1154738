"""What other frameworks call layers, arguments and values, a row each: words, no syntax.

PyTorch, Keras, Caffe, ONNX and whiteboards have other names. A row of `LAYERS` says what a name is
called here and what its positional arguments are, in their order; `KEYWORDS` and `VALUES` do the
same for keywords and values. A name of netc's own has a row where people call it as they are used
to: `POOL(2)`, `CONV(3, 64, 3)`.
"""

from collections.abc import Mapping
from typing import NamedTuple

DROP = "_"  # an argument that netc infers or does not need


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
_HARDTANH = 'op("HardSigmoid", alpha=0.5, beta=0.5) -> NORMALIZE(mean=0.5, std=0.5)'

# Names in lower case, without `_` and without the number of spatial axes (`conv` for `Conv2d`).
LAYERS: Mapping[str, OurLayer] = {
    "input": OurLayer("INPUT", "size size size size"),
    **dict.fromkeys(("image", "inputdata"), OurLayer("INPUT", "size size size size")),
    "inputlayer": OurLayer("INPUT", "size size size size"),
    "placeholder": OurLayer("INPUT", "_ size"),
    "data": OurLayer("INPUT", "size size size size"),
    "dense": OurLayer("FC", "units activation bias"),
    "linear": OurLayer("FC", "_ units bias"),
    "lazylinear": OurLayer("FC", "units bias"),
    "innerproduct": OurLayer("FC", "units"),
    "fullyconnected": OurLayer("FC", "units activation"),
    "fullconnected": OurLayer("FC", "units activation"),
    "gemm": OurLayer("FC", "units"),
    "matmul": OurLayer("FC", "units"),
    **dict.fromkeys(
        ("output", "logits", "classifier", "prediction", "predictions"),
        OurLayer("FC", "units activation"),
    ),
    "hidden": OurLayer("FC", "units", after="RELU"),
    "fc": OurLayer("FC", "_ units activation"),
    "conv": OurLayer("CONV", _TORCH_CONV),
    "lazyconv": OurLayer("CONV", _KERAS_CONV),
    "convolution": OurLayer("CONV", _KERAS_CONV),
    "convtranspose": OurLayer("UPCONV", _TORCH_UPCONV, given=("stride", "1")),
    "convolutiontranspose": OurLayer("UPCONV", _KERAS_CONV, given=("stride", "1")),
    "transposedconv": OurLayer("UPCONV", _KERAS_CONV),
    "deconvolution": OurLayer("UPCONV", _KERAS_CONV),
    "deconv": OurLayer("UPCONV", _KERAS_CONV),
    "upconv": OurLayer("UPCONV", _TORCH_UPCONV),
    "depthwiseconv": OurLayer("DWCONV", "kernel stride pad multiplier"),
    "dwconv": OurLayer("DWCONV", "kernel _ _"),
    "depthwise": OurLayer("DWCONV", "kernel _ _"),
    **dict.fromkeys(
        ("pointwise", "pointwiseconv"), OurLayer("CONV", "filters", given=("kernel", "1x1"))
    ),
    **dict.fromkeys(("dilatedconv", "atrousconv"), OurLayer("CONV", _KERAS_CONV)),
    "separableconv": OurLayer("DWCONV", "filters kernel stride pad", after="CONV(1x1, {filters})"),
    "locallyconnected": OurLayer("LOCAL", _KERAS_CONV),
    "maxpool": OurLayer("MAXPOOL", _POOL),
    "maxpooling": OurLayer("MAXPOOL", _POOL),
    "avgpool": OurLayer("AVGPOOL", _POOL),
    "averagepool": OurLayer("AVGPOOL", _POOL),
    "averagepooling": OurLayer("AVGPOOL", _POOL),
    "avgpooling": OurLayer("AVGPOOL", _POOL),
    "pool": OurLayer("POOL", _POOL),
    "pooling": OurLayer("POOL", _POOL),
    "lppool": OurLayer("POOL", "p kernel stride", given=("mode", "lp")),
    "maxunpool": OurLayer("UNPOOL", "_ _ _"),
    "adaptiveavgpool": OurLayer("ADAPTIVEPOOL", "size"),
    "adaptivemaxpool": OurLayer("ADAPTIVEPOOL", "size", given=("mode", "max")),
    "globalaveragepooling": OurLayer("GAP", "_"),
    "globalaveragepool": OurLayer("GAP", "_"),
    "globalavgpool": OurLayer("GAP", "_"),
    "globalpool": OurLayer("GAP", "_"),
    "gap": OurLayer("GAP", "_"),
    "globalmaxpooling": OurLayer("GMP", "_"),
    "globalmaxpool": OurLayer("GMP", "_"),
    "gmp": OurLayer("GMP", "_"),
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
    "instancenormalization": OurLayer("IN", "_"),
    "in": OurLayer("IN", "_"),
    "rmsnorm": OurLayer("RMSNORM", "_ eps"),
    "rmsnormalization": OurLayer("RMSNORM", "_"),
    "localresponsenorm": OurLayer("LRN", "size alpha beta k"),
    "localresponsenormalization": OurLayer("LRN", "size alpha beta k"),
    "normalization": OurLayer("NORMALIZE", "_"),
    "leakyrelu": OurLayer("LRELU", "slope"),
    "lrelu": OurLayer("LRELU", "slope"),
    "prelu": OurLayer("PRELU", "_"),
    "elu": OurLayer("ELU", "alpha"),
    "celu": OurLayer("CELU", "alpha"),
    "gelu": OurLayer("GELU", "mode"),
    **{
        name.lower(): OurLayer(name, "units")
        for name in (
            *("RELU", "RELU6", "SELU", "SIGMOID", "HARDSIGMOID", "SWISH", "SILU", "HARDSWISH"),
            *("MISH", "TANH", "SOFTPLUS", "SOFTSIGN", "STEP", "SOFTMAX", "LOGSOFTMAX"),
        )
    },
    "logistic": OurLayer("SIGMOID", "units"),
    "heaviside": OurLayer("STEP", "units"),
    "logsigmoid": OurLayer("SIGMOID", "_", after="LOG"),
    "softmin": OurLayer("SOFTMAX", "_", before="NEG"),
    "tanhshrink": OurLayer("", "_", before="( ID | TANH ) -> SUB"),
    "hardtanh": OurLayer("", "_ _", before=_HARDTANH),
    "hardshrink": OurLayer("", "_", before='op("Shrink", lambd=0.5, bias=0.0)'),
    "softshrink": OurLayer("", "_", before='op("Shrink", lambd=0.5, bias=0.5)'),
    "exponential": OurLayer("EXP", "_"),
    **{
        name: OurLayer(name.upper(), "_") for name in ("abs", "exp", "log", "sqrt", "square", "neg")
    },
    "threshold": OurLayer("STEP", "_ _"),
    "activation": OurLayer("", "activation"),
    "dropout": OurLayer("DROPOUT", "rate _"),
    "spatialdropout": OurLayer("DROPOUT", "rate"),
    "alphadropout": OurLayer("DROPOUT", "rate"),
    "gaussiandropout": OurLayer("DROPOUT", "rate"),
    "droppath": OurLayer("DROPPATH", "rate"),
    "stochasticdepth": OurLayer("DROPPATH", "rate _"),
    "flatten": OurLayer("FLATTEN", "_ _"),
    "reshape": OurLayer("RESHAPE", "size size size size"),
    "unflatten": OurLayer("RESHAPE", "_ size"),
    "view": OurLayer("RESHAPE", "size size size size"),
    "permute": OurLayer("PERMUTE", "axes"),
    "transpose": OurLayer("PERMUTE", "axes"),
    "embedding": OurLayer("EMBED", "vocabulary width"),
    "embed": OurLayer("EMBED", "vocabulary width"),
    "multiheadattention": OurLayer("ATTENTION", "_ heads dropout"),
    "selfattention": OurLayer("ATTENTION", "heads"),
    "attention": OurLayer("ATTENTION", "_ heads"),
    "multiheaddotproductattention": OurLayer("ATTENTION", "heads"),
    "mha": OurLayer("ATTENTION", "heads"),
    "upsample": OurLayer("UPSAMPLE", "_ factor mode"),
    "upsampling": OurLayer("UPSAMPLE", "factor"),
    "interpolate": OurLayer("UPSAMPLE", "_ factor mode"),
    "resize": OurLayer("UPSAMPLE", "factor"),
    **dict.fromkeys(("pixelshuffle", "depthtospace"), OurLayer("PIXELSHUFFLE", "factor")),
    "channelshuffle": OurLayer("CHANNELSHUFFLE", "groups"),
    **dict.fromkeys(("zeropadding", "zeropad", "constantpad"), OurLayer("PAD", "pad value")),
    **dict.fromkeys(
        ("reflectionpad", "reflectpad"), OurLayer("PAD", "pad", given=("mode", "reflect"))
    ),
    **dict.fromkeys(
        ("replicationpad", "replicatepad"), OurLayer("PAD", "pad", given=("mode", "edge"))
    ),
    "pad": OurLayer("PAD", "pad mode"),
    "cropping": OurLayer("CROP", "margin"),
    "identity": OurLayer("ID", "_"),
    "noop": OurLayer("ID", "_"),
    "add": OurLayer("ADD"),
    "eltwise": OurLayer("ADD"),
    **dict.fromkeys(
        ("residual", "skip", "skipconnection", "shortcut", "sum", "plus"), OurLayer("ADD")
    ),
    "concatenate": OurLayer("CONCAT"),
    "concat": OurLayer("CONCAT"),
    "cat": OurLayer("CONCAT"),
    "merge": OurLayer("CONCAT"),
    "stack": OurLayer("CONCAT"),
    "multiply": OurLayer("MUL"),
    "mul": OurLayer("MUL"),
    "subtract": OurLayer("SUB"),
    "sub": OurLayer("SUB"),
    "average": OurLayer("MEAN"),
    "maximum": OurLayer("MAX"),
    "dot": OurLayer("DOT"),
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
