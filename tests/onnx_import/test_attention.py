"""Attention in the forms that exporters write -> one layer."""

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper
from support.onnx_models import check_numbers, kinds_of, model_of

import netc


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


PRODUCTS = """size = Shape(scores)
    yes = Constant<value = bool {1}>()
    everything = Expand(yes, size)
    keeps = And(everything, kept)
    drops = Not(keeps)
    number = Constant<value_float = -1e30>()
    ones = Cast<to = 1>(keeps)
    others = Cast<to = 1>(drops)
    left = Mul(ones, scores)
    filled = Mul(number, others)
    s = Add(left, filled)"""


def test_products_with_masks_are_a_mask() -> None:
    """Keras multiplies scores by what a mask keeps, and adds a number times what it does not."""
    model = attention_of(first="N", scale=ONCE, mask=PRODUCTS)
    kept = numpy_helper.from_array(np.tri(5, dtype=bool)[None, None])
    model.graph.node.insert(0, helper.make_node("Constant", [], ["kept"], value=kept))
    net = netc.load_onnx(model.SerializeToString())
    (layer,) = (each for each in net.graph.layers.values() if each.kind != "INPUT")
    assert (layer.kind, layer.arguments["causal"]) == ("ATTENTION", True)
    check_numbers(net, model)


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


BY_INDICES = """g (float[N,5,8] x) => (float[N,5,8] y) {
    heads = Constant<value_ints = [0, 0, 2, 4]>()
    p = MatMul(x, w)
    h = Add(p, b)
    q1, k1, v1 = Split<axis = 2, num_outputs = 3>(h)
    q = Reshape(q1, heads)
    k = Reshape(k1, heads)
    v = Reshape(v1, heads)
    raw = Einsum<equation = "blhd,bmhd->bhlm">(q, k)
    f = Constant<value_float = 2.0>()
    s = Div(raw, f)
    a = Softmax<axis = -1>(s)
    c = Einsum<equation = "bhlm,bmhd->blhd">(a, v)
    width = Constant<value_ints = [0, 0, 8]>()
    j = Reshape(c, width)
    z = MatMul(j, u)
    y = Add(z, d)
}"""


def test_attention_by_indices_is_one_layer() -> None:
    """Sums of products by `Einsum` are matrix products of heads."""
    model = model_of({"w": (8, 24), "b": (24,), "u": (8, 8), "d": (8,)}, BY_INDICES)
    net = netc.load_onnx(model.SerializeToString())
    assert (kinds_of(net), net.params) == (["ATTENTION"], 4 * 8 * 9)
    check_numbers(net, model)


PER_PART = """g (float[N,5,8] x) => (float[N,5,8] y) {
    axes = Constant<value_ints = [0, 1]>()
    heads = Constant<value_ints = [-1, 5, 2, 4]>()
    any = Constant<value_ints = [-1]>()
    five = Constant<value_ints = [5]>()
    four = Constant<value_ints = [4]>()
    q0 = MatMul(x, wq)
    k0 = MatMul(x, wk)
    v0 = MatMul(x, wv)
    q1 = Reshape(q0, heads)
    k1 = Reshape(k0, heads)
    v1 = Reshape(v0, heads)
    q2 = Add(q1, bq)
    k2 = Add(k1, bk)
    v2 = Add(v1, bv)
    q3 = Transpose<perm = [0, 2, 1, 3]>(q2)
    k3 = Transpose<perm = [0, 2, 1, 3]>(k2)
    v3 = Transpose<perm = [0, 2, 1, 3]>(v2)
    sizes = Shape(q3)
    batch = Gather(sizes, axes)
    others = Shape(k3)
    batches = Gather(others, axes)
    all = Max(batch, batches)
    count = ReduceProd(batch)
    rows = Concat<axis = 0>(count, any, four)
    q = Reshape(q3, rows)
    k = Reshape(k3, rows)
    v = Reshape(v3, rows)
    kt = Transpose<perm = [0, 2, 1]>(k)
    product = MatMul(q, kt)
    square = Concat<axis = 0>(all, five, five)
    raw = Reshape(product, square)
    f = Constant<value_float = 0.5>()
    s = Mul(raw, f)
    a = Softmax<axis = -1>(s)
    flat = Concat<axis = 0>(count, five, five)
    a2 = Reshape(a, flat)
    c = MatMul(a2, v)
    parts = Concat<axis = 0>(all, five, four)
    c2 = Reshape(c, parts)
    t = Transpose<perm = [0, 2, 1, 3]>(c2)
    width = Constant<value_ints = [-1, 8]>()
    j = Reshape(t, width)
    z = MatMul(j, wo)
    back = Constant<value_ints = [-1, 5, 8]>()
    o = Reshape(z, back)
    y = Add(o, bo)
}"""


def test_attention_of_keras_is_one_layer() -> None:
    """Biases are added by head, and shapes are computed: `ReduceProd`, `Max` of extents."""
    weights: dict[str, tuple[int, ...]] = {f"w{part}": (8, 8) for part in "qkvo"}
    weights |= {f"b{part}": (2, 4) for part in "qkv"} | {"bo": (8,)}
    model = model_of(weights, PER_PART)
    net = netc.load_onnx(model.SerializeToString())
    assert (kinds_of(net), net.params) == (["ATTENTION"], 4 * 8 * 9)
    check_numbers(net, model)


def test_another_factor_is_an_argument() -> None:
    """Scores may be scaled otherwise than by the square root of the features."""
    model = attention_of(first="N", scale=ONCE.replace("0.5", "0.25"))
    net = netc.load_onnx(model.SerializeToString())
    (layer,) = (each for each in net.graph.layers.values() if each.kind != "INPUT")
    assert (layer.kind, layer.arguments["scale"]) == ("ATTENTION", 0.25)
    check_numbers(net, model)
