"""Who is connected to whom, and on which port a PC is: judged as it was, seen by who may see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Session
from kiemke.server.domain import lan_findings
from kiemke.server.domain.lan_fixes import fix_of
from kiemke.server.domain.lan_ports import judge
from kiemke.server.ingest.writer import Writer
from kiemke.wire.lan import LanAddress, LanHost, Neighbour, Neighbours, Station, Sweep
from kiemke.wire.report import Body, Device, InterfaceReading, Interfaces
from tests.server.test_findings_scope import make_tree
from tests.server.test_ingest_lan import add_subnets
from tests.support.api import Api, running_api
from tests.support.reporting import NOW_MS, Sender, add_source, insert

HOUR = 3_600_000
BEGIN = NOW_MS - 20 * HOUR
PC, PHONE, PRINTER = "02:00:00:00:00:01", "80:5e:c0:00:00:02", "02:00:00:00:00:03"
MAC_A, MAC_B = "0c:00:00:00:00:0a", "0c:00:00:00:00:0b"
COMMUNE, OTHER, OFFICE = 2, 3, 4
BEGIN_DAY = date(2020, 1, 1)


async def nothing(session: Session) -> None:
    """Let it write: no other leader is about."""


@dataclass(slots=True)
class Lan:
    """A commune with two switches, A above B, and their collector."""

    api: Api
    writer: Writer
    collector: Sender
    a: int = 0
    b: int = 0

    async def tell(self, kind: str, body: Body, hour: float = 0) -> None:
        """Report something so many hours after BEGIN."""
        at = round(BEGIN + hour * HOUR)
        batch = self.collector.batch([self.collector.report(kind, body, at)], at)
        assert (await self.writer.submit(batch)).rejected == []

    async def add_switch(self, code: str, address: str, unit: int) -> int:
        """Register a switch polled by the collector."""
        async with self.api.services.db.transaction() as session:
            return await insert(
                session, "device", code=code, name=f"Switch {code}", search_key=code.lower(),
                kind="switch", unit_id=unit, collector_id=self.collector.source_id, port=161,
                address=address, created_at_ms=0,
            )  # fmt: skip

    async def get(self, path: str, unit: int | None = None, **asked: Any) -> Any:
        """Return what an auditor of the unit is answered."""
        async with await self.api.signed_in("auditor", unit) as client:
            answer = await client.get(f"/api/v1{path}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def findings(self) -> dict[str, tuple[str, str]]:
        """Return the open findings of local networks by kind, with subject and detail."""
        await lan_findings.run(self.api.services.db, NOW_MS, nothing)
        rows = await self.api.services.db.read(
            "SELECT kind, subject, detail FROM finding WHERE closed_at_ms IS NULL"
        )
        return {row["kind"]: (row["subject"], row["detail"]) for row in rows}


def port(index: int, name: str, mac: str | None, **facts: Any) -> InterfaceReading:
    return InterfaceReading(index, name, mac=mac, oper_up=True, **facts)


def beside(local: str, index: int, mac: str, far: str, name: str, **facts: Any) -> Neighbour:
    return Neighbour(
        "lldp", local, index, mac, "mac", far, "name", name=name, abilities=("bridge",), **facts
    )


@pytest.fixture
async def lan(database_url: str, tmp_path: Path) -> AsyncIterator[Lan]:
    async with running_api(database_url, tmp_path) as api:
        await api.write(make_tree())
        api.clock.now_ms = NOW_MS
        database = api.services.db
        writer = Writer(database, 7 * 3600, group_milliseconds=1)
        await writer.start()
        made = Lan(api, writer, await add_source(database, kind="collector", unit=COMMUNE))
        made.a = await made.add_switch("SW-A", "10.0.0.2", COMMUNE)
        made.b = await made.add_switch("SW-B", "10.0.0.3", COMMUNE)
        speeds = {"speed_bits_per_second": 10**9}
        for device, mac, duplex in ((made.a, MAC_A, "full"), (made.b, MAC_B, "half")):
            rows = (port(1, "ge1", mac, **speeds), port(24, "ge24", None, duplex=duplex, **speeds))
            await made.tell("interfaces", Interfaces(device, "ok", 100.0, rows))
        yield made
        await writer.stop()


async def tell_tables(lan: Lan, hour: float = 0, pc_port: str = "ge1") -> None:
    """A sees B by LLDP on ge24, B sees A; the PC is on B, and A learns it on its uplink."""
    b_stations = (Station(PC, pc_port, 1, 10), Station(MAC_A, "ge24", 24, 1))
    await lan.tell("neighbours", Neighbours(
        lan.a, "ok", (beside("ge24", 24, MAC_B, "ge24", "sw-b"),),
        (Station(PC, "ge24", 24, 10), Station(PRINTER, "ge1", 1, 10)),
        (LanAddress("10.0.0.7", PC, 1),)), hour)  # fmt: skip
    await lan.tell("neighbours", Neighbours(
        lan.b, "ok", (beside("ge24", 24, MAC_A, "ge24", "sw-a"),), b_stations, ()), hour)  # fmt: skip


async def test_one_cable_is_told_once_with_both_ends_and_a_duplex_that_differs(lan: Lan) -> None:
    await tell_tables(lan)

    found = await lan.get("/topology")

    (cable,) = found["cables"]
    ends = {(end["device"], end["port"], end["duplex"]) for end in (cable["near"], cable["far"])}
    assert ends == {("SW-A", "ge24", "full"), ("SW-B", "ge24", "half")}
    assert "duplex_mismatch" in cable["troubles"]
    assert [device["code"] for device in found["devices"]] == ["SW-A", "SW-B"]
    subject, detail = (await lan.findings())["duplex_mismatch"]
    assert subject == "port:SW-A:ge24"
    assert "SW-A ge24 (1000 Mbit/s full) ↔ SW-B ge24 (1000 Mbit/s half)" in detail


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_device_that_tells_of_no_neighbour_is_drawn_on_the_port_of_its_own(
    lan: Lan,
) -> None:
    """Its MAC is the one at its address; behind a hub with others it is no cable's end."""
    await lan.add_switch("IN-1", "10.0.0.7", COMMUNE)
    await lan.add_switch("IN-2", "10.0.0.9", COMMUNE)  # of its address a sweep alone knows the MAC
    await add_subnets(lan.api.services.db, lan.collector, ("10.0.0.0/24", False))
    host = LanHost("10.0.0.9", PRINTER, ("icmp",))
    await lan.tell("sweep", Sweep(COMMUNE, "ok", ("10.0.0.0/24",), 254, 2, 30.0, (host,)))
    await tell_tables(lan)
    alone = (await lan.get("/topology"))["cables"]
    crowd = tuple(Station(f"02:00:00:00:01:{n:02x}", "ge1", 1, 10) for n in range(4))
    beyond = Neighbours(lan.b, "ok", (beside("ge24", 24, MAC_A, "ge24", "sw-a"),),
                        (Station(PC, "ge1", 1, 10), *crowd), ())  # fmt: skip
    await lan.tell("neighbours", beyond, 1)
    crowded = (await lan.get("/topology"))["cables"]

    placed, swept = [cable for cable in alone if cable["protocols"] == ["fdb"]]
    assert (placed["near"]["device"], placed["near"]["port"]) == ("SW-B", "ge1")
    assert placed["near"]["speed_bits_per_second"] == 10**9
    assert (placed["far"]["device"], placed["far"]["port"]) == ("IN-1", None)
    assert (swept["near"]["device"], swept["near"]["port"]) == ("SW-A", "ge1")
    assert swept["far"]["device"] == "IN-2"
    assert [cable["protocols"] for cable in crowded] == [["lldp"], ["fdb"]]


