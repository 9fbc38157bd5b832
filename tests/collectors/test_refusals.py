"""Where nobody listens pysnmp is told at once, as the fast library is; nobody else loses a question."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import Refused
from kiemke.collectors.snmp import refusals
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.oids import SYS_UPTIME
from kiemke.collectors.snmp.reader import Tuning
from kiemke.wire.secret import Secret
from tests.support.peers import free_port
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v2c

PATIENCE = 60.0  # a try: who waits for one is seen by the test's own end
V3 = Credential("default", "3", user="u", auth_protocol="SHA256", auth_key=Secret("key-of-ours"))
V1 = Credential("default", "1", community=Secret("office"))


@pytest.mark.parametrize("credential", [V1, v2c("office"), V3], ids=["1", "2c", "3"])
async def test_both_libraries_tell_a_refused_port_alike_after_one_question(
    credential: Credential,
) -> None:
    port, told = free_port(socket.SOCK_DGRAM), []
    for backend in ("gufo", "pysnmp"):
        asked: list[object] = []

        def note(what: str, about: dict[str, object], asked: list[object] = asked) -> None:
            if "attempt" in about:
                asked.append(about["answer"])

        async with polling(
            credential, backend=backend, attempt_seconds=PATIENCE, trace=note
        ) as polled:
            told.append((*await polled.poll(port, budget=PATIENCE), asked))

    assert told[0] == told[1]
    assert told[1][0].outcome == "unreachable" and "nobody listens" in str(told[1][0].detail)
    assert told[1][1:] == (None, ["refused"])


async def test_a_live_device_on_the_same_socket_loses_no_question() -> None:
    """The kernel hands a refusal to the next call on the socket, whoever that is for."""
    dead = [free_port(socket.SOCK_DGRAM) for _ in range(6)]
    asked: list[dict[str, Any]] = []
    async with (
        serving(TableView(switch(2))) as port,
        polling(
            v2c(COMMUNITY), backend="pysnmp", attempt_seconds=PATIENCE,
            trace=lambda what, about: asked.append(about),
        ) as polled,
    ):  # fmt: skip
        outcomes = await asyncio.gather(
            *(polled.turn(one) for pair in zip(dead, [port] * 6, strict=True) for one in pair)
        )

    assert outcomes == ["unreachable", "ok"] * 6
    assert {about["attempt"] for about in asked if "attempt" in about} == {1}


async def ask(host: str, port: int) -> None:
    engines = Engines(backend="pysnmp")
    try:
        reader = await engines.reader(host, port, V1, Tuning(), attempt_seconds=PATIENCE)
        await reader.get([SYS_UPTIME], Deadline(PATIENCE))
    finally:
        engines.close()


async def test_ipv6_is_heard_too() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as held:
        try:
            held.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 on this machine's loopback")
        port = held.getsockname()[1]

    with pytest.raises(Refused, match="nobody listens"):
        await ask("::1", port)


async def test_where_the_system_names_no_device_a_slow_one_is_knocked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Windows; what is sent holds no secret."""
    monkeypatch.setattr(refusals, "NAMES_DEVICES", False)
    monkeypatch.setattr(refusals, "SLOW_SECONDS", 0.0)

    with pytest.raises(Refused):
        await ask("127.0.0.1", free_port(socket.SOCK_DGRAM))


def test_a_knock_is_no_refusal_where_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setattr(refusals, "KNOCK_SECONDS", 0.05)
        waited = refusals.is_refused(*silent.getsockname())
        question, place = silent.recvfrom(2048)
        monkeypatch.setattr(refusals, "KNOCK_SECONDS", PATIENCE)
        answering = threading.Thread(target=lambda: silent.sendto(b"any", silent.recvfrom(2048)[1]))
        answering.start()
        answered = refusals.is_refused(*silent.getsockname())
        answering.join()

    assert (waited, answered) == (False, False)
    assert b"office" not in question and place[0] == "127.0.0.1"
