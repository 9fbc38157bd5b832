"""The printers of Windows: the spooler's keys; the serial of a USB one by its place in the device tree."""

import re

from kiemke.agent.windows.devices import Device, find
from kiemke.agent.windows.port import Windows
from kiemke.wire.inventory import Printer

PRINTERS = r"HKLM\SYSTEM\CurrentControlSet\Control\Print\Printers"
MONITORS = (
    r"HKLM\SYSTEM\CurrentControlSet\Control\Print\Monitors"  # Windows' own and printer makers'
)
CHOSEN = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Windows"
CONNECTIONS = r"Printers\Connections"
NETWORK_PORTS = ("wsd", "ip_", "http", "ipp", "\\\\")
SHARED, NETWORK = 0x8, 0x10  # PRINTER_ATTRIBUTE_*, winspool.h
NO_CONTAINER = "{00000000-0000-0000-ffff-ffffffffffff}"
VIRTUAL_PORTS = (
    "portprompt:", "nul", "file:", "shrfax:", "xpsport:", "pdf", "onenote", "microsoft.office.onenote",
    "send to microsoft onenote", "cpw2:", "fpp", "foxit", "dopdf", "novapdf", "documents\\", "ts0", "ad_port",
)  # fmt: skip
VIRTUAL_DRIVERS = re.compile(
    r"print to pdf|xps document writer|shared fax|\bpdf (?:converter|writer|printer|creator|port)|pdfcreator|"
    r"pdf24|onenote|easy print", re.IGNORECASE,
)  # fmt: skip
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - what a port says that has none
ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
HOST = re.compile(
    r"(?:https?|ipps?)://(?:[^/@]*@)?(\[[0-9a-f:.]+\]|[^/:\s]+)|\\\\([^\\\s]+)\\", re.IGNORECASE
)
# Windows ends a USB printer's instance with its port: "7&17e8a3c3&0&USB001".
PORT_IN_ID = re.compile(r"&((?:USB|DOT4_)\d{3})$", re.IGNORECASE)
MADE_UP = re.compile(r"[0-9a-f]{1,2}&", re.IGNORECASE)  # how the serial begins that Windows gives


def read(windows: Windows) -> list[Printer]:
    """Return one Printer a queue of the machine, then the ones its users connected to.

    A USB printer that was plugged in and given no queue is listed too, by its own name.
    """
    serials = usb_serials(windows)
    default = _defaults(windows)
    found: dict[str, Printer] = {}
    for name in windows.registry.names(PRINTERS):
        printer = _printer(windows, name, serials, default)
        found[printer.name] = printer
    used = {port for one in found.values() for port in _pooled(one.port)}
    for port, (name, serial) in serials.items():
        if port not in used and name not in found:
            found[name] = Printer(name, port=port, connection="usb", serial=serial)
    for hive in windows.registry.users():
        for key in windows.registry.names(f"{hive}\\{CONNECTIONS}"):
            name = key.replace(",", "\\")  # ",,server,queue"
            found.setdefault(
                name,
                Printer(
                    name,
                    connection="network",
                    address=name.strip("\\").partition("\\")[0] or None,
                    is_default=name in default if default else None,
                ),
            )
    return [found[name] for name in sorted(found)]


def _printer(
    windows: Windows, key: str, serials: dict[str, tuple[str, str | None]], default: set[str]
) -> Printer:
    """Return one queue of the machine."""
    path = f"{PRINTERS}\\{key}"
    name = windows.registry.text(path, "Name") or key
    port = windows.registry.text(path, "Port")
    attributes = windows.registry.number(path, "Attributes") or 0
    driver = windows.registry.text(path, "Printer Driver")
    address = _address(windows, port)
    return Printer(
        name=name,
        driver=driver,
        port=port,
        connection=_connection(port, driver or name, attributes, address),
        address=address,
        serial=next((serials[one][1] for one in _pooled(port) if one in serials), None),
        is_default=name in default if default else None,
        is_shared=bool(attributes & SHARED),
    )


