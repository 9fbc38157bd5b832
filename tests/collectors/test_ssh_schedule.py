"""When devices are visited by SSH: spread, daily, soon after a change, and not in vain."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiemke.collectors.assignment import DeviceTask, parse_assignment
from kiemke.collectors.server_secrets import ServerSecret
from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.read import SshReader
from kiemke.collectors.ssh.visits import Plan, Visited, Visits, next_visit
from kiemke.wire.config_text import unpack
from kiemke.wire.report import Body, Config
from kiemke.wire.secret import Secret
from tests.support.ssh_devices import PASSWORD, USER, Played, play, read_recording

DAY = 86_400.0
NOW = 1_800_000_000.0
# Device 5 has its place at the very beginning of a round: nobody waits.
TASK = DeviceTask(5, "192.0.2.1", 161, "default", ssh_secret=3, ssh_credential="ssh",
                  ssh_platform="linux", ssh_visit_seconds=DAY)  # fmt: skip
SECRET = ServerSecret(3, 1, "ssh", "ssh", {"user": Secret(USER), "password": Secret(PASSWORD)})
PLAN = Plan(TASK, None, "mark")


@pytest.mark.parametrize(
    ("last", "least", "most"),
    [
        (None, NOW, NOW + 4.0),
        (Visited(NOW - 10, "another mark", "ok"), NOW, NOW + 4.0),
        (Visited(NOW + DAY, "mark", "ok"), NOW, NOW + 4.0),  # the clock was set back
        (Visited(NOW, "mark", "ok"), NOW + DAY / 2, NOW + DAY * 1.5),
        (Visited(NOW, "mark", "timeout"), NOW + 3600, NOW + 3600),
        (Visited(NOW, "mark", "auth"), NOW + DAY / 2, NOW + DAY * 1.5),
        (Visited(NOW, "mark", "host_key"), NOW + DAY / 2, NOW + DAY * 1.5),
        (Visited(NOW, "mark", "host_key", "the old key"), NOW, NOW + 4.0),  # another was accepted
    ],
)
def test_the_next_visit(last: Visited | None, least: float, most: float) -> None:
    assert least <= next_visit(PLAN, last, NOW, 4.0) <= most


def test_daily_visits_are_spread_over_the_day_and_stay_where_they_are() -> None:
    places = []
    for device in range(200):
        plan = replace(PLAN, task=replace(TASK, device=device))
        first = next_visit(plan, Visited(NOW, "mark", "ok"), NOW, 4.0)
        second = next_visit(plan, Visited(first + 30.0, "mark", "ok"), first, 4.0)
        assert second == pytest.approx(first + DAY)
        places.append(first % DAY)

    hours = [sum(1 for place in places if place // 3600 == hour) for hour in range(24)]
    assert min(hours) >= 1 and max(hours) <= 20


class Told:
    """What the visits emitted."""

    def __init__(self) -> None:
        self.bodies: list[Config] = []
        self.came = asyncio.Event()

    async def emit(self, kind: str, body: Body) -> None:
        assert kind == "config" and isinstance(body, Config)
        self.bodies.append(body)
        self.came.set()

    async def next(self) -> Config:
        await asyncio.wait_for(self.came.wait(), 60)
        self.came.clear()
        return self.bodies[-1]


@contextlib.asynccontextmanager
async def running(state: Path, told: Told) -> AsyncIterator[Visits]:
    visits = Visits(state, told.emit, lambda: SshReader(HostKeys(state)))
    task = asyncio.create_task(visits.run())
    try:
        yield visits
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def task_of(played: Played, **fields: object) -> DeviceTask:
    return replace(TASK, address="127.0.0.1", ssh_port=played.port, **fields)  # type: ignore[arg-type]


async def test_a_visit_is_reported_whole_once_and_not_again_after_a_restart(
    tmp_path: Path,
) -> None:
    told = Told()
    async with play(read_recording("linux")) as played:
        async with running(tmp_path, told) as visits:
            visits.assign([task_of(played)], [SECRET])
            body = await told.next()
            visits.assign([task_of(played, host_key=body.host_key)], [SECRET])
        async with running(tmp_path, told) as again:
            again.assign([task_of(played, host_key=body.host_key)], [SECRET])
            due = again._due[5]  # when it would go next; nothing shows sooner that it does not

    assert (body.outcome, body.platform, body.facts) == ("ok", "linux", played.recording.facts)
    assert body.packed is not None and "Pl4nt" not in unpack(body.packed)
    assert body.host_key is not None and body.host_key.startswith("ssh-ed25519 AAAA")
    assert {port.name for port in body.ports or ()} >= {"lo"}
    assert body.access is not None
    assert (body.access.user, body.access.may_configure, body.access.snmp_writers) == (
        USER, False, 1,
    )  # fmt: skip
    assert (len(told.bodies), played.logins) == (1, 1)
    assert due > again._now() + DAY / 3


async def test_the_servers_key_is_the_only_one_and_an_accepted_one_is_visited_at_once(
    tmp_path: Path,
) -> None:
    """Also where this collector, a stand-in, has never been before: it believes no first key."""
    told = Told()
    recording = read_recording("linux")
    async with play(recording) as before:
        first = Told()
        async with running(tmp_path, first) as visits:
            visits.assign([task_of(before)], [SECRET])
            old = (await first.next()).host_key
    stand_in = tmp_path / "other"
    stand_in.mkdir()
    async with play(recording) as played, running(stand_in, told) as visits:
        visits.assign([task_of(played, host_key=old)], [SECRET])
        refused = await told.next()
        logins = played.logins
        visits.assign([task_of(played, host_key=refused.host_key)], [SECRET])
        accepted = await told.next()

    assert (refused.outcome, logins) == ("host_key", 0)
    assert refused.host_key not in (None, old)
    assert "kiemke device host-key accept" in (refused.detail or "")
    assert (accepted.outcome, accepted.host_key) == ("ok", refused.host_key)


async def test_without_a_secret_it_is_said_and_without_a_platform_nobody_is_visited(
    tmp_path: Path,
) -> None:
    told = Told()
    async with running(tmp_path, told) as visits:
        visits.assign([replace(TASK, device=1, ssh_platform=None), TASK], [])
        body = await told.next()

    assert (body.device, body.outcome) == (5, "error")
    assert 'no secret "ssh"' in (body.detail or "")
    assert len(told.bodies) == 1


async def test_the_collectors_own_file_wins_and_is_tried_anew_when_it_is_corrected(
    tmp_path: Path,
) -> None:
    told = Told()
    path = tmp_path / "credentials.toml"
    path.touch(mode=0o600)
    text = '[ssh]\nkind = "ssh"\nuser = "{user}"\npassword = "{password}"\n'
    path.write_text(text.format(user=USER, password="wrong"))
    async with play(read_recording("linux")) as played, running(tmp_path, told) as visits:
        visits.assign([task_of(played)], [SECRET])
        wrong = await told.next()
        path.write_text(text.format(user=USER, password=PASSWORD))
        os.utime(path, ns=(1, 1))  # a clock too coarse to tell the two apart is no matter here
        visits.assign([task_of(played)], [SECRET])
        right = await told.next()

    assert (wrong.outcome, right.outcome) == ("auth", "ok")


def test_an_assignment_carries_visits_and_an_hour_is_the_shortest_pause() -> None:
    row = {"device": 7, "address": "192.0.2.1", "ssh_platform": "linux", "ssh_port": 2222}
    found = parse_assignment(
        {
            "poll_seconds": 60,
            "devices": [
                row | {"ssh_visit_seconds": 5},
                row | {"device": 8},
                row | {"device": 9, "host_key": "ssh-rsa nonsense"},
            ],
        }
    )

    assert [(each.ssh_platform, each.ssh_port) for each in found.devices] == [("linux", 2222)] * 2
    assert [each.ssh_visit_seconds for each in found.devices] == [3600.0, 0.0]
    assert "not a host key" in found.refused[0]
