"""The agent's folder as a Windows installer, by wixl (msitools)."""

import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from xml.sax.saxutils import quoteattr

from kiemke.wire import __version__
from packages.fetch import ROOT, PackageError
from packages.windows_tree import SERVICE_PROGRAM

SOURCE = ROOT / "packages" / "windows" / "kiemke-agent.wxs"
# Names of components never change from one version to the next: Windows counts their users by them.
# What wixl cannot say: the token's command line stays out of the log too (msidbCustomActionType
# HideTarget, 8192), and both properties reach the elevated half of the installation.
CORRECTIONS = (
    "UPDATE `CustomAction` SET `Type` = 11282 WHERE `Action` = 'Prepare'",
    "UPDATE `Property` SET `Value` = 'TOKEN;TOKENFILE;UPDATEKEY;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED'"
    " WHERE `Property` = 'SecureCustomProperties'",
)
NAMESPACE = uuid.UUID("0e2b51d6-53d1-4a8f-9c1b-6a3c0b5d7f10")
SERVICE = """<ServiceInstall Id="Service" Name="kiemke-agent" DisplayName="kiemke agent"
  Description="Counts this machine and tells the office's server." Type="ownProcess" Start="auto"
  ErrorControl="normal" Account="NT SERVICE\\kiemke-agent"
  Arguments="-m kiemke.agent.main service"/>
<ServiceControl Id="Control" Name="kiemke-agent" Start="install" Stop="both" Remove="uninstall"
  Wait="yes"/>
<RegistryValue Root="HKLM" Key="SOFTWARE\\kiemke\\agent" Name="Version" Type="string"
  Value="$(var.Version)"/>"""


def build(tree: Path, target: Path, version: str = __version__) -> Path:
    """Write the installer of the folder ``tree`` to ``target``; return it. Raises PackageError."""
    wixl, msibuild = shutil.which("wixl"), shutil.which("msibuild")
    if wixl is None or msibuild is None:
        raise PackageError("wixl or msibuild is missing: apt-get install wixl msitools")
    names: dict[Path, str] = {}
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "tree").symlink_to(tree.resolve())  # wixl takes relative sources alone
        body = _folder(tree, tree, names)
        (folder / "files.wxi").write_text(f"<Include>{body}</Include>", "utf-8")
        references = "".join(f'<ComponentRef Id="c{name}"/>' for name in names.values())
        (folder / "features.wxi").write_text(f"<Include>{references}</Include>", "utf-8")
        shutil.copy(SOURCE, folder / SOURCE.name)
        made = folder / "agent.msi"
        done = subprocess.run(  # noqa: S603 - the program found above
            [wixl, "-a", "x64", "-o", str(made), "-D", f"Version={version}",
             "-D", f"ServiceProgram=f{names[Path(SERVICE_PROGRAM)]}", SOURCE.name],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or not made.exists():
            raise PackageError(f"wixl: {done.stderr[-1000:]}")
        for sql in CORRECTIONS:
            subprocess.run([msibuild, str(made), "-q", sql], check=True)  # noqa: S603
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made, target)
    return target


def _folder(tree: Path, folder: Path, names: dict[Path, str]) -> str:
    """Return the components of a folder and those below; note each file's identifier."""
    parts = []
    for entry in sorted(folder.iterdir()):
        path = entry.relative_to(tree)
        name = uuid.uuid5(NAMESPACE, path.as_posix()).hex
        if entry.is_dir():
            inner = _folder(tree, entry, names)
            parts.append(
                f'<Directory Id="d{name}" Name={quoteattr(entry.name)}>{inner}</Directory>'
            )
            continue
        names[path] = name
        source = quoteattr(f"tree/{path.as_posix()}")
        guid = f"{{{str(uuid.UUID(name)).upper()}}}"
        parts.append(
            f'<Component Id="c{name}" Guid="{guid}" Win64="yes">'
            f'<File Id="f{name}" Name={quoteattr(entry.name)} Source={source}'
            f' KeyPath="yes"/>{SERVICE if entry.name == SERVICE_PROGRAM else ""}</Component>'
        )
    return "".join(parts)
