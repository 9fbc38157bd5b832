"""What a switch's port leads to: one PC, a PC behind its phone, several stations, another switch.

Pure functions over what was seen on one port at one moment; the figures are in ``lan_ports.toml``.
"""

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

RULES_FILE = "lan_ports.toml"
# The roles of a port, the surest place of a station first; at an uplink nobody stands.
ACCESS, PHONE, SHARED, UPLINK = "access", "phone", "shared", "uplink"
ROLES = (ACCESS, PHONE, SHARED, UPLINK)
_LEADS_ON = {"bridge", "router", "repeater"}
_PREFIX_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures of ``lan_ports.toml``; ``phones`` are prefixes such as "00:15:65"."""

    most_stations: int
    recent_days: int
    slow_bits_per_second: int
    flap_changes: int
    flap_hours: int
    phones: frozenset[str]


@dataclass(frozen=True, slots=True)
class Role:
    """What a port is, and why: "neighbour", "switch_mac", "many", "phone", "access_point" or "one"."""

    role: str
    because: str


@cache
def load_rules() -> Rules:
    """Return the rules as shipped."""
    text = resources.files("kiemke.server.domain").joinpath(RULES_FILE).read_text("utf-8")
    told = tomllib.loads(text)
    return Rules(**{**told, "phones": frozenset(told["phones"])})


def judge(
    macs: Collection[str],
    beside: Iterable[Collection[str]],
    switches: Collection[str],
    rules: Rules | None = None,
) -> Role:
    """Return a port's role.

    ``macs`` are the stations seen on it, ``beside`` the abilities of each neighbour that speaks there,
    ``switches`` the MACs of other devices that are switches themselves.
    """
    rules = rules or load_rules()
    said = [set(abilities) for abilities in beside]
    if any("access_point" in each and "telephone" not in each for each in said):
        return Role(SHARED, "access_point")
    if any(each & _LEADS_ON and "telephone" not in each for each in said):
        return Role(UPLINK, "neighbour")
    if any(mac in switches for mac in macs):
        return Role(UPLINK, "switch_mac")
    phones = {mac for mac in macs if is_phone(mac, rules)}
    speaks = sum("telephone" in each for each in said)
    if len(macs) - max(len(phones), speaks) > rules.most_stations:
        return Role(SHARED, "many")
    if phones or speaks:
        return Role(PHONE, "phone")
    return Role(ACCESS, "one" if len(macs) < 2 else "few")


def is_phone(mac: str, rules: Rules | None = None) -> bool:
    """Say whether a MAC is of a maker of desk phones."""
    return mac[:_PREFIX_LENGTH] in (rules or load_rules()).phones


def parts(text: str) -> list[str]:
    """Return the words of a column that holds a list with commas between."""
    return [word for word in text.split(",") if word]
