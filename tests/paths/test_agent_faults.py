"""What befalls a PC in a bad year, against a real server: every report arrives once, or is told as lost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiemke.agent.state import StateFolder
from kiemke.wire.client import Outcome, Sender
from kiemke.wire.clocks import SystemClock, now_utc
from kiemke.wire.outbox import Outbox
from kiemke.wire.pin import parse_address
from tests.support.agent_server import AGENT, AgentServer, run_agent
from tests.support.peers import free_port, wait_until
from tests.support.senders import ManualClock, event

REPORTS_A_WEEK = 7 * 24 * 4  # one each quarter of an hour
AWAY = parse_address(f"https://127.0.0.1:{free_port()}")


class Pc:
    """An enrolled PC whose clock a test sets; what it put is counted."""

    def __init__(self, server: AgentServer, state: Path) -> None:
        self._server = server
        self.state = server.enrolled_state(state)
        identity = StateFolder(state).identity()
        assert identity is not None and identity.source is not None
        self.name = identity.source
        self.credentials = identity.credentials()
        self.clock = ManualClock(moment=now_utc(), up_seconds=30 * 86_400.0)
        self.put_texts: list[str] = []

    @contextmanager
    def outbox(self, megabytes: float = 8.0) -> Iterator[Outbox]:
        """Open the outbox as a start of the service does."""
        box = Outbox(StateFolder(self.state).outbox_path, self.clock, megabytes)
        try:
            yield box
        finally:
            box.close()

    def put(self, box: Outbox, text: str) -> None:
        """Spool a report that says ``text``."""
        box.put(event(self.clock, text))
        self.put_texts.append(text)

    def sender(self, box: Outbox, *, away: bool = False) -> Sender:
        """Return what posts; ``away`` to a port where nobody listens."""
        credentials = replace(self.credentials, addresses=(AWAY,)) if away else self.credentials
        return Sender(box, credentials, self.clock)

    def deliver(self, box: Outbox) -> None:
        """Post all that waits."""
        sender = self.sender(box)
        assert sender.drain(300.0).outcome is Outcome.IDLE
        sender.close()

    def received(self) -> Counter[str]:
        """Return how often each text stands at the server."""
        return Counter(one["user"] for one in self._server.events(self.name, "session"))

    def losses(self) -> list[dict[str, str]]:
        """Return what the server was told of losses."""
        return self._server.events(self.name, "outbox")

    def moments(self) -> list[tuple[int, str]]:
        """Return when each event was, by the server's reckoning, and whether it is sure."""
        return self._server.rows(
            "SELECT e.at_ms, e.clock FROM source_event e JOIN source s ON s.id = e.source_id"
            " WHERE s.public_id = ? AND e.name = 'session' ORDER BY e.id",
            self.name,
        )


@pytest.fixture
def pc(agent_server: AgentServer, tmp_path: Path) -> Pc:
    return Pc(agent_server, tmp_path / "state")


def once(pc: Pc) -> Counter[str]:
    """Each text that was put, once."""
    return Counter(dict.fromkeys(pc.put_texts, 1))


def test_a_week_without_the_server_loses_nothing_and_moves_no_moment(pc: Pc) -> None:
    """What was kept meanwhile is all there, in order, each at the time it happened."""
    begun = pc.clock.now() - timedelta(days=7)
    pc.clock.moment = begun
    with pc.outbox() as box:
        away = pc.sender(box, away=True)
        for number in range(REPORTS_A_WEEK):
            pc.put(box, f"week-{number}")
            if number % 96 == 0:  # a try a day is enough to see that it fails
                assert away.post_once().outcome is Outcome.RETRY
            pc.clock.pass_time(900.0)
        away.close()
        pc.deliver(box)

    moments = pc.moments()
    assert pc.received() == once(pc)
    assert {clock for _, clock in moments} == {"sure"}
    spacing = {after[0] - before[0] for before, after in zip(moments, moments[1:], strict=False)}
    assert spacing == {900_000}
    assert abs(moments[0][0] - round(begun.timestamp() * 1000)) < 60_000


def test_a_clock_set_back_a_year_loses_nothing_and_the_server_knows_better(pc: Pc) -> None:
    """The uptime goes on: what was before and after the change lies a minute apart."""
    with pc.outbox() as box:
        pc.put(box, "before")
        pc.clock.pass_time(60.0)
        pc.clock.moment -= timedelta(days=365)
        pc.put(box, "after")
        pc.clock.pass_time(60.0)
        pc.deliver(box)
        # A new boot in the wrong year: its reports are placed by the boot that posts them.
        pc.clock.boot_id, pc.clock.up_seconds = "after-a-year", 20.0
        pc.put(box, "next boot")
        pc.deliver(box)

    before, after, following = (moment for moment, _ in pc.moments())
    assert pc.received() == once(pc)
    assert after - before == 60_000
    assert abs(following - round(now_utc().timestamp() * 1000)) < 60_000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk (tmpfs)")