async def test_a_neighbour_is_known_by_mac_or_address_and_never_by_its_name(lan: Lan) -> None:
    named = Neighbour("lldp", "ge1", 1, "sw-b", "local", "ge24", "name", name="SW-B",
                      abilities=("bridge",))  # fmt: skip
    cdp = Neighbour("cdp", "ge1", 1, "SW-B.x", "local", "ge24", "name", name="SW-B.x",
                    addresses=("10.0.0.3",), abilities=("bridge",), duplex="half")  # fmt: skip
    await lan.tell("neighbours", Neighbours(lan.a, "ok", (named,), (), ()))
    (stranger,) = (await lan.get("/topology"))["cables"]
    await lan.tell("neighbours", Neighbours(lan.a, "ok", (cdp,), (), ()), 1)
    (known,) = (await lan.get("/topology"))["cables"]

    assert (stranger["far"]["device"], stranger["far"]["name"]) == (None, "SW-B")
    assert (known["far"]["device"], known["protocols"]) == ("SW-B", ["cdp"])


async def test_a_pc_is_on_the_port_of_its_own_and_not_on_the_uplinks(lan: Lan) -> None:
    for hour, name in ((0, "ge1"), (1, "ge1"), (2, "ge2"), (3, "ge2")):
        await tell_tables(lan, hour, name)

    found = await lan.get(f"/whereabouts/{PC}")
    by_address = await lan.get("/whereabouts/10.0.0.7")
    earlier = await lan.get(f"/whereabouts/{PC}", known_at="2026-11-21T09:30:00Z")

    places = [
        (each["device"], each["port"], each["role"], each["until"]) for each in found["places"]
    ]
    assert places == [
        ("SW-B", "ge2", "access", None),
        ("SW-B", "ge1", "access", "2026-11-21T10:00:00.000Z"),
    ]
    assert (found["kind"], found["addresses"]) == ("mac", ["10.0.0.7"])
    assert by_address["places"] == found["places"]
    assert [(each["port"], each["until"]) for each in earlier["places"]] == [("ge1", None)]


