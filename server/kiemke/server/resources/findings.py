"""Findings: what a person should look at."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page, language_of

LISTING = Listing(
    columns="f.id, f.kind, f.subject, f.detail, f.detail_vi, f.opened_at_ms, f.closed_at_ms,"
    " f.evidence_json",
    tables="finding f",
    where=(
        "f.opened_at_ms <= :known",
        "(:everything OR f.closed_at_ms IS NULL OR f.closed_at_ms > :known)",
        "(CAST(:kind AS VARCHAR(40)) IS NULL OR f.kind = :kind)",
    ),
    key="f.id",
    id="f.id",
    in_units="f.unit_id IN :[units]",
    search=("f.detail", "f.detail_vi", "f.subject", "f.kind"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject`` is "source:ID", "machine:A,B", ...; open while ``closed_at`` is null.

    ``evidence`` holds both sides and the figures, where there are such.
    """

    id: int
    kind: str
    subject: str
    detail: str
    opened_at: str | None
    closed_at: str | None
    evidence: dict[str, Any] | None


@get("/api/v1/findings", opt={"role": "auditor"}, tags=["findings"])
async def list_findings(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    kind: Annotated[str | None, QueryParameter(description="only of this kind")] = None,
    closed: Annotated[bool, QueryParameter(description="closed ones too")] = False,
) -> Page[Finding]:
    """List findings, newest first: those of which all that they name lies within reach."""
    vietnamese = language_of(request) == "vi"
    rows, total, cursor = await fetch_page(
        services_of(request), LISTING, asked, everything=closed, kind=kind
    )
    items = [
        Finding(
            row["id"],
            row["kind"],
            row["subject"],
            (row["detail_vi"] if vietnamese else None) or row["detail"],
            rfc3339(row["opened_at_ms"]),
            rfc3339(row["closed_at_ms"]),
            json.loads(row["evidence_json"]) if row["evidence_json"] else None,
        )
        for row in rows
    ]
    return Page(items, total, cursor)


HANDLERS = (list_findings,)
