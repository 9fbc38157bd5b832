"""A PC's clock beside the server's: shown with its source, a finding when it is off."""

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain import clocks_now
from kiemke.server.domain.clocks_now import offset_of, span_of
from tests.support.office import MOMENT_MS, Office

DAY_MS = 86_400_000


async def unguarded(session: Session) -> None:
    """Hold no lease."""


async def say(database: Database, source: int, offset: float | None) -> None:
    """Let a source's last sample tell its clock's offset."""
    told = "" if offset is None else f'"clock_offset_seconds":{offset},'
    async with database.transaction() as session:
        await session.execute(
            "UPDATE source_now SET last_sample_json = :sample WHERE source_id = :id",
            sample=f'{{{told}"at_ms":1}}',
            id=source,
        )


async def test_a_clock_that_is_off_is_a_finding_until_it_is_right_again(database: Database) -> None:
    office = Office()
    office.add_installation()
    unit = office.add_unit(name="Văn phòng")
    sources = [office.add_source(unit, heard_ms=MOMENT_MS) for _ in range(4)]
    async with database.transaction() as session:
        await office.write(session)
    for source, offset in zip(sources, (7_500.0, -301.0, 299.0, None), strict=True):
        await say(database, source, offset)

    opened = await clocks_now.run(database, MOMENT_MS, unguarded)
    again = await clocks_now.run(database, MOMENT_MS, unguarded)
    found = await database.read("SELECT subject, detail, unit_id FROM finding ORDER BY id")
    await say(database, sources[0], 0.4)
    await clocks_now.run(database, MOMENT_MS, unguarded)
    left = await database.read("SELECT subject FROM finding WHERE closed_at_ms IS NULL")
    await clocks_now.run(database, MOMENT_MS + 15 * DAY_MS, unguarded)
    later = await database.read("SELECT id FROM finding WHERE closed_at_ms IS NULL")

    assert (opened, again, later) == (2, 0, [])
    assert [row["subject"] for row in found] == ["source:s1", "source:s2"]
    assert "-2 h 5 min | w32tm /resync" in found[0]["detail"], "behind the server's"
    assert "+5 min 1 s" in found[1]["detail"]
    assert {row["unit_id"] for row in found} == {unit}
    assert [row["subject"] for row in left] == ["source:s2"]


@pytest.mark.parametrize(
    ("sample", "offset"),
    [
        (None, None),
        ("{}", None),
        ('{"clock_offset_seconds":-1e-05,"a":1}', -1e-05),
        ('{"clock_offset_seconds":536457600.0}', 536457600.0),
    ],
)
def test_the_offset_is_read_from_a_stored_sample(sample: str | None, offset: float | None) -> None:
    assert offset_of(sample) == offset


def test_a_span_is_told_by_its_two_largest_steps() -> None:
    assert span_of(536_457_600.0) == "6209 d"
    assert span_of(-90_061) == "1 d 1 h"
    assert span_of(59.6) == "1 min"
