"""When a device is asked what it is, and what of the answer travels."""

from collections.abc import Sequence

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.device_identity import AGAIN_SECONDS, DAY_SECONDS, Asked, Pace, ask
from kiemke.collectors.errors import PollTimeout
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.reader import Oid, Value, parse_oid
from kiemke.wire.report import Device
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c
from tests.support.snmp_recordings import RecordedReader

MIKROTIK: dict[Oid, Value] = {
    parse_oid(oids.SYS_DESCR): b"RouterOS RB750Gr3",
    parse_oid(oids.SYS_OBJECT_ID): (1, 3, 6, 1, 4, 1, 14988, 1),
    parse_oid(oids.SYS_NAME): b"r-tan-minh",
    parse_oid("1.3.6.1.4.1.14988.1.1.4.4.0"): b"7.14.3",
    parse_oid("1.3.6.1.4.1.14988.1.1.7.3.0"): b"HEX0123ABCD",
}


class Silent(RecordedReader):
    """Answers nothing."""

    async def get(self, oids: Sequence[str], deadline: Deadline) -> dict[str, Value]:
        raise PollTimeout("here", "no answer")


def said(uptime: float, object_id: str = "1.3.6.1.4.1.14988.1") -> Device:
    return Device(1, "ok", sys_object_id=object_id, sys_uptime_seconds=uptime)


def test_a_device_is_asked_at_first_contact_after_a_change_and_once_a_day() -> None:
    asked = Asked()

    assert asked.why(said(100.0), 0.0) == "first contact"
    asked.next_at, asked.object_id = DAY_SECONDS, "1.3.6.1.4.1.14988.1"
    assert asked.why(said(160.0), 60.0) is None
    assert asked.why(said(10.0), 120.0) == "restarted"
    assert asked.why(said(70.0), 180.0) is None
    assert asked.why(said(130.0, "1.3.6.1.4.1.9.1.1"), 240.0) == "another sysObjectID"
    assert asked.why(said(200.0), DAY_SECONDS) == "last asked long ago"


async def test_what_a_device_is_travels_whole_once() -> None:
    asked, reader = Asked(), RecordedReader(dict(MIKROTIK))

    first = await ask(reader, said(100.0), asked, Deadline(10), Pace())
    second = await ask(reader, said(160.0), asked, Deadline(10), Pace())

    assert first is not None and first.complete
    assert (first.vendor, first.kind, first.name) == ("MikroTik", "router", "r-tan-minh")
    assert (first.version, first.serial) == ("7.14.3", "HEX0123ABCD")
    assert second is None


async def test_a_silent_device_is_not_asked_again_in_every_poll() -> None:
    asked = Asked()

    assert await ask(Silent({}), said(1.0), asked, Deadline(10), Pace()) is None
    assert asked.next_at is not None
    assert asked.why(said(2.0), asked.next_at - AGAIN_SECONDS) is None


async def test_a_poll_tells_what_the_device_is_once() -> None:
    objects = switch(3)
    async with (
        serving(TableView(objects)) as port,
        polling(v2c(COMMUNITY), attempt_seconds=5.0) as polled,
    ):
        await polled.poll(port)
        await polled.poll(port)

    assert [(each.complete, each.name) for each in polled.identities] == [(True, "sw-1")]


async def test_a_start_with_many_devices_asks_some_and_the_others_in_their_turn() -> None:
    pace = Pace(at_once=3.0, per_second=0.0)
    asked = [Asked() for _ in range(10)]

    told = [
        await ask(RecordedReader(dict(MIKROTIK)), said(1.0), each, Deadline(10), pace)
        for each in asked
    ]

    assert [each is not None for each in told] == [True] * 3 + [False] * 7
    pace.per_second = 1e9
    assert await ask(RecordedReader(dict(MIKROTIK)), said(2.0), asked[9], Deadline(10), pace)
