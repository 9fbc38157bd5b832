"""The devices Windows knows, by their keys under Enum; which of them are plugged in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.registry import as_text, as_texts, shown

ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
# "VID_04F2&PID_B6D0" in the id of a USB device; makers' own ids have neither.
USB_IDS = re.compile(r"VID_([0-9A-F]{4})&PID_([0-9A-F]{4})", re.IGNORECASE)


CLASSES = r"HKLM\SYSTEM\CurrentControlSet\Control\Class"
# Newer Windows keep a device's class by its number alone. Source: "System-Defined Device Setup Classes".
CLASS_NAMES = {
    "{ca3e7ab9-b4c3-4ae6-8251-579ef933890f}": "Camera",
    "{6bdd1fc6-810f-11d0-bec7-08002be2092f}": "Image",
    "{50dd5230-ba8a-11d1-bf5d-0000f805f530}": "SmartCardReader",
    "{4d36e979-e325-11ce-bfc1-08002be10318}": "Printer",
    "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}": "HIDClass",
    "{4d36e96b-e325-11ce-bfc1-08002be10318}": "Keyboard",
    "{4d36e96f-e325-11ce-bfc1-08002be10318}": "Mouse",
    "{4d36e96c-e325-11ce-bfc1-08002be10318}": "Media",
    "{4d36e972-e325-11ce-bfc1-08002be10318}": "Net",
    "{e0cbf06c-cd8b-4647-bb8a-263b43f0f974}": "Bluetooth",
    "{4d36e967-e325-11ce-bfc1-08002be10318}": "DiskDrive",
    "{eec5ad98-8080-425f-922a-dabf3de3f69a}": "WPD",
    "{4d36e96d-e325-11ce-bfc1-08002be10318}": "Modem",
    "{4d36e978-e325-11ce-bfc1-08002be10318}": "Ports",
    "{53d29ef7-377c-4d14-864b-eb3a85769359}": "Biometric",
}


@dataclass(frozen=True, slots=True)
class Device:
    """One device. ``instance`` is the last part of its id, which for USB may be its serial."""

    enumerator: str
    model: str
    instance: str
    device_class: str | None = None
    service: str | None = None
    name: str | None = None
    manufacturer: str | None = None
    hardware_ids: tuple[str, ...] = ()
    compatible_ids: tuple[str, ...] = ()
    container: str | None = None
    is_present: bool | None = None

    @property
    def path(self) -> str:
        """Return the device's key."""
        return f"{ENUM}\\{self.enumerator}\\{self.model}\\{self.instance}"

    @property
    def usb_ids(self) -> tuple[str, str] | None:
        """Return vendor and product in four hexadecimal digits, None for what has none."""
        found = USB_IDS.search(self.model)
        return (found[1].lower(), found[2].lower()) if found else None


def find(windows: Windows, *enumerators: str) -> list[Device]:
    """Return the devices of these enumerators that are plugged in.

    Where Windows does not say what is, all it ever knew are returned; ``is_present`` is then what
    their keys tell: the volatile key Control stands only under what is plugged in.
    """
    present = windows.present_devices()
    known = [one for name in enumerators for one in _known(windows, name, present)]
    if present is not None:
        return [one for one in known if one.is_present]
    return known


def seen(devices: list[Device]) -> list[Device]:
    """Return those that are plugged in; all, when of none it is known."""
    return [one for one in devices if one.is_present] or devices


def _known(windows: Windows, enumerator: str, present: frozenset[str] | None) -> Iterator[Device]:
    registry = windows.registry
    found = [
        (model, instance)
        for model in registry.names(f"{ENUM}\\{enumerator}")
        for instance in registry.names(f"{ENUM}\\{enumerator}\\{model}")
    ]
    living = {
        one
        for one in found
        if present is None and registry.exists(f"{ENUM}\\{enumerator}\\{one[0]}\\{one[1]}\\Control")
    }
    for model, instance in found:
        values = registry.values(f"{ENUM}\\{enumerator}\\{model}\\{instance}")
        if present is not None:
            is_present: bool | None = f"{enumerator}\\{model}\\{instance}".upper() in present
        else:
            is_present = (model, instance) in living if living else None
        yield Device(
            enumerator,
            model,
            instance,
            device_class=as_text(values.get("Class")) or _class(windows, values.get("ClassGUID")),
            service=as_text(values.get("Service")),
            name=shown(as_text(values.get("FriendlyName")))
            or shown(as_text(values.get("DeviceDesc"))),
            manufacturer=shown(as_text(values.get("Mfg"))),
            hardware_ids=_ids(values.get("HardwareID")),
            compatible_ids=_ids(values.get("CompatibleIDs")),
            container=as_text(values.get("ContainerID")),
            is_present=is_present,
        )


def _class(windows: Windows, number: object) -> str | None:
    """Return the name of a class of devices by its number, None of one that nobody named."""
    guid = (as_text(number) or "").casefold()
    if not guid:
        return None
    return CLASS_NAMES.get(guid) or windows.registry.text(f"{CLASSES}\\{guid}", "Class")


def _ids(value: object) -> tuple[str, ...]:
    return as_texts([value] if isinstance(value, str) else value)
