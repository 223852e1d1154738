"""Each rule: operators in the forms that exporters write -> the layers that they are."""

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper, parser
from support.onnx_models import computed

import netc

HEADER = '<ir_version: 8, opset_import: ["" : 20]>\n'
# A name, the weights' shapes, the graph, and the layers that it is.
ROWS: dict[str, tuple[dict[str, tuple[int, ...]], str, list[str]]] = {
    "a convolution by a dense layer's matrix": (
        {"w": (4, 3)},
        """g (float[N,3,5,5] x) => (float[N,4,5,5] y) {
            axes = Constant<value_ints = [2, 3]>()
            taps = Unsqueeze(w, axes)
            y = Conv<kernel_shape = [1, 1]>(x, taps)
        }""",
        ["LINEAR"],
    ),
    "a matrix that is stored the other way": (
        {"w": (4, 3), "b": (4,)},
        """g (float[N,5,3] x) => (float[N,5,4] y) {
            t = Transpose<perm = [1, 0]>(w)
            p = MatMul(x, t)
            y = Add(p, b)
        }""",
        ["LINEAR"],
    ),
    "a factor per channel, shaped": (
        {"w": (3,)},
        """g (float[N,3,5,5] x) => (float[N,3,5,5] y) {
            shape = Constant<value_ints = [3, 1, 1]>()
            f = Reshape(w, shape)
            y = Mul(x, f)
        }""",
        ["SCALE"],
    ),
    "a learned tensor with a batch of one": (
        {"w": (1, 3)},
        "g (float[N,3] x) => (float[N,3] y) { y = Mul(x, w) }",
        ["PARAM", "MUL"],
    ),
    "a centred layer normalization": (
        {"s": (4,), "b": (4,)},
        """g (float[N,5,4] x) => (float[N,5,4] y) {
            axes = Constant<value_ints = [-1]>()
            m = ReduceMean(x, axes)
            c = Sub(x, m)
            y = LayerNormalization(c, s, b)
        }""",
        ["LN"],
    ),
    "constants that are not those of the paper": (
        {},
        "g (float[N,4] x) => (float[N,4] y) { y = Selu<alpha = 2.0, gamma = 3.0>(x) }",
        ["Selu"],
    ),
    "a threshold": (
        {},
        """g (float[N,4] x) => (float[N,4] y) {
            zero = Constant<value_float = 0.0>()
            r = GreaterOrEqual(x, zero)
            y = Cast<to = 1>(r)
        }""",
        ["STEP"],
    ),
    "a dot product": (
        {},
        """g (float[N,4] a, float[N,4] b) => (float[N,1] y) {
            axes = Constant<value_ints = [1]>()
            p = Mul(a, b)
            y = ReduceSum(p, axes)
        }""",
        ["DOT"],
    ),
    "a reduction that keeps an axis": (
        {},
        """g (float[N,5,4] x) => (float[N,1,4] y) {
            axes = Constant<value_ints = [1]>()
            y = ReduceMax(x, axes)
        }""",
        ["REDUCE"],
    ),
    "a reduction that drops an image's rows": (
        {},
        """g (float[N,4,5,6] x) => (float[N,4,6] y) {
            axes = Constant<value_ints = [2]>()
            y = ReduceMean<keepdims = 0>(x, axes)
        }""",
        ["REDUCE", "PERMUTE"],
    ),
    "one row of an image as square as it is deep": (
        {},
        """g (float[N,4,5,4] x) => (float[N,4,4] y) {
            row = Constant<value_int = 2>()
            y = Gather<axis = 2>(x, row)
        }""",
        ["SLICE", "PERMUTE"],
    ),
    "an image as a sequence of its positions": (
        {},
        """g (float[N,3,4,4] x) => (float[N,16,3] y) {
            shape = Constant<value_ints = [0, 3, 16]>()
            r = Reshape(x, shape)
            y = Transpose<perm = [0, 2, 1]>(r)
        }""",
        ["RESHAPE"],
    ),
    "a sequence as an image with channels last": (
        {"w": (2, 3, 1, 1)},
        """g (float[N,16,3] x) => (float[N,2,4,4] y) {
            shape = Constant<value_ints = [0, 4, 4, 3]>()
            r = Reshape(x, shape)
            t = Transpose<perm = [0, 3, 1, 2]>(r)
            y = Conv(t, w)
        }""",
        ["RESHAPE", "CONV"],
    ),
    "a vector as a pixel with channels last": (
        {},
        """g (float[N,3,4,4] x, float[N,3] z) => (float[N,3,4,4] y) {
            t = Transpose<perm = [0, 2, 3, 1]>(x)
            axes = Constant<value_ints = [1, 2]>()
            u = Unsqueeze(z, axes)
            m = Mul(t, u)
            y = Transpose<perm = [0, 3, 1, 2]>(m)
        }""",
        ["RESHAPE", "MUL"],
    ),
    "a size that is computed": (
        {},
        """g (float[N,3,4,4] x) => (float[N,3,8,8] y) {
            all = Shape(x)
            zero = Constant<value_ints = [0]>()
            two = Constant<value_ints = [2]>()
            first = Slice(all, zero, two)
            size = Constant<value_ints = [8, 8]>()
            whole = Concat<axis = 0>(first, size)
            y = Resize<mode = "nearest", coordinate_transformation_mode = "asymmetric",
                       nearest_mode = "floor">(x, , , whole)
        }""",
        ["UPSAMPLE"],
    ),
    "the middle of an image": (
        {},
        """g (float[N,3,9,9] x) => (float[N,3,7,6] y) {
            starts = Constant<value_ints = [1, 1]>()
            ends = Constant<value_ints = [8, -2]>()
            axes = Constant<value_ints = [2, 3]>()
            y = Slice(x, starts, ends, axes)
        }""",
        ["CROP"],
    ),
    "a mean over windows": (
        {},
        """g (float[N,3,9,9] x) => (float[N,3,9,9] y) {
            y = AveragePool<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(x)
        }""",
        ["POOL"],
    ),
    "a hard swish in pieces": (
        {},
        """g (float[N,4] x) => (float[N,4] y) {
            three = Constant<value_float = 3.0>()
            least = Constant<value_float = 0.0>()
            most = Constant<value_float = 6.0>()
            s = Add(x, three)
            c = Clip(s, least, most)
            p = Mul(x, c)
            y = Div(p, most)
        }""",
        ["HARDSWISH"],
    ),
    "a soft sign in pieces": (
        {},
        """g (float[N,4] x) => (float[N,4] y) {
            one = Constant<value_float = 1.0>()
            a = Abs(x)
            d = Add(a, one)
            y = Div(x, d)
        }""",
        ["SOFTSIGN"],
    ),
    "the first rows of a table of positions": (
        {"table": (7, 4)},
        """g (float[N,5,4] x) => (float[N,5,4] y) {
            rows = Constant<value_ints = [0, 1, 2, 3, 4]>()
            p = Gather(table, rows)
            y = Add(x, p)
        }""",
        ["POSEMBED"],
    ),
    "rows before a sequence": (
        {},
        """g (float[N,5,4] x) => (float[N,7,4] y) {
            pads = Constant<value_ints = [0, 2, 0, 0, 0, 0]>()
            y = Pad(x, pads)
        }""",
        ["PAD"],
    ),
    "a border around an image": (
        {},
        """g (float[N,3,4,4] x) => (float[N,3,6,7] y) {
            pads = Constant<value_ints = [0, 0, 1, 1, 0, 0, 1, 2]>()
            y = Pad<mode = "reflect">(x, pads)
        }""",
        ["PAD"],
    ),
    "factors with a name that says nothing": (
        {"val_3": (1, 3, 1, 1)},
        "g (float[N,3,9,9] x) => (float[N,3,9,9] y) { y = Mul(x, val_3) }",
        ["PARAM", "MUL"],
    ),
    "a pool that is undone": (
        {},
        """g (float[N,3,8,8] x) => (float[N,3,8,8] y) {
            p, i = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x)
            y = MaxUnpool<kernel_shape = [2, 2], strides = [2, 2]>(p, i)
        }""",
        ["POOL", "UNPOOL"],
    ),
}


