"""Recurrent layers against PyTorch's modules, which hold the same weights."""

from typing import Any

from support.layers import LayerRow, Oracle


def recurrent(kind: str, returns: str, *, backward: bool = False, **options: Any) -> Oracle:
    """`nn.LSTM`, `nn.GRU` or `nn.RNN` on the first of the inputs.

    Integers after it are a mask, real numbers first states (N, layers D H). PyTorch has no layer
    that goes backward alone: there a sequence is turned around before and after.
    """

    def oracle(given: Any, state: Any) -> Any:
        import torch

        x, *others = given if isinstance(given, list) else [given]
        masks = [other for other in others if not other.is_floating_point()]
        firsts = [_by_layer(other, options) for other in others if other.is_floating_point()]
        module = getattr(torch.nn, kind)(x.shape[2], **options, batch_first=True).double()
        module.requires_grad_(requires_grad=False)
        suffix = "_reverse" if backward else ""
        module.load_state_dict(
            {name: state[f"l.{name}{suffix}"] for name in module.state_dict()}, strict=True
        )
        start = (firsts[0] if kind != "LSTM" else tuple(firsts)) if firsts else None
        if masks:
            lengths = masks[0].ne(0).sum(1)
            packed = torch.nn.utils.rnn.pack_padded_sequence(
                x, lengths, batch_first=True, enforce_sorted=False
            )
            y, last = module(packed, start)
            y, _ = torch.nn.utils.rnn.pad_packed_sequence(
                y, batch_first=True, total_length=x.shape[1]
            )
        else:
            y, last = module(x.flip(1) if backward else x, start)
        if returns == "all":
            return y.flip(1) if backward else y
        h = last[0] if kind == "LSTM" else last
        top = h[-2:] if options.get("bidirectional") else h[-1:]
        return top.transpose(0, 1).flatten(1)

    return oracle


def _by_layer(first: Any, options: dict[str, Any]) -> Any:
    """First states (N, layers D H) as (layers D, N, H)."""
    return first.reshape(len(first), -1, options["hidden_size"]).transpose(0, 1).contiguous()


GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def _row(
    kind: str, arguments: str, returns: str, shape: str, layers: int, both: int, **options: Any
) -> LayerRow:
    """A row for a sequence of 6 elements of 5 numbers and 3 units."""
    hidden, gates = options["hidden_size"], GATES[kind]
    bias = 2 if options.get("bias", True) else 0
    widths = [5, *[both * hidden] * (layers - 1)]
    products = sum(both * gates * hidden * (width + hidden) for width in widths)
    return LayerRow(
        f"INPUT(6x5, sequence) -> {kind}({hidden}{arguments}) as l",
        shape,
        products + layers * both * bias * gates * hidden,
        6 * products,
        torch=recurrent(kind, returns, num_layers=layers, bidirectional=both == 2, **options),
    )


ROWS = [
    *(_row(kind, "", "all", "6x3", 1, 1, hidden_size=3) for kind in GATES),
    *(_row(kind, ", last", "last", "3", 1, 1, hidden_size=3) for kind in GATES),
    *(
        _row(kind, ", layers=2, direction=both", "all", "6x6", 2, 2, hidden_size=3)
        for kind in GATES
    ),
    _row("LSTM", ", last, layers=2, bias=no", "last", "3", 2, 1, hidden_size=3, bias=False),
    _row("GRU", ", last, direction=both, bias=no", "last", "6", 1, 2, hidden_size=3, bias=False),
    _row("RNN", ", activation=relu", "all", "6x3", 1, 1, hidden_size=3, nonlinearity="relu"),
    *(
        LayerRow(
            f"INPUT(6x5, sequence) -> {kind}(3, direction=backward, init=glorot) as l",
            "6x3",
            gates * 3 * (5 + 3 + 2),
            6 * gates * 3 * (5 + 3),
            torch=recurrent(kind, "all", backward=True, hidden_size=3),
        )
        for kind, gates in GATES.items()
    ),
    *(
        LayerRow(
            f"x = INPUT(6x5, sequence)\nh = INPUT(12)\n{states}"
            f"( x | {names} ) -> {kind}(3, layers=2, direction=both) as l",
            "6x6",
            2 * gates * 3 * (5 + 3 + 2) + 2 * gates * 3 * (6 + 3 + 2),
            6 * (2 * gates * 3 * (5 + 3) + 2 * gates * 3 * (6 + 3)),
            torch=recurrent(kind, "all", num_layers=2, bidirectional=True, hidden_size=3),
        )
        for kind, gates, names, states in (
            ("LSTM", 4, "h | c", "c = INPUT(12)\n"),
            ("GRU", 3, "h", ""),
        )
    ),
    *(
        LayerRow(
            "x = INPUT(6x5, sequence)\nwords = INPUT(6, dtype=int64)\n"
            f"x -> {kind}(3, {returns}, direction=both, mask=words) as l",
            shape,
            2 * gates * 3 * (5 + 3 + 2),
            6 * 2 * gates * 3 * (5 + 3),
            torch=recurrent(kind, returns, bidirectional=True, hidden_size=3),
        )
        for kind, gates in GATES.items()
        for returns, shape in (("all", "6x6"), ("last", "6"))
    ),
]
