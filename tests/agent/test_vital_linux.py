"""The running agent's own reading of Linux, held against psutil's on this very machine."""

import struct
import sys
from pathlib import Path

import psutil
import pytest

if sys.platform != "linux":
    pytest.skip("these read the files of a Linux kernel", allow_module_level=True)

from kiemke.agent.sensors import vital_linux, vital_psutil
from kiemke.agent.sensors.vital import LinkState, Login, Octets, VitalsError

MEMORY_SLACK_BYTES = 64 << 20  # what other processes may take between two readings


def test_load_is_what_psutil_says() -> None:
    mine, theirs = vital_linux.read_cpu(), vital_psutil.read_cpu()

    assert theirs.total_seconds - mine.total_seconds == pytest.approx(0, abs=2)
    assert theirs.busy_seconds - mine.busy_seconds == pytest.approx(0, abs=2)


def test_memory_is_what_psutil_says() -> None:
    (used, total), (their_used, their_total) = vital_linux.read_memory(), vital_psutil.read_memory()

    assert total == their_total
    assert used == pytest.approx(their_used, abs=MEMORY_SLACK_BYTES)


def test_links_and_counters_are_of_the_same_adapters() -> None:
    assert vital_linux.read_links() == vital_psutil.read_links()
    before, theirs, after = (
        vital_linux.read_octets(), vital_psutil.read_octets(), vital_linux.read_octets(),
    )  # fmt: skip
    assert before.keys() == theirs.keys()
    for name, one in theirs.items():
        assert before[name].received <= one.received <= after[name].received
        assert before[name].sent <= one.sent <= after[name].sent


def test_own_cost_is_what_psutil_says() -> None:
    cpu_seconds, rss_bytes = vital_linux.read_own_cost()
    process = psutil.Process()

    assert rss_bytes == pytest.approx(process.memory_info().rss, rel=0.05)
    assert cpu_seconds == pytest.approx(sum(process.cpu_times()[:2]), abs=1)


def test_guest_time_is_not_counted_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """proc(5): user time holds it already; a host of virtual machines would look busier than it is."""
    (tmp_path / "stat").write_text("cpu  600 0 100 200 100 0 0 0 500 0\ncpu0 1 2 3\n")
    monkeypatch.setattr(vital_linux, "PROC", tmp_path)
    cpu = vital_linux.read_cpu()

    assert cpu.busy_seconds / cpu.total_seconds == pytest.approx(0.7)


def test_what_the_kernel_does_not_say_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vital_linux, "PROC", tmp_path)
    readings = (vital_linux.read_cpu, vital_linux.read_memory, vital_linux.read_octets)
    for reading in (*readings, vital_linux.read_own_cost):
        with pytest.raises(VitalsError, match=str(tmp_path)):
            reading()


def test_links_of_a_recorded_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "eth0": {"type": "1", "carrier": "1", "speed": "1000", "duplex": "full"},
        "eth1": {"type": "1", "carrier": "0", "speed": "-1", "duplex": "unknown"},
        "wlan0": {"type": "1", "carrier": "1"},
        "lo": {"type": "772", "carrier": "1"},
    }
    for name, values in files.items():
        (tmp_path / name).mkdir()
        for file, text in values.items():
            (tmp_path / name / file).write_text(text + "\n")
    (tmp_path / "bonding_masters").write_text("")
    monkeypatch.setattr(vital_linux, "NET", tmp_path)

    assert vital_linux.read_links() == {
        "eth0": LinkState(True, 1000, "full"),
        "eth1": LinkState(False, None, None),
        "wlan0": LinkState(True, None, None),
    }


def test_counters_of_a_recorded_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large counter stands against its colon, without a blank."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "dev").write_text(
        "Inter-|   Receive  |  Transmit\n face |bytes packets\n"
        "    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n"
        "  eth0:18446744073709551615 1 0 0 0 0 0 0 77 1 0 0 0 0 0 0\n"
        "eth0:1: 8 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n"
    )
    monkeypatch.setattr(vital_linux, "PROC", tmp_path)

    assert vital_linux.read_octets() == {"eth0": Octets(2**64 - 1, 77), "eth0:1": Octets(8, 9)}


def record(shape: struct.Struct, kind: int, line: str, user: str, host: str, when: int) -> bytes:
    return shape.pack(
        kind, 42, line.encode(), b"1", user.encode(), host.encode(), 0, 0, 0, when, 0, b"", b""
    )


def test_a_login_record_has_the_size_that_utmp_gives_it() -> None:
    """utmp(5): 384 bytes where 32-bit programs share the file, 400 elsewhere."""
    assert vital_linux.LOGIN_RECORD.size == 384
    assert vital_linux.WIDE_LOGIN_RECORD.size == 400


@pytest.mark.parametrize("shape", [vital_linux.LOGIN_RECORD, vital_linux.WIDE_LOGIN_RECORD])
def test_logins_are_the_user_processes_of_the_file(shape: struct.Struct) -> None:
    data = (
        record(shape, 2, "~", "reboot", "6.1.0", 1)
        + record(shape, 7, "tty2", "nguyễn.lan", "", 1_795_000_000)
        + record(shape, 8, "pts/0", "gone", "", 5)
        + record(shape, 7, "pts/1", "minh", "10.0.0.9", 1_795_000_100)
        + b"\0" * 100
    )

    assert vital_linux.parse_logins(data, shape) == [
        Login("nguyễn.lan", "tty2", None, 1_795_000_000.0),
        Login("minh", "pts/1", "10.0.0.9", 1_795_000_100.0),
    ]


def test_where_utmp_is_kept_no_more_logind_says_who_sits_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 13 writes none: every PC with it would look empty."""
    common = "UID=1000\nACTIVE=1\nREALTIME=1795000000000000\n"
    (tmp_path / "2").write_text(
        common + "USER=lan\nCLASS=user\nREMOTE=0\nTTY=tty2\nSEAT=seat0\nTYPE=wayland\n"
    )
    (tmp_path / "3").write_text(common + "USER=minh\nCLASS=user\nREMOTE=1\nREMOTE_HOST=10.0.0.9\n")
    (tmp_path / "c1").write_text(common + "USER=gdm\nCLASS=greeter\nREMOTE=0\nTTY=tty1\n")
    (tmp_path / "4").write_text("half a li")
    monkeypatch.setattr(vital_linux, "LOGINS", tmp_path / "utmp")
    monkeypatch.setattr(vital_linux, "SEATS", tmp_path)

    assert vital_linux.read_logins() == [
        Login("lan", "tty2", None, 1_795_000_000.0),
        Login("minh", None, "10.0.0.9", 1_795_000_000.0),
    ]
