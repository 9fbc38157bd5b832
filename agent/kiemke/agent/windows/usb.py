"""What hangs on USB, and the cameras, scanners and smart-card readers of any bus."""

import re

from kiemke.agent.windows.devices import Device, find, seen
from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.printers import serial_of
from kiemke.wire.inventory import Camera, Scanner, UsbDevice

# Windows' class of a device -> our word.
KINDS = {
    "smartcardreader": "smartcard", "camera": "camera", "image": "image", "printer": "printer",
    "hidclass": "hid", "keyboard": "hid", "mouse": "hid", "media": "audio", "net": "network",
    "bluetooth": "bluetooth", "diskdrive": "storage", "wpd": "storage", "modem": "modem",
    "ports": "serial", "biometric": "biometric",
}  # fmt: skip
SERVICES = {
    "usbstor": "storage", "uaspstor": "storage", "usbvideo": "camera", "usbprint": "printer",
    "usbscan": "scanner", "bthusb": "bluetooth", "usbaudio": "audio", "hidusb": "hid",
    "winusb": None, "usbser": "serial",
}  # fmt: skip
HUBS = ("usbhub", "usbhub3", "iusb3hub", "amdhub30", "nusb3hub")
SMART_CARD = "USB\\CLASS_0B"
CLASS = re.compile(r"CLASS_([0-9A-F]{2})", re.IGNORECASE)


def read(windows: Windows) -> list[UsbDevice]:
    """Return one UsbDevice a device, hubs left out; the functions of one are folded into it."""
    devices = find(windows, "USB")
    functions = [one for one in devices if "&MI_" in one.model.upper()]
    found: dict[tuple[str, str, str], UsbDevice] = {}
    for device in devices:
        ids = device.usb_ids
        if ids is None or device in functions or _is_hub(device) or "0000" in ids:
            continue
        kinds = [kind(one) for one in (device, *_functions(device, functions))]
        row = UsbDevice(
            *ids,
            serial=serial_of(device),
            name=device.name,
            manufacturer=device.manufacturer,
            kind=next((one for one in ("smartcard", *kinds) if one and one in kinds), None),
            is_present=device.is_present,
        )
        found.setdefault((*ids, device.instance), row)
    return [found[key] for key in sorted(found)]


def _functions(device: Device, functions: list[Device]) -> list[Device]:
    """Return the functions of a composite device."""
    prefix = f"{device.model.upper()}&MI_"
    return [one for one in functions if one.model.upper().startswith(prefix)]


def _is_hub(device: Device) -> bool:
    service = (device.service or "").casefold()
    return service in HUBS or any(_class(one) == "09" for one in device.compatible_ids)


def _class(compatible: str) -> str | None:
    found = CLASS.search(compatible)
    return found[1].lower() if found else None


def kind(device: Device) -> str | None:
    """Return what a device is, by its USB class, its service or Windows' class of it."""
    if any(one.upper().startswith(SMART_CARD) for one in device.compatible_ids):
        return "smartcard"
    service = SERVICES.get((device.service or "").casefold())
    return service or KINDS.get((device.device_class or "").casefold())


def smart_card_readers(windows: Windows) -> list[Device]:
    """Return the devices of any bus that Windows calls smart-card readers."""
    return [one for one in seen(find(windows, "USB", "PCI", "SWD")) if kind(one) == "smartcard"]


def cameras(windows: Windows) -> list[Camera]:
    """Return the cameras."""
    found = {
        (one.name or one.model): Camera(
            one.name or one.model, one.manufacturer, one.enumerator.casefold()
        )
        for one in seen(find(windows, "USB", "PCI", "ACPI", "DISPLAY", "SWD"))
        if kind(one) == "camera"
    }
    return [found[name] for name in sorted(found)]


def scanners(windows: Windows) -> list[Scanner]:
    """Return the document scanners: the image class without the cameras."""
    found = {}
    for one in seen(find(windows, "USB", "SWD", "ROOT")):
        if kind(one) in ("scanner", "image"):
            name = one.name or one.model
            connection = "usb" if one.enumerator == "USB" else "network"
            serial = serial_of(one) if one.enumerator == "USB" else None
            found[name] = Scanner(name, one.manufacturer, connection, serial)
    return [found[name] for name in sorted(found)]
