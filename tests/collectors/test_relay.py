"""The relay: whom it lets pass, how much, how long, and that bytes come through as they were."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.main import main
from kiemke.collectors.relay import (
    Relay,
    RelaySettings,
    load_relay,
    save_relay,
    why_not,
)
from kiemke.collectors.relay_command import parse_listen
from kiemke.collectors.state import Enrolment, make_state, save_enrolment
from kiemke.wire.pin import Address, Pins
from kiemke.wire.reach import DENIED, LOOPBACK, OUTSIDE, Reach
from kiemke.wire.secret import Secret
from tests.support.peers import free_port

LAN = Reach((ip_network("10.5.9.0/24"),), (ip_network("10.5.9.64/26"),))
HERE = Reach((ip_network("127.0.0.0/8"),))

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what came, once the other side has said all."""
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


@asynccontextmanager
async def relayed(
    handler: Handler, settings: RelaySettings, sites: Sequence[Reach] = (HERE,)
) -> AsyncIterator[Relay]:
    """Yield a relay to a TCP server of our own."""
    served: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        await handler(reader, writer)
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    relay = Relay(settings, [Address("127.0.0.1", free_port()), address], lambda: sites)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.close()
        server.close()
        await asyncio.gather(*filter(None, served))


def listening(**more: int) -> RelaySettings:
    return RelaySettings(Address("127.0.0.1", 0), **more)


async def said_through(relay: Relay, data: bytes) -> bytes:
    """Send data by the relay, end our half, return all that came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(data)
    await writer.drain()
    writer.write_eof()
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("client", "sites", "reason"),
    [
        ("10.5.9.7", [LAN], None),
        ("10.5.9.70", [LAN], DENIED),
        ("10.5.8.7", [LAN], OUTSIDE),
        ("10.5.8.7", [LAN, Reach((ip_network("10.5.8.0/24"),))], None),
        ("::ffff:10.5.9.7", [LAN], None),
        ("127.0.0.1", [LAN], LOOPBACK),
        ("10.5.9.7", [Reach(None)], OUTSIDE),  # nothing registered: not open to everybody
        ("10.5.9.7", [], OUTSIDE),
        ("", [LAN], "not_an_address"),
    ],
)
def test_only_the_sites_registered_subnets_may_pass(
    client: str, sites: list[Reach], reason: str | None
) -> None:
    assert why_not(client, sites) == reason


async def test_what_is_sent_comes_out_as_it_was_by_the_first_server_that_answers() -> None:
    data = random.Random(5).randbytes(3_000_000)

    async with relayed(echo, listening()) as relay:
        answers = await asyncio.gather(*(said_through(relay, data[n:]) for n in range(4)))

    assert answers == [data[n:] for n in range(4)]
    assert (relay.passed, relay.refused, relay.open_connections) == (4, 0, 0)
    assert relay.octets == 2 * sum(map(len, answers))


async def test_a_stranger_is_closed_at_once_and_the_server_never_hears_of_it() -> None:
    heard: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append("somebody")
        writer.close()

    async with relayed(note, listening(), [LAN]) as relay:
        assert await said_through(relay, b"hello") == b""
        assert (relay.passed, relay.refused) == (0, 1)
    assert heard == []


async def test_connections_are_bounded_and_free_again_when_one_ends() -> None:
    async with relayed(echo, listening(connections=2)) as relay:
        held = [await asyncio.open_connection("127.0.0.1", relay.port) for _ in range(2)]
        async with asyncio.timeout(60):
            while relay.open_connections < 2:
                await asyncio.sleep(0)
            assert await said_through(relay, b"one too many") == b""
            held[0][1].close()
            while relay.open_connections > 1:
                await asyncio.sleep(0)
            assert await said_through(relay, b"room again") == b"room again"
        held[1][1].close()
        for _, writer in held:
            await writer.wait_closed()

    assert relay.refused == 1


async def test_a_connection_on_which_nothing_passes_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kiemke.collectors.relay.LEAST_IDLE_SECONDS", 0.01)
    settings = RelaySettings(Address("127.0.0.1", 0), idle_seconds=0.05)
    async with relayed(echo, settings) as relay, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await reader.read() == b""
        writer.close()

    assert relay.passed == 1


async def test_while_the_server_is_away_a_client_is_closed_and_counted() -> None:
    relay = Relay(listening(), [Address("127.0.0.1", free_port())], lambda: [HERE])
    await relay.start()
    async with asyncio.timeout(60):
        assert await said_through(relay, b"hello") == b""
    await relay.close()

    assert (relay.passed, relay.unreachable) == (0, 1)


async def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    async with relayed(echo, listening()) as relay:
        other = Relay(RelaySettings(Address("127.0.0.1", relay.port)), [], list)
        with pytest.raises(ConfigError, match=f"relay: 127.0.0.1:{relay.port}: "):
            await other.start()


def test_the_command_keeps_the_settings_and_says_for_whom_it_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    make_state(state)
    server = Address("10.0.0.1", 8443)
    save_enrolment(state, Enrolment("i", Secret("s"), "c-1", "approved", (server,), Pins("pem")))
    base = ["--state", str(state), "relay"]

    assert main([*base]) == 0
    assert main([*base, "on", "--listen", "10.5.9.2:9443", "--connections", "50"]) == 0
    assert load_relay(state) == RelaySettings(Address("10.5.9.2", 9443), 50)
    assert main([*base, "on", "--connections", "0"]) == 2
    assert main([*base, "off"]) == 0
    assert load_relay(state) is None
    shown = capsys.readouterr()
    assert "relay  off" in shown.out and "10.5.9.2:9443 to https://10.0.0.1:8443" in shown.out
    assert "connections must be 1 to" in shown.err


@pytest.mark.parametrize("text", ["", "10.5.9.2", "10.5.9.2:0", "10.5.9.2:99999", "x:y"])
def test_what_is_no_place_to_listen_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="give a port"):
        parse_listen(text)


def test_damaged_settings_are_told_not_taken_for_off(tmp_path: Path) -> None:
    save_relay(tmp_path, RelaySettings())
    (tmp_path / "relay.json").write_text("{")

    with pytest.raises(ConfigError, match="relay on"):
        load_relay(tmp_path)
