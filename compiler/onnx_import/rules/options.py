"""Attributes that were renamed or dropped, or whose defaults or types changed."""

from onnx import AttributeProto, TensorProto

from ..attributes import described, find, value
from ..faults import fault
from ..rewriting import Draft, rule
from .axes import must_be_input

SELU = {"alpha": 1.6732, "gamma": 1.0507}  # before version 6


@rule(
    "Abs Add BatchNormalization Ceil Clip Div Dropout Elu Exp Floor HardSigmoid "
    "InstanceNormalization LeakyRelu Log Max Mean Min Mul Neg PRelu Reciprocal Relu Sigmoid Sqrt "
    "Sub Sum Tanh",
    since=6,
)
def in_place(draft: Draft) -> None:
    """What may be computed in place is not said anymore."""
    draft.drop("consumed_inputs")


@rule("Selu", since=6)
def selu(draft: Draft) -> None:
    """The defaults have more digits."""
    draft.drop("consumed_inputs")
    draft.set(**{name: draft.float_of(name, default) for name, default in SELU.items()})


@rule("Cast", since=6)
def cast(draft: Draft) -> None:
    """A type is a number, not its name; some exporters knew it before."""
    given = find(draft.node, "to")
    if given is not None and given.type == AttributeProto.INT:
        return
    name = draft.string_of("to", "")
    if name not in dict(TensorProto.DataType.items()):
        raise fault(f"{described(draft.node)} casts to a type that ONNX does not know")
    draft.set(to=TensorProto.DataType.Value(name))


@rule("LpPool GlobalLpPool", since=2)
def norm(draft: Draft) -> None:
    """`p` is whole."""
    p = draft.float_of("p", 2.0)
    if p != int(p):
        raise fault(f"{described(draft.node)} has a `p` that is not whole")
    draft.set(p=int(p))


@rule("Clip", since=11)
def clip(draft: Draft) -> None:
    """`min` and `max` become arguments."""
    for position, name in ((1, "min"), (2, "max")):
        bound = value(draft.node, name, AttributeProto.FLOAT)
        if bound is not None:
            draft.put(position, draft.number(bound, draft.input(0), name))
    draft.drop("min", "max")


@rule("Pad", since=2)
def paddings(draft: Draft) -> None:
    """`paddings` is `pads`."""
    pads = draft.take_ints("paddings")
    if pads is not None:
        draft.set(pads=pads)


@rule("Pad", since=11)
def pad(draft: Draft) -> None:
    """`pads` and `value` become arguments."""
    filler = draft.float_of("value", 0.0)
    draft.drop("value")
    must_be_input(draft, "pads", 1)
    if filler:
        draft.put(2, draft.number(filler, draft.input(0), "value"))


@rule("Dropout", since=7)
def dropout_mode(draft: Draft) -> None:
    """Nodes do not say whether they train: a graph is one for inference until a mode is set."""
    draft.drop("is_test")


@rule("Dropout", since=10)
def dropout_mask(draft: Draft) -> None:
    """The mask holds truth values, and held numbers."""
    mask = draft.output(1)
    if mask:
        draft.node.output[1] = draft.fresh("mask")
        draft.place()
        draft.add("CastLike", draft.node.output[1], draft.input(0), output=mask)


@rule("Dropout", since=12)
def dropout_ratio(draft: Draft) -> None:
    """`ratio` becomes an argument."""
    ratio = draft.float_of("ratio", 0.5)
    draft.drop("ratio")
    draft.put(1, draft.real(ratio, "ratio"))


@rule("GRU", since=3)
def direction(draft: Draft) -> None:
    """The default was misspelled."""
    if draft.string_of("direction", "foward") == "foward":
        draft.drop("direction")


@rule("GRU LSTM RNN", since=7)
def sequence(draft: Draft) -> None:
    """The sequence is an output where it is named."""
    draft.drop("output_sequence")


@rule("Scatter", since=11)
def scatter(draft: Draft) -> None:
    """It has another name."""
    draft.node.op_type = "ScatterElements"


@rule("RoiAlign", since=16)
def roi_align(draft: Draft) -> None:
    """Places were half a pixel off, which is the default no more."""
    draft.set(coordinate_transformation_mode="output_half_pixel")
