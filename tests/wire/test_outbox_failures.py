"""The outbox when its process is killed, its disk fills or rolls back, its file breaks or is full."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiemke.wire.outbox import Outbox
from tests.support.senders import ManualClock, event, losses_told, numbers, users

# Fills an outbox until it is killed; prints each report's seq only after `put` returned.
FILLER = """
import sys
from pathlib import Path
from kiemke.wire.outbox import Outbox
from tests.support.senders import ManualClock, event
clock = ManualClock()
outbox = Outbox(Path(sys.argv[1]), clock)
while True:
    report = outbox.put(event(clock))
    print(report.stream, report.seq, flush=True)
"""
ROOT = Path(__file__).resolve().parents[2]


def test_a_rolled_back_disk_never_gives_a_new_report_an_old_number(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """Deep Freeze and VM snapshots: with one plain sequence the server would drop new reports as
    repeats."""
    path = tmp_path / "o.db"
    outbox = open_outbox(path)
    outbox.put(event(clock, "before"))
    outbox.close()
    shutil.copy(path, tmp_path / "snapshot")
    outbox = open_outbox(path)
    outbox.put_many(event(clock, "lost-by-rollback") for _ in range(5))
    sent = set(numbers(outbox))
    outbox.close()
    shutil.copy(tmp_path / "snapshot", path)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"o.db{suffix}").unlink(missing_ok=True)

    outbox = open_outbox(path)
    outbox.put_many(event(clock, "after") for _ in range(5))

    fresh = [key for key in numbers(outbox) if key[0] == outbox.stream]
    assert len(fresh) == 5
    assert sent.isdisjoint(fresh)


def test_every_put_that_returned_survives_kill_9(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """Power cuts come without a goodbye; what was promised must be on the disk, once."""
    path = tmp_path / "o.db"
    promised: list[tuple[int, int]] = []
    for rounds in (40, 90, 150):
        child = subprocess.Popen(
            [sys.executable, "-c", FILLER, str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(rounds)]
        os.kill(child.pid, signal.SIGKILL)
        lines += child.stdout.readlines()
        child.stdout.close()
        child.wait()
        whole = [line.split() for line in lines if line.endswith("\n")]
        promised += [(int(stream), int(seq)) for stream, seq in whole]

    outbox = open_outbox(path)
    kept = numbers(outbox)

    assert len(promised) >= 280
    assert len(kept) == len(set(kept))
    assert set(promised) <= set(kept)
    assert len(kept) <= len(promised) + 3  # at most the one put in flight at each kill


def test_a_full_outbox_drops_the_oldest_and_tells_which(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db", max_mb=0.02)
    for n in range(200):
        outbox.put(event(clock, f"user-{n}"))
    kept = numbers(outbox)
    first_kept = kept[0][1]

    assert 10 < len(kept) < 150
    assert kept[-1] == (outbox.stream, 200)
    assert losses_told(outbox) == []  # told only once the server listens

    outbox.ack({outbox.stream: first_kept})
    (told,) = losses_told(outbox)
    assert told["reason"] == "full"
    assert told["stream"] == str(outbox.stream)
    assert (told["first_seq"], told["last_seq"]) == ("1", str(first_kept - 1))
    assert told["reports"] == str(first_kept - 1)


def test_a_loss_noted_before_a_restart_is_told_after_it(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db", max_mb=0.002)
    for _ in range(50):
        outbox.put(event(clock))
    outbox.close()
    outbox = open_outbox(tmp_path / "o.db")

    outbox.ack({})

    assert [told["reason"] for told in losses_told(outbox)] == ["full"]


@pytest.mark.parametrize("damage", [b"this is no database" * 100, None])
def test_a_broken_file_is_kept_aside_and_told(
    tmp_path: Path, clock: ManualClock, damage: bytes | None, open_outbox: Callable[..., Outbox]
) -> None:
    """A PC that lost power for years has such files; the agent must go on by itself."""
    path = tmp_path / "o.db"
    outbox = open_outbox(path)
    outbox.put_many(event(clock) for _ in range(500))
    outbox.close()
    data = bytearray(path.read_bytes())
    if damage is None:
        for page in range(1, len(data) // 4096):  # every page but the first
            data[page * 4096 : page * 4096 + 600] = b"\xa5" * 600
        damage = bytes(data)
    path.write_bytes(damage)

    outbox = open_outbox(path)
    outbox.put(event(clock, "afterwards"))
    outbox.ack({})

    (aside,) = (p for p in tmp_path.glob("o.db.broken-*") if p.suffix[-4:] not in ("-wal", "-shm"))
    assert aside.read_bytes() == damage
    (told,) = losses_told(outbox)
    assert told["reason"] == "broken"
    assert aside.name in told["detail"]
    assert outbox.counts().reports == 2


def test_a_file_that_breaks_while_in_use_is_replaced(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    path = tmp_path / "o.db"
    outbox = open_outbox(path)
    outbox.put_many(event(clock) for _ in range(500))
    outbox._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    outbox._db.execute("PRAGMA cache_size = 0")
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 600)

    list(outbox.head(1000, 1 << 30))
    outbox.put(event(clock, "afterwards"))

    assert users(outbox) == ["afterwards"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A volume of one megabyte."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root: run this test as root")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    return folder


@pytest.fixture
def unmount(small_disk: Path) -> Iterator[None]:
    yield None
    subprocess.run(["umount", "-l", str(small_disk)], check=True)


def fill(folder: Path) -> Path:
    """Fill the volume to its last block; return the file to delete for room again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return ballast


