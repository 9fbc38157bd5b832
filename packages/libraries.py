"""The libraries that a collector needs on one system, each held to its hash of the lock."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from packages import bytecode, fetch
from packages.fetch import CACHE, ROOT, PackageError

UV = (str(ROOT / ".cache" / "uv" / "bin" / "uv"), "pip")  # tools/environment made it
PYTHON = "3.11"  # some of the libraries are compiled for one minor version
DEBIAN = ("--python-version", PYTHON, "--python-platform", "x86_64-manylinux_2_28")
WINDOWS = ("--python-version", PYTHON, "--python-platform", "x86_64-pc-windows-msvc")


def collector_libraries(system: tuple[str, ...]) -> Path:
    """Return a folder with the libraries of the extra "collectors" for a system; made once in .cache.

    Raises PackageError.
    """
    wanted = "\n".join(fetch.locked(name) for name in _names(system)) + "\n"
    said = hashlib.sha256("\n".join((wanted, *system)).encode()).hexdigest()
    made = CACHE / f"libraries-{said[:16]}"
    if not made.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            listed, fresh = Path(work) / "wanted.txt", Path(work) / "site"
            listed.write_text(wanted)
            _uv(
                system, "install", "--target", str(fresh), "--no-deps", "--only-binary", ":all:",
                "--require-hashes", "-r", str(listed),
            )  # fmt: skip
            for left in (fresh / "bin", fresh / ".lock"):
                shutil.rmtree(left, True) if left.is_dir() else left.unlink(missing_ok=True)
            if system == WINDOWS:  # Debian's own tools write it where they unpack
                bytecode.add(fresh, PYTHON)
            if not made.is_dir():  # nobody else was quicker
                fresh.rename(made)
    return made


def _names(system: tuple[str, ...]) -> list[str]:
    """Return the names of all the libraries that the extra leads to."""
    said = _uv(
        system, "compile", "--extra", "collectors", "-c", str(fetch.LOCK), "--no-header",
        "--no-annotate", "--no-emit-index-url", str(ROOT / "pyproject.toml"),
    )  # fmt: skip
    return [line.partition("==")[0] for line in said.splitlines() if "==" in line]


def _uv(system: tuple[str, ...], verb: str, *words: str) -> str:
    """Run uv for a system's Python; return what it printed. Raises PackageError."""
    done = subprocess.run(  # noqa: S603 - uv of this project's own environment
        [*UV, verb, "-q", *system, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(f"uv pip {verb}: {done.stderr[-600:]}")
    return done.stdout
