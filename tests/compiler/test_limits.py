"""Every limit has a code, and is reported before time and memory are spent."""

import time
from collections.abc import Iterator

import pytest
from support.fuzzing import Worker
from support.refusals import failure_of

import netc

NESTED_LISTS = "".join(f"let a{i + 1} = [a{i}, a{i}]\n" for i in range(40))
DOUBLED_LISTS = "".join(f"let a{i + 1} = a{i} + a{i}\n" for i in range(40))
WRAPPED_LISTS = "".join(f"let a{i + 1} = [a{i}]\n" for i in range(200))
CALLED_BLOCKS = "".join(f"block B{i + 1} {{ B{i} }}\n" for i in range(200))
COMPARED_LISTS = (
    "let a0 = [1]\nlet b0 = [1]\n"
    + "".join(f"let {x}{i + 1} = [{x}{i}, {x}{i}]\n" for i in range(15) for x in "ab")
    + "assert a15 == b15\n" * 100
)
DOUBLED_BLOCKS = "".join(f"block B{i + 1} {{ B{i} -> B{i} }}\n" for i in range(60))
CONCATENATED = "[( ID | POOL(kernel=2) ) -> CONCAT(axis=length)]*60"

# program -> (code, what the message says)
REFUSED = {
    "INPUT -> [[[CONV]*1000]*1000]*1000": ("E401", "at least 1_000_000_001 layers"),
    "let n = 1000\nINPUT -> [[[CONV]*n]*n]*n": ("E401", "at least 5_001 layers"),
    "let n = 1000\nINPUT -> [[[ID]*0]*n]*n": ("E401", "more than 20_000 turns and calls"),
    f"block B0 {{ ID }}\n{DOUBLED_BLOCKS}INPUT -> B60": ("E401", f"at least {2**60 + 1:_} layers"),
    f"block B0 {{ if no {{ ID }} }}\n{DOUBLED_BLOCKS}INPUT -> B60": ("E401", "turns and calls"),
    f"block B0 {{ ID }}\n{CALLED_BLOCKS}INPUT -> B200": ("E402", "steps nested more than 100"),
    f"let a0 = [1]\n{WRAPPED_LISTS}INPUT -> FC(weight=a200)": ("E402", "a list nested"),
    f"let a0 = [1]\n{NESTED_LISTS}INPUT -> FC(weight=a40)": ("E404", "too many items"),
    f"let a0 = [1]\n{DOUBLED_LISTS}INPUT -> FC": ("E404", "too many items"),
    f"{COMPARED_LISTS}INPUT -> FC": ("E404", "too many items"),
    "let a = range(90_000)\n" + "let b = sum(a)\n" * 30 + "INPUT -> FC": ("E404", "too many items"),
    'let a = range(90_000)\nINPUT(1) -> [op("Add", B=a)]*1000': ("E404", "too many items"),
    "let a = sum(enumerate(range(99_000)), (0, 0))\nINPUT -> FC": ("E302", "cannot take"),
    "let a = sum([[1]]*9, [])\nINPUT -> FC": ("E302", "this needs a number"),
    "INPUT -> FC(round(5, -1_000_000_000))": ("E103", "not `0`"),
    "let a = range(100_001)\nINPUT -> FC": ("E404", "a list of more than 100_000 items"),
    "let a = range(60_000)\nlet b = zip(a, a)\nINPUT -> FC": ("E404", "more than 100_000 items"),
    f"INPUT -> CONV as {'x' * 1001} -> FC": ("E403", "a name of more than 1_000 characters"),
    f"block B{'b' * 1000} {{ FC }}\nINPUT -> B{'b' * 1000}": ("E403", "a name of more than 1_000"),
    f"INPUT((L, 4), sequence) -> {CONCATENATED}": ("E404", "more than 250 characters"),
    "INPUT(3000000000x3000000000x3) -> RELU": ("E404", "beyond 2^63 - 1"),
    "INPUT(9223372036854775808) -> RELU": ("E404", "is too large"),
    "let a = 2^62 * 2\nINPUT -> FC": ("E404", "beyond 2^63 - 1"),
    "INPUT((H, W, 3)) -> SLICE(9223372036854775807, axis=0)": ("E404", "has no index as large as"),
    'import "lib:resnet.net"\n' * 1_001 + "INPUT -> FC": ("E404", "more than 1_000 imports"),
    f"block A({', '.join(f'p{i}=1' for i in range(101))}) {{ RELU }}\nINPUT -> A": (
        *("E404", "a block of more than 100 parameters"),
    ),
    "INPUT -> for i in range(50000) { RELU as a{i} } -> FC": ("E401", "the limit is"),
    "INPUT -> " + "[RELU]*1 -> " * 40_000 + "FC": ("E403", "more than 200_000 tokens"),
    "\n" * 500_001 + "INPUT -> FC": ("E403", "more than 500_000 lines"),
    "INPUT -> DWCONV(1x7, dilation=2^62)": ("E404", "has a window that spans"),
    "INPUT -> LOCAL(3x3, 4, dilation=2^62)": ("E404", "has a window that spans"),
    "INPUT(8x4, sequence) -> LSTM(8, layers=9_000_000_000)": ("E404", "at most 100 layers"),
    "INPUT(8x1000000000, sequence) -> ROPE": ("E404", "takes at most 65_536 channels"),
    "INPUT(8x1000000000, sequence) -> ATTENTION(1_000_000_000, kv_heads=1, project=no)": (
        *("E404", "shares keys among at most"),
    ),
    "CONST(linspace(0, 1, 9_000_000_000))": ("E404", "holds 9_000_000_000 numbers"),
    "INPUT(1) -> FC(99_999_999, weight=0)": ("E404", "cannot fill 99_999_999 numbers"),
}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """A process with limits on time and memory."""
    worker = Worker()
    yield worker
    worker.stop()


