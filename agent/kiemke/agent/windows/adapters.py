"""What Windows keeps of each network adapter: its kind, its driver, who gave it its address."""

import re
from dataclasses import dataclass

from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.registry import Registry, as_number, as_text, as_texts, shown

NET_CLASS = "{4D36E972-E325-11CE-BFC1-08002BE10318}"
CLASS = rf"HKLM\SYSTEM\CurrentControlSet\Control\Class\{NET_CLASS}"
NETWORK = rf"HKLM\SYSTEM\CurrentControlSet\Control\Network\{NET_CLASS}"
INTERFACES = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces"
ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
NDIS_QUERY = 0x170002  # IOCTL_NDIS_QUERY_GLOBAL_STATS
PERMANENT_ADDRESS = 0x01010101  # OID_802_3_PERMANENT_ADDRESS, ntddndis.h
MAC_BYTES = 6
MEDIA = {1: "ethernet", 2: "wireless", 7: "bluetooth", 8: "mobile", 9: "mobile"}
PHYSICAL_MEDIA = {1: "wireless", 8: "mobile", 9: "wireless", 10: "bluetooth", 14: "ethernet"}
INTERFACE_TYPES = {
    6: "ethernet",
    23: "vpn",
    24: "loopback",
    71: "wireless",
    243: "mobile",
    244: "mobile",
}
# Words in an adapter's description or component that only programs use.
VPN = re.compile(
    r"\b(vpn|tap-windows|tap0901|wintun|wireguard|openvpn|fortinet|fortissl|anyconnect|"
    r"softether|zerotier|tailscale|hamachi|checkpoint|pangp|globalprotect|juniper|sonicwall|"
    r"wan miniport)",
    re.IGNORECASE,
)
VIRTUAL = re.compile(
    r"\b(virtual|hyper-v|vmware|virtualbox|npcap|loopback|kernel debug|teredo|6to4|isatap|ip-https|"
    r"wi-fi direct|multiplexor|bridge)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry says of one adapter; ``name`` is the connection's, which users see."""

    guid: str
    name: str
    kind: str | None
    description: str | None
    is_dhcp: bool | None
    addresses: tuple[str, ...]
    gateways: tuple[str, ...]
    dns_servers: tuple[str, ...]
    ssid: str | None
    device: str | None


def read(windows: Windows) -> list[Known]:
    """Return what is known of each connection that has a name."""
    registry = windows.registry
    drivers = _drivers(registry)
    found = []
    for guid in registry.names(NETWORK):
        connection = f"{NETWORK}\\{guid}\\Connection"
        name = registry.text(connection, "Name")
        if name is None or not guid.startswith("{"):
            continue
        pnp = registry.text(connection, "PnpInstanceID") or ""
        driver = drivers.get(guid.upper(), {})
        description = as_text(driver.get("DriverDesc")) or _device_name(registry, pnp)
        media = registry.number(connection, "MediaSubType")
        kind = _kind(pnp, description or "", media, driver)
        found.append(_known(registry, guid, name, kind, description, pnp or None))
    return sorted(found, key=lambda one: one.name)


def _drivers(registry: Registry) -> dict[str, dict[str, object]]:
    """Return the values of each driver's key by the GUID of its connection."""
    found = {}
    for number in registry.names(CLASS):
        if number.isdecimal():
            values = registry.values(f"{CLASS}\\{number}")
            guid = as_text(values.get("NetCfgInstanceId"))
            if guid:
                found[guid.upper()] = values
    return found


def _device_name(registry: Registry, pnp: str) -> str | None:
    """Return the name of the adapter's device."""
    if not pnp:
        return None
    path = f"{ENUM}\\{pnp}"
    return shown(registry.text(path, "FriendlyName")) or shown(registry.text(path, "DeviceDesc"))


def _kind(pnp: str, description: str, media: int | None, driver: dict[str, object]) -> str | None:
    """Return the adapter's kind; one without a device, or on the root bus, is a program's."""
    if not pnp and not description:
        return "virtual"
    words = f"{description} {as_text(driver.get('ComponentId')) or ''}"
    if VPN.search(words):
        return "vpn"
    bus = pnp.partition("\\")[0].upper()
    if "BTHPAN" in pnp.upper() or bus == "BTH":
        return "bluetooth"
    if bus in (
        "ROOT",
        "SWD",
        "SW",
        "COMPOSITEBUS",
        "VMS_MP",
        "{5D624F94-8850-40C3-A3FA-A4FD2080BAF3}",
    ):
        return "virtual"
    if VIRTUAL.search(words):
        return "virtual"
    kind = (
        MEDIA.get(media or 0)
        or PHYSICAL_MEDIA.get(as_number(driver.get("*PhysicalMediaType")) or 0)
        or INTERFACE_TYPES.get(as_number(driver.get("*IfType")) or 0)
    )
    if kind in (None, "ethernet") and bus == "USB":
        return "usb"
    return kind or ("ethernet" if bus == "PCI" else None)


def _known(
    registry: Registry,
    guid: str,
    name: str,
    kind: str | None,
    description: str | None,
    device: str | None,
) -> Known:
    """Return the adapter with what TCP/IP keeps for it."""
    values = registry.values(f"{INTERFACES}\\{guid}")
    dhcp = as_number(values.get("EnableDHCP"))
    prefix = "Dhcp" if dhcp else ""
    return Known(
        guid=guid,
        name=name,
        kind=kind,
        description=description,
        is_dhcp=None if dhcp is None else bool(dhcp),
        addresses=_given(values, f"{prefix}IPAddress"),
        gateways=_given(values, "DefaultGateway") or _given(values, f"{prefix}DefaultGateway"),
        # A server set by hand wins over the one DHCP named.
        dns_servers=_given(values, "NameServer") or _given(values, f"{prefix}NameServer"),
        ssid=network_name(as_text(values.get("DhcpNetworkHint"))) if kind == "wireless" else None,
        device=device,
    )


def _given(values: dict[str, object], name: str) -> tuple[str, ...]:
    return tuple(one for one in as_texts(values.get(name)) if one not in ("0.0.0.0", "::"))  # noqa: S104


def network_name(hint: str | None) -> str | None:
    """Return the wireless network of a DhcpNetworkHint: hexadecimal, each byte's digits swapped."""
    if hint is None or len(hint) % 2:
        return None
    try:
        raw = bytes.fromhex("".join(hint[at + 1] + hint[at] for at in range(0, len(hint), 2)))
    except ValueError:
        return None
    return raw.decode("utf-8", "replace").strip("\0 ") or None


def permanent_mac(windows: Windows, guid: str) -> str | None:
    """Return the address burnt into an adapter, asked of its driver; None when it does not tell."""
    request = PERMANENT_ADDRESS.to_bytes(4, "little")
    answer = windows.control(rf"\\.\{guid}", NDIS_QUERY, request, MAC_BYTES)
    return (
        answer.hex(":") if answer is not None and len(answer) == MAC_BYTES and any(answer) else None
    )
