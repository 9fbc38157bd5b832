"""Taking the inventory: what travels when, and sensors that hang, die, talk nonsense or are shut out."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiemke.agent import inventory
from kiemke.agent.host import Host
from kiemke.agent.sensors import Sensor
from kiemke.agent.sensors.reading import Reading, read_one
from kiemke.wire.report import Section

SMALL = (Sensor("identity", ("identity",)), Sensor("uptime", ("uptime",)))
UNWELL = (Sensor("monitors", ("monitors",)), *SMALL)

# The true child, in which one sensor behaves as the test says.
CHILD = """
import os, sys, time
from kiemke.agent.sensors import monitors
def read(host):
    {deed}
monitors.read = read
from kiemke.agent.commands import sense
sys.exit(sense.run())
"""


def child(deed: str) -> list[str]:
    return [sys.executable, "-c", CHILD.format(deed=deed)]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("btime 1767225600\n")
    return Host(root=tmp_path, install_id="1f" * 16)


def test_the_first_inventory_carries_rows_and_the_next_only_tokens(host: Host) -> None:
    """737 packages are 120 kB; on a thin line they must travel only when they changed."""
    first, tokens = inventory.take(host, {}, sensors=SMALL)
    second, again = inventory.take(host, tokens, sensors=SMALL)

    assert [one.rows is not None for one in first.sections.values()] == [True, True]
    assert [one.rows for one in second.sections.values()] == [None, None]
    assert again == tokens
    assert {name: one.token for name, one in second.sections.items()} == tokens


def test_what_the_server_needs_travels_whole(host: Host) -> None:
    _, tokens = inventory.take(host, {}, sensors=SMALL)
    needed, _ = inventory.take(host, tokens, {"uptime"}, sensors=SMALL)

    assert needed.sections["uptime"].rows
    assert needed.sections["identity"].rows is None


def test_only_what_changed_travels(host: Host) -> None:
    _, tokens = inventory.take(host, {}, sensors=SMALL)
    host.path("proc/stat").write_text("btime 1767300000\n")
    changed, now = inventory.take(host, tokens, sensors=SMALL)

    assert [name for name, one in changed.sections.items() if one.rows] == ["uptime"]
    assert now["uptime"] != tokens["uptime"]


def test_a_sensor_that_hangs_spoils_only_its_own_section(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WMI hangs on one PC in fifty; the other sections must still come."""
    run_child = inventory._run_child

    def run(command: list[str], request: str, deadline_seconds: float) -> tuple[str, bool]:
        # The child that asks the others has all the time it needs on a slow machine.
        return run_child(command, request, deadline_seconds if '"monitors"' in request else 120.0)

    monkeypatch.setattr(inventory, "_run_child", run)
    taken, tokens = inventory.take(
        host, {}, sensors=UNWELL, command=child("time.sleep(600)"), deadline_seconds=1.0
    )

    assert taken.sections["monitors"] == Section("timeout", detail="no answer within 1 s")
    assert set(tokens) == {"identity", "uptime"}


def test_a_sensor_that_takes_its_process_down_spoils_only_its_own_section(host: Host) -> None:
    taken, tokens = inventory.take(host, {}, sensors=UNWELL, command=child("os.abort()"))

    assert taken.sections["monitors"].status == "failed"
    assert set(tokens) == {"identity", "uptime"}


def test_a_sensor_that_eats_memory_is_stopped(host: Host) -> None:
    taken, tokens = inventory.take(
        host, {}, sensors=UNWELL, command=child("return {'monitors': (bytearray(4 << 30),)}")
    )

    assert taken.sections["monitors"].status == "failed"
    assert "MemoryError" in (taken.sections["monitors"].detail or "")
    assert set(tokens) == {"identity", "uptime"}


@pytest.mark.parametrize(
    "command", [["/does/not/exist"], [sys.executable, "-c", "print('nonsense')"]]
)
def test_without_a_child_every_section_says_so(host: Host, command: list[str]) -> None:
    taken, tokens = inventory.take(host, {}, sensors=UNWELL, command=command)

    assert {one.status for one in taken.sections.values()} == {"failed"}
    assert list(taken.sections) == ["identity", "monitors", "uptime"]
    assert tokens == {}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PermissionError(13, "Permission denied"), "denied"),
        (FileNotFoundError(2, "No such file"), "absent"),
        (OSError(5, "Input/output error"), "failed"),
        (TypeError("a bug"), "failed"),
    ],
)
def test_a_failure_is_data(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    from kiemke.agent.sensors import monitors

    def read(_: Host) -> dict[str, tuple[object, ...]]:
        raise error

    monkeypatch.setattr(monitors, "read", read)
    reading = read_one(host, UNWELL[0])["monitors"]

    assert (reading.status, reading.rows) == (status, None)
    assert str(error) in (reading.detail or "")


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A recorded machine's folder, seen by an account that is not root."""
    folder = Path(tempfile.mkdtemp(prefix="kiemke-machine-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_tables_for_root_alone_are_denied(unprivileged: Path) -> None:
    tables = unprivileged / "sys/firmware/dmi/tables"
    tables.mkdir(parents=True)
    for name in ("DMI", "smbios_entry_point"):
        (tables / name).write_bytes(b"x")
        (tables / name).chmod(0)
    host = Host(root=unprivileged)
    sensor = Sensor("smbios", ("system", "processors"))

    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # nobody
    try:
        readings = read_one(host, sensor)
    finally:
        if me == 0:
            os.seteuid(me)

    assert {one.status for one in readings.values()} == {"denied"}


def test_a_reading_of_nothing_is_not_a_reading_of_no_rows(host: Host) -> None:
    """A PC without a monitor is a fact; a PC whose graphics we cannot see is not."""
    host.path("sys/class/drm").mkdir(parents=True)
    sensor = Sensor("monitors", ("monitors",))

    assert read_one(host, sensor) == {"monitors": Reading("ok", ())}
