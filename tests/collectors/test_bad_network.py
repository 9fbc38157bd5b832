"""A line that loses, repeats, swaps, delays and garbles: late or partial, never wrong."""

import random
import socket
from typing import cast

import pytest

from kiemke.collectors.snmp import oids
from kiemke.wire.report import Interfaces
from tests.support.peers import free_port
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c
from tests.support.snmp_proxy import Fate, pass_on, relay

PORTS = 60


def wrong_rows(found: Interfaces) -> list[object]:
    """Return the rows that do not say what port n of ``switch`` says."""
    return [
        row
        for row in found.rows
        if (row.in_octets, row.out_octets, row.name, row.description)
        != (1000 * row.index, 2000 * row.index, f"ge{row.index}", f"Port {row.index}")
    ]


def swapping(number: int, data: bytes) -> list[tuple[float, bytes]]:
    """Let every other datagram be overtaken by the one after it."""
    return [(0.15 if number % 2 else 0.0, data)]


def doubling(number: int, data: bytes) -> list[tuple[float, bytes]]:
    """Send every datagram three times, the last copy late."""
    return [(0.0, data), (0.0, data), (0.2, data)]


def losing(seed: int, share: float) -> Fate:
    """Return a fate that drops this share of the datagrams, the same ones in every run."""
    chance = random.Random(seed)

    def fate(number: int, data: bytes) -> list[tuple[float, bytes]]:
        return [] if chance.random() < share else [(0.0, data)]

    return fate


