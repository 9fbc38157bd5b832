"""What breaks identity elsewhere: moved disks, swapped boards, docks, copied firmware, copied installs."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.identity import measure
from kiemke.server.daypack import Presence
from kiemke.server.db import Database, as_date
from kiemke.server.domain.identity_now import Resolver
from kiemke.server.domain.quarantine import aside_word
from tests.support.database import fresh_database
from tests.support.office import MOMENT_MS, TUESDAY, Office

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
UUID_A, UUID_B = "4c4c4544-0042-3510-8054-b7c04f4d3232", "8d3e21a0-55aa-4c1b-9d0e-2f6c7a8b9c0d"
PC_A = {
    "uuid": UUID_A, "serial": "AB12CD3", "board": "MB000001", "mac": "d4:be:d9:01:02:03",
    "disk": "WD0000001", "memory": "1A2B3C4D",
}  # fmt: skip
PC_B = {
    "uuid": UUID_B, "serial": "AB12CD4", "board": "MB000002", "mac": "d4:be:d9:0a:0b:0c",
    "disk": "WD0000002", "memory": "5E6F7A8B",
}  # fmt: skip


class Fleet:
    """Sources that show hardware at moments, and the resolver that looks at once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.resolver = Resolver(database)
        self.now_ms = MOMENT_MS

    async def begin(self, sources: int) -> None:
        office = Office()
        office.add_installation()
        office.add_unit()
        for _ in range(sources):
            office.add_source(1)
        await office.write_to(self.database)
        async with self.database.transaction() as session:
            await session.execute(
                "UPDATE source SET created_at_ms = 4000000000000, approved_at_ms = 1"
            )

    async def show(self, source: int, pc: dict[str, str], *macs: str, days: float = 1) -> None:
        """Let a source show a PC's hardware (and more adapters), ``days`` after what came before."""
        self.now_ms += int(days * DAY_MS)
        adapters = [
            {"kind": "ethernet", "permanent_mac": mac} for mac in (pc.get("mac"), *macs) if mac
        ]
        sections: dict[str, list[dict[str, Any]]] = {
            "system": [{"uuid": pc.get("uuid"), "serial": pc.get("serial")}],
            "board": [{"serial": pc.get("board")}],
            "disks": [{"serial": pc.get("disk")}],
            "memory": [{"size_bytes": 2**33, "serial": pc.get("memory")}],
            "adapters": adapters,
        }
        async with self.database.transaction() as session:
            for name, rows in sections.items():
                if any(value for row in rows for value in row.values()):
                    await session.execute(
                        "INSERT INTO source_section (source_id, section, status, rows_json,"
                        " observed_at_ms, changed_at_ms) VALUES (:source, :name, 'ok', :rows, :at,"
                        " :at) ON CONFLICT (source_id, section) DO UPDATE SET"
                        " rows_json = excluded.rows_json",
                        source=source, name=name, rows=json.dumps(rows), at=self.now_ms,
                    )  # fmt: skip
            await session.execute(
                "UPDATE source_now SET identity_changed_at_ms = :at, last_received_at_ms = :at"
                " WHERE source_id = :source",
                source=source, at=self.now_ms,
            )  # fmt: skip
            await session.execute(
                "UPDATE source SET created_at_ms = :at WHERE id = :source AND created_at_ms > :at",
                source=source, at=self.now_ms,
            )  # fmt: skip
        await self.look()

    async def hear(self, *sources: int) -> None:
        """Let sources be heard now, and look."""
        self.now_ms += HOUR_MS
        async with self.database.transaction() as session:
            await session.execute(
                "UPDATE source_now SET last_received_at_ms = :at WHERE source_id IN :[ids]",
                at=self.now_ms, ids=list(sources),
            )  # fmt: skip
        await self.look()

    async def look(self) -> None:
        await self.resolver.run(self.now_ms + 1)

    async def approve(self, *sources: int) -> None:
        self.now_ms += HOUR_MS
        async with self.database.transaction() as session:
            await session.execute(
                "UPDATE source SET state = 'approved', state_reason = NULL, approved_at_ms = :at"
                " WHERE id IN :[ids]",
                at=self.now_ms, ids=list(sources),
            )  # fmt: skip
        await self.look()

    async def machines(self) -> list[tuple[int, int, int]]:
        """Return (source, stay, machine)."""
        rows = await self.database.read(
            "SELECT source_id, stay, machine_id FROM machine_source WHERE voided_at_ms IS NULL"
            " ORDER BY source_id, stay"
        )
        return [(row["source_id"], row["stay"], row["machine_id"]) for row in rows]

    async def states(self) -> list[str]:
        rows = await self.database.read("SELECT state FROM source ORDER BY id")
        return [row["state"] for row in rows]

    async def aside(self, source: int) -> str | None:
        """Return why a source is set aside, as its own agent is told."""
        rows = await self.database.read(
            "SELECT state, state_reason FROM source WHERE id = :id", id=source
        )
        return aside_word(rows[0]["state"], rows[0]["state_reason"])

    async def findings(self, kind: str = "") -> list[dict[str, Any]]:
        rows = await self.database.read(
            "SELECT kind, subject, detail, evidence_json FROM finding WHERE closed_at_ms IS NULL"
        )
        return [row for row in rows if kind in row["kind"]]


