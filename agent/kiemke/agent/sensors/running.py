"""The names of the programs that run. Source: psutil; a system that does not tell gives None."""

import psutil

from kiemke.agent.host import Host


def names(host: Host) -> frozenset[str] | None:
    """Return the names in lower case; None for a recording and where they are not told."""
    if not host.is_live:
        return None
    try:
        found = {one.info["name"] for one in psutil.process_iter(["name"])}
    except (psutil.Error, OSError):
        return None
    return frozenset(name.casefold() for name in found if name) or None
