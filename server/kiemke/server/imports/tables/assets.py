"""Assets: the book's plain fields, condition and custody as dated rows (several persons share one)."""

from typing import Any

from kiemke.server.db import Session, as_date
from kiemke.server.domain.asset_book import (
    BOTH,
    FACTS,
    Statement,
    first_facts,
    newest_facts,
    say_facts,
)
from kiemke.server.domain.text import search_key, serial_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ended_units import refuse_ended
from kiemke.server.imports.ledger import (
    OFFICIAL,
    UNIT,
    Change,
    Context,
    DatedTable,
    Plan,
    Rows,
    ids_by_code,
    units_by_code,
    unknown,
    wanted,
)
from kiemke.server.imports.script import Script
from kiemke.server.imports.statement import (
    Draft,
    Fields,
    held,
    in_order,
    insert,
    outcome,
    overlay,
    put,
    refuse_repeats,
    starts,
    unhurried,
    update,
)
from kiemke.server.imports.table import TableRow

STATUSES = DatedTable("asset_status", "asset_id", ("status",))
CUSTODIES = DatedTable("custody", "asset_id", ("unit_id", "official_id", "place", "at_place_id"))
PLAIN = (
    "tag", "kind", "name", "manufacturer", "model", "serial", "price_dong", "in_use_since",
    "funding_source", "ownership", "no_agent_reason",
)  # fmt: skip


GONE = ("disposed", "lost")
_PLACES = """
SELECT place_id, code, unit_id FROM place_version
WHERE voided_at_ms IS NULL AND valid_to IS NULL AND code IN :[codes.text]
"""
_NO_PLACE = 0  # no row has this id


def _no_place(code: str, unit: str) -> tuple[Words, Words]:
    return (
        Words(f"đơn vị {unit} không có nơi mang mã {code}", f"unit {unit} has no place {code}"),
        Words("xem kiemke place list; thêm bằng kiemke place add", "see kiemke place list; add it"),
    )


def _needs_a_second_person(row: TableRow) -> tuple[Words, Words]:
    """Return why no file disposes of what is on the book, and which command does."""
    code = row.values["code"]
    command = f"kiemke asset status {code} disposed --date … --paper … --apply"
    return (
        Words(
            f"tài sản {code} đang có trên sổ; thanh lý cần người thứ hai duyệt, tệp không thay được",
            f"asset {code} is on the book; a second person approves a disposal, no file stands in",
        ),
        Words(
            f"gõ {command}, rồi người khác duyệt bằng kiemke approve yes",
            f"type {command}; then another person says kiemke approve yes",
        ),
    )


