"""The sensors' true code on recorded machines: trees of /sys, /proc, /etc and /var made by the test."""

from pathlib import Path
from typing import Any

import pytest

from kiemke.agent.host import Host
from kiemke.agent.sensors import SENSORS, seat, software
from kiemke.agent.sensors.reading import Reading, read_all, token_of
from kiemke.wire.inventory import SECTIONS, Board, Disk, Monitor, Software, System
from tests.support import firmware

WIFI = "sys/devices/pci0000:00/0000:00:14.3/net/wlp0s20f3"
WIRED = "sys/devices/pci0000:00/0000:00:1f.6/net/eno1"
DONGLE = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/net/enx00e04c"
NVME = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1"
STICK = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/host2/target2:0:0/2:0:0:0/block/sdb"


class Machine:
    """Writes a recorded machine under a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: str | bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def files(self, folder: str, **contents: str) -> None:
        for name, content in contents.items():
            self.write(f"{folder}/{name}", content + "\n")

    def link(self, path: str, target: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(self.root / target)

    def read(self) -> dict[str, Reading]:
        return read_all(Host(root=self.root, install_id="1f" * 16))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def rows(readings: dict[str, Reading], section: str) -> tuple[Any, ...]:
    reading = readings[section]
    assert reading.status == "ok", reading.detail
    assert reading.rows is not None
    return reading.rows


def test_the_list_of_sensors_says_what_their_modules_say() -> None:
    """The list does not load the modules, so it repeats their sections."""
    for sensor in SENSORS:
        assert sensor.load().SECTIONS == sensor.SECTIONS
    assert {name for sensor in SENSORS for name in sensor.SECTIONS} == set(SECTIONS)


def test_an_empty_machine_has_sections_that_are_absent_and_no_failure(machine: Machine) -> None:
    """A VM without firmware tables, graphics or packages is no error."""
    readings = machine.read()

    assert list(readings) == list(SECTIONS)
    assert {one.status for one in readings.values()} == {"ok", "absent"}
    for section in ("system", "memory", "monitors", "disks", "software", "adapters", "uptime"):
        assert readings[section] == Reading("absent")


def test_firmware_tables_are_read_and_what_they_do_not_say_is_none(machine: Machine) -> None:
    structures = (
        firmware.structure(1, bytes([1, 2, 0, 9]) + b"\xff" * 16 + bytes(3), "Dell Inc.", "3080"),
        firmware.table_end(),
    )
    table = b"".join(structures)
    machine.write("sys/firmware/dmi/tables/DMI", table)
    machine.write(
        "sys/firmware/dmi/tables/smbios_entry_point",
        firmware.entry_point_3((3, 2), len(table), address=0x7F001000),  # an address in memory
    )
    readings = machine.read()

    assert rows(readings, "system") == (System("Dell Inc.", "3080"),)
    assert readings["memory"] == Reading("absent")


def test_without_tables_the_kernels_own_words_are_taken(machine: Machine) -> None:
    machine.files(
        "sys/class/dmi/id",
        sys_vendor="LENOVO", product_name="20L8S07A14", product_uuid="161674cc-2a1e",
        product_serial="PC131TBF", chassis_type="10", board_name="20L8",
    )  # fmt: skip
    readings = machine.read()

    (system,) = rows(readings, "system")
    assert isinstance(system, System)
    assert (system.manufacturer, system.serial) == ("LENOVO", "PC131TBF")
    assert rows(readings, "board") == (Board(product="20L8"),)
    assert readings["chassis"].rows is not None
    assert getattr(readings["chassis"].rows[0], "type", None) == "Notebook"
    assert readings["bios"] == Reading("absent")


def test_damaged_tables_fall_back_to_the_kernels_words(machine: Machine) -> None:
    machine.write("sys/firmware/dmi/tables/DMI", b"\xff" * 300)
    machine.write("sys/firmware/dmi/tables/smbios_entry_point", b"garbage")
    machine.files("sys/class/dmi/id", sys_vendor="LENOVO")

    assert rows(machine.read(), "system") == (System("LENOVO"),)


def test_processors_come_from_cpuinfo_one_row_a_socket(machine: Machine) -> None:
    blocks = [
        f"processor : {n}\nmodel name : Xeon E5\nphysical id : {n // 4}\ncpu cores : 2\n"
        for n in range(8)
    ]
    machine.write("proc/cpuinfo", "\n".join(blocks))
    machine.write("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3600000\n")

    first, second = rows(machine.read(), "processors")
    assert first == second
    assert (first.version, first.cores, first.threads, first.max_mhz) == ("Xeon E5", 2, 4, 3600)


def test_monitors_are_those_plugged_in(machine: Machine) -> None:
    name = firmware.descriptor(0xFC, b"DELL P2419H\n ")
    machine.write("sys/class/drm/card0-HDMI-A-1/edid", firmware.edid(descriptors=(name,)))
    machine.write("sys/class/drm/card0-DP-1/edid", b"")  # nothing plugged in
    machine.write("sys/class/drm/card0-VGA-1/edid", b"\0" * 128)  # a broken cable
    machine.write("sys/class/drm/version", "drm 1.1.0")

    hdmi, vga = rows(machine.read(), "monitors")
    assert isinstance(hdmi, Monitor)
    assert (hdmi.name, hdmi.port, hdmi.year) == ("DELL P2419H", "HDMI-A-1", 2008)
    assert vga == Monitor(port="VGA-1")


def test_a_monitor_made_before_edid_existed_has_no_year(machine: Machine) -> None:
    """Virtual displays leave the field 0, which would read as 1990."""
    machine.write("sys/class/drm/card0-Virtual-1/edid", firmware.edid(maker="@@@", year=1990))

    (one,) = rows(machine.read(), "monitors")
    assert isinstance(one, Monitor)
    assert (one.year, one.manufacturer) == (None, None)


def test_disks_are_physical_and_know_their_bus(machine: Machine) -> None:
    machine.files(NVME, size="1000215216", dev="259:0", removable="0")
    machine.write(f"{NVME}/queue/rotational", "0\n")
    machine.files(
        "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0",
        model="Samsung SSD 970 EVO 500GB   ", serial="S466NX0M", firmware_rev="2B2QEXE7",
    )  # fmt: skip
    machine.link(f"{NVME}/device", "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0")
    machine.link("sys/block/nvme0n1", NVME)
    machine.files(STICK, size="31266816", dev="8:16", removable="1")
    machine.write(f"{STICK}/device/model", "Cruzer Blade    \n")
    machine.link("sys/block/sdb", STICK)
    machine.write("run/udev/data/b8:16", "E:ID_SERIAL_SHORT=4C530001\nE:ID_REVISION=1.00\n")
    machine.files("sys/devices/virtual/block/loop0", size="1000")
    machine.link("sys/block/loop0", "sys/devices/virtual/block/loop0")

    nvme, stick = rows(machine.read(), "disks")
    assert nvme == Disk(
        "nvme0n1", "Samsung SSD 970 EVO 500GB", "S466NX0M", "2B2QEXE7", 512_110_190_592, "nvme",
        False, False,
    )  # fmt: skip
    assert stick == Disk(
        "sdb", "Cruzer Blade", "4C530001", "1.00", 16_008_609_792, "usb", None, True
    )


def test_adapters_know_what_they_are_and_what_was_negotiated(machine: Machine) -> None:
    for place, mac, assigned in (
        (WIFI, "3C:58:C2:01:02:03", "3"),  # a made-up address, as Wi-Fi privacy does
        (WIRED, "d4:5d:64:aa:bb:cc", "0"),
        (DONGLE, "00:e0:4c:68:00:01", "0"),
    ):
        machine.files(place, address=mac, addr_assign_type=assigned, type="1", mtu="1500")
        machine.write(f"{place}/device/vendor", "0x8086\n")
        machine.link(f"sys/class/net/{place.rpartition('/')[2]}", place)
    machine.files(WIRED, speed="100", duplex="half", operstate="up")
    machine.files(DONGLE, speed="-1", duplex="unknown", operstate="down")
    machine.write(f"{WIFI}/phy80211/name", "phy0\n")
    machine.files("sys/devices/virtual/net/lo", type="772", address="00:00:00:00:00:00")
    machine.link("sys/class/net/lo", "sys/devices/virtual/net/lo")
    machine.files("sys/devices/virtual/net/virbr0", type="1", address="52:54:00:00:00:01")
    machine.link("sys/class/net/virbr0", "sys/devices/virtual/net/virbr0")

    found = {one.name: one for one in rows(machine.read(), "adapters")}
    assert {name: one.kind for name, one in found.items()} == {
        "eno1": "ethernet", "enx00e04c": "usb", "lo": "loopback", "virbr0": "virtual",
        "wlp0s20f3": "wireless",
    }  # fmt: skip
    wired, dongle, wifi = found["eno1"], found["enx00e04c"], found["wlp0s20f3"]
    assert (wired.speed_bits_per_second, wired.duplex, wired.is_up) == (100_000_000, "half", True)
    assert wired.permanent_mac == "d4:5d:64:aa:bb:cc"
    assert (dongle.speed_bits_per_second, dongle.duplex, dongle.is_up) == (None, None, False)
    assert (wifi.mac, wifi.permanent_mac) == ("3c:58:c2:01:02:03", None)
    assert found["lo"].mac is None


def test_packages_that_were_removed_are_not_installed(machine: Machine) -> None:
    machine.write(
        "var/lib/dpkg/status",
        "Package: vim\nStatus: install ok installed\nMaintainer: Đội Vim <v@x>\n"
        "Architecture: amd64\nVersion: 2:9.0\nDescription: editor\n Status: deinstall ok x\n\n"
        "Package: nano\nStatus: deinstall ok config-files\nVersion: 7\n\n"
        "Package: half\nStatus: install ok half-installed\nVersion: 1\n\n"
        "Package: bash\nStatus: install ok installed\nVersion: 5.2\n",
    )

    assert rows(machine.read(), "software") == (
        Software("bash", "5.2", None, None, "dpkg"),
        Software("vim", "2:9.0", "Đội Vim <v@x>", "amd64", "dpkg", plain_publisher="đội vim"),
    )


def test_rpm_packages_are_read_from_its_answer() -> None:
    text = "bash\t5.2-1\tFedora Project\tx86_64\ngpg-pubkey\t1-2\t(none)\t(none)\nodd line\nx\t1\t(none)\tnoarch\n"

    assert software.parse_rpm(text) == [
        Software("bash", "5.2-1", "Fedora Project", "x86_64", "rpm"),
        Software("x", "1", None, "noarch", "rpm"),
    ]


def test_the_system_names_itself(machine: Machine) -> None:
    machine.write(
        "etc/os-release", 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\n'
    )
    machine.write("etc/hostname", "vp-pc-07.xa.local\n")
    machine.write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")

    (system,) = rows(machine.read(), "os")
    assert (system.name, system.version) == ("Debian GNU/Linux 12", "12")
    assert (system.hostname, system.domain) == ("vp-pc-07", "xa.local")
    assert system.build == "6.1.0-18-amd64"


def test_a_boot_is_told_by_the_kernels_moment_and_name(machine: Machine) -> None:
    machine.write("proc/stat", "cpu 1 2 3\nbtime 1767225600\n")
    machine.write("proc/sys/kernel/random/boot_id", "0d6f2c1e-1111\n")

    (uptime,) = rows(machine.read(), "uptime")
    assert uptime.booted_at == "2026-01-01T00:00:00+00:00"
    assert uptime.boot_id == "0d6f2c1e-1111"


@pytest.mark.parametrize(
    ("terminal", "remote", "seated"),
    [
        ("tty2", "", True),
        (":0", ":0", True),
        ("pts/0", "10.0.0.7", False),
        ("pts/1", ":0", True),
        ("pts/2", "", None),
        (None, None, True),
        (None, "10.0.0.7", False),
    ],
)
def test_the_seat_is_told_from_a_remote_login(
    terminal: str | None, remote: str | None, seated: bool | None
) -> None:
    assert seat.is_console(terminal, remote) is seated


def test_this_very_machine_can_be_read() -> None:
    readings = read_all(Host(install_id="1f" * 16))

    assert list(readings) == list(SECTIONS)
    assert [n for n, one in readings.items() if one.status in ("failed", "timeout")] == []
    for section in ("identity", "os", "processors", "adapters", "uptime"):
        assert rows(readings, section)


def test_equal_rows_have_equal_tokens_and_a_change_another() -> None:
    before = (Software("bash", "5.2"), Software("vim", "9"))

    assert token_of(before) == token_of(tuple(before))
    assert token_of(before) != token_of((Software("bash", "5.3"), Software("vim", "9")))
    assert token_of(()) != token_of(before)
