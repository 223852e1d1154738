"""Checkpoints that `torch.save` writes: what is read of them, and what is refused."""

import builtins
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.runtime.kerneldef import Array

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[oracle]'")
pytestmark = pytest.mark.oracle

FORMATS = {"zip": True, "legacy": False}


def _tensors() -> dict[str, Any]:
    """Tensors of many kinds."""
    tied = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    return {
        "a.weight": torch.arange(24.0).reshape(2, 3, 4),
        "turned": torch.arange(6.0).reshape(2, 3).T,
        "every second": torch.arange(10)[::2],
        "brain": torch.tensor([1.5, -2.0, 3e38], dtype=torch.bfloat16),
        "half": torch.tensor([1.5], dtype=torch.float16),
        "scalar": torch.tensor(3.0),
        "bn.num_batches_tracked": torch.tensor(7),
        "flags": torch.tensor([True, False]),
        "empty": torch.zeros(0, 5),
        "learned": torch.nn.Parameter(torch.ones(2)),
        "tied": tied,
        "also tied": tied,
        "part": tied[1],
    }


def _as_array(tensor: Any) -> Array:
    plain = tensor.detach()
    return np.asarray((plain.float() if plain.dtype is torch.bfloat16 else plain).numpy())


@pytest.mark.parametrize("suffix", ["pt", "pth", "bin", "ckpt"])
@pytest.mark.parametrize("zipped", FORMATS.values(), ids=FORMATS)
def test_tensors(zipped: bool, suffix: str, tmp_path: Path) -> None:
    """Each tensor is an array of its own; what NumPy lacks is exact in float32."""
    path = tmp_path / f"w.{suffix}"
    torch.save(OrderedDict(_tensors()), path, _use_new_zipfile_serialization=zipped)
    loaded = netc.load_weights(path)
    assert list(loaded) == list(_tensors())
    for name, tensor in _tensors().items():
        expected = _as_array(tensor)
        assert loaded[name].dtype == expected.dtype == loaded.type_of(name).dtype.value
        assert loaded.type_of(name).shape == loaded[name].shape
        np.testing.assert_array_equal(loaded[name], expected)
        assert loaded[name].flags.c_contiguous
    loaded["tied"][:] = 9
    assert loaded["also tied"][0, 1] == loaded["tied"][0, 1] == 1
    assert "nothing" not in loaded
    assert repr(loaded) == "<TorchState: 13 weights>"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state, "epoch": 3, "best": torch.tensor(0.5)},
        lambda state: {"model_state_dict": state, "optimizer": {"state": {0: torch.ones(1)}}},
        lambda state: {"model": {"state_dict": state}, "args": [1, "two"]},
        lambda state: {**state, "epoch": 3, "lr": 0.1},
    ],
    ids=["state_dict", "model_state_dict", "model.state_dict", "beside others"],
)
def test_holders(wrap: Callable[[Any], Any], tmp_path: Path) -> None:
    """Weights are found under the usual names; what are no tensors is left out."""
    torch.save(wrap({"w": torch.ones(2), "b": torch.zeros(1)}), tmp_path / "w.pt")
    assert list(netc.load_weights(tmp_path / "w.pt")) == ["w", "b"]


class _Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("zipped", FORMATS.values(), ids=FORMATS)
def test_code_is_not_run(zipped: bool, tmp_path: Path) -> None:
    """A pickle that would run something is refused with the name of that, and runs nothing."""
    path, trace = tmp_path / "w.pt", tmp_path / "trace"
    torch.save({"w": _Evil(trace)}, path, _use_new_zipfile_serialization=zipped)
    found = refusal(netc.load_weights, path)
    assert found.startswith(f"error[E505]: `{path}` holds more than weights\n")
    assert "reading it would run `" in found
    assert "torch.save(model.state_dict(), path)" in found
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(_Evil(trace)))
    assert refusal(netc.load_weights, tmp_path / "plain.pkl").startswith("error[E505]")
    assert not trace.exists()


def test_a_whole_module(tmp_path: Path) -> None:
    """A pickled module is refused, as its class would have to be imported."""
    torch.save(torch.nn.Linear(2, 3), tmp_path / "w.pt")
    found = refusal(netc.load_weights, tmp_path / "w.pt")
    assert "holds more than weights" in found
    assert "torch.nn.modules.linear.Linear" in found


