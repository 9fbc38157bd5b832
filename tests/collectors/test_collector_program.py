"""The program kiemke-collector: enrolled, polling, stopped, started again without its server."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiemke.collectors import revoked
from kiemke.collectors.main import main
from kiemke.collectors.reporter import Reporter
from kiemke.collectors.service import Collector
from kiemke.collectors.state import load_enrolment
from kiemke.wire.client import Sender
from kiemke.wire.clocks import SystemClock
from kiemke.wire.outbox import Outbox, peek
from kiemke.wire.outbox_store import Counts
from tests.support.peers import SnmpdPeer, end_process, free_port, require_peer, wait_until
from tests.support.snmp_server import TinyServer, tiny_server

MakeSnmpd = Callable[..., SnmpdPeer]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TinyServer]:
    """A server to report to."""
    with tiny_server(tmp_path / "ca") as running:
        yield running


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The collector's state folder."""
    return tmp_path / "state"


def write_credentials(state: Path, peer: SnmpdPeer) -> None:
    """Write credentials.toml for a test snmpd."""
    path = state / "credentials.toml"
    path.touch(mode=0o600)
    path.write_text(f'[default]\nversion = "2c"\ncommunity = "{peer.community}"\n')


def waiting(state: Path) -> int:
    """Return how many reports wait in the outbox."""
    counts = peek(state / "outbox.sqlite")
    return counts.reports if counts else 0


