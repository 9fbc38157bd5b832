"""The devices on USB, hubs left out. Source: /sys/bus/usb/devices; Windows' Enum\\USB."""

from kiemke.agent.host import Host
from kiemke.agent.sensors import usb_linux
from kiemke.wire.inventory import Row

NAME = "usb"
SECTIONS = ("usb",)
SOURCE = "/sys/bus/usb/devices; Windows: Enum\\USB of what is plugged in"
RIGHTS = "any account"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one UsbDevice a device; absent where there is no USB."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import usb

        return {"usb": tuple(usb.read(host.windows))}
    if not host.path(usb_linux.DEVICES).is_dir():
        return {}
    return {"usb": tuple(usb_linux.read(host))}
