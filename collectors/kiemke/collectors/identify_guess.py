"""What a device of a maker nobody described still tells: facts known by their shape.

Makers put model, version and serial side by side near the beginning of their own tree, as plain scalars
or in the only row of a table.
The first objects of that tree (``Facts.beginning``, a few packets) are told apart by what such texts look
like. A fact found so is named in ``Identity.guessed``: likely, not known.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kiemke.collectors.snmp.reader import Oid

DATE = re.compile(
    r"\d{1,4}([/-])\d{1,2}\1\d{1,4}|\d\d?\.\d\d?\.(?:19|20)\d\d|\d\d?:\d\d"
    r"|^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b|\b(?:GMT|UTC)\b"
)
ADDRESS = re.compile(
    r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|\S@\S|https?:|www\."
    r"|\b(?:0|10|127|169|172|192|224|239|255)(?:\.\d{1,3}){3}\b"
)
VERSION = re.compile(
    r"(?i)(?:(?:version|ver|firmware|fw|sw|release|rev)\.?[ :]*)?"
    r"[vr]?\d{1,4}(?:[._]\d{1,6}){1,5}[\w.-]{0,20}(?:[ ,(]{1,2}(?:build|b|r)?[ :]{0,2}[\w.]{1,20}\)?){0,3}"
)
SHORT_VERSION = re.compile(r"[vV](?:ersion )?\d+\.\d+[a-z]?")
# The version of a firmware that is named: RUT9_R_00.07.06, Release 22.9.12286.
PREFIXED_VERSION = re.compile(r"[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*[_ ]\d+(?:\.\d+){2,}(?:_\w+)?")
MEASURE = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*[a-zA-Z%°]{0,4}")
SERIAL = re.compile(r"[A-Z0-9](?:[A-Z0-9]|[-/](?=[A-Z0-9])){5,23}")
GROUPED_SERIAL = re.compile(r"[A-Z0-9]{4}(?:-[A-Z0-9]{4}){2,4}")
# Seven signs of which letters and digits take turns; a row of letters before digits is a model.
TAG = re.compile(r"(?=(?:.*\d){2})(?=(?:.*[A-Z]){2})(?![A-Z]+\d+[A-Z]?$)[A-Z0-9]{7}")
TOLD_SERIAL = re.compile(r"(?i)\b(?:s/?n|serial)\b")
CERTAIN = 6  # of _serial_likeness: five digits in a row and eight characters
FILLER = re.compile(r"0+|F+|1234567\w*|X+|9+")
MAC_LIKE = re.compile(r"[0-9A-F]{12}")
MODEL = re.compile(r"(?=.*\d)[A-Za-z][A-Za-z0-9]*(?:[ +/_().-]{1,2}[A-Za-z0-9+]+){0,6}[)+]?")
NAME = re.compile(r"(?=.*[A-Z].*[A-Z])[A-Z][A-Za-z]*(?:[ -][A-Z][A-Za-z]*){1,4}")
HARDWARE_REVISION = re.compile(r"(?i)(?:[a-z]{1,2}|rev|ver)\.?\d{1,2}[a-z]?")
# A product's name and its version in one text.
NAMED_VERSION = re.compile(
    r"(?i)^[a-z][\w /-]*?\b(?:version|firmware|fw|v)[ :.]{0,2}(v?\d+\.\d+(?:[._]\w+){0,4}\w*)"
)
NOT_MODEL = re.compile(
    r"(?i)\b(?:port|fan|sensor|temp\w*|eth\w*|ge|vlan|slot|psu|power supply|cpu|disk|hdd|module|input|output"
    r"|channel|phase|outlets?|line|relay|bank|interface|node|user|admin|public|private|version|v\d\S*|rev"
    r"|ch\d|rx|tx|gpio|w?lan|site|room|rack|group|alarm)\b"
)
# A long number, a name made of numbers, a build, an architecture, a CLEI code (ten letters and digits).
NOT_SOLD_SO = re.compile(
    r"_|\d{6}|[0-9a-f]{12}|\d\.\d+\.\d|^(?:x86|arm|mips|ppc)|^(?=.*\d)[A-Z][A-Z0-9]{3}[A-Z0-9]{2}[A-Z0-9]{2}[A-Z]{2}$"
)


class _Row(NamedTuple):
    oid: Oid
    text: str


def guess(rows: Iterable[tuple[Oid, str]], descr: str, others: Iterable[str]) -> dict[str, str]:
    """Return the facts told by the first objects of a maker's tree: "model", "version", "serial".

    ``rows`` are the texts by object identifier in order, ``others`` texts known to be something else
    (name, location, contact). One fact alone may be anything; what has another beside it counts, a serial without doubt,
    or a model that sysDescr names too.
    """
    known = {text.strip().casefold() for text in others}
    rows = list(rows)
    seen = Counter(oid[:-1] for oid, _ in rows)
    scalars = [
        _Row(oid, text.strip())
        for oid, text in rows
        if (oid[-1] == 0 or (oid[-1] == 1 and seen[oid[:-1]] == 1)) and _may_be(text, known)
    ]
    version = next((row for row in scalars if _is_version(row.text)), None) or next(
        (
            row._replace(text=match[1])
            for row in scalars
            if (match := NAMED_VERSION.match(row.text))
        ),
        None,
    )
    serial = max(scalars, key=lambda row: _serial_likeness(row.text, descr), default=None)
    if serial is not None and _serial_likeness(serial.text, descr) == 0:
        serial = None
    model = next((row for row in scalars if row != serial and _is_model(row.text)), None) or next(
        (row for row in scalars if _is_name_beside(row, serial)), None
    )
    found = {}
    if version is not None and (_beside(version, serial) or _beside(version, model)):
        found["version"] = version.text
    if serial is not None and (
        _beside(serial, version) or _beside(serial, model) or _is_alone(serial, scalars, descr)
    ):
        # Twelve hexadecimal digits are a MAC address as often as a serial: a neighbour, not a fact.
        if MAC_LIKE.fullmatch(serial.text) is None:
            found["serial"] = serial.text
    if model is not None:
        if _beside(model, version) or _beside(model, serial) or model.text in descr:
            found["model"] = model.text
        if _names_another(descr, model.text):
            found.pop("model", None)
    return found


def _names_another(descr: str, model: str) -> bool:
    """Say whether sysDescr names a model of its own before this one: that in the maker's tree is a part's."""
    head, *others = re.split(r"[\s,;]+", descr.partition(model)[0])[:4]
    if model in descr:
        return any(len(word) >= 5 and "-" in word and _is_model(word) for word in (head, *others))
    return head.casefold() not in model.casefold() and _is_model(head)


def _may_be(text: str, known: Sequence[str] | set[str]) -> bool:
    text = text.strip()
    return (
        2 <= len(text) <= 60
        and text.isprintable()
        and text.casefold() not in known
        and DATE.search(text) is None
        and ADDRESS.search(text) is None
    )


def _is_name_beside(row: _Row, serial: _Row | None) -> bool:
    """Say whether a text without a number is a product's name: the scalar right before the serial."""
    return (
        serial is not None
        and row.oid[:-2] == serial.oid[:-2]
        and row.oid[-2] == serial.oid[-2] - 1
        and NAME.fullmatch(row.text) is not None
        and NOT_MODEL.search(row.text) is None
    )


