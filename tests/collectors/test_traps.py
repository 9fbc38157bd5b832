"""Traps and informs of real net-snmp senders: a reason to look, and an event only when signed."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.poll import Job, PollLoop
from kiemke.collectors.snmp.reader import parse_oid
from kiemke.collectors.snmp.trap_engines import FILE_NAME, TrapEngines
from kiemke.collectors.snmp.traps import (
    BURST,
    LONGEST_NAME,
    MOST_ENGINES,
    TRAP_OID,
    Sender,
    Trap,
    TrapReceiver,
    read_variables,
)
from kiemke.collectors.traps import TrapWatch
from kiemke.collectors.traps_command import load_listen, save_listen
from kiemke.wire.pin import Address
from kiemke.wire.report import Event
from kiemke.wire.secret import Secret
from tests.support.peers import free_port, require_peer

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
ENGINE = "0x8000000001020304"
V3 = Credential(
    "core", "3", user="tester", auth_protocol="SHA256", auth_key=Secret("trap-auth-key"),
    privacy_protocol="AES128", privacy_key=Secret("trap-priv-key"),
)  # fmt: skip
SIGNED = (
    "-v3", "-u", "tester", "-l", "authPriv", "-a", "SHA-256", "-A", "trap-auth-key",
    "-x", "AES", "-X", "trap-priv-key",
)  # fmt: skip
PORT_3 = ("1.3.6.1.2.1.2.2.1.1.3", "i", "3", "1.3.6.1.2.1.31.1.1.1.1.3", "s", "ge3")


class Heard:
    """A receiver and what it handed on."""

    def __init__(self, *senders: Sender, engines: TrapEngines | None = None) -> None:
        self.known: dict[str, list[Sender]] = {"127.0.0.1": list(senders)}
        self.traps: list[tuple[int, Trap]] = []
        self.receiver = TrapReceiver(
            lambda address: self.known.get(address, []),
            lambda sender, trap: self.traps.append((sender.device, trap)),
            engines,
        )
        self.port = 0

    async def send(self, folder: Path, program: str, *words: str, engine: str = ENGINE) -> int:
        """Run snmptrap or snmpinform against the receiver; returns its status."""
        version, rest = words[: words.index("--")], words[words.index("--") + 1 :]
        trap_engine = ("-e", engine) if "-v3" in version and program == "snmptrap" else ()
        process = await asyncio.create_subprocess_exec(
            require_peer(program), *version, *trap_engine, "-t", "3", "-r", "0",
            f"127.0.0.1:{self.port}", *rest,
            env={"SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": "/nonexistent"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        status = await process.wait()
        await asyncio.sleep(0)
        return status

    async def settle(self, **counts: int) -> None:
        """Let the loop run until so many packets were counted, a minute at most."""
        async with asyncio.timeout(60):
            while any(self.receiver.counts[name] < count for name, count in counts.items()):
                await asyncio.sleep(0.005)


@asynccontextmanager
async def hearing(*senders: Sender, engines: TrapEngines | None = None) -> AsyncIterator[Heard]:
    """Yield a receiver on loopback that knows these senders at 127.0.0.1."""
    heard = Heard(*senders, engines=engines)
    heard.port = await heard.receiver.open("127.0.0.1", 0)
    try:
        yield heard
    finally:
        heard.receiver.close()


async def test_plain_traps_and_informs_are_read_and_prove_nothing(tmp_path: Path) -> None:
    async with hearing(Sender(7, None)) as heard:
        v2, v1 = ("-v2c", "-c", "whoever"), ("-v1", "-c", "whoever")
        await heard.send(tmp_path, "snmptrap", *v2, "--", "1", LINK_DOWN, *PORT_3)
        await heard.send(
            tmp_path, "snmptrap", *v1, "--", "1.3.6.1.4.1.9.1", "127.0.0.1", "3", "0", "1"
        )
        await heard.send(
            tmp_path, "snmptrap", *v1, "--", "1.3.6.1.4.1.9.1", "127.0.0.1", "6", "41", "1"
        )
        answered = await heard.send(tmp_path, "snmpinform", *v2, "--", "1", f"{LINK_DOWN[:-1]}1")
        await heard.settle(taken=4)

    assert answered == 0, "an inform is acknowledged"
    assert [(device, trap.name, trap.version) for device, trap in heard.traps] == [
        (7, "linkDown", "2c"),
        (7, "linkUp", "1"),
        (7, "1.3.6.1.4.1.9.1.0.41", "1"),
        (7, "coldStart", "2c"),
    ]
    assert heard.traps[0][1].detail == {"index": "3", "interface": "ge3"}
    assert not any(trap.is_proven for _, trap in heard.traps)


async def test_only_what_the_devices_own_v3_user_signed_is_proven(tmp_path: Path) -> None:
    unsigned = ("-v3", "-u", "tester", "-l", "noAuthNoPriv")
    wrong = tuple(word.replace("trap-auth", "wrong-auth") for word in SIGNED)
    async with hearing(Sender(7, V3)) as heard:
        await heard.send(tmp_path, "snmptrap", *SIGNED, "--", "1", LINK_DOWN, *PORT_3)
        answered = await heard.send(tmp_path, "snmpinform", *SIGNED, "--", "1", LINK_DOWN)
        await heard.settle(taken=2)
        before = len(heard.traps)
        await heard.send(tmp_path, "snmptrap", *wrong, "--", "1", LINK_DOWN)
        await heard.send(tmp_path, "snmptrap", *unsigned, "--", "1", LINK_DOWN)
        await heard.settle(refused=1)

    assert answered == 0
    assert [trap.is_proven for _, trap in heard.traps[:before]] == [True, True]
    assert heard.traps[0][1].detail == {"index": "3", "interface": "ge3"}
    assert not any(trap.is_proven for _, trap in heard.traps[before:])


async def test_an_engine_speaks_from_one_address_only(tmp_path: Path) -> None:
    """One device's key may not prove what another one is said to have told."""
    engines = TrapEngines()
    engines.take(bytes.fromhex(ENGINE[2:]), "10.0.0.9", 0, 0, 0.0, 0.0)
    async with hearing(Sender(7, V3), engines=engines) as heard:
        heard.known["10.0.0.9"] = [Sender(8, V3)]
        await heard.send(tmp_path, "snmptrap", *SIGNED, "--", "1", LINK_DOWN)
        await heard.settle(refused=1)
        assert heard.traps == []
        del heard.known["10.0.0.9"]  # the device has moved
        await heard.send(tmp_path, "snmptrap", *SIGNED, "--", "1", LINK_DOWN)
        await heard.settle(taken=1)

    assert heard.traps[0][1].is_proven


