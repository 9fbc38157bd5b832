"""The host's own firewall. Source: Windows' firewall keys; on Linux ufw, firewalld or nftables."""

from kiemke.agent.host import Host
from kiemke.wire.inventory import Firewall, Row

NAME = "firewall"
SECTIONS = ("firewall",)
SOURCE = "ufw.conf, units of firewalld and nftables; Windows: FirewallPolicy keys, policy first"
RIGHTS = "any account"
UFW = "etc/ufw/ufw.conf"
WANTED = ("etc/systemd/system/multi-user.target.wants", "etc/systemd/system/sysinit.target.wants")
INSTALLED = ("usr/lib/systemd/system", "lib/systemd/system")
UNITS = (("firewalld", "firewalld.service"), ("nftables", "nftables.service"))


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Firewall a profile; on Linux one a program that guards, or none."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import security

        return {"firewall": tuple(security.firewall(host.windows))}
    found = []
    text = host.text(UFW)
    if text is not None:
        pairs = (line.partition("=") for line in text.splitlines())
        said = {name.strip(): value.strip().strip('"') for name, _, value in pairs}
        found.append(Firewall("ufw", said.get("ENABLED", "").casefold() == "yes"))
    for name, unit in UNITS:
        if any(host.path(folder, unit).exists() for folder in INSTALLED):
            found.append(Firewall(name, any(unit in host.names(folder) for folder in WANTED)))
    return {"firewall": tuple(found)}
