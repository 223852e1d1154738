"""Files of every kind that netc reads, damaged at random, and what reads them.

A kind is a row: sound files, of which one is damaged, and a reader that must answer.
"""

import gzip
import io
import os
import traceback
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from safetensors.numpy import save

import netc
from netc.cli import run
from netc.runtime.kerneldef import Array
from netc.training import open_data, recipe_of
from support import model_mutants
from support.damage import damage
from support.data_files import cifar_bytes, idx_bytes
from support.mutations import mutated_bytes, mutated_tokens

Files = Mapping[str, bytes]

NET = "INPUT(4x4x1) -> CONV(3x3, 2) as c -> BN as b -> RELU -> FC(3) as f"
TRAINED = "INPUT(2) -> FC(3) as a -> TANH -> FC(2) as b\n"
XOR = "train {\n  data = spirals(8, classes=2)\n  epochs = 1\n  preprocess = standardize\n}\n"


@dataclass(frozen=True, slots=True)
class Kind:
    """Files of one kind, and who reads them.

    Attributes:
        files: Sound files by name; those whose names start with `sound` are never damaged.
        read: Reads them in their folder; returns the status of a command, or raises `NetError`.
        text: Whether tokens are changed as well as bytes.
        mutate: Makes damaged files in its own way.
        every: Of how many turns it takes one; programs take the others.
    """

    files: Callable[[], Files]
    read: Callable[[], int]
    text: bool = False
    mutate: Callable[[Random], Files] | None = None
    every: int = 1


def _program(data: str, net: str = NET) -> bytes:
    return f"{net}\ntrain {{\n  data = {data}\n  epochs = 1\n  batch = 4\n}}\n".encode()


def _array_bytes(**arrays: Array) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _npy() -> Files:
    buffer = io.BytesIO()
    np.save(buffer, np.ones((2, 1, 4, 4), np.float32))
    return {"x.npy": buffer.getvalue()}


def _state() -> dict[str, Array]:
    state = netc.compile(NET).initialize(seed=0)
    return {name: np.array(array) for name, array in state.items()}


def _data(name: str, content: bytes, data: str, net: str = NET) -> Files:
    return {name: content, "sound.net": _program(data, net)}


def _table() -> Files:
    rows = [f"{i * 0.5},{-i},{'abc'[i % 3]}" for i in range(12)]
    text = "\n".join(["width,height,kind", *rows, '"1.5",2,"a"', ""])
    return _data("t.csv", text.encode(), 'csv("t.csv", target="kind")', "INPUT(2) -> FC(3)")


def _npz() -> Files:
    random = np.random.default_rng(0)
    content = _array_bytes(x=random.random((9, 1, 4, 4)).astype(np.float32), y=np.arange(9) % 3)
    return _data("d.npz", content, 'npz("d.npz")')


def _idx(zipped: bool) -> Files:
    suffix = ".gz" * zipped
    files = {"sound.net": _program('idx(".")', "INPUT(4x4) -> FC(10)")}
    for part, count in (("train", 8), ("t10k", 4)):
        images = np.arange(count * 16, dtype=np.uint8).reshape(count, 4, 4)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            data = idx_bytes(array)
            files[f"{part}-{name}-ubyte{suffix}"] = gzip.compress(data) if zipped else data
    return files


def _cifar() -> Files:
    data = cifar_bytes(np.array([3, 9], np.uint8), np.zeros((2, 3072), np.uint8))
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    return dict.fromkeys(names, data) | {
        "sound.net": _program('cifar10(".")', "INPUT(32x32x3) -> POOL(8x8) -> FC(10)")
    }


