"""A PC that stood at another unit's site on three working days contradicts the book."""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain import elsewhere_now
from kiemke.server.domain.coverage import recount, statement_params
from kiemke.server.domain.coverage_who import WhoRow, coverage_who
from kiemke.server.domain.network_stays import read_addresses
from kiemke.server.domain.reconcile import Question, count, read, read_all
from kiemke.server.ingest.group import Group
from kiemke.server.jobs import prune
from kiemke.wire.inventory import Adapter
from kiemke.wire.report import Inventory, Section
from tests.server.test_coverage_property import make_district
from tests.support.coverage_walked import elsewhere_walked
from tests.support.office import MOMENT_MS, TUESDAY, Office
from tests.support.reporting import NOW_MS, Sender, add_source, insert

HOUR = 3_600_000
DAY = 24 * HOUR
THURSDAY, FRIDAY, MONDAY = (TUESDAY - timedelta(days=back) for back in (5, 4, 1))
STAYS = "SELECT addresses, first_day, last_day FROM network_stay ORDER BY id"


async def unguarded(session: Session) -> None:
    """Let every transaction write."""


async def judged(
    database: Database, office: Office, day: date = TUESDAY, seen: set[int] | None = None
) -> list[WhoRow]:
    await office.write_to(database)
    await elsewhere_now.run(database, unguarded)
    async with database.reading() as session:
        return await coverage_who(session, 1, day, MOMENT_MS, seen=seen)


def two_communes() -> tuple[Office, int]:
    """Return a district (unit 1) with two communes (2, 3), each with a subnet, and a PC's source."""
    office = Office()
    district = office.add_unit()
    for number in (1, 2):
        unit = office.add_unit(district, f"Xã {number}")
        office.add_subnet(unit, f"10.5.{number}.0/24")
    source = office.add_verified_pc(2, office.add_official(2), day=THURSDAY)
    for day in (FRIDAY, MONDAY, TUESDAY):
        office.add_presence(source, day)
    return office, source


async def test_three_working_days_at_another_units_site_contradict(database: Database) -> None:
    office, source = two_communes()
    office.add_network_stay(source, "10.5.1.7", last=THURSDAY)
    office.add_network_stay(source, "10.5.2.7", THURSDAY)

    (person,) = await judged(database, office)
    async with database.reading() as session:
        figures = {row.unit_id: row for row in await recount(session, TUESDAY, MOMENT_MS)}
        before = await coverage_who(session, 1, MONDAY, MOMENT_MS)
        hidden = await coverage_who(session, 2, TUESDAY, MOMENT_MS, seen={2})

    assert person.state == "contradicted"
    assert person.why.en == (
        "A1 stood at the site of Xã 2 (U3) on 3 working days: 2026-03-06, 2026-03-09, 2026-03-10"
    )
    assert person.why.vi == "A1 ở trụ sở Xã 2 (U3) 3 ngày làm việc: 06/03, 09/03, 10/03"
    assert person.next_command == (
        "kiemke asset handover A1 --from official:P1 --to unit:U3 --day … --paper …"
    )
    assert (figures[2].contradicted, figures[2].verified) == (1, 0)
    assert before[0].state == "verified"  # on Thursday it was at both, so two days
    assert "another unit's site on 3" in hidden[0].why.en
    assert hidden[0].next_command == "kiemke machine show 1"


async def test_the_reconciliation_tells_of_the_other_site_once(database: Database) -> None:
    office, source = two_communes()
    office.waiting["source_now"][0]["last_received_at_ms"] = MOMENT_MS
    office.add_network_stay(source, "10.5.2.7", FRIDAY)
    before = Question(MONDAY, MOMENT_MS)
    asked = Question(TUESDAY, MOMENT_MS)
    await judged(database, office)

    async with database.reading() as session:
        (found,) = await read_all(session, asked, ("elsewhere",))
        page = await read(session, asked, ("elsewhere",), 10, ("elsewhere_site", 0))
        counts = await count(session, asked, ())
        early = await read_all(session, before, ("elsewhere",))

    assert found.seen_unit is not None
    assert (found.question, found.seen_unit.code, found.days) == ("elsewhere_site", "U3", 3)
    assert found.next_command == (
        "kiemke asset handover A1 --from unit:U2 --to unit:U3 --day … --paper …"
    )
    assert (page, counts["elsewhere"], early) == ([found], 1, [])


@pytest.mark.parametrize(
    "why",
    ["at_home_too", "unknown_too", "no_site_of_its_own", "of_home_routers", "district", "not_seen"],
)
async def test_what_proves_no_other_site_contradicts_nothing(database: Database, why: str) -> None:
    office, source = two_communes()
    there = "10.5.2.7"
    if why == "at_home_too":
        there = "10.5.1.9 10.5.2.7"
    elif why == "unknown_too":
        office.add_network_stay(source, "", MONDAY, MONDAY)
        office.add_network_stay(source, "172.16.0.1", FRIDAY, FRIDAY)
    elif why == "no_site_of_its_own":
        office.waiting["site_subnet"].pop(0)
    elif why == "of_home_routers":
        office.add_subnet(3, "192.168.1.0/24")
        there = "192.168.1.7"
    elif why == "district":
        office.add_subnet(1, "10.5.0.0/16")
    else:
        office.waiting["presence_day"] = office.waiting["presence_day"][:2]
    office.add_network_stay(source, there, THURSDAY)

    assert [person.state for person in await judged(database, office)] == ["verified"]


