"""The batteries: what they held when made, and hold now. Source: /sys/class/power_supply; Windows' drivers."""

from kiemke.agent.host import Host
from kiemke.wire.inventory import Battery, Row

NAME = "batteries"
SECTIONS = ("batteries",)
SOURCE = "/sys/class/power_supply; Windows: IOCTL_BATTERY_QUERY_INFORMATION"
RIGHTS = "any account"
SUPPLIES = "sys/class/power_supply"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Battery a pack of the machine itself, not of its mouse."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import batteries

        return {"batteries": tuple(batteries.read(host.windows))}
    return {
        "batteries": tuple(
            _battery(host, name)
            for name in host.names(SUPPLIES)
            if host.text(SUPPLIES, name, "type") == "Battery"
            and host.text(SUPPLIES, name, "scope") != "Device"
            and host.number(SUPPLIES, name, "present") != 0
        )
    }


def _battery(host: Host, name: str) -> Battery:
    """Return one pack. Drivers count energy, or charge at the design's voltage."""
    volts = host.number(SUPPLIES, name, "voltage_min_design")

    def milliwatt_hours(which: str) -> int | None:
        energy = host.number(SUPPLIES, name, f"energy_{which}")  # microwatt-hours
        if energy is not None:
            return energy // 1000 or None
        charge = host.number(SUPPLIES, name, f"charge_{which}")  # microampere-hours
        if charge is None or volts is None:
            return None
        return charge * volts // 1_000_000_000 or None

    serial = host.text(SUPPLIES, name, "serial_number")
    return Battery(
        name=host.text(SUPPLIES, name, "model_name"),
        manufacturer=host.text(SUPPLIES, name, "manufacturer"),
        serial=serial if serial and serial.strip("0 ") else None,
        chemistry=host.text(SUPPLIES, name, "technology"),
        design_mwh=milliwatt_hours("full_design"),
        full_mwh=milliwatt_hours("full"),
        cycles=host.number(SUPPLIES, name, "cycle_count") or None,
    )
