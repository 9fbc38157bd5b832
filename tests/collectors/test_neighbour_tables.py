"""Devices' tables of neighbours, MACs and addresses: read as they are, whatever agents make of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysnmp.proto.rfc1902 import Integer32, ObjectIdentifier, OctetString

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover import ids, tables
from kiemke.collectors.discover.visits import TableVisits
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.machine import SnmpValue
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value, parse_oid
from kiemke.collectors.snmp.responder import View
from kiemke.wire.codec import encode_report
from kiemke.wire.lan import LanAddress, Neighbour, Neighbours, Station
from kiemke.wire.report import Report
from kiemke.wire.secret import Secret
from tests.support.snmp_agents import COMMUNITY, TableView, serving, serving_contexts, switch
from tests.support.snmp_polls import v2c
from tests.support.snmp_recordings import RecordedReader, read_recording
from tests.support.tree import ROOT
from tests.wire.test_codec import AT

CORPUS = ROOT.parent / "shared" / "corpora" / "snmp" / "rec"
KEPT = (
    "1.3.6.1.2.1.1.2.", "1.3.6.1.2.1.2.2.1.2.", "1.3.6.1.2.1.2.2.1.6.", "1.3.6.1.2.1.31.1.1.1.1",
    "1.3.6.1.2.1.17.", "1.3.6.1.2.1.4.22.", "1.3.6.1.2.1.4.35.", "1.0.8802.", "1.3.111.", "1.3.6.1.4.1.9.9.", "1.3.6.1.4.1.1916.1.13.",
    "1.3.6.1.4.1.14988.1.1.11.",
)  # fmt: skip
LLDP, LLDP_V2 = "1.0.8802.1.1.2.1.4.1.1", "1.3.111.2.802.1.1.13.1.4.1.1"
CDP, EDP = "1.3.6.1.4.1.9.9.23.1.2.1.1", "1.3.6.1.4.1.1916.1.13.2.1"
Q_FDB, D_FDB = "1.3.6.1.2.1.17.7.1.2.2.1", "1.3.6.1.2.1.17.4.3.1"
VTP = "1.3.6.1.4.1.9.9.46.1.3.1.1.2.1"
MAC = bytes.fromhex("0200000000a1")
MAC_ARCS = "2.0.0.0.0.161"

PORTS: dict[str, Value] = {
    "1.3.6.1.2.1.2.2.1.2.101": b"GigabitEthernet0/1",
    "1.3.6.1.2.1.2.2.1.2.102": b"GigabitEthernet0/2",
    "1.3.6.1.2.1.31.1.1.1.1.101": b"gi1",
    "1.3.6.1.2.1.31.1.1.1.1.102": b"gi2",
    "1.3.6.1.2.1.17.1.4.1.2.1": 101,
    "1.3.6.1.2.1.17.1.4.1.2.2": 102,
}


def device(*parts: dict[str, Value]) -> RecordedReader:
    """Return a reader of a device that has these objects."""
    return RecordedReader({parse_oid(oid): value for part in parts for oid, value in part.items()})


async def read(reader: SnmpReader) -> Neighbours:
    return await tables.read(reader, 7, Deadline(30))


async def test_a_neighbour_by_lldp_has_its_names_decoded_and_our_port_named() -> None:
    found = await read(device(PORTS, {
        "1.0.8802.1.1.2.1.3.7.1.2.2": 5, "1.0.8802.1.1.2.1.3.7.1.3.2": b"gi2",
        f"{LLDP}.4.0.2.9": 4, f"{LLDP}.5.0.2.9": MAC, f"{LLDP}.6.0.2.9": 5, f"{LLDP}.7.0.2.9": b"Gi0/24",
        f"{LLDP}.8.0.2.9": b"to the\r\nroof", f"{LLDP}.9.0.2.9": b"sw-2", f"{LLDP}.12.0.2.9": b"\x28\x00",
        "1.0.8802.1.1.2.1.4.2.1.3.0.2.9.1.4.10.5.9.2": 2,
        "1.0.8802.1.1.2.1.5.4623.1.3.1.1.4.0.2.9": 15,
    }))  # fmt: skip

    assert found.neighbours == (
        Neighbour(
            "lldp", "gi2", 102, "02:00:00:00:00:a1", "mac", "Gi0/24", "name", "to the roof", "sw-2", None,
            ("10.5.9.2",), ("bridge", "router"), "half",
        ),
    )  # fmt: skip
    assert (found.outcome, found.stations, found.addresses) == ("ok", (), ())


async def test_a_phone_by_lldp_med_is_one_whatever_it_says_it_can() -> None:
    found = await read(device(PORTS, {
        f"{LLDP}.4.5.1.1": 5, f"{LLDP}.5.5.1.1": b"\x01\x0a\x05\x09\x46", f"{LLDP}.6.5.1.1": 3,
        f"{LLDP}.7.5.1.1": MAC, f"{LLDP}.12.5.1.1": b"\x20",
        "1.0.8802.1.1.2.1.5.4795.1.3.1.1.3.5.1.1": 3,
    }))  # fmt: skip

    (phone,) = found.neighbours or ()
    assert (phone.chassis_kind, phone.chassis) == ("address", "10.5.9.70")
    assert (phone.port, phone.far_port, phone.abilities) == (
        "gi1", "02:00:00:00:00:a1", ("bridge", "telephone"),
    )  # fmt: skip


async def test_the_second_edition_of_lldp_is_read_where_the_first_is_empty() -> None:
    row = "0.102.1.128.194.0.0.14.3"
    short = "0.102.1.3"
    found = await read(device(PORTS, {
        f"{LLDP_V2}.5.{short}": 4, f"{LLDP_V2}.6.{short}": MAC, f"{LLDP_V2}.7.{short}": 7,
        f"{LLDP_V2}.8.{short}": b"15", f"{LLDP_V2}.13.{short}": b"\x20\x00",
        f"{LLDP_V2}.5.{row}": 4,
    }))  # fmt: skip

    (beside,) = found.neighbours or ()
    assert (beside.port, beside.far_port, beside.abilities) == ("gi2", "15", ("bridge",))


async def test_cdp_and_edp_tell_their_neighbours_too() -> None:
    found = await read(device(PORTS, {
        f"{CDP}.4.101.1": bytes((10, 5, 9, 3)), f"{CDP}.6.101.1": b"sw-3.xa.example",
        f"{CDP}.7.101.1": b"FastEthernet0/1", f"{CDP}.8.101.1": b"cisco WS-C2960-24TT-L",
        f"{CDP}.9.101.1": b"\x00\x00\x00\x28", f"{CDP}.11.101.1": 10, f"{CDP}.12.101.1": 2,
        f"{EDP}.3.102.0.0.{MAC_ARCS}": b"x440", f"{EDP}.5.102.0.0.{MAC_ARCS}": 1,
        f"{EDP}.6.102.0.0.{MAC_ARCS}": 24,
    }))  # fmt: skip

    assert found.neighbours == (
        Neighbour(
            "cdp", "gi1", 101, "sw-3.xa.example", "local", "FastEthernet0/1", "name", None,
            "sw-3.xa.example", "cisco WS-C2960-24TT-L", ("10.5.9.3",), ("bridge",), "half", 10,
        ),
        Neighbour(
            "edp", "gi2", 102, "02:00:00:00:00:a1", "mac", "1:24", "name", None, "x440", None, (),
            ("bridge",),
        ),
    )  # fmt: skip


async def test_macs_are_told_with_port_and_vlan_and_only_learned_ones() -> None:
    found = await read(device(PORTS, {
        f"{Q_FDB}.2.10.{MAC_ARCS}": 2, f"{Q_FDB}.3.10.{MAC_ARCS}": 3,
        f"{Q_FDB}.2.10.2.0.0.0.0.162": 1, f"{Q_FDB}.3.10.2.0.0.0.0.162": 4,
        f"{Q_FDB}.2.10.1.0.94.0.0.1": 1, f"{Q_FDB}.3.10.1.0.94.0.0.1": 3,
        f"{Q_FDB}.2.10.2.0.0.0.0.163": 0, f"{Q_FDB}.3.10.2.0.0.0.0.163": 3,
    }))  # fmt: skip

    assert found.stations == (Station("02:00:00:00:00:a1", "gi2", 102, 10),)


async def test_a_filtering_database_is_told_as_its_vlan() -> None:
    found = await read(device(PORTS, {
        f"{Q_FDB}.2.3.{MAC_ARCS}": 1, f"{Q_FDB}.3.3.{MAC_ARCS}": 3,
        f"{Q_FDB}.2.4.{MAC_ARCS}": 1, f"{Q_FDB}.3.4.{MAC_ARCS}": 3,
        "1.3.6.1.2.1.17.7.1.4.2.1.3.0.120": 3,
        "1.3.6.1.2.1.17.7.1.4.2.1.3.0.130": 4, "1.3.6.1.2.1.17.7.1.4.2.1.3.0.131": 4,
    }))  # fmt: skip

    assert [each.vlan for each in found.stations or ()] == [120, None]


async def test_a_cisco_switch_is_asked_vlan_by_vlan() -> None:
    """It shows the MACs of one VLAN to community@VLAN, and none of them to the community itself."""
    asked: list[int] = []

    async def of_vlan(vlan: int) -> SnmpReader:
        asked.append(vlan)
        return device({
            f"{D_FDB}.2.2.0.0.0.0.{vlan}": 7, f"{D_FDB}.3.2.0.0.0.0.{vlan}": 3,
            "1.3.6.1.2.1.17.1.4.1.2.7": 102,
        })  # fmt: skip

    whole = device(PORTS, {
        "1.3.6.1.2.1.1.2.0": parse_oid("1.3.6.1.4.1.9.1.716"),
        f"{VTP}.1": 1, f"{VTP}.10": 1, f"{VTP}.20": 2, f"{VTP}.1002": 1,
    })  # fmt: skip

    found = await tables.read(whole, 7, Deadline(30), of_vlan=of_vlan)

    assert asked == [1, 10]
    assert found.stations == (
        Station("02:00:00:00:00:01", "gi2", 102, 1), Station("02:00:00:00:00:0a", "gi2", 102, 10),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("granted", "vlans"), [(("", "vlan-1", "vlan-10"), [1, 10]), (("",), [None])]
)
async def test_a_cisco_switch_shows_a_v3_user_each_vlan_in_its_context(
    granted: tuple[str, ...], vlans: list[int | None]
) -> None:
    """Without such contexts it is asked for what it shows without."""

    def fdb(vlan: int) -> dict[Oid, SnmpValue]:
        return {
            parse_oid(f"{D_FDB}.2.2.0.0.0.0.{vlan}"): Integer32(7),
            parse_oid(f"{D_FDB}.3.2.0.0.0.0.{vlan}"): Integer32(3),
            parse_oid("1.3.6.1.2.1.17.1.4.1.2.7"): Integer32(1),
        }

    user = Credential(
        "core", "3", user="lab", auth_protocol="SHA256", auth_key=Secret("vlan-auth-key"),
        privacy_protocol="AES128", privacy_key=Secret("vlan-priv-key"),
    )  # fmt: skip
    whole = switch(2) | {
        parse_oid("1.3.6.1.2.1.1.2.0"): ObjectIdentifier("1.3.6.1.4.1.9.1.716"),
        parse_oid(f"{VTP}.1"): Integer32(1), parse_oid(f"{VTP}.10"): Integer32(1), **fdb(99),
    }  # fmt: skip
    parts = {"": whole, "vlan-1": fdb(1), "vlan-10": fdb(10)}
    views: dict[str, View] = {name: TableView(parts[name]) for name in granted}
    visits = TableVisits(Engines(), {}, 900.0, attempt_seconds=0.4)
    async with serving_contexts(views, user) as port:
        found = await visits.read(DeviceTask(7, "127.0.0.1", port, "core"), user, Deadline(30))
    visits.engines.close()

    assert found.outcome == "ok", found.detail
    assert [each.vlan for each in found.stations or ()] == vlans
    assert [each.index for each in found.stations or ()] == [1] * len(vlans)


def test_a_vlan_has_a_community_or_a_context_of_its_own() -> None:
    by_context = tables.vlan_credential(Credential("c", "3", user="u"), 10)
    assert (by_context.name, by_context.context) == ("c", "vlan-10")
    one = tables.vlan_credential(Credential("c", "2c", community=Secret("k")), 10)
    assert one.community is not None and one.community.reveal() == "k@10"
    assert "k@10" not in repr(one)


async def test_addresses_come_from_both_tables_and_never_ones_that_nobody_has() -> None:
    arp, nd = "1.3.6.1.2.1.4.22.1", "1.3.6.1.2.1.4.35.1"
    v6 = ".".join(["2", "16", *map(str, bytes.fromhex("20010db8000000000000000000000007"))])
    link_local = ".".join(["2", "16", *map(str, bytes.fromhex("fe800000000000000000000000000007"))])
    found = await read(device(PORTS, {
        f"{arp}.2.102.10.5.9.7": MAC, f"{arp}.4.102.10.5.9.7": 3,
        f"{arp}.2.102.10.5.9.8": MAC, f"{arp}.4.102.10.5.9.8": 2,
        f"{arp}.2.102.10.5.9.9": b"\xff" * 6, f"{arp}.2.102.224.0.0.5": MAC,
        f"{nd}.4.102.{v6}": MAC, f"{nd}.6.102.{v6}": 3, f"{nd}.4.102.{link_local}": MAC,
        f"{nd}.4.102.1.4.10.5.9.11": MAC, f"{nd}.6.102.1.4.10.5.9.11": 5,
    }))  # fmt: skip

    assert found.addresses == (
        LanAddress("10.5.9.7", "02:00:00:00:00:a1", 102),
        LanAddress("2001:db8::7", "02:00:00:00:00:a1", 102),
    )


def test_names_that_are_not_what_they_say_are_kept_as_they_are() -> None:
    chassis = ids.CHASSIS_KINDS

    assert ids.name_of(chassis, 4, b"not a mac") == ("local", "not a mac")
    assert ids.name_of(chassis, 5, b"\x01\x0a\x05") == ("local", "0x010a05")
    assert ids.name_of(chassis, 99, b"x") == ("local", "x")
    assert ids.name_of(chassis, 4, b"") == (None, None)
    assert ids.bit_words(b"28 00 2 4") == ids.bit_words(b"\x28\x00") == ("bridge", "router")
    assert ids.bit_words(36) == ("bridge", "telephone")


needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no recorded devices at {CORPUS}")


@needs_corpus
async def test_every_recorded_device_is_read_whole() -> None:
    """305 real devices: none is half read, and what they told is what a person counted in the files."""
    seen: dict[str, Neighbours] = {}
    for path in sorted(CORPUS.glob("*.snmprec")):
        found = await read(RecordedReader(read_recording(path, KEPT)))
        encode_report(Report(1, 1, "b", AT, 1.0, "neighbours", found))
        seen[path.stem] = found

    assert {name for name, found in seen.items() if found.outcome != "ok"} == set()
    assert len(seen["dlink_dgs-3620-28sc"].neighbours or ()) == 10
    assert len(seen["procurve_2520"].stations or ()) == 741
    assert len(seen["routeros_crs317"].neighbours or ()) == 18
    unplaced = [
        each for found in seen.values() for each in found.neighbours or () if each.index is None
    ]
    assert len(unplaced) < 10


OIDS = st.sampled_from([
    *(f"{LLDP}.{n}" for n in range(4, 13)), *(f"{LLDP_V2}.{n}" for n in range(5, 14)),
    *(f"{CDP}.{n}" for n in range(4, 13)), *(f"{EDP}.{n}" for n in range(3, 7)), f"{Q_FDB}.2", f"{Q_FDB}.3",
    f"{D_FDB}.2", f"{D_FDB}.3", "1.0.8802.1.1.2.1.4.2.1.3", "1.0.8802.1.1.2.1.3.7.1.2",
    "1.0.8802.1.1.2.1.3.7.1.3", "1.3.6.1.2.1.4.22.1.2", "1.3.6.1.2.1.4.35.1.4", "1.3.6.1.2.1.17.1.4.1.2",
    "1.3.6.1.2.1.17.7.1.4.2.1.3", "1.3.6.1.2.1.31.1.1.1.1", "1.0.8802.1.1.2.1.5.4623.1.3.1.1.4",
    "1.3.6.1.4.1.14988.1.1.11.1.1.8",
])  # fmt: skip
ROWS = st.lists(st.integers(0, 300) | st.integers(0, 2**32 - 1), max_size=21).map(tuple)
VALUES = st.one_of(
    st.integers(-(2**31), 2**64), st.binary(max_size=20), st.lists(st.integers(0, 255)).map(tuple)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(OIDS, ROWS, VALUES), max_size=30))
async def test_no_table_breaks_the_reader(cells: list[tuple[str, Oid, Value]]) -> None:
    objects = {(*parse_oid(column), *row): value for column, row, value in cells}

    found = await read(RecordedReader(objects))

    encode_report(Report(1, 1, "b", AT, 1.0, "neighbours", found))
    assert found.outcome == "ok"
    for station in found.stations or ():
        assert len(station.mac) == 17
        assert station.vlan is None or 1 <= station.vlan <= 4094


async def test_a_device_is_visited_over_the_wire_in_its_own_rhythm() -> None:
    """Through both libraries' real sockets, as a running collector does it."""
    row = "0.2.9"
    objects: dict[Oid, SnmpValue] = {
        parse_oid("1.3.6.1.2.1.2.2.1.2.2"): OctetString("ge2"),
        parse_oid(f"{LLDP}.4.{row}"): Integer32(4), parse_oid(f"{LLDP}.5.{row}"): OctetString(MAC),
        parse_oid(f"{LLDP}.6.{row}"): Integer32(5), parse_oid(f"{LLDP}.7.{row}"): OctetString("ge24"),
        parse_oid(f"{D_FDB}.2.{MAC_ARCS}"): Integer32(2),
        parse_oid(f"{D_FDB}.3.{MAC_ARCS}"): Integer32(3),
    }  # fmt: skip
    told: list[Neighbours] = []

    async def emit(kind: str, body: Neighbours) -> None:
        assert kind == "neighbours"
        told.append(body)

    for backend in ("gufo", "pysnmp"):
        engines = Engines(backend=backend)
        async with serving(TableView({**switch(2), **objects})) as port:
            known = {"default": v2c(COMMUNITY)}
            visits = TableVisits(engines, known, 900.0)
            task = DeviceTask(7, "127.0.0.1", port, "default")
            outcomes = [await visits.visit(task, 20.0, emit) for _ in range(2)]
            stranger = DeviceTask(8, "127.0.0.1", port, "no such secret")
            outcomes.append(await visits.visit(stranger, 20.0, emit))
        engines.close()
        assert outcomes == ["ok", "ok", "ok"]

    assert len(told) == 2 and told[0] == told[1]
    (beside,) = told[0].neighbours or ()
    assert (beside.port, beside.chassis, beside.far_port) == ("ge2", "02:00:00:00:00:a1", "ge24")
    assert told[0].stations == (Station("02:00:00:00:00:a1", "ge2", 2),)
