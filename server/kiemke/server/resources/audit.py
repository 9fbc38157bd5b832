"""The audit log as a list, newest first."""

import json
from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.di import NamedDependency

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
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
    """Who did what to which subject; ``sha256`` is of the bytes as stored."""

    id: int
    at: str | None
    who: str
    act: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    paper: str | None
    sha256: str


@get("/api/v1/audit", opt={"role": "auditor"}, tags=["audit"])
async def list_entries(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Entry]:
    """List entries. They tell of all units: a user of one unit's subtree may not read them."""
    if request.user.unit_id is not None:
        raise Problem("forbidden", role=request.user.role, needed="auditor, all units")
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    items = []
    for row in rows:
        entry = json.loads(bytes(row["entry"]))
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
                row["sha256"],
            )
        )
    return Page(items, total, cursor)


HANDLERS = (list_entries,)