def _picture(mode: str, format: str, random: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    shades = Image.fromarray(random.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    shades.convert(mode).save(buffer, format)
    return buffer.getvalue()


def _pictures() -> Files:
    random = np.random.default_rng(0)
    rows = [("RGB", "PNG"), ("L", "JPEG"), ("P", "GIF"), ("RGB", "BMP"), ("I;16", "TIFF")]
    rows += [("RGBA", "PNG"), ("I;16", "PNG"), ("1", "PNG"), ("RGB", "WEBP"), ("CMYK", "JPEG")]
    files = {
        f"set/{'ab'[i % 2]}/{i}.{format.lower()}": _picture(mode, format, random)
        for i, (mode, format) in enumerate(rows)
    }
    return files | {"sound.net": _program('images("set", 6x6)', "INPUT(6x6x3) -> FC(2)")}


def _weights(content: Callable[[dict[str, Array]], bytes], name: str) -> Files:
    return {name: content(_state()), "sound.net": NET.encode()}


def _model() -> Files:
    with TemporaryDirectory() as folder:
        path = Path(folder, "m.onnx")
        netc.compile(NET).export(path)
        return {"m.onnx": path.read_bytes()}


def _run() -> Files:
    """The folder of a finished run."""
    with TemporaryDirectory() as folder:
        netc.compile(TRAINED + XOR, name="sound.net").train(output=Path(folder, "run"))
        found = {path.name: path.read_bytes() for path in Path(folder, "run").iterdir()}
    files = {f"run/{name}": data for name, data in found.items()}
    return files | {"sound.net": (TRAINED + XOR).encode()}


def _command(*words: str) -> Callable[[], int]:
    """The command line as a reader."""
    return lambda: run(words)


def _samples() -> int:
    """Read the data set that a program names."""
    model = netc.load("sound.net").model
    data = open_data(model, recipe_of(model))
    data.take(range(len(data)))
    return 0


def _model_mutant(random: Random) -> Files:
    return {"m.onnx": model_mutants.mutant(random)}


def _read_and_use() -> int:
    model_mutants.read_and_use(model_mutants.lay(Path("m.onnx").read_bytes(), Path()))
    return 0


ZERO = "[[[[0,1,2,3],[0,1,2,3],[0,1,2,3],[0,1,2,3]]]]"

KINDS: Mapping[str, Kind] = {
    "npy": Kind(_npy, _command("run", NET, "--input", "x.npy")),
    "npz": Kind(_npz, _samples),
    "csv": Kind(_table, _samples, text=True),
    "idx": Kind(lambda: _idx(zipped=False), _samples),
    "idx.gz": Kind(lambda: _idx(zipped=True), _samples),
    "cifar": Kind(_cifar, _samples),
    "pictures": Kind(_pictures, _samples),
    "safetensors": Kind(
        lambda: _weights(save, "w.safetensors"),
        _command("run", "sound.net", "--weights", "w.safetensors", "--input", ZERO),
    ),
    "npz weights": Kind(
        lambda: _weights(lambda state: _array_bytes(**state), "w.npz"),
        _command("run", "sound.net", "--weights", "w.npz", "--input", ZERO),
    ),
    "onnx": Kind(_model, _command("run", "m.onnx", "--input", ZERO)),
    "onnx messages": Kind(dict, _read_and_use, mutate=_model_mutant),
    "run": Kind(_run, _command("evaluate", "sound.net", "--run", "run"), text=True),
    "resume": Kind(
        _run, _command("train", "sound.net", "--output", "run", "--resume"), text=True, every=10
    ),
}


@cache
def _sound(kind: str) -> Files:
    return KINDS[kind].files()


def mutant(kind: str, number: int) -> Files:
    """The files of a case, one of them damaged: the same number is the same case."""
    random = Random(f"{kind} {number}")
    own = KINDS[kind].mutate
    if own is not None:
        return own(random)
    files = dict(_sound(kind))
    name = random.choice([name for name in files if not name.startswith("sound")])
    data = files[name]
    if KINDS[kind].text and random.random() < 0.5 and _is_text(data):
        text = data.decode()
        files[name] = mutated_tokens(random, text, [text]).encode(errors="replace")
    else:
        files[name] = damage(data, random) if data and number % 2 else mutated_bytes(random, data)
    return files


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def lay(files: Files, folder: Path) -> None:
    """Write files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def answer(kind: str, number: int) -> str:
    """What no damaged file may do, as text; empty where the command answered as it should."""
    printed = io.StringIO()
    with TemporaryDirectory() as folder:
        lay(mutant(kind, number), Path(folder))
        before = os.getcwd()
        os.chdir(folder)
        try:
            with redirect_stdout(printed), redirect_stderr(printed):
                status = KINDS[kind].read()
        except netc.NetError as failure:
            return "" if str(failure) else "an empty error"
        except BaseException:
            return traceback.format_exc(limit=-6)
        finally:
            os.chdir(before)
    if status not in (0, 1):
        return f"status {status}: {printed.getvalue()}"
    return "" if status == 0 or "error[" in printed.getvalue() else f"silent: {printed.getvalue()}"
