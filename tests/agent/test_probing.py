"""The agent as its site's probe: what it takes from the server, how it asks, and what it says."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from kiemke.agent.probing import FILE, MOST_COUNT, MOST_TARGETS, NO_WAY, Prober, allowed
from kiemke.agent.sensors import reach
from kiemke.wire.report import ProbeTask, Reach, Reachability

GATEWAY = ProbeTask(7, "10.5.9.1", 2, "gateway")
EDGE = ProbeTask(8, "203.0.113.9", 3, "isp")


def no_ping(targets: Mapping[str, str]) -> list[Reach]:
    """Be an account that may send no ICMP."""
    return []


@pytest.mark.parametrize(
    "task",
    [
        ProbeTask(1, "224.0.0.1", 1, "gateway"),
        ProbeTask(1, "0.0.0.0", 1, "gateway"),  # noqa: S104
        ProbeTask(1, "255.255.255.255", 1, "isp"),
        ProbeTask(1, "169.254.169.254", 1, "isp"),
        ProbeTask(1, "example.net", 1, "domestic"),
        ProbeTask(1, "10.0.0.1; reboot", 1, "gateway"),
        ProbeTask(1, "10.0.0.1", 1, "ssh"),
        ProbeTask(0, "10.0.0.1", 1, "gateway"),
        ProbeTask(2**64, "10.0.0.1", 1, "gateway"),
    ],
)
def test_what_is_no_ping_of_a_lines_target_is_not_done(task: ProbeTask) -> None:
    assert allowed((task, GATEWAY)) == (GATEWAY,)


def test_a_server_can_ask_for_few_targets_and_few_echoes_only() -> None:
    many = tuple(ProbeTask(n, f"10.5.9.{n}", 10_000, "domestic") for n in range(1, 100))

    kept = allowed(many)

    assert [task.target for task in kept] == list(range(1, MOST_TARGETS + 1))
    assert {task.count for task in kept} == {MOST_COUNT}
    assert allowed((ProbeTask(1, "10.0.0.1", -5, "isp"),))[0].count == 1


def test_the_list_is_kept_over_a_restart_and_forgotten_when_the_server_says_none(
    tmp_path: Path,
) -> None:
    prober = Prober(tmp_path, lambda body: None)
    prober.heed((GATEWAY, EDGE))

    assert Prober(tmp_path, lambda body: None).tasks == (GATEWAY, EDGE)
    prober.heed(())
    assert not (tmp_path / FILE).exists()
    assert Prober(tmp_path, lambda body: None).tasks == ()
    for damaged in ("{", '{"probes": 5}', '{"probes": [[1]]}', '{"probes": [["x","y","z","q"]]}'):
        (tmp_path / FILE).write_text(damaged)
        assert Prober(tmp_path, lambda body: None).tasks == ()


def test_rounds_are_summed_up_by_target(tmp_path: Path) -> None:
    told: list[Reachability] = []
    answers: dict[str, Iterator[float | None]] = {
        "7": iter([0.001, 0.003]), "8": iter([0.02, None, 0.03]),
    }  # fmt: skip

    def ping(targets: Mapping[str, str]) -> list[Reach]:
        found = [(name, next(answers[name])) for name in targets]
        return [Reach(name, 1, 0 if rtt is None else 1, rtt) for name, rtt in found]

    Prober(tmp_path, told.append, ping).look((GATEWAY, EDGE))

    assert [(one.target, one.sent, one.received) for one in told] == [(7, 2, 2), (8, 3, 2)]
    assert told[0].rtt_avg_seconds == pytest.approx(0.002)
    assert told[0].jitter_seconds == pytest.approx(0.002)


@contextmanager
def silent(address: str) -> Iterator[int]:
    """Yield a port at which nothing answers a SYN: a full backlog, like a line that is gone."""
    with socket.create_server((address, 0), backlog=0) as full, ExitStack() as held:
        for _ in range(3):
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr("kiemke.agent.probing.DEADLINE_SECONDS", 0.05)
    return monkeypatch


def test_where_it_may_not_ping_a_refused_connection_is_an_answer_and_silence_none(
    tmp_path: Path, hurried: pytest.MonkeyPatch
) -> None:
    told: list[Reachability] = []
    here, nowhere = ProbeTask(1, "127.0.0.1", 2, "isp"), ProbeTask(2, "127.0.0.2", 2, "isp")
    with silent("127.0.0.2") as port:
        hurried.setattr("kiemke.agent.probing.TCP_PORTS", (port,))
        Prober(tmp_path, told.append, no_ping).look((here, nowhere))

    assert [(one.target, one.sent, one.received) for one in told] == [(1, 2, 2), (2, 0, 0)]
    assert told[1].detail == NO_WAY


def test_a_target_that_answered_by_tcp_and_is_silent_now_was_lost(
    tmp_path: Path, hurried: pytest.MonkeyPatch
) -> None:
    told: list[Reachability] = []
    task = ProbeTask(1, "127.0.0.1", 1, "isp")
    prober = Prober(tmp_path, told.append, no_ping)
    with silent("127.0.0.1") as port:
        prober._ports["127.0.0.1"] = port  # as an earlier round left it
        prober.look((task,))

    assert [(one.sent, one.received) for one in told] == [(1, 0)]


def test_a_real_ping_goes_out_and_comes_back(tmp_path: Path) -> None:
    if not reach.ping({"here": "127.0.0.1"}):
        pytest.skip("this account may send no ICMP: sysctl net.ipv4.ping_group_range")
    told: list[Reachability] = []
    prober = Prober(tmp_path, told.append)
    prober.heed((ProbeTask(5, "127.0.0.1", 2, "gateway"),))
    prober.begin()
    assert prober._thread is not None
    prober._thread.join(60)

    assert [(one.target, one.sent, one.received) for one in told] == [(5, 2, 2)]
    assert json.loads((tmp_path / FILE).read_text()) == {"probes": [[5, "127.0.0.1", 2, "gateway"]]}
