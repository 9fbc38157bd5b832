"""Every version of SNMP and every key a real net-snmp agent knows, by both libraries."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pysnmp.proto.rfc1902 import Integer32

from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.reader import Tuning, parse_oid
from kiemke.wire.credential import AUTH_NAMES, PRIVACY_NAMES
from kiemke.wire.secret import Secret
from tests.support.peers import SnmpdPeer, require_peer
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import polling, v1, v2c

AUTH_KEY, PRIVACY_KEY = "auth-key-1234", "priv-key-1234"
# How net-snmp calls what credentials.toml calls so.
AUTH = {name: name.replace("SHA1", "SHA").replace("SHA2", "SHA-2") for name in AUTH_NAMES}
AUTH |= {"SHA384": "SHA-384", "SHA512": "SHA-512"}
PRIVACY = {
    "DES": "DES", "AES128": "AES", "AES192": "AES-192-C", "AES256": "AES-256-C",
    "AES192-BLUMENTHAL": "AES-192", "AES256-BLUMENTHAL": "AES-256",
}  # fmt: skip
# Every digest, every cipher, and the digests that have to be stretched.
SAMPLE: list[tuple[str, str | None]] = [
    ("MD5", None), ("MD5", "DES"), ("SHA1", "AES128"), ("SHA1", "AES256"), ("SHA1", "AES192-BLUMENTHAL"),
    ("SHA224", "AES256-BLUMENTHAL"), ("SHA256", "AES192"), ("SHA384", "AES256"), ("SHA512", "AES128"),
]  # fmt: skip
PAIRS: list[tuple[str, str | None]] = [
    (auth, privacy) for auth in AUTH_NAMES for privacy in (None, *PRIVACY_NAMES)
]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpdPeer]:
    """An snmpd with a user for every pair of protocols, and for every one without privacy."""
    lines = []
    for auth in AUTH_NAMES:
        lines.append(f'createUser {auth} {AUTH[auth]} "{AUTH_KEY}"\nrouser {auth} auth\n')
        for privacy in PRIVACY_NAMES:
            lines.append(
                f'createUser {auth}-{privacy} {AUTH[auth]} "{AUTH_KEY}" {PRIVACY[privacy]}'
                f' "{PRIVACY_KEY}"\nrouser {auth}-{privacy} authpriv\n'
            )
    lines.append("createUser open\nrouser open noauth\n")
    folder: Path = tmp_path_factory.mktemp("versions")
    peer = SnmpdPeer(require_peer("snmpd"), folder, "".join(lines))
    peer.start()
    yield peer
    peer.stop()


def user(auth: str | None, privacy: str | None) -> Credential:
    """Return the credential of one of the agent's users."""
    name = "-".join(filter(None, (auth, privacy))) or "open"
    return Credential(
        "core",
        "3",
        user=name,
        auth_protocol=auth,
        auth_key=Secret(AUTH_KEY) if auth else None,
        privacy_protocol=privacy,
        privacy_key=Secret(PRIVACY_KEY) if privacy else None,
    )


async def told(port: int, credential: Credential) -> tuple[str | None, list[Any]]:
    """Return what one poll tells of the system and of the ports."""
    async with polling(credential) as polled:
        device, found = await polled.poll(port, credential.name)
    assert (device.outcome, device.detail) == ("ok", None), credential
    assert found is not None and found.outcome == "ok"
    ports = [(row.index, row.name, row.mac, row.speed_bits_per_second) for row in found.rows]
    return device.sys_descr, ports


@pytest.mark.parametrize("pairs", [SAMPLE, pytest.param(PAIRS, marks=pytest.mark.slow)])
async def test_keys_of_v3_are_spoken_alike_by_both(
    agent: SnmpdPeer, pairs: list[tuple[str, str | None]]
) -> None:
    """Also where the digest is shorter than the key: Cisco's and Blumenthal's way to stretch it."""
    events: list[str] = []
    for auth, privacy in pairs:
        answers = []
        for backend in ("gufo", "pysnmp"):
            engines = Engines(backend=backend)
            try:
                reader = await engines.reader(
                    "127.0.0.1", agent.port, user(auth, privacy), Tuning(),
                    trace=lambda event, _: events.append(event),
                )  # fmt: skip
                wanted = (oids.SYS_DESCR, oids.SYS_OBJECT_ID)
                answers.append(await reader.get(wanted, Deadline(20.0)))
            finally:
                engines.close()
        assert answers[0] == answers[1], (auth, privacy)
        assert len(answers[0]) == 2

    assert "slow path" not in events


async def test_v3_without_keys_v1_and_v2c_tell_the_same_ports(agent: SnmpdPeer) -> None:
    without, wide, old = [
        await told(agent.port, credential)
        for credential in (user(None, None), v2c(agent.community), v1(agent.community))
    ]

    assert without == wide and wide[1]
    assert old[0] == wide[0]
    assert [row[:3] for row in old[1]] == [row[:3] for row in wide[1]]


async def test_v1_reads_32_bit_counters_by_getnext(agent: SnmpdPeer) -> None:
    async with polling(v1(agent.community)) as polled:
        device, found = await polled.poll(agent.port, "old")

    assert device.outcome == "ok" and found is not None and found.outcome == "ok"
    assert {row.counter_bits for row in found.rows} == {32}
    assert all(row.in_octets is not None for row in found.rows)


async def test_one_object_a_v1_device_lacks_takes_no_other_with_it_and_is_learned() -> None:
    """v1 refuses the whole request over one object, and a walk over one column at its end."""
    asked: list[list[str]] = []

    def watch(event: str, fields: dict[str, Any]) -> None:
        if event == "get":
            asked.append(fields["oids"])

    view = TableView(switch(3, wide=False))
    async with serving(view) as port, polling(v1(COMMUNITY), trace=watch) as polled:
        device, found = await polled.poll(port, "old")
        first = len(asked)
        again, same = await polled.poll(port, "old")

    assert (device.sys_name, device.sys_location) == ("sw-1", None)
    assert found is not None and [row.name for row in found.rows] == ["ge1", "ge2", "ge3"]
    assert [row.in_octets for row in found.rows] == [1000, 2000, 3000]
    assert found == same and again.sys_name == "sw-1"
    assert any(oids.SYS_LOCATION in names for names in asked[:first])
    assert not any(oids.SYS_LOCATION in names for names in asked[first:])


async def test_64_bit_counters_are_hidden_from_v1_and_cost_nothing_else() -> None:
    objects = switch(4)
    objects[(*parse_oid(oids.IF_ADMIN_STATUS), 9)] = Integer32(1)
    async with serving(TableView(objects)) as port, polling(v1(COMMUNITY)) as polled:
        _, found = await polled.poll(port, "old")

    assert found is not None and found.outcome == "ok"
    assert [(row.index, row.counter_bits, row.in_octets) for row in found.rows][:4] == [
        (n, 32, 1000 * n) for n in range(1, 5)
    ]
