"""Visits to devices another project plays (fakenos): its prompts, its answers, its SSH server."""

import asyncio
import subprocess
import sys
from pathlib import Path

from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.login import Host, SshCredential
from kiemke.collectors.ssh.platform import load_platform
from kiemke.collectors.ssh.read import Reading, SshReader
from kiemke.wire.secret import Secret
from tests.support.peers import free_port
from tests.support.tree import ROOT

PLATFORMS = ("cisco_ios", "cisco_s300", "huawei_vrp", "juniper_junos")


async def test_devices_of_four_makers_tell_what_they_are(tmp_path: Path) -> None:
    first = free_port() - len(PLATFORMS)
    server = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.support.fakenos_server",
            str(first),
            *PLATFORMS,
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdin is not None and server.stdout is not None
    reader = SshReader(HostKeys(tmp_path))
    credential = SshCredential("kiemke", Secret("pass"), enable_password=Secret("pass"))

    async def one(place: int, name: str) -> Reading:
        host = Host("127.0.0.1", first + place)
        return await reader.read(load_platform(name), host, credential, 60.0)

    try:
        assert await asyncio.to_thread(server.stdout.readline) == b"ready\n"
        found = await asyncio.gather(*(one(n, name) for n, name in enumerate(PLATFORMS)))
    finally:
        reader.close()
        server.stdin.close()
        server.stdout.close()
        server.terminate()
        server.wait(10)

    ios, s300, vrp, junos = found
    assert ios.outcome == "ok" and ios.config is not None, ios
    assert (ios.facts["model"], ios.facts["name"]) == ("CSR1000V", "ciscoios")
    assert len(ios.tables["interfaces"]) > 10
    # The others know no command that shows a configuration, and say so.
    assert [each.outcome for each in (s300, vrp, junos)] == ["partial"] * 3
    assert (s300.facts["version"], s300.facts["serial"]) == ("1.3.7.18", "IDN123456AA")
    assert (vrp.facts["vendor"], vrp.facts["model"]) == ("Huawei", "ATN 910C-B")
    assert (junos.facts["model"], junos.facts["version"]) == ("ex4550-32f", "13.2X51-D35.3")
