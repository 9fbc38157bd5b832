"""Agents with faults, spoken to over a real socket."""

import pytest
from pysnmp.proto.rfc1902 import Counter32, Counter64, TimeTicks
from pysnmp.smi.error import GenError, TooBigError

from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.machine import SnmpValue
from kiemke.collectors.snmp.reader import Oid, parse_oid
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c

Found = tuple[Oid, SnmpValue] | None


async def test_an_agent_that_goes_round_in_circles_ends_in_partial() -> None:
    """After the last ifDescr it begins with the first again, for ever."""
    first = (*parse_oid(oids.IF_DESCR), 1)
    objects = switch(6)

    def circle(asked: Oid, found: Found) -> Found:
        return (first, objects[first]) if asked == (*parse_oid(oids.IF_DESCR), 6) else found

    view = TableView(objects, circle)
    async with serving(view) as port, polling(v2c(COMMUNITY)) as polled:
        device, found = await polled.poll(port)

    assert device.outcome == "ok"
    assert found is not None and found.outcome == "partial"
    assert found.detail is not None and "does not move forward" in found.detail
    assert [row.index for row in found.rows] == [1, 2, 3, 4, 5, 6]
    assert view.questions < 2000


async def test_an_agent_that_says_too_big_is_asked_for_less() -> None:
    questions = {"count": 0}

    def too_much(asked: Oid, found: Found) -> Found:
        questions["count"] += 1
        if questions["count"] == 5:
            raise TooBigError(idx=0)
        return found

    async with serving(TableView(switch(30), too_much)) as port, polling(v2c(COMMUNITY)) as polled:
        _, found = await polled.poll(port)

    assert found is not None and found.outcome == "ok"
    assert len(found.rows) == 30


async def test_an_agent_without_64_bit_counters_gives_32_bit_ones() -> None:
    async with serving(TableView(switch(3, wide=False))) as port, polling(v2c(COMMUNITY)) as polled:
        _, found = await polled.poll(port)

    assert found is not None and found.outcome == "ok"
    assert [(r.counter_bits, r.in_octets, r.out_octets) for r in found.rows] == [
        (32, 1000, 2000),
        (32, 2000, 4000),
        (32, 3000, 6000),
    ]


async def test_64_bit_counters_that_never_move_are_not_believed() -> None:
    objects = switch(2)
    for n in (1, 2):
        objects[*parse_oid(oids.IF_HC_IN_OCTETS), n] = Counter64(0)
        objects[*parse_oid(oids.IF_HC_OUT_OCTETS), n] = Counter64(0)

    async with serving(TableView(objects)) as port, polling(v2c(COMMUNITY)) as polled:
        _, found = await polled.poll(port)

    assert found is not None
    assert [(r.counter_bits, r.in_octets) for r in found.rows] == [(32, 1000), (32, 2000)]


async def test_an_agent_that_fails_a_whole_request_over_one_object_is_asked_without_it() -> None:
    class Picky(TableView):
        def get(self, oid: Oid) -> SnmpValue | None:
            if oid == parse_oid(oids.SYS_CONTACT):
                raise GenError(idx=3)
            return super().get(oid)

    async with serving(Picky(switch(1))) as port, polling(v2c(COMMUNITY)) as polled:
        device, found = await polled.poll(port)

    assert (device.outcome, device.sys_name, device.sys_contact) == ("ok", "sw-1", None)
    assert found is not None and found.outcome == "ok"


@pytest.mark.parametrize("ticks", [(360_000, 360_010, 12), (360_000, 10, 12)])
async def test_a_device_that_restarts_amid_the_poll_gives_no_counters(
    ticks: tuple[int, ...],
) -> None:
    """Its counters began anew between the rows, or its ports were named before and counted after."""

    class Restarting(TableView):
        uptimes = list(ticks)

        def get(self, oid: Oid) -> SnmpValue | None:
            if oid == parse_oid(oids.SYS_UPTIME):
                told: SnmpValue = TimeTicks(self.uptimes.pop(0))
                return told
            return super().get(oid)

    async with serving(Restarting(switch(3))) as port, polling(v2c(COMMUNITY)) as polled:
        _, found = await polled.poll(port)

    assert found is not None
    assert (found.outcome, found.rows) == ("partial", ())
    assert found.detail == "the device restarted during the poll"
    assert found.sys_uptime_seconds == 0.12


async def test_a_device_with_nothing_to_show_is_partial_and_not_an_error() -> None:
    async with (
        serving(TableView({(1, 3, 6, 1, 4, 1, 9, 0): Counter32(1)})) as port,
        polling(v2c(COMMUNITY)) as polled,
    ):
        device, found = await polled.poll(port)

    assert device.outcome == "partial" and device.detail is not None
    assert found is not None and found.rows == ()
