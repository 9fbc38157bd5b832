"""A walk slowed by lost answers takes seconds: each row says when its octets were read."""

import time
from dataclasses import replace
from typing import cast

import pytest
from pysnmp.proto.rfc1902 import Counter64

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.snmp import interfaces, oids
from kiemke.collectors.snmp.machine import SnmpValue
from kiemke.collectors.snmp.reader import Oid, Walk, parse_oid
from kiemke.wire.report import Device, InterfaceReading, Interfaces
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c
from tests.support.snmp_proxy import relay

OCTETS = [parse_oid(oids.IF_HC_IN_OCTETS), parse_oid(oids.IF_HC_OUT_OCTETS)]
# What is lost costs this long.
ATTEMPT_SECONDS, LOST = 0.4, 3


class Ticking(TableView):
    """A switch whose ports have counted the milliseconds since it came up.

    Once both directions were read, the first answers to each of three more questions are lost.
    """

    def __init__(self, ports: int) -> None:
        super().__init__(switch(ports))
        self.up_at = time.monotonic()
        self.question: Oid | None = None
        self.told: set[Oid] = set()
        self.is_lossy = False
        self.lost: set[Oid] = set()

    def lose(self, _number: int, data: bytes) -> list[tuple[float, bytes]]:
        question, self.question = self.question, None
        is_lost = self.is_lossy and len(self.lost) < LOST and question not in {None, *self.lost}
        if is_lost and question is not None:
            self.lost.add(question)
        self.is_lossy = len(self.told) == len(OCTETS)
        return [] if is_lost else [(0.0, data)]

    def next(self, oid: Oid) -> tuple[Oid, SnmpValue] | None:
        self.question = self.question or oid
        found = super().next(oid)
        if found is None or found[0][:-1] not in OCTETS:
            return found
        self.told.add(found[0][:-1])
        return found[0], Counter64(round((time.monotonic() - self.up_at) * 1000))


@pytest.mark.parametrize(
    ("backend", "ports"),
    [
        ("gufo", 3),
        (
            "pysnmp",
            30,
        ),  # side by side a question brings nine rows: those that follow are read later
    ],
)
async def test_a_row_tells_when_its_octets_were_read(
    backend: str, ports: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[float] = []
    bodies: list[Interfaces] = []

    async def emit(_kind: str, body: Device | Interfaces) -> None:
        if isinstance(body, Interfaces):
            bodies.append(body)

    merge = interfaces._merge

    def merging(walks: list[Walk], now: float) -> tuple[InterfaceReading, ...]:
        ends.append(now)
        return merge(walks, now)

    monkeypatch.setattr(interfaces, "_merge", merging)

    view = Ticking(ports)
    spent: list[float] = []

    def watch(_: str, fields: dict[str, object]) -> None:
        if fields.get("answer") not in (None, "no answer"):
            spent.append(cast(float, fields["seconds"]))

    async with (
        serving(view) as port,
        relay("127.0.0.1", port, to_client=view.lose) as line,
        polling(
            v2c(COMMUNITY),
            attempt_seconds=ATTEMPT_SECONDS,
            attempts=3,
            backend=backend,
            trace=watch,
        ) as polled,
    ):
        await polled.poller.poll(DeviceTask(1, "127.0.0.1", line.port, "default"), 20.0, emit)

    (found,), (end,) = bodies, ends
    agos = [row.octets_ago_seconds or 0.0 for row in found.rows]
    middles = [((row.in_octets or 0) + (row.out_octets or 0)) / 2000 for row in found.rows]
    true_agos = [end - view.up_at - middle for middle in middles]
    assert found.outcome == "ok" and len(agos) == ports and len(view.lost) == LOST
    assert max(true_agos) > ATTEMPT_SECONDS * (LOST - 1)
    # The middle of a question and its answer is told: the end of the poll is far more off, unless
    # a machine that stood still made that one question as long.
    wrong = [abs(told - true) for told, true in zip(agos, true_agos, strict=True)]
    assert max(wrong) < max(max(spent) / 2, ATTEMPT_SECONDS / 2) + 0.1


def test_a_cell_was_read_by_the_answer_that_reached_it() -> None:
    walk = Walk(answers={"1.2": [((2,), 10.0), ((7,), 11.0)]})

    assert [walk.read_at("1.2", (row,)) for row in (1, 2, 3, 7, 8)] == [
        10.0,
        10.0,
        11.0,
        11.0,
        None,
    ]
    assert walk.read_at("1.3", (1,)) is None
    assert replace(walk, answers={}).read_at("1.2", (1,)) is None
