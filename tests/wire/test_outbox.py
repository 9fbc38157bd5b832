"""The outbox: order, acknowledgement, bounds, and what is set aside."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from kiemke.wire.codec import CodecError
from kiemke.wire.outbox import Outbox, OutboxBusyError, peek
from kiemke.wire.report import Event, Rejected
from tests.support.senders import ManualClock, event, numbers, users


def test_reports_come_out_in_the_order_they_went_in(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    for name in ("an", "binh", "chi"):
        outbox.put(event(clock, name))

    assert users(outbox) == ["an", "binh", "chi"]
    assert numbers(outbox) == [(outbox.stream, 1), (outbox.stream, 2), (outbox.stream, 3)]


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


def test_a_second_process_is_told_who_has_the_outbox(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    held = open_outbox(tmp_path / "o.db")

    with pytest.raises(OutboxBusyError, match="another process is using this folder"):
        open_outbox(tmp_path / "o.db")
    held.close()
    open_outbox(tmp_path / "o.db").close()


def test_a_value_that_cannot_travel_stores_nothing(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    """A hole in the numbers would look like a lost report to the server."""
    outbox = open_outbox(tmp_path / "o.db")
    bad = event(clock)
    bad = type(bad)(**{name: getattr(bad, name) for name in bad.__slots__} | {"kind": "sample"})

    with pytest.raises(CodecError):
        outbox.put_many((event(clock), bad))
    assert numbers(outbox) == []
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


def test_a_sync_follows_every_put_but_those_not_forced(
    tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]
) -> None:
    outbox = open_outbox(tmp_path / "o.db")
    settings = sqlite3.connect(tmp_path / "o.db")
    said: list[str] = []
    outbox._db.set_trace_callback(said.append)
    outbox.put(event(clock), forced=False)
    outbox.ack({outbox.stream: 1})
    relaxed = [words for words in said if words.startswith(("PRAGMA synchronous", "COMMIT"))]
    outbox._db.set_trace_callback(None)
    outbox.put(event(clock))

    turn = ["PRAGMA synchronous = NORMAL", "COMMIT", "PRAGMA synchronous = FULL"]
    assert relaxed == turn * 2
    assert outbox._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert settings.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    settings.close()
