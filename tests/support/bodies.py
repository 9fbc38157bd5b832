"""Bodies of every kind: one example each for the golden batch, and any at random."""

from hypothesis import strategies as st

from kiemke.wire.claim import ClaimedHolder
from kiemke.wire.inventory import MemoryModule, System
from kiemke.wire.lan import (
    ABILITIES,
    NEIGHBOUR_PROTOCOLS,
    SIGNS,
    LanAddress,
    LanHost,
    Neighbour,
    Neighbours,
    Station,
    Sweep,
)
from kiemke.wire.report import (
    EVENT_NAMES,
    POLL_OUTCOMES,
    SSH_OUTCOMES,
    AdapterCounters,
    Body,
    Config,
    ConfigAccess,
    Device,
    DeviceIdentity,
    DevicePart,
    DevicePort,
    DeviceReading,
    Event,
    InterfaceReading,
    Interfaces,
    Inventory,
    Reachability,
    Sample,
    Section,
    SelfCost,
)

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIENDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0ND"
EXAMPLES: list[tuple[str, Body]] = [
    (
        "inventory",
        Inventory(
            {
                "system": Section("ok", "t1", (System("Dell Inc.", "OptiPlex 3080", serial="ABC1"),)),
                "memory": Section("ok", "t2", (MemoryModule("DIMM 1", 8 * 2**30, "DIMM", "DDR4"),)),
                "monitors": Section("denied", detail="no right to read"),
                "software": Section("ok", "t3"),
                "claimed_holder": Section(
                    "ok", "t4", (ClaimedHolder("Nguyễn Văn An", "CB012", "TS-0042", "2026-11-26"),)
                ),
            }
        ),
    ),
    (
        "sample",
        Sample(60.0, 0.125, 2**32, 2**33, (AdapterCounters("eth0", 2**64 - 1, 0),), "lan",
               SelfCost(1.5, 20_000_000, 3)),
    ),
    ("event", Event("link_speed", {"adapter": "Ethernet", "bits_per_second": "100000000"})),
    ("device", Device(7, "ok", sys_descr="RouterOS RB750", sys_uptime_seconds=86_400.25)),
    (
        "interfaces",
        Interfaces(7, "partial", 86_400.25, (
            InterfaceReading(2, "ether1", "ether1", None, 6, "02:00:00:00:00:01", True, True,
                             100_000_000, "full", 64, 2**64 - 1, 0, 1, 2, 3, 4, 0.0),)),
    ),
    ("reachability", Reachability(9, 5, 4, 0.01, 0.012, 0.02, 0.001)),
    ("device", Device(7, "ok", identity=DeviceIdentity(True, "MikroTik", "router", "RB750", "7.1",
                                                       "5D2E02", "r1", "Tầng 2"),
                      readings=(DeviceReading("temperature_celsius", 40.5, "1", "CPU"),))),
    ("config", Config(7, "ok", "cisco_ios", None, HOST_KEY, {"model": "C9200", "serial": "FCW1"},
                      (DevicePart("Chassis", "Catalyst 9200", "C9200-24T", "FCW1"),),
                      (DevicePort("Gi1/0/1", "up", "Uplink", "02:00:00:00:00:01", "1000", "full"),),
                      ConfigAccess("kiemke", False, ("admin",), 1), "0" * 64, ("eJwDAAAAAAE=",), 3)),
    (
        "neighbours",
        Neighbours(
            7,
            "partial",
            (Neighbour("lldp", "ge1", 1, "0c:5f:4c:00:00:01", "mac", "Gi0/24", "name", "uplink", "sw-2",
                       "Switch", ("10.5.9.2",), ("bridge", "router"), "full", 10),
             Neighbour("cdp")),
            (Station("02:00:00:00:00:01", "ge2", 2, 10), Station("02:00:00:00:00:02")),
            None,
            "no answer",
        ),
    ),
    ("neighbours", Neighbours(8, "ok", (), (), (LanAddress("2001:db8::1", "02:00:00:00:00:01", 3),))),
    (
        "sweep",
        Sweep(4, "ok", ("10.5.9.0/24",), 200, 54, 41.5, (
            LanHost("10.5.9.7", "02:00:00:00:00:07", ("icmp", "snmp"), 0.001, (80, 9100), "2c",
                    "Ricoh MP C3003", "1.3.6.1.4.1.367.1.1", "may-in-1"),)),
    ),
]  # fmt: skip


