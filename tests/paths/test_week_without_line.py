"""A commune's line is cut for a week; its agent, behind the collector's relay, loses nothing.

Real agent, real collector with its relay, real server. The week passes on the agent's clock alone.
"""

import asyncio
import contextlib
import json
import random
import secrets
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kiemke.agent.courier import Courier
from kiemke.agent.host import Host
from kiemke.agent.loop import Agent
from kiemke.agent.state import StateFolder
from kiemke.collectors.relay import RelaySettings, save_relay
from kiemke.collectors.state import Enrolment, make_state, save_enrolment
from kiemke.server.daypack import SLOT_SECONDS
from kiemke.server.db import Database
from kiemke.wire.client import Credentials, Outcome
from kiemke.wire.client import Sender as Poster
from kiemke.wire.outbox import Outbox
from kiemke.wire.pin import Address, Pins
from kiemke.wire.secret import Secret
from tests.support.peers import end_process, free_port, wait_until
from tests.support.reporting import Sender, add_source, insert
from tests.support.senders import ManualClock
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.slow

WEEK_SECONDS = 7 * 86_400
STEP_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Site:
    """A server, a collector whose relay runs, and an enrolled agent that knows the relay alone."""

    server: ServerProcess
    collector: Path
    agent: Sender
    relay_port: int

    def relay_state(self) -> dict[str, int]:
        """Return what the collector says of its relay; empty before it does."""
        with contextlib.suppress(OSError, ValueError):
            status = json.loads((self.collector / "status.json").read_text())
            return status["relay"] or {}
        return {}


async def _enrolled(url: str) -> tuple[Sender, Sender]:
    """Return a collector and an agent of one unit, whose site is this machine."""
    database = Database(url)
    await database.open()
    try:
        collector = await add_source(database, kind="collector")
        async with database.transaction() as session:
            row = await session.one(
                "SELECT unit_id FROM source WHERE id = :id", id=collector.source_id
            )
            assert row is not None
            await insert(
                session, "site_subnet", unit_id=row["unit_id"], subnet="127.0.0.0/8", deny=False,
                valid_from=date(2020, 1, 1), recorded_at_ms=0,
            )  # fmt: skip
        return collector, await add_source(database, unit=row["unit_id"])
    finally:
        await database.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    tmp_path = tmp_path_factory.mktemp("site")
    server = ServerProcess(tmp_path / "data", f"sqlite://{tmp_path / 'data' / 'kiemke.sqlite'}")
    server.data_dir.mkdir()
    server.run("migrate")
    collector, agent = asyncio.run(_enrolled(server.database_url))
    server.start()
    state = tmp_path / "collector"
    make_state(state)
    here = Address("127.0.0.1", server.port)
    save_enrolment(
        state,
        Enrolment("i", Secret(collector.secret), collector.source, "approved", (here,),
                  Pins(server.root_pem)),
    )  # fmt: skip
    made = Site(server, state, agent, free_port())
    save_relay(state, RelaySettings(Address("127.0.0.1", made.relay_port)))
    with (state / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "kiemke.collectors.main", "--state", str(state), "run"],
            stderr=log,
        )
    try:
        wait_until(lambda: passes(made), "the relay lets this machine pass")
        yield made
    finally:
        end_process(process)
        server.stop()


def passes(site: Site) -> bool:
    """Tell whether a connection by the relay stays open: it does once the assignment is there."""
    with contextlib.suppress(OSError):
        with socket.create_connection(("127.0.0.1", site.relay_port), 5) as probe:
            probe.settimeout(0.2)
            try:
                return probe.recv(1) != b""
            except TimeoutError:
                return True
    return False


def counted(site: Site) -> tuple[list[tuple[int, str]], list[int]]:
    """Return (last seq, missing) of the agent's streams, and its days' slots whose time is sure."""
    path = Path(site.server.database_url.removeprefix("sqlite://"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        streams = connection.execute(
            "SELECT last_seq, missing FROM source_stream WHERE source_id = ?",
            (site.agent.source_id,),
        ).fetchall()
        days = connection.execute(
            "SELECT trusted_slots FROM presence_day WHERE source_id = ?", (site.agent.source_id,)
        ).fetchall()
    return streams, [row[0] for row in days]


def test_a_week_without_the_line_is_told_whole_when_it_is_back(site: Site, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    clock = ManualClock(secrets.token_hex(8), now, 9 * 86_400.0)
    clock.pass_time(-WEEK_SECONDS - 4 * STEP_SECONDS)
    folder = StateFolder(tmp_path / "agent")
    folder.prepare()
    outbox = Outbox(folder.outbox_path, clock)
    relay = Address("127.0.0.1", site.relay_port)
    known = Credentials(site.agent.source, site.agent.secret, (relay,), Pins(site.server.root_pem))
    sender = Poster(outbox, known, clock, rng=random.Random(4))
    agent = Agent(folder, Host(root=tmp_path / "nowhere"), clock, outbox, sender)
    courier = Courier(sender, lambda: STEP_SECONDS, lambda attempt: None)
    agent._begin()
    agent._take_sample(courier)
    before = sender.drain(30.0)

    site.server.stop()  # to the relay and to the agent no other than a cut line
    tried = []
    for step in range(round(WEEK_SECONDS / STEP_SECONDS)):
        clock.pass_time(STEP_SECONDS)
        agent._take_sample(courier)
        if step % 40 == 0:
            tried.append(sender.post_once().outcome)
    waiting = outbox.counts().reports
    site.server.start()
    clock.pass_time(STEP_SECONDS)
    agent._take_sample(courier)
    after = sender.drain(60.0)
    agent.close()
    sender.close()
    left = outbox.counts()
    outbox.close()

    assert (before.outcome, set(tried)) == (Outcome.IDLE, {Outcome.RETRY})
    assert waiting >= WEEK_SECONDS / STEP_SECONDS
    assert (after.outcome, left.reports, left.dead) == (Outcome.IDLE, 0, 0)
    streams, slots = counted(site)
    assert [missing for _, missing in streams] == [""]
    assert streams[0][0] == waiting + 3  # boot and two samples beside what waited
    assert sum(slots) >= WEEK_SECONDS / SLOT_SECONDS
    wait_until(lambda: site.relay_state().get("octets", 0) > 10_000, "the relay counts what passed")
    assert site.relay_state()["unreachable"] >= len(tried)


def test_the_relay_opens_no_way_to_anywhere_but_the_server(site: Site) -> None:
    """What is asked of it in the words of a proxy reaches the server's TLS and nothing else."""
    for words in (
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n",
        b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", site.relay_port), 10) as probe:
            probe.settimeout(10)
            probe.sendall(words)
            with contextlib.suppress(ConnectionError):
                answered = probe.recv(1000)
                assert not answered.startswith(b"HTTP/1.1 200")
