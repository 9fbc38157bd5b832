"""The collector as a Debian package, with every library it needs, for Debian 12's Python 3.11."""

import shutil
from pathlib import Path

from packages import libraries
from packages.debian import PROGRAM, SCRIPTS, pack
from packages.fetch import ROOT
from packages.windows_tree import copy_sources

SOURCES = ("agent/kiemke/wire", "collectors/kiemke/collectors")
UNIT = ROOT / "collectors" / "kiemke" / "collectors" / "kiemke-collector.service"
HOME = "usr/lib/kiemke-collector"
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
    shutil.copytree(libraries.collector_libraries(libraries.DEBIAN), site, dirs_exist_ok=True)
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
