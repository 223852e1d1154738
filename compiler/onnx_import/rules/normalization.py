"""Normalizations: modes, and what their weights are per."""

from ..rewriting import Draft, cannot_raise, rule


@rule("BatchNormalization", since=7)
def test_mode(draft: Draft) -> None:
    """`is_test` is said by the number of outputs alone."""
    if draft.int_of("is_test", 0):
        del draft.node.output[1:]
    draft.drop("is_test")


@rule("BatchNormalization", since=9)
def per_value(draft: Draft) -> None:
    """Statistics of each value rather than of each channel are written out.

    y = (x - mean) / sqrt(var + epsilon) scale + b
    """
    if draft.int_of("spatial", 1):
        draft.drop("spatial")
        return
    if any(draft.node.output[1:]):
        raise cannot_raise(draft, "trains with statistics per value")
    x, scale, b, mean, var = (draft.input(position) for position in range(5))
    epsilon = draft.number(draft.float_of("epsilon", 1e-5), x, "epsilon")
    deviation = draft.add("Sqrt", draft.add("Add", var, epsilon, hint="safe"))
    normal = draft.add("Div", draft.add("Sub", x, mean, hint="centred"), deviation, hint="normal")
    draft.become("Add", draft.add("Mul", normal, scale, hint="scaled"), b)


@rule("BatchNormalization", since=14)
def training_mode(draft: Draft) -> None:
    """Training is a mode, and yields no statistics of the batch."""
    if not any(draft.node.output[1:]):
        del draft.node.output[1:]
        return
    if draft.context.read & set(filter(None, draft.node.output[3:])):
        raise cannot_raise(draft, "yields statistics of the batch")
    del draft.node.output[3:]
    draft.set(training_mode=1)


@rule("GroupNormalization", since=21)
def per_channel(draft: Draft) -> None:
    """Scale and bias are per channel, and were per group: each is repeated for its channels."""
    groups = draft.int_of("num_groups", 0)
    if groups < 1:
        raise cannot_raise(draft, "lacks `num_groups`")
    channels = draft.add("Shape", draft.input(0), hint="channels", start=1, end=2)
    count = draft.ints([groups], "groups")
    table = draft.add("Concat", count, draft.add("Div", channels, count, hint="each"), axis=0)
    for position, hint in ((1, "scale"), (2, "bias")):
        column = draft.add("Reshape", draft.input(position), draft.ints([groups, 1], "column"))
        rows = draft.add("Expand", column, table, hint="rows")
        draft.put(position, draft.add("Reshape", rows, channels, hint=hint))