async def test_a_machine_is_found_by_its_agents_macs_and_a_dock_is_told_as_one(lan: Lan) -> None:
    agent = await add_source(lan.api.services.db, unit=COMMUNE)
    async with lan.api.services.db.transaction() as session:
        await session.execute(
            "UPDATE source SET hostname = 'PC-VP-01' WHERE id = :id", id=agent.source_id
        )
        machine = await insert(session, "machine", created_at_ms=0)
        await insert(session, "machine_source", machine_id=machine, source_id=agent.source_id,
                     stay=0, decided_by="new", evidence_json="{}", valid_from=BEGIN_DAY,
                     recorded_at_ms=0)  # fmt: skip
        for kind, mac in (("mac", PC), ("plugged", PRINTER)):
            await insert(session, "source_evidence", source_id=agent.source_id, stay=0, kind=kind,
                         value=mac.replace(":", "").upper(), first_seen_ms=0)  # fmt: skip
    await tell_tables(lan)
    proud = beside(
        "ge1", 1, PC, "eth0", "pc-vp-01"
    )  # a PC with virtual machines says it is a bridge
    stations = (Station(PC, "ge1", 1, 10), Station(MAC_A, "ge24", 24, 1))
    await lan.tell("neighbours", Neighbours(lan.b, "ok", (proud,), stations, ()), 1)

    found = await lan.get("/whereabouts/PC-VP-01", COMMUNE)

    assert (found["kind"], found["name"], found["macs"]) == ("machine", "PC-VP-01", [PC, PRINTER])
    places = {(each["device"], each["port"], each["dock"]) for each in found["places"]}
    assert places == {("SW-B", "ge1", False), ("SW-A", "ge1", True)}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_pc_behind_a_phone_and_one_behind_a_hub_are_told_so(lan: Lan) -> None:
    many = tuple(Station(f"02:00:00:00:01:{n:02x}", "ge3") for n in range(6))
    phoned = (Station(PC, "ge2"), Station(PHONE, "ge2", vlan=20))
    await lan.tell("neighbours", Neighbours(lan.b, "ok", (), (*phoned, *many), ()))

    pc = await lan.get(f"/whereabouts/{PC}")
    hub = await lan.get(f"/whereabouts/{many[0].mac}")

    assert [(each["port"], each["role"]) for each in pc["places"]] == [("ge2", "phone")]
    assert pc["places"][0]["beside"] == [{"mac": PHONE, "kind": "phone", "ref": None, "name": None}]
    assert [(e["port"], e["role"], e["because"]) for e in hub["places"]] == [
        ("ge3", "shared", "many")
    ]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_what_lies_outside_ones_sight_is_as_if_it_were_not(lan: Lan) -> None:
    await tell_tables(lan)
    async with lan.api.services.db.transaction() as session:
        for statement in (
            "UPDATE device SET unit_id = :u WHERE id = :d",
            "UPDATE device_version SET unit_id = :u WHERE device_id = :d",
        ):
            await session.execute(statement, u=OTHER, d=lan.b)

    mine = await lan.get("/topology", COMMUNE)
    where = await lan.get(f"/whereabouts/{PC}", COMMUNE)
    theirs = await lan.get(f"/whereabouts/{PC}", OTHER)

    assert [device["code"] for device in mine["devices"]] == ["SW-A"]
    (cable,) = mine["cables"]
    assert (cable["far"]["device"], cable["far"]["name"], cable["far"]["duplex"]) == (
        None,
        "sw-b",
        None,
    )
    assert where["places"] == [] and where["addresses"] == ["10.0.0.7"]
    assert [each["device"] for each in theirs["places"]] == ["SW-B"]