@pytest.fixture
async def fleet(database: Database) -> Fleet:
    made = Fleet(database)
    await made.begin(5)
    return made


async def test_a_disk_that_moves_to_another_pc_takes_its_install_along_from_that_day(
    fleet: Fleet,
) -> None:
    await fleet.show(1, PC_A)
    await fleet.show(2, PC_B)
    await fleet.show(1, {**PC_B, "disk": PC_A["disk"]})
    await fleet.show(3, {**PC_A, "disk": "WD0000009"})

    rows = await fleet.database.read(
        "SELECT valid_from, valid_to FROM machine_source WHERE source_id = 1"
        " AND voided_at_ms IS NULL ORDER BY stay"
    )
    assert await fleet.machines() == [(1, 0, 1), (1, 1, 2), (2, 0, 2), (3, 0, 1)]
    assert as_date(rows[0]["valid_to"]) == as_date(rows[1]["valid_from"])


async def test_a_swapped_main_board_is_the_same_pc_where_the_memory_stayed(fleet: Fleet) -> None:
    new_board = {"uuid": UUID_B, "board": "MB000077", "mac": "1c:69:7a:00:00:01"}
    assembled = {**PC_A, "serial": "Default string"}
    await fleet.show(1, assembled)
    await fleet.show(1, {**assembled, **new_board})
    # The old board, repaired, in another case: not the first PC again.
    await fleet.show(2, {**assembled, "disk": "WD0000008", "memory": "99887766"})

    assert await fleet.machines() == [(1, 0, 1), (2, 0, 2)]


async def test_a_board_and_nothing_to_tell_whose_is_asked_and_not_guessed(fleet: Fleet) -> None:
    assembled = {**PC_A, "serial": "Default string", "memory": "00000000"}
    await fleet.show(1, assembled)
    await fleet.show(
        1, {**assembled, "uuid": UUID_B, "board": "MB000077", "mac": "1c:69:7a:00:00:01"}
    )

    asked = (await fleet.findings())[0]
    assert await fleet.machines() == [(1, 0, 1), (1, 1, 2)]
    assert (asked["kind"], asked["subject"]) == ("doubtful_machine", "machine:1,2")
    assert "disk serial agrees +20" in asked["detail"]


async def test_reimage_new_disk_new_memory_and_byte_order_are_the_same_pc(fleet: Fleet) -> None:
    swapped = "44454c4c-4200-1035-8054-b7c04f4d3232"
    await fleet.show(1, PC_A)
    await fleet.show(2, {**PC_A, "disk": "WD0000005", "memory": "77777771", "uuid": swapped})
    await fleet.show(3, {**PC_A, "disk": "WD0000006", "memory": "77777772"})

    assert {machine for _, _, machine in await fleet.machines()} == {1}


async def test_a_dock_seen_with_two_laptops_is_an_adapter_of_its_own_and_no_key(
    fleet: Fleet,
) -> None:
    dock = "00:50:b6:12:34:56"
    await fleet.show(1, PC_A, dock)
    await fleet.show(2, PC_B, dock)
    # A PC of which nothing else is known sits at the same dock.
    await fleet.show(3, {"mac": dock})

    shared = await fleet.database.read("SELECT mac FROM shared_adapter")
    assert [row["mac"] for row in shared] == ["0050B6123456"]
    assert len({machine for _, _, machine in await fleet.machines()}) == 3


async def test_two_live_pcs_with_one_firmware_are_set_aside_until_both_are_approved(
    fleet: Fleet,
) -> None:
    copy = {**PC_A, "mac": PC_B["mac"], "disk": PC_B["disk"], "memory": PC_B["memory"]}
    await fleet.show(1, PC_A)
    await fleet.show(2, copy)
    await fleet.hear(1, 2)

    finding = (await fleet.findings("cloned_identity"))[0]
    evidence = json.loads(finding["evidence_json"])
    assert (await fleet.states())[:2] == ["quarantined", "quarantined"]
    assert await fleet.aside(1) == await fleet.aside(2) == "same_parts"
    assert await fleet.machines() == [(1, 0, 1), (2, 0, 2)]
    assert finding["subject"] == "machine:1,2"
    assert {"kind": "mac", "result": "differs", "points": -20, "here": ["D4BED9010203"],
            "there": ["D4BED90A0B0C"]} in evidence["lines"]  # fmt: skip

    await fleet.approve(1)
    assert len(await fleet.findings("cloned_identity")) == 1
    await fleet.approve(2)
    await fleet.hear(1, 2)
    assert (await fleet.states())[:2] == ["approved", "approved"]
    assert await fleet.aside(1) is None
    assert await fleet.findings() == []


