"""The agent's own judgement: sleep and waking, links and seats that change, needs, pace, status."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from kiemke.agent.aside import WHY
from kiemke.agent.commands import status
from kiemke.agent.courier import Courier
from kiemke.agent.files import StateError, read_json, write_json
from kiemke.agent.host import Host
from kiemke.agent.loop import Agent, link_events, session_events
from kiemke.agent.pace import Intervals
from kiemke.agent.sensors.sampler import CpuTime, LinkState, Sampler, busy_ratio
from kiemke.agent.state import AgentIdentity, Memory, StateFolder
from kiemke.wire.client import Attempt, Outcome, Sender
from kiemke.wire.outbox import Outbox
from kiemke.wire.report import ASIDE_WORDS, Answer, Pace, Rejected
from tests.support.senders import ManualClock, credentials
from tests.support.tls_server import make_certificates


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    return folder


@pytest.fixture
def outbox(folder: StateFolder, clock: ManualClock) -> Iterator[Outbox]:
    opened = Outbox(folder.outbox_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def sender(tmp_path: Path, outbox: Outbox, clock: ManualClock) -> Sender:
    known = credentials(make_certificates(tmp_path / "ca"), "https://127.0.0.1:9")
    return Sender(outbox, known, clock)


@pytest.fixture
def agent(
    tmp_path: Path, folder: StateFolder, clock: ManualClock, outbox: Outbox, sender: Sender
) -> Iterator[Agent]:
    (tmp_path / "machine").mkdir()
    made = Agent(folder, Host(root=tmp_path / "machine"), clock, outbox, sender)
    yield made
    made.close()


@pytest.fixture
def courier(sender: Sender) -> Courier:
    """A courier that was never started: ``hurry`` is only noted."""
    return Courier(sender, lambda: 300.0, lambda attempt: None)


def spooled(outbox: Outbox) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in outbox.head(1000, 1 << 30)]


def test_a_sample_covers_the_time_since_the_one_before(clock: ManualClock) -> None:
    sampler = Sampler(clock)
    first = sampler.take(0)
    clock.pass_time(61.5)
    second = sampler.take(3)

    assert (first.covered_seconds, first.cpu_ratio) == (0.0, None)
    assert second.covered_seconds == pytest.approx(61.5)
    assert first.cost is not None and first.cost.outbox_reports == 0
    assert second.cost is None  # the agent's own cost stands in every fifth
    assert second.memory_total_bytes == psutil.virtual_memory().total
    assert "lo" not in [one.name for one in second.adapters]


@pytest.mark.parametrize(
    ("before", "after", "ratio"),
    [
        (CpuTime(10.0, 100.0), CpuTime(40.0, 220.0), 0.25),
        (CpuTime(10.0, 100.0), CpuTime(10.0, 100.0), None),  # no time went by
        (CpuTime(50.0, 100.0), CpuTime(49.0, 110.0), 0.0),  # the kernel's idle time stepped back
        (CpuTime(0.0, 0.0), CpuTime(11.0, 10.0), 1.0),
    ],
)
def test_the_busy_ratio_stays_between_nothing_and_all(
    before: CpuTime, after: CpuTime, ratio: float | None
) -> None:
    assert busy_ratio(before, after) == ratio


def test_a_pc_that_slept_was_not_watched_meanwhile(
    agent: Agent, outbox: Outbox, clock: ManualClock, courier: Courier
) -> None:
    """A laptop closed over the weekend must not count as present through it."""
    agent._begin()
    agent._take_sample(courier)
    clock.pass_time(60.0)
    agent._take_sample(courier)
    clock.pass_time(7200.0, asleep=True)
    clock.pass_time(10.0)
    agent._take_sample(courier)
    clock.pass_time(60.0)
    agent._take_sample(courier)

    samples = [one["body"]["covered_seconds"] for one in spooled(outbox) if one["kind"] == "sample"]
    resumes = [one["body"] for one in spooled(outbox) if one["body"].get("name") == "resume"]
    assert samples == [0.0, 60.0, 0.0, 60.0]
    assert [one["detail"] for one in resumes] == [{"asleep_seconds": "7200"}]


def test_a_new_boot_tells_how_the_last_run_ended(
    outbox: Outbox, folder: StateFolder, clock: ManualClock, sender: Sender
) -> None:
    folder.save_memory(Memory({}, "another-boot", ended_clean=False))
    for _ in range(2):
        started = Agent(folder, Host(root=folder.path), clock, outbox, sender)
        started._begin()
        started.close()

    boots = [one["body"] for one in spooled(outbox)]
    assert [one["name"] for one in boots] == ["boot"]  # once a boot, not once a start
    assert boots[0]["detail"] == {"previous_end": "unclean"}


def test_a_link_that_fell_to_a_tenth_is_an_event() -> None:
    """The one cable fault that nobody in the office notices for months."""
    before = {"eno1": LinkState(True, 1000, "full"), "wlan0": LinkState(True, None, None)}
    now = {"eno1": LinkState(True, 100, "full"), "usb0": LinkState(True, 100, "full")}

    (event,) = link_events(before, now)

    assert event.name == "link_speed"
    assert event.detail == {
        "adapter": "eno1", "link": "up", "before_bits_per_second": "1000000000",
        "before_duplex": "full", "now_bits_per_second": "100000000", "now_duplex": "full",
    }  # fmt: skip
    assert link_events(now, now) == []


def test_who_left_and_who_came_are_two_events() -> None:
    assert [e.detail for e in session_events("an", "binh")] == [
        {"user": "an", "change": "ended"},
        {"user": "binh", "change": "began"},
    ]
    assert session_events("an", "an") == []
    assert [e.detail["change"] for e in session_events("an", None)] == ["ended"]


def test_tokens_are_remembered_only_when_the_inventory_is_acknowledged(
    agent: Agent, outbox: Outbox, folder: StateFolder
) -> None:
    """Forgotten rows would never be sent again; rows sent twice only cost a little."""
    agent._take_inventory()
    agent.heed(Answer(ack={outbox.stream: 0}))
    before = folder.memory().acked_tokens
    agent.heed(Answer(ack={outbox.stream: 1}))

    assert before == {}
    tokens = folder.memory().acked_tokens
    assert {"identity", "os"} <= tokens.keys()
    assert "disks" not in tokens, "a section that is absent has no token"


def test_a_rejected_inventory_is_not_one_the_server_has(
    agent: Agent, outbox: Outbox, folder: StateFolder
) -> None:
    agent._take_inventory()
    agent.heed(Answer({outbox.stream: 1}, (Rejected(outbox.stream, 1, "not allowed"),)))

    assert folder.memory().acked_tokens == {}


def test_a_server_that_needs_something_always_is_answered_at_a_pace_of_ours(
    agent: Agent, outbox: Outbox, clock: ManualClock
) -> None:
    agent._take_inventory()
    agent.heed(Answer({}, need=("os",)))
    at_once = agent._inventory_is_due()
    clock.pass_time(31.0)
    later = agent._inventory_is_due()
    agent._take_inventory()

    assert (at_once, later) == (False, True)
    assert not agent._inventory_is_due()
    clock.pass_time(86_400.0)
    assert agent._inventory_is_due()


@pytest.mark.parametrize(
    ("asked", "kept"),
    [(None, 60.0), (120.0, 120.0), (0.001, 30.0), (-5.0, 30.0), (1e12, 86_400.0), (float("nan"), 60.0)],
)  # fmt: skip
def test_the_server_changes_the_pace_within_limits_the_agent_keeps(
    asked: float | None, kept: float
) -> None:
    """Whoever takes over the server must not be able to make 2,000,000 PCs flood the country."""
    assert Intervals().adjusted(Pace(sample_seconds=asked)).sample_seconds == kept


def test_a_damaged_memory_is_forgotten_and_a_damaged_identity_is_not(folder: StateFolder) -> None:
    """A new identity would be a new machine to the server: a person must decide that."""
    folder.save_identity(AgentIdentity("1f" * 16, "s3cret"))
    for name in ("memory.json", "identity.json"):
        (folder.path / name).write_text("{half")

    assert folder.memory() == Memory()
    with pytest.raises(StateError, match="identity.json: damaged"):
        folder.identity()
    assert "s3cret" not in repr(AgentIdentity("1f" * 16, "s3cret"))


def test_a_file_is_replaced_whole_and_is_private(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"n": 1})
    write_json(tmp_path / "a.json", {"n": 2})

    assert read_json(tmp_path / "a.json") == {"n": 2}
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    with pytest.raises(StateError, match="absent"):
        write_json(tmp_path / "absent" / "a.json", {})


@pytest.mark.parametrize(
    ("said", "minutes_ago", "last_line"),
    [
        ({"outcome": "idle"}, 2, "All is well."),
        ({"outcome": "idle"}, 60, "It does not seem to run: systemctl start kiemke-agent"),
        # The server, or the agent's own budget, lets it wait an hour between its posts.
        ({"outcome": "idle", "post_seconds": "3600"}, 60, "All is well."),
        ({"outcome": "idle", "post_seconds": "no number"}, 2, "All is well."),
        (
            {"outcome": "conflict", "detail": "two machines"},
            2,
            "Not sending: two machines\nFind out why with: kiemke-agent doctor",
        ),
        (
            {"outcome": "sent", "clock_offset_seconds": "7300"},
            2,
            "This clock is 2 hours behind the server's: set it.",
        ),
        (
            {"outcome": "sent", "clock_offset_seconds": "-900"},
            2,
            "This clock is 15 minutes ahead of the server's: set it.",
        ),
        (
            {"outcome": "idle", "unsaved": "7"},
            2,
            "The disk is full: new reports wait in memory alone. Free some space.",
        ),
    ],
)
def test_status_says_all_is_well_or_what_to_do(
    folder: StateFolder,
    said: dict[str, str],
    minutes_ago: int,
    last_line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "en")
    now = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
    folder.save_identity(AgentIdentity("1f" * 16, "s", "src-1", ("https://10.0.0.1:8443",), "pem"))
    folder.save_status({"tried_at": (now - timedelta(minutes=minutes_ago)).isoformat(), **said})

    lines, well = status.describe(folder, now)

    assert "\n".join(lines).endswith(last_line)
    assert well is (last_line == "All is well.")


def test_status_says_that_the_agent_slowed_down(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "en")
    now = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
    folder.save_identity(AgentIdentity("1f" * 16, "s", "src-1", ("https://10.0.0.1:8443",), "pem"))
    folder.save_status({"tried_at": now.isoformat(), "outcome": "idle", "slowed_by": "2"})

    lines, well = status.describe(folder, now)

    assert well and lines[-2].startswith("Works 2 times less often")


@pytest.mark.parametrize("word", [*ASIDE_WORDS, "a word of a newer server"])
def test_status_says_in_both_languages_why_the_server_set_this_pc_aside(
    agent: Agent,
    folder: StateFolder,
    clock: ManualClock,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also after a start that reached no server yet; until the server says that it is over."""
    folder.save_identity(AgentIdentity("1f" * 16, "s", "src-1", ("https://10.0.0.1:8443",), "pem"))
    agent.heed(Answer({}, aside=word))
    agent.note_attempt(Attempt(Outcome.IDLE, 0.0))
    now = clock.now()
    told = {}
    for tongue in ("vi", "en"):
        monkeypatch.setenv("KIEMKE_LANG", tongue)
        told[tongue], well = status.describe(folder, now)
        assert not well
    agent.heed(Answer({}))
    agent.note_attempt(Attempt(Outcome.IDLE, 0.0))

    assert "aside" not in folder.status()
    assert "src-1" in told["vi"][-1] and "src-1" in told["en"][-1]
    assert (told["vi"][-1] != told["en"][-1]) and told["vi"][-2].startswith("Máy chủ đã cách ly")
    assert set(WHY) == set(ASIDE_WORDS)


def test_posting_goes_into_the_status(agent: Agent, folder: StateFolder) -> None:
    agent.note_attempt(Attempt(Outcome.IDLE, 0.0))
    agent.note_attempt(Attempt(Outcome.RETRY, 5.0, "no server answers"))

    said = folder.status()
    assert said["outcome"] == "retry"
    assert said["detail"] == "no server answers"
    assert said["sent_at"] == said["tried_at"] == "2026-03-10T01:00:00+00:00"
