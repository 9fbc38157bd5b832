"""How a Linux reaches the world by each adapter: gateways, name servers, who gave the address, Wi-Fi."""

import re
import socket
import struct
import sys
from dataclasses import dataclass

from kiemke.agent.host import Host

NET = "sys/class/net"
ROUTES, ROUTES_6 = "proc/net/route", "proc/net/ipv6_route"
RESOLVED = "run/systemd/resolve/resolv.conf"  # the servers behind the stub on 127.0.0.53
RESOLVERS = (RESOLVED, "etc/resolv.conf")
GATEWAY_FLAG = 0x2  # RTF_GATEWAY, linux/route.h
DHCP_LEASES = ("var/lib/dhcp", "var/lib/dhclient", "var/lib/NetworkManager", "var/lib/dhcpcd")
SIOCGIWESSID = 0x8B1B  # linux/wireless.h
MAX_SSID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Way:
    """What is known of one adapter's way out; None and empty are unknown."""

    gateways: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    is_dhcp: bool | None = None
    ssid: str | None = None


def read(host: Host, name: str) -> Way:
    """Return the way of one adapter; name servers stand with the adapters that have a gateway."""
    gateways = (*_gateways(host, name), *_gateways_6(host, name))
    return Way(
        gateways=gateways,
        dns_servers=_dns_servers(host) if gateways else (),
        is_dhcp=_has_lease(host, name) or None,
        ssid=_ssid(name) if host.is_live else None,
    )


def _gateways(host: Host, name: str) -> tuple[str, ...]:
    """Return the default IPv4 gateways: addresses stand as the machine's own number, in hexadecimal."""
    found = []
    for line in (host.text(ROUTES) or "").splitlines()[1:]:
        columns = line.split()
        if len(columns) < 8 or columns[0] != name or columns[1] != "00000000":
            continue
        try:
            flags, address = int(columns[3], 16), int(columns[2], 16)
        except ValueError:
            continue
        if flags & GATEWAY_FLAG and 0 < address < 1 << 32:
            found.append(socket.inet_ntoa(struct.pack("=I", address)))
    return tuple(dict.fromkeys(found))


def _gateways_6(host: Host, name: str) -> tuple[str, ...]:
    """Return the default IPv6 gateways."""
    found = []
    for line in (host.text(ROUTES_6) or "").splitlines():
        columns = line.split()
        if len(columns) != 10 or columns[9] != name or columns[1] != "00":
            continue
        try:
            raw = bytes.fromhex(columns[4])
        except ValueError:
            continue
        if any(raw) and len(raw) == 16 and not any(bytes.fromhex(columns[0])):
            found.append(socket.inet_ntop(socket.AF_INET6, raw))
    return tuple(dict.fromkeys(found))


def _dns_servers(host: Host) -> tuple[str, ...]:
    for name in RESOLVERS:
        lines = (host.text(name) or "").splitlines()
        words = [line.split() for line in lines if line.startswith("nameserver")]
        found = tuple(dict.fromkeys(one[1] for one in words if len(one) > 1))
        if found:
            return found
    return ()


def _has_lease(host: Host, name: str) -> bool:
    """Tell whether a DHCP client keeps a lease for the adapter."""
    index = host.text(NET, name, "ifindex")
    if index and host.path("run/systemd/netif/leases", index).exists():
        return True
    ending = re.compile(rf"[-.]{re.escape(name)}\.leases?$")
    return any(ending.search(one) for folder in DHCP_LEASES for one in host.names(folder))


def _ssid(name: str) -> str | None:
    """Return the name of the wireless network the adapter is in, asked of its driver."""
    if sys.platform != "linux":
        return None
    # Only Linux has fcntl.
    import array
    import fcntl

    answer = array.array("B", bytes(MAX_SSID_BYTES + 1))
    pointer, _ = answer.buffer_info()
    request = struct.pack("16sPHH", name.encode()[:15], pointer, MAX_SSID_BYTES + 1, 0)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            fcntl.ioctl(probe.fileno(), SIOCGIWESSID, request)
    except OSError:
        return None
    return answer.tobytes().partition(b"\0")[0].decode("utf-8", "replace").strip() or None