def garbling(number: int, data: bytes) -> list[tuple[float, bytes]]:
    """Send rubbish, an empty datagram and half an answer before the answer itself."""
    return [(0.0, b"\xff" * 40), (0.0, b""), (0.0, data[: len(data) // 2]), (0.01, data)]


class Dying:
    """A line that dies once so many answers to questions for a column have been taken."""

    def __init__(self, column: str, parts: int) -> None:
        self.column = column
        self.parts = parts

    def watch(self, event: str, fields: dict[str, object]) -> None:
        if event == "bulk" and fields.get("answer", "no answer") != "no answer":
            asked = cast(list[str], fields["from"])[0]
            self.parts -= asked == self.column or asked.startswith(f"{self.column}.")

    def fate(self, _number: int, data: bytes) -> list[tuple[float, bytes]]:
        return [(0.0, data)] if self.parts > 0 else []


@pytest.mark.parametrize(
    ("to_client", "to_agent", "backend"),
    [
        (swapping, pass_on, "gufo"),
        (doubling, pass_on, "gufo"),
        (garbling, pass_on, "gufo"),
        (losing(7, 0.15), pass_on, "gufo"),
        (losing(8, 0.1), losing(9, 0.1), "pysnmp"),
    ],
)
async def test_every_row_that_comes_through_is_right(
    to_client: Fate, to_agent: Fate, backend: str
) -> None:
    async with (
        serving(TableView(switch(PORTS))) as port,
        relay("127.0.0.1", port, to_client=to_client, to_agent=to_agent) as line,
        polling(v2c(COMMUNITY), attempt_seconds=0.4, attempts=4, backend=backend) as polled,
    ):
        device, found = await polled.poll(line.port)

    assert device.outcome == "ok"
    assert found is not None and found.outcome in ("ok", "partial")
    assert wrong_rows(found) == []
    assert found.outcome == "partial" or len(found.rows) == PORTS


async def test_answers_to_questions_given_up_are_not_taken_for_later_ones() -> None:
    """Each answer comes after its question was asked a second time."""
    late: Fate = lambda number, data: [(0.5 if number % 3 == 1 else 0.0, data)]  # noqa: E731

    async with (
        serving(TableView(switch(PORTS))) as port,
        relay("127.0.0.1", port, to_client=late) as line,
        polling(v2c(COMMUNITY), attempt_seconds=0.25, attempts=3) as polled,
    ):
        _, found = await polled.poll(line.port)

    assert found is not None and wrong_rows(found) == []
    assert found.outcome == "ok" and len(found.rows) == PORTS


async def test_a_device_that_falls_silent_halfway_gives_its_whole_rows_only() -> None:
    """The line dies after some answers of the last walk: what was read whole is sent, the rest not."""
    line_of = Dying(oids.IF_HC_IN_OCTETS, parts=2)  # five parts would be the whole

    async with (
        serving(TableView(switch(PORTS))) as port,
        relay("127.0.0.1", port, to_client=line_of.fate) as line,
        polling(
            v2c(COMMUNITY), attempt_seconds=0.4, attempts=3, trace=line_of.watch, backend="pysnmp"
        ) as polled,
    ):
        device, found = await polled.poll(line.port, budget=6.0)

    assert device.outcome == "ok"
    assert found is not None and found.outcome == "partial"
    assert 0 < len(found.rows) < PORTS
    assert wrong_rows(found) == []
    assert found.detail is not None


async def test_silence_halfway_leaves_whole_rows_on_the_fast_path_too() -> None:
    """The line dies when the second part of the states has come."""
    line_of = Dying(oids.IF_OPER_STATUS, parts=2)

    async with (
        serving(TableView(switch(150))) as port,
        relay("127.0.0.1", port, to_client=line_of.fate) as line,
        polling(v2c(COMMUNITY), attempt_seconds=0.4, attempts=3, trace=line_of.watch) as polled,
    ):
        device, found = await polled.poll(line.port, budget=8.0)

    assert device.outcome == "ok"
    assert found is not None and found.outcome == "partial"
    assert [row.index for row in found.rows] == list(range(1, 61))
    assert wrong_rows(found) == []


async def test_a_line_too_thin_for_large_answers_is_asked_for_small_ones() -> None:
    """Answers above 700 bytes never arrive (a broken MTU): the bulk shrinks, and stays small."""
    lost: list[int] = []

    def thin(number: int, data: bytes) -> list[tuple[float, bytes]]:
        if len(data) <= 700:
            return [(0.0, data)]
        lost.append(number)
        return []

    async with (
        serving(TableView(switch(PORTS))) as port,
        relay("127.0.0.1", port, to_client=thin) as line,
        polling(v2c(COMMUNITY), attempt_seconds=0.25, attempts=2) as polled,
    ):
        _, first = await polled.poll(line.port)
        lost_at_first = len(lost)
        _, second = await polled.poll(line.port)

    assert first is not None and (first.outcome, len(first.rows)) == ("ok", PORTS)
    assert second is not None and (second.outcome, len(second.rows)) == ("ok", PORTS)
    assert lost_at_first > 0
    assert len(lost) - lost_at_first < lost_at_first


async def test_a_dead_target_costs_a_live_one_nothing() -> None:
    dead = free_port(socket.SOCK_DGRAM)

    async with (
        serving(TableView(switch(4))) as port,
        polling(v2c(COMMUNITY), attempt_seconds=5.0) as polled,
    ):
        silent, nothing = await polled.poll(dead, device=1)
        live, found = await polled.poll(port, device=2)

    assert (silent.outcome, nothing) == ("unreachable", None)
    assert live.outcome == "ok"
    assert found is not None and len(found.rows) == 4


async def test_the_budget_of_a_device_is_kept() -> None:
    """Every answer takes 0.4 s and the device has 3 s: seven answers, however quick we are.

    Questions are counted, not time: whole, the table takes over forty.
    """
    slow: Fate = lambda number, data: [(0.4, data)]  # noqa: E731
    asked: list[int] = []

    def counting(number: int, data: bytes) -> list[tuple[float, bytes]]:
        asked.append(number)
        return [(0.0, data)]

    async with (
        serving(TableView(switch(400))) as port,
        relay("127.0.0.1", port, to_client=slow, to_agent=counting) as line,
        polling(v2c(COMMUNITY)) as polled,
    ):
        device, found = await polled.poll(line.port, budget=3.0)

    assert device.outcome == "ok"
    assert 2 <= len(asked) <= 8
    assert found is not None and found.outcome in ("timeout", "partial")
    assert wrong_rows(found) == []
