"""gufo-snmp and pysnmp differ in nothing but speed: the same polls of the same agents, both ways."""

from pathlib import Path
from typing import Any

import pytest
from pysnmp.proto.rfc1902 import (
    Counter32,
    Counter64,
    Gauge32,
    Integer32,
    IpAddress,
    ObjectIdentifier,
    OctetString,
    TimeTicks,
)
from pysnmp.smi.error import GenError, NoAccessError, TooBigError

from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.machine import SnmpValue
from kiemke.collectors.snmp.reader import Oid, parse_oid
from kiemke.wire.report import Device, Interfaces
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c

SAMPLE_EVERY = 75
SMALL_OCTETS = 150_000
BELOW = ("1.3.6.1.2.1.", "1.3.6.1.4.1.", "1.0.8802.")
KINDS: dict[str, Any] = {
    "2": Integer32, "65": Counter32, "66": Gauge32, "67": TimeTicks, "70": Counter64,
}  # fmt: skip
Polled = tuple[Device, Interfaces | None, list[Any]]


def read_typed(path: Path) -> dict[Oid, SnmpValue]:
    """Return a recording's objects with their types; lines of other shapes are skipped."""
    objects: dict[Oid, SnmpValue] = {}
    for line in path.read_text("utf-8", errors="replace").splitlines():
        oid, _, rest = line.partition("|")
        tag, bar, value = rest.partition("|")
        if not bar or not oid.startswith(BELOW):
            continue
        try:
            objects[parse_oid(oid)] = typed(tag, value)
        except (ValueError, KeyError):
            continue
        except Exception as err:  # noqa: BLE001  # the library's own errors: a value out of its range
            assert type(err).__module__.startswith(("pyasn1", "pysnmp")), err
    return objects


def typed(tag: str, value: str) -> SnmpValue:
    """Tags are BER's (RFC 3416), an x marks hexadecimal."""
    match tag:
        case "4":
            return OctetString(value.encode())
        case "4x":
            return OctetString(bytes.fromhex(value))
        case "64" | "64x":
            return IpAddress(value if tag == "64" else ".".join(map(str, bytes.fromhex(value))))
        case "6":
            return ObjectIdentifier(value.strip("."))
    return KINDS[tag](int(value))


async def both(view: TableView, **how: Any) -> tuple[Polled, Polled]:
    """Return what one poll of the view gives by each library."""
    answers = []
    async with serving(view) as port:
        for backend in ("gufo", "pysnmp"):
            async with polling(v2c(COMMUNITY), backend=backend, **how) as polled:
                device, found = await polled.poll(port, budget=300.0)
                answers.append((device, found, [*polled.identities, *polled.readings]))
    return answers[0], answers[1]


async def compare(corpora: Path, every: int, most_octets: int | None) -> int:
    """Poll every n-th recorded device by both and want the same; returns how many ports were told."""
    folder = corpora / "snmp" / "rec"
    if not folder.is_dir():
        pytest.skip("no snmp recordings in ../shared/corpora")
    told, unlike = 0, []
    for path in sorted(folder.glob("*.snmprec"))[::every]:
        if most_octets is not None and path.stat().st_size > most_octets:
            continue
        fast, careful = await both(TableView(read_typed(path)), attempt_seconds=60.0)
        if fast != careful:
            unlike.append(path.name)
        told += len(careful[1].rows) if careful[1] is not None else 0
    assert unlike == []
    return told


async def test_recorded_devices_are_told_alike_by_both(shared_corpora: Path) -> None:
    assert await compare(shared_corpora, SAMPLE_EVERY, SMALL_OCTETS) > 3


@pytest.mark.slow
async def test_every_recorded_device_is_told_alike_by_both(shared_corpora: Path) -> None:
    assert await compare(shared_corpora, 1, None) > 4000


async def test_a_text_written_as_an_identifier_is_told_alike_by_both() -> None:
    """Some agents put letters into sysObjectID: beyond the three roots each library guesses another."""
    objects = switch(2)
    objects[parse_oid(oids.SYS_OBJECT_ID)] = ObjectIdentifier("2.716653033.173240166.1953980786")

    fast, careful = await both(TableView(objects))

    assert fast == careful


@pytest.mark.parametrize("error", [TooBigError, GenError, NoAccessError])
@pytest.mark.parametrize("when", [2, 40, 80])
async def test_an_error_amid_a_walk_never_loses_what_the_other_reads(error: Any, when: int) -> None:
    """The fast library shows an error as an end: a port must not vanish by that."""
    found = []
    for backend in ("gufo", "pysnmp"):
        asked = 0

        def fail_once(_: Oid, next_one: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked == when:
                raise error(idx=0)
            return next_one

        async with (
            serving(TableView(switch(6), fail_once)) as port,
            polling(v2c(COMMUNITY), backend=backend) as polled,
        ):
            found.append((await polled.poll(port))[1])

    fast, careful = found
    assert fast is not None
    assert len(fast.rows) == 6 or fast.outcome != "ok"
    if careful is not None and careful.outcome == fast.outcome == "ok":
        assert fast == careful


async def test_a_column_a_device_lacks_is_not_asked_for_in_every_poll() -> None:
    asked: list[str] = []

    def watch(event: str, fields: dict[str, Any]) -> None:
        if event == "bulk":
            asked.extend(fields["from"])

    async with (
        serving(TableView(switch(3))) as port,
        polling(v2c(COMMUNITY), trace=watch) as polled,
    ):
        _, first = await polled.poll(port)
        once = set(asked)
        asked.clear()
        _, second = await polled.poll(port)

    assert oids.DOT3_DUPLEX_STATUS in once
    assert oids.DOT3_DUPLEX_STATUS not in asked and oids.IF_HC_IN_OCTETS in asked
    assert first == second
