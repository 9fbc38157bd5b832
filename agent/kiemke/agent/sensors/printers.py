"""The printers. Source: CUPS' printers.conf (cupsd's own, printers.conf(5)); Windows' spooler keys."""

from urllib.parse import parse_qs, unquote, urlsplit

from kiemke.agent.host import Host
from kiemke.wire.inventory import Printer, Row

NAME = "printers"
SECTIONS = ("printers",)
SOURCE = "CUPS' printers.conf; Windows: Print\\Printers, USBPRINT joined with USB for the serial"
RIGHTS = "root on Linux; any account on Windows"
CUPS = "etc/cups/printers.conf"
NETWORK = ("socket", "ipp", "ipps", "http", "https", "lpd", "dnssd", "smb", "mdns", "beh")
LOCAL = ("parallel", "serial")
VIRTUAL = ("cups-pdf", "file", "implicitclass", "cups-brf")


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Printer a queue; absent without a spooler. Raises PermissionError."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import printers

        return {"printers": tuple(printers.read(host.windows))}
    try:
        text = host.path(CUPS).read_text("utf-8", "replace")
    except FileNotFoundError:
        return {"printers": ()} if host.path("etc/cups").is_dir() else {}
    return {"printers": tuple(parse_queues(text))}


def parse_queues(text: str) -> list[Printer]:
    """Return the queues of a printers.conf, by name."""
    found: list[Printer] = []
    name: str | None = None
    is_default = False
    said: dict[str, str] = {}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word in ("<Printer", "<DefaultPrinter"):
            name, is_default, said = rest.rstrip("> "), word == "<DefaultPrinter", {}
        elif word in ("</Printer>", "</DefaultPrinter>") and name:
            found.append(_queue(name, said, is_default))
            name = None
        else:
            said.setdefault(word, rest.strip())
    return sorted(found, key=lambda one: one.name)


def _queue(name: str, said: dict[str, str], is_default: bool) -> Printer:
    """Return one queue. Of its address only the host is kept: an account may stand in it."""
    connection, address, serial, port = read_uri(said.get("DeviceURI", ""))
    return Printer(
        name=name,
        driver=said.get("MakeModel") or None,
        port=port,
        connection=connection,
        address=address,
        serial=serial,
        is_default=is_default,
        is_shared=said["Shared"] == "Yes" if "Shared" in said else None,
    )


def read_uri(uri: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Return (connection, address, serial, port) of a device's address; None what it does not say."""
    try:
        parts = urlsplit(uri)
        address = parts.hostname
        asked = parse_qs(parts.query)
    except ValueError:
        return None, None, None, None
    scheme = parts.scheme

    def answer(*names: str) -> str | None:
        return next((asked[name][0] for name in names if name in asked), None)

    serial = answer("serial")
    is_hplip = scheme in ("hp", "hpfax")  # "hp:/usb/MODEL?serial=X", "hp:/net/MODEL?ip=X"
    if scheme == "usb" or (is_hplip and parts.path.startswith("/usb/")):
        return "usb", None, serial, scheme
    if is_hplip:
        return "network", answer("ip", "hostname", "zc"), serial, scheme
    if scheme in NETWORK:
        return "network", unquote(address) if address else None, serial, scheme
    if scheme in LOCAL:
        return "local", None, None, scheme
    return ("virtual" if scheme in VIRTUAL else None), None, None, scheme or None
