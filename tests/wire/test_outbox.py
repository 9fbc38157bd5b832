"""The outbox: order, acknowledgement, bounds, and every way its file or disk can fail."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.senders import ManualClock, event

from kiemke.wire.codec import CodecError
from kiemke.wire.outbox import Outbox, OutboxBusyError, peek
from kiemke.wire.report import Event, Rejected

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


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def open_outbox(clock: ManualClock) -> Iterator[Callable[..., Outbox]]:
    """Opens outboxes with the test's clock and closes them after it."""
    opened: list[Outbox] = []

    def opening(path: Path, **bounds: float) -> Outbox:
        opened.append(Outbox(path, clock, **bounds))
        return opened[-1]

    yield opening
    for outbox in opened:
        outbox.close()


def everything(outbox: Outbox) -> list[tuple[int, int]]:
    return [(one.stream, one.seq) for one in outbox.head(100_000, 1 << 40)]


def users(outbox: Outbox) -> list[str]:
    return [json.loads(one.body)["body"]["detail"]["user"] for one in outbox.head(1000, 1 << 30)]


def events_named_outbox(outbox: Outbox) -> list[dict[str, str]]:
    bodies = [json.loads(one.body)["body"] for one in outbox.head(100_000, 1 << 40)]
    return [body["detail"] for body in bodies if body.get("name") == "outbox"]


