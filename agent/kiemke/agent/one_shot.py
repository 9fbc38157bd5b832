"""The file of a PC that cannot run the agent: raw firmware tables, EDIDs, disks and MACs, as text lines.

A line is ``name|field|field...``; binary fields are hexadecimal. The scripts of the USB kit write it, and
``kiemke-agent inventory --one-shot``. What cmd alone can gather stands in it as ``reg query`` printed it
(a key's line, then its values) and as ``wmic`` did (``wmic-disk|`` before each line of its table, whose
columns stand where its heading says). The last line is ``end``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from kiemke.agent.decode import smbios
from kiemke.agent.decode.errors import DecodeError
from kiemke.agent.decode.storage import printed_serial
from kiemke.agent.sensors.monitors import read_edid
from kiemke.agent.sensors.smbios import sections_of
from kiemke.agent.words import Both, speak
from kiemke.wire.claim import ClaimedHolder
from kiemke.wire.clean import clean_text
from kiemke.wire.inventory import Adapter, Disk, OperatingSystem, Row

FIRST = "kiemke-one-shot"
VERSION = "1"
MOST_BYTES = 8 << 20
MOST_OF_A_KIND = 64
DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
# What reg.exe prints of a value, in every language of Windows.
BINARY = re.compile(r"^\s+(SMBiosData|EDID)\s+REG_BINARY\s+([0-9A-Fa-f]+)\s*$")
WIRELESS = re.compile(r"wi-?fi|wireless|wlan|802\.11", re.IGNORECASE)
BUSES = {
    "ide": "sata",
    "scsi": "scsi",
    "usb": "usb",
    "nvme": "nvme",
    "sata": "sata",
    "1394": "firewire",
}

TOO_LARGE = Both(
    "lớn hơn {size} MB: tệp của một máy không lớn như vậy", "over {size} MB: no such file of a PC"
)
NO_HEADING = Both("dòng đầu không phải {heading}", "the first line is not {heading}")
CUT_SHORT = Both(
    "bị cắt ngang: dòng cuối không phải 'end'", "cut short: the last line is not 'end'"
)
NO_DAY = Both(
    "không có dòng taken|YYYY-MM-DD: không biết là của ngày nào",
    "no line taken|YYYY-MM-DD: nobody knows of which day it tells",
)
NO_PC = Both(
    "không có firmware, ổ đĩa hay card mạng nào: không biết là máy nào",
    "neither firmware nor disks nor network adapters: nothing tells which PC it is",
)


class NoSuchFile(DecodeError):
    """The text is no such file, or tells of no PC; said in the language of the terminal."""

    def __init__(self, why: Both, **fields: object) -> None:
        super().__init__(speak(why, **fields))


@dataclass(frozen=True, slots=True)
class OneShot:
    """One PC as it was seen on one day: its name and the rows by section."""

    taken_on: date
    hostname: str | None
    sections: dict[str, tuple[Row, ...]]


@dataclass(slots=True)
class _Lines:
    """What was gathered from the lines."""

    fields: dict[str, list[list[str]]] = field(default_factory=dict)
    wmic: dict[str, list[str]] = field(default_factory=dict)
    smbios: str | None = None
    edids: dict[str, str] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)

    def first(self, name: str) -> list[str]:
        """Return the fields of the first line of this name, padded; empty texts where there is none."""
        return [*(self.fields.get(name) or [[]])[0], "", "", "", ""]

    def table(self, name: str) -> list[dict[str, str]]:
        """Return the records of a table of wmic's: a blank line and a repeated heading are none."""
        heading, *lines = self.wmic.get(name) or [""]
        columns = [(one[0], one.start()) for one in re.finditer(r"\S+", heading)]
        ends = [start for _, start in columns[1:]] + [len(heading) + 4096]
        return [
            {n: line[at:end].strip() for (n, at), end in zip(columns, ends, strict=True)}
            for line in lines
            if line.strip() and line.strip() != heading.strip()
        ]


