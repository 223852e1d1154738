"""ATTENTION as `nn.MultiheadAttention`, whose weights have the same names."""

from ...ir.graph import Value, present
from ...layers.attention_masks import SHIFTED
from .code import POSTFIX, Code, call, code, keyword, method, number, operand, option
from .layer_view import SELF, LayerView, Module

MASKED = "-1e38"  # a score that keeps a row without a key from becoming NaN


def attention(view: LayerView) -> Module | None:
    """The module; None where PyTorch's has no such heads, positions or windows."""
    arguments = view.arguments
    if not is_plain(view) or arguments["relative"] or arguments["mask"] == SHIFTED:
        return None
    operands = _operands(view)
    if operands is None:
        return None
    q, k, v, mask = operands
    if mask is not None and mask.shape[0] == 1:  # PyTorch wants one for each sample
        return None
    widths = [x.type.shape[2] for x in (q, k, v)]
    definition = call(
        "nn.MultiheadAttention",
        number(widths[0], "features"),
        number(arguments["heads"], "heads"),
        option("dropout", arguments["dropout"], 0.0),
        option("bias", arguments["bias"], True),
        option("kdim", widths[1], widths[0]),
        option("vdim", widths[2], widths[0]),
        code("batch_first=True"),
    )
    takes = list(dict.fromkeys((q, k, v, *(() if mask is None else (mask,)))))
    found = _masks(view, q, k, mask, takes)
    if found is None:
        return None
    before = tuple(found.values())
    masks = [keyword(name, operand(len(takes) + i)) for i, name in enumerate(found)]
    if view.arguments["causal"] and mask is None:
        masks.append(keyword("is_causal", True))
    places = [_of_batch(takes, x) for x in (q, k, v)]
    called = call(SELF, *places, *masks, code("need_weights=False"))
    expression = Code((*called.parts, "[0]"))
    return Module(
        definition,
        tuple(takes),
        view.layer.outputs,
        expression,
        learned=True,
        heavy=True,
        before=before,
    )


def is_plain(view: LayerView) -> bool:
    """Whether heads are as in PyTorch's modules, between dense layers, with one mask at most."""
    arguments = view.arguments
    own = any(arguments[name] is not None for name in ("kv_heads", "width", "scale"))
    return not own and arguments["project"] and isinstance(arguments["mask"], str | None)


def _operands(view: LayerView) -> tuple[Value, Value, Value, Value | None] | None:
    """Queries, keys, values, and what masks."""
    found: dict[tuple[int, int], Value] = {}
    projected = [
        node
        for node in view.operators.values()
        if node.op_type == "MatMul"
        and node.inputs[0] is not None
        and node.inputs[0].node not in view.operators
    ]
    for node in view.operators.values():
        for value in node.inputs:
            if value is None or value.node in view.operators:
                continue
            if view.graph[value.node].op_type not in ("Parameter", "Constant"):
                found[value.node, value.output] = value
    q, k, v = (projected * 3)[:3] if len(projected) == 1 else (projected + [None] * 3)[:3]
    if q is None or k is None or v is None or len(projected) not in (1, 3):
        return None
    sources = [node.inputs[0] for node in (q, k, v)]
    values = {(x.node, x.output) for x in sources if x is not None}
    others = [value for key, value in found.items() if key not in values]
    if len(others) > 1 or (view.arguments["mask"] is not None) != bool(others):
        return None
    first, second, third = present(sources)
    return first, second, third, others[0] if others else None


def _of_batch(takes: list[Value], x: Value) -> Code:
    """An operand with as many samples as the others, as PyTorch wants it."""
    place = takes.index(x)
    whole = next((i for i, other in enumerate(takes) if other.type.shape[0] != 1), place)
    if x.type.shape[0] != 1 or whole == place:
        return operand(place)
    return method(place, "expand", _attribute(whole, "shape[0]"), -1, -1)


def _masks(
    view: LayerView, q: Value, k: Value, mask: Value | None, takes: list[Value]
) -> dict[str, Code] | None:
    """The arguments that mask keys, by name; None where the module cannot add them."""
    length, keys = q.type.shape[1], k.type.shape[1]
    causal = None
    if view.arguments["causal"]:
        if length != keys:
            return None
        causal = _future(takes.index(q), length)
    if mask is None:
        return {} if causal is None else {"attn_mask": causal}
    place = takes.index(mask)
    added = _added(place, mask)
    if mask.type.rank == 2:
        padding = {"key_padding_mask": added}
        return padding if causal is None else {"attn_mask": causal, **padding}
    if causal is not None:
        return None
    heads = view.arguments["heads"]
    if mask.type.rank == 3:
        return {"attn_mask": method(added, "repeat_interleave", heads, 0)}
    if mask.type.rank == 4 and mask.type.shape[1] in (1, heads):
        whole = method(added, "expand", -1, heads, -1, -1)
        return {"attn_mask": method(whole, "flatten", 0, 1)}
    return None


def _future(place: int, length: object) -> Code:
    """-inf for each key that comes later than its query."""
    size = code(length) if isinstance(length, int) else _attribute(place, "shape[1]")
    function = "nn.Transformer.generate_square_subsequent_mask"
    return call(function, size, device=_attribute(place, "device"))


def _attribute(place: int, name: str) -> Code:
    return Code((*operand(place, POSTFIX).parts, f".{name}"))


def _added(place: int, mask: Value) -> Code:
    """What is added to the scores: integers are 0 where a key must not be attended to."""
    if mask.type.dtype.is_float:
        return method(place, "clamp", code(f"min={MASKED}"))
    return call("torch.where", method(place, "bool"), code("0.0"), code(MASKED))
