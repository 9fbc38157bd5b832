"""Whatever a device, a file or a server sends: no parser of the collector crashes, hangs or swells."""

import json
import tracemalloc
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiemke.collectors.assignment import parse_assignment
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.device_poll import poll_reader
from kiemke.collectors.errors import AssignmentError
from kiemke.collectors.identify import identify
from kiemke.collectors.identify_clean import clean_fact, decode
from kiemke.collectors.snmp import gufo_reader, health, interfaces, oids, values
from kiemke.collectors.snmp.health import Rhythm
from kiemke.collectors.snmp.reader import Oid, Value, parse_oid
from kiemke.wire.clocks import SystemClock
from kiemke.wire.codec import encode_report
from kiemke.wire.report import Body, Device, Report
from tests.support.snmp_recordings import RecordedReader

VALUES: st.SearchStrategy[Value] = st.one_of(
    st.integers(-(2**63), 2**64),
    st.binary(max_size=300),
    st.lists(st.integers(0, 2**32 - 1), max_size=20).map(tuple),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
COLUMNS = (
    *interfaces.DESCRIPTIVE, *interfaces.COUNTED, *interfaces.NARROW,
    health.SENSOR_TYPE, health.SENSOR_SCALE, health.SENSOR_PRECISION, health.SENSOR_VALUE,
    health.SENSOR_STATUS, health.ENTITY_NAME, health.SUPPLY_NAME, health.SUPPLY_MOST,
    health.SUPPLY_LEVEL, health.LIFE_COUNT, health.PRINTER_STATUS, health.PRINTER_ERRORS,
    health.POE_CAPACITY, health.POE_USED, health.UPS_LOAD, health.PROCESSOR_LOAD,
    health.STORAGE_TYPE, health.STORAGE_SIZE, health.STORAGE_USED,
    *(f"1.3.6.1.2.1.47.1.1.1.1.{n}" for n in range(2, 17)),
)  # fmt: skip
SCALARS = (
    oids.SYS_DESCR, oids.SYS_OBJECT_ID, oids.SYS_UPTIME, oids.SYS_CONTACT, oids.SYS_NAME,
    oids.SYS_LOCATION, oids.IF_NUMBER, oids.IF_TABLE_LAST_CHANGE, health.UPS_BATTERY_STATUS,
    health.UPS_MINUTES, health.UPS_CHARGE, health.UPS_SOURCE, health.UCD_CPU_IDLE,
    health.UCD_TOTAL, health.UCD_FREE, health.UCD_BUFFER, health.UCD_CACHED,
)  # fmt: skip
SUFFIXES = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4).map(tuple)
CELLS = st.dictionaries(
    st.tuples(st.sampled_from(COLUMNS).map(parse_oid), SUFFIXES).map(lambda pair: pair[0] + pair[1]),
    VALUES, max_size=60,
)  # fmt: skip
AGENTS = st.builds(
    lambda scalars, cells: {parse_oid(oid): value for oid, value in scalars.items()} | cells,
    st.dictionaries(st.sampled_from(SCALARS), VALUES),
    CELLS,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(
            st.one_of(
                st.text(max_size=10),
                st.sampled_from(("poll_seconds", "devices", "probes", "device", "address", "port",
                                 "credential", "target", "count")),
            ),
            inner, max_size=8,
        ),
    ),
    max_leaves=30,
)  # fmt: skip
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
MOST_OCTETS = 64 * 1024 * 1024


@SLOW
@given(AGENTS)
async def test_an_agent_of_nonsense_is_polled_to_an_end_and_its_report_can_travel(
    objects: dict[Oid, Value],
) -> None:
    reader, clock = RecordedReader(objects), SystemClock.read()
    told: list[tuple[str, Body]] = []

    async def emit(kind: str, body: Body) -> None:
        told.append((kind, body))

    tracemalloc.start()
    try:
        await poll_reader(reader, 1, Deadline(30), emit)
        readings = await Rhythm().read(reader, Deadline(30), 0.0)
        await identify(reader, Deadline(30))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    told.append(("device", Device(1, "ok", readings=readings)))
    for kind, body in told:
        report = Report(1, 1, clock.boot_id, clock.now(), clock.uptime_seconds(), kind, body)
        json.loads(encode_report(report))
    assert peak < MOST_OCTETS


@SLOW
@given(VALUES, st.sampled_from(("text", "mac", "hex", "number")))
def test_single_values_are_read_or_absent(value: Value, way: str) -> None:
    for read in (values.read_text, values.read_number, values.read_counter, values.read_oid,
                 values.read_ticks_seconds, values.read_mac):  # fmt: skip
        read(value)
    text = decode(value, way)
    assert clean_fact(text) is None or isinstance(clean_fact(text), str)


@SLOW
@given(
    st.one_of(st.text(max_size=50), st.binary(max_size=20), st.integers(), st.floats(), st.none())
)
def test_values_of_the_fast_library_are_plain_or_left_to_the_other(value: object) -> None:
    try:
        found = gufo_reader.plain("1.3", value)
    except gufo_reader.NotPlain:
        return
    assert isinstance(found, int | bytes | tuple)


@SLOW
@given(JSON)
def test_an_assignment_is_read_or_refused(data: Any) -> None:
    try:
        found = parse_assignment(data)
    except AssignmentError:
        return
    assert 10.0 <= found.poll_seconds <= 3600.0
