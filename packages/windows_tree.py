"""The folder that goes onto a Windows PC: embeddable CPython, the agent or a collector, its libraries."""

import hashlib
import io
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from packages import bytecode, fetch, libraries
from packages.fetch import ROOT, PackageError

AGENT_ROOTS = ("agent/kiemke/agent", "agent/kiemke/wire")
COLLECTOR_ROOTS = ("agent/kiemke/wire", "collectors/kiemke/collectors")
SITE = Path("Lib") / "site-packages"
# What CPython brings for programs with windows, tools and installers of their own.
UNUSED = ("winsound.pyd", "_msi.pyd", "python.cat")
COMMAND = '@"%~dp0python.exe" -m {module} %*\r\n'


@dataclass(frozen=True, slots=True)
class Program:
    """What is installed: its name, and the module that is its command."""

    name: str
    module: str

    @property
    def service_program(self) -> str:
        """The file that the service manager starts, so that the task manager names it."""
        return f"{self.name}-service.exe"


AGENT = Program("kiemke-agent", "kiemke.agent.main")
COLLECTOR = Program("kiemke-collector", "kiemke.collectors.main")


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
    """Make the agent's folder at ``target``, which must not exist; return it. Raises PackageError."""
    site = _begin(target, AGENT, archive, sha256)
    unpack_psutil(site, "psutil-*-abi3-win_amd64.whl", fetch.WINDOWS)
    copy_agent(site)
    bytecode.add(site, fetch.windows_python().python)
    return target


def build_collector(
    target: Path,
    archive: Path | None = None,
    sha256: str | None = None,
    *,
    only: tuple[str, ...] | None = None,
) -> Path:
    """Make the collector's folder at ``target``, which must not exist; return it.

    ``only`` names the libraries, None is all. Raises PackageError.
    """
    site = _begin(target, COLLECTOR, archive, sha256)
    found = libraries.collector_libraries(libraries.WINDOWS)
    for library in found.iterdir() if only is None else (found / name for name in only):
        if library.is_dir():
            shutil.copytree(library, site / library.name)
        else:
            shutil.copy(library, site / library.name)
    copy_sources(site, COLLECTOR_ROOTS)
    bytecode.add(site / "kiemke", fetch.windows_python().python, site)
    return target


def _begin(target: Path, program: Program, archive: Path | None, sha256: str | None) -> Path:
    """Lay out CPython, the command and the service's program; return the folder of libraries."""
    site = target / SITE
    site.mkdir(parents=True)
    with embeddable(archive, sha256) as bundle:
        _unpack_python(bundle, target)
    shutil.copy(target / "python.exe", target / program.service_program)
    command = COMMAND.format(module=program.module)
    (target / f"{program.name}.cmd").write_bytes(command.encode("ascii"))
    shutil.copy(ROOT / "LICENSE", target / "LICENSE-kiemke.txt")
    return site