@pytest.mark.usefixtures("unmount")
def test_a_disk_that_is_full_at_the_start_is_waited_for_in_memory(
    small_disk: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """A PC whose disk is full is used all the same, and its hours count."""
    first = open_outbox(small_disk / "o.db")
    first.put(event(clock, "before"))
    first.close()
    ballast = fill(small_disk)

    outbox = open_outbox(small_disk / "o.db")
    outbox.put_many(event(clock, f"late-{n}") for n in range(3))
    assert outbox.unsaved == 3
    assert [seq for _, seq in numbers(outbox)] == [1, 2, 3]
    assert outbox.ack({outbox.stream: 1}) == 1

    ballast.unlink()
    outbox.put(event(clock, "room again"))
    assert outbox.unsaved == 0
    outbox.close()
    again = open_outbox(small_disk / "o.db")
    assert sorted(users(again)) == ["before", "late-1", "late-2", "room again"]


@pytest.mark.usefixtures("unmount")
def test_a_first_start_on_a_full_disk_works_too(
    small_disk: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    ballast = fill(small_disk)
    outbox = open_outbox(small_disk / "o.db")
    outbox.put(event(clock, "late"))
    assert (outbox.unsaved, outbox.counts().reports) == (1, 1)

    ballast.unlink()
    outbox.put(event(clock, "room again"))
    outbox.close()
    assert users(open_outbox(small_disk / "o.db")) == ["late", "room again"]


@pytest.mark.usefixtures("unmount")
def test_a_full_disk_loses_nothing_that_is_not_told(
    small_disk: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """Office disks fill up; the agent must go on reporting that its PC is there."""
    outbox = open_outbox(small_disk / "o.db")
    outbox.put(event(clock, "early"))
    ballast = fill(small_disk)
    for n in range(600):
        outbox.put(event(clock, f"late-{n}"))
    seen_while_full = numbers(outbox)

    assert outbox.unsaved > 0
    assert seen_while_full[0] == (outbox.stream, 1)
    assert seen_while_full[-1] == (outbox.stream, 601)

    outbox.ack({outbox.stream: 50})
    assert min(seq for _, seq in numbers(outbox)) > 50
    ballast.unlink()
    outbox.put(event(clock, "room again"))
    assert outbox.unsaved == 0
    outbox.ack({outbox.stream: 50})
    told = losses_told(outbox)
    lost = sum(int(one["reports"]) for one in told)
    kept = {seq for _, seq in numbers(outbox) if seq <= 602}
    missing = set(range(51, 603)) - kept
    told_seqs = {n for one in told for n in range(int(one["first_seq"]), int(one["last_seq"]) + 1)}
    assert missing <= told_seqs
    assert lost == len(told_seqs)
    outbox.close()