def test_a_full_disk_keeps_what_comes_in_memory_and_it_arrives_once(
    agent_server: AgentServer, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    try:
        pc = Pc(agent_server, disk / "state")
        with pc.outbox() as box:
            pc.put(box, "with room")
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file:
                while True:
                    try:
                        file.write(b"x" * 4096)
                    except OSError:
                        break
            for number in range(50):
                pc.put(box, f"full-{number}")
            unsaved = box.unsaved
            pc.deliver(box)
            filler.unlink()
            pc.put(box, "room again")
            pc.deliver(box)
        assert unsaved > 0
        assert pc.received() == once(pc)
        assert pc.losses() == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


WRITER = """
import sys
from pathlib import Path
from kiemke.wire.clocks import SystemClock
from kiemke.wire.outbox import Outbox
from tests.support.senders import event
clock = SystemClock.read()
box = Outbox(Path(sys.argv[1]), clock, 8.0)
for number in range(100_000):
    box.put(event(clock, f"{sys.argv[2]}-{number}"))
    print(number, flush=True)
"""


def test_power_that_fails_while_it_writes_loses_nothing_that_was_kept(pc: Pc) -> None:
    """Three times, each within a write: what ``put`` had returned arrives, once."""
    pc.clock.boot_id = SystemClock.read().boot_id
    kept: list[str] = []
    for cut in range(3):
        path = StateFolder(pc.state).outbox_path
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"cut{cut}"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        last = -1
        with writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                last = int(line)
                if last >= 20 + cut:
                    writer.send_signal(signal.SIGKILL)
                    break
            rest = [int(line) for line in writer.stdout.read().splitlines() if line.isdecimal()]
        kept += [f"cut{cut}-{number}" for number in range(max([last, *rest]) + 1)]
    with pc.outbox() as box:
        pc.clock.up_seconds = SystemClock.read().uptime_seconds()
        pc.deliver(box)

    received = pc.received()
    assert set(kept) <= received.keys()
    # At most the one write that was being made when the power went may be there beyond.
    assert len(received) <= len(kept) + 3
    assert set(received.values()) == {1}
    assert pc.losses() == []


def test_a_corrupted_outbox_is_kept_aside_a_new_one_begun_and_the_server_told(pc: Pc) -> None:
    path = StateFolder(pc.state).outbox_path
    with pc.outbox() as box:
        pc.put(box, "delivered")
        pc.deliver(box)
        box.put(event(pc.clock, "lies in the part that breaks"))
    data = bytearray(path.read_bytes())
    data[: len(data) // 2] = os.urandom(len(data) // 2)
    path.write_bytes(data)

    with pc.outbox() as box:
        pc.put(box, "in the new one")
        pc.deliver(box)
        pc.deliver(box)  # the loss is told once something was acknowledged

    aside = [one.name for one in pc.state.glob("outbox.db.broken-*")]
    (loss,) = pc.losses()
    assert len(aside) == 1
    assert loss["reason"] == "broken" and aside[0] in loss["detail"]
    assert pc.received() == once(pc)


def listening_sockets(pid: int) -> list[str]:
    """Return the lines of the kernel's tables of sockets on which a process waits for others."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            if (link := str(fd.readlink())).startswith("socket:["):
                inodes.add(link.removeprefix("socket:[").removesuffix("]"))
    found = []
    for table, waiting in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[9] in inodes and columns[3] == waiting:
                found.append(line)
    assert inodes, "the agent has its connection at least"
    return found


def test_two_agents_started_at_once_are_one_at_the_server(
    agent_server: AgentServer, tmp_path: Path
) -> None:
    """The second sees the first one's lock, says so and ends; each report is there once."""
    state = agent_server.enrolled_state(tmp_path / "state")
    words = [*AGENT, "run", "--spread", "0", "--state", str(state)]
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    identity = StateFolder(state).identity()
    assert identity is not None and identity.source is not None
    name = identity.source
    try:
        wait_until(lambda: any(one.poll() is not None for one in both), "one of them ends", 60)
        wait_until(lambda: len(agent_server.events(name, "boot")) > 0, "the other reports", 60)
        (alive,) = [one.pid for one in both if one.poll() is None]
        listening = listening_sockets(alive)
    finally:
        for one in both:
            if one.poll() is None:
                one.terminate()
        errors = [one.communicate(timeout=60)[1] for one in both]

    assert listening == []  # the running agent opens no port
    assert sorted(one.returncode for one in both) == [0, 1]
    assert sum("another process is using this folder" in text for text in errors) == 1
    assert agent_server.events(name, "boot") == [{"previous_end": "unknown"}]
    streams = agent_server.rows(
        "SELECT COUNT(*), SUM(gap_reports) FROM source_stream x JOIN source s ON s.id = x.source_id"
        " WHERE s.public_id = ?",
        name,
    )
    assert streams == [(1, 0)]


def test_a_server_that_comes_back_is_found_without_anybodys_help(
    agent_server: AgentServer, tmp_path: Path
) -> None:
    """The first address is dead, the second one lives; `kiemke-agent doctor` names both."""
    state = agent_server.enrolled_state(tmp_path / "state")
    folder = StateFolder(state)
    identity = folder.identity()
    assert identity is not None
    run_agent("server", "--first", str(AWAY), "--state", str(state))

    run_agent("run", "--once", "--state", str(state))

    told = json.loads(run_agent("doctor", "--json", "--state", str(state)).stdout)
    lines = {one["name"]: one["state"] for one in told}
    assert (lines["line"], lines["tls"], lines["admission"]) == ("good", "good", "good")
    revoked = agent_server.ask("POST", f"/sources/{identity.source}/revoke")
    assert revoked["state"] == "revoked"
    refused = json.loads(run_agent("doctor", "--json", "--state", str(state), code=1).stdout)
    assert [one["state"] for one in refused if one["name"] == "admission"] == ["bad"]
