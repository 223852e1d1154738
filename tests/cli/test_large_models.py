"""Models of several gigabytes: commands read their weights piece by piece, or not at all."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from onnx import TensorProto
from support.command_line import ENVIRONMENT
from support.onnx_models import parsed

WIDTH, DEPTH = 11_000, 6  # 484 MB of weights each
BYTES = 4 * DEPTH * WIDTH * WIDTH
ROOM = 4 * BYTES  # on the disk, for what is written
MOST = 1500  # MB
PROGRAM = f"INPUT({WIDTH}) -> [FC({WIDTH}) -> RELU]*{DEPTH}"
# Runs a command, and says last of all how much memory it had at its peak, in kilobytes.
# What `getrusage` tells counts the process that it was forked from, too.
MEASURED = """
import re, sys
from netc.cli import run
status = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
sys.exit(status)
"""


def _peak(folder: Path, *arguments: str) -> float:
    """The MB that a command takes at its peak."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1]) / 1000


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="Linux says what a process had at its peak")
def test_three_gigabytes(tmp_path: Path) -> None:
    """Weights of 2.9 GB are written, read, drawn, imported, and written again to the same bytes.

    Half precision is measured against the whole model in onnxruntime, which holds it.
    """
    if shutil.disk_usage(tmp_path).free < ROOM:
        pytest.skip(f"needs {ROOM // 10**9} GB on the disk")
    try:
        assert _peak(tmp_path, "export", PROGRAM, "-o", "a.onnx") < MOST
        data = tmp_path / "a.onnx.data"
        assert data.stat().st_size > BYTES > 2**31
        for line in ("check a.onnx", "summary a.onnx", "draw a.onnx -o a.svg"):
            assert _peak(tmp_path, *line.split()) < 200
        assert _peak(tmp_path, "import", "a.onnx", "-o", "a.net") < MOST
        (tmp_path / "a.safetensors").unlink()
        assert _peak(tmp_path, "export", "a.onnx", "-o", "b.onnx") < MOST
        _check_same(data, tmp_path / "b.onnx.data")
        _peak(tmp_path, "export", "a.onnx", "-o", "half.onnx", "--dtype", "float16")
        assert (tmp_path / "half.onnx").stat().st_size < 0.51 * BYTES
    finally:
        for path in tmp_path.iterdir():
            path.unlink()


def _check_same(found: Path, wanted: Path) -> None:
    """Compare files block by block."""
    assert found.stat().st_size == wanted.stat().st_size
    with found.open("rb") as a, wanted.open("rb") as b:
        while block := a.read(2**24):
            assert block == b.read(2**24)


def test_a_hollow_file(tmp_path: Path) -> None:
    """Weights that nobody looks at may be a hole of terabytes in a file."""
    model = parsed("""<ir_version: 8, opset_import: ["": 18]>
        g (float[N,1000000] x) => (float[N,1000000] y) { y = MatMul (x, w) }""")
    weight = model.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[10**6] * 2)
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="w.bin")
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(4 * 10**12)
    for line in ("summary m.onnx", "draw m.onnx -o a.svg"):
        assert _peak(tmp_path, *line.split()) < 200
