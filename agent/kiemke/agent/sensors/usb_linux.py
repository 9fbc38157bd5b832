"""What hangs on USB on Linux. Source: sysfs; udev's records of what SANE can drive."""

from kiemke.agent.host import Host
from kiemke.wire.inventory import UsbDevice

DEVICES = "sys/bus/usb/devices"
UDEV = "run/udev/data"
HUB = "09"
SHORTEST_SERIAL = 5  # shorter ones are the same on every device of a model
# usb.org, defined class codes -> our word; the first of a device's interfaces that has one.
KINDS = {
    "0b": "smartcard", "0e": "camera", "07": "printer", "06": "image", "08": "storage",
    "03": "hid", "01": "audio", "02": "network", "e0": "bluetooth",
}  # fmt: skip


def read(host: Host) -> list[UsbDevice]:
    """Return one UsbDevice a device that is plugged in, hubs left out."""
    found = []
    for name in host.names(DEVICES):
        vendor = host.text(DEVICES, name, "idVendor")
        product = host.text(DEVICES, name, "idProduct")
        if vendor is None or product is None or host.text(DEVICES, name, "bDeviceClass") == HUB:
            continue
        serial = host.text(DEVICES, name, "serial")
        found.append(
            UsbDevice(
                vendor.lower(),
                product.lower(),
                serial=serial if serial and len(serial) >= SHORTEST_SERIAL else None,
                name=host.text(DEVICES, name, "product"),
                manufacturer=host.text(DEVICES, name, "manufacturer"),
                kind=_kind(host, name),
                is_present=True,
            )
        )
    return found


def _kind(host: Host, name: str) -> str | None:
    """Return what the device is by the classes of its interfaces; a scanner by udev's word."""
    if _is_scanner(host, name):
        return "scanner"
    classes = {host.text(DEVICES, name, "bDeviceClass")}
    classes |= {
        host.text(DEVICES, part, "bInterfaceClass")
        for part in host.names(DEVICES)
        if part.startswith(f"{name}:")
    }
    return next((KINDS[code] for code in KINDS if code in classes), None)


def _is_scanner(host: Host, name: str) -> bool:
    """Tell whether udev marked the device as one SANE drives ("libsane_matched=yes")."""
    number = host.text(DEVICES, name, "dev")
    record = host.text(UDEV, f"c{number}") if number else None
    return "libsane_matched=yes" in (record or "")
