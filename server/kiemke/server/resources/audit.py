"""The audit log as a list, newest first."""

import json
from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.di import NamedDependency

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain.person_keys import is_sealed, load_keys, open_value
from kiemke.server.errors import Problem
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page

LISTING = Listing(
    columns="a.id, a.at_ms, a.entry, a.sha256",
    tables="audit_entry a",
    where=("a.at_ms <= :known",),
    key="a.id",
    id="a.id",
    descending=True,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which subject; ``sha256`` is of the bytes as stored.

    ``origin`` is {address, agent}; ``rows`` are the ledgers' rows it wrote, as [{table, changes, count}].
    A person's values are readable while the person's key exists, else null.
    """

    id: int
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
    """List entries. They tell of all units: a user of one unit's subtree may not read them."""
    if request.user.unit_id is not None:
        raise Problem("forbidden", role=request.user.role, needed="auditor, all units")
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    items = []
    entries = [json.loads(bytes(row["entry"])) for row in rows]
    async with services_of(request).db.reading() as session:
        keys = await load_keys(session, _persons(entries))
    for row, sealed in zip(rows, entries, strict=True):
        entry = _opened(sealed, keys)
        items.append(
            Entry(
                row["id"],
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
