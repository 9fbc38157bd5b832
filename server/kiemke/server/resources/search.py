"""Search over everything: names without diacritics, and any number on a sticker."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest, Principal, narrow, rank
from kiemke.server.context import Services, services_of
from kiemke.server.db import Row, as_date
from kiemke.server.domain import search_index
from kiemke.server.domain.scope import units_below
from kiemke.server.domain.search_find import Finder
from kiemke.server.domain.search_values import load
from kiemke.server.domain.search_words import Asked, Value, ask, is_found
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both, Problem
from kiemke.server.resources import assets, devices, links, machines, officials, places, sources
from kiemke.server.resources import units as unit_list
from kiemke.server.resources.listing import Listing
from kiemke.server.resources.tree import Moment, UnitRef, visible_units

LARGEST_LIMIT = 200
_DUE_AT_ONCE, _DUE_SECONDS = 500, 2.0
_LONGEST_QUESTION = 200


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of thing: the list that decides what is seen of it, and the role that list asks for."""

    listing: Listing
    role: str
    command: str  # what shows one of them
    words: str  # which words find it
    name: str = "name"
    unit: str | None = None
    params: tuple[tuple[str, Any], ...] = ()


# In the order they are told. A machine is found by the words of its sources.
KINDS = {
    "unit": _Kind(unit_list.LISTING, "viewer", "unit show", "unit", unit="v.unit_id"),
    "official": _Kind(officials.LISTING, "auditor", "official show", "official", unit="m.unit_id"),
    "asset": _Kind(
        assets.LISTING,
        "auditor",
        "asset show",
        "asset",
        unit="(SELECT MIN(c.unit_id) FROM custody c WHERE c.asset_id = a.id AND {active c})",
    ),
    "machine": _Kind(machines.LISTING, "auditor", "machine show", "source", name="hostname"),
    "device": _Kind(devices.LISTING, "auditor", "device show", "device", unit="d.unit_id"),
    "link": _Kind(links.LISTING, "viewer", "link show", "link", unit="v.unit_id"),
    "source": _Kind(
        sources.LISTING,
        "it",
        "source show",
        "source",
        name="hostname",
        unit="s.unit_id",
        params=(("state", None),),
    ),
    "place": _Kind(places.LISTING, "viewer", "place show", "place", unit="p.unit_id"),
}


# Units by their last version as known then, where that is over and none follows it.
_ENDED = """
SELECT v.unit_id AS id, v.code, v.name, v.valid_to FROM unit_version v
WHERE v.unit_id IN :[ids] AND v.valid_to <= :day AND v.recorded_at_ms <= :known
  AND (v.voided_at_ms IS NULL OR v.voided_at_ms > :known)
  AND NOT EXISTS (SELECT 1 FROM unit_version l WHERE l.unit_id = v.unit_id
    AND l.recorded_at_ms <= :known AND (l.voided_at_ms IS NULL OR l.voided_at_ms > :known)
    AND (l.valid_to IS NULL OR l.valid_to > v.valid_to))
ORDER BY v.sort_key, v.unit_id
"""


