"""The audit log as a list, newest first."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain import audit_units
from kiemke.server.domain.audit_names import readable, subjects_of
from kiemke.server.domain.calendar import day_start_ms
from kiemke.server.domain.person_keys import is_sealed, load_keys, open_value
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page

_CUT = 200  # characters of who, act and subject that are looked up

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
# Asked for by who, act or subject: read from the narrow rows that say so, so that a count opens no entry.
_SHA256 = "(SELECT e.sha256 FROM audit_entry e WHERE e.id = w.entry_id)"
SOUGHT = replace(
    LISTING,
    columns="w.entry_id AS id, w.at_ms, (SELECT e.entry FROM audit_entry e WHERE e.id = w.entry_id)"  # noqa: S608 - names of this file
    f" AS entry, {_SHA256} AS sha256",
    tables="audit_about w",
    where=("w.at_ms <= :known", "w.at_ms < :end"),
    key="w.entry_id",
    id="w.entry_id",
    in_units=_IN_UNITS.replace("a.id", "w.entry_id"),
)


def _of_units(listing: Listing, at_ms: str, digest: str) -> Listing:
    """Return a list in the order of time and hash: numbers would tell how much was written elsewhere."""
    key = f"(CAST({at_ms} AS VARCHAR(20)) || {digest})"
    return replace(listing, key=key, id="CAST(0 AS BIGINT)")


OF_UNITS = _of_units(LISTING, "a.at_ms", "a.sha256")
SOUGHT_OF_UNITS = _of_units(SOUGHT, "w.at_ms", _SHA256)


def _sought(
    dialect: str, who: str | None, act: str | None, subjects: list[str]
) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions on ``audit_about w`` and their parameters.

    An act ("source.approve") and a subject ("official:CB-01") are asked for whole or by what stands before
    their mark; of a thing with several names ``subjects`` has them all.
    """
    order = ' COLLATE "C"' if dialect == "postgres" else ""
    where: list[str] = []
    values: dict[str, Any] = {}
    if who is not None:
        where.append("w.who = :who")
        values["who"] = who[:_CUT]
    if len(subjects) > 1:
        where.append(f"w.subject{order} IN :[subjects.text]")
        values["subjects"] = [each[:_CUT] for each in subjects]
    begun = (("act", act, "."), ("subject", subjects[0] if len(subjects) == 1 else None, ":"))
    for name, text, mark in begun:
        if text is None:
            continue
        if mark in text:
            where.append(f"w.{name}{order} = :{name}")
            values[name] = text[:_CUT]
        else:  # the character after the mark ends all that begin so
            where.append(f"w.{name}{order} >= :{name} AND w.{name}{order} < :{name}_end")
            values[name], values[f"{name}_end"] = f"{text}{mark}", f"{text}{chr(ord(mark) + 1)}"
    return where, values


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which subject; ``sha256`` is of the bytes as stored.

    ``about`` is the subject as people name it: an asset by its code, not by its number.

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
    about: str


@get("/api/v1/audit", opt={"role": "auditor"}, tags=["audit"])
async def list_entries(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    who: Annotated[str | None, QueryParameter(description="name of the user")] = None,
    act: Annotated[
        str | None, QueryParameter(description="source.approve, or source: all of them")
    ] = None,
    subject: Annotated[
        str | None, QueryParameter(description="official:CB-01, or official: all of them")
    ] = None,
    since: Annotated[
        date | None, QueryParameter(description="YYYY-MM-DD: from this day on")
    ] = None,
) -> Page[Entry]:
    """List entries, newest first; a user of some units sees those that concern these alone.

    An entry that concerns others as well, or the whole installation, is for who sees all of that.
    """
    services = services_of(request)
    if asked.units is not None:
        await audit_units.catch_up(services.db)  # what was done a moment ago, too
    is_whole = request.user.roots is None
    listing, sought_in = (LISTING, SOUGHT) if is_whole else (OF_UNITS, SOUGHT_OF_UNITS)
    async with services.db.reading() as session:
        subjects = [] if subject is None else await subjects_of(session, subject)
    where, values = _sought(services.db.dialect, who, act, subjects)
    if where:
        listing = sought_in
    params: dict[str, Any] = dict(values)
    if since is not None:
        where.append(f"{'w' if where else 'a'}.at_ms >= :begin")
        params["begin"] = day_start_ms(since, services.offset_seconds)
    end = day_start_ms(asked.moment.day + timedelta(days=1), services.offset_seconds)
    listing = replace(listing, where=(*listing.where, *where))
    rows, total, cursor = await fetch_page(services, listing, asked, end=end, **params)
    entries = [json.loads(bytes(row["entry"])) for row in rows]
    moment, about = asked.moment, {entry["subject"] for entry in entries}
    async with services.db.reading() as session:
        keys = await load_keys(session, _persons(entries))
        names = await readable(session, about, asked.units, moment.day, moment.known_ms)
    items = [
        _make(row, _opened(sealed, keys), names, is_whole=is_whole)
        for row, sealed in zip(rows, entries, strict=True)
    ]
    return Page(items, total, cursor)


def _make(
    row: Row, entry: dict[str, Any], names: dict[str, tuple[str, str]], *, is_whole: bool
) -> Entry:
    return Entry(
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
        _about(entry["subject"], names),
    )


def _about(subject: str, names: dict[str, tuple[str, str]]) -> str:
    kind, _, _ = subject.partition(":")
    return f"{kind}:{names[subject][0]}" if subject in names else subject


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