@pytest.mark.parametrize("program", REFUSED, ids=lambda text: text[-40:])
def test_refused_at_once(program: str, worker: Worker) -> None:
    """A program beyond a limit is refused with the limit's code, before time and memory go."""
    code, message = REFUSED[program]
    answer = worker.run(program.encode())
    assert answer.failure == ""
    first = answer.diagnostics.splitlines()[0]
    assert first.startswith(f"error[{code}]: ")
    assert message in first


def test_a_list_that_is_named_in_an_error() -> None:
    """An error shows the start of a long list, and not all of it."""
    failure = failure_of(netc.compile, "let a = range(100_000)\nINPUT -> [FC]*a")
    message = failure.diagnostics[0].message
    assert message.startswith("a repeat count must be a whole number, 0 or more, not `[0, 1, 2, ")
    assert message.endswith("...`")
    assert len(message) < 150


def test_too_much_text() -> None:
    """A text above the limit is refused before it is parsed."""
    failure = failure_of(netc.compile, "INPUT -> FC\n" + "#" * (10 * 2**20))
    assert failure.diagnostics[0].code == "E403"


def test_what_is_just_within() -> None:
    """A hundred levels of brackets, and long chains, compile."""
    netc.compile(f"INPUT -> {'[' * 100}RELU{']' * 100} -> FC")
    network = netc.compile("INPUT(4) -> [FC(4)]*4_998 -> FC", max_layers=5_000)
    assert len(network.graph.layers) == 5_000


WITHIN = (
    'INPUT(2x2x2) -> op("Shape") -> [( ID | ID ) -> op("Concat", axis=0)]*20',
    'INPUT(2x2x2) -> op("Shape") -> [op("Slice", starts=[0], ends=[4])]*500',
    'INPUT(2x2x2) -> op("Shape") -> [op("Gather", indices=[3, 1, 2, 0])]*500',
    'let a = range(90_000)\nINPUT(1) -> [op("Add", B=a)]*8',
    'let a = range(90_000)\nINPUT(90_000) -> [op("Gather", indices=a, axis=1)]*8',
    "let r = range(300)\nlet a = [" + "r," * 300 + "]\nINPUT(300) -> [FC(300, weight=a)]*8",
)


@pytest.mark.parametrize("program", WITHIN, ids=lambda text: text[-40:])
def test_compiled_in_time(program: str, worker: Worker) -> None:
    """Long chains on what types tell, and long lists, compile within the limits."""
    answer = worker.run(f'{program}\n-> op("Cast", to=float32) -> RELU'.encode())
    assert answer.failure == ""
    assert "error" not in answer.diagnostics


def test_a_misspelling_among_many_names() -> None:
    """With thousands of names at hand, a suggestion still comes at once."""
    names = "".join(f"let a{i} = {i}\n" for i in range(3_000))
    started = time.process_time()
    failure = failure_of(netc.compile, f"{names}INPUT -> FC(b17)")
    assert failure.diagnostics[0].code in ("E101", "E103")
    assert time.process_time() - started < 5


def test_blocks_that_double_are_refused_before_they_are_expanded() -> None:
    """What literal counts and calls tell of an expansion is told before a layer is built."""
    blocks = "".join(f"block B{i + 1} {{ B{i} -> B{i} }}\n" for i in range(17))
    started = time.process_time()
    failure = failure_of(netc.compile, f"block B0 {{ LN }}\n{blocks}INPUT(4) -> B17")
    assert failure.diagnostics[0].message.startswith("the network has at least 131_073 layers")
    assert time.process_time() - started < 1


@pytest.mark.parametrize("count", [150, 3_000])
@pytest.mark.parametrize("chain", ["[B{0}]*2", "B{0}"])
def test_blocks_that_call_each_other_in_a_long_row(chain: str, count: int) -> None:
    """They nest too deep, inside a repetition as well, whose layers are counted beforehand."""
    blocks = "".join(f"block B{i + 1} {{ B{i} }}\n" for i in range(count))
    failure = failure_of(
        netc.compile, f"block B0 {{ LN }}\n{blocks}INPUT(4) -> {chain.format(count)}"
    )
    assert [d.code for d in failure.diagnostics] == ["E402"]


def test_many_defaults_are_merged_once() -> None:
    """Thousands of `default` statements cost nothing in each of thousands of layers."""
    defaults = "".join(f"default CONV({i % 3 + 2})\n" for i in range(2_000))
    started = time.process_time()
    network = netc.compile(f"{defaults}INPUT(4x4x4) -> [CONV]*2_000 as c\nassert shape(c) == 4x4x3")
    assert len(network.graph.layers) == 2_001
    assert time.process_time() - started < 2


def test_tokens_are_as_many_as_the_layers_need() -> None:
    """Twenty for each layer, where more layers are allowed than by default."""
    pair = "CONV(3x3, 8) -> RELU"
    text = "INPUT(8x8x8) -> " + " -> ".join([pair] * 25_000)
    with pytest.raises(netc.NetError, match="more than 200_000 tokens"):
        netc.compile(text)
    with pytest.raises(netc.NetError, match="more than 220_000 tokens"):
        netc.compile(text, max_layers=11_000)
    with pytest.raises(netc.NetError, match="at least 12_001 layers"):
        netc.compile(text, max_layers=12_000)