@dataclass(frozen=True, slots=True)
class Matched:
    """A field that was found: ``until`` is the day from which on it was so no more, null: it is so."""

    what: str
    value: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A thing that was found, why, and the command that shows it."""

    kind: str
    ref: str
    name: str | None
    unit: UnitRef | None
    matched: list[Matched]
    next: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many things of a kind were found; ``more``: at least so many, others were not looked at."""

    kind: str
    found: int
    more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, by kind; ``behind``: changes of the last moments are not in it yet."""

    items: list[Hit]
    counts: list[Count]
    behind: bool


@get("/api/v1/search", opt={"role": "viewer"}, tags=["search"])
async def search(
    request: AppRequest,
    moment: NamedDependency[Moment],
    q: Annotated[str, QueryParameter(description="part of a name, or of a number on a sticker")],
    kind: Annotated[str | None, QueryParameter(description=" | ".join(KINDS))] = None,
    unit: Annotated[str | None, QueryParameter(description="code of a unit: its subtree")] = None,
    limit: Annotated[
        int, QueryParameter(ge=1, le=LARGEST_LIMIT, description="things of each kind")
    ] = 10,
) -> Found:
    """Find things by name or number, as the lists would show them, the closest of each kind first."""
    services = services_of(request)
    if kind is not None and kind not in KINDS:
        raise Problem("bad_field", field="kind", value=kind[:40], wanted=" | ".join(KINDS))
    asked = ask(q) if len(q) <= _LONGEST_QUESTION else None
    if asked is None:
        wanted = Both(
            f"chữ hoặc số, tối đa {_LONGEST_QUESTION} ký tự",
            f"letters or digits, at most {_LONGEST_QUESTION} characters",
        )
        raise Problem("bad_field", field="q", value=q[:40], wanted=wanted)
    behind = await _catch_up(services)
    chosen = {name: known for name, known in KINDS.items() if kind in (None, name)}
    scopes = await _load_scopes(services, request.user, moment, unit, chosen)
    answer = _Answer(services, narrow(request.user, "viewer"), moment, asked, limit)
    await answer.find(scopes, ended="unit" in scopes and unit is None)
    return Found(answer.items, answer.counts, behind)


async def _catch_up(services: Services) -> bool:
    """Bring the words in step; return whether there is more to do than a question can wait for."""
    try:
        async with asyncio.timeout(_DUE_SECONDS):
            return await search_index.catch_up(services.db, _DUE_AT_ONCE) == _DUE_AT_ONCE
    except TimeoutError:  # a long import holds the database; its rows are not committed yet either
        return True


async def _load_scopes(
    services: Services,
    principal: Principal,
    moment: Moment,
    unit: str | None,
    kinds: dict[str, _Kind],
) -> dict[str, list[int] | None]:
    """Return the units each kind may be seen of (None is all); a kind the user may not list is out."""
    by_roots: dict[tuple[int, ...] | None, list[int] | None] = {}
    scopes: dict[str, list[int] | None] = {}
    for name, kind in kinds.items():
        if not any(rank(grant.role) >= rank(kind.role) for grant in principal.grants):
            continue
        narrowed = narrow(principal, kind.role)
        if narrowed.roots not in by_roots:
            try:
                seen = await visible_units(services, narrowed, moment, unit)
            except Problem:
                if kind.role == "viewer":  # the unit asked for is out of sight altogether
                    raise
                seen = []
            by_roots[narrowed.roots] = seen
        scopes[name] = by_roots[narrowed.roots]
    return scopes


class _Answer:
    """The way from candidates to hits: what the lists show of them, the closest told with reasons."""

    def __init__(
        self, services: Services, principal: Principal, moment: Moment, asked: Asked, limit: int
    ) -> None:
        self._services = services
        self._principal = principal
        self._moment = moment
        self._asked = asked
        self._limit = limit
        self.items: list[Hit] = []
        self.counts: list[Count] = []

    async def find(self, scopes: dict[str, list[int] | None], *, ended: bool) -> None:
        """Fill ``items`` and ``counts``; with ``ended`` also with units that are no more."""
        async with self._services.db.reading() as session:
            by_words: dict[str, list[int] | None] = {}
            for name, units in scopes.items():
                # Machines before sources: who may list these sees no more of them than of those.
                by_words.setdefault(KINDS[name].words, units)
            roots = self._principal.roots
            if ended and roots is not None:
                mine = await units_below(session, roots, self._services.today())
                by_words["unit"] = sorted(mine)
            finder = Finder(session, self._asked, by_words)
            found = await finder.find()
        told: set[int] = set()  # sources that a machine already stands for
        for name, units in scopes.items():
            kind = KINDS[name]
            fits = found[kind.words]
            if name == "source":
                fits = {i: fit for i, fit in fits.items() if i not in told}
            behind = {subject: [subject] for subject in fits}
            if name == "machine":
                behind = await self._load_machines(list(fits))
            rows = await self._visible(kind, list(behind), units)
            rows.sort(key=lambda row: (min(fits[i] for i in behind[row["id"]]), row["page_key"]))
            if name == "machine":
                told.update(i for row in rows for i in behind[row["id"]])
            await self._tell(name, rows, behind)
            number = len(rows)
            if name == "unit" and ended:
                number += await self._tell_ended(set(fits) - {row["id"] for row in rows}, number)
            if number:
                self.counts.append(Count(name, number, kind.words in finder.cut))

    async def _tell_ended(self, ids: set[int], before: int) -> int:
        """Add units that ended before the day, of whom was theirs to see on their last; count them."""
        rows = await self._services.db.read(
            _ENDED, ids=sorted(ids), day=self._moment.day, known=self._moment.known_ms
        )
        seen: list[tuple[Row, Moment]] = []
        scopes: dict[date, set[int] | None] = {}
        for row in rows:
            last = Moment(as_date(row["valid_to"]) - timedelta(days=1), self._moment.known_ms)
            if last.day not in scopes:
                units = await visible_units(self._services, self._principal, last, None)
                scopes[last.day] = None if units is None else set(units)
            allowed = scopes[last.day]
            if allowed is None or row["id"] in allowed:
                seen.append((row, last))
        shown = seen[: max(0, self._limit - before)]
        async with self._services.db.reading() as session:
            said = await load(session, "unit", [row["id"] for row, _ in shown])
        for row, last in shown:
            matched = [v for v in said[row["id"]].values if is_found(self._asked, v)]
            if matched:
                told = _tell_values(matched, self._moment.day)
                command = f"kiemke unit show {row['code']} --as-of {last.day.isoformat()}"
                self.items.append(Hit("unit", row["code"], row["name"], None, told, command))
        return len(seen)

    async def _load_machines(self, source_ids: list[int]) -> dict[int, list[int]]:
        """Return machines with those of the sources that are theirs."""
        found: dict[int, list[int]] = {}
        for row in await self._services.db.read(
            dated(
                "SELECT x.machine_id, x.source_id FROM machine_source x"
                " WHERE x.source_id IN :[ids] AND {active x} ORDER BY x.machine_id, x.source_id"
            ),
            ids=source_ids,
            day=self._moment.day,
            known=self._moment.known_ms,
        ):
            found.setdefault(row["machine_id"], []).append(row["source_id"])
        return found

    async def _visible(self, kind: _Kind, ids: list[int], units: Sequence[int] | None) -> list[Row]:
        """Return id and order of those that the list of their kind shows."""
        if not ids:
            return []
        listing = kind.listing
        where = ["1 = 1", *listing.where, f"{listing.id} IN :[ids]"]
        values: dict[str, Any] = {"ids": ids, **dict(kind.params)}
        values.update(day=self._moment.day, known=self._moment.known_ms)
        if units is not None and listing.in_units:
            where.append(listing.in_units)
            values["units"] = units
        sql = (
            f"SELECT {listing.id} AS id, {listing.key} AS page_key FROM {listing.tables}"  # noqa: S608
            f" WHERE {' AND '.join(where)} ORDER BY {listing.key}, {listing.id}"
        )
        return await self._services.db.read(dated(sql), **values)

    async def _tell(self, name: str, rows: list[Row], behind: dict[int, list[int]]) -> None:
        """Add the first of ``rows`` as hits."""
        rows = rows[: self._limit]
        if not rows:
            return
        kind = KINDS[name]
        ids = [row["id"] for row in rows]
        subjects = [i for row in rows for i in behind[row["id"]]]
        async with self._services.db.reading() as session:
            said = await load(session, kind.words, subjects)
        shown = await self._load_shown(name, kind, ids, behind)
        refs = await self._load_refs({unit_id for _, _, unit_id in shown.values() if unit_id})
        for row in rows:
            values = [value for i in behind[row["id"]] for value in said[i].values]
            matched = [value for value in values if is_found(self._asked, value)]
            if matched:
                ref, text, unit_id = shown[row["id"]]
                self.items.append(
                    Hit(
                        kind=name,
                        ref=ref,
                        name=text,
                        unit=refs.get(unit_id) if unit_id is not None else None,
                        matched=_tell_values(matched, self._moment.day),
                        next=f"kiemke {kind.command} {ref}",
                    )
                )

    async def _load_refs(self, ids: set[int]) -> dict[int, UnitRef]:
        """Return units by id as they are on the day, those that are no more as they were last."""
        rows = await self._services.db.read(
            "SELECT unit_id, code, name FROM unit_version WHERE unit_id IN :[ids]"
            " AND valid_from <= :day AND recorded_at_ms <= :known"
            " AND (voided_at_ms IS NULL OR voided_at_ms > :known) ORDER BY valid_from, id",
            ids=sorted(ids),
            day=self._moment.day,
            known=self._moment.known_ms,
        )
        return {row["unit_id"]: UnitRef(row["code"], row["name"]) for row in rows}

    async def _load_shown(
        self, name: str, kind: _Kind, ids: list[int], behind: dict[int, list[int]]
    ) -> dict[int, tuple[str, str | None, int | None]]:
        """Return what names each thing, its text, and the unit it is of."""
        times = {"day": self._moment.day, "known": self._moment.known_ms}
        if name == "machine":
            rows = await self._services.db.read(
                "SELECT id, hostname, unit_id FROM source WHERE id IN :[ids]",
                ids=[i for machine in ids for i in behind[machine]],
            )
            of = {row["id"]: row for row in rows}
            firsts = {machine: of[behind[machine][-1]] for machine in ids}
            return {m: (str(m), row["hostname"], row["unit_id"]) for m, row in firsts.items()}
        listing = kind.listing
        values: dict[str, Any] = {"ids": ids, **dict(kind.params), **times}
        sql = (
            f"SELECT {listing.columns}, {kind.unit} AS search_unit FROM {listing.tables}"  # noqa: S608
            f" WHERE {' AND '.join(['1 = 1', *listing.where, f'{listing.id} IN :[ids]'])}"
        )
        rows = await self._services.db.read(dated(sql), **values)
        ref = "public_id" if name == "source" else "code"
        return {row["id"]: (row[ref], row[kind.name], row["search_unit"]) for row in rows}


def _tell_values(values: Sequence[Value], day: date) -> list[Matched]:
    """Return each field once: what is so on the day before what was."""
    told: dict[tuple[str, str], Value] = {}
    for value in values:
        ended = value.until is not None and value.until <= day
        known = value if ended else replace(value, until=None)
        before = told.get((known.what, known.text))
        if before is None or before.until is not None:
            told[known.what, known.text] = known
    ordered = sorted(told.values(), key=lambda value: value.until is not None)
    return [Matched(v.what, v.text, v.until.isoformat() if v.until else None) for v in ordered]


HANDLERS = (search,)