class AssetImporter:
    """Plans and writes the rows of the template "assets"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._units: dict[str, int] = {}
        self._officials: dict[str, int] = {}
        self._places: dict[tuple[str, int], int] = {}
        self._statuses: dict[int, Rows] = {}
        self._custodies: dict[int, Rows] = {}
        self._stored: dict[int, Fields] = {}
        self._plain: dict[int, Fields] = {}
        self._said: dict[int, TableRow] = {}
        self._facts: dict[int, Rows] = {}

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the book."""
        plan = Plan()
        refuse_repeats(rows, ("code",), plan, context)
        codes = wanted(rows, "code")
        self._draft.ids = await ids_by_code(session, "asset", codes)
        self._units = await units_by_code(session, wanted(rows, "unit"))
        self._officials = await ids_by_code(session, "official", wanted(rows, "official"))
        codes_of_places = sorted(wanted(rows, "at_place"))
        for place in await session.fetch(_PLACES, codes=codes_of_places):
            self._places[place["code"], place["unit_id"]] = place["place_id"]
        stored = await session.fetch(
            f"SELECT id, code, created_at_ms, {', '.join(PLAIN)} FROM asset WHERE id IN :[ids]",  # noqa: S608  # fixed names
            ids=sorted(self._draft.ids.values()),
        )
        for row in stored:
            since = row["in_use_since"]
            self._stored[row["id"]] = {**row, "in_use_since": since and as_date(since)}
        self._facts = await FACTS.load(session, self._stored)
        self._draft.admit(sorted(codes))
        self._statuses = await STATUSES.load(session, self._draft.ids.values())
        self._custodies = await CUSTODIES.load(session, self._draft.ids.values())
        await self._refuse_stuck_tags(session, rows, context, plan)
        async for table_row in unhurried(in_order(rows, context)):
            self._plan_row(table_row, context, plan)
        custodies = {
            code: self._custodies[id_]
            for code, id_ in self._draft.ids.items()
            if not self._is_gone(id_)
        }
        await refuse_ended(session, rows, self._units, custodies, context, plan)
        self._draft.changes = plan.changes
        return plan

    def _is_gone(self, id_: int) -> bool:
        """Whether it was disposed of or lost in the end: then it stays where it was."""
        last = self._statuses[id_].last()
        return last is not None and last.value <= {(status,) for status in GONE}

    async def _refuse_stuck_tags(
        self, session: Session, rows: list[TableRow], context: Context, plan: Plan
    ) -> None:
        """A sticker names one thing: no two assets may carry one number."""
        found = await session.fetch(
            "SELECT code, tag FROM asset WHERE tag IN :[tags.text]",
            tags=sorted(wanted(rows, "tag")),
        )
        owner = {row["tag"]: row["code"] for row in found}
        # An asset of this file that gives its sticker up frees it for another one.
        leaving = {r.values["code"] for r in rows if "tag" in r.values}
        owner = {tag: code for tag, code in owner.items() if code not in leaving}
        for row in rows:
            tag, code = row.values.get("tag"), row.values["code"]
            if tag is not None and owner.setdefault(tag, code) != code:
                plan.refuse(
                    context, row, "tag",
                    Words(f"tem đã dán trên tài sản {owner[tag]}",
                          f"this sticker is already on the asset {owner[tag]}"),
                    Words("sửa số tem", "correct the sticker's number"),
                )  # fmt: skip

    def _custody(
        self, row: TableRow, was: Rows, context: Context, plan: Plan
    ) -> list[tuple[Any, ...]] | None:
        """Return who answers for the asset by this row; None when a code is unknown."""
        unit_id = self._units.get(row.values["unit"])
        if unit_id is None:
            plan.refuse(context, row, "unit", *unknown(UNIT, "units", row.values["unit"]))
            return None
        span = was.at(starts(row, context)) or was.last()
        before = sorted(span.value, key=repr) if span else []
        place = row.values["place"] if "place" in row.values else before[0][2] if before else None
        at = self._at_place(row, unit_id, place, before)
        if at == _NO_PLACE:
            code = row.values["at_place"]
            plan.refuse(context, row, "at_place", *_no_place(code, row.values["unit"]))
            return None
        if "official" not in row.values:
            officials: list[int | None] = [part[1] for part in before] or [None]
            return [(unit_id, official, place, at) for official in officials]
        missing = [code for code in row.values["official"] if code not in self._officials]
        if missing:
            plan.refuse(context, row, "official", *unknown(OFFICIAL, "officials", missing[0]))
            return None
        named = row.values["official"]
        persons: list[int | None] = [self._officials[code] for code in named]
        return [(unit_id, person, place, at) for person in persons or [None]]

    def _at_place(
        self, row: TableRow, unit_id: int, place: str | None, before: list[tuple[Any, ...]]
    ) -> int | None:
        """Return the place it stands at, None for none; _NO_PLACE for a code its unit has not."""
        if "at_place" in row.values:
            code = row.values["at_place"]
            return self._places.get((code, unit_id), _NO_PLACE) if code else None
        # It stays at its one-stop desk unless the row says another unit or place.
        stays = bool(before) and (unit_id, place) == (before[0][0], before[0][2])
        return before[0][3] if stays else None

    def _custodians(self, row: TableRow, context: Context) -> Fields:
        """Return whoever shares the asset as ``official_ids``; nothing when nobody answers for it."""
        was = self._custodies[self._draft.ids[row.values["code"]]]
        span = was.at(starts(row, context)) or was.last()
        ids = {part[1] for part in span.value if part[1] is not None} if span else set()
        return {"official_ids": tuple(sorted(ids))} if span else {}

    def _plan_row(self, row: TableRow, context: Context, plan: Plan) -> None:
        id_ = self._draft.ids[row.values["code"]]
        custody = self._custody(row, self._custodies[id_], context, plan)
        if custody is None:
            return
        stored = self._plain.get(id_) or self._stored.get(id_)
        plain = overlay(stored, row, PLAIN)
        plain["ownership"] = plain["ownership"] or "owned"
        status_was = held(self._statuses[id_], starts(row, context), STATUSES.columns)
        status = row.values.get("status") or (status_was or {}).get("status") or "in_use"
        if id_ > 0 and status == "disposed" and (status_was or {}).get("status") != "disposed":
            plan.refuse(context, row, "status", *_needs_a_second_person(row))
            return
        custody_was = held(self._custodies[id_], starts(row, context), CUSTODIES.columns)
        custodians = self._custodians(row, context)
        moved = put(self._custodies[id_], custody, row, context, plan)
        other_state = put(self._statuses[id_], [(status,)], row, context, plan)
        edited = stored is None or any(stored[name] != plain[name] for name in PLAIN)
        changed = moved or other_state or edited
        plan.outcomes[row.key] = outcome(id_ < 0, changed)
        if edited:
            self._plain[id_] = {"code": row.values["code"], **plain}
            self._said[id_] = row
        if changed:
            known = {
                name: value for name, value in (stored or {}).items() if name in ("code", *PLAIN)
            }
            before = {**known, **(status_was or {}), **(custody_was or {}), **custodians} or None
            paper = row.values.get("instrument")
            plan.changes.append(Change("asset", id_, before, row, paper))

    async def _state_facts(
        self, session: Script, id_: int, plain: Fields, context: Context
    ) -> Fields:
        """Say of an asset on the book what changed in price or ownership, since when, by which paper.

        Returns what its own columns become.
        """
        stored = self._stored[id_]
        facts = {name: plain[name] for name in BOTH}
        if all(stored[name] == facts[name] for name in BOTH):
            return {}
        if self._facts[id_].is_new:
            fields, timeline = first_facts(stored, await session.new_id("asset_fact"))
            await insert(session, "asset_fact", fields)
            self._facts[id_] = timeline
        row = self._said[id_]
        said = Statement(starts(row, context), row.values.get("instrument"))
        say_facts(self._facts[id_], stored, facts, said)
        return newest_facts(self._facts[id_])

    async def write(self, session: Script, context: Context) -> None:
        """Write the things first, then their condition and custody."""
        await self._draft.reserve(session, "asset")
        for id_, plain in sorted(self._plain.items(), reverse=True):
            words = (plain["name"], plain["manufacturer"], plain["model"])
            fields = {
                **plain,
                "search_key": search_key(" ".join(word for word in words if word)),
                "serial_key": serial_key(plain["serial"]) if plain["serial"] else None,
            }
            if id_ > 0:
                fields |= await self._state_facts(session, id_, plain, context)
                await update(session, "asset", id_, fields)
            else:
                fields["created_at_ms"] = context.now_ms
                self._draft.real_ids[id_] = await insert(session, "asset", fields)
        await FACTS.store(session, self._facts, {}, context)
        await STATUSES.store(session, self._statuses, self._draft.real_ids, context)
        await CUSTODIES.store(session, self._custodies, self._draft.real_ids, context)
        await self._draft.audit(session, context)
