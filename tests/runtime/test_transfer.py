"""Weights of one network for another: what matches, what is left out, what is frozen."""

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.compiler.passes.append_backward import trainable
from netc.runtime.weights.transfer import freeze, match_weights

TEN = "INPUT(8x8x1) -> CONV(3x3, 4) -> BN -> RELU -> FC(16) as code -> FC(10) as head"
FIVE = TEN.replace("FC(10)", "FC(5)")


def test_all_matches() -> None:
    """Weights of the same network are complete, and merge to themselves."""
    network = netc.compile(TEN)
    state = network.initialize(1)
    found = match_weights(network.graph, state)
    assert found.complete
    assert list(found.matched) == list(network.graph.parameters)
    merged = found.merged(network.graph, 2)
    assert all(np.array_equal(merged[name], state[name]) for name in state)
    network.check_weights(merged)


def test_a_head_of_another_size_is_left_out_on_demand() -> None:
    """It is initialized with a seed, as if it had never been loaded; the report names it."""
    network = netc.compile(FIVE)
    found = match_weights(network.graph, netc.compile(TEN).initialize(1), allow=["head.*"])
    assert not found.complete
    assert list(found.unfit) == ["head.weight", "head.bias"]
    merged = found.merged(network.graph, 2)
    assert np.array_equal(merged["head.weight"], network.initialize(2)["head.weight"])
    assert np.array_equal(merged["code.weight"], netc.compile(TEN).initialize(1)["code.weight"])
    network.check_weights(merged)
    assert str(found) == (
        "8 matched: conv1.weight, conv1.bias, bn1.weight, bn1.bias, bn1.running_mean,"
        " bn1.running_var, code.weight, code.bias\n"
        "2 unfit, initialized: head.weight (is float32[10, 16], not float32[5, 16]), head.bias (is"
        " float32[10], not float32[5])"
    )


def test_without_demand_it_is_an_error() -> None:
    """The error says which weights do not fit, and what to do."""
    network = netc.compile(FIVE)
    assert refusal(match_weights, network.graph, netc.compile(TEN).initialize(1)) == (
        "error[E562]: 2 of 10 weights do not match by name\n"
        "  = note: 2 weights do not fit:\n"
        "  = note: `head.weight` is float32[10, 16], not float32[5, 16]\n"
        "  = note: `head.bias` is float32[10], not float32[5]\n"
        "  = help: let what differs, such as the head of another number of classes, be"
        " reinitialized (`--allow PATTERN`), or rename what is called differently"
    )


def test_missing_and_unexpected_weights() -> None:
    """Both are told apart, and both may be allowed."""
    network = netc.compile(TEN)
    state = dict(network.initialize(1))
    state["old.weight"] = state.pop("code.weight")
    found = match_weights(network.graph, state, allow=["code.*", "old.*"])
    assert (found.missing, found.unexpected) == (("code.weight",), ("old.weight",))
    with pytest.raises(netc.NetError, match=r"`old\.weight`"):
        match_weights(network.graph, state, allow=["code.*"])


def test_prefixes_and_names_are_renamed() -> None:
    """The longest beginning counts, and a function may leave weights out."""
    network = netc.compile(TEN)
    state = network.initialize(1)
    given = {
        f"model.{name}".replace("model.head", "model.classifier"): state[name] for name in state
    }
    table = {"model.": "", "model.classifier.": "head."}
    assert match_weights(network.graph, given, rename=table).complete
    given["optimizer.step"] = np.zeros(1, np.float32)

    def rename(name: str) -> str | None:
        if name.startswith("optimizer"):
            return None
        return name.removeprefix("model.").replace("classifier", "head")

    found = match_weights(network.graph, given, rename=rename)
    assert found.complete
    assert np.array_equal(found.merged(network.graph)["head.bias"], state["head.bias"])


def test_two_weights_of_one_name() -> None:
    """Renaming must not let one weight hide another."""
    network = netc.compile("INPUT(3) -> FC(2)")
    state = network.initialize(0)
    given = {**{name: state[name] for name in state}, "old.weight": state["fc1.weight"]}
    text = refusal(match_weights, network.graph, given, rename={"old.": "fc1."})
    assert "[E563]: both `fc1.weight` and `old.weight` would be renamed to `fc1.weight`" in text


def test_patterns_that_match_nothing() -> None:
    """A misspelled pattern is an error, with the name that is near."""
    network = netc.compile(TEN)
    text = refusal(match_weights, network.graph, network.initialize(0), allow=["haed.weight"])
    assert "[E563]: the pattern `haed.weight` matches no weight" in text
    assert "did you mean `head.weight`?" in text
    assert "the pattern `cod` matches no layer" in refusal(freeze, network.graph, ["cod"])


def test_a_wide_pattern_loads_what_fits() -> None:
    """`*` takes what there is."""
    network = netc.compile(TEN)
    found = match_weights(network.graph, {"other": np.zeros(3)}, allow=["*"])
    assert (len(found.matched), found.unexpected) == (0, ("other",))


def test_freeze_is_what_the_argument_is() -> None:
    """Patterns mark what `frozen=yes` in the program marks, and leave the graph as it was."""
    network = netc.compile(TEN)
    marked = freeze(network.graph, ["conv*", "bn1"])
    written = netc.compile(
        TEN.replace("4)", "4, frozen=yes)").replace("BN", "BN(frozen=yes)")
    ).graph
    assert list(trainable(marked)) == list(trainable(written))
    assert [n for n, layer in marked.layers.items() if layer.frozen] == [
        n for n, layer in written.layers.items() if layer.frozen
    ]
    assert "conv1.weight" in trainable(network.graph)