def _pooled(port: str | None) -> list[str]:
    """Return the ports of a queue, upper case: "USB001,USB002" are two that share the work."""
    return [one.strip().rstrip(":").upper() for one in (port or "").split(",") if one.strip()]


def _connection(port: str | None, driver: str, attributes: int, address: str | None) -> str | None:
    """Return how the queue reaches its printer, None when its port tells nothing."""
    low = (port or "").casefold()
    if low.startswith(VIRTUAL_PORTS) or VIRTUAL_DRIVERS.search(driver):
        return "virtual"
    if low.startswith(("usb", "dot4")):
        return "usb"
    if address or low.startswith(NETWORK_PORTS) or attributes & NETWORK:
        return "network"
    return "local" if low.startswith(("lpt", "com")) else None


def _address(windows: Windows, port: str | None) -> str | None:
    """Return the host a network port sends to."""
    if port is None:
        return None
    for monitor in windows.registry.names(MONITORS):
        path = f"{MONITORS}\\{monitor}\\Ports\\{port}"
        for name in ("HostName", "IPAddress"):
            known = windows.registry.text(path, name)
            if known and known != NO_ADDRESS:
                return known
    host = HOST.match(port)
    if host:
        return (host[1] or host[2]).strip("[]")
    named = ADDRESS.search(port)
    return named[0] if named else None


def _defaults(windows: Windows) -> set[str]:
    """Return the default printers of the logged-in users ("NAME,winspool,PORT")."""
    found = set()
    for hive in windows.registry.users():
        device = windows.registry.text(f"{hive}\\{CHOSEN}", "Device")
        if device:
            found.add(device.rsplit(",", 2)[0])
    return found


def usb_serials(windows: Windows) -> dict[str, tuple[str, str | None]]:
    """Return (name, serial) of each USB printer by its port, upper case ("USB001").

    Windows files a USB printer twice: under USBPRINT with the port's name and under USB with the
    serial. One container holds both; without one, the instance under USBPRINT begins with the
    prefix the USB device gives its children.
    """
    usb = find(windows, "USB")
    found = {}
    for printer in find(windows, "USBPRINT"):
        port = windows.registry.text(f"{printer.path}\\Device Parameters", "PortName")
        in_id = PORT_IN_ID.search(printer.instance)
        port = port or (in_id[1] if in_id else None)
        if port is None:
            continue
        parent = _parent(windows, printer, usb)
        serial = serial_of(parent) if parent is not None else None
        found[port.upper()] = (printer.name or printer.model.replace("_", " "), serial)
    return found


def _parent(windows: Windows, printer: Device, usb: list[Device]) -> Device | None:
    """Return the USB device a printer is a function of."""
    if printer.container and printer.container.casefold() != NO_CONTAINER:
        for one in usb:
            # A composite device shares its container with its functions, which have no serial.
            if (
                one.container
                and one.container.casefold() == printer.container.casefold()
                and serial_of(one)
            ):
                return one
    parent = _by_prefix(windows, printer, usb)
    if parent is not None and "&MI_" in parent.model.upper():
        # A function of a composite device: the device itself bears the serial.
        whole = parent.model.upper().partition("&MI_")[0]
        return _by_prefix(windows, parent, [one for one in usb if one.model.upper() == whole])
    return parent


def _by_prefix(windows: Windows, child: Device, usb: list[Device]) -> Device | None:
    """Return the device whose children's instances begin as this one's does."""
    for one in usb:
        prefix = windows.registry.text(one.path, "ParentIdPrefix")
        if prefix and child.instance.casefold().startswith(f"{prefix}&".casefold()):
            return one
    return None


def serial_of(device: Device) -> str | None:
    """Return the serial of a USB device: its instance, unless Windows made that up ("6&2af3b1c&0&2")."""
    serial = device.instance.strip()
    if MADE_UP.match(serial) or not serial.strip("0 ") or "&MI_" in device.model.upper():
        return None
    return serial