def _is_alone(serial: _Row, scalars: Sequence[_Row], descr: str) -> bool:
    """Say whether one text of the maker's tree looks like a serial very much, and no other at all."""
    alike = {row.text for row in scalars if _serial_likeness(row.text, descr) > 0}
    if TOLD_SERIAL.search(descr):
        return False
    return len(alike) == 1 and _serial_likeness(serial.text, descr) >= CERTAIN


def _beside(one: _Row, other: _Row | None) -> bool:
    """Say whether two scalars stand in one group, or in two groups of one parent."""
    return other is not None and one.oid[:-3] == other.oid[: len(one.oid) - 3]


def _is_version(text: str) -> bool:
    if SHORT_VERSION.fullmatch(text) or PREFIXED_VERSION.fullmatch(text):
        return True
    return VERSION.fullmatch(text) is not None and MEASURE.fullmatch(text) is None


def _serial_likeness(text: str, descr: str) -> int:
    """Return how much a text looks like a serial number, 0 when not at all."""
    if SERIAL.fullmatch(text) is None or FILLER.fullmatch(text) or text in descr:
        return 0
    digits = sum(letter.isdigit() for letter in text)
    run = max((len(part) for part in re.findall(r"\d+", text)), default=0)
    if GROUPED_SERIAL.fullmatch(text) and digits >= 5:
        return 2
    if TAG.fullmatch(text):
        return 1
    if run < 5 and (digits < 5 or "-" in text or len(text) < 8):
        return 0
    if MAC_LIKE.fullmatch(text):
        return 1
    return min(run, 8) + (len(text) >= 8)


def _is_model(text: str) -> bool:
    return (
        3 <= len(text) <= 40
        and MODEL.fullmatch(text) is not None
        and not _is_version(text)
        and HARDWARE_REVISION.fullmatch(text) is None
        and NOT_MODEL.search(text) is None
        and NOT_SOLD_SO.search(text) is None
        and (re.fullmatch(r"[A-Z0-9]+", text) is None or sum(c.isdigit() for c in text) < 6)
    )
