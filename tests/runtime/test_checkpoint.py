"""Weights in files and their comparison with a network."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from support.memory import less_memory_than
from support.refusals import refusal

import netc
from netc.runtime.kerneldef import Array
from netc.runtime.weights.files import mismatches
from netc.runtime.weights.state import LazyState

SUFFIXES = ["safetensors", "npz"]

STATE: dict[str, Array] = {
    "layer1.0.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "half": np.array([1.5, -2.0], np.float16),
    "wide": np.array([[np.pi, np.inf], [np.nan, -0.0]]),
    "ids": np.array([-1, 2**60], np.int64),
    "flags": np.array([True, False, True]),
    "scalar": np.array(3.0, np.float32),
    "empty": np.zeros((0, 5), np.float32),
    "ünï": np.array([7], np.uint8),
}


def assert_same(found: Any, expected: Any) -> None:
    """Same names, types, shapes and bits."""
    assert set(found) == set(expected)
    for name in expected:
        assert found[name].dtype == expected[name].dtype
        assert found[name].shape == expected[name].shape
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    """What is saved is loaded again, of every element type, rank and size."""
    path = tmp_path / f"w.{suffix}"
    netc.save_weights(path, STATE)
    loaded = netc.load_weights(path)
    assert_same(loaded, STATE)
    assert len(loaded) == len(STATE)
    assert "nothing" not in loaded
    with pytest.raises(KeyError):
        loaded["nothing"]
    assert os.listdir(tmp_path) == [f"w.{suffix}"]


def test_other_tools_read_what_we_write(tmp_path: Path) -> None:
    """The safetensors library and NumPy read our files, and we read theirs."""
    netc.save_weights(tmp_path / "ours.safetensors", STATE)
    assert_same(safetensors.numpy.load_file(tmp_path / "ours.safetensors"), STATE)
    netc.save_weights(tmp_path / "ours.npz", STATE)
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as archive:
        assert_same(dict(archive), STATE)
    safetensors.numpy.save_file(STATE, tmp_path / "theirs.safetensors", {"format": "pt"})
    assert_same(netc.load_weights(tmp_path / "theirs.safetensors"), STATE)
    arrays: dict[str, Any] = dict(STATE)
    np.savez_compressed(tmp_path / "theirs.npz", **arrays)
    assert_same(netc.load_weights(tmp_path / "theirs.npz"), STATE)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_weights_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    """Files hold no dates and no chance."""
    for name in ("a", "b"):
        netc.save_weights(tmp_path / f"{name}.{suffix}", STATE)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_strided_and_foreign_arrays(tmp_path: Path, suffix: str) -> None:
    """Views, other byte orders and plain lists are stored by their values."""
    state = {
        "view": np.arange(12, dtype=np.float32).reshape(3, 4).T[::2],
        "big": np.arange(3, dtype=">f4"),
        "list": [1.0, 2.0],
    }
    netc.save_weights(tmp_path / f"w.{suffix}", state)
    loaded = netc.load_weights(tmp_path / f"w.{suffix}")
    for name, value in state.items():
        np.testing.assert_array_equal(loaded[name], value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tensor_by_tensor(tmp_path: Path, suffix: str) -> None:
    """Neither saving a lazy state nor opening a file holds all weights at once."""
    network = netc.compile("INPUT(512) -> [FC(512)]*16")
    state = network.initialize(0)
    assert isinstance(state, LazyState)
    one = state.type_of("fc1.weight").nbytes
    with less_memory_than(4 * one):
        netc.save_weights(tmp_path / f"w.{suffix}", state)
        loaded = netc.load_weights(tmp_path / f"w.{suffix}")
        network.check_weights(loaded)
    assert_same(loaded, state)


def _damaged(data: bytes, random: Random) -> bytes:
    """The bytes with a few changed, dropped or inserted."""
    damaged = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 5])):
        at = random.randrange(len(damaged))
        length = random.choice([1, 1, 1, 0, 7])
        damaged[at : at + length] = random.randbytes(random.choice([1, 1, 1, 0, 3]))
    return bytes(damaged)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_files(tmp_path: Path, suffix: str) -> None:
    """Whatever happens to a file's bytes, it is read or refused, and nothing else."""
    path, random = tmp_path / f"w.{suffix}", Random(0)
    netc.save_weights(path, {"a": np.arange(6.0).reshape(2, 3), "b": np.array(3)})
    whole = path.read_bytes()
    codes: list[str] = []
    for _ in range(300):
        path.write_bytes(_damaged(whole, random))
        try:
            dict(netc.load_weights(path))
        except netc.NetError as failure:
            codes += [diagnostic.code for diagnostic in failure.diagnostics]
    assert set(codes) == {"E505"}
    assert len(codes) > 100