def decode(data: bytes) -> OneShot:
    """Return what a file says. Raises NoSuchFile for what is none, is cut short or names no PC."""
    if len(data) > MOST_BYTES:
        raise NoSuchFile(TOO_LARGE, size=MOST_BYTES >> 20)
    lines = _text(data).splitlines()
    if not lines or lines[0].strip().split("|")[:2] != [FIRST, VERSION]:
        raise NoSuchFile(NO_HEADING, heading=f"{FIRST}|{VERSION}")
    while lines and not lines[-1].strip():
        lines.pop()
    if lines[-1].strip() != "end":
        raise NoSuchFile(CUT_SHORT)
    found = _gather(lines[1:-1])
    taken = DAY.match(found.first("taken")[0])
    try:
        taken_on = date(*map(int, taken.groups())) if taken else None
    except ValueError:
        taken_on = None
    if taken_on is None:
        raise NoSuchFile(NO_DAY)
    sections = _sections(found)
    if not {"system", "board", "disks", "adapters"} & sections.keys():
        raise NoSuchFile(NO_PC)
    return OneShot(taken_on, _word(found.first("host")[0]), sections)


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def _gather(lines: Iterable[str]) -> _Lines:
    found = _Lines()
    key = ""
    for line in lines:
        if line.startswith("HKEY_"):
            key = line.strip()
            if key.upper().endswith("\\CONTROL"):
                found.present.add(key.rpartition("\\")[0].upper())
        elif value := BINARY.match(line):
            if value[1] == "EDID":
                found.edids[key.upper().partition("\\DEVICE PARAMETERS")[0]] = value[2]
            else:
                found.smbios = value[2]
        elif line.startswith("wmic-"):
            kind, _, said = line.partition("|")
            found.wmic.setdefault(kind, []).append(said)
        elif "|" in line:
            name, *rest = line.strip().split("|")
            found.fields.setdefault(name, []).append(rest)
    return found


def _sections(found: _Lines) -> dict[str, tuple[Row, ...]]:
    """Return the rows by section; what no line told is left out."""
    sections: dict[str, tuple[Row, ...]] = {}
    table = _bytes(found.smbios or found.first("smbios")[0])
    if table:
        try:
            sections = dict(sections_of(smbios.decode_windows(table)))
        except DecodeError:
            sections = {}  # disks and MACs may tell all the same
    edids = [
        raw for one in found.fields.get("edid", [])[:MOST_OF_A_KIND] if (raw := _bytes(one[0]))
    ]
    shown = found.present & found.edids.keys() or found.edids.keys()
    edids += [raw for key in sorted(shown) if (raw := _bytes(found.edids[key]))]
    if edids:
        sections["monitors"] = tuple(read_edid(raw) for raw in edids[:MOST_OF_A_KIND])
    disks = [_disk(*_five(one)) for one in found.fields.get("disk", ())]
    disks += [
        _disk(w.get("Model", ""), w.get("SerialNumber", ""), w.get("Size", ""), w.get("InterfaceType", ""), w.get("MediaType", ""))
        for w in found.table("wmic-disk")
    ]  # fmt: skip
    if disks:
        named = enumerate(disks[:MOST_OF_A_KIND])
        sections["disks"] = tuple(Disk(f"disk{n}", *rest) for n, rest in named)
    adapters = [_adapter(*_five(one)[:3]) for one in found.fields.get("adapter", ())]
    adapters += [
        _adapter(w.get("MACAddress", ""), w.get("Name", ""), w.get("PNPDeviceID", ""))
        for w in found.table("wmic-nic")
    ]
    known = tuple(one for one in adapters[:MOST_OF_A_KIND] if one is not None)
    if known:
        sections["adapters"] = known
    name, version, architecture = (_word(text) for text in found.first("os")[:3])
    if name or version:
        family = "linux" if name and "windows" not in name.casefold() else "windows"
        host = _word(found.first("host")[0])
        sections["os"] = (
            OperatingSystem(family, name, version, architecture=architecture, hostname=host),
        )
    holder, tag = _word(found.first("holder")[0]), _word(found.first("tag")[0])
    if holder or tag:
        sections["claimed_holder"] = (
            ClaimedHolder(holder, None, tag, found.first("taken")[0][:10] or None),
        )
    return sections


def _five(fields: list[str]) -> list[str]:
    return [*fields, "", "", "", "", ""][:5]


DiskFields = tuple[str | None, str | None, None, int | None, str | None, None, bool | None]


def _disk(model: str, serial: str, size: str, bus: str, media: str) -> DiskFields:
    """Return the fields of a Disk after its name."""
    size_bytes = int(size) if size.isascii() and size.isdecimal() and len(size) < 19 else None
    known = BUSES.get(bus.strip().casefold())
    removable = None if not media else "removable" in media.casefold()
    return (
        _word(model), printed_serial(_word(serial)), None, size_bytes or None, known, None, removable,
    )  # fmt: skip


def _adapter(mac: str, name: str, device: str) -> Adapter | None:
    """Return an adapter that is a device of its own, None for those of programs."""
    digits = re.sub(r"[^0-9a-f]", "", mac.lower())
    bus = device.strip().upper().partition("\\")[0]
    if len(digits) != 12 or bus not in ("PCI", "USB", "PCMCIA", "SD"):
        return None
    spelled = ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    kind = "wireless" if WIRELESS.search(name) else "usb" if bus == "USB" else "ethernet"
    return Adapter(_word(name) or spelled, spelled, spelled, kind, description=_word(name))


def _bytes(text: str) -> bytes:
    """Return the bytes of hexadecimal text, empty for what is none."""
    try:
        return bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return b""


def _word(text: str | None) -> str | None:
    return clean_text(text, 200) or None if text else None