async def test_a_recorded_trap_is_no_news_after_a_restart(tmp_path: Path) -> None:
    """It makes the device be looked at, as anybody can, and proves nothing."""
    path, packets = tmp_path / FILE_NAME, []
    engines = TrapEngines(path)
    async with hearing(Sender(7, V3), engines=engines) as heard:
        take = heard.receiver.datagram_received

        def record(data: bytes, addr: tuple[Any, ...]) -> None:
            packets.append(data)
            take(data, addr)

        heard.receiver.datagram_received = record  # type: ignore[method-assign]
        await heard.send(tmp_path, "snmptrap", *SIGNED, "--", "1", LINK_DOWN)
        await heard.settle(taken=1)
    engines.keep({"127.0.0.1"}.__contains__)
    rows = json.loads(path.read_text())
    for row in rows.values():
        row["at"] -= 1000.0  # it was so long ago
    path.write_text(json.dumps(rows))

    later = Heard(Sender(7, V3), engines=TrapEngines(path))
    later.receiver.datagram_received(packets[0], ("127.0.0.1", 9))

    assert [trap.is_proven for _, trap in heard.traps] == [True]
    assert [trap.is_proven for _, trap in later.traps] == [False]
    assert later.receiver.counts == {"copied": 1, "taken": 1}
    async with hearing(Sender(7, V3), engines=TrapEngines(path)) as heard:
        await heard.send(tmp_path, "snmptrap", *SIGNED, "-Z", "9,1", "--", "1", LINK_DOWN)
        await heard.settle(taken=1)
    assert heard.traps[0][1].is_proven, "a later start of the engine is news"


