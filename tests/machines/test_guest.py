"""The packaged agent in a virtual PC whose serial numbers the test planted: it reports exactly those."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from packages import debian
from tests.support.machines import chroot, debian_tree, overlay, run_guest
from tests.support.server_process import ServerProcess
from tests.support.wine import enrolment_token, rows, running_server

pytestmark = pytest.mark.slow

GUEST_SECONDS = 240.0
UUID = "4c4c4544-0042-4810-8051-b4c04f534833"
PLANTED = [
    "-smbios", "type=0,vendor=Phoenix Test,version=1.23.4,date=03/15/2024",
    "-smbios", "type=1,manufacturer=Dell Inc.,product=OptiPlex 7010,version=A09,"
               f"serial=SYS7K2M91,uuid={UUID},sku=0A5F,family=OptiPlex",
    "-smbios", "type=2,manufacturer=Dell Inc.,product=0WR7PY,version=A01,serial=BRD5521.CN01",
    "-smbios", "type=3,manufacturer=Dell Inc.,version=1,serial=CHS9Q3,asset=TS-0042",
    "-smbios", "type=17,loc_pfx=DIMM,manufacturer=Kingston,serial=DIMM8F31C2,part=KVR16N11/8",
]  # fmt: skip
# No network manager is in so small a Debian; and the guest ends by itself once its agent has reported.
SETUP = """[Unit]
Before=kiemke-agent.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'n=$$(ls /sys/class/net | grep -v lo | head -1); ip link set $$n up; \
  ip addr add 10.0.2.15/24 dev $$n; ip route add default via 10.0.2.2'
[Install]
WantedBy=multi-user.target
"""
ENDING = """[Unit]
After=kiemke-agent.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for n in $$(seq 200); do kiemke-agent status && break; sleep 1; done; \
  kiemke-agent status >/dev/ttyS0; systemctl poweroff'
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("server")) as made:
        yield made


def prepare(root: Path, server: ServerProcess, folder: Path) -> None:
    """Install the package into the image, as an office would, with a token that waits."""
    debian.build(root / "agent.deb")
    chroot(root, "dpkg", "-i", "/agent.deb")
    # The guest sees this machine's loopback at 10.0.2.2: the token names that way first.
    via = f"https://10.0.2.2:{server.port}"
    (root / "token").write_text(enrolment_token(server, via=via))
    chroot(root, "kiemke-agent", "setup", "--token-file", "/token")
    for name, text in {"guest-net": SETUP, "guest-end": ENDING}.items():
        (root / "etc" / "systemd" / "system" / f"{name}.service").write_text(text)
        chroot(root, "systemctl", "enable", "-q", f"{name}.service")


def test_what_was_planted_in_the_firmware_and_the_disk_is_what_arrives(
    server: ServerProcess, tmp_path: Path
) -> None:
    nvme = tmp_path / "nvme.img"
    with nvme.open("wb") as file:
        file.truncate(64 << 20)
    drive = [
        "-drive", f"file={nvme},format=raw,if=none,id=planted",
        "-device", "nvme,serial=NVME-S4EVNX0R,drive=planted",
    ]  # fmt: skip
    with overlay(debian_tree(), tmp_path / "tree") as root:
        prepare(root, server, tmp_path)
        console = run_guest(root, tmp_path, [*PLANTED, *drive], GUEST_SECONDS)

    assert "All is well." in console, console[-2000:]
    found: dict[str, list[dict[str, Any]]] = {
        name: json.loads(text or "[]")
        for name, text in rows(server, "SELECT section, rows_json FROM source_section")
    }
    (system,), (board,), (chassis,), (bios,) = (
        found[name] for name in ("system", "board", "chassis", "bios")
    )
    assert {key: system[key] for key in ("manufacturer", "product", "version", "serial", "sku")} == {
        "manufacturer": "Dell Inc.", "product": "OptiPlex 7010", "version": "A09",
        "serial": "SYS7K2M91", "sku": "0A5F",
    }  # fmt: skip
    assert (system["uuid"].lower(), system["family"]) == (UUID, "OptiPlex")
    assert (board["product"], board["serial"]) == ("0WR7PY", "BRD5521.CN01")
    assert chassis["serial"] == "CHS9Q3"
    assert (bios["vendor"], bios["version"]) == ("Phoenix Test", "1.23.4")
    (module,) = [one for one in found["memory"] if one.get("size_bytes")]
    assert (module["serial"], module["manufacturer"], module["part_number"]) == (
        "DIMM8F31C2", "Kingston", "KVR16N11/8",
    )  # fmt: skip
    assert module["size_bytes"] == 512 << 20
    (disk,) = [one for one in found["disks"] if one.get("bus") == "nvme"]
    assert (disk["serial"], disk["size_bytes"], disk["rotational"]) == (
        "NVME-S4EVNX0R", 64 << 20, False,
    )  # fmt: skip
    planted = {"SYS7K2M91", "BRD5521.CN01", "CHS9Q3", "DIMM8F31C2", "NVME-S4EVNX0R"}
    told = {
        str(one["serial"])
        for name in ("system", "board", "chassis", "memory", "disks")
        for one in found[name]
        if one.get("serial")
    }
    assert told == planted