def model_of(weights: dict[str, tuple[int, ...]], text: str) -> ModelProto:
    """A model with random weights of shapes."""
    model = parser.parse_model(HEADER + text)
    random = np.random.default_rng(0)
    for name, shape in weights.items():
        array = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    return model


def kinds_of(net: netc.Network) -> list[str]:
    """The layers but the inputs."""
    return [layer.kind for layer in net.graph.layers.values() if layer.kind != "INPUT"]


def test_a_batch_that_is_open_does_not_open_others() -> None:
    """A leading 1 beside a batch `N` stays one, where `ADD` would align a vector."""
    text = """g (float[N,3] x) => (float[1,N,4] y) {
        p = MatMul(x, w)
        zero = Constant<value_ints = [0]>()
        h = Unsqueeze(p, zero)
        y = Add(h, p)
    }"""
    model = model_of({"w": (3, 4)}, text)
    check_numbers(netc.load_onnx(model.SerializeToString()), model)


@pytest.mark.parametrize("name", ROWS)
def test_operators_are_layers(name: str) -> None:
    """The layers are those of a program by hand, with the same weights and the same results."""
    weights, text, kinds = ROWS[name]
    model = model_of(weights, text)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == kinds
    assert net.params == sum(int(np.prod(shape)) for shape in weights.values())
    check_numbers(net, model)