def test_what_is_a_copy_is_told_by_the_engines_own_clock(tmp_path: Path) -> None:
    engines = TrapEngines(tmp_path / FILE_NAME)
    news = [
        engines.take(b"e", "10.0.0.1", boots, seconds, now, now)
        for boots, seconds, now in [
            (3, 500, 0.0),  # the first ever
            (3, 500, 100.0),  # another of the same second, or late
            (3, 500, 200.0),  # too late
            (3, 700, 200.0),
            (2, 9999, 200.0),  # an earlier start
            (4, 1, 200.0),
            (3, 9999, 200.0),
        ]
    ]
    assert news == [True, True, False, True, False, True, False]

    engines.keep(lambda _: True)
    assert TrapEngines(tmp_path / FILE_NAME).owner(b"e") == "10.0.0.1"
    engines.keep(lambda _: False)
    assert TrapEngines(tmp_path / FILE_NAME).owner(b"e") is None, "no device's any more"


def test_a_collector_whose_clock_is_put_right_goes_on_believing(tmp_path: Path) -> None:
    """With a flat battery it says 2009 until the network tells the time."""
    in_2009, in_2026 = 1_230_768_000.0, 1_795_000_000.0
    engines = TrapEngines(tmp_path / FILE_NAME)
    engines.take(b"e", "10.0.0.1", 3, 500, in_2009, 10.0)

    assert engines.take(b"e", "10.0.0.1", 3, 560, in_2026, 70.0)
    assert not engines.take(b"e", "10.0.0.1", 3, 300, in_2026, 70.0), "a copy all the same"
    engines.keep(lambda _: True)
    later = TrapEngines(tmp_path / FILE_NAME)
    assert not later.take(b"e", "10.0.0.1", 3, 560, in_2026 + 200.0, 5.0), "by the wall clock"
    assert later.take(b"e", "10.0.0.1", 3, 760, in_2026 + 200.0, 5.0)


@pytest.mark.parametrize("text", ["", "[]", '{"0g": 1}', '{"00": {"host": "x", "boots": "1"}}'])
def test_a_damaged_file_of_engines_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)

    assert TrapEngines(tmp_path / FILE_NAME).owner(b"\0") is None


async def test_strangers_are_dropped_unread_and_a_flood_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kiemke.collectors.snmp.traps.PER_SECOND", 0.0)  # a slow machine earns none
    async with hearing(Sender(7, None)) as heard:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", heard.port)
        )
        for _ in range(40):
            transport.sendto(b"\x30\x03\x02\x01\x01")
        await heard.settle(unreadable=int(BURST), flooded=40 - int(BURST))
        heard.known.clear()
        transport.sendto(b"\x30\x03\x02\x01\x01")
        await heard.settle(unknown=1)
        transport.close()

    assert heard.receiver.counts["unreadable"] == BURST
    assert heard.traps == []


def signed_by(engine: bytes) -> bytes:
    """Return a v3 message of the user "tester" that names an engine; its signature proves nothing."""
    told = UsmSecurityParameters()
    for place, value in enumerate((engine, 1, 1, b"tester", b"x" * 24, b"y" * 8)):
        told.setComponentByPosition(place, value)
    message = SNMPv3Message()
    message.setComponentByPosition(0, 3)
    header = message.setComponentByPosition(1).getComponentByPosition(1)
    for place, number in enumerate((7, 1500, b"\x03", 3)):
        header.setComponentByPosition(place, number)
    message.setComponentByPosition(2, encoder.encode(told))
    message.setComponentByPosition(3).getComponentByPosition(3).setComponentByPosition(1, b"z" * 32)
    return bytes(encoder.encode(message))


async def test_who_makes_up_engines_fills_no_memory_and_shuts_nobody_out() -> None:
    heard = Heard(Sender(7, V3))
    first = b"\x80\0\0\0\x01first"
    packets = [signed_by(first), signed_by(b"l" * 33)]
    packets += [signed_by(b"\x80\0\0\0\x01" + bytes([n])) for n in range(20)]

    for packet in packets:
        heard.receiver._allowances.clear()
        heard.receiver.datagram_received(packet, ("127.0.0.1", 9))
    believed = heard.receiver._is_believable(first, "127.0.0.1")

    assert heard.receiver.counts == {"refused": len(packets)}
    assert {len(each) for each in heard.receiver._engines_of_host.values()} == {MOST_ENGINES}
    assert believed
    heard.receiver.close()


