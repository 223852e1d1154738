"""Each rule: operators in the forms that exporters write -> the layers that they are."""

import numpy as np
import pytest
from onnx import numpy_helper, parser
from support.moved_axes_rows import ROWS as MOVED_AXES
from support.onnx_models import check_numbers, computed, kinds_of, model_of
from support.recognition_rows import ROWS

import netc


@pytest.mark.parametrize("name", [*ROWS, *MOVED_AXES])
def test_operators_are_layers(name: str) -> None:
    """The layers are those of a program by hand, with the same weights and the same results."""
    weights, text, kinds = {**ROWS, **MOVED_AXES}[name]
    model = model_of(weights, text)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == kinds
    assert net.params == sum(int(np.prod(shape)) for shape in weights.values())
    check_numbers(net, model)


def test_first_states_of_zeros_are_left_out() -> None:
    """However their extents are computed."""
    text = """g (float[N,5,3] x) => (float[1,N,4] y) {
        t = Transpose<perm = [1, 0, 2]>(x)
        one = Constant<value_ints = [1]>()
        four = Constant<value_ints = [4]>()
        all = Shape(x)
        zero = Constant<value_ints = [0]>()
        n = Gather(all, zero)
        size = Concat<axis = 0>(one, n, four)
        h = ConstantOfShape(size)
        states, y = GRU<hidden_size = 4>(t, w, r, , , h)
    }"""
    model = model_of({"w": (1, 12, 3), "r": (1, 12, 4)}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert (kinds_of(net), net.params) == (["Transpose", "GRU"], 12 * 7)
    check_numbers(net, model)


def test_the_gelu_of_tensorflow_is_one_layer() -> None:
    """`Erfc`, which ONNX does not define, is erf of what is negated."""
    form = """g (float[N,4] x) => (float[N,4] y) {{
        half = Constant<value_float = 0.5>()
        a = Mul(half, x)
        root = Constant<value_float = 0.70710678>()
        {gate}
        y = Mul(a, g)
    }}"""
    theirs = "n = Neg(x)\n z = Mul(n, root)\n g = Erfc(z)"
    ours = "z = Mul(x, root)\n e = Erf(z)\n i = Constant<value_float = 1.0>()\n g = Add(e, i)"
    net = netc.load_onnx(model_of({}, form.format(gate=theirs)).SerializeToString())
    assert kinds_of(net) == ["GELU"]
    check_numbers(net, model_of({}, form.format(gate=ours)))


def test_tokens_are_embedded() -> None:
    """Rows of a table are real numbers, whatever the tokens are."""
    text = "g (int64[N,5] x) => (float[N,5,4] y) { y = Gather(table, x) }"
    model = model_of({"table": (7, 4)}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["EMBED"]
    tokens = np.arange(10).reshape(2, 5) % 7
    (wanted,) = computed(model, {"x": tokens})
    np.testing.assert_array_equal(net.run(tokens), wanted)


def test_indices_that_are_turned_are_tokens() -> None:
    """TensorFlow adds the length of a table to indices that are negative; so does `Gather`."""
    text = """g (int32[N,5] x) => (float[N,5,4] y) {
        zero = Constant<value_float = 0.0>()
        rows = Constant<value = int32 {7}>()
        f = Cast<to = 1>(x)
        l = Less(f, zero)
        n = Not(l)
        keeps = Cast<to = 6>(n)
        turns = Cast<to = 6>(l)
        kept = Mul(x, keeps)
        z = Add(x, rows)
        turned = Mul(turns, z)
        i = Add(turned, kept)
        y = Gather(table, i)
    }"""
    model = model_of({"table": (7, 4)}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["EMBED"]
    tokens = np.arange(10, dtype=np.int32).reshape(2, 5) % 7
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


@pytest.mark.parametrize("name", ["zeros_1", "_to_copy", "clone", "lifted_tensor_0", "ones_like"])
def test_what_functions_make_is_no_parameter(name: str) -> None:
    """PyTorch's exporter names tensors by the functions that make them."""
    text = f"g (float[N,3,5] x) => (float[N,3,5] y) {{ y = Add(x, {name}) }}"
    model = model_of({name: (3, 5)}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert net.params == 0
    check_numbers(net, model)


@pytest.mark.parametrize("name", ["softmax_1", "pow_2", "rsqrt"])
def test_what_is_computed_of_tables_is_no_parameter(name: str) -> None:
    """PyTorch's exporter computes what follows from no input, such as equal routing weights."""
    text = f"g (float[N,3,5] x) => (float[N,3,5] y) {{ y = Mul(x, {name}) }}"
    net = netc.load_onnx(model_of({name: (3, 5)}, text).SerializeToString())
    assert net.params == 0


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


def test_ones_of_groups_are_learned() -> None:
    """New weights of `GroupNorm` have names that PyTorch's exporter has made up."""
    text = """g (float[N,4,3,3] x) => (float[N,4,3,3] y) {
        s = Constant<value_floats = [1.0, 1.0]>()
        b = Constant<value_floats = [0.0, 0.0]>()
        groups = Constant<value_ints = [0, 2, -1]>()
        g = Reshape(x, groups)
        n = InstanceNormalization(g, s, b)
        all = Constant<value_ints = [0, 4, 3, 3]>()
        r = Reshape(n, all)
        m = Mul(r, val_20)
        y = Add(m, val_22)
    }"""
    model = model_of({}, text)
    for name, number in (("val_20", 1), ("val_22", 0)):
        held = numpy_helper.from_array(np.full((4, 1, 1), number, np.float32), name)
        model.graph.initializer.append(held)
    net = netc.load_onnx(model.SerializeToString())
    assert (kinds_of(net), net.params) == (["GN"], 8)
    check_numbers(net, model)


@pytest.mark.parametrize(("name", "count"), [("temperature", 1), ("head.scale", 1), ("val_4", 0)])
def test_numbers_that_modules_hold_are_learned(name: str, count: int) -> None:
    """Those of exporters are settings."""
    text = "g (float[N,4] x) => (float[N,4] y) { y = Mul(x, t) }"
    model = model_of({}, text)
    model.graph.initializer.append(numpy_helper.from_array(np.array(0.3, np.float32), name))
    model.graph.node[0].input[1] = name
    net = netc.load_onnx(model.SerializeToString())
    assert net.params == count
    check_numbers(net, model)


CLASSICAL = """<ir_version: 8, opset_import: ["" : 20, "ai.onnx.ml" : 3]>
g (float[N,3] x) => (int64[N] label, float[N,2] scores) {
    z = ai.onnx.ml.Scaler<offset = [0.0, 1.0, 2.0], scale = [1.0, 2.0, 3.0]>(x)
    label, scores = ai.onnx.ml.LinearClassifier<
        classlabels_ints = [4, 7], coefficients = [1.0, 2.0, 3.0, -1.0, -2.0, -3.0],
        intercepts = [0.5, -0.5], post_transform = "SOFTMAX">(z)
}"""


def test_linear_models_are_layers() -> None:
    """Coefficients of scikit-learn's models are weights, and labels those of the largest score."""
    model = parser.parse_model(CLASSICAL)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["NORMALIZE", "FC", "ArgMax", "Gather", "SOFTMAX"]
    assert [str(v.type) for v in net.graph.outputs.values()] == ["int64[N]", "float32[N, 2]"]
    assert net.params == 2 * 3 + 2
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    found = net.run(x)
    assert isinstance(found, dict)
    for name, wanted in zip(("label", "scores"), computed(model, {"x": x}), strict=True):
        np.testing.assert_allclose(found[name], wanted, rtol=1e-5)


PREDICTED = """<ir_version: 8, opset_import: ["" : 20, "ai.onnx.ml" : 3]>
g (float[N,3] x) => (float[N,2] y) {
    i = Constant<value_ints = [2, 0]>()
    z = ai.onnx.ml.ArrayFeatureExtractor(x, i)
    n = ai.onnx.ml.Normalizer<norm = "L2">(z)
    y = ai.onnx.ml.LinearRegressor<targets = 2, coefficients = [1.0, 2.0, 3.0, 4.0],
        intercepts = [0.5, -0.5]>(n)
}"""


MAPPED = """<ir_version: 8, opset_import: ["" : 17, "ai.onnx.ml" : 1]>
g (float[N,2] x) => (int64[N] label, seq(map(int64, float)) probability) {
    label, scores = ai.onnx.ml.LinearClassifier<coefficients = [1.0, 2.0, 3.0, 4.0],
        intercepts = [0.5, -0.5], classlabels_ints = [3, 5], post_transform = "SOFTMAX">(x)
    probability = ai.onnx.ml.ZipMap<classlabels_int64s = [3, 5]>(scores)
}"""


def test_maps_of_samples_are_arrays() -> None:
    """scikit-learn's models end in a map for each sample: here, in its values, as is told."""
    model = parser.parse_model(MAPPED)
    net = netc.load_onnx(model.SerializeToString())
    assert [(w.code, "`probability`" in w.message) for w in net.warnings] == [("W577", True)]
    x = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    found = net.run(x)
    assert isinstance(found, dict)
    label, maps = computed(model, {"x": x})
    np.testing.assert_array_equal(found["label"], label)
    wanted = [[each[3], each[5]] for each in maps]
    np.testing.assert_allclose(found["probability"], wanted, rtol=1e-5)


def test_predictions_of_features_are_layers() -> None:
    """Rows of norm one, and a regression of two numbers."""
    model = parser.parse_model(PREDICTED)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["Gather", "ReduceL2", "CONST", "MAX", "Div", "FC"]
    assert net.params == 6
    check_numbers(net, model)


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


@pytest.mark.slow
def test_chains_may_be_long() -> None:
    """Rules look back through all that moves elements, which has no end that they rely on."""
    bounds = {"two": 2, "eight": 8, "zero": 0, "axes": 1}
    lines = [f"{name} = Constant<value_ints = [{n}]>()" for name, n in bounds.items()]
    before = ["x", *(f"y{i}" for i in range(300))]
    for i, x in enumerate(before[:-1]):
        lines += [f"a{i} = Slice({x}, two, eight, axes)", f"b{i} = Slice({x}, zero, two, axes)"]
        lines.append(f"y{i} = Concat<axis = 1>(a{i}, b{i})")
    graph = "\n".join([*lines, f"y = Relu({before[-1]})"])
    text = f"g (float[N,8,4] x) => (float[N,8,4] y) {{\n{graph}\n}}"
    net = netc.load_onnx(model_of({}, text).SerializeToString())
    assert kinds_of(net) == ["ROLL"] * 300 + ["RELU"]


def test_a_batch_that_opens_opens_shapes() -> None:
    """Shapes that hold one sample's elements are stated for any number of samples."""
    text = """g (float[1,2,3,4] x) => (float[1,2,3,3] y) {
        rows = Constant<value_ints = [2, 3, 4]>()
        r = Reshape(x, rows)
        t = Transpose<perm = [0, 2, 1]>(r)
        m = MatMul(r, t)
        back = Constant<value_ints = [1, 2, 3, 3]>()
        y = Reshape(m, back)
    }"""
    net = netc.load_onnx(model_of({}, text).SerializeToString())
    x = np.random.default_rng(0).standard_normal((2, 2, 3, 4)).astype(np.float32)
    found = net.run(x)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, x @ x.swapaxes(-1, -2), rtol=1e-5)


def test_a_batch_that_opens_opens_sizes() -> None:
    """A size that images are stretched to states one sample, too."""
    text = """g (float[1,3,4,4] x) => (float[1,3,9,6] y) {
        whole = Constant<value_ints = [1, 3, 9, 6]>()
        y = Resize<mode = "cubic", coordinate_transformation_mode = "half_pixel",
                   cubic_coeff_a = -0.75>(x, , , whole)
    }"""
    model = model_of({}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["RESIZE"]
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4)).astype(np.float32)
    found = net.run(x)
    assert isinstance(found, np.ndarray)
    wanted = np.concatenate([computed(model, {"x": each[None]})[0] for each in x])
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_numbers_beside_vectors_are_constants() -> None:
    """They are the same for all samples, and a program says them; so it does what is padded."""
    text = """g (float[1,4] x) => (float[1,7] y) {
        numbers = Constant<value = float[1,2] {0.0, 0.5}>()
        c = Concat<axis = 1>(x, numbers)
        pads = Constant<value_ints = [0, 1, 0, 0]>()
        fill = Constant<value_float = 2.5>()
        y = Pad(c, pads, fill)
    }"""
    model = model_of({}, text)
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["CONST", "CONCAT", "PAD"]
    x = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    wanted = np.concatenate([computed(model, {"x": each[None]})[0] for each in x])
    for said in (net, netc.compile(net.to_text())):
        np.testing.assert_array_equal(np.asarray(said.run(x)), wanted)


def test_weights_of_whole_numbers_count_as_weights() -> None:
    """What is stored in bytes and scaled for each filter is the weight of a `CONV`, and learned."""
    text = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N,1,4,4] x) => (float[N,2,3,3] y)
    <float[2] s = {0.5, 0.25}, int8[2] z = {0, 4}, float t = {0.1}, int32[2] b_quantized = {3, -2}>
    {
        w = DequantizeLinear<axis = 0>(w_quantized, s, z)
        b = DequantizeLinear(b_quantized, t)
        y = Conv<kernel_shape = [2, 2]>(x, w, b)
    }"""
    model = parser.parse_model(text)
    bytes_ = np.arange(-4, 4, dtype=np.int8).reshape(2, 1, 2, 2)
    model.graph.initializer.append(numpy_helper.from_array(bytes_, "w_quantized"))
    net = netc.load_onnx(model.SerializeToString())
    assert kinds_of(net) == ["CONV"]
    assert net.params == 10
    weight = np.asarray(net.initialize()["conv1.weight"])
    wanted = [[[[-2, -1.5], [-1, -0.5]]], [[[-1, -0.75], [-0.5, -0.25]]]]
    np.testing.assert_array_equal(weight, wanted)
    check_numbers(net, model)
