"""Configurations by version: kept when they really changed, whatever order the reports come in."""

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain import host_keys
from kiemke.server.ingest.writer import Writer
from kiemke.server.resources.device_configs import _compare
from kiemke.wire.config_text import pack, unpack
from kiemke.wire.host_key import shown
from kiemke.wire.report import Body, Config, ConfigAccess, Device, DeviceIdentity, DevicePart
from tests.support.reporting import NOW_MS, Sender, add_source, insert

DAY = 86_400_000


async def add_device(database: Database, sender: Sender, code: str = "SW-1") -> int:
    async with database.transaction() as session:
        source = await session.one("SELECT unit_id FROM source WHERE id = :i", i=sender.source_id)
        assert source is not None
        return await insert(
            session, "device", code=code, name="Switch", search_key="switch", kind="switch",
            unit_id=source["unit_id"], collector_id=sender.source_id, port=161, created_at_ms=0,
        )  # fmt: skip


def make_key(last: bytes) -> str:
    head = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
    return "ssh-ed25519 " + b64encode(head + last * 32).decode()


KEY, OTHER_KEY = make_key(b"1"), make_key(b"2")


def config(device: int, text: str, **fields: Any) -> Config:
    return replace(
        Config(
            device, "ok", "cisco_ios", host_key=KEY, facts={"model": "C9200"}, masked=3,
            digest=sha256(text.encode()).hexdigest(), packed=pack(text),
        ),
        **fields,
    )  # fmt: skip


async def send(writer: Writer, sender: Sender, *reports: tuple[str, Body, int]) -> None:
    for kind, body, at_ms in reports:
        answer = await writer.submit(sender.batch([sender.report(kind, body, at_ms)]))
        assert answer.rejected == []


async def versions(database: Database) -> list[tuple[str, int, int]]:
    rows = await database.read("SELECT * FROM device_config ORDER BY read_at_ms")
    return [(r["text"], r["read_at_ms"], r["seen_at_ms"]) for r in rows]


async def keys(database: Database) -> list[tuple[str, bool, bool]]:
    """Return (key, was ever believed, ended) in the order they came."""
    rows = await database.read("SELECT * FROM device_host_key ORDER BY id")
    return [
        (r["host_key"], r["pinned_at_ms"] is not None, r["ended_at_ms"] is not None) for r in rows
    ]


async def findings(database: Database) -> list[tuple[str, bool]]:
    rows = await database.read("SELECT kind, closed_at_ms FROM finding ORDER BY id")
    return [(row["kind"], row["closed_at_ms"] is None) for row in rows]


async def test_only_a_real_change_makes_a_version_and_a_finding(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)
    told = [("a\n", 10), ("a\n", 9), ("b\n", 8), ("b\n", 1), ("b\n", 0)]

    await writer.submit(
        sender.batch(
            [sender.report("config", config(device, t), NOW_MS - days * DAY) for t, days in told]
        )
    )

    assert await versions(database) == [
        ("a\n", NOW_MS - 10 * DAY, NOW_MS - 9 * DAY),
        ("b\n", NOW_MS - 8 * DAY, NOW_MS),
    ]
    # Opened by the change, closed when nothing had changed for a week.
    assert await findings(database) == [("config_changed", False)]


async def test_late_reports_fall_into_their_place(writer: Writer, database: Database) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)

    for text, days in [("a\n", 9), ("c\n", 1), ("b\n", 5), ("c\n", 3), ("a\n", 8)]:
        report = sender.report("config", config(device, text), NOW_MS - days * DAY)
        await writer.submit(sender.batch([report]))

    assert await versions(database) == [
        ("a\n", NOW_MS - 9 * DAY, NOW_MS - 8 * DAY),
        ("b\n", NOW_MS - 5 * DAY, NOW_MS - 5 * DAY),
        ("c\n", NOW_MS - 3 * DAY, NOW_MS - DAY),
    ]


async def test_a_late_report_amid_a_version_parts_it(writer: Writer, database: Database) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)

    for text, days in [("a\n", 9), ("a\n", 1), ("b\n", 5)]:
        await send(writer, sender, ("config", config(device, text), NOW_MS - days * DAY))

    assert await versions(database) == [
        ("a\n", NOW_MS - 9 * DAY, NOW_MS - 9 * DAY),
        ("b\n", NOW_MS - 5 * DAY, NOW_MS - 5 * DAY),
        ("a\n", NOW_MS - DAY, NOW_MS - DAY),
    ]


async def test_another_host_key_waits_for_a_person_and_goes_when_the_old_is_back(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)
    refused = Config(device, "host_key", "cisco_ios", "the host key changed", OTHER_KEY)

    await send(writer, sender, ("config", config(device, "a\n"), NOW_MS - 2 * DAY))
    await send(writer, sender, ("config", refused, NOW_MS - DAY))
    before = await findings(database), await keys(database)
    await send(writer, sender, ("config", config(device, "a\n"), NOW_MS))

    assert before == (
        [("host_key_changed", True)],
        [(KEY, True, False), (OTHER_KEY, False, False)],
    )
    assert await findings(database) == [("host_key_changed", False)]
    assert await keys(database) == [(KEY, True, False), (OTHER_KEY, False, True)]