def check_numbers(net: netc.Network, model: ModelProto) -> None:
    """What a network yields is what onnxruntime computes."""
    random = np.random.default_rng(1)
    feeds = {
        spec.name: random.standard_normal(
            [d if isinstance(d, int) else 2 for d in spec.shape]
        ).astype(np.float32)
        for spec in net.inputs
    }
    (wanted,) = computed(model, feeds)
    found = net.run(feeds)
    assert isinstance(found, np.ndarray)
    assert np.linalg.norm(found - wanted) <= 1e-4 * np.linalg.norm(wanted)


def attention_of(*, first: str, scale: str, mask: str = "") -> ModelProto:
    """Attention of 2 heads in the form of a packed dense layer on (N, L, E) or (L, N, E)."""
    order, back = {"N": ("2, 0, 3, 1, 4", "0, 2, 1, 3"), "L": ("2, 1, 3, 0, 4", "2, 0, 1, 3")}[
        first
    ]
    rows = "0, 0, 3, 2, 4"
    size = "float[N,5,8]" if first == "N" else "float[5,N,8]"
    text = f"""g ({size} x) => ({size} y) {{
        p = MatMul(x, w)
        h = Add(p, b)
        parts = Constant<value_ints = [{rows}]>()
        r = Reshape(h, parts)
        t = Transpose<perm = [{order}]>(r)
        q3, k3, v3 = Split<axis = 0, num_outputs = 3>(t)
        zero = Constant<value_ints = [0]>()
        q = Squeeze(q3, zero)
        k = Squeeze(k3, zero)
        v = Squeeze(v3, zero)
        kt = Transpose<perm = [0, 1, 3, 2]>(k)
        {scale}
        {mask or "s = Identity(scores)"}
        a = Softmax<axis = -1>(s)
        c = MatMul(a, v)
        o = Transpose<perm = [{back}]>(c)
        width = Constant<value_ints = [0, 0, 8]>()
        j = Reshape(o, width)
        z = MatMul(j, u)
        y = Add(z, d)
    }}"""
    return model_of({"w": (8, 24), "b": (24,), "u": (8, 8), "d": (8,)}, text)


ONCE = "f = Constant<value_float = 0.5>()\n raw = MatMul(q, kt)\n scores = Mul(raw, f)"
DIVIDED = "f = Constant<value_float = 2.0>()\n raw = MatMul(q, kt)\n scores = Div(raw, f)"
HALVES = """f = Constant<value_float = 0.70710678>()
    qs = Mul(q, f)
    ks = Mul(kt, f)
    scores = MatMul(qs, ks)"""
CAUSAL = "s = Add(scores, m)"