async def test_strangers_silent_devices_and_flapping_ports_are_findings_that_end(lan: Lan) -> None:
    unit = await add_subnets(lan.api.services.db, lan.collector, ("10.0.0.0/24", False))
    hosts = (
        LanHost("10.0.0.2", MAC_A, ("icmp",), open_ports=(80,), snmp_version="3"),
        LanHost("10.0.0.9", PRINTER, ("icmp",), open_ports=(9100,)),
    )
    await lan.tell("sweep", Sweep(unit, "ok", ("10.0.0.0/24",), 254, 2, 30.0, hosts))
    await lan.tell("device", Device(lan.a, "timeout"))
    for minute in range(1, 13):
        row = InterfaceReading(1, "ge1", oper_up=minute % 2 == 0)
        await lan.tell(
            "interfaces", Interfaces(lan.b, "ok", 100.0 + 60 * minute, (row,)), minute / 60
        )

    found = await lan.findings()
    listed = await lan.get("/lan-hosts", unknown=True)

    assert found["unknown_on_lan"][0] == "unit:U2"
    assert found["unknown_on_lan"][1].startswith(f"1: 10.0.0.9 ({PRINTER}) | kiemke site hosts")
    assert found["snmp_silent"][0] == "device:SW-A"
    assert "--credential" in found["snmp_silent"][1]
    assert found["port_flapping"][0] == "port:SW-B:ge1" and "12 ×" in found["port_flapping"][1]
    assert [(each["address"], each["fix"]) for each in listed["items"]] == [
        ("10.0.0.9", "printer_snmp")
    ]
    await lan.tell("device", Device(lan.a, "ok"), 1)
    async with lan.api.services.db.transaction() as session:
        asset = await insert(
            session, "asset", code="A9", kind="printer", name="p", search_key="p",
            ownership="owned", mac_key=PRINTER.replace(":", "").upper(), created_at_ms=0,
        )  # fmt: skip
        custody = {"asset_id": asset, "valid_from": BEGIN_DAY, "recorded_at_ms": 0}
        await insert(session, "custody", unit_id=COMMUNE, **custody)
    assert set(await lan.findings()) == {"port_flapping"}


