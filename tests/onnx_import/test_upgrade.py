"""Models are raised with their subgraphs and functions, and say of which version they are."""

import numpy as np
import onnx
import pytest
from onnx import ModelProto, defs, helper
from support.onnx_models import computed, parsed

from netc import NetError
from netc.compiler.onnx_import.read import read_model
from netc.compiler.onnx_import.upgrade import upgrade

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)


def upgraded(model: ModelProto) -> ModelProto:
    """A copy of a model, read and raised."""
    return upgrade(read_model(model.SerializeToString()).proto)


def same(model: ModelProto, **feeds: object) -> ModelProto:
    """The model that comes out, which computes what went in, and onnx takes."""
    wanted = computed(model, feeds)
    new = upgraded(model)
    onnx.checker.check_model(new)
    for found, array in zip(computed(new, feeds), wanted, strict=True):
        np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-6)
    return new


def test_subgraphs_are_raised() -> None:
    """Operators in branches are rewritten, too, and still read what lies around them."""
    model = parsed("""
        <ir_version: 7, opset_import: ["": 11]>
        g (bool c, float[2,3,4] x) => (float[2,12] y) {
          y = If (c) <
            then_branch = g1 () => (float[2,12] a) {
              t = Softmax <axis = 1> (x)
              s = Constant <value = int64[2] {2, 12}> ()
              a = Reshape (t, s)
            },
            else_branch = g2 () => (float[2,12] b) {
              u = Unsqueeze <axes = [0]> (x)
              v = Squeeze <axes = [0]> (u)
              b = Flatten (v)
            }>
        }""")
    for condition in (True, False):
        new = same(model, c=np.array(condition), x=X)
    assert new.opset_import[0].version == 22


def test_a_scan_over_a_batch_is_two() -> None:
    """Scan of opset 8 takes a batch of sequences: sums along each, and the sequence of sums."""
    state, element = (helper.make_tensor_value_info(name, 1, [4]) for name in ("s", "e"))
    body = helper.make_graph(
        [
            helper.make_node("Add", ["s", "e"], ["t"]),
            helper.make_node("Clip", ["t"], ["u"], min=-1.0),
        ],
        "body",
        [state, element],
        [helper.make_tensor_value_info(name, 1, [4]) for name in ("t", "u")],
    )
    for directions in ([0], [1]):
        node = helper.make_node(
            *("Scan", ["", "z", "x"], ["last", "all"]),
            body=body,
            num_scan_inputs=1,
            directions=directions,
        )
        inputs = [helper.make_tensor_value_info("z", 1, [2, 4])]
        inputs.append(helper.make_tensor_value_info("x", 1, [2, 3, 4]))
        outputs = [helper.make_tensor_value_info("last", 1, [2, 4])]
        outputs.append(helper.make_tensor_value_info("all", 1, [2, 3, 4]))
        graph = helper.make_graph([node], "g", inputs, outputs)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)], ir_version=8)
        same(model, x=X, z=np.ones((2, 4), np.float32))


FUNCTIONS = """
    <ir_version: 8, opset_import: ["": 18, "local": 1]>
    g (float[2,3,4] x) => (float[2,3,4] y, float z) {
      [first] a = local.scaled <by = 3.0> (x)
      [second] y = local.scaled (a)
      z = local.total <dims: ints = [0, 1, 2]> (y)
    }
    <domain: "local", opset_import: ["": 18, "local": 1]>
    scaled <by: float = 2.0> (v) => (w) {
      s = Constant <value_float: float = @by> ()
      t = local.times (v, s)
      w = Identity (t)
    }
    <domain: "local", opset_import: ["": 18]>
    times (v, s) => (w) {
      w = Mul (v, s)
    }
    <domain: "local", opset_import: ["": 11]>
    total <dims> (v) => (w) {
      w = ReduceSum <axes: ints = @dims, keepdims = 0> (v)
    }
"""


def test_functions_take_the_place_of_their_calls() -> None:
    """Attributes are filled in, functions of another opset raised, inner names kept apart."""
    new = upgraded(parsed(FUNCTIONS))
    y, z = computed(new, {"x": X})
    np.testing.assert_allclose(y, 6 * X, rtol=1e-6)
    np.testing.assert_allclose(z, 6 * X.sum(), rtol=1e-6)
    assert not new.functions
    assert [opset.domain for opset in new.opset_import] == [""]
    made = [name for node in new.graph.node for name in node.output]
    assert {"first/s", "second/s", "a", "y", "z"} <= set(made)
    assert len(made) == len(set(made))


def test_functions_see_what_lies_around_subgraphs_in_them() -> None:
    """A branch in a function reads the arguments of its call, and hides none of the names."""
    model = parsed("""
        <ir_version: 8, opset_import: ["": 18, "local": 1]>
        g (bool c, float[2,3,4] x) => (float[2,3,4] y) {
          t = Neg (x)
          y = local.chosen (c, t)
        }
        <domain: "local", opset_import: ["": 18]>
        chosen (q, v) => (w) {
          w = If (q) <
            then_branch = g1 () => (a) { t = Abs (v)  a = Add (t, v) },
            else_branch = g2 () => (b) { b = Exp (v) }>
        }""")
    for condition in (True, False):
        same(model, c=np.array(condition), x=X)