async def test_an_accepted_key_ends_the_one_before(writer: Writer, database: Database) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)
    refused = Config(device, "host_key", "cisco_ios", "the host key changed", OTHER_KEY)
    await send(writer, sender, ("config", config(device, "a\n"), NOW_MS - 2 * DAY))
    await send(writer, sender, ("config", refused, NOW_MS - DAY))

    async with database.transaction() as session:
        none = await host_keys.accept(session, device, "SW-1", "SHA256:x", who="an", now_ms=NOW_MS)
        done = await host_keys.accept(session, device, "SW-1", None, who="an", now_ms=NOW_MS)

    assert (none, done) == (None, (shown(OTHER_KEY), shown(KEY)))
    assert await findings(database) == [("host_key_changed", False)]
    assert await keys(database) == [(KEY, True, True), (OTHER_KEY, True, False)]


async def test_what_ssh_told_stands_where_snmp_tells_nothing_and_is_named(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)
    facts = {"vendor": "Cisco", "model": "C9200", "serial": "FCW1"}
    by_snmp = DeviceIdentity(True, vendor="Cisco Systems", version="17.3")
    seen: list[Any] = []
    for kind, body in (
        ("config", config(device, "a\n", facts=facts)),
        ("device", Device(device, "timeout")),
        ("device", Device(device, "ok", identity=by_snmp)),
        ("device", Device(device, "ok", identity=replace(by_snmp, serial="SN-SNMP"))),
        ("config", config(device, "a\n", facts=facts | {"model": "C9300"})),
    ):
        await send(writer, sender, (kind, body, NOW_MS + len(seen)))
        rows = await database.read("SELECT vendor, model, version, serial, by_ssh FROM device_now")
        seen += [tuple(row.values()) for row in rows]

    assert seen == [
        ("Cisco", "C9200", None, "FCW1", "vendor,model,serial,"),
        ("Cisco Systems", "C9200", "17.3", "FCW1", "model,serial,"),
        ("Cisco Systems", "C9200", "17.3", "SN-SNMP", "model,"),
        ("Cisco Systems", "C9300", "17.3", "SN-SNMP", "model,"),
    ]


async def test_a_visit_that_failed_takes_back_nothing_an_earlier_one_told(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)
    access = ConfigAccess("kiemke", True, ("admin", "kiemke"), 1)
    parts = (DevicePart("Chassis", model="C9200", serial="FCW1"),)
    whole = config(device, "a\n", access=access, parts=parts, ports=())
    failed = Config(device, "auth", "cisco_ios", "refused", KEY)

    await send(writer, sender, ("config", whole, NOW_MS - DAY), ("config", failed, NOW_MS))

    (row,) = await database.read("SELECT * FROM device_ssh")
    assert (row["outcome"], row["detail"], row["visited_at_ms"]) == ("auth", "refused", NOW_MS)
    assert (row["model"], row["fetched_at_ms"]) == ("C9200", NOW_MS - DAY)
    assert json.loads(row["parts_json"]) == [
        {"name": "Chassis", "model": "C9200", "serial": "FCW1"}
    ]
    assert (row["ports_json"], bool(row["may_configure"]), row["snmp_writers"]) == ("[]", True, 1)


async def test_another_collectors_device_and_a_broken_text_are_set_aside(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    other = await add_source(database, kind="collector")
    device = await add_device(database, sender)
    broken = Config(device, "ok", "linux", digest="0" * 64, packed=("AAAA",))

    foreign = await writer.submit(
        other.batch([other.report("config", config(device, "a\n"), NOW_MS)])
    )
    bad = await writer.submit(sender.batch([sender.report("config", broken, NOW_MS)]))

    assert "not assigned" in foreign.rejected[0][2]
    assert "not a packed configuration" in bad.rejected[0][2]
    assert await versions(database) == []


def test_a_configuration_keeps_its_indents_on_the_wire_and_loses_what_is_invisible() -> None:
    text = "interface 1\n  description Xã Tân\u202e Lập\x1b[31m\n\n\tname x  \n"

    packed = pack(text)

    assert unpack(packed) == "interface 1\n  description Xã Tân Lập[31m\n\n        name x\n"
    assert all(len(line) <= 900 for line in packed)
    for broken in (("@",), packed[:-1], (*packed, packed[0]), ("A" * 901,)):
        with pytest.raises(ValueError, match="configuration"):
            unpack(broken)


async def test_ever_new_keys_fill_no_database(database: Database) -> None:
    sender = await add_source(database, kind="collector")
    device = await add_device(database, sender)
    (row,) = await database.read("SELECT unit_id FROM device")
    for n in range(host_keys.MOST_UNBELIEVED + 5):
        told = host_keys.Shown(
            device, "SW-1", row["unit_id"], sender.source_id, make_key(bytes([n])), NOW_MS + n,
            refused=n > 0,
        )  # fmt: skip
        async with database.transaction() as session:
            await host_keys.note(session, told, NOW_MS + n)
    rows = await database.read("SELECT pinned_at_ms FROM device_host_key ORDER BY id")

    assert len(rows) == host_keys.MOST_UNBELIEVED + 1
    assert [row["pinned_at_ms"] is None for row in rows] == [False, *[True] * (len(rows) - 1)]


def test_two_long_texts_of_few_lines_are_told_apart_at_once() -> None:
    """Each line of one is equal to thousands of the other: the best fit would take hours."""
    old, new = (
        ["same", *(f"line {n % step}" for n in range(20_000)), "end"] for step in (150, 170)
    )

    lines = _compare("\n".join(old), "\n".join(new))

    assert lines[0] == "@@ -152,19850 +152,19850 @@"
    assert [line[0] for line in lines[1:]] == ["-"] * 19_850 + ["+"] * 19_850
