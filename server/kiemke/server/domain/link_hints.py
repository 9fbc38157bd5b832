"""What a line's figures lack, and the cheapest thing to do about it."""

from kiemke.server.db import Row

# In the order of what they cost: a setting here, a look at the device, a switch in a modem.
HINTS = ("probe", "name_port", "device_silent", "port_unknown", "count_wider", "ask_modem")


def hint_of(row: Row) -> str | None:
    """Return what would make the figures better, None when they are good or the line is not watched.

    Asks of ``row``: ``kind``, ``basis``, ``device``, ``interface_name``, ``outcome`` (of the device's last
    poll, None before the first), ``has_port`` (the device has a port of that name), ``probes``.
    """
    if row["kind"] == "police" or row["basis"] == "counters":
        return None
    if row["basis"] == "igd":
        return None if row["rate_at_ms"] is not None else "count_wider"
    if row["device"] is not None:
        if row["outcome"] is not None and row["outcome"] not in ("ok", "partial"):
            return "device_silent"
        if row["interface_name"] is None:
            return "name_port"
        return "port_unknown" if row["outcome"] is not None and not row["has_port"] else None
    return "ask_modem" if row["probes"] else "probe"
