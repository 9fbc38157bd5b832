"""Smart-card readers and signature tokens: that they are there. Source: USB and an editable table."""

from kiemke.agent.host import Host
from kiemke.agent.sensors import usb_linux
from kiemke.agent.sensors.tables import Entry, fits, globs, load
from kiemke.wire.inventory import Row, SmartCard, UsbDevice

NAME = "smart_cards"
SECTIONS = ("smart_cards",)
SOURCE = (
    "USB devices against smart_cards.toml and the USB class for smart cards; the device is "
    "never opened"
)
RIGHTS = "any account"
TABLE = "smart_cards.toml"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one SmartCard a reader or token that is plugged in. Raises SensorError."""
    entries = load(host, TABLE, "device")
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import usb

        devices = [one for one in usb.read(host.windows) if one.is_present is not False]
        known = {one.name for one in devices}
        others = [
            SmartCard(one.name or one.model, "reader")
            for one in usb.smart_card_readers(host.windows)
            if one.usb_ids is None and one.name not in known
        ]
    elif host.path(usb_linux.DEVICES).is_dir():
        devices, others = usb_linux.read(host), []
    else:
        return {}
    found = [card for one in devices if (card := _card(one, entries)) is not None]
    return {"smart_cards": (*found, *others)}


def _card(device: UsbDevice, entries: list[Entry]) -> SmartCard | None:
    """Return the device as a reader or token, None when it is neither."""
    for entry in entries:
        if _is_of(device, entry):
            kind = entry.get("kind")
            maker = entry.get("maker")
            name = device.name or (maker if isinstance(maker, str) else None)
            return SmartCard(
                name or f"{device.vendor_id}:{device.product_id}",
                kind if isinstance(kind, str) else None,
                device.vendor_id,
                device.product_id,
            )
    if device.kind == "smartcard":
        name = device.name or f"{device.vendor_id}:{device.product_id}"
        return SmartCard(name, "reader", device.vendor_id, device.product_id)
    return None


def _is_of(device: UsbDevice, entry: Entry) -> bool:
    """Tell whether a table's entry means the device: by vendor and product, or by name."""
    vendor, product = globs(entry, "vendor"), globs(entry, "product")
    if vendor:
        return device.vendor_id in vendor and (not product or device.product_id in product)
    return fits(device.name, globs(entry, "name"))
