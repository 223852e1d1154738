"""Constants of a model -> the arguments of `CONST` layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..expressions.arguments import Word
from ..ir.tensor import Tensor
from ..ir.types import DType
from ..layers.constants import RULES, WHOLE, rule_of
from .recognition.trail import Layout, NoMatch


def table_arguments(held: Tensor, dtype: DType, layout: Layout) -> Mapping[str, Any]:
    """What a `CONST` is called with that holds a tensor for every sample, in a layout.

    Args:
        held: The tensor; axes that it lacks in front are of extent 1.
        dtype: Its type in the graph.
        layout: How it lies in the layer, the batch included.

    Raises:
        NoMatch: It differs from sample to sample, or has too many axes.
    """
    shape = (*(1,) * (len(layout) - len(held.shape)), *held.shape)
    if shape[0] != 1 or not 2 <= len(layout) <= 5:
        raise NoMatch
    inverse = tuple(map(layout.index, range(len(layout))))
    array = np.array(held.numbers()).reshape(shape).transpose(inverse)[0]
    table = Tensor.of(array, dtype)
    rule = rule_of(table)
    is_default = dtype is DType.FLOAT32 and (rule is None or RULES[rule.name].code != WHOLE)
    given = {} if is_default else {"dtype": Word(dtype.value)}
    value = rule or table.nested() if held.size > 1 else held.number()
    return {"value": value, **given}