def test_a_function_may_hand_an_argument_through() -> None:
    """An output of a function that is its input is the argument of the call."""
    model = parsed("""
        <ir_version: 8, opset_import: ["": 18, "local": 1]>
        g (float[2,3,4] x) => (float[2,3,4] y, float[2,3,4] z) { y, z = local.both (x) }
        <domain: "local", opset_import: ["": 18]>
        both (v) => (v, w) { w = Neg (v) }""")
    same_again, negative = computed(upgraded(model), {"x": X})
    np.testing.assert_array_equal(same_again, X)
    np.testing.assert_array_equal(negative, -X)


def test_a_call_may_give_a_graph() -> None:
    """A graph that a call hands to its function reads names around the call, not the function's."""
    model = parsed("""
        <ir_version: 8, opset_import: ["": 18, "local": 1]>
        g (bool c, float[2,3,4] x) => (float[2,3,4] y) {
          v = Neg (x)
          y = local.chosen <yes = g1 () => (float[2,3,4] a) { a = Abs (v) }> (c, x)
        }
        <domain: "local", opset_import: ["": 18]>
        chosen <yes: graph> (q, v) => (w) {
          w = If (q) <
            then_branch: graph = @yes,
            else_branch = g2 () => (b) { b = Exp (v) }>
        }""")
    new = upgraded(model)
    for condition, wanted in ((True, np.abs(X)), (False, np.exp(X))):
        (found,) = computed(new, {"c": np.array(condition), "x": X})
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_a_domain_without_a_version_has_the_first() -> None:
    """Operators of others come with a version, even where the model names none."""
    model = parsed("""
        <ir_version: 8, opset_import: ["": 18]>
        g (float[2,3,4] x) => (float[2,3,4] y) { y = other.Twice (x) }""")
    assert {o.domain: o.version for o in upgraded(model).opset_import} == {"": 22, "other": 1}


@pytest.mark.parametrize("opset", sorted({22, 23, defs.onnx_opset_version()}))
def test_newer_opsets_stay(opset: int) -> None:
    """What is newer than our opset is left as it is."""
    model = parsed(f"""
        <ir_version: 10, opset_import: ["": {opset}]>
        g (float[2,3,4] x) => (float[2,3,4] y) {{ y = Relu (x) }}""")
    new = upgraded(model)
    assert new.opset_import[0].version == opset
    assert new.graph == model.graph


def test_a_function_of_a_newer_opset_raises_the_model() -> None:
    """The model speaks the newest version that any part of it needs."""
    model = parsed("""
        <ir_version: 10, opset_import: ["": 18, "local": 1]>
        g (float[2,3,4] x) => (float[2,3,4] y) { y = local.f (x) }
        <domain: "local", opset_import: ["": 23]>
        f (v) => (w) { w = Relu (v) }""")
    assert upgraded(model).opset_import[0].version == 23


def test_inputs_that_are_weights_are_none() -> None:
    """Before IR version 4 each weight had to be an input, too."""
    model = parsed("""
        <ir_version: 3, opset_import: ["": 9]>
        g (float[2,3,4] x, float[4] w) => (float[2,3,4] y) <float[4] w = {1, 2, 3, 4}> {
          y = Add (x, w)
        }""")
    new = same(model, x=X)
    assert [info.name for info in new.graph.input] == ["x"]


@pytest.mark.parametrize(
    ("opset", "text", "said"),
    [
        (0, "y = Relu (x)", "ONNX opset 0"),
        (999, "y = Relu (x)", "ONNX opset 999"),
        (11, "y = Unsqueeze <axes = 3.5> (x)", "`axes` of Unsqueeze `y` is not of type INTS"),
        (7, "y = Slice <starts = [0]> (x)", "Slice `y` lacks `ends`"),
        (6, "y = Add <broadcast = 1, axis = 1> (x)", "Add `y` lacks argument 1"),
        (4, 'y = Cast <to = "FLOTA"> (x)', "Cast `y` casts to a type that ONNX does not know"),
        (11, 'y = Resize <coordinate_transformation_mode = "tf_half_pixel_for_nn"> (x, r, x)',
         "rounds places of TensorFlow"),
    ],
)  # fmt: skip
def test_what_cannot_be_raised_is_refused(opset: int, text: str, said: str) -> None:
    """The message says which node, and what it lacks."""
    model = parsed(f"""
        <ir_version: 7, opset_import: ["": {opset}]>
        g (float[2,3,4] x, float[6] r) => (float[2,3,4] y) {{ {text} }}""")
    with pytest.raises(NetError, match=r"E57[68]") as refusal:
        upgraded(model)
    assert said in str(refusal.value)


def test_functions_that_grow_without_bound_are_refused() -> None:
    """Twenty functions that each call the next one twice come to a million nodes."""
    functions = "".join(
        f"""
        <domain: "local", opset_import: ["": 18, "local": 1]>
        f{k} (v) => (w) {{ u = local.f{k + 1} (v)  w = local.f{k + 1} (u) }}"""
        for k in range(20)
    )
    model = parsed(
        """
        <ir_version: 8, opset_import: ["": 18, "local": 1]>
        g (float[2,3,4] x) => (float[2,3,4] y) { y = local.f0 (x) }"""
        + functions
        + """
        <domain: "local", opset_import: ["": 18]>
        f20 (v) => (w) { w = Neg (v) }"""
    )
    with pytest.raises(NetError, match="E401"):
        upgraded(model)