@pytest.mark.parametrize("arcs", [127, 129, 20_000])
def test_a_name_longer_than_any_is_no_trap(arcs: int) -> None:
    """It would stand in the log and, signed, in an event: 60,000 octets each time."""
    number = tuple([1, 3, *[1] * (arcs - 2)])
    variables = [(parse_oid(TRAP_OID), v2c.ObjectIdentifier(number))]

    if arcs <= LONGEST_NAME:
        assert read_variables(variables, "2c").oid.count(".") == arcs - 1
    else:
        with pytest.raises(ValueError, match="longer"):
            read_variables(variables, "2c")


@given(st.binary(max_size=200))
def test_no_packet_does_more_than_be_counted(data: bytes) -> None:
    heard = Heard(Sender(7, V3))

    heard.receiver.datagram_received(data, ("127.0.0.1", 9))

    assert sum(heard.receiver.counts.values()) <= 1
    assert heard.traps == []


async def test_a_trap_has_its_device_polled_and_a_proven_one_is_sent_as_an_event(
    tmp_path: Path,
) -> None:
    nudged: list[int] = []
    sent: list[Event] = []

    async def emit(_: str, event: Event) -> None:
        sent.append(event)

    port = free_port()
    watch = TrapWatch(tmp_path, lambda task: nudged.append(task.device), emit)
    watch.assign([DeviceTask(7, "127.0.0.1", 161, "core")], {"core": V3})
    await watch.keep()
    assert watch.state() is None, "off until it is said"
    save_listen(tmp_path, Address("127.0.0.1", port))
    await watch.keep()
    heard = Heard()
    heard.port = port
    try:
        await heard.send(tmp_path, "snmptrap", "-v2c", "-c", "x", "--", "1", LINK_DOWN)
        await heard.send(tmp_path, "snmptrap", *SIGNED, "--", "1", LINK_DOWN, *PORT_3)
        async with asyncio.timeout(60):
            while not sent:
                await asyncio.sleep(0.005)
        assert watch.state() == {"listen": f"127.0.0.1:{port}", "counts": {"taken": 2}}
    finally:
        save_listen(tmp_path, None)
        await watch.keep()

    assert nudged == [7, 7]
    assert sent == [
        Event(
            "trap",
            {"device": "7", "trap": "linkDown", "oid": LINK_DOWN, "index": "3", "interface": "ge3"},
        )
    ]
    assert (watch.state(), load_listen(tmp_path)) == (None, None)


async def test_a_port_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    async def emit(_: str, event: Event) -> None:
        raise AssertionError(event)

    watch = TrapWatch(tmp_path, lambda _: None, emit)
    save_listen(tmp_path, Address("192.0.2.1", 50_162))

    await watch.keep()

    assert watch.trouble is not None and "192.0.2.1:50162" in watch.trouble


async def test_a_nudge_is_one_turn_at_once_and_leaves_the_others_where_they_are() -> None:
    turns = 0

    async def no_bug(key: str, bug: BaseException) -> None:
        raise AssertionError(f"{key}: {bug}")

    async def work(_: float) -> str:
        nonlocal turns
        turns += 1
        return "ok"

    async def until(count: int) -> None:
        async with asyncio.timeout(60):
            while turns < count:
                await asyncio.sleep(0.005)

    loop = PollLoop(no_bug)
    await loop.assign({"device:1": Job("device:1", 1, work)}, 3600.0)
    await until(1)
    loop.nudge("device:1")
    await until(2)
    for _ in range(50):
        loop.nudge("device:1")
    loop.nudge("device:2")
    await asyncio.sleep(0.05)
    waiting: Any = loop._nudge_timers["device:1"]
    await loop.close()

    assert turns == 2, "the next one waits"
    assert waiting.cancelled()


@pytest.mark.parametrize("text", ["{", "[]", '{"host": 1}'])
def test_damaged_settings_say_what_to_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "traps.json").write_text(text)

    with pytest.raises(Exception, match="kiemke-collector traps on"):
        load_listen(tmp_path)
