"""What the retention rules forget, and that they forget nothing else."""

from datetime import date, timedelta
from typing import Any

import pytest

from kiemke.server.daypack import Presence
from kiemke.server.db import Database, Session, as_date
from kiemke.server.domain import rules
from kiemke.server.ingest import software_rows
from kiemke.server.jobs import prune
from tests.support.reporting import NOW_MS, Sender, add_source, insert

TODAY = date(2026, 11, 22)
DAY_MS = 86_400_000


async def unguarded(session: Session) -> None:
    """Let every transaction write."""


async def prepare(database: Database) -> Sender:
    """Add the installation's row and a source."""
    async with database.transaction() as session:
        await insert(
            session,
            "installation",
            id=1,
            public_id="x",
            utc_offset_seconds=25_200,
            demo=False,
            created_at_ms=0,
        )
    return await add_source(database)


async def add_presence(database: Database, sender: Sender, days_ago: list[int]) -> None:
    async with database.transaction() as session:
        for ago in days_ago:
            await insert(
                session,
                "presence_day",
                source_id=sender.source_id,
                day=TODAY - timedelta(days=ago),
                packed=Presence().pack(),
                slots=0,
                trusted_slots=0,
                changed_at_ms=NOW_MS,
            )


async def ages(database: Database) -> list[int]:
    rows = await database.read("SELECT day FROM presence_day ORDER BY day DESC")
    return [(TODAY - as_date(r["day"])).days for r in rows]


async def test_days_older_than_the_rule_go_and_no_other(database: Database) -> None:
    sender = await prepare(database)
    await add_presence(database, sender, [0, 730, 731, 732, 900])

    gone = await prune.run(database, NOW_MS, unguarded)

    assert gone == 2
    assert await ages(database) == [0, 730, 731]


async def test_a_dated_row_changes_how_long_is_kept(database: Database) -> None:
    sender = await prepare(database)
    await add_presence(database, sender, [0, 9, 11])
    async with database.transaction() as session:
        await insert(
            session,
            "rule",
            valid_from=date(2026, 1, 1),
            recorded_at_ms=0,
            name="retention_presence_days",
            subject="",
            value_json="10",
        )

    await prune.run(database, NOW_MS, unguarded)

    assert await ages(database) == [0, 9]


async def test_one_run_deletes_only_so_much_and_the_next_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten years at once would hold up ingest."""
    monkeypatch.setattr(prune, "TURNS_A_RUN", 2)
    sender = await prepare(database)
    await add_presence(database, sender, list(range(800, 807)))

    first = await prune.run(database, NOW_MS, unguarded, rows=2)
    second = await prune.run(database, NOW_MS, unguarded, rows=2)

    assert (first, second) == (4, 3)


async def test_every_table_forgets_by_its_own_moment(database: Database) -> None:
    sender = await prepare(database)
    law = rules.shipped()
    source: dict[str, Any] = {"source_id": sender.source_id}
    rows: dict[str, dict[str, Any]] = {
        "source_stream": {"stream": "{n}", "last_seq": 1, "missing": "", "gap_reports": 0},
        "source_boot": {"boot_id": "{n}", "offset_ms": 0, "booted_at_ms": 0},
        "source_event": {"clock": "sure", "name": "boot", "detail_json": "{{}}"},
        "rejected_report": {"stream": "1", "seq": 1, "reason": "x", "report_bytes": b"x"},
    }
    columns = {table.name: (table.column, law.whole(table.rule)) for table in prune.TABLES}
    async with database.transaction() as session:
        for name, values in rows.items():
            column, days = columns[name]
            for n, at_ms in enumerate((NOW_MS - days * DAY_MS - 1, NOW_MS - days * DAY_MS)):
                filled = {k: v.format(n=n) if isinstance(v, str) else v for k, v in values.items()}
                await insert(session, name, **source, **filled, **{column: at_ms})

    gone = await prune.run(database, NOW_MS, unguarded)

    assert gone == len(rows)
    for name in rows:
        column, days = columns[name]
        left = await database.read(f"SELECT {column} AS at FROM {name}")  # noqa: S608
        assert [r["at"] for r in left] == [NOW_MS - days * DAY_MS]


async def test_of_a_source_with_streams_without_number_the_newest_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new stream with every report is no machine's doing; another source loses none."""
    monkeypatch.setitem(prune.MOST_OF_ONE, "source_stream", ("source_id", "updated_at_ms", 3))
    sender = await prepare(database)
    other = await add_source(database)
    async with database.transaction() as session:
        for who, many in ((sender, 6), (other, 3)):
            for n in range(many):
                await insert(
                    session,
                    "source_stream",
                    source_id=who.source_id,
                    stream=str(n),
                    last_seq=1,
                    missing="",
                    gap_reports=0,
                    updated_at_ms=NOW_MS + n,
                )

    await prune.run(database, NOW_MS, unguarded)
    left = await database.read("SELECT source_id, stream FROM source_stream ORDER BY id")

    assert [r["stream"] for r in left if r["source_id"] == sender.source_id] == ["3", "4", "5"]
    assert len([r for r in left if r["source_id"] == other.source_id]) == 3


async def test_a_title_that_no_source_has_any_more_leaves_the_catalogue(database: Database) -> None:
    """A source that tells of ever new programs must not fill the disk for good."""
    sender = await prepare(database)
    async with database.transaction() as session:
        for names in (["a", "b"], ["b", "c"]):
            rows = [{"name": name} for name in names]
            await software_rows.save(session, {sender.source_id: rows})

    await prune.run(database, NOW_MS, unguarded)
    left = await database.read("SELECT name FROM software_title ORDER BY name")

    assert [row["name"] for row in left] == ["b", "c"]


async def test_a_leader_that_was_deposed_deletes_nothing(database: Database) -> None:
    sender = await prepare(database)
    await add_presence(database, sender, [900])

    async def deposed(session: Session) -> None:
        raise RuntimeError("another leads")

    with pytest.raises(RuntimeError):
        await prune.run(database, NOW_MS, deposed)

    assert await ages(database) == [900]
