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
from ..data.columns import CATEGORY, MISSING_VALUE, Layout, layout
from ..data.preprocessing import Fitted, FittedArrays, application, fill, rotate, shift_and_scale
from ..data.target_scaling import standard_of
from ..kerneldef import Array
from ..run_folder.folder import Facts

SCOPE = "preprocess"
CLASSES_ENTRY = "classes"  # entries of a model's metadata
COLUMNS_ENTRY = "columns"
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


def build_fill(build: Builder, x: Value, arrays: Mapping[str, Value]) -> Value:
    """x, and a column's number where it is NaN, as `fill`."""
    return build.Where(build.IsNaN(x), arrays["fill"], x)


def build_encoding(build: Builder, x: Value, made: Layout) -> Value:
    """Numbers and codes of words as inputs, as `encode`."""
    found = build.Gather(x, build.index_constant(made.sources), axis=1)
    categories = build.constant(made.kinds == CATEGORY, DType.BOOL)
    gaps = build.constant(made.kinds == MISSING_VALUE, DType.BOOL)
    codes = build.constant(made.codes, DType.FLOAT32)
    matches = build.Equal(found, codes)
    absent = build.Cast(build.Or(matches, build.IsNaN(found)), to=DType.FLOAT32)
    matches = build.Cast(matches, to=DType.FLOAT32)
    return build.Where(gaps, absent, build.Where(categories, matches, found))


# What each function that preprocesses is as nodes.
BUILDS: Mapping[Callable[[Array, FittedArrays], Array], Build] = {
    shift_and_scale: build_shift_and_scale,
    rotate: build_rotation,
    fill: build_fill,
}


def with_preprocessing(graph: Graph, fitted: Fitted, facts: Facts) -> tuple[Graph, FittedArrays]:
    """A network whose inputs are samples as the data have them, after a centre crop if any.

    Args:
        graph: The network, mode-neutral.
        fitted: Preprocessing, by the names that the data have for the inputs.
        facts: Which input takes what, and what samples looked like.

    Returns:
        The network with preprocessing as its first nodes, and with outputs in the unit of the
        data, and the values of the buffers that these
        nodes read, which join the network's weights.
    """
    sources = {name: source for source, name in facts.inputs.items()}
    state: FittedArrays = {}

    def prepend(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        name, type = node.attributes["name"], node.outputs[0]
        source = sources.get(name, name)
        steps = [(step.name, step.arrays[source]) for step in fitted.steps if source in step.arrays]
        columns = facts.encodings.get(source, ())
        made = layout(columns) if columns else None
        if not steps and made is None:
            return None
        build.scope = SCOPE
        first = steps[0][1] if steps else {}
        given, sample = _shapes(type, first, facts.shapes.get(source))
        given = given if made is None else (len(columns),)
        x = build.input(name, TensorType(DType.FLOAT32, (type.shape[0], *given)))
        x = x if made is None else build_encoding(build, x, made)
        x = _reshaped(build, x, sample)
        for place, (step, arrays) in enumerate(steps):
            values = {}
            for key, array in arrays.items():
                buffer = f"{SCOPE}.{name}.{place}.{step}.{key}"
                state[buffer] = array
                values[key] = build.parameter(buffer, array.shape, init=ZEROS, buffer=True)
            x = BUILDS[application(step)](build, x, values)
        x = _reshaped(build, x, type.shape[1:])
        return (x if type.dtype == DType.FLOAT32 else build.Cast(x, to=type.dtype),)

    found = rewrite(graph, {INPUT: prepend})
    build = Builder(found, scope=SCOPE)
    for output, arrays in fitted.targets.items():
        if output in found.outputs:
            found.outputs[output] = standard_of(arrays).restored(build, found.outputs[output])
    return found, state


def class_names(facts: Facts) -> dict[str, str]:
    """The names of the classes by output, as an entry of a model's metadata; nothing without."""
    names = {output: each.names for output, each in facts.outputs.items() if each.names}
    return {CLASSES_ENTRY: json.dumps(names, ensure_ascii=False)} if names else {}


def metadata_of(facts: Facts) -> dict[str, str]:
    """What a model's metadata say of a run: `class_names`, and the columns of tables.

    Of each column of an input there is the name, and the words that the codes 0, 1, 2 stand for;
    `""` is a missing one, which may also be NaN.
    """
    columns = {
        name: [{"name": c.name, "categories": c.categories} for c in facts.encodings[source]]
        for source, name in facts.inputs.items()
        if source in facts.encodings
    }
    columns_entry = {COLUMNS_ENTRY: json.dumps(columns, ensure_ascii=False)} if columns else {}
    return {**class_names(facts), **columns_entry}


def read_class_names(metadata: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The names of the classes by output in a model's metadata; nothing of other texts."""
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
