"""The programs by which others can control this machine. Source: services, programs and paths of a table."""

from kiemke.agent.host import Host
from kiemke.agent.sensors.tables import fits, globs, load
from kiemke.wire.inventory import RemoteTool, Row

NAME = "remote_tools"
SECTIONS = ("remote_tools",)
SOURCE = (
    "products.toml against units and paths; Windows: against services and programs, and "
    "Remote Desktop's switch"
)
RIGHTS = "any account"
UNITS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
WANTED = ("multi-user.target.wants", "graphical.target.wants", "default.target.wants")


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one RemoteTool a program. Raises SensorError for a table that is none."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import antivirus

        return {"remote_tools": tuple(antivirus.remote_tools(host, host.windows))}
    units = {name for folder in UNITS for name in host.names(folder)}
    wanted = {name for folder in WANTED for name in host.names("etc/systemd/system", folder)}
    found: list[RemoteTool] = []
    for entry in load(host, "products.toml", "remote_tool"):
        name, paths = entry.get("name"), entry.get("paths")
        services = globs(entry, "services")
        places = [one for one in paths if isinstance(one, str)] if isinstance(paths, list) else []
        if isinstance(name, str) and (
            _has(units, services) or any(host.path(one).exists() for one in places)
        ):
            found.append(RemoteTool(name, None, _has(wanted, services)))
    found.sort(key=lambda one: one.name)
    return {"remote_tools": tuple(found)}


def _has(units: set[str], services: tuple[str, ...]) -> bool:
    """Tell whether one of the units is a service of these names."""
    return any(
        fits(unit.removesuffix(".service"), services) for unit in units if unit.endswith(".service")
    )
