"""The demo's one-stop desks: what the server says of them is what the generator planted."""

from pathlib import Path

from bench.desks import CHECKLIST, compare_desks, place_of, true_lines, units_with_desks
from bench.papers import write_papers
from bench.thanh_giang import make_district
from kiemke.server import audit
from kiemke.server.imports.run import run_import
from tests.support.api import running_api
from tests.support.database import fresh_url
from tests.support.imports import NOW_MS


def test_six_of_twenty_one_communes_have_no_kiosk_and_nothing_else_is_wanting() -> None:
    true = true_lines(make_district())
    lacking = [item for (_, item), (_, lack) in true.items() if lack]

    assert len(true) == 21 * len(CHECKLIST)
    assert lacking == ["kiosk"] * 6


async def test_the_server_tells_what_was_planted(tmp_path: Path) -> None:
    district = make_district(communes=2)
    papers = write_papers(district, tmp_path / "papers", ("units", "officials", "assets"))
    async with fresh_url("sqlite", tmp_path, None) as url, running_api(url, tmp_path) as api:
        for template, file in papers.items():
            said = await run_import(
                api.services.db, template, file.read_bytes(), file.name, apply=True, who="bench",
                now_ms=NOW_MS, audit=audit.record,
            )  # fmt: skip
            assert said.applied, said.errors
        async with await api.signed_in("admin") as client:
            for unit in units_with_desks(district):
                made = await client.post("/api/v1/places?apply=true", json=place_of(unit))
                assert made.json()["applied"]
            rows = (await client.get("/api/v1/desks?limit=1000")).json()["items"]

    found = compare_desks(district, rows)
    assert found.problems == []
    assert (found.desks, found.complete) == (2, 2)
    assert compare_desks(district, rows[1:]).problems  # a line that is missing is told
