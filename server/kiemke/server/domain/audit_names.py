"""What entries of the audit log and approvals are about, as people name it: the code beside the number of an asset or person.

Entries name an asset by its number, which never changes, and a person by code or, in imports, by number.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.tables import dated

_BY_CODE = {
    "asset": "SELECT id, code FROM asset WHERE code = :ref OR tag = :ref OR id = :id",
    "official": "SELECT id, code FROM official WHERE code = :ref OR id = :id",
}
_CODES = {
    "asset": dated(
        "SELECT a.id, a.code, a.name FROM asset a WHERE a.id IN :[ids] AND (CAST(:whole AS INTEGER) = 1 OR EXISTS ("
        "SELECT 1 FROM custody c WHERE c.asset_id = a.id AND c.unit_id IN :[units] AND {active c}))"
    ),
    "official": dated(
        "SELECT o.id, o.code, o.name FROM official o WHERE o.id IN :[ids] AND (CAST(:whole AS INTEGER) = 1"
        " OR EXISTS (SELECT 1 FROM membership m WHERE m.official_id = o.id AND m.unit_id IN :[units]"
        " AND {active m}))"
    ),
}
_LARGEST = 2**62


async def subjects_of(session: Session, subject: str) -> list[str]:
    """Return all subjects by which entries name what "asset:PC-0042" or "official:CB-01" means."""
    kind, _, ref = subject.partition(":")
    if kind not in _BY_CODE or not ref:
        return [subject]
    rows = await session.fetch(_BY_CODE[kind], ref=ref, id=_number(ref) or 0)
    names = (name for row in rows for name in (f"{kind}:{row['id']}", f"{kind}:{row['code']}"))
    return list(dict.fromkeys((subject, *names)))


async def readable(
    session: Session, subjects: Iterable[str], units: Sequence[int] | None, day: date, known_ms: int
) -> dict[str, tuple[str, str]]:
    """Return "asset:872" -> code and name of what stands in these units on the day; None is all."""
    told: dict[str, tuple[str, str]] = {}
    asked = {tuple(subject.split(":", 1)) for subject in subjects if ":" in subject}
    for kind, statement in _CODES.items():
        ids = sorted({n for k, ref in asked if k == kind and (n := _number(ref)) is not None})
        if not ids:
            continue
        rows = await session.fetch(
            statement,
            ids=ids,
            whole=int(units is None),
            units=list(units or ()),
            day=day,
            known=known_ms,
        )
        told |= {f"{kind}:{row['id']}": (row["code"], row["name"]) for row in rows}
    return told


def _number(ref: str) -> int | None:
    number = int(ref) if ref.isascii() and ref.isdecimal() and len(ref) < 20 else 0
    return number if 0 < number < _LARGEST else None
