"""How a package is installed, kept and put back: by dpkg on Debian, by Windows Installer on Windows."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

PACKAGE = "kiemke-agent"
DEADLINE_SECONDS = 600.0
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
# msiexec: 0 done, 3010 done and a restart of Windows completes it.
MSI_DONE = (0, 3010)
MSI_NOT_INSTALLED = 1605  # ERROR_UNKNOWN_PRODUCT


class InstallError(Exception):
    """A package could not be installed or kept; the message says why."""


class Installer(Protocol):
    """What the updater needs of a system's packages. Methods raise InstallError."""

    system: str
    ending: str

    def keep(self, folder: Path) -> Path:
        """Keep what is installed now as a package in ``folder``; return its file."""

    def install(self, package: Path) -> None:
        """Install a package over the one that is there; its service runs afterwards."""

    def go_back(self, package: Path) -> None:
        """Install an older package that ``keep`` returned."""

    def confirm(self, package: Path) -> None:
        """Note that this package is the one installed from now on."""


class Debian:
    """dpkg's packages below ``root``."""

    system = "debian-amd64"
    ending = ".deb"

    def __init__(self, root: Path = Path("/")) -> None:
        """Use the dpkg database below ``root``."""
        self._root = root
        self._database = root / "var" / "lib" / "dpkg"

    def is_installed(self) -> bool:
        """Tell whether the agent is here as a package."""
        return (self._database / "info" / f"{PACKAGE}.list").exists()

    def keep(self, folder: Path) -> Path:
        """Build the package anew from its files and from what dpkg knows of it."""
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        target = folder / f"{PACKAGE}.deb"
        with tempfile.TemporaryDirectory(dir=folder) as work:
            tree = Path(work) / "tree"
            (tree / "DEBIAN").mkdir(parents=True)
            (tree / "DEBIAN").chmod(0o755)
            try:
                self._copy_files(tree)
                self._copy_control(tree / "DEBIAN")
            except OSError as err:
                raise InstallError(f"{err.filename}: {err.strerror or err}") from err
            _run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(target)])
        return target

    def install(self, package: Path) -> None:
        """Install by dpkg; settings that were changed here stay."""
        options = [] if self._root == Path("/") else [f"--root={self._root}"]
        _run(["dpkg", *options, "--force-confold", "--force-downgrade", "--install", str(package)])

    def go_back(self, package: Path) -> None:
        """Install the older one over the newer one."""
        self.install(package)

    def confirm(self, package: Path) -> None:
        """Nothing: dpkg knows."""

    def _copy_files(self, tree: Path) -> None:
        """Copy every file of the package. Raises OSError."""
        listed = (self._database / "info" / f"{PACKAGE}.list").read_text("utf-8").splitlines()
        for name in listed:
            source = self._root / name.lstrip("/")
            target = tree / name.lstrip("/")
            if source.is_dir() and not source.is_symlink():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)

    def _copy_control(self, target: Path) -> None:
        """Write the package's description and scripts. Raises OSError or InstallError."""
        told = _run(["dpkg-query", f"--admindir={self._database}", "--status", PACKAGE])
        kept, skips = [], False
        for line in told.splitlines():
            if not line.startswith(" "):
                skips = line.startswith(("Status:", "Conffiles:"))
            if line and not skips:
                kept.append(line)
        (target / "control").write_text("\n".join(kept) + "\n", "utf-8")
        for name in SCRIPTS:
            script = self._database / "info" / f"{PACKAGE}.{name}"
            if script.exists():
                shutil.copyfile(script, target / name)
                (target / name).chmod(0o755)


class Msi:
    """Windows Installer. ``folder`` keeps the package that is installed now (``setup`` put it there)."""

    system = "windows-amd64"
    ending = ".msi"

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        """Use ``command``, Windows' msiexec by its full path; nothing is run yet."""
        self._installed = folder / "installed.msi"
        self._command = tuple(command)
        self._new: Path | None = None

    def keep(self, folder: Path) -> Path:
        """Return the package that was installed: Windows Installer cannot make it anew."""
        if not self._installed.exists():
            raise InstallError(f"{self._installed} is missing: install the agent once by hand")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return Path(shutil.copyfile(self._installed, folder / "installed.msi"))
        except OSError as err:
            raise InstallError(f"{folder}: {err.strerror or err}") from err

    def install(self, package: Path) -> None:
        """Install quietly; Windows is never restarted by it."""
        self._new = package
        self._msiexec("/i", package)

    def go_back(self, package: Path) -> None:
        """Take the newer one away first: Windows Installer refuses an older one over it.

        A newer one that is not installed (it failed, and Windows Installer undid it) is well too.
        """
        newer = self._new or package.parent.parent / "staging" / f"package{self.ending}"
        if newer.exists():
            self._msiexec("/x", newer, (*MSI_DONE, MSI_NOT_INSTALLED))
        self._msiexec("/i", package)

    def confirm(self, package: Path) -> None:
        """Keep it: it is the way back of the next one. Raises InstallError."""
        if package.exists():
            try:
                fresh = self._installed.with_suffix(".new")
                shutil.copyfile(package, fresh)
                fresh.replace(self._installed)
            except OSError as err:
                raise InstallError(f"{self._installed}: {err.strerror or err}") from err

    def _msiexec(self, verb: str, package: Path, good: Sequence[int] = MSI_DONE) -> None:
        _run([*self._command, verb, str(package), "/qn", "/norestart"], good)


def find_installer(updater: Path, root: Path = Path("/")) -> Installer | None:
    """Return what installs packages here, None when the agent did not come as one."""
    if sys.platform == "win32":
        # Only Windows has the call.
        from kiemke.wire.windows_service.folders import system_program

        return Msi(updater, (system_program("msiexec"),))
    debian = Debian(root)
    return debian if shutil.which("dpkg") and debian.is_installed() else None


def _run(command: Sequence[str], good: Sequence[int] = (0,)) -> str:
    """Return what a program printed. Raises InstallError when it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603 - dpkg's or Windows' own programs, words of ours
            command, capture_output=True, text=True, errors="replace", check=False,
            timeout=DEADLINE_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as err:
        raise InstallError(f"{command[0]}: {err}") from err
    if done.returncode not in good:
        told = (done.stderr or done.stdout).strip()[-400:]
        raise InstallError(f"{command[0]} ended with {done.returncode}: {told}")
    return done.stdout