@pytest.mark.filterwarnings("ignore")  # PyTorch gives up TorchScript
def test_a_script(tmp_path: Path) -> None:
    """A TorchScript archive is named as such."""
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 3), torch.ones(1, 2)), tmp_path / "w.pt")
    found = refusal(netc.load_weights, tmp_path / "w.pt")
    assert "is a TorchScript archive" in found
    assert "torch.jit.load(path).state_dict()" in found


@pytest.mark.parametrize("held", [torch.ones(2), [torch.ones(2)], {"epoch": 3}, {}, 5])
def test_no_weights(held: Any, tmp_path: Path) -> None:
    """What holds no tensors by name says what it holds."""
    torch.save(held, tmp_path / "w.pt")
    found = refusal(netc.load_weights, tmp_path / "w.pt")
    assert "holds no weights by name" in found
    assert "it holds " in found


@pytest.mark.parametrize("zipped", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.1, 0.5, 0.9, 0.99])
def test_truncated_files(kept: float, zipped: bool, tmp_path: Path) -> None:
    """A file that was cut off is refused, wherever it was cut."""
    path = tmp_path / "w.pt"
    torch.save(_tensors(), path, _use_new_zipfile_serialization=zipped)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    found = refusal(netc.load_weights, path)
    assert found.startswith(f"error[E505]: `{path}` ")  # a name that is cut off is another one
    assert "is not a complete checkpoint of PyTorch's\n" in found or (kept, zipped) == (0.1, False)


def test_other_files(tmp_path: Path) -> None:
    """Other archives, text, and other pickles are no checkpoints; a folder is no file."""
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    (tmp_path / "b.pt").write_text("weights\n" * 99)
    (tmp_path / "c.bin").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "d.pkl").write_bytes(pickle.dumps({"a": np.ones(3)}))
    for name in ("a.pt", "b.pt", "c.bin", "d.pkl"):
        assert refusal(netc.load_weights, tmp_path / name).startswith("error[E505]: "), name
    (tmp_path / "e.pt").mkdir()
    assert "E001" in refusal(netc.load_weights, tmp_path / "e.pt")
    assert "E001" in refusal(netc.load_weights, tmp_path / "none.pt")


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8),
        lambda: torch.empty(2, device="meta"),
    ],
    ids=["sparse", "quantized", "meta"],
)
@pytest.mark.filterwarnings("ignore")  # PyTorch gives up quantized tensors
def test_tensors_that_are_no_arrays(make: Callable[[], Any], tmp_path: Path) -> None:
    """They are refused by name when they are read; the others are readable."""
    torch.save({"odd": make(), "plain": torch.ones(1)}, tmp_path / "w.pt")
    loaded = netc.load_weights(tmp_path / "w.pt")
    assert loaded["plain"].tolist() == [1]
    assert refusal(loaded.__getitem__, "odd").startswith("error[E505]: `odd` in ")


def test_without_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra, and lines that convert the file elsewhere, which run."""
    state = {"w": torch.ones(2, 3)}
    torch.save(state, tmp_path / "w.pt")
    own = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "torch":
            raise ModuleNotFoundError(name)
        return own(name, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "__import__", without)
        found = refusal(netc.load_weights, tmp_path / "w.pt")
    assert found.startswith(
        f"error[E505]: `{tmp_path}/w.pt` is a pickle of PyTorch's, and PyTorch is not installed\n"
        "  = help: pip install 'netc[torch]', or "
    )
    lines = found.partition("in Python:\n")[2].splitlines()
    exec("\n".join(line.strip() for line in lines), {})
    assert netc.load_weights(tmp_path / "w.safetensors")["w"].tolist() == [[1] * 3] * 2


def test_they_are_not_written(tmp_path: Path) -> None:
    """Weights are written as safetensors or npz alone."""
    found = refusal(netc.save_weights, tmp_path / "w.pt", {"w": np.ones(2)})
    assert found.startswith("error[E505]: weights are not written as `.pt`\n")
    assert list(tmp_path.iterdir()) == []