def test_reports_come_out_in_the_order_they_went_in(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    for name in ("an", "binh", "chi"):
        outbox.put(event(clock, name))

    assert users(outbox) == ["an", "binh", "chi"]
    assert everything(outbox) == [(outbox.stream, 1), (outbox.stream, 2), (outbox.stream, 3)]


def test_put_returns_the_report_with_its_true_number(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """The agent waits for the acknowledgement of exactly this number."""
    outbox = open_outbox(tmp_path / "o.db")

    first, second = outbox.put_many((event(clock), event(clock)))

    assert (first.stream, first.seq, second.seq) == (outbox.stream, 1, 2)


def test_a_batch_is_bounded_by_reports_and_by_bytes_but_never_empty(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """A single report above the limit must still leave, or it would block the queue for ever."""
    outbox = open_outbox(tmp_path / "o.db")
    outbox.put_many(event(clock, f"user-{n}") for n in range(10))
    size = len(outbox.head(1, 1)[0].body) + 1

    assert len(outbox.head(4, 1 << 30)) == 4
    assert len(outbox.head(100, 3 * size)) == 3
    assert len(outbox.head(100, 1)) == 1


def test_an_ack_forgets_up_to_its_number_and_leaves_other_streams(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    first = open_outbox(tmp_path / "o.db")
    first.put_many((event(clock, "an"), event(clock, "binh")))
    first.close()
    second = open_outbox(tmp_path / "o.db")
    second.put_many((event(clock, "chi"), event(clock, "dung")))

    gone = second.ack({second.stream: 1, 12345: 99})

    assert gone == 1
    assert users(second) == ["an", "binh", "dung"]


def test_each_start_begins_a_new_stream(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    first = open_outbox(tmp_path / "o.db")
    first.close()
    second = open_outbox(tmp_path / "o.db")

    assert first.stream != second.stream
    assert 0 < second.stream < 2**63


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
    sent = set(everything(outbox))
    outbox.close()
    shutil.copy(tmp_path / "snapshot", path)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"o.db{suffix}").unlink(missing_ok=True)

    outbox = open_outbox(path)
    outbox.put_many(event(clock, "after") for _ in range(5))

    fresh = [key for key in everything(outbox) if key[0] == outbox.stream]
    assert len(fresh) == 5
    assert sent.isdisjoint(fresh)


def test_a_second_process_is_told_who_has_the_outbox(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    held = open_outbox(tmp_path / "o.db")

    with pytest.raises(OutboxBusyError, match="another process is using this folder"):
        open_outbox(tmp_path / "o.db")
    held.close()
    open_outbox(tmp_path / "o.db").close()


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
    kept = everything(outbox)

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
    kept = everything(outbox)
    first_kept = kept[0][1]

    assert 10 < len(kept) < 150
    assert kept[-1] == (outbox.stream, 200)
    assert events_named_outbox(outbox) == []  # told only once the server listens

    outbox.ack({outbox.stream: first_kept})
    (told,) = events_named_outbox(outbox)
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

    assert [told["reason"] for told in events_named_outbox(outbox)] == ["full"]


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
    (told,) = events_named_outbox(outbox)
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


def test_a_value_that_cannot_travel_stores_nothing(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """A hole in the numbers would look like a lost report to the server."""
    outbox = open_outbox(tmp_path / "o.db")
    bad = event(clock)
    bad = type(bad)(**{name: getattr(bad, name) for name in bad.__slots__} | {"kind": "sample"})

    with pytest.raises(CodecError):
        outbox.put_many((event(clock), bad))
    assert everything(outbox) == []
    assert outbox.put(event(clock)).seq == 1


def test_a_rejected_report_moves_to_the_dead_table(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    outbox.put_many((event(clock, "good"), event(clock, "bad")))

    moved = outbox.reject(
        (Rejected(outbox.stream, 2, "unknown kind"), Rejected(7, 7, "never here"))
    )

    assert moved == 1
    assert users(outbox) == ["good"]
    assert outbox.counts().dead == 1


def test_the_dead_table_keeps_only_the_newest(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    outbox.put_many(event(clock) for _ in range(260))

    outbox.reject(Rejected(outbox.stream, seq, "no") for seq in range(1, 261))

    assert outbox.counts().dead == 200


def test_peek_reads_a_running_agents_outbox_without_taking_it(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    outbox.put(event(clock))

    counts = peek(tmp_path / "o.db")

    assert counts is not None
    assert counts.reports == 1
    assert peek(tmp_path / "absent.db") is None


def test_the_file_gives_its_space_back(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """A month offline must not leave a 64 MB file behind on a small disk."""
    outbox = open_outbox(tmp_path / "o.db")
    long_text = "x" * 900
    outbox.put_many(event(clock, long_text) for _ in range(6000))
    full = (tmp_path / "o.db").stat().st_size

    for upto in range(200, 6001, 200):
        outbox.ack({outbox.stream: upto})
    outbox.close()

    assert full > 4_000_000
    assert (tmp_path / "o.db").stat().st_size < full / 3


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


@pytest.mark.usefixtures("unmount")
def test_a_full_disk_loses_nothing_that_is_not_told(
    small_disk: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """Office disks fill up; the agent must go on reporting that its PC is there."""
    outbox = open_outbox(small_disk / "o.db")
    ballast = small_disk / "ballast"
    outbox.put(event(clock, "early"))
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    for n in range(600):
        outbox.put(event(clock, f"late-{n}"))
    seen_while_full = everything(outbox)

    assert outbox.unsaved > 0
    assert seen_while_full[0] == (outbox.stream, 1)
    assert seen_while_full[-1] == (outbox.stream, 601)

    outbox.ack({outbox.stream: 50})
    assert min(seq for _, seq in everything(outbox)) > 50
    ballast.unlink()
    outbox.put(event(clock, "room again"))
    assert outbox.unsaved == 0
    outbox.ack({outbox.stream: 50})
    told = events_named_outbox(outbox)
    lost = sum(int(one["reports"]) for one in told)
    kept = {seq for _, seq in everything(outbox) if seq <= 602}
    missing = set(range(51, 603)) - kept
    told_seqs = {n for one in told for n in range(int(one["first_seq"]), int(one["last_seq"]) + 1)}
    assert missing <= told_seqs
    assert lost == len(told_seqs)
    outbox.close()


def test_reports_are_encoded_once_and_stand_ready(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    stored = outbox.put(event(clock, "Nguyễn Văn Ân"))

    said = json.loads(outbox.head(1, 1 << 20)[0].body)

    assert said["kind"] == "event"
    assert said["seq"] == stored.seq
    assert isinstance(stored.body, Event)
    assert said["body"]["detail"]["user"] == "Nguyễn Văn Ân"


def test_the_file_is_for_this_account_alone(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    open_outbox(tmp_path / "o.db").put(event(clock))

    for name in ("o.db", "o.db-wal"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_a_sync_follows_every_put(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    settings = sqlite3.connect(tmp_path / "o.db")

    assert outbox._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert settings.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    settings.close()
