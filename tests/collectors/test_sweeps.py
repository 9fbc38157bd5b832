"""When sites are swept, how a crawl goes on, and what of an assignment is believed."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kiemke.collectors.assignment import load_assignment, parse_assignment, save_assignment
from kiemke.collectors.discover import commands
from kiemke.collectors.discover.crawl import crawl
from kiemke.collectors.discover.door import Door
from kiemke.collectors.discover.sweeps import FIRST_SECONDS, Sweeps
from kiemke.collectors.discover.task import SweepTask
from kiemke.collectors.errors import ConfigError
from kiemke.wire.lan import LanHost, Neighbour, Neighbours, Sweep
from kiemke.wire.reach import read_networks

TASK = SweepTask(4, ("10.5.9.0/24",), ("10.5.9.64/26",), 86_400.0)
ROW = {"site": 4, "subnets": ["10.5.9.0/24"], "deny": ["10.5.9.64/26"], "every_seconds": 86_400}


async def nothing(kind: str, body: Sweep) -> None:
    """Take a report and forget it."""


def test_a_sweep_of_the_assignment_is_kept_over_a_restart(tmp_path: Path) -> None:
    assignment = parse_assignment({"poll_seconds": 60, "sweeps": [ROW]})
    save_assignment(tmp_path, assignment)

    assert assignment.sweeps == (TASK,)
    assert load_assignment(tmp_path) == assignment


@pytest.mark.parametrize("change", [
    {"deny": ["10.5.9.64/99"]}, {"deny": None}, {"subnets": ["10.5.9.7/24"]}, {"site": True},
    {"every_seconds": 0}, {"every_seconds": "daily"},
])  # fmt: skip
def test_a_sweep_that_cannot_be_read_whole_is_not_made(change: dict[str, Any]) -> None:
    """A deny row that is passed over would open what it shuts."""
    found = parse_assignment({"poll_seconds": 60, "sweeps": [{**ROW, **change}, "x"]})

    assert found.sweeps == () and len(found.refused) == 2


async def test_sites_are_swept_one_after_the_other_and_when_is_remembered(tmp_path: Path) -> None:
    told: list[Sweep] = []
    at_once, most = 0, 0

    async def run(task: SweepTask) -> Sweep:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        if task.site == 5:
            raise OSError("no socket")
        return Sweep(task.site, "ok", task.subnets, 1, 0, 0.1)

    async def emit(kind: str, body: Sweep) -> None:
        told.append(body)

    sweeps = Sweeps(tmp_path, emit, run)
    sweeps.wait_seconds = lambda task, now: 0.0 if task.site not in sweeps._swept else 60.0  # type: ignore[method-assign]
    sweeps.assign([TASK, SweepTask(5, ("10.5.10.0/24",), (), 600.0)])
    async with asyncio.timeout(30):
        while len(told) < 2:
            await asyncio.sleep(0)
    await sweeps.close()

    assert sorted((each.site, each.outcome) for each in told) == [(4, "ok"), (5, "error")]
    assert most == 1
    assert sweeps.told == {"sweep:4": "ok, 0 found", "sweep:5": "error, 0 found"}
    assert set(json.loads((tmp_path / "sweeps.json").read_text())) == {"4", "5"}


def test_a_site_waits_for_its_turn_whatever_the_clock_does(tmp_path: Path) -> None:
    (tmp_path / "sweeps.json").write_text(json.dumps({"4": 1000.0}))
    sweeps = Sweeps(tmp_path, nothing)

    assert sweeps.wait_seconds(SweepTask(9, (), (), 600.0), 1.0) == FIRST_SECONDS
    assert sweeps.wait_seconds(TASK, 1100.0) == 86_300.0
    assert sweeps.wait_seconds(TASK, 10.0**9) == FIRST_SECONDS
    assert sweeps.wait_seconds(TASK, 0.0) == 86_400.0


async def test_a_crawl_follows_gear_within_the_subnets_and_nobody_else() -> None:
    def beside(address: str, *abilities: str) -> Neighbour:
        return Neighbour("lldp", addresses=(address,), abilities=abilities)

    network = {
        "10.5.9.1": (beside("10.5.9.2", "bridge"), beside("10.5.9.50", "telephone"),
                     beside("10.5.9.70", "bridge"), beside("192.0.2.1", "router")),
        "10.5.9.2": (beside("10.5.9.1", "bridge"), beside("10.5.9.3", "access_point")),
        "10.5.9.3": (),
    }  # fmt: skip
    asked: list[str] = []

    async def read(address: str) -> Neighbours:
        asked.append(address)
        return Neighbours(0, "ok", network[address])

    door = Door(read_networks(TASK.subnets), read_networks(TASK.deny), per_second=1e6)
    steps = await crawl(["10.5.9.1"], read, door)

    assert asked == ["10.5.9.1", "10.5.9.2", "10.5.9.3"]
    assert [step.told_by for step in steps] == [None, "10.5.9.1", "10.5.9.2"]
    assert door.refused == 2


def test_what_is_found_is_shown_without_what_could_move_the_cursor() -> None:
    hostile = LanHost("10.5.9.7", signs=("icmp",), open_ports=(80,), sys_descr="x\x1b[31mred")
    found = Sweep(4, "partial", TASK.subnets, 190, 66, 12.3, (hostile,), "no right to send ICMP")

    lines = list(commands.show_sweep(found))

    assert lines[0] == "site 4: 10.5.9.0/24: 190 addresses asked, 66 left alone, 1 found, 12 s"
    assert "\x1b" not in "".join(lines) and "ports 80" in lines[1]
    assert lines[2] == "  trouble: no right to send ICMP"


def test_without_subnets_the_command_says_what_to_do(tmp_path: Path) -> None:
    given = argparse.Namespace(state=tmp_path, site=None, crawl=False, json=False, debug=False)

    with pytest.raises(ConfigError, match="kiemke site subnet add"):
        commands.run(given)
