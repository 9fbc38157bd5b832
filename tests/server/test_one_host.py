"""Forty made-up PCs on one PC are found, honest offices that look alike are not."""

import json
import random
from dataclasses import replace

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.one_host import HostRules, Suspect, find_one_host
from kiemke.server.domain.one_host_now import Watch
from kiemke.server.domain.quarantine import aside_word
from tests.support.office import MOMENT_MS, Office

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
GIB = 2**30
RULES = HostRules(
    {"boot_id": 100, "counters": 50, "parts": 60, "memory": 60, "boots": 25, "in_step": 20,
     "address": 10, "enrolled": 10},
    enough=60,
    fewest=4,
)  # fmt: skip


def honest_office(seed: int, pcs: int = 40, days: int = 15) -> list[Suspect]:
    """One model behind one address, enrolled in one go, switched on at one breaker each morning."""
    chance = random.Random(seed)
    mornings = [MOMENT_MS - day * DAY_MS for day in range(1, days + 1)]
    return [
        Suspect(
            source=n,
            created_ms=MOMENT_MS - 15 * DAY_MS + n * 3000,
            heard_ms=MOMENT_MS - chance.randrange(300_000),
            address="203.0.113.7",
            # Windows takes the moment for an identifier: honest PCs share it.
            boots={f"boot-{m // 120_000}": m + round(chance.gauss(0, 1500)) for m in mornings},
            octets=(chance.randrange(10**8, 4 * 10**10), chance.randrange(10**7, 4 * 10**9)),
            memory_bytes=8 * GIB - 91_234_304,
            modules_bytes=8 * GIB,
            parts=frozenset({("mac", f"D4BED9{n:06X}"), ("disk", f"WD{n:08d}")}),
        )
        for n in range(1, pcs + 1)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_an_honest_office_behind_one_address_with_one_model_and_one_breaker_is_let_be(
    seed: int,
) -> None:
    assert find_one_host(honest_office(seed), RULES) == []


def made_up(like: list[Suspect], *, first: int = 101, count: int = 40) -> list[Suspect]:
    """Agents with hardware made up one by one, which tell the host's own uptime and counters."""
    booted = MOMENT_MS - 3 * DAY_MS - 1234
    return [
        replace(
            like[n % len(like)],
            source=first + n,
            created_ms=MOMENT_MS - DAY_MS + n * 1000,
            heard_ms=MOMENT_MS - n * 50,
            boots={f"made-up-{n}": booted + n % 7 * 20},
            octets=(5_000_000_000 + n * 1000, 700_000_000 + n * 100),
            parts=frozenset({("mac", f"1C697A{n:06X}"), ("disk", f"FAKE{n:06d}")}),
        )
        for n in range(count)
    ]


def test_forty_made_up_pcs_among_an_honest_office_are_one_and_nobody_else_is() -> None:
    office = honest_office(1)

    found = find_one_host([*office, *made_up(office)], RULES)

    assert [host.sources for host in found] == [tuple(range(101, 141))]
    assert {"counters", "boots", "in_step", "address", "enrolled"} == set(found[0].signs)


def test_two_agents_of_one_kernel_boot_are_one_host_whatever_else_they_say() -> None:
    boot = {"6f1c2f60-1b1d-4c38-9d1e-0c7d1b6f1a11": MOMENT_MS - DAY_MS}
    office = honest_office(2, pcs=2)
    pair = [replace(one, boots=boot, heard_ms=n * HOUR_MS) for n, one in enumerate(office)]

    assert [host.signs for host in find_one_host(pair, RULES)] == [{"boot_id": 100}]


def test_one_set_of_parts_under_several_names_is_one_host() -> None:
    parts = frozenset({("mac", "D4BED9000001"), ("disk", "WD1"), ("memory", "A1B2C3D4")})
    office = honest_office(3, pcs=3)

    found = find_one_host([replace(one, parts=parts) for one in office], RULES)

    assert [host.signs for host in found] == [{"parts": 60}]


def test_one_system_that_sees_one_memory_and_tells_many_sizes_is_one_host() -> None:
    office = honest_office(4, pcs=8)
    sizes = (4, 8, 16, 32)
    told = [replace(s, modules_bytes=sizes[n % 4] * GIB) for n, s in enumerate(office)]

    # Two of the eight tell what their system sees: they may be honest PCs of the host's model.
    assert [len(host.sources) for host in find_one_host(told, RULES)] == [6]


def test_an_honest_pc_of_the_hosts_model_is_let_be() -> None:
    office = honest_office(6, pcs=7)
    sizes = (16, 32)
    told = [replace(s, modules_bytes=sizes[n % 2] * GIB) for n, s in enumerate(office[1:])]

    found = find_one_host([office[0], *told], RULES)

    assert [host.sources for host in found] == [tuple(one.source for one in told)]


def test_one_pc_whose_firmware_forgets_a_module_is_no_reason() -> None:
    office = honest_office(5, pcs=8)

    assert find_one_host([replace(office[0], modules_bytes=4 * GIB), *office[1:]], RULES) == []


def install_on_one_pc(office: Office, count: int) -> None:
    """Add agents of one token that tell one adapter's counters and one boot."""
    for n in range(count):
        source = office.add_source(1, heard_ms=MOMENT_MS - n)
        office.waiting["source"][-1]["token_id"] = 1
        office.waiting["source"][-1]["created_at_ms"] = MOMENT_MS - DAY_MS + n
        sample = {"adapters": [{"name": "e", "receive_octets": str(9 * 10**9 + n),
                                "transmit_octets": 10**9}], "memory_total_bytes": 8 * GIB}  # fmt: skip
        office.waiting["source_now"][-1] |= {"last_sample_json": json.dumps(sample)}
        office.add(
            "source_boot", source_id=source, boot_id=f"b{n}", offset_ms=0,
            booted_at_ms=MOMENT_MS - DAY_MS + n, updated_at_ms=MOMENT_MS,
        )  # fmt: skip


async def test_a_group_is_set_aside_with_its_signs_and_a_person_may_let_it_in(
    database: Database,
) -> None:
    office = Office()
    office.add_installation()
    office.add_unit()
    install_on_one_pc(office, 6)
    await office.write_to(database)
    watch = Watch(database)

    first = await watch.run(MOMENT_MS + 1)
    findings = await database.read("SELECT subject, detail, evidence_json FROM finding")
    states = await database.read("SELECT state, state_reason FROM source")
    async with database.transaction() as session:
        await session.execute(
            "UPDATE source SET state = 'approved', approved_at_ms = :at", at=MOMENT_MS + 2
        )
    again = await watch.run(MOMENT_MS + 3)

    assert (first, again) == (6, 0)
    assert {aside_word(row["state"], row["state_reason"]) for row in states} == {"one_host"}
    assert str(states[0]["state_reason"]).startswith("6 agents on one PC: counters +50, boots +25")
    assert [row["subject"] for row in findings] == ["source:s1"]
    assert "pc-1, pc-2" in findings[0]["detail"]
    assert json.loads(findings[0]["evidence_json"])["points"] == 105


async def test_who_speaks_up_after_the_rest_was_set_aside_is_set_aside_with_it(
    database: Database,
) -> None:
    office = Office()
    office.add_installation()
    office.add_unit()
    install_on_one_pc(office, 6)
    late = office.waiting["source_now"][-1]
    sample, late["last_sample_json"] = late["last_sample_json"], None
    boot = office.waiting["source_boot"].pop()
    await office.write_to(database)
    watch = Watch(database)

    first = await watch.run(MOMENT_MS + 1)
    async with database.transaction() as session:
        await session.execute(
            "UPDATE source_now SET last_sample_json = :sample WHERE source_id = 6", sample=sample
        )
        await session.execute(
            "INSERT INTO source_boot (source_id, boot_id, offset_ms, booted_at_ms, updated_at_ms)"
            " VALUES (:source_id, :boot_id, :offset_ms, :booted_at_ms, :updated_at_ms)",
            **boot,
        )
    second = await watch.run(MOMENT_MS + 2)
    third = await watch.run(MOMENT_MS + 3)
    findings = await database.read("SELECT subject, detail, evidence_json FROM finding")

    assert (first, second, third) == (5, 1, 0)
    assert [row["subject"] for row in findings] == ["source:s1"]
    assert len(json.loads(findings[0]["evidence_json"])["sources"]) == 6
