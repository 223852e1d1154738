"""A checkout in, a wheel and an sdist out, built as for a release and checked.

The wheel is built three times, and must be the same to the byte: from a checkout, from one on a
path with spaces whose links are small files that name their targets, as Git writes them where there
are no symbolic links, and from the sdist. It is then installed on a path with spaces, and runs.

It needs setuptools and twine, and an index that the dependencies are installed from.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SAFELY: Any = (
    {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
)  # Python 3.11.4 and later
TIME = "1700000000"  # of all files in a wheel, which makes it the same whenever it is built
LEFT = shutil.ignore_patterns(
    ".git", ".build", "build", "dist", "*.egg-info", "__pycache__", ".*_cache"
)
BUILD = (
    "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
)


def copied(root: Path, folder: Path, *, links: bool = True) -> Path:
    """A copy of a checkout, whose links are links, or files that name their targets."""
    shutil.copytree(root, folder, symlinks=True, ignore=LEFT)
    for link in () if links else [path for path in folder.rglob("*") if path.is_symlink()]:
        target = os.readlink(link)
        link.unlink()
        link.write_text(target, encoding="utf-8")
    return folder


def built(kind: str, checkout: Path, out: Path) -> Path:
    """The `wheel` or `sdist` of a checkout, in a folder of its own."""
    out.mkdir(parents=True)
    command = [sys.executable, "-c", BUILD, f"build_{kind}", str(out)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": TIME}
    subprocess.run(command, cwd=checkout, env=environment, check=True, stdout=subprocess.DEVNULL)
    (made,) = out.iterdir()
    return made


def wheels(root: Path, work: Path) -> tuple[Path, Path, list[Path]]:
    """The sdist, the wheel, and the same wheel built in other ways."""
    plain = copied(root, work / "checkout")
    sdist, wheel = built("sdist", plain, work / "sdist"), built("wheel", plain, work / "wheel")
    unlinked = copied(root, work / "without links" / "a check out", links=False)
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "unpacked", **SAFELY)
    (unpacked,) = (work / "unpacked").iterdir()
    others = [("unlinked", unlinked), ("from sdist", unpacked)]
    return sdist, wheel, [built("wheel", folder, work / f"wheel {name}") for name, folder in others]


def main() -> int:
    """Build, compare, check and install; 1 where something is wrong."""
    with tempfile.TemporaryDirectory(prefix="netc package ") as folder:
        work = Path(folder)
        sdist, wheel, others = wheels(ROOT, work)
        for other in others:
            if other.read_bytes() != wheel.read_bytes():
                print(f"{other.parent.name} differs from the wheel of the checkout")
                return 1
        twine = [sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)]
        subprocess.run(twine, check=True)
        home = work / "an environment"
        venv.create(home, with_pip=True)
        programs = home / ("Scripts" if os.name == "nt" else "bin")
        subprocess.run([programs / "python", "-m", "pip", "install", f"{wheel}[cpu]"], check=True)
        subprocess.run([programs / "netc", "build", "zoo:lenet5"], cwd=work, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
