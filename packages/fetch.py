"""Gets the parts that are not ours through pip, each held to the hash written down for it."""

import re
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "packages"
PIP = (str(ROOT / ".cache" / "uv" / "bin" / "python"), "-m", "pip")  # tools/environment made it
PINNED = ROOT / "packages" / "pinned.toml"
LOCK = ROOT / "requirements.lock"
WINDOWS = ("--platform", "win_amd64", "--python-version", "3.11", "--only-binary", ":all:")
LINUX = ("--platform", "manylinux2014_x86_64", "--python-version", "3.11", "--only-binary", ":all:")


class PackageError(Exception):
    """A package could not be made; the message says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class WindowsPython:
    """The embeddable CPython for Windows: which distribution carries it, and where in it it lies.

    ``sha256`` is that of the distribution; ``files`` holds those of files inside ``folder``.
    """

    distribution: str
    version: str
    sha256: str
    archive: str
    folder: str
    python: str
    library: str
    files: dict[str, str]


def windows_python() -> WindowsPython:
    """Return what ``pinned.toml`` names."""
    return WindowsPython(**tomllib.loads(PINNED.read_text("utf-8"))["windows_python"])


def locked(name: str) -> str:
    """Return the requirement of a library with all its hashes, as requirements.lock has it."""
    found = re.search(rf"^{re.escape(name)}==.*?(?<!\\)$", LOCK.read_text("utf-8"), re.M | re.S)
    if found is None:
        raise PackageError(f"{LOCK.name} names no {name}: make lock")
    return found[0]


def download(requirement: str, pattern: str, options: Sequence[str] = ()) -> Path:
    """Return the one file matching ``pattern`` of a requirement with hashes, from .cache or index.

    pip verifies the hash before anything of the file is used. Raises PackageError.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    have = sorted(CACHE.glob(pattern))
    if have:
        return have[-1]
    with tempfile.TemporaryDirectory(dir=CACHE) as fresh:
        wanted = Path(fresh) / "wanted.txt"
        wanted.write_text(requirement + "\n")
        command = [*PIP, "download", "-q", "--no-deps", "--require-hashes", "-d", fresh]
        done = subprocess.run(  # noqa: S603 - pip of this project's own environment
            [*command, *options, "-r", str(wanted)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise PackageError(f"{requirement.split()[0]} was not got: {done.stderr[-600:]}")
        (got,) = Path(fresh).glob(pattern)
        return got.replace(CACHE / got.name)
