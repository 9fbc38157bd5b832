"""What ``--debug`` shows of each packet, and what it never does."""

import asyncio
import json
import socket
from typing import Any

import pytest

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.once import poll_once
from kiemke.collectors.snmp.tap import describe, tapped
from kiemke.wire.secret import Secret
from tests.support.peers import SnmpdPeer, free_port, sys_uptime_request
from tests.support.snmp_polls import v2c, v3


def test_a_packet_is_told_by_its_kind_objects_and_size_alone() -> None:
    data = sys_uptime_request("planted-secret")

    about = describe(data)

    assert about == {
        "bytes": len(data), "version": "2c", "pdu": "get", "request": 1, "variables": 1,
        "oids": ["1.3.6.1.2.1.1.3.0"],
    }  # fmt: skip
    old = data.replace(b"\x02\x01\x01\x04", b"\x02\x01\x00\x04", 1)
    assert describe(old) == {**about, "version": "1"}


@pytest.mark.parametrize("cut", [0, 1, 2, 7, 20, 30])
def test_what_is_no_packet_is_told_as_such(cut: int) -> None:
    data = sys_uptime_request("planted-secret")[:cut]

    about = describe(data)

    assert (about["bytes"], about["pdu"]) == (cut, "not SNMP")
    assert describe(b"\xff" * 40)["pdu"] == "not SNMP"


async def once(
    credential: Credential, port: int, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """Poll once with --debug and return the packets that were shown."""
    import sys

    task = DeviceTask(0, "127.0.0.1", port, credential.name)
    await poll_once(task, {credential.name: credential}, debug=True, out=sys.stdout)
    shown = capsys.readouterr()
    for secret in (credential.community, credential.auth_key, credential.privacy_key):
        assert secret is None or secret.reveal() not in shown.out + shown.err
    lines = [json.loads(line) for line in shown.err.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "packet"]


async def test_every_packet_of_one_poll_is_shown_whatever_the_version(
    snmpd: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    peer: SnmpdPeer = snmpd()
    for credential, pdus, version in (
        (v2c(peer.community), {"get", "get-bulk", "response"}, "2c"),
        (v3(peer), {"get", "report", "encrypted"}, "3"),
    ):
        packets = await once(credential, peer.port, capsys)

        ways = [packet["way"] for packet in packets]
        assert ways.count("out") == ways.count("in") > 4
        assert {packet["pdu"] for packet in packets} == pdus
        assert {packet["version"] for packet in packets} == {version}
        assert all(packet["bytes"] > 20 for packet in packets)
        answers = {p["request"]: p for p in packets if p.get("pdu") == "response"}
        for packet in packets:
            if version == "2c" and packet["pdu"] == "get":
                assert answers[packet["request"]]["oids"] == packet["oids"]


async def test_silence_and_refusal_are_shown_too() -> None:
    seen: list[dict[str, object]] = []
    port = free_port(socket.SOCK_DGRAM)

    async with tapped("127.0.0.1", port, lambda _, fields: seen.append(fields)) as tap:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(sys_uptime_request("x"), ("127.0.0.1", tap.port))
            async with asyncio.timeout(60):
                while len(seen) < 2:
                    await asyncio.sleep(0.005)

    assert [(packet["way"], packet.get("error")) for packet in seen] == [
        ("out", None),
        ("in", "ConnectionRefusedError"),
    ]
    assert tap.refused.is_set()


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("version", ["2c", "3"])
async def test_where_nobody_listens_one_question_is_enough(
    version: str, debug: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told as what it is, and nobody waits for an answer that cannot come."""
    import sys

    signed = Credential(
        "default", "3", user="u", auth_protocol="SHA256", auth_key=Secret("auth-key-of-ours")
    )
    credential = v2c("office") if version == "2c" else signed
    task = DeviceTask(0, "127.0.0.1", free_port(socket.SOCK_DGRAM), "default")

    outcome = await poll_once(task, {"default": credential}, debug=debug, out=sys.stdout)
    shown = capsys.readouterr()

    told = json.loads(shown.out.splitlines()[0])["body"]
    assert (outcome, told["outcome"]) == ("unreachable", "unreachable")
    assert "nobody listens" in told["detail"]
    assert shown.err.count('"way": "out"') == (1 if debug else 0)
