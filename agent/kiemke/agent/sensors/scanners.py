"""The document scanners. Source: what udev knows SANE can drive; Windows' image devices."""

from kiemke.agent.host import Host
from kiemke.agent.sensors import usb_linux
from kiemke.wire.inventory import Row, Scanner

NAME = "scanners"
SECTIONS = ("scanners",)
SOURCE = "udev's mark of what SANE drives; Windows: devices of the image class"
RIGHTS = "any account"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Scanner a device; absent on a Linux without USB."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import usb

        return {"scanners": tuple(usb.scanners(host.windows))}
    if not host.path(usb_linux.DEVICES).is_dir():
        return {}
    return {
        "scanners": tuple(
            Scanner(
                one.name or f"{one.vendor_id}:{one.product_id}", one.manufacturer, "usb", one.serial
            )
            for one in usb_linux.read(host)
            if one.kind == "scanner"
        )
    }
