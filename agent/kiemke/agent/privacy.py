"""What the agent tells about a person, item by item, and which of it is switched off on this PC.

The switches are a file in the agent's own folder; what is off is taken out before a report is made, in
the process that read it. A file that cannot be understood switches everything off.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from kiemke.agent.files import StateError, read_json, write_json
from kiemke.agent.journal import warn
from kiemke.wire.inventory import Row

FILE = "privacy.json"
SEAT = "seat"
SWITCHED_OFF = "switched off on this PC"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that may be switched off.

    ``sections`` are sections of the inventory that then have no rows, ``fields`` fields of a section
    ("adapters.ssid") that are then absent. "software.user" also takes the row: the program alone would
    still tell that somebody has it.
    """

    name: str
    words: str
    sections: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


ITEMS = (
    Item("sessions", "who is logged in, since when", sections=("sessions",)),
    Item("last_user", "which account was last at the machine", sections=("last_user",)),
    Item(SEAT, "the account at the seat, in samples and in events of coming and going"),
    Item("user_software", "programs that one user alone installed", fields=("software.user",)),
    Item("wifi_name", "the name of the wireless network the PC is in", fields=("adapters.ssid",)),
    Item("addresses", "the PC's IP addresses", fields=("adapters.addresses",)),
    Item("host_name", "the PC's name, which often is its user's", fields=("os.hostname",)),
    Item(
        "usb_serials",
        "serial numbers of USB devices, a person's own among them",
        fields=("usb.serial",),
    ),
    Item(
        "claimed_holder",
        "who was said to use the PC, and its sticker, at its installation",
        sections=("claimed_holder",),
    ),
)
NAMES = frozenset(item.name for item in ITEMS)
WHOLE_ROWS = frozenset({"software.user"})


def read_off(folder: Path | None) -> frozenset[str]:
    """Return the items that are off; all, when the file cannot be understood."""
    if folder is None:
        return frozenset()
    try:
        said = read_json(folder / FILE)
    except StateError as err:
        warn("privacy not understood: everything about persons is off", reason=str(err))
        return NAMES
    if said is None:
        return frozenset()
    off = said.get("off")
    if not isinstance(off, list) or not NAMES.issuperset(map(str, off)):
        warn("privacy not understood: everything about persons is off", file=str(folder / FILE))
        return NAMES
    return frozenset(map(str, off))


class Switches:
    """The switches for a running agent: the file is read again when it was written."""

    def __init__(self, folder: Path) -> None:
        """Look at the file of this folder; nothing is read yet."""
        self._folder = folder
        self._written: tuple[int, int] | None = (-1, -1)
        self._off: frozenset[str] = frozenset()

    def tells(self, name: str) -> bool:
        """Tell whether an item may be told now."""
        try:
            status = (self._folder / FILE).stat()
            written: tuple[int, int] | None = (status.st_mtime_ns, status.st_size)
        except FileNotFoundError:
            written = None
        except OSError:
            written = (0, 0)  # there, and not to be looked at: nothing is told
        if written != self._written:
            self._off = read_off(self._folder)
            self._written = written
        return name not in self._off


def save_off(folder: Path, off: Iterable[str]) -> None:
    """Write which items are off. Raises StateError."""
    write_json(folder / FILE, {"off": sorted(off)})


def without(
    section: str, rows: tuple[Row, ...], off: Iterable[str]
) -> tuple[tuple[Row, ...], bool]:
    """Return the rows without what is off, and whether the whole section is."""
    for item in ITEMS:
        if item.name not in off:
            continue
        if section in item.sections:
            return (), True
        for place in item.fields:
            where, _, field = place.partition(".")
            if where == section:
                rows = _without_field(rows, field, is_whole=place in WHOLE_ROWS)
    return rows, False


def _without_field(rows: tuple[Row, ...], field: str, *, is_whole: bool) -> tuple[Row, ...]:
    """Return the rows with the field as if it were not known, or without those that know it."""
    if is_whole:
        return tuple(row for row in rows if getattr(row, field) is None)
    return tuple(
        replace(row, **{one.name: one.default for one in fields(row) if one.name == field})  # type: ignore[arg-type]
        for row in rows
    )
