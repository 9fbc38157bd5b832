"""The agent as a Debian package: its files, psutil's wheel, the service; no other dependency."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from kiemke.wire import __version__
from packages import fetch
from packages.fetch import ROOT, PackageError
from packages.windows_tree import copy_agent, unpack_psutil

SCRIPTS = ROOT / "packages" / "debian"
UNIT = ROOT / "agent" / "kiemke" / "agent" / "service" / "kiemke-agent.service"
UPDATE_UNITS = ("kiemke-agent-update.service", "kiemke-agent-update.timer")
HOME = "usr/lib/kiemke-agent"
# -I: neither the caller's folder nor PYTHONPATH lead into the agent; -S: nor does what else is installed, and
# half a megabyte is spared.
PROGRAM = """#!/usr/bin/python3 -IS
\"\"\"The kiemke agent as installed by its package.\"\"\"
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "lib/kiemke-agent"))
from kiemke.agent.main import main

sys.exit(main())
"""
# What the package adds to the unit of the wheel: an account of its own instead of root, with the one
# right to read serial numbers, and nothing that no sensor reads.
HARDENING = """
[Service]
User=kiemke-agent
Group=kiemke-agent
AmbientCapabilities=CAP_DAC_READ_SEARCH
InaccessiblePaths=-/etc/shadow -/etc/gshadow -/root -/etc/ssl/private -/var/lib/private
DevicePolicy=closed
DeviceAllow=
KeyringMode=private
RemoveIPC=yes
ProtectProc=invisible
PrivateMounts=yes
"""
CONTROL = """Package: kiemke-agent
Version: {version}
Architecture: amd64
Maintainer: kiemke
Installed-Size: {kilobytes}
Depends: python3 (>= 3.11)
Section: admin
Priority: optional
Description: counts this machine and tells the office's kiemke server
 A light agent that reports hardware, software and presence of an office PC.
 It opens no port and takes no commands.
"""


def hardened_unit() -> str:
    """Return the text of the package's systemd unit."""
    text = UNIT.read_text("utf-8").replace("AmbientCapabilities=\n", "")
    return text.replace(": root, but with no power to change anything.", ".").replace(
        "\n[Install]", HARDENING + "\n[Install]"
    )


def lay_out(root: Path) -> None:
    """Write the package's files below ``root``. Raises PackageError."""
    site = root / HOME
    site.mkdir(parents=True)
    copy_agent(site)
    unpack_psutil(site, "psutil-*-manylinux*x86_64*.whl", fetch.LINUX)
    program = root / "usr" / "bin" / "kiemke-agent"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM, "utf-8")
    program.chmod(0o755)
    unit = root / "lib" / "systemd" / "system" / UNIT.name
    unit.parent.mkdir(parents=True)
    unit.write_text(hardened_unit(), "utf-8")
    for name in UPDATE_UNITS:
        shutil.copyfile(UNIT.with_name(name), unit.with_name(name))
    texts = root / "usr" / "share" / "doc" / "kiemke-agent"
    texts.mkdir(parents=True)
    shutil.copyfile(ROOT / "LICENSE", texts / "copyright")


def build(target: Path) -> Path:
    """Write the package to ``target``; return it. Raises PackageError."""
    return pack(target, lay_out, CONTROL, SCRIPTS)


def pack(target: Path, fill: Callable[[Path], None], control_text: str, scripts: Path) -> Path:
    """Write a package of what ``fill`` puts below a folder; return it. Raises PackageError.

    ``control_text`` has places for ``version`` and ``kilobytes``; ``scripts`` holds the maintainer's.
    """
    program = shutil.which("dpkg-deb")
    if program is None:
        raise PackageError("dpkg-deb is missing: apt-get install dpkg, or build on Debian")
    with tempfile.TemporaryDirectory() as work:
        root = Path(work) / "root"
        fill(root)
        control = root / "DEBIAN"
        control.mkdir(mode=0o755)
        size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
        (control / "control").write_text(
            control_text.format(version=__version__, kilobytes=size // 1024), "utf-8"
        )
        for name in ("postinst", "prerm", "postrm"):
            shutil.copyfile(scripts / name, control / name)
            (control / name).chmod(0o755)
        programs = root / "usr" / "bin"
        for path in (root, *root.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
            elif path.parent not in (control, programs):
                path.chmod(0o644)
        target.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(  # noqa: S603 - the program found above
            [program, "--root-owner-group", "-Zxz", "--build", str(root), str(target)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise PackageError(f"dpkg-deb: {done.stderr[-600:]}")
    return target
