"""The collector as a Debian package, with every library it needs, for Debian 12's Python 3.11."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from packages import fetch
from packages.debian import PROGRAM, SCRIPTS, pack
from packages.fetch import ROOT, PackageError
from packages.windows_tree import copy_sources

SOURCES = ("agent/kiemke/wire", "collectors/kiemke/collectors")
UNIT = ROOT / "collectors" / "kiemke" / "collectors" / "kiemke-collector.service"
HOME = "usr/lib/kiemke-collector"
PYTHON = "3.11"  # some of the libraries are compiled for one minor version
UV = (str(ROOT / ".cache" / "uv" / "bin" / "uv"), "pip")  # tools/environment made it
FOR_DEBIAN = ("--python-version", PYTHON, "--python-platform", "x86_64-manylinux_2_28")
SYSCTL = """# Any account may send echo requests (icmp(7)): the collector pings without a capability.
net.ipv4.ping_group_range = 0 2147483647
"""
CONTROL = """Package: kiemke-collector
Version: {version}
Architecture: amd64
Maintainer: kiemke
Installed-Size: {kilobytes}
Depends: python3 (>= 3.11), python3 (<< 3.12), libc6 (>= 2.28)
Recommends: procps
Section: admin
Priority: optional
Description: polls a site's network gear and tells the office's kiemke server
 Reads switches, routers, printers and UPS by SNMP and SSH, probes lines by
 ICMP, and may let the site's agents pass to the server.
"""


def lay_out(root: Path) -> None:
    """Write the package's files below ``root``. Raises PackageError."""
    site = root / HOME
    site.mkdir(parents=True)
    copy_sources(site, SOURCES)
    _install_libraries(site)
    program = root / "usr" / "bin" / "kiemke-collector"
    program.parent.mkdir(parents=True)
    text = PROGRAM.replace("kiemke.agent.main", "kiemke.collectors.main")
    text = text.replace("kiemke-agent", "kiemke-collector").replace(
        "kiemke agent", "kiemke collector"
    )
    program.write_text(text, "utf-8")
    program.chmod(0o755)
    unit = root / "lib" / "systemd" / "system" / UNIT.name
    unit.parent.mkdir(parents=True)
    shutil.copyfile(UNIT, unit)
    sysctl = root / "usr" / "lib" / "sysctl.d" / "60-kiemke-collector.conf"
    sysctl.parent.mkdir(parents=True)
    sysctl.write_text(SYSCTL, "utf-8")
    texts = root / "usr" / "share" / "doc" / "kiemke-collector"
    texts.mkdir(parents=True)
    shutil.copyfile(ROOT / "LICENSE", texts / "copyright")


def build(target: Path) -> Path:
    """Write the package to ``target``; return it. Raises PackageError."""
    return pack(target, lay_out, CONTROL, SCRIPTS / "collector")


def _install_libraries(site: Path) -> None:
    """Put the libraries of the extra "collectors" into ``site``, each held to its hash of the lock."""
    with tempfile.TemporaryDirectory() as work:
        wanted = Path(work) / "wanted.txt"
        wanted.write_text("\n".join(fetch.locked(name) for name in _libraries()) + "\n")
        _uv(
            "install", "--target", str(site), "--no-deps", "--only-binary", ":all:",
            "--require-hashes", "-r", str(wanted),
        )  # fmt: skip
    for left in (site / "bin", site / ".lock"):
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)


def _libraries() -> list[str]:
    """Return the names of all the libraries that the extra leads to, of Linux and this Python."""
    said = _uv(
        "compile", "--extra", "collectors", "-c", str(fetch.LOCK), "--no-header", "--no-annotate",
        "--no-emit-index-url", str(ROOT / "pyproject.toml"),
    )  # fmt: skip
    return [line.partition("==")[0] for line in said.splitlines() if "==" in line]


def _uv(verb: str, *words: str) -> str:
    """Run uv for Debian's Python; return what it printed. Raises PackageError."""
    done = subprocess.run(  # noqa: S603 - uv of this project's own environment
        [*UV, verb, "-q", *FOR_DEBIAN, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(f"uv pip {verb}: {done.stderr[-600:]}")
    return done.stdout
