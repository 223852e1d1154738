"""One step of a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..kerneldef import Kernel


@dataclass(frozen=True, slots=True)
class Subplan:
    """A subgraph as a kernel runs it.

    Attributes:
        plan: The `Plan` of its outputs.
        inputs: The names of its own inputs, in order.
        captured: For each input that is captured, the slot of it.
        dtypes: The element types of its outputs.
    """

    plan: Any
    inputs: tuple[str, ...]
    captured: Mapping[str, int]
    dtypes: tuple[np.dtype[Any], ...]


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One kernel call.

    Attributes:
        kernel: The kernel.
        arguments: Slots of its arguments; None where an optional one is left out.
        outputs: Slots of its results, and their element types in `dtypes`.
        attributes: The keywords that it is called with.
        loads: Parameters that are read just before, by slot.
        reuse: The slot of an argument that dies here and whose memory the result may take.
        release: Slots that no later step reads.
        node: The graph's node, for messages; of a chain the last one.
        subplans: What it runs, by the keyword that it takes it as.
    """

    kernel: Kernel
    arguments: tuple[int | None, ...]
    outputs: tuple[int, ...]
    dtypes: tuple[np.dtype[Any], ...]
    attributes: Mapping[str, Any]
    loads: tuple[tuple[int, str], ...]
    reuse: int | None
    release: tuple[int, ...]
    node: int
    subplans: Mapping[str, Subplan] = field(default_factory=dict)
