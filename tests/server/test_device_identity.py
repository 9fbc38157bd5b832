"""A watched device is known again by serial and MACs: replaced, moved, registered twice, doubtful."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain import device_identity_now, match_device_now
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.device_decide import decide
from kiemke.server.domain.device_identity import Shown, compare, read_macs
from kiemke.server.domain.match_now import Span
from tests.support.office import MOMENT_MS, RECORDED_MS, TUESDAY, Office

HOUR = 3_600_000
DAY = 24 * HOUR
CISCO, HP = "1.3.6.1.4.1.9.1.1208", "1.3.6.1.4.1.11.2.3.7"
FINDINGS = "SELECT kind, subject, detail FROM finding WHERE closed_at_ms IS NULL ORDER BY id"
MATCHES = (
    "SELECT device_id, asset_id, decided_by FROM device_match"
    " WHERE voided_at_ms IS NULL AND valid_to IS NULL ORDER BY device_id"
)
STANDING = (
    "SELECT device_id, hardware, serial FROM device_hardware"
    " WHERE voided_at_ms IS NULL AND valid_to IS NULL ORDER BY device_id"
)


def mac(*numbers: int) -> frozenset[str]:
    return frozenset(f"001B54{number:06X}" for number in numbers)


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (Shown(CISCO, "FOC1", mac(1, 2)), Shown(CISCO, "FOC1", mac(1, 2)), "same"),
        (Shown(CISCO, "FOC1", mac(1, 2)), Shown(CISCO, "FOC2", mac(3, 4)), "other"),
        (Shown(CISCO, "FOC1", mac(1, 2)), Shown(CISCO, "FOC2", mac(1, 2)), "unsure"),  # a stack
        (Shown(CISCO, "FOC1"), Shown(CISCO, "FOC2"), "unsure"),
        (Shown(CISCO, "1234", mac(1)), Shown(HP, "1234", mac(9)), "other"),
        (Shown(CISCO, None, mac(1, 2)), Shown(CISCO, "FOC1", mac(1, 2)), "same"),
        (Shown(CISCO, None, mac(1, 2)), Shown(CISCO, None, mac(8, 9)), "other"),
        (Shown(CISCO, None, mac(1, 2, 3, 4)), Shown(CISCO, None, mac(1, 7, 8, 9)), "unsure"),
        (Shown(CISCO), Shown(CISCO), "same"),
        (Shown(CISCO), Shown(HP), "unsure"),
    ],
)
def test_what_two_readings_have_in_common_decides(before: Shown, now: Shown, verdict: str) -> None:
    assert compare(before, now) == verdict


def test_addresses_that_routers_share_are_no_devices_own() -> None:
    texts = ["00:00:5e:00:01:0a", "0000.0c07.ac01", "02:00:00:00:00:01", "00:1b:54:00:00:07", None]

    assert read_macs(texts) == mac(7)


async def unguarded(session: Session) -> None:
    """Let every transaction write."""


class Gear:
    """Two registered switches of one unit, what they say, and the book."""

    def __init__(self, database: Database) -> None:
        self.database, self.at_ms = database, MOMENT_MS
        self.office = Office()
        self.office.add_installation()
        unit = self.office.add_unit()
        self.collector = self.office.add_source(unit, kind="collector")
        for number in (1, 2):
            self.office.add(
                "device", code=f"SW-{number}", name=f"Switch {number}", search_key="switch",
                kind="switch", unit_id=unit, address=f"10.1.1.{number}", port=161,
                collector_id=self.collector, created_at_ms=RECORDED_MS,
            )  # fmt: skip

    async def says(
        self, device: int, serial: str | None, macs: Iterable[str] = (), object_id: str = CISCO
    ) -> None:
        """Let a device tell what it is, an hour later, and the job look."""
        self.at_ms += HOUR
        await self.office.write_to(self.database)
        at = {"device": device, "source": self.collector, "at": self.at_ms}
        async with self.database.transaction() as session:
            await session.execute("DELETE FROM device_now WHERE device_id = :id", id=device)
            await session.execute("DELETE FROM interface_now WHERE device_id = :id", id=device)
            await session.execute(
                "INSERT INTO device_now (device_id, source_id, outcome, polled_at_ms, answered_at_ms,"
                " changed_at_ms, identified_at_ms, serial, sys_object_id) VALUES"
                " (:device, :source, 'ok', :at, :at, :at, :at, :serial, :object)",
                serial=serial, object=object_id, **at,
            )  # fmt: skip
            for index, each in enumerate(sorted(macs)):
                await session.execute(
                    "INSERT INTO interface_now (device_id, source_id, if_index, type, mac, read_at_ms)"
                    " VALUES (:device, :source, :index, 6, :mac, :at)",
                    index=index, mac=each, **at,
                )  # fmt: skip
        await self.look()

    async def look(self) -> None:
        now_ms = self.at_ms + HOUR // 2
        await device_identity_now.run(self.database, now_ms, unguarded)
        await match_device_now.run(self.database, now_ms, unguarded)

    async def decide(self, device: int, said: str, units: tuple[int, ...] | None = None) -> None:
        async with self.database.transaction() as session:
            day = TUESDAY + timedelta(days=(self.at_ms - MOMENT_MS) // DAY + 1)
            await decide(session, device, said, day, By("an", self.at_ms), units)

    async def read(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in await self.database.read(sql)]


async def test_a_replaced_switch_leaves_its_asset_and_is_matched_anew_until_undone(
    database: Database,
) -> None:
    gear = Gear(database)
    old = gear.office.add_asset("switch", serial="FOC1", serial_key="FOC1")
    new = gear.office.add_asset("switch", serial="FOC2", serial_key="FOC2")
    await gear.says(1, "FOC1", mac(1, 2))
    assert await gear.read(MATCHES) == [(1, old, "serial")]

    gear.at_ms += 3 * DAY
    await gear.says(1, "FOC1", mac(1, 2))
    assert await gear.read(STANDING) == [(1, 1, "FOC1")]
    await gear.says(1, "FOC2", mac(3, 4))
    replaced = await gear.read(STANDING)
    assert replaced[0][2] == "FOC2"
    assert replaced[0][1] != 1
    assert await gear.read(MATCHES) == [(1, new, "serial")]
    assert await gear.read(FINDINGS) == [
        ("device_replaced", "device:SW-1", "SW-1 was FOC1 and is FOC2")
    ]

    await gear.decide(1, "same")
    await gear.look()
    assert [row[1] for row in await gear.read(STANDING)] == [1]
    assert await gear.read(MATCHES) == [(1, old, "serial")]
    assert await gear.read(FINDINGS) == []
    with pytest.raises(CannotSay):
        await gear.decide(1, "same")


async def test_what_is_told_of_a_swap_ends_by_a_word_or_by_a_fortnight_alone(
    database: Database,
) -> None:
    gear = Gear(database)
    for device, first, second in ((1, "FOC1", "FOC2"), (2, "FOC3", "FOC4")):
        await gear.says(device, first, mac(device, 10 + device))
        await gear.says(device, second, mac(20 + device, 30 + device))
    assert [row[1] for row in await gear.read(FINDINGS)] == ["device:SW-1", "device:SW-2"]

    await gear.decide(2, "other")
    assert [row[1] for row in await gear.read(FINDINGS)] == ["device:SW-1"]
    gear.at_ms += 13 * DAY
    await gear.says(1, "FOC2", mac(21, 31))
    assert [row[1] for row in await gear.read(FINDINGS)] == ["device:SW-1"]
    gear.at_ms += DAY
    await gear.says(1, "FOC2", mac(21, 31))
    assert await gear.read(FINDINGS) == []
    closed = await gear.read(
        "SELECT subject FROM finding WHERE closed_at_ms IS NOT NULL ORDER BY id"
    )
    assert closed == [("device:SW-1",), ("device:SW-2",)]


async def test_a_moved_switch_stays_what_it_is_and_takes_its_match_along(
    database: Database,
) -> None:
    gear = Gear(database)
    asset = gear.office.add_asset("switch", serial="FOC1", serial_key="FOC1")
    await gear.says(1, "FOC1", mac(1, 2))

    gear.at_ms += 2 * DAY
    await gear.says(2, "FOC1", mac(1, 2))
    assert await gear.read(STANDING) == [(2, 1, "FOC1")]
    assert await gear.read(MATCHES) == [(2, asset, "moved")]
    assert [row[0] for row in await gear.read(FINDINGS)] == ["device_moved"]

    with pytest.raises(CannotSay, match="not yours"):  # it would change a device of another unit
        await gear.decide(2, "same", units=(99,))
    assert await gear.read(STANDING) == [(2, 1, "FOC1")]
    await gear.decide(2, "same", units=(1,))
    assert [row[0] for row in await gear.read(STANDING)] == [1, 2]
    assert (await gear.read(MATCHES))[0][:2] == (1, asset)


async def test_one_that_was_just_heard_elsewhere_is_asked_again_later(database: Database) -> None:
    gear = Gear(database)
    await gear.says(1, "FOC1", mac(1, 2))
    gear.at_ms -= HOUR - 1
    await gear.says(2, "FOC1", mac(1, 2))
    async with database.transaction() as session:
        await session.execute("DELETE FROM device_hardware WHERE device_id = 2")
        await session.execute(
            "INSERT INTO device_hardware (device_id, hardware, valid_from, recorded_at_ms, serial,"
            " macs, decided_by, seen_at_ms) SELECT device_id, hardware, valid_from, recorded_at_ms,"
            " serial, macs, decided_by, seen_at_ms FROM device_hardware WHERE voided_at_ms IS NOT NULL"
        )
    await device_identity_now.run(database, gear.at_ms + 1000, unguarded)

    assert [row[0] for row in await gear.read(STANDING)] == [1]


async def test_a_twin_is_told_while_both_answer(database: Database) -> None:
    gear = Gear(database)
    await gear.says(1, "FOC1", mac(1, 2))
    async with database.transaction() as session:
        await session.execute("UPDATE device_now SET answered_at_ms = :at", at=gear.at_ms + DAY)
    await gear.says(2, "FOC1", mac(1, 2))
    gear.office.add_asset("switch", serial="FOC1", serial_key="FOC1")
    await gear.office.write_to(database)
    await gear.look()

    standing = await gear.read(STANDING)
    assert [row[0] for row in standing] == [1, 2]
    assert standing[0][1] != standing[1][1]
    assert [row[0] for row in await gear.read(FINDINGS)] == ["cloned_device"]
    assert [row[0] for row in await gear.read(MATCHES)] == [1]


async def test_a_doubt_is_a_persons_to_settle(database: Database) -> None:
    gear = Gear(database)
    await gear.says(1, "FOC1", mac(1, 2))
    await gear.says(1, "FOC2", mac(1, 2))
    assert await gear.read(STANDING) == [(1, 1, "FOC1")]
    assert [row[0] for row in await gear.read(FINDINGS)] == ["doubtful_device"]

    await gear.decide(1, "same")
    assert await gear.read(STANDING) == [(1, 1, "FOC2")]
    await gear.says(1, "FOC1", mac(1, 2))
    await gear.decide(1, "other")

    standing = await gear.read(STANDING)
    assert standing[0][2] == "FOC1"
    assert standing[0][1] != 1
    assert await gear.read(FINDINGS) == []


async def test_what_a_person_undid_is_not_matched_by_itself_again(database: Database) -> None:
    gear = Gear(database)
    gear.office.add_asset("switch", serial="FOC1", serial_key="FOC1", tag="SW-1")
    await gear.says(1, "FOC1", mac(1))
    async with database.transaction() as session:
        await session.execute("UPDATE device_match SET voided_at_ms = 1, voided_by = 'an'")
    await gear.look()
    async with database.reading() as session:
        (proposal,) = await match_device_now.propose(
            session, [1], Span(TUESDAY, MOMENT_MS * 2, TUESDAY), None
        )

    assert await gear.read(MATCHES) == []
    assert proposal.candidates == ()


async def test_a_name_like_the_sticker_proposes_and_decides_nothing(database: Database) -> None:
    gear = Gear(database)
    asset = gear.office.add_asset("switch", tag="sw 2", model="x")
    gear.office.add_custody(asset, 1)
    await gear.says(2, None, mac(5))
    async with database.reading() as session:
        (proposal,) = await match_device_now.propose(
            session, [2], Span(TUESDAY, MOMENT_MS * 2, TUESDAY), None
        )

    assert await gear.read(MATCHES) == []
    assert [reason.code for reason in proposal.candidates[0].reasons] == [
        "hostname", "unit", "kind",
    ]  # fmt: skip
