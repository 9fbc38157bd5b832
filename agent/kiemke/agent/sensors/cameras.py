"""The cameras, never a picture of theirs. Source: /sys/class/video4linux; Windows' camera devices."""

from kiemke.agent.host import Host
from kiemke.wire.inventory import Camera, Row

NAME = "cameras"
SECTIONS = ("cameras",)
SOURCE = "/sys/class/video4linux; Windows: devices of the camera class"
RIGHTS = "any account"
VIDEO = "sys/class/video4linux"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Camera a device."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import usb

        return {"cameras": tuple(usb.cameras(host.windows))}
    found: dict[str, Camera] = {}
    for name in host.names(VIDEO):
        # A camera has several nodes (its picture, its metadata): the first is the picture.
        if host.number(VIDEO, name, "index") in (None, 0):
            place = host.real_path(VIDEO, name, "device")
            title = host.text(VIDEO, name, "name") or name
            found.setdefault(
                place,
                Camera(
                    title,
                    host.text(VIDEO, name, "device", "..", "manufacturer"),
                    "usb" if "/usb" in place else None,
                ),
            )
    return {"cameras": tuple(found[place] for place in sorted(found))}
