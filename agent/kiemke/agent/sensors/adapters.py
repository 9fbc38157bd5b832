"""The network adapters: address, speed, duplex, kind. Source: psutil and /sys/class/net."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from kiemke.agent.host import Host
from kiemke.agent.sensors import ways_linux
from kiemke.wire.inventory import Adapter, Row

if TYPE_CHECKING:
    from kiemke.agent.windows.adapters import Known
    from kiemke.agent.windows.port import Windows

NAME = "adapters"
SECTIONS = ("adapters",)
SOURCE = (
    "/sys/class/net, ethtool and wireless ioctls, /proc/net routes, resolv.conf, DHCP leases;"
    " Windows: adapter list, Control\\Network, Tcpip\\Parameters, NDIS"
)
RIGHTS = "any account"
NET = "sys/class/net"
MEGABIT = 1_000_000
ARPHRD_LOOPBACK = "772"  # if_arp.h
ADDRESS_IS_PERMANENT = 0  # /sys/class/net/*/addr_assign_type, NET_ADDR_PERM
NO_MAC = "00:00:00:00:00:00"
SIOCETHTOOL = 0x8946
ETHTOOL_GPERMADDR = 0x20
MAC_BYTES = 6
NOT_REAL = (None, "virtual", "vpn")


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Adapter a network interface.

    A recording is read from sysfs alone and has no addresses; the running machine is asked too.
    """
    if host.windows is not None:
        live = {one.name: one for one in _live(host)} if sys.platform == "win32" else None
        return {"adapters": tuple(_windows(host.windows, live))}
    if not host.is_live:
        if not host.path(NET).is_dir():
            return {}
        names = [name for name in host.names(NET) if host.path(NET, name).is_dir()]
        return {"adapters": tuple(_on_its_way(host, _from_sysfs(host, name)) for name in names)}
    return {"adapters": tuple(_on_its_way(host, one) for one in _live(host))}


def _on_its_way(host: Host, adapter: Adapter) -> Adapter:
    """Return the adapter with its gateways, name servers and wireless network."""
    way = ways_linux.read(host, adapter.name)
    return replace(
        adapter,
        gateways=way.gateways,
        dns_servers=way.dns_servers,
        is_dhcp=way.is_dhcp,
        ssid=way.ssid if adapter.kind == "wireless" else None,
        description=_driver(host, adapter.name),
    )


def _driver(host: Host, name: str) -> str | None:
    """Return the name of the driver, None for what has none."""
    place = host.path(NET, name, "device", "driver")
    return (
        host.real_path(NET, name, "device", "driver").rpartition("/")[2] if place.exists() else None
    )


def _windows(windows: "Windows", live: dict[str, Adapter] | None) -> list[Adapter]:
    """Return the connections Windows keeps, with what is up now; ``live`` None for a recording.

    Of connections that are not up, those stay whose device is plugged in: the registry keeps every
    adapter there ever was.
    """
    # Only Windows loads it.
    from kiemke.agent.windows import adapters

    found = []
    rest = dict(live or {})
    present = windows.present_devices()
    for known in adapters.read(windows):
        now = rest.pop(known.name, None)
        if live is not None and now is None:
            if known.device is None or (present and known.device.upper() not in present):
                continue
            now = Adapter(known.name, is_up=False)
        found.append(_with_known(windows, now or Adapter(known.name), known))
    return sorted([*found, *rest.values()], key=lambda one: one.name)


def _with_known(windows: "Windows", now: Adapter, known: "Known") -> Adapter:
    """Return an adapter with what the registry keeps; of a link that is down that is history."""
    # Only Windows loads it.
    from kiemke.agent.windows import adapters

    is_real = known.kind not in (*NOT_REAL, "loopback")
    permanent = adapters.permanent_mac(windows, known.guid) if is_real else None
    is_down = now.is_up is False
    return replace(
        now,
        permanent_mac=_mac(permanent) or now.permanent_mac,
        kind=known.kind or now.kind,
        description=known.description,
        addresses=known.addresses if now.is_up is None else now.addresses,
        is_dhcp=known.is_dhcp,
        gateways=() if is_down else known.gateways,
        dns_servers=() if is_down else known.dns_servers,
        ssid=None if is_down else known.ssid,
    )