async def test_the_book_and_the_subnets_are_those_of_the_day_and_of_what_was_known(
    database: Database,
) -> None:
    office, source = two_communes()
    office.add_network_stay(source, "10.5.2.7", THURSDAY)
    office.waiting["custody"][0]["voided_at_ms"] = MOMENT_MS - DAY
    office.add_custody(1, 3, 1, recorded_at_ms=MOMENT_MS - DAY)

    now = await judged(database, office)
    async with database.reading() as session:
        then = await coverage_who(session, 1, TUESDAY, MOMENT_MS - DAY - 1)
    marked = await elsewhere_now.run(database, unguarded)

    assert (now[0].state, then[0].state) == ("verified", "contradicted")
    assert marked == 0


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_marked_equals_the_walk_over_every_stay(
    database: Database, seed: int
) -> None:
    """Units that move, subnets that begin and end, two sources a PC, PCs that wander."""
    chance = random.Random(seed)
    office = make_district(chance)
    for unit in range(1, office.ids["unit"] + 1):
        if chance.random() < 0.7:
            begin = TUESDAY - timedelta(days=chance.choice([5, 400]))
            office.add_subnet(unit, f"10.9.{chance.randint(1, 5)}.0/24", valid_from=begin)
    for source in range(1, office.ids["source"] + 1):
        first = TUESDAY - timedelta(days=30)
        while first < TUESDAY:
            last = first + timedelta(days=chance.randint(0, 15))
            address = f"10.9.{chance.randint(1, 6)}.{source % 250 + 1}"
            office.add_network_stay(source, address, first, last if last < TUESDAY else None)
            first = last
    await office.write_to(database)
    marked = await elsewhere_now.run(database, unguarded)

    found = []
    for back in range(8):
        day = TUESDAY - timedelta(days=back)
        async with database.reading() as session:
            params = await statement_params(session, day, MOMENT_MS)
            walked = await elsewhere_walked(session, day, MOMENT_MS, 3)
        assert params["elsewhere"] == walked
        found += walked
    assert marked > 0 or not found


async def taken(database: Database, sender: Sender, at_ms: int, section: Section) -> set[str]:
    """Send one inventory of adapters and return what the server asks for."""
    report = sender.report("inventory", Inventory({"adapters": section}), at_ms)
    async with database.transaction() as session:
        outcome = await Group(session, 25_200, 60.0).apply([sender.batch([report], at_ms + 1000)])
    return set(outcome[0].need)


def at(*addresses: str, token: str) -> Section:
    return Section("ok", token, (Adapter("eth0", kind="ethernet", addresses=addresses),))


async def test_a_stay_is_written_only_when_the_addresses_change(database: Database) -> None:
    async with database.transaction() as session:
        await insert(
            session, "installation", id=1, public_id="x", utc_offset_seconds=25_200, demo=False,
            created_at_ms=0,
        )  # fmt: skip
    sender = await add_source(database)
    day = date(2026, 11, 13)
    first = NOW_MS - 9 * DAY

    await taken(database, sender, first, at("10.5.1.7", token="a"))
    await taken(database, sender, first + HOUR, at("10.5.1.7", "fe80::1", token="b"))
    await taken(database, sender, first + DAY, Section("ok", "b"))
    await taken(database, sender, first + 2 * DAY, at("10.5.2.7", token="c"))
    await taken(database, sender, first + 3 * DAY, Section("failed", None))
    await taken(database, sender, first + 4 * DAY, at("10.5.2.7", token="c"))
    await taken(database, sender, first + 3 * DAY + 2, at("10.5.9.9", token="late"))

    stays: list[tuple[Any, ...]] = [tuple(row.values()) for row in await database.read(STAYS)]
    days = [day + timedelta(days=back) for back in range(5)]
    assert [(a, str(b), str(c)) for a, b, c in stays] == [
        ("10.5.1.7", str(days[0]), str(days[2])),
        ("10.5.2.7", str(days[2]), str(days[3])),
        ("", str(days[3]), str(days[4])),
        ("10.5.2.7", str(days[4]), "None"),
    ]

    async with database.transaction() as session:
        await session.execute("DELETE FROM network_stay WHERE last_day IS NULL")
        await insert(
            session, "rule", valid_from=TUESDAY, recorded_at_ms=0, subject="", value_json="5",
            name="retention_presence_days",
        )  # fmt: skip
    asked = await taken(database, sender, first + 5 * DAY, Section("ok", "c"))
    await prune.run(database, NOW_MS, unguarded)

    assert asked == {"adapters"}  # of a source it was never known of, as after an upgrade
    assert [row["addresses"] for row in await database.read(STAYS)] == [""]


def test_what_leads_out_tells_the_place_and_tunnels_do_not() -> None:
    cable = {"kind": "ethernet", "addresses": ["10.5.1.7", "2001:db8:1:2:3::4", "fe80::1"]}
    tunnel = {"kind": "vpn", "addresses": ["10.8.0.2"], "gateways": ["10.8.0.1"]}
    host_only = {"kind": "ethernet", "addresses": ["192.168.56.1"], "is_up": True}
    unplugged = {"kind": "wireless", "addresses": ["10.7.7.7"], "is_up": False}

    assert read_addresses([cable, tunnel, unplugged]) == "10.5.1.7 2001:db8:1:2::"
    assert read_addresses([cable | {"gateways": ["10.5.1.1"]}, host_only]) == (
        "10.5.1.7 2001:db8:1:2::"
    )
    assert read_addresses([{"kind": "ethernet", "addresses": ["nonsense", "127.0.0.1"]}]) == ""
