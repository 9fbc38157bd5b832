"""kiemke-agent as its users run it: enrol, run, status, stop, two at once, killed and started again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiemke.wire.enrolment import make_token
from tests.support.peers import wait_until
from tests.support.tls_server import (
    Certificates,
    Requests,
    Scripted,
    make_certificates,
    tls_server,
)

AGENT = (sys.executable, "-m", "kiemke.agent.main")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Requests]:
    with tls_server(certificates) as seen:
        yield seen


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def call(state: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs one command on the test's state folder to its end."""

    def calling(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*AGENT, command, "--state", str(state), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return calling


@pytest.fixture
def start(state: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts the service on the test's state folder; whatever still runs is killed after it."""
    started: list[subprocess.Popen[str]] = []

    def starting() -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [*AGENT, "run", "--spread", "0", "--state", str(state)],
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield starting
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def token(server: Requests) -> str:
    return make_token((server.url,), "T1", "dG9rZW4", server.certificates.root_sha256)


def event_names(server: Requests) -> list[str]:
    return [one["body"]["name"] for one in server.reports("event")]


def test_before_enrolment_every_command_says_what_to_do(
    call: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    status, run = call("status"), call("run")

    assert "kiemke-agent enroll TOKEN" in status.stdout
    assert status.returncode == 1
    assert run.stderr == "kiemke-agent: not enrolled yet: run kiemke-agent enroll TOKEN\n"
    assert run.returncode == 78  # the service manager must not start it again and again


def test_one_round_brings_this_machine_to_the_server(
    server: Requests, call: Callable[..., subprocess.CompletedProcess[str]], state: Path
) -> None:
    enrolled = call("enroll", token(server))
    once = call("run", "--once")
    status = call("status")

    assert "waiting for approval" in enrolled.stdout
    assert (once.returncode, once.stderr) == (0, "")
    (inventory,) = server.reports("inventory")
    sections = inventory["body"]["sections"]
    assert sections["os"]["rows"][0]["hostname"] == os.uname().nodename.partition(".")[0]
    assert sections["identity"]["rows"][0]["install_id"] == server.enrolments[0]["install_id"]
    (sample,) = server.reports("sample")
    assert sample["body"]["covered_seconds"] == 0.0
    assert sample["body"]["memory_total_bytes"] > 0
    assert status.stdout.splitlines()[-1] == "All is well."
    assert status.returncode == 0
    assert {file.stat().st_mode & 0o077 for file in state.glob("*.json")} == {0}


def test_enrolling_twice_keeps_the_install_and_its_secret(
    server: Requests, call: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """The first answer may have been lost on the way."""
    first, second = call("enroll", token(server)), call("enroll", token(server))

    assert first.stdout == second.stdout
    assert server.enrolments[0] == server.enrolments[1]


def test_the_second_inventory_carries_only_what_changed_or_is_needed(
    server: Requests, call: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    call("enroll", token(server))
    call("run", "--once")
    server.need = ["software"]
    call("run", "--once")

    _, second, third = server.reports("inventory")
    assert "rows" not in second["body"]["sections"]["software"]
    assert third["body"]["sections"]["software"]["rows"]
    assert "rows" not in third["body"]["sections"]["os"]


def test_a_server_that_is_away_is_named_and_nothing_is_lost(
    server: Requests, call: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    call("enroll", token(server))
    server.script.append(Scripted(503))
    away = call("run", "--once")
    status = call("status")
    call("run", "--once")

    assert away.returncode == 1
    assert "503" in away.stderr
    assert "Not sending: the server answered 503" in status.stdout
    assert len(server.reports("sample")) == 2
    assert len({stream for stream, _ in server.stored}) == 2


def test_the_service_reports_and_says_goodbye_on_sigterm(
    server: Requests,
    call: Callable[..., subprocess.CompletedProcess[str]],
    start: Callable[[], subprocess.Popen[str]],
) -> None:
    call("enroll", token(server))
    service = start()
    wait_until(lambda: bool(server.reports("sample")), "the reports have arrived")
    service.send_signal(signal.SIGTERM)

    assert service.wait(60.0) == 0
    assert event_names(server) == ["boot", "shutdown"]
    assert server.reports("event")[0]["body"]["detail"] == {"previous_end": "unknown"}
    assert server.reports("event")[1]["body"]["detail"]["cause"] in ("service", "machine")


def test_two_agents_on_one_folder_are_told_apart(
    server: Requests,
    call: Callable[..., subprocess.CompletedProcess[str]],
    start: Callable[[], subprocess.Popen[str]],
) -> None:
    call("enroll", token(server))
    start()
    wait_until(lambda: bool(server.reports("sample")), "the reports have arrived")
    second = call("run")

    assert second.returncode == 1
    assert "another process is using this folder" in second.stderr
    assert "Traceback" not in second.stderr


def test_an_agent_killed_while_the_server_is_away_loses_nothing(
    server: Requests,
    call: Callable[..., subprocess.CompletedProcess[str]],
    start: Callable[[], subprocess.Popen[str]],
    state: Path,
) -> None:
    call("enroll", token(server))
    server.script.extend([Scripted(503, {"Retry-After": "3600"})] * 3)
    first = start()
    wait_until(lambda: len(server.batches) == 1, "the reports have arrived")
    first.kill()
    first.wait()
    server.script.clear()
    second = start()
    wait_until(lambda: len(server.reports("sample")) == 2, "the reports have arrived")
    second.terminate()
    second.wait(60.0)

    streams = {stream for stream, _ in server.stored}
    assert len(streams) == 2
    for stream in streams:
        seqs = sorted(seq for one, seq in server.stored if one == stream)
        assert seqs == list(range(1, len(seqs) + 1))
    assert not (state / "outbox.db.broken").exists()


def test_inventory_prints_every_section_and_sends_nothing(
    call: Callable[..., subprocess.CompletedProcess[str]], state: Path
) -> None:
    shown = json.loads(call("inventory").stdout)

    assert shown["os"]["status"] == "ok"
    assert not state.exists()


def test_decode_loads_neither_tls_nor_the_outbox() -> None:
    """The agent must start fast and stay small: each command loads only its own."""
    code = (
        "import sys; from kiemke.agent.main import main; main(['--version']); "
        "print(sorted({'ssl', 'sqlite3', 'psutil', 'asyncio', 'logging', 'email'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


HEAVY = ("psutil", "logging", "argparse", "email", "http", "asyncio", "ctypes", "encodings.idna")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the vital figures come from psutil")
def test_the_running_agent_loads_no_sensor_and_nothing_heavy() -> None:
    """Sensors live in the child; in the service they would be a megabyte for one minute a day."""
    code = (
        "import sys; import kiemke.agent.main, kiemke.agent.commands.run; "
        "print(sorted(m for m in sys.modules if 'sensors.' in m or 'agent.decode' in m "
        f"or m in {HEAVY!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    own = ("errors", "reach", "sampler", "seat", "vital", "vital_linux")
    assert done.stdout.strip() == str([f"kiemke.agent.sensors.{name}" for name in own])


def test_help_needs_no_state_and_shows_examples() -> None:
    done = subprocess.run(
        [*AGENT, "--help"], capture_output=True, text=True, timeout=30, check=True
    )

    assert "kiemke-agent enroll TOKEN" in done.stdout


def test_the_addresses_of_the_server_are_shown_and_changed(
    server: Requests, call: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    own = server.url

    def said(*words: str) -> tuple[int, str]:
        done = call("server", *words)
        return done.returncode, done.stdout + done.stderr

    assert said()[0] == 78
    call("enroll", token(server))
    relay = "https://10.5.9.2:8443"
    assert said("--first", "https://10.5.9.2") == (
        0, f"{relay}\n{own}\nIn use from the service's next start on: systemctl restart kiemke-agent\n"
    )  # fmt: skip
    assert said() == (0, f"{relay}\n{own}\n")
    assert said("--also", relay) == (0, f"{relay}\n{own}\n")
    assert said("--first", "http://10.5.9.2")[0] == 1
    assert said("--forget", "https://10.5.9.3")[0] == 1
    assert said("--forget", relay)[1].startswith(f"{own}\nIn use")
    assert said("--forget", own)[0] == 1
    assert said() == (0, f"{own}\n")
