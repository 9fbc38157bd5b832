"""The folder that goes onto a Windows PC: embeddable CPython, psutil and the agent, nothing else."""

import hashlib
import io
import py_compile
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from packages import fetch
from packages.fetch import ROOT, PackageError

AGENT_ROOTS = ("agent/kiemke/agent", "agent/kiemke/wire")
SITE = Path("Lib") / "site-packages"
# What CPython brings for programs with windows, tools and installers of their own.
UNUSED = ("winsound.pyd", "_msi.pyd", "python.cat")
SERVICE_PROGRAM = "kiemke-agent-service.exe"  # so that the task manager names it
COMMAND = '@"%~dp0python.exe" -m kiemke.agent.main %*\r\n'


def embeddable(archive: Path | None = None, sha256: str | None = None) -> zipfile.ZipFile:
    """Return the embeddable CPython as a ZIP, by default the pinned one of the package index.

    Raises PackageError when ``archive`` is not what ``sha256`` says.
    """
    pinned = fetch.windows_python()
    if archive is not None:
        raw = archive.read_bytes()
        if hashlib.sha256(raw).hexdigest() != (sha256 or "").lower():
            raise PackageError(f"{archive}: not the file --windows-python-sha256 names")
        return zipfile.ZipFile(io.BytesIO(raw))
    name = pinned.distribution.replace("-", "_")
    source = fetch.download(
        f"{pinned.distribution}=={pinned.version} --hash=sha256:{pinned.sha256}",
        f"{name}-{pinned.version}.tar.gz",
        ("--no-binary", ":all:"),
    )
    with tarfile.open(source) as tar:
        member = tar.extractfile(f"{name}-{pinned.version}/{pinned.archive}")
        if member is None:
            raise PackageError(f"{source.name} holds no {pinned.archive}")
        return zipfile.ZipFile(io.BytesIO(member.read()))


def _unpack_python(bundle: zipfile.ZipFile, target: Path) -> None:
    """Write the files of CPython; those that are pinned must be the pinned ones."""
    pinned = fetch.windows_python()
    prefix = f"{pinned.folder}/" if f"{pinned.folder}/python.exe" in bundle.namelist() else ""
    for name in bundle.namelist():
        short = name.removeprefix(prefix)
        if name.startswith(prefix) and short and "/" not in short and short not in UNUSED:
            (target / short).write_bytes(bundle.read(name))
    for short, sha256 in pinned.files.items():
        if hashlib.sha256((target / short).read_bytes()).hexdigest() != sha256:
            raise PackageError(f"{short} is not that of CPython {pinned.python} in pinned.toml")
    # No "import site": neither the user's folders nor PYTHONPATH lead into the agent.
    paths = (f"{pinned.library}.zip", ".", str(SITE).replace("/", "\\"), "")
    (target / f"{pinned.library}._pth").write_bytes("\r\n".join(paths).encode())
    (target / "LICENSE.txt").replace(target / "LICENSE-CPython.txt")


def copy_agent(site: Path) -> None:
    """Copy the agent and the wire into ``site``, as the wheel holds them."""
    copy_sources(site, AGENT_ROOTS)


def copy_sources(site: Path, roots: tuple[str, ...]) -> None:
    """Copy packages of ``kiemke`` into ``site``."""
    for root in roots:
        shutil.copytree(
            ROOT / root, site / "kiemke" / Path(root).name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip


def unpack_psutil(site: Path, pattern: str, options: tuple[str, ...]) -> None:
    """Unpack psutil's wheel for one system, its tests left out."""
    wheel = fetch.download(fetch.locked("psutil"), pattern, options)
    with zipfile.ZipFile(wheel) as archive:
        # The lock's hash says what is in it.
        archive.extractall(site, [n for n in archive.namelist() if "/tests/" not in n])  # noqa: S202


def build(target: Path, archive: Path | None = None, sha256: str | None = None) -> Path:
    """Make the whole folder at ``target``, which must not exist; return it. Raises PackageError."""
    site = target / SITE
    site.mkdir(parents=True)
    with embeddable(archive, sha256) as bundle:
        _unpack_python(bundle, target)
    unpack_psutil(site, "psutil-*-abi3-win_amd64.whl", fetch.WINDOWS)
    copy_agent(site)
    shutil.copy(target / "python.exe", target / SERVICE_PROGRAM)
    (target / "kiemke-agent.cmd").write_bytes(COMMAND.encode("ascii"))
    shutil.copy(ROOT / "LICENSE", target / "LICENSE-kiemke.txt")
    _compile(site)
    return target


def _compile(site: Path) -> None:
    """Add byte code: the service may not write into its own folder, and would compile at each start.

    Only a CPython of the same minor version writes what the one on the PC reads.
    """
    minor = tuple(int(part) for part in fetch.windows_python().python.split(".")[:2])
    if sys.version_info[:2] != minor:
        return
    for source in site.rglob("*.py"):
        py_compile.compile(
            str(source),
            dfile=str(source.relative_to(site)),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