@pytest.mark.parametrize("first", ["N", "L"])
@pytest.mark.parametrize("scale", [ONCE, DIVIDED, HALVES], ids=["once", "divided", "on both sides"])
@pytest.mark.parametrize("mask", ["", CAUSAL], ids=["all", "causal"])
def test_attention_is_one_layer(first: str, scale: str, mask: str) -> None:
    """Whatever comes first, however scores are scaled, and with a mask of the future or without."""
    model = attention_of(first=first, scale=scale, mask=mask)
    if mask:
        future = np.triu(np.full((1, 1, 5, 5), -1e9, np.float32), 1)
        model.graph.node.insert(
            0, helper.make_node("Constant", [], ["m"], value=numpy_helper.from_array(future))
        )
    net = netc.load_onnx(model.SerializeToString())
    moved = ["Transpose"] if first == "L" else []
    assert kinds_of(net) == [*moved, "ATTENTION", *moved]
    (layer,) = (each for each in net.graph.layers.values() if each.kind == "ATTENTION")
    assert layer.arguments["heads"] == 2
    assert layer.arguments["causal"] is bool(mask)
    assert net.params == 4 * 8 * 9
    check_numbers(net, model)


def test_a_computed_mask_is_named() -> None:
    """Numbers that another input gives, and that are added to the scores."""
    model = attention_of(first="N", scale=ONCE, mask="m4 = Neg(m)\n s = Add(scores, m4)")
    extents: list[str | int | None] = ["N", 1, 5, 5]
    model.graph.input.append(helper.make_tensor_value_info("m", 1, extents))
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["NEG", "ATTENTION"]
    check_numbers(net, model)


def test_tokens_are_embedded() -> None:
    """Rows of a table are real numbers, whatever the tokens are."""
    text = "g (int64[N,5] x) => (float[N,5,4] y) { y = Gather(table, x) }"
    model = model_of({"table": (7, 4)}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["EMBED"]
    tokens = np.arange(10).reshape(2, 5) % 7
    (wanted,) = computed(model, {"x": tokens})
    np.testing.assert_array_equal(net.run(tokens), wanted)


def test_masks_and_factors_are_no_parameters() -> None:
    """What exporters have computed is not learned, unless it may be a bias or positions."""
    text = """g (float[N,5] x) => (float[N,5] y) {
        a = Mul(x, val_1)
        b = Sub(a, val_2)
        y = Add(b, mask)
    }"""
    model = model_of({"val_1": (1,), "val_2": (5,), "mask": (5,)}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert net.params == 0
    check_numbers(net, model)


def test_ones_of_a_module_are_learned() -> None:
    """A module's name may begin with a digit; only what exporters name by themselves is not."""
    text = "g (float[N,5,4] x) => (float[N,5,4] y) { y = LayerNormalization(x, s, b) }"
    model = model_of({}, text)
    for old, new, number in (("s", "1.norm.weight", 1), ("b", "1.norm.bias", 0)):
        model.graph.initializer.append(numpy_helper.from_array(np.full(4, number, np.float32), new))
        inputs = model.graph.node[0].input
        inputs[list(inputs).index(old)] = new
    net = netc.load_onnx(model.SerializeToString())
    assert (kinds_of(net), net.params) == (["LN"], 8)


CLASSICAL = """<ir_version: 8, opset_import: ["" : 20, "ai.onnx.ml" : 3]>
g (float[N,3] x) => (int64[N] label, float[N,2] scores) {
    z = ai.onnx.ml.Scaler<offset = [0.0, 1.0, 2.0], scale = [1.0, 2.0, 3.0]>(x)
    label, scores = ai.onnx.ml.LinearClassifier<
        classlabels_ints = [4, 7], coefficients = [1.0, 2.0, 3.0, -1.0, -2.0, -3.0],
        intercepts = [0.5, -0.5], post_transform = "SOFTMAX">(z)
}"""


def test_classical_models_are_read() -> None:
    """Operators of `ai.onnx.ml` are layers of their own names, and their types are known."""
    net = netc.load_onnx(parser.parse_model(CLASSICAL).SerializeToString())
    assert kinds_of(net) == ["ai.onnx.ml.Scaler", "ai.onnx.ml.LinearClassifier"]
    assert [str(v.type) for v in net.graph.outputs.values()] == ["int64[N]", "float32[N, 2]"]


def test_another_factor_is_no_attention() -> None:
    """Scores that are scaled otherwise than by the square root of the features stay operators."""
    model = attention_of(first="N", scale=ONCE.replace("0.5", "0.25"))
    net = netc.load_onnx(model.SerializeToString())
    assert "ATTENTION" not in kinds_of(net)
    check_numbers(net, model)
