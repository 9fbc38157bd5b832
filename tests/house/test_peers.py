"""The peers the other tests stand on really run, answer, and are told of when missing."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.peers import (
    SnmpdPeer,
    free_port,
    read_peers,
    require_peer,
    wait_until,
)
from tests.support.prometheus import PrometheusPeer


def test_a_missing_peer_is_skipped_with_the_way_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="PEERS=install make test"):
        require_peer("no-such-program")


def test_a_missing_peer_fails_where_nothing_may_be_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A green run that left out the real daemons would prove little."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="no-such-program is missing"):
        require_peer("no-such-program")


def test_the_list_of_peers_names_a_package_for_each_program() -> None:
    packages = read_peers("# words\npostgresql postgres initdb  # database\n\nsnmpd snmpd\n")

    assert packages == {"postgres": "postgresql", "initdb": "postgresql", "snmpd": "snmpd"}


def test_a_wait_ends_at_its_deadline_and_says_for_what() -> None:
    with pytest.raises(AssertionError, match="the moon is blue: not so after 0.05 s"):
        wait_until(lambda: False, "the moon is blue", deadline_seconds=0.05)


def test_snmpd_answers_its_own_community_only(snmpd: Callable[..., SnmpdPeer]) -> None:
    peer = snmpd("sysName sw-1")
    stranger = SnmpdPeer(peer.program, peer.folder, port=peer.port, community="someone-else")

    assert peer.is_answering()
    assert not stranger.is_answering()


def test_a_stopped_snmpd_leaves_its_port_silent(snmpd: Callable[..., SnmpdPeer]) -> None:
    peer = snmpd()

    peer.stop()
    silent = not peer.is_answering()
    peer.start()

    assert silent
    assert peer.is_answering()


def test_prometheus_answers_promql_and_tells_absent_from_zero(
    prometheus: Callable[..., PrometheusPeer],
) -> None:
    peer = prometheus({"scrape_configs": []})

    assert peer.value("vector(41) + 1") == 42.0
    assert peer.value("vector(0)") == 0.0
    assert peer.value("up") is None


def test_postgres_takes_its_password_over_loopback(postgres_url: str, tmp_path: Path) -> None:
    psql = require_peer("psql")
    asked = subprocess.run(
        [psql, "-At", "-c", "SHOW fsync", postgres_url],
        capture_output=True,
        text=True,
        timeout=20,
        cwd=tmp_path,
    )

    assert (asked.returncode, asked.stdout.strip()) == (0, "on"), asked.stderr


def test_a_free_port_can_be_bound() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", free_port(socket.SOCK_DGRAM)))

        assert server.getsockname()[1] > 1023
