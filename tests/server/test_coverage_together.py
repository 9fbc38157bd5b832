"""A recount shared between two connections, when one of them fails."""

import pytest

from kiemke.server.db import UNAVAILABLE, Database
from kiemke.server.domain import coverage_facts
from kiemke.server.domain.coverage import recount_together
from tests.support.office import MOMENT_MS, TUESDAY


async def test_it_fails_with_the_databases_own_error_and_leaves_both_usable(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever tells a database that is away from a mistake knows its errors, not groups of them."""
    readings = {
        "custody": (("asset_id",), "SELECT nonsense"),
        "in_use": (("id",), "SELECT 1 AS id"),
    }
    monkeypatch.setattr(coverage_facts, "_statements", lambda dialect, blocks: readings)

    async with database.reading_together() as sessions:
        with pytest.raises(UNAVAILABLE, match="nonsense"):
            await recount_together(sessions, TUESDAY, MOMENT_MS)
    async with database.reading_together() as sessions:
        assert await sessions[1].one("SELECT 1 AS n") == {"n": 1}
