"""What is amiss with a cable between two devices: ends that do not agree, or hardly carry anything."""

from collections.abc import Collection

from kiemke.server.domain.lan_ports import load_rules
from kiemke.server.domain.topology import Cable

DUPLEX_MISMATCH, SLOW_UPLINK = "duplex_mismatch", "slow_uplink"
_GEAR = {"bridge", "router", "access_point", "repeater"}


def troubles_of(cable: Cable) -> list[str]:
    """Return the kinds of trouble of a cable; figures that nobody told are no trouble."""
    near, far = cable.near, cable.far
    found = []
    if near.duplex and far.duplex and near.duplex != far.duplex:
        found.append(DUPLEX_MISMATCH)
    if _is_gear(far.device, far.abilities) and _is_slow(cable):
        found.append(SLOW_UPLINK)
    return found


def _is_gear(device: int | None, abilities: Collection[str]) -> bool:
    return (device is not None or bool(_GEAR & set(abilities))) and "telephone" not in abilities


def _is_slow(cable: Cable) -> bool:
    speeds = (cable.near.speed_bits_per_second, cable.far.speed_bits_per_second)
    most = load_rules().slow_bits_per_second
    return "half" in (cable.near.duplex, cable.far.duplex) or any(
        speed is not None and 0 < speed <= most for speed in speeds
    )