async def test_copies_that_were_on_at_once_are_set_aside_without_waiting_to_be_heard(
    fleet: Fleet,
) -> None:
    async with fleet.database.transaction() as session:
        for source in (1, 2):
            await session.execute(
                "INSERT INTO presence_day (source_id, day, packed, slots, trusted_slots,"
                " changed_at_ms) VALUES (:source, :day, :packed, 9, 9, 0)",
                source=source, day=TUESDAY, packed=Presence(511 << 100, 511 << 100).pack(),
            )  # fmt: skip
    await fleet.show(1, PC_A, days=0)
    copy = {**PC_A, "mac": PC_B["mac"], "disk": PC_B["disk"], "memory": PC_B["memory"]}
    await fleet.show(2, copy, days=0)

    assert (await fleet.states())[:2] == ["quarantined", "quarantined"]


async def test_a_serial_on_a_whole_batch_turns_out_worthless_and_lets_everyone_in_again(
    fleet: Fleet,
) -> None:
    batch = [
        {"uuid": UUID_A, "serial": "BATCH-7", "disk": f"WD000010{n}", "memory": f"1A2B3C4{n}",
         "mac": f"d4:be:d9:01:02:0{n}"}
        for n in range(1, 6)
    ]  # fmt: skip
    for source in (1, 2, 3):
        await fleet.show(source, batch[source - 1])
    await fleet.hear(1, 2, 3)
    early = (await fleet.states())[:3]
    for source in (4, 5):
        await fleet.show(source, batch[source - 1])
    await fleet.hear(1, 2, 3, 4, 5)
    await fleet.look()

    assert "quarantined" in early
    assert await fleet.states() == ["approved"] * 5
    assert len({machine for _, _, machine in await fleet.machines()}) == 5
    assert await fleet.findings() == []


async def test_an_install_that_is_back_on_the_pc_it_left_runs_on_both(fleet: Fleet) -> None:
    await fleet.show(1, PC_A)
    await fleet.show(1, PC_B)
    await fleet.show(1, PC_A)

    finding = (await fleet.findings("cloned_install"))[0]
    assert await fleet.aside(1) == "copied_disk"
    assert finding["subject"] == "source:s1"
    assert json.loads(finding["evidence_json"])["machines"] == [1, 2]


async def test_two_systems_of_one_pc_that_take_turns_are_no_clones(fleet: Fleet) -> None:
    async with fleet.database.transaction() as session:
        for source, first in ((1, 90), (2, 150)):
            await session.execute(
                "INSERT INTO presence_day (source_id, day, packed, slots, trusted_slots,"
                " changed_at_ms) VALUES (:source, :day, :packed, 9, 9, 0)",
                source=source, day=TUESDAY + timedelta(days=1),
                packed=Presence(511 << first, 511 << first).pack(),
            )  # fmt: skip
    await fleet.show(1, PC_A)
    await fleet.show(2, PC_A)
    await fleet.hear(1)
    await fleet.hear(2)

    assert (await fleet.states())[:2] == ["approved", "approved"]
    assert await fleet.machines() == [(1, 0, 1), (2, 0, 1)]


async def test_a_randomised_mac_and_a_usb_disk_join_nobody(fleet: Fleet) -> None:
    for source in (1, 2):
        await fleet.show(source, {"mac": "da:be:d9:01:02:03"})

    assert len({machine for _, _, machine in await fleet.machines()}) == 2


async def test_what_is_known_survives_a_new_leader(fleet: Fleet) -> None:
    await fleet.show(1, PC_A)
    await fleet.show(1, {**PC_A, "disk": "WD0000005"})
    fleet.resolver = Resolver(fleet.database)
    await fleet.show(2, {**PC_A, "disk": "WD0000006"})

    gone = await fleet.database.read("SELECT value FROM source_evidence WHERE gone_ms IS NOT NULL")
    assert await fleet.machines() == [(1, 0, 1), (2, 0, 1)]
    assert [row["value"] for row in gone] == ["WD0000001"]


@pytest.mark.parametrize(("seed", "mix"), [(1, "standard"), (2, "copies")])
async def test_a_small_fleet_over_two_years_is_known_as_it_is(
    tmp_path: Path, seed: int, mix: str
) -> None:
    """The whole one, 2,000 PCs over ten years, is `make bench ARGS=identity`."""
    async with fresh_database("sqlite", tmp_path, None) as database:
        found = await measure(database, pcs=120, years=2, seed=seed, mix=mix)

    assert found.merged == 0, found.examples
    assert found.split <= 1, found.examples
    assert found.shared_adapters == found.docks