def _safetensors(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _npz(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _npy(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
MALFORMED = {
    "empty.safetensors": b"",
    "text.safetensors": b"hello, this is no file of weights",
    "short.safetensors": _safetensors({"a": TENSOR}, b"1234"),
    "long.safetensors": _safetensors({"a": TENSOR}, b"12345678 and more"),
    "type.safetensors": _safetensors({"a": {**TENSOR, "dtype": "F33"}}, b"12345678"),
    "size.safetensors": _safetensors({"a": {**TENSOR, "shape": [3]}}, b"12345678"),
    "header.safetensors": (2**62).to_bytes(8, "little") + b"{}",
    "pickle.safetensors": pickle.dumps({"a": [1, 2]}),
    "empty.npz": b"",
    "text.npz": b"hello, this is no file of weights",
    "truncated.npz": _npz({"a.npy": _npy(np.arange(99))})[:-30],
    "objects.npz": _npz({"a.npy": _npy(np.array([{}, None], object))}),
    "name.npz": _npz({"a.txt": _npy(np.arange(3))}),
    "strings.npz": _npz({"a.npy": _npy(np.array(["one", "two"]))}),
    "huge.npz": _npz({"a.npy": _npy(np.zeros(10**6))[:128]}),
    "member.npz": _npz({"a.npy": b"not an array"}),
    "nothing.npz": _npz({"a.npy": b""}),
    "version.npz": _npz({"a.npy": b"\x93NUMPY\x09\x00" + b"\0" * 20}),
    "expression.npz": _npz({"a.npy": b"\x93NUMPY\x01\x00\x10\x00__import__('os')"}),
    "array.npz": _npy(np.arange(3)),
    "weights.bin": b"",
    "weights": b"",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files(tmp_path: Path, name: str) -> None:
    """A file that is not what it should be is refused as such, whatever it holds."""
    path = tmp_path / name
    path.write_bytes(MALFORMED[name])
    found = refusal(netc.load_weights, path)
    assert found.startswith(f"error[E505]: `{path}` is ")
    assert "= help: " in found


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_truncated_files(tmp_path: Path, suffix: str, kept: float) -> None:
    """A file that was cut off is refused, wherever it was cut."""
    path = tmp_path / f"w.{suffix}"
    netc.save_weights(path, STATE)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert refusal(netc.load_weights, path).startswith("error[E505]: ")


def test_damaged_data(tmp_path: Path) -> None:
    """Bits that changed within an archive are found when the array is read."""
    path = tmp_path / "w.npz"
    netc.save_weights(path, {"a": np.zeros(10_000)})
    data = bytearray(path.read_bytes())
    data[50_000] ^= 1
    path.write_bytes(data)
    loaded = netc.load_weights(path)
    assert refusal(loaded.__getitem__, "a").startswith(
        f"error[E505]: `{path}` is not a complete npz"
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_that_cannot_be_read(tmp_path: Path, suffix: str) -> None:
    """Missing files and folders are refused with the system's reason."""
    missing = tmp_path / f"w.{suffix}"
    assert refusal(netc.load_weights, missing).startswith(
        f"error[E001]: cannot read `{missing}`: no such file or folder"
    )
    missing.mkdir()
    assert refusal(netc.load_weights, missing).startswith(
        f"error[E001]: cannot read `{missing}`: it is a folder"
    )
    assert "E001" in refusal(netc.load_weights, f"a\0b.{suffix}")
    assert "E004" in refusal(netc.save_weights, tmp_path / "none" / f"w.{suffix}", STATE)


def test_element_types_that_numpy_lacks(tmp_path: Path) -> None:
    """A tensor of bfloat16 is refused by name; the others are readable."""
    path = tmp_path / "w.safetensors"
    header = {
        "brain": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
        "plain": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
    }
    path.write_bytes(_safetensors(header, b"\0" * 8))
    loaded = netc.load_weights(path)
    assert loaded["plain"].tolist() == [0]
    assert refusal(loaded.__getitem__, "brain") == (
        f"error[E505]: `brain` in `{path}` holds BF16, which NumPy does not have\n"
        "  = help: store the weights as float32"
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_cannot_be_stored(tmp_path: Path, suffix: str) -> None:
    """Objects are never stored, and a file that stood there stays as it was."""
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(b"before")
    wrong = {"fine": np.zeros(3), "odd": np.array([{}], object)}
    assert "error[E505]" in refusal(netc.save_weights, path, wrong)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == [path.name]


NET = "INPUT(8x8x3) -> CONV(4) as conv1 -> RELU -> FC(6) as fc"


def fitting() -> tuple[netc.Network, dict[str, Array]]:
    """A network and weights that fit it."""
    network = netc.compile(NET)
    return network, dict(network.initialize(0))


def test_weights_that_fit() -> None:
    """A complete state is accepted, buffers included."""
    network, state = fitting()
    network.check_weights(state)
    assert mismatches(network.graph, state) == []


def test_all_mismatches_are_told_at_once() -> None:
    """Missing, unexpected and unfit weights come in one message, with the likely names."""
    network, state = fitting()
    state["conv.weight"] = state.pop("conv1.weight")
    state["fc.weight"] = state["fc.weight"].T
    state["fc.bias"] = state["fc.bias"].astype(np.float64)
    state["xyzzy"] = np.zeros(1)
    assert refusal(network.check_weights, state) == (
        "error[E501]: 1 weight is missing\n"
        "  = note: `conv1.weight` of float32[4, 3, 3, 3]\n"
        "\n"
        "error[E501]: 2 weights have no place in the network\n"
        "  = note: `conv.weight`: did you mean `conv1.weight`?\n"
        "  = note: `xyzzy`\n"
        "\n"
        "error[E501]: 2 weights do not fit\n"
        "  = note: `fc.weight` is float32[256, 6], not float32[6, 256]\n"
        "  = note: `fc.bias` is float64[6], not float32[6]\n"
        "  = help: dense weights are (out, in): transpose them with `array.T`"
    )


def test_hundreds_of_mismatches_are_counted() -> None:
    """Of many mismatches the first ones are shown and the others counted."""
    network = netc.compile("INPUT(4) -> [FC(4)]*200")
    found = refusal(network.check_weights, {f"other{i}.weight": np.zeros(1) for i in range(300)})
    assert "error[E501]: 400 weights are missing\n" in found
    assert "  = note: and 390 more\n" in found
    assert "error[E501]: 300 weights have no place in the network\n" in found
    assert len(found.splitlines()) < 30


@pytest.mark.parametrize("value", [[[1], [2, 3]], "a cat", None, object()])
def test_weights_that_are_no_arrays(value: object) -> None:
    """Whatever stands in a state's place is refused as a weight that does not fit."""
    network, state = fitting()
    found = refusal(network.check_weights, {**state, "fc.bias": value})
    assert found.startswith("error[E501]: ")
    assert "`fc.bias`" in found
