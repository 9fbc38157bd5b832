"""Visits to devices another project plays (fakenos): its prompts, its answers, its SSH server."""

import asyncio
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.login import Host, SshCredential
from kiemke.collectors.ssh.platform import load_platform
from kiemke.collectors.ssh.read import Reading, SshReader
from kiemke.wire.host_key import split_key
from kiemke.wire.secret import Secret
from tests.support.peers import free_port
from tests.support.tree import ROOT

# Two prompts of two makers; its other platforms know no command that shows a configuration either.
PLATFORMS = ("cisco_ios", "huawei_vrp")
RIGHT = SshCredential("kiemke", Secret("pass"), enable_password=Secret("pass"))
WRONG = SshCredential("kiemke", Secret("other"))


@pytest.fixture(scope="module")
def first_port() -> Iterator[int]:
    """A running fakenos; its platforms have one port each from here on."""
    first = free_port()
    program = [sys.executable, "-W", "ignore", "-m", "tests.support.fakenos_server"]
    server = subprocess.Popen(
        [*program, str(first), *PLATFORMS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        assert server.stdout.readline() == b"ready\n"
        yield first
    finally:
        server.stdin.close()
        server.stdout.close()
        server.terminate()
        server.wait(10)


async def test_devices_of_two_makers_tell_what_they_are(first_port: int, tmp_path: Path) -> None:
    reader = SshReader(HostKeys(tmp_path))

    async def one(place: int, name: str) -> Reading:
        host = Host("127.0.0.1", first_port + place)
        return await reader.read(load_platform(name), host, RIGHT, 60.0)

    try:
        ios, vrp = await asyncio.gather(*(one(n, name) for n, name in enumerate(PLATFORMS)))
    finally:
        reader.close()

    assert ios.outcome == "ok" and ios.config is not None, ios
    assert (ios.facts["model"], ios.facts["name"]) == ("CSR1000V", "ciscoios")
    assert len(ios.tables["interfaces"]) > 10
    assert vrp.outcome == "partial", vrp
    assert (vrp.facts["vendor"], vrp.facts["model"]) == ("Huawei", "ATN 910C-B")


async def test_a_wrong_password_and_a_changed_key(first_port: int, tmp_path: Path) -> None:
    reader = SshReader(HostKeys(tmp_path))
    host = Host("127.0.0.1", first_port)
    platform = load_platform("cisco_ios")
    try:
        wrong = await reader.read(platform, host, WRONG, 60.0)
        assert wrong.host_key is not None
        kind, key = split_key(wrong.host_key)
        changed = f"{kind} {b64encode(key[:-1] + bytes([key[-1] ^ 1])).decode()}"
        strange = await reader.read(platform, replace(host, host_key=changed), RIGHT, 60.0)
    finally:
        reader.close()

    assert (wrong.outcome, wrong.config) == ("auth", None)
    assert (strange.outcome, strange.host_key) == ("host_key", wrong.host_key)
