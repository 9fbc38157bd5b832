"""Names of chassis and ports in discovery protocols: subtypes, addresses and bits as plain words."""

import ipaddress
import re

from kiemke.collectors.snmp.reader import Value
from kiemke.collectors.snmp.values import read_mac, read_number, read_text

LONGEST = 255
# IEEE 802.1AB: LldpChassisIdSubtype and LldpPortIdSubtype.
CHASSIS_KINDS = {
    1: "component", 2: "alias", 3: "port", 4: "mac", 5: "address", 6: "name", 7: "local",
}  # fmt: skip
PORT_KINDS = {
    1: "alias", 2: "port", 3: "mac", 4: "address", 5: "name", 6: "circuit", 7: "local",
}  # fmt: skip
# LldpSystemCapabilitiesMap, the first bit is the highest of the first byte.
LLDP_ABILITIES = (
    "other", "repeater", "bridge", "access_point", "router", "telephone", "docsis", "station",
)  # fmt: skip
# Some agents answer with the words of a printed map: "28 00 2 4".
_PRINTED_BITS = re.compile(rb"([0-9A-Fa-f]{2})(?: [0-9A-Fa-f ]*)?")
# CISCO-CDP-MIB cdpCacheCapabilities, bits of the number; without 0x20 IGMP and 0x100 remotely managed.
CDP_ABILITIES = (
    (0x01, "router"), (0x02, "bridge"), (0x04, "bridge"), (0x08, "bridge"), (0x10, "station"),
    (0x40, "repeater"), (0x80, "telephone"), (0x400, "repeater"),
)  # fmt: skip
# IANA-MAU-MIB dot3MauType numbers that tell the duplex of a port (the last arc of the OID).
_HALF = (3, 10, 12, 15, 17, 20, 22, 24, 26, 29)
_FULL = (11, 13, 16, 18, 21, 23, 25, 27, 30)


def name_of(
    kinds: dict[int, str], kind: Value | None, value: Value | None
) -> tuple[str | None, str | None]:
    """Return (kind, text) of a chassis or port name, (None, None) when there is none.

    A name that does not look like what its kind says is kept as "local": nothing is made up.
    """
    if not isinstance(value, bytes) or not value:
        return None, None
    word = kinds.get(read_number(kind) or 0, "local")
    if word == "mac":
        mac = read_mac(value)
        return ("mac", mac) if mac else ("local", plain(value))
    if word == "address":
        address = network_address(value)
        return ("address", address) if address else ("local", plain(value))
    text = plain(value)
    return (word, text) if text else (None, None)


def plain(value: Value | None) -> str | None:
    """Return bytes as text, or as "0x0a1b" where they are no printable text; None when empty."""
    text = read_text(value)
    if text is None or not isinstance(value, bytes):
        return None
    if not text.isprintable():
        return f"0x{value[: LONGEST // 2].hex()}"
    return text[:LONGEST]


def label(value: Value | None, most: int = LONGEST) -> str | None:
    """Return a free text on one line, None when absent."""
    text = read_text(value)
    return None if text is None else " ".join(text.split())[:most] or None


def network_address(value: bytes) -> str | None:
    """Return the IP address of a chassis name: one byte of family (IANA), then the address."""
    if len(value) in (5, 17):
        return packed_address(value[1:])
    text = read_text(value)
    try:
        return str(ipaddress.ip_address(text or ""))
    except ValueError:
        return None


def packed_address(value: bytes) -> str | None:
    """Return the address of 4 or 16 bytes, None for another length or 0.0.0.0."""
    if len(value) not in (4, 16) or not any(value):
        return None
    return str(ipaddress.ip_address(value))


def index_address(parts: tuple[int, ...]) -> str | None:
    """Return the address that arcs of an index spell, one number a byte; None when they spell none."""
    if not all(0 <= part <= 255 for part in parts):
        return None
    return packed_address(bytes(parts))


def index_mac(parts: tuple[int, ...]) -> str | None:
    """Return the unicast MAC that six arcs of an index spell, None for zero, broadcast or a group."""
    if len(parts) != 6 or not all(0 <= part <= 255 for part in parts):
        return None
    return station_mac(bytes(parts))


def station_mac(value: Value | None) -> str | None:
    """Return a MAC that one station can have, None for a group's, broadcast or none."""
    mac = read_mac(value)
    return None if mac is None or int(mac[:2], 16) & 1 else mac


def bit_words(value: Value | None) -> tuple[str, ...]:
    """Return the words of an LLDP capability map; RouterOS sends a number with the lowest bit first."""
    if isinstance(value, int) and 0 <= value <= 0xFF:
        return tuple(word for n, word in enumerate(LLDP_ABILITIES) if value & 1 << n)
    if not isinstance(value, bytes) or not value:
        return ()
    printed = _PRINTED_BITS.fullmatch(value)
    first = int(printed[1], 16) if printed else value[0]
    return tuple(word for n, word in enumerate(LLDP_ABILITIES) if first & 0x80 >> n)


def cdp_words(value: Value | None) -> tuple[str, ...]:
    """Return the words of CDP capabilities."""
    number = int.from_bytes(value, "big") if isinstance(value, bytes) else read_number(value) or 0
    return tuple(dict.fromkeys(word for bit, word in CDP_ABILITIES if number & bit))


def mau_duplex(value: Value | None) -> str | None:
    """Return the duplex a MAU type stands for, None where it does not tell."""
    number = read_number(value)
    return "half" if number in _HALF else "full" if number in _FULL else None
