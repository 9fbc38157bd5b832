"""The installed updates of Windows. Source: Component Based Servicing. A Linux has packages instead."""

from kiemke.agent.host import Host
from kiemke.wire.inventory import Row

NAME = "hotfixes"
SECTIONS = ("hotfixes",)
SOURCE = "Windows: Component Based Servicing packages"
RIGHTS = "any account"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Hotfix an update; absent on other systems."""
    if host.windows is None:
        return {}
    # Only Windows loads it.
    from kiemke.agent.windows import security

    return {"hotfixes": tuple(security.hotfixes(host.windows))}
