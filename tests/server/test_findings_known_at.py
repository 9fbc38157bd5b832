"""Findings are those that were open at the moment asked for."""

from pathlib import Path

from tests.support.api import running_api
from tests.support.office import MOMENT_MS
from tests.support.reporting import insert

HOUR_MS = 3_600_000


async def test_findings_are_those_open_at_the_moment(database_url: str, tmp_path: Path) -> None:
    async with running_api(database_url, tmp_path) as api:
        async with api.services.db.transaction() as session:
            for number, (opened, closed) in enumerate(((-4, None), (-4, -1), (-2, None))):
                await insert(
                    session, "finding", kind="clone", subject=f"source:{number}", detail="x",
                    opened_at_ms=MOMENT_MS + opened * HOUR_MS, updated_at_ms=MOMENT_MS,
                    closed_at_ms=None if closed is None else MOMENT_MS + closed * HOUR_MS,
                )  # fmt: skip
        shown = {}
        async with await api.signed_in("auditor") as client:
            for hours in (0, -3, -5):
                known = (MOMENT_MS + hours * HOUR_MS) // 1000
                answer = (await client.get(f"/api/v1/findings?known_at={known}")).json()
                shown[hours] = sorted(row["subject"] for row in answer["items"])

    assert shown == {0: ["source:0", "source:2"], -3: ["source:0", "source:1"], -5: []}
