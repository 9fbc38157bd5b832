"""Many devices through one engine, and what is remembered of each from poll to poll."""

import asyncio
import socket
from contextlib import AsyncExitStack

from pysnmp.proto.rfc1902 import Integer32, OctetString

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.interfaces import MEMORY_SECONDS, Memory
from kiemke.collectors.snmp.reader import Walk, parse_oid
from kiemke.collectors.snmp.system import SystemAnswer
from kiemke.wire.report import Device, Interfaces
from tests.support.peers import free_port
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c
from tests.support.snmp_proxy import pass_on, relay

DEVICES = 6


async def test_answers_of_devices_polled_at_once_never_mix() -> None:
    """One socket carries them all, among devices that are dead."""
    got: dict[int, list[Device | Interfaces]] = {}

    async with AsyncExitStack() as stack:
        polled = await stack.enter_async_context(polling(v2c(COMMUNITY), attempt_seconds=2.0))
        tasks = []
        for n in range(1, DEVICES + 1):
            objects = switch(n)
            objects[parse_oid(oids.SYS_NAME)] = OctetString(f"sw-{n}")
            port = await stack.enter_async_context(serving(TableView(objects)))
            tasks.append(DeviceTask(n, "127.0.0.1", port, "default"))
        dead = [
            DeviceTask(100 + n, "127.0.0.1", free_port(socket.SOCK_DGRAM), "default")
            for n in range(3)
        ]

        async def emit(kind: str, body: Device | Interfaces) -> None:
            got.setdefault(body.device, []).append(body)

        polls = [polled.poller.poll(task, 20.0, emit) for task in [*tasks, *dead]]
        outcomes = await asyncio.gather(*polls)

    assert outcomes == ["ok"] * DEVICES + ["unreachable"] * 3
    for n in range(1, DEVICES + 1):
        device, found, *_ = got[n]
        assert isinstance(device, Device) and isinstance(found, Interfaces)
        assert device.sys_name == f"sw-{n}"
        assert [row.in_octets for row in found.rows] == [1000 * k for k in range(1, n + 1)]


async def test_a_new_port_is_named_although_the_names_are_remembered() -> None:
    """Its device has neither ifTableLastChange nor an ifNumber that is right."""
    view = TableView(switch(3))
    async with serving(view) as port, polling(v2c(COMMUNITY)) as polled:
        await polled.poll(port)
        grown = switch(4)
        grown[parse_oid(oids.IF_NUMBER)] = Integer32(3)
        view.objects, view.names = grown, sorted(grown)
        _, found = await polled.poll(port)

    assert found is not None and found.outcome == "ok"
    assert [row.name for row in found.rows] == ["ge1", "ge2", "ge3", "ge4"]


async def test_names_are_read_again_after_a_restart() -> None:
    """Many switches number their ports anew then."""
    view = TableView(switch(2, uptime_ticks=500_000))
    async with serving(view) as port, polling(v2c(COMMUNITY)) as polled:
        await polled.poll(port)
        renamed = switch(2, uptime_ticks=400)
        renamed[*parse_oid(oids.IF_NAME), 1] = OctetString("wan")
        view.objects = renamed
        _, found = await polled.poll(port)

    assert found is not None and [row.name for row in found.rows] == ["wan", "ge2"]


async def test_a_device_too_slow_for_one_poll_gives_its_counters_in_the_next() -> None:
    """The names took all the time there was: they are remembered, and the next poll only counts."""
    silent = asyncio.Event()
    walked: list[str] = []

    def watch(event: str, fields: dict[str, object]) -> None:
        if event == "get" and fields["oids"] == [oids.SYS_UPTIME]:
            silent.set()  # the names are whole, the counters come next
        if event == "bulk" and isinstance(fields["from"], list):
            walked.append(fields["from"][0])

    def until_silent(number: int, data: bytes) -> list[tuple[float, bytes]]:
        return [] if silent.is_set() else [(0.0, data)]

    async with (
        serving(TableView(switch(60))) as port,
        relay("127.0.0.1", port, to_client=until_silent) as line,
        polling(v2c(COMMUNITY), attempt_seconds=0.4, attempts=3, trace=watch) as polled,
    ):
        _, first = await polled.poll(line.port, budget=5.0)
        line.to_client = pass_on
        walked.clear()
        _, second = await polled.poll(line.port)

    assert first is not None and (first.outcome, first.rows) == ("timeout", ())
    assert second is not None and (second.outcome, len(second.rows)) == ("ok", 60)
    assert walked and not [name for name in walked if name.startswith(oids.IF_DESCR + ".")]
    assert oids.IF_DESCR not in walked


def test_what_ends_a_memory() -> None:
    def answer(uptime: float | None, count: int = 4, changed: int | None = 7) -> SystemAnswer:
        return SystemAnswer(Device(1, "ok", sys_uptime_seconds=uptime), count, changed)

    memory, told = Memory(), Walk()
    memory.keep(told, answer(100.0), now=1000.0)

    assert memory.recall(answer(160.0), now=1060.0) is told
    assert memory.recall(answer(99.0), now=1060.0) is None
    assert memory.recall(answer(None), now=1060.0) is None
    assert memory.recall(answer(160.0, count=5), now=1060.0) is None
    assert memory.recall(answer(160.0, changed=8), now=1060.0) is None
    assert memory.recall(answer(160.0), now=1000.0 + MEMORY_SECONDS) is None