TEXT = st.text(max_size=60)
COUNTERS = st.integers(0, 2**64 - 1)
SECONDS = st.floats(0, 3600, allow_nan=False)
OPTIONAL_TEXT = st.one_of(st.none(), TEXT)
MACS = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
ADDRESSES = st.ip_addresses().map(str)
BODIES_AT_RANDOM = st.one_of(
    st.tuples(
        st.just("sample"),
        st.builds(
            Sample,
            covered_seconds=SECONDS,
            cpu_ratio=st.one_of(st.none(), st.floats(0, 1)),
            memory_used_bytes=st.one_of(st.none(), st.integers(0, 10**15)),
            memory_total_bytes=st.none(),
            adapters=st.lists(
                st.builds(AdapterCounters, name=TEXT, receive_octets=COUNTERS,
                          transmit_octets=COUNTERS), max_size=3).map(tuple),
            user=st.one_of(st.none(), TEXT),
            cost=st.none(),
        ),
    ),
    st.tuples(
        st.just("event"),
        st.builds(Event, name=st.sampled_from(EVENT_NAMES),
                  detail=st.dictionaries(TEXT, TEXT, max_size=3)),
    ),
    st.tuples(
        st.just("device"),
        st.builds(Device, device=st.integers(0, 2**40), outcome=st.sampled_from(POLL_OUTCOMES),
                  detail=st.one_of(st.none(), TEXT), sys_descr=st.one_of(st.none(), TEXT),
                  sys_object_id=st.none(), sys_name=st.none(), sys_location=st.none(),
                  sys_contact=st.none(), sys_uptime_seconds=st.one_of(st.none(), SECONDS)),
    ),
    st.tuples(
        st.just("config"),
        st.builds(Config, device=st.integers(0, 2**40), outcome=st.sampled_from(SSH_OUTCOMES),
                  platform=TEXT, detail=st.one_of(st.none(), TEXT),
                  host_key=st.sampled_from((None, HOST_KEY)),
                  facts=st.dictionaries(TEXT, TEXT, max_size=3),
                  parts=st.one_of(st.none(), st.lists(st.builds(DevicePart, name=TEXT), max_size=2)
                                  .map(tuple)),
                  ports=st.one_of(st.none(), st.lists(st.builds(DevicePort, name=TEXT, status=TEXT),
                                                      max_size=2).map(tuple)),
                  access=st.one_of(st.none(), st.builds(ConfigAccess, user=TEXT,
                                                        snmp_writers=st.integers(0, 99))),
                  digest=st.none(), packed=st.none(), masked=st.none()),
    ),
    st.tuples(
        st.just("reachability"),
        st.builds(Reachability, target=st.integers(0, 2**40), sent=st.just(5),
                  received=st.integers(0, 5), rtt_avg_seconds=st.one_of(st.none(), SECONDS)),
    ),
    st.tuples(
        st.just("neighbours"),
        st.builds(
            Neighbours, device=st.integers(0, 2**40), outcome=st.sampled_from(POLL_OUTCOMES),
            neighbours=st.one_of(st.none(), st.lists(st.builds(
                Neighbour, protocol=st.sampled_from(NEIGHBOUR_PROTOCOLS), port=OPTIONAL_TEXT,
                chassis=OPTIONAL_TEXT, far_port=OPTIONAL_TEXT, name=OPTIONAL_TEXT,
                abilities=st.lists(st.sampled_from(ABILITIES), max_size=2).map(tuple),
            ), max_size=3).map(tuple)),
            stations=st.one_of(st.none(), st.lists(st.builds(
                Station, mac=MACS, port=OPTIONAL_TEXT, vlan=st.one_of(st.none(), st.integers(1, 4094)),
            ), max_size=3).map(tuple)),
            addresses=st.one_of(st.none(), st.lists(st.builds(
                LanAddress, address=ADDRESSES, mac=MACS, index=st.none()), max_size=3).map(tuple)),
            detail=OPTIONAL_TEXT,
        ),
    ),
    st.tuples(
        st.just("sweep"),
        st.builds(
            Sweep, site=st.integers(1, 2**40), outcome=st.sampled_from(POLL_OUTCOMES),
            subnets=st.just(("10.0.0.0/8",)), asked=st.integers(0, 4096),
            refused=st.integers(0, 4096), seconds=SECONDS,
            hosts=st.lists(st.builds(
                LanHost, address=ADDRESSES, mac=st.one_of(st.none(), MACS), sys_descr=OPTIONAL_TEXT,
                signs=st.lists(st.sampled_from(SIGNS), max_size=2).map(tuple),
            ), max_size=3, unique_by=lambda host: host.address).map(tuple),
            detail=OPTIONAL_TEXT,
        ),
    ),
)  # fmt: skip
