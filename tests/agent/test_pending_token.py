"""A token an installer left: used when the service runs, kept while the server is away."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiemke.agent.commands import run, setup, status
from kiemke.agent.files import StateError, write_json
from kiemke.agent.halt import Halt
from kiemke.agent.pending import enrol_when_possible, waiting_token
from kiemke.agent.state import StateFolder
from kiemke.agent.update import places
from kiemke.agent.words import speak
from kiemke.wire.enrolment import make_token
from kiemke.wire.windows_service.log import CappedLog
from tests.support.peers import free_port
from tests.support.tls_server import Certificates, Requests, make_certificates, tls_server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Requests]:
    with tls_server(certificates) as seen:
        yield seen


def test_keys_of_releases_come_in_the_same_file_or_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "default_updater", lambda: tmp_path / "updater")
    state, file, words = (
        tmp_path / "state",
        tmp_path / "enrolment.txt",
        [f"{n}e" * 32 for n in "123"],
    )
    text = make_token(("https://10.0.0.1:8443",), "T1", "dG9rZW4", "ab" * 32)
    half = len(text) // 2  # a mail broke it
    file.write_text(
        f"{text[:half]}\r\n{text[half:]}\r\nupdate-key {words[0]} {words[1]}\r\n", "utf-8"
    )

    setup.run(state, "", str(file), update_key=words[2].upper())

    assert waiting_token(state) == text
    assert [one.hex() for one in places.trusted_keys(tmp_path / "updater")] == words
    with pytest.raises(StateError, match="64 digits"):
        setup.run(tmp_path / "other", text, "", update_key="5f3a")
    assert not (tmp_path / "other").exists(), "nothing is left half done"


def test_setup_keeps_the_token_and_the_first_run_uses_it(server: Requests, tmp_path: Path) -> None:
    state, file = tmp_path / "state", tmp_path / "enrolment.txt"
    text = make_token((server.url,), "T1", "dG9rZW4", server.certificates.root_sha256)
    file.write_text(f"\ufeff{text}\r\n", "utf-8")  # as Notepad saves it

    setup.run(state, "", str(file))
    kept = waiting_token(state)
    before = status.describe(StateFolder(state), datetime.now(UTC))
    code = run.run(state, once=True, spread_seconds=0.0, outbox_mb=1.0)

    assert kept == text
    assert before == ([speak(status.TOKEN_WAITS, start=status.START)], False)
    assert not file.exists()
    assert code == 0
    assert len(server.enrolments) == 1
    assert waiting_token(state) is None


def test_while_the_server_is_away_the_token_waits(
    certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"https://127.0.0.1:{free_port()}"
    token = make_token((url,), "T1", "dG9rZW4", certificates.root_sha256)
    setup.run(tmp_path, token, "")
    folder, halt = StateFolder(tmp_path), Halt()
    halt.ring("service")

    identity = enrol_when_possible(folder, folder.identity_or_new(), halt)
    halt.close()

    assert identity.source is None
    assert waiting_token(tmp_path) == token
    assert folder.status()["outcome"] == "enrolling"
    assert token not in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for another account")
def test_what_root_writes_belongs_to_the_account_of_the_folder(tmp_path: Path) -> None:
    """`sudo kiemke-agent enroll` would else leave files the service cannot write."""
    os.chown(tmp_path, 12345, 12345)

    write_json(tmp_path / "identity.json", {})

    assert (tmp_path / "identity.json").stat().st_uid == 12345


def test_the_log_of_a_service_stays_small(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "agent.log", most_bytes=1000)
    for number in range(100):
        log.write(f"line {number:03} {'x' * 40}\n")
    log.close()

    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < 1100
    assert "line 099" in (tmp_path / "agent.log").read_text("utf-8")
