"""The folder of the agent or a collector as a Windows installer, by wixl (msitools)."""

import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from xml.sax.saxutils import quoteattr

from kiemke.wire import __version__
from packages.fetch import ROOT, PackageError
from packages.windows_tree import AGENT, Program

SOURCES = ROOT / "packages" / "windows"
# Names of components never change from one version to the next: Windows counts their users by them.
# What wixl cannot say: the token's command line stays out of the log too (msidbCustomActionType
# HideTarget, 8192), and both properties reach the elevated half of the installation.
CORRECTIONS = (
    "UPDATE `CustomAction` SET `Type` = 11282 WHERE `Action` = 'Prepare'",
    "UPDATE `Property` SET `Value` = 'TOKEN;TOKENFILE;UPDATEKEY;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED'"
    " WHERE `Property` = 'SecureCustomProperties'",
)
NAMESPACES = {
    "kiemke-agent": uuid.UUID("0e2b51d6-53d1-4a8f-9c1b-6a3c0b5d7f10"),
    "kiemke-collector": uuid.UUID("3a5a8f0e-62a4-4f0c-8d39-1d7b1e0c9a42"),
}
SAID = {
    "kiemke-agent": ("Counts this machine and tells the office's server.", "service"),
    "kiemke-collector": (
        "Polls the office's network gear by SNMP and SSH and tells the office's server.",
        "service run",
    ),
}
SERVICE = """<ServiceInstall Id="Service" Name="{name}" DisplayName="{title}"
  Description="{said}" Type="ownProcess" Start="auto"
  ErrorControl="normal" Account="NT SERVICE\\{name}"
  Arguments="-m {module} {words}"/>
<ServiceControl Id="Control" Name="{name}" Start="install" Stop="both" Remove="uninstall"
  Wait="yes"/>
<RegistryValue Root="HKLM" Key="SOFTWARE\\kiemke\\{key}" Name="Version" Type="string"
  Value="$(var.Version)"/>"""


def build(tree: Path, target: Path, version: str = __version__, program: Program = AGENT) -> Path:
    """Write the installer of the folder ``tree`` to ``target``; return it. Raises PackageError."""
    source = SOURCES / f"{program.name}.wxs"
    wixl, msibuild = shutil.which("wixl"), shutil.which("msibuild")
    if wixl is None or msibuild is None:
        raise PackageError("wixl or msibuild is missing: apt-get install wixl msitools")
    names: dict[Path, str] = {}
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "tree").symlink_to(tree.resolve())  # wixl takes relative sources alone
        body = _folder(tree, tree, names, program)
        (folder / "files.wxi").write_text(f"<Include>{body}</Include>", "utf-8")
        references = "".join(f'<ComponentRef Id="c{name}"/>' for name in names.values())
        (folder / "features.wxi").write_text(f"<Include>{references}</Include>", "utf-8")
        shutil.copy(source, folder / source.name)
        made = folder / "made.msi"
        done = subprocess.run(  # noqa: S603 - the program found above
            [wixl, "-a", "x64", "-o", str(made), "-D", f"Version={version}",
             "-D", f"ServiceProgram=f{names[Path(program.service_program)]}", source.name],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or not made.exists():
            raise PackageError(f"wixl: {done.stderr[-1000:]}")
        for sql in CORRECTIONS:
            subprocess.run([msibuild, str(made), "-q", sql], check=True)  # noqa: S603
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made, target)
    return target


def _folder(tree: Path, folder: Path, names: dict[Path, str], program: Program) -> str:
    """Return the components of a folder and those below; note each file's identifier."""
    parts = []
    for entry in sorted(folder.iterdir()):
        path = entry.relative_to(tree)
        name = uuid.uuid5(NAMESPACES[program.name], path.as_posix()).hex
        if entry.is_dir():
            inner = _folder(tree, entry, names, program)
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
            f' KeyPath="yes"/>{_service(program) if entry.name == program.service_program else ""}</Component>'
        )
    return "".join(parts)


def _service(program: Program) -> str:
    said, words = SAID[program.name]
    return SERVICE.format(
        name=program.name, title=program.name.replace("-", " "), said=said, words=words,
        module=program.module, key=program.name.removeprefix("kiemke-"),
    )  # fmt: skip