async def test_what_another_unit_of_the_site_has_is_no_stranger_and_what_others_have_is_not_told(
    lan: Lan,
) -> None:
    """The office below the commune sits in its subnets; the other commune has the same addresses."""
    database = lan.api.services.db
    unit = await add_subnets(database, lan.collector, ("10.0.0.0/24", False))
    hosts = (
        LanHost("10.0.0.6", None, ("icmp",)),
        LanHost("10.0.0.7", PC, ("icmp",)),
        LanHost("10.0.0.8", None, ("icmp",)),
        LanHost("10.0.0.9", PRINTER, ("icmp",)),
    )
    await lan.tell("sweep", Sweep(unit, "ok", ("10.0.0.0/24",), 254, 2, 30.0, hosts))

    async def strangers() -> set[str]:
        """Return them as found, and see that the commune's own officer is listed the same."""
        detail = (await lan.findings()).get("unknown_on_lan", ("", ""))[1]
        listed = await lan.get("/lan-hosts", COMMUNE, unknown=True)
        found = {each["address"] for each in listed["items"]}
        assert found == {host.address for host in hosts if host.address in detail}
        return found

    await have_all(lan, OTHER)
    assert await strangers() == {host.address for host in hosts}
    await have_all(lan, OFFICE)
    assert await strangers() == set()


async def have_all(lan: Lan, unit: int) -> None:
    """Give a unit a PC known by its MAC and its address, a printer on the books and a switch."""
    database = lan.api.services.db
    agent = (await add_source(database, unit=unit)).source_id
    collector = (await add_source(database, kind="collector", unit=unit)).source_id
    async with database.transaction() as session:
        await insert(session, "source_evidence", source_id=agent, stay=1, kind="mac", first_seen_ms=0,
                     value=PC.replace(":", ""))  # fmt: skip
        await session.execute(
            "UPDATE source_now SET last_address = '10.0.0.8' WHERE source_id = :s", s=agent
        )
        await insert(
            session, "device", code=f"SW-{unit}", name="Switch", search_key="sw", kind="switch",
            unit_id=unit, collector_id=collector, port=161, address="10.0.0.6", created_at_ms=0,
        )  # fmt: skip
        asset = await insert(
            session, "asset", code=f"A{unit}", kind="printer", name="p", search_key="p",
            ownership="owned", mac_key=PRINTER.replace(":", "").upper(), created_at_ms=0,
        )  # fmt: skip
        custody = {"asset_id": asset, "valid_from": BEGIN_DAY, "recorded_at_ms": 0}
        await insert(session, "custody", unit_id=unit, **custody)


def test_a_port_is_judged_by_who_speaks_and_who_was_learned_on_it() -> None:
    hub = [f"02:00:00:00:00:{n:02x}" for n in range(9)]

    assert judge([PC], [], ()).role == "access"
    assert judge([PC, MAC_A], [], {MAC_A}).role == "uplink"
    assert judge([PC], [["bridge", "router"]], ()).role == "uplink"
    assert judge([PC, PHONE], [], ()).role == "phone"
    assert judge([PC, PRINTER], [["bridge", "telephone"]], ()).role == "phone"
    assert judge(hub, [], ()).role == "shared"
    assert judge(hub, [["bridge", "access_point"]], ()).because == "access_point"
    assert judge([], [["station"]], ()).role == "access"


def test_the_cheapest_step_is_told_by_what_is_open() -> None:
    def fix(ports: list[int], **told: bool) -> str | None:
        known = {"speaks_snmp": False, "is_device": False, "is_machine": False, "is_polled": False}
        return fix_of(ports, **{**known, **told})

    assert fix([], speaks_snmp=True) == "register"
    assert fix([], speaks_snmp=True, is_device=True) == "check_secret"
    assert fix([80, 9100]) == "printer_snmp"
    assert fix([445]) == "install_agent"
    assert fix([80]) == "enable_snmp"
    assert fix([]) == "find_out"
    assert fix([445], is_machine=True) is None
