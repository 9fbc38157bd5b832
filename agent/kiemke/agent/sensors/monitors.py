"""The monitors that are plugged in, by the EDID each one gave. Source: /sys/class/drm/*/edid; Enum\\DISPLAY."""

from dataclasses import replace

from kiemke.agent.decode import edid
from kiemke.agent.decode.errors import DecodeError
from kiemke.agent.host import Host
from kiemke.wire.inventory import Monitor, Row

NAME = "monitors"
SECTIONS = ("monitors",)
SOURCE = "/sys/class/drm/*/edid; Windows: Enum\\DISPLAY of what is plugged in, EDID_OVERRIDE first"
RIGHTS = "any account"
DRM = "sys/class/drm"
# VESA published EDID in 1994: an earlier year of make is a field nobody filled.
FIRST_YEAR = 1994


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Monitor a connected port; a machine without graphics has no such section.

    A port whose EDID is not one gives a row that knows only its port.
    """
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import monitors

        edids = monitors.read_edids(host.windows)
        return {"monitors": tuple(replace(read_edid(data), port=port) for port, data in edids)}
    if not host.path(DRM).is_dir():
        return {}
    found: list[Monitor] = []
    for name in host.names(DRM):
        try:
            data = host.path(DRM, name, "edid").read_bytes()
        except OSError:
            continue
        if data:
            # "card0-HDMI-A-1": the card, then the connector
            found.append(replace(read_edid(data), port=name.partition("-")[2] or name))
    return {"monitors": tuple(found)}


def read_edid(data: bytes) -> Monitor:
    """Return what the EDID says, without what its maker left unfilled."""
    try:
        said = edid.decode(data)
    except DecodeError:
        return Monitor()
    letters = said.manufacturer or ""
    return replace(
        said,
        year=said.year if said.year and said.year >= FIRST_YEAR else None,
        manufacturer=letters if letters.isalpha() and letters.isupper() else None,
    )