@contextmanager
def running(state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``kiemke-collector run``; it is stopped by SIGTERM and must end well."""
    program = [sys.executable, "-m", "kiemke.collectors.main", "--state", str(state)]
    with (state / "log").open("ab") as log:
        process = subprocess.Popen([*program, "run", "--wait"], stderr=log)
    try:
        yield process
    finally:
        end_process(process, signal.SIGTERM, 30.0)


def test_enrolled_assigned_polled_and_reported(
    snmpd: MakeSnmpd, server: TinyServer, state: Path
) -> None:
    """The whole way: it waits to be enrolled, a dead device beside a live one, a probe, a clean end."""
    peer = snmpd("sysName sw-17\n")
    server.assignment["devices"] = [
        {"device": 17, "address": "127.0.0.1", "port": peer.port, "credential": "default"},
        {"device": 18, "address": "127.0.0.1", "port": free_port(socket.SOCK_DGRAM)},
    ]
    server.assignment["probes"] = [{"target": 5, "address": "127.0.0.1", "count": 2}]

    state.mkdir()
    write_credentials(state, peer)
    with running(state) as process:
        wait_until(
            lambda: "waiting to be enrolled" in (state / "log").read_text(), "it waits", 60.0
        )
        assert main(["--state", str(state), "enroll", server.token]) == 0
        wait_until(
            lambda: (
                {body["device"] for body in server.bodies("device")} == {17, 18}
                and bool(server.bodies("interfaces"))
                and bool(server.bodies("reachability"))
            ),
            "device, interfaces and reachability came",
            60.0,
        )

    assert process.returncode == 0
    devices = {body["device"]: body for body in server.bodies("device")}
    assert (devices[17]["outcome"], devices[17]["sys_name"]) == ("ok", "sw-17")
    assert devices[18]["outcome"] == "unreachable"
    interfaces = server.bodies("interfaces")[0]
    assert interfaces["device"] == 17 and interfaces["outcome"] == "ok"
    assert "lo" in {row["name"] for row in interfaces["rows"]}
    assert server.bodies("reachability")[0]["target"] == 5
    secret = load_enrolment(state).secret.reveal()
    assert set(server.seen_headers) == {(f"Bearer {secret}", "c-1")}
    log = (state / "log").read_text()
    assert secret not in log and peer.community not in log


def test_a_trap_of_a_device_is_a_poll_now_and_a_signed_one_an_event(
    snmpd: MakeSnmpd, server: TinyServer, state: Path
) -> None:
    """Polled once an hour: what comes within seconds comes by the trap."""
    peer = snmpd()
    port = free_port(socket.SOCK_DGRAM)
    server.assignment["poll_seconds"] = 3600
    server.assignment["devices"] = [
        {"device": 17, "address": "127.0.0.1", "port": peer.port, "credential": "core"}
    ]
    main(["--state", str(state), "enroll", server.token])
    write_credentials(state, peer)
    with (state / "credentials.toml").open("a") as file:
        file.write(
            f'[core]\nversion = "3"\nuser = "{peer.user}"\nauth_protocol = "SHA256"\n'
            f'auth_key = "{peer.auth_key}"\nprivacy_protocol = "AES128"\n'
            f'privacy_key = "{peer.priv_key}"\n'
        )
    assert main(["--state", str(state), "traps", "on", "--listen", f"127.0.0.1:{port}"]) == 0

    with running(state):
        wait_until(lambda: bool(server.bodies("interfaces")), "the first poll", 60.0)
        subprocess.run(
            [
                require_peer("snmptrap"), "-v3", "-e", "0x8000000001020304", "-u", peer.user,
                "-l", "authPriv", "-a", "SHA-256", "-A", peer.auth_key, "-x", "AES", "-X",
                peer.priv_key, f"127.0.0.1:{port}", "1", "1.3.6.1.6.3.1.1.5.3",
            ],
            env={"SNMP_PERSISTENT_DIR": str(state / "trap"), "SNMPCONFPATH": "/nonexistent"},
            check=True,
        )  # fmt: skip
        wait_until(
            lambda: len(server.bodies("interfaces")) > 1 and bool(server.bodies("event")),
            "a second poll and the event",
            60.0,
        )

    (event,) = server.bodies("event")
    assert (event["name"], event["detail"]["device"]) == ("trap", "17")
    assert event["detail"]["trap"] == "linkDown"
    assert peer.auth_key not in (state / "log").read_text()


def test_without_its_server_it_polls_on_and_nothing_is_lost(
    snmpd: MakeSnmpd, server: TinyServer, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kept assignment is worked on, reports wait, and go out when the server is back."""
    peer = snmpd()
    server.assignment["devices"] = [{"device": 1, "address": "127.0.0.1", "port": peer.port}]
    main(["--state", str(state), "enroll", server.token])
    write_credentials(state, peer)
    with running(state):
        wait_until(lambda: bool(server.bodies("interfaces")), "a first poll", 60.0)
    server.accepts, server.assignment_status = False, 503
    came = len(server.reports)

    with running(state):
        wait_until(lambda: waiting(state) >= 2, "two reports wait", 60.0)
    assert len(server.reports) == came
    capsys.readouterr()
    assert main(["--state", str(state), "status"]) == 0
    shown = capsys.readouterr().out
    assert "1 devices" in shown and "the server answered 503" in shown

    server.accepts, server.assignment_status = True, 200
    with running(state):
        wait_until(lambda: len(server.reports) >= came + 2, "what waited came", 60.0)
    names = [(report["stream"], report["seq"]) for report in server.reports]
    assert len(names) == len(set(names))


async def test_new_work_and_a_corrected_credential_are_taken_without_a_restart(
    snmpd: MakeSnmpd, server: TinyServer, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who mends credentials.toml does not think of restarting a service."""
    monkeypatch.setattr("kiemke.collectors.service.STATUS_SECONDS", 0.1)
    monkeypatch.setattr("kiemke.collectors.service.IDLE_REFRESH_SECONDS", 0.1)
    monkeypatch.setattr("kiemke.collectors.poll.FIRST_ROUND_SECONDS", 0.1)
    peer = snmpd()
    main(["--state", str(state), "enroll", server.token])
    clock = SystemClock.read()
    outbox = Outbox(state / "outbox.sqlite", clock)
    credentials = load_enrolment(state).credentials()
    sender = Sender(outbox, credentials, clock)
    collector = Collector(state, Reporter(outbox, sender, clock, post_seconds=0.1))
    stop = asyncio.Event()
    run = asyncio.create_task(collector.run(stop))

    async def until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not is_so():
                await asyncio.sleep(0.02)

    try:
        # Not approved yet: the first assignment is empty, and asked for again before long.
        await until(lambda: bool(server.seen_headers))
        server.assignment["devices"] = [{"device": 1, "address": "127.0.0.1", "port": peer.port}]
        await until(lambda: bool(server.bodies("device")))
        assert "credentials.toml" in server.bodies("device")[0]["detail"]
        write_credentials(state, peer)
        await until(lambda: bool(server.bodies("interfaces")))
    finally:
        stop.set()
        await run
        sender.close()
        outbox.close()

    assert server.bodies("device")[-1]["outcome"] == "ok"


def test_one_that_the_server_revoked_asks_nothing_keeps_nothing_and_says_so(
    server: TinyServer, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At its start it asks the server before any device; what stood on the disk is gone."""
    main(["--state", str(state), "enroll", server.token])
    (state / "credentials.toml").touch(mode=0o600)
    (state / "credentials.toml").write_text('[default]\nversion = "2c"\ncommunity = "planted"\n')
    (state / "secrets.json.new").write_text("half written: planted")
    (state / "assignment.json").write_text(
        json.dumps({"poll_seconds": 10, "devices": [{"device": 1, "address": "127.0.0.1"}]})
    )
    server.assignment_status = 403

    ended = main(["--state", str(state), "run"]), main(["--state", str(state), "run"])

    with_planted = [file for file in state.iterdir() if b"planted" in file.read_bytes()]
    assert ended == (78, 78)
    assert with_planted == [] and not (state / "assignment.json").exists()
    assert peek(state / "outbox.sqlite") == Counts(0, 0, None), "no device was asked"
    assert len(server.seen_headers) == 1, "the second run did not even ask"
    capsys.readouterr()
    assert main(["--state", str(state), "status"]) == 1
    assert "c-1 (revoked)" in (shown := capsys.readouterr().out) and "enroll TOKEN" in shown
    server.assignment_status = 200
    assert main(["--state", str(state), "enroll", server.token]) == 0
    assert load_enrolment(state).credentials().source == "c-1"


def test_a_process_begins_anew_only_where_the_mark_stands(
    server: TinyServer, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would begin for ever: a full disk takes no mark."""
    begun: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda program, words: begun.append(words))
    main(["--state", str(state), "enroll", server.token])
    revoked.begin_anew(state)
    before = list(begun)
    revoked.shut_out(state)
    revoked.begin_anew(state)

    assert (before, len(begun)) == ([], 1)


def test_enrolling_twice_is_the_same_install(server: TinyServer, state: Path) -> None:
    """A lost answer, or a nervous operator, must not make a second source."""
    for _ in range(2):
        assert main(["--state", str(state), "enroll", server.token]) == 0

    one, other = server.enrolled
    assert one["install_id"] == other["install_id"]
    assert one["secret_sha256"] == other["secret_sha256"]
    assert one["kind"] == "collector"
    assert (state / "enrolment.json").stat().st_mode & 0o077 == 0


def test_once_prints_the_reports_and_every_step(
    snmpd: MakeSnmpd, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = snmpd("sysName sw-9\n")
    state.mkdir()
    write_credentials(state, peer)

    status = main(["--state", str(state), "--once", peer.address, "--debug"])

    shown = capsys.readouterr()
    reports = [json.loads(line) for line in shown.out.splitlines()]
    events = [json.loads(line) for line in shown.err.splitlines() if line.startswith("{")]
    assert status == 0
    kinds = [report["kind"] for report in reports]
    assert kinds == ["device", "interfaces", "device", "reachability"]
    assert reports[2]["body"]["identity"]["name"] == "sw-9"
    assert reports[0]["body"]["sys_name"] == "sw-9"
    assert {"target", "get", "bulk", "packet", "polled"} <= {event["event"] for event in events}
    assert all("seconds" in event for event in events if event["event"] in ("get", "bulk"))
    assert peer.community not in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "not enrolled"),
        (["status"], "not enrolled"),
        (["enroll", "rubbish"], "whole token"),
        (["--once", "17"], "no such device"),
        (["--once", "224.0.0.1"], "multicast"),
        (["--once", "127.0.0.1:99999"], "port must be"),
        (["--once", "127.0.0.1"], "chmod 600"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    state: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    # The service manager must not start one that is not enrolled again and again.
    assert main(["--state", str(state), *arguments]) == (78 if arguments == ["run"] else 2)

    shown = capsys.readouterr().err
    assert words in shown and "Traceback" not in shown


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    shown = capsys.readouterr().out
    assert "kiemke-collector enroll TOKEN" in shown
    assert "--once 10.5.9.2 --debug" in shown