def _live(host: Host) -> list[Adapter]:
    """Return the running machine's adapters, by name."""
    addresses = psutil.net_if_addrs()
    stats = psutil.net_if_stats()
    found = []
    for name in sorted(addresses.keys() | stats.keys()):
        shown = _from_sysfs(host, name)
        said = stats.get(name)
        mac = shown.mac
        texts = []
        for one in addresses.get(name, ()):
            if one.family == psutil.AF_LINK:
                mac = mac or _mac(one.address)
            else:
                texts.append(one.address.partition("%")[0])
        speed = shown.speed_bits_per_second
        if speed is None and said is not None and said.speed > 0:
            speed = said.speed * MEGABIT
        found.append(
            Adapter(
                name=name,
                mac=mac,
                permanent_mac=shown.permanent_mac or _permanent_mac(name),
                kind=shown.kind or _kind_by_address(texts),
                is_up=said.isup if said is not None else shown.is_up,
                speed_bits_per_second=speed,
                duplex=shown.duplex or (_duplex(said.duplex) if said is not None else None),
                mtu_bytes=said.mtu if said is not None else shown.mtu_bytes,
                addresses=tuple(sorted(texts)),
            )
        )
    return found


def _from_sysfs(host: Host, name: str) -> Adapter:
    """Return what sysfs shows of one interface; None in every field where there is no sysfs."""
    mac = _mac(host.text(NET, name, "address"))
    speed = host.number(NET, name, "speed")  # Mbit/s; -1 or unreadable when the link is down
    state = host.text(NET, name, "operstate")
    duplex = host.text(NET, name, "duplex")
    assigned = host.number(NET, name, "addr_assign_type")
    permanent = _mac(host.text(NET, name, "bonding_slave", "perm_hwaddr"))
    kind = _kind(host, name)
    if permanent is None and assigned == ADDRESS_IS_PERMANENT and kind not in NOT_REAL:
        permanent = mac
    return Adapter(
        name=name,
        mac=mac,
        permanent_mac=permanent,
        kind=kind,
        # "unknown" is what drivers that do not track their link say while they carry traffic
        is_up=None if state is None else state in ("up", "unknown"),
        speed_bits_per_second=speed * MEGABIT if speed is not None and speed > 0 else None,
        duplex=duplex if duplex in ("full", "half") else None,
        mtu_bytes=host.number(NET, name, "mtu"),
    )


def _kind(host: Host, name: str) -> str | None:
    """Return the adapter's kind by its place in sysfs, None where there is none."""
    if not host.path(NET, name).exists():
        return None
    if host.text(NET, name, "type") == ARPHRD_LOOPBACK:
        return "loopback"
    if host.path(NET, name, "wireless").exists() or host.path(NET, name, "phy80211").exists():
        return "wireless"
    said = host.text(NET, name, "uevent") or ""
    tunnels = ("ppp", "wg", "tailscale", "zt")
    if "DEVTYPE=wireguard" in said or (
        not host.path(NET, name, "device").exists()
        and (host.path(NET, name, "tun_flags").exists() or name.startswith(tunnels))
    ):
        return "vpn"
    if not host.path(NET, name, "device").exists():
        return "virtual"
    if "DEVTYPE=wwan" in said:
        return "mobile"
    if "DEVTYPE=bluetooth" in said:
        return "bluetooth"
    place = host.real_path(NET, name) + host.real_path(NET, name, "device")
    return "usb" if "/usb" in place else "ethernet"


def _kind_by_address(addresses: list[str]) -> str | None:
    """Return "loopback" for an adapter that has a loopback address, else None: not known."""
    return "loopback" if "127.0.0.1" in addresses or "::1" in addresses else None


def _mac(text: str | None) -> str | None:
    """Return a MAC in lower case with colons; None for none, all zeros or another length."""
    if text is None:
        return None
    mac = text.replace("-", ":").casefold()
    return mac if len(mac) == len(NO_MAC) and mac != NO_MAC else None


def _duplex(value: int) -> str | None:
    """Return psutil's duplex in our words."""
    words: dict[int, str] = {
        int(psutil.NIC_DUPLEX_FULL): "full",
        int(psutil.NIC_DUPLEX_HALF): "half",
    }
    return words.get(int(value))


def _permanent_mac(name: str) -> str | None:
    """Return the address burnt into the adapter, None when its driver does not tell.

    Source: ethtool's ETHTOOL_GPERMADDR (linux/ethtool.h), by ioctl.
    """
    if sys.platform != "linux":
        return None
    # Only Linux has fcntl.
    import array
    import fcntl
    import socket
    import struct

    answer = array.array("B", struct.pack("=II", ETHTOOL_GPERMADDR, 32) + bytes(32))
    request = struct.pack("16sP", name.encode()[:15], answer.buffer_info()[0])
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            fcntl.ioctl(probe.fileno(), SIOCETHTOOL, request)
    except OSError:
        return None
    size = int.from_bytes(answer[4:8].tobytes(), sys.byteorder)
    return _mac(answer[8 : 8 + MAC_BYTES].tobytes().hex(":")) if size == MAC_BYTES else None
