"""What a collector learns of one device: how long to wait, when to let it rest, when to stop asking."""

import json
import socket
import time
from pathlib import Path
from typing import Any

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.learned import Learned
from kiemke.collectors.snmp.reader import (
    LACKING_SECONDS,
    MOST_PATIENCE_SECONDS,
    REST_AFTER,
    REST_EVERY,
    Tuning,
)
from tests.support.peers import free_port
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c


def test_a_slow_device_gets_the_time_it_needs_and_a_quick_one_none_extra() -> None:
    tuning = Tuning()

    tuning.end_poll("timeout", 2.0)
    assert tuning.patience(2.0, 2) == (4.0, 2)
    tuning.slowest_seconds = 2.5
    tuning.end_poll("ok", 2.0)
    assert tuning.patience(2.0, 2) == (7.5, 2)
    tuning.slowest_seconds = 0.02
    tuning.end_poll("ok", 2.0)
    assert tuning.patience(2.0, 2) == (2.0, 2)
    for _ in range(3):
        tuning.end_poll("timeout", 2.0)
    assert tuning.patience(2.0, 2) == (MOST_PATIENCE_SECONDS, 2)
    tuning.end_poll("timeout", 2.0)
    assert tuning.patience(2.0, 2) == (2.0, 2), "off, not slow"


def test_a_dead_device_rests_and_one_answer_ends_that() -> None:
    tuning = Tuning()
    for _ in range(REST_AFTER):
        assert not tuning.is_resting()
        tuning.end_poll("timeout", 2.0)

    rested = [tuning.is_resting() for _ in range(3 * REST_EVERY)]
    assert rested.count(False) == 3
    assert tuning.patience(2.0, 2) == (MOST_PATIENCE_SECONDS, 1), "it may be a slow one after all"
    tuning.end_poll("ok", 2.0)

    assert not any(tuning.is_resting() for _ in range(REST_EVERY))


async def test_a_resting_device_is_sent_nothing_until_something_about_it_changes() -> None:
    events: list[str] = []
    learned = Learned()
    async with polling(
        v2c(COMMUNITY), attempt_seconds=5.0, trace=lambda event, _: events.append(event),
        learned=learned,
    ) as polled:  # fmt: skip
        port = free_port(socket.SOCK_DGRAM)
        tuning = learned.tuning("127.0.0.1", port)
        tuning.silent_polls = REST_AFTER
        assert await polled.turn(port) == "timeout"
        assert (events, polled.emitted) == (["resting"], [])
        learned.wake_all()
        assert await polled.turn(port) == "unreachable"

    assert "get" in events and len(polled.emitted) == 1


def test_packets_are_a_budget_as_time_is() -> None:
    deadline = Deadline(10.0, packets=2)

    deadline.spend()
    assert not deadline.is_over()
    deadline.spend()

    assert deadline.is_over() and "packets" in deadline.why()


async def test_a_poll_that_needs_more_packets_than_it_may_is_partial() -> None:
    async with (
        serving(TableView(switch(150))) as port,
        polling(v2c(COMMUNITY), attempt_seconds=5.0) as polled,
    ):
        polled.poller.most_packets = 25
        device, found = await polled.poll(port)

    assert device.outcome == "ok"
    assert found is not None and found.outcome == "partial"
    assert found.detail is not None and "packets" in found.detail


async def test_what_was_learned_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    learned = Learned(path)
    tuning = learned.tuning("10.0.0.1", 161)
    until = time.time() + LACKING_SECONDS / 2
    tuning.max_repetitions, tuning.lacking["1.3.6.1.2.1.10"] = 6, until
    tuning.lacking["1.3.6.1.2.1.11"] = 1.0
    await learned.keep()
    assert not path.exists(), "the disk is asked for little"
    await learned.keep(at_once=True)

    again = Learned(path).tuning("10.0.0.1", 161)

    assert (again.max_repetitions, again.lacking) == (6, {"1.3.6.1.2.1.10": until})


def test_a_clock_that_ran_ahead_leaves_no_column_unasked_for_years(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    path.write_text(json.dumps({"10.0.0.1 161": {"lacking": {"1.3.6.1.2.1.10": 4e9}}}))

    until = Learned(path).tuning("10.0.0.1", 161).lacking["1.3.6.1.2.1.10"]

    assert until <= time.time() + LACKING_SECONDS


def test_a_damaged_file_costs_what_was_learned_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    rows: list[Any] = [3, {"max_repetitions": -4}, {"patience_seconds": "x", "lacking": [1]}]
    for text in ("", "[]", *(json.dumps({"10.0.0.1 161": row}) for row in rows)):
        path.write_text(text)
        assert Learned(path).tuning("10.0.0.1", 161) == Tuning()
