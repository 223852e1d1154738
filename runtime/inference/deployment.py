"""A network and the preprocessing of its run -> one graph that takes samples as the data have them.

Preprocessing becomes the graph's first nodes, and what it was fitted to becomes buffers.
"""

import json
from collections.abc import Callable, Mapping
from math import prod

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import INPUT, Graph, Node, Value
from ...compiler.ir.initializers import ZEROS
from ...compiler.ir.types import DType, Shape, TensorType
from ...compiler.ops.opdef import Operands
from ...compiler.passes.rewrite import rewrite
from ..data.preprocessing import PREPROCESSORS, Fitted, FittedArrays, rotate, shift_and_scale
from ..kerneldef import Array
from ..run_folder.folder import Facts

SCOPE = "preprocess"
CLASSES_ENTRY = "classes"  # the entry of a model's metadata
Extents = tuple[int, ...]
Build = Callable[[Builder, Value, Mapping[str, Value]], Value]


def build_shift_and_scale(build: Builder, x: Value, arrays: Mapping[str, Value]) -> Value:
    """(x - shift) factor, as `shift_and_scale`."""
    done = build.Sub(x, arrays["shift"]) if "shift" in arrays else x
    return build.Mul(done, arrays["factor"]) if "factor" in arrays else done


def build_rotation(build: Builder, x: Value, arrays: Mapping[str, Value]) -> Value:
    """(x - shift) matrix on flattened samples, as `rotate`."""
    features, components = arrays["matrix"].shape
    flat = _reshaped(build, x, (features,))
    turned = build.MatMul(build.Sub(flat, arrays["shift"]), arrays["matrix"])
    return _reshaped(build, turned, x.shape[1:]) if components == features else turned


# What each function that preprocesses is as nodes.
BUILDS: Mapping[Callable[[Array, FittedArrays], Array], Build] = {
    shift_and_scale: build_shift_and_scale,
    rotate: build_rotation,
}


def with_preprocessing(graph: Graph, fitted: Fitted, facts: Facts) -> tuple[Graph, FittedArrays]:
    """A network whose inputs are samples as the data have them, after a centre crop if any.

    Args:
        graph: The network, mode-neutral.
        fitted: Preprocessing, by the names that the data have for the inputs.
        facts: Which input takes what, and what samples looked like.

    Returns:
        The network with preprocessing as its first nodes, and the values of the buffers that these
        nodes read, which join the network's weights.
    """
    sources = {name: source for source, name in facts.inputs.items()}
    state: FittedArrays = {}

    def prepend(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        name, type = node.attributes["name"], node.outputs[0]
        source = sources.get(name, name)
        steps = [(step.name, step.arrays[source]) for step in fitted.steps if source in step.arrays]
        if not steps:
            return None
        build.scope = SCOPE
        given, sample = _shapes(type, steps[0][1], facts.shapes.get(source))
        x = build.input(name, TensorType(DType.FLOAT32, (type.shape[0], *given)))
        x = _reshaped(build, x, sample)
        for place, (step, arrays) in enumerate(steps):
            values = {}
            for key, array in arrays.items():
                buffer = f"{SCOPE}.{name}.{place}.{step}.{key}"
                state[buffer] = array
                values[key] = build.parameter(buffer, array.shape, init=ZEROS, buffer=True)
            x = BUILDS[PREPROCESSORS[step].apply](build, x, values)
        x = _reshaped(build, x, type.shape[1:])
        return (x if type.dtype == DType.FLOAT32 else build.Cast(x, to=type.dtype),)

    return rewrite(graph, {INPUT: prepend}), state


def class_names(facts: Facts) -> dict[str, str]:
    """The names of the classes by output, as an entry of a model's metadata; nothing without."""
    names = {output: each.names for output, each in facts.outputs.items() if each.names}
    return {CLASSES_ENTRY: json.dumps(names, ensure_ascii=False)} if names else {}


def read_class_names(metadata: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The names of the classes by output that a model's metadata tell; nothing of other texts."""
    try:
        found = json.loads(metadata.get(CLASSES_ENTRY, "{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        output: tuple(map(str, names)) for output, names in found.items() if isinstance(names, list)
    }


def _shapes(type: TensorType, first: FittedArrays, recorded: Extents | None) -> tuple[Shape, Shape]:
    """The extents of a sample as the model takes it, and as preprocessing takes it.

    The model takes what the network takes, unless preprocessing leaves fewer numbers. A recorded
    sample of another size was cropped.
    """
    wanted = type.shape[1:]
    if not all(isinstance(extent, int) for extent in wanted):
        return wanted, wanted
    size = len(first["matrix"]) if "matrix" in first else prod(wanted)
    sample = recorded if recorded is not None and prod(recorded) == size else None
    if size != prod(wanted):
        return (sample or (size,),) * 2
    return wanted, sample or wanted


def _reshaped(build: Builder, x: Value, extents: Shape) -> Value:
    """x with other extents of a sample, where they differ."""
    if x.shape[1:] == extents:
        return x
    return build.Reshape(x, build.index_constant((0, *extents)))
