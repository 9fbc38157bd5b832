"""The audit log as a list, newest first."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from litestar import get
from litestar.di import NamedDependency

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain import audit_units
from kiemke.server.domain.calendar import day_start_ms
from kiemke.server.domain.person_keys import is_sealed, load_keys, open_value
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page

# An entry is seen by who sees every unit it concerns; one of no unit by who sees everything.
_IN_UNITS = (
    "a.id IN (SELECT m.entry_id FROM audit_unit m WHERE m.unit_id IN :[units])"
    " AND NOT EXISTS (SELECT 1 FROM audit_unit o WHERE o.entry_id = a.id"
    " AND (o.unit_id IS NULL OR o.unit_id NOT IN :[units]))"
)
LISTING = Listing(
    columns="a.id, a.at_ms, a.entry, a.sha256",
    tables="audit_entry a",
    where=("a.at_ms <= :known", "a.at_ms < :end"),
    key="a.id",
    id="a.id",
    in_units=_IN_UNITS,
    descending=True,
)
# By time and hash: numbers would tell how much was written elsewhere.
OF_UNITS = replace(
    LISTING, key="(CAST(a.at_ms AS VARCHAR(20)) || a.sha256)", id="CAST(0 AS BIGINT)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which subject; ``sha256`` is of the bytes as stored.

    ``id`` is its number in the whole log, null for who may not see all of it.
    ``origin`` is {address, agent}; ``rows`` are the ledgers' rows it wrote, as [{table, changes, count}].
    A person's values are readable while the person's key exists, else null.
    """

    id: int | None
    at: str | None
    who: str
    act: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    paper: str | None
    origin: dict[str, Any] | None
    rows: list[dict[str, Any]]
    sha256: str


@get("/api/v1/audit", opt={"role": "auditor"}, tags=["audit"])
async def list_entries(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Entry]:
    """List entries, newest first; a user of some units sees those that concern these alone.

    An entry that concerns others as well, or the whole installation, is for who sees all of that.
    """
    services = services_of(request)
    if asked.units is not None:
        await audit_units.catch_up(services.db)  # what was done a moment ago, too
    is_whole = request.user.roots is None
    end = day_start_ms(asked.moment.day + timedelta(days=1), services.offset_seconds)
    rows, total, cursor = await fetch_page(
        services, LISTING if is_whole else OF_UNITS, asked, end=end
    )
    items = []
    entries = [json.loads(bytes(row["entry"])) for row in rows]
    async with services.db.reading() as session:
        keys = await load_keys(session, _persons(entries))
    for row, sealed in zip(rows, entries, strict=True):
        entry = _opened(sealed, keys)
        items.append(
            Entry(
                row["id"] if is_whole else None,
                rfc3339(row["at_ms"]),
                entry["who"],
                entry["act"],
                entry["subject"],
                entry["before"],
                entry["after"],
                entry["paper"],
                entry.get("from"),
                [
                    {"table": p["table"], "changes": p["changes"], "count": len(p["digests"])}
                    for p in entry.get("rows") or ()
                ],
                row["sha256"],
            )
        )
    return Page(items, total, cursor)


def _persons(value: Any) -> list[int]:
    """Return the officials whose sealed values stand anywhere within."""
    if is_sealed(value):
        return [int(value["person"])]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [person for part in inner for person in _persons(part)]


def _opened(value: Any, keys: dict[int, bytes | None], place: str = "") -> Any:
    """Return a value with what is sealed in it opened; what nobody can open is None."""
    if is_sealed(value):
        return open_value(keys, place, value)
    if isinstance(value, dict):
        return {name: _opened(part, keys, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_opened(part, keys, place) for part in value]
    return value


HANDLERS = (list_entries,)
