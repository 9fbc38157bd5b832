"""Random histories of decisions, some taken back: what stood before stands again, what was known stays known."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from kiemke.server.audit import record
from kiemke.server.audit_adopt import record_rows
from kiemke.server.db import Database, Row, as_date
from kiemke.server.domain.act_log import UNDO, number_of
from kiemke.server.domain.coverage import recount
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.reorganise import plan
from kiemke.server.domain.reorganise_apply import apply
from kiemke.server.domain.reorganise_decision import Change, Decision, NewUnit
from kiemke.server.domain.take_back import apply_undo, plan_undo
from kiemke.server.domain.take_back_rows import SUBJECTS, content
from kiemke.server.ledgers import LEDGER_TABLES
from tests.support.api import make_office
from tests.support.office import MOMENT_MS, TUESDAY, Office

DAYS = [TUESDAY - timedelta(days=n) for n in (40, 30, 20, 10, 0)]
UNDATED = ("source", "app_user", "secret", "enrolment_token", "device")
Seen = dict[Any, list[Any]]


def make_district(chance: random.Random) -> Office:
    """A district of eight units with people, PCs, lines shared, places, subnets, secrets, targets."""
    office = make_office()
    units = [1, 2, 3, 4]
    for _ in range(4):
        units.append(office.add_unit(chance.choice(units)))
    for unit in units:
        person = office.add_official(unit)
        office.add_verified_pc(unit, person)
        office.add_membership(person, chance.choice(units), primary=False)
        office.add_pc(unit)
        office.add_subnet(unit, chance.choice(("10.1.0.0/24", "10.2.0.0/24")), authority_id=1)
        office.add_dated("link_share", link_id=1, unit_id=unit)
        office.add_dated(
            "coverage_target", unit_id=unit, measure="coverage", kinds="cong_chuc",
            target_thousandths=900, source_text=None,
        )  # fmt: skip
        office.add(
            "secret", unit_id=unit, kind="snmp", name=chance.choice(("default", "x")),
            version=1, well_known=False, gone=0, created_at_ms=MOMENT_MS, changed_at_ms=MOMENT_MS,
        )  # fmt: skip
        place = office.add("place", created_at_ms=MOMENT_MS)
        office.add_dated(
            "place_version", place_id=place, unit_id=unit, code=f"N{unit}", name="Một cửa",
            kind="one_stop_desk", sort_key="n", search_key="n",
        )  # fmt: skip
    return office


async def look(database: Database, days: Iterable[date]) -> tuple[dict[str, list[Row]], Seen]:
    """Return every dated row, and what has no dates."""
    rows = {table: await database.read(f"SELECT * FROM {table} ORDER BY id") for table in SUBJECTS}  # noqa: S608
    plain: Seen = {}
    for table in UNDATED:
        more = {"device": ("name", "credential"), "secret": ("name",)}
        kept = ("id", "unit_id", *more.get(table, ()))
        found = await database.read(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608
        plain[table] = [[row[name] for name in kept] for row in found]
    return rows, plain


def known(rows: dict[str, list[Row]], known_ms: int) -> Seen:
    """Return what each table said of each day, as known at a moment."""
    seen: Seen = {}
    for table, some in rows.items():
        for day in DAYS:
            here = [
                content(row)
                for row in some
                if row["recorded_at_ms"] <= known_ms
                and (row["voided_at_ms"] is None or row["voided_at_ms"] > known_ms)
                and as_date(row["valid_from"]) <= day
                and (row["valid_to"] is None or as_date(row["valid_to"]) > day)
            ]
            seen[table, day] = sorted(here, key=repr)
    return seen


@dataclass(slots=True)
class History:
    """Decisions entered one after another; ``standing`` are those not taken back, with what was before."""

    database: Database
    chance: random.Random
    now_ms: int = MOMENT_MS
    standing: list[tuple[int, Seen | None, Seen | None]] = field(default_factory=list)
    told: list[tuple[int, Seen]] = field(default_factory=list)
    entered: int = 0
    refused: int = 0

    async def state(self) -> tuple[Seen, Seen]:
        """Return what is known now, and remember it."""
        rows, plain = await look(self.database, DAYS)
        seen = known(rows, self.now_ms)
        self.told.append((self.now_ms, seen))
        return seen, plain

    async def decide(self) -> None:
        """Enter a decision made up by chance; one that cannot be leaves nothing."""
        before, plain = await self.state()
        self.now_ms += 1000
        self.entered += 1
        decision = await self.make_up()
        try:
            async with self.database.change() as session:
                planned = await plan(session, decision, TUESDAY)
                await apply(session, planned, who="test", now_ms=self.now_ms)
                await record(
                    session, at_ms=self.now_ms, who="test", act="unit.reorganise",
                    subject=f"decision:{decision.instrument}", paper=decision.instrument,
                    after={"day": decision.day, "undated": planned.undated},
                )  # fmt: skip
        except Refused:
            return
        number = await number_of(self.database, decision.instrument)
        assert number is not None
        self.standing.append((number, before, plain))

    async def make_up(self) -> Decision:
        """Return a decision on units of some day."""
        chance, day = self.chance, self.chance.choice(DAYS)
        rows = await self.database.read(
            "SELECT code FROM unit_version WHERE voided_at_ms IS NULL AND valid_from <= :day"
            " AND (valid_to IS NULL OR valid_to > :day) AND parent_id IS NOT NULL ORDER BY id",
            day=day,
        )
        codes = [row["code"] for row in rows]
        one, two, three = (chance.choice(codes) for _ in range(3))
        fresh = f"N{self.entered}"
        new = NewUnit(fresh, f"Phòng {fresh}", "phong", chance.choice(("U1", two)))
        kind = chance.choice(
            ("merge", "merge", "merge_new", "split", "rename", "move", "retype", "create", "swap")
        )
        made: tuple[NewUnit, ...] = (new,) if kind in ("merge_new", "split", "create") else ()
        changes: dict[str, tuple[Change, ...]] = {
            "merge": (Change("merge", (one,), (two,)),),
            "merge_new": (Change("merge", (one, two), (fresh,)),),
            "split": (Change("split", (one,), (fresh, two)),),
            "rename": (Change("rename", (one,), name=f"Tên {fresh}", code=fresh),),
            "move": (Change("move", (one,), parent=two),),
            "retype": (Change("retype", (one,), type="xa"),),
            "create": (),
            "swap": (
                Change("rename", (one,), code=two),
                Change("rename", (two,), code=one),
                Change("move", (three,), parent=one),
            ),
        }
        return Decision(day, f"{self.entered}/QĐ", made, changes[kind])

    async def undo(self, number: int) -> list[int]:
        """Take an act back; return the numbers that are in the way, none when it is done."""
        self.now_ms += 1000
        async with self.database.change() as session:
            planned = await plan_undo(session, number, TUESDAY)
            if planned.hindrances:
                assert all(each.undo and each.why for each in planned.hindrances), (
                    planned.hindrances
                )
                return [each.number for each in planned.hindrances if each.number is not None]
            await apply_undo(session, planned, who="test", now_ms=self.now_ms, today=TUESDAY)
            await record(
                session, at_ms=self.now_ms, who="test", act=UNDO, subject=planned.act.subject,
                after={"undone": number},
            )  # fmt: skip
        return []

    async def take_back(self, place: int) -> None:
        """Take one of the standing back, first what is in its way, in the order that is told."""
        number, before, plain = self.standing[place]
        last = place == len(self.standing) - 1
        in_the_way = await self.undo(number)
        assert not (last and in_the_way)
        gone = {number}
        for each in in_the_way:
            self.refused += 1
            assert await self.undo(each) == []
            gone.add(each)
        if in_the_way:
            assert await self.undo(number) == []
        behind = [(each, None, None) for each, _, _ in self.standing[place:] if each not in gone]
        self.standing = [*self.standing[:place], *behind]
        after, after_plain = await self.state()
        if before is not None and not behind:  # else what was before has an act too many by now
            assert after == before
            assert after_plain == plain


@pytest.mark.parametrize("seed", (4, 8))
async def test_what_is_taken_back_leaves_all_as_it_was(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    await make_district(chance).write_to(database)
    async with database.transaction() as session:
        await record_rows(session, LEDGER_TABLES, "ledger.adopt", "1/QĐ", MOMENT_MS)
    history = History(database, chance)
    first, plain = await history.state()
    async with database.reading() as session:
        figures = {day: await recount(session, day, history.now_ms) for day in DAYS[:2]}

    for _ in range(10):
        if history.standing and chance.random() < 0.3:
            await history.take_back(chance.randrange(len(history.standing)))
        else:
            await history.decide()
    assert history.entered >= 4
    while history.standing:
        await history.take_back(len(history.standing) - 1)

    rows, last_plain = await look(database, DAYS)
    assert known(rows, history.now_ms) == first
    assert last_plain == plain
    for known_ms, told in history.told:
        assert known(rows, known_ms) == told
    async with database.reading() as session:
        for day, wanted in figures.items():
            assert await recount(session, day, history.now_ms) == wanted
