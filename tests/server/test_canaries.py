"""Nothing outside a user's reach can be told by any answer: not its text, not that it exists.

Every route of the running app is asked twice by the same scoped user: where other units have a row in
every table, and where they have none. See tests/support/canaries.py for what to name when a route or
a table is added.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kiemke.server.auth import walk_access
from kiemke.server.db import Session
from kiemke.server.domain import coverage
from kiemke.server.exports.run import FORMATS
from kiemke.server.imports.templates import TEMPLATES
from kiemke.server.reports import REPORTS
from tests.support import canaries
from tests.support.api import Api, running_api
from tests.support.database import fresh_url
from tests.support.office import MOMENT_MS, Office

PAST = ("as_of=2025-06-01", "known_at=2021-01-01T00:00:00Z")
_AS_WRITTEN = "/?&=:,+@"
Answers = dict[str, tuple[int, str]]


def make_inside() -> Office:
    """Return a district (U1) and the user's unit (U2) with one of everything that shows in lists."""
    office = Office()
    district = office.add_unit(name="Huyện Thanh Giang")
    unit = office.add_unit(district, name="Văn phòng")
    official = office.add_official(unit)
    office.add_verified_pc(unit, official)
    collector = office.add_source(unit, kind="collector")
    for n, mac in enumerate(canaries.MACS, 1):
        office.add(
            "lan_host", unit_id=unit, source_id=collector, address=f"192.0.2.{90 + n}", mac=mac,
            signs="tcp", open_ports="", first_seen_ms=1, last_seen_ms=MOMENT_MS, recorded_at_ms=1,
        )  # fmt: skip
    office.add(
        "device", code="SW-01", name="Switch", search_key="switch", kind="switch", unit_id=unit,
        asset_id=None, collector_id=None, address="192.0.2.1", port=161, credential=None,
        created_at_ms=1, retired_at_ms=None,
    )  # fmt: skip
    link = office.add("link", code="DT-01", created_at_ms=1)
    office.add_dated(
        "link_version", link_id=link, unit_id=unit, device_id=1, interface_name="e1", name="D",
        kind="internet", provider=None, contract_number=None, price_dong=None, payer=None,
        down_bits_per_second=1, up_bits_per_second=1,
    )  # fmt: skip
    return office


def read_requests(api: Api, outside: list[str]) -> list[str]:
    """Return the address of every reading request there is to try."""
    asked = []
    for (method, path), access in walk_access(api.app.routes).items():
        if method != "GET" or (method, path) in canaries.OPEN_ROUTES or access == "source":
            continue
        if path == "/api/v1/exports/{name}":
            bases = [f"/api/v1/exports/{r}.{f}" for r in REPORTS for f in FORMATS]
        elif path == "/api/v1/templates/{name}":
            bases = [f"/api/v1/templates/{name}?format=csv" for name in TEMPLATES]
        elif "{" in path:
            inside = ("1", "2", "U2", "P1", "A1", "SW-01", "DT-01", "s1")
            start, _, rest = path.partition("{")
            end = rest.partition("}")[2]
            bases = [f"{start}{ref}{end}" for ref in (*inside, *outside)]
        else:
            bases = [path]
        asked += bases
        if "{" not in path or "exports" in path:
            extra = [*PAST, "limit=1", "q=canary", "unit=U2", f"unit={canaries.OUTSIDE_ID}"]
            extra += [f"unit={ref}" for ref in outside if "unit_version" in ref]
            extra += [f"q={ref}" for ref in outside[:6]]
            extra += [f"{name}={value}" for name, value in own_parameters(api, path, outside)]
            asked += [f"{base}?{query}" for base in bases[:1] for query in extra]
    return asked


def own_parameters(api: Api, path: str, outside: list[str]) -> list[tuple[str, str]]:
    """Return values for the query parameters that only this route has, from the API's document."""
    item = (api.app.openapi_schema.paths or {}).get(path)
    found = []
    for parameter in (item.get.parameters or []) if item and item.get else []:
        name = getattr(parameter, "name", "")
        common = ("as_of", "known_at", "q", "unit", "limit", "after", "ref", "name")
        if getattr(parameter, "param_in", "") == "query" and name not in common:
            found += [(name, value) for value in ("true", "1", "2025", outside[0], outside[1])]
    return found


async def ask_everything(api: Api, planted: dict[str, Any], token: str, scrape: str) -> Answers:
    """Return every answer a scoped user gets, by what was asked."""
    answers: Answers = {}
    hidden = [token.split("_")[1], scrape.split("_")[1]]

    async def ask(who: str, method: str, path: str, body: Any = None) -> None:
        status, media, content = await api.ask(who, method, quote(path, safe=_AS_WRITTEN), body)
        text = canaries.readable(content, media)
        for secret in hidden:
            text = text.replace(secret, "TOKEN")
        assert status != 500, (method, path, body, text)
        answers[f"{method} {path} {json.dumps(body)}"] = (status, text)

    outside = canaries.names_of(planted)
    if api.services.db.dialect == "postgres":
        outside = outside[:6]  # the rest is the same SQL, tried on SQLite
    for path in ("/metrics", "/metrics/fleet"):
        await ask(scrape, "GET", path)
    for path in read_requests(api, outside):
        await ask(token, "GET", path)
    for (method, path), bodies in canaries.CHANGES.items():
        refs = outside if "{" in path else [""]
        start, _, rest = path.partition("{")
        for ref in refs:
            address = f"{start}{ref}{rest.partition('}')[2]}"
            for body in bodies:
                query = "?apply=true&template=assets"
                await ask(token, method, address + query, canaries.fill(body, planted))
    return answers


async def test_no_answer_tells_what_lies_outside(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    admin = request.getfixturevalue("postgres_url") if dialect == "postgres" else None
    async with fresh_url(dialect, tmp_path, admin) as url, running_api(url, tmp_path / "a") as api:
        tokens = await _write_inside(api)
        async with api.services.db.transaction() as session:
            planted = await canaries.plant(session)
        before = await _snapshot(api, planted)
        with_them = await ask_everything(api, planted, *tokens)
        after = await _snapshot(api, planted)
        async with await api.signed_in("admin") as free:
            lists = [path for path in read_requests(api, ["x", "y"]) if "?" not in path]
            lists += ["/api/v1/audit?limit=1000"]  # many were written since
            shown = "".join([(await free.get(path)).text for path in lists])
    async with fresh_url(dialect, tmp_path, admin) as url, running_api(url, tmp_path / "b") as api:
        without = await ask_everything(api, planted, *await _write_inside(api))

    different = [
        (asked, with_them[asked], answer)
        for asked, answer in without.items()
        if with_them.get(asked) != answer
    ]
    told = "\n".join(f"{asked}\n  with {a}\n  without {b}" for asked, a, b in different[:40])
    assert not different, told
    assert with_them.keys() == without.keys()
    assert before == after
    # The canaries are alive: who may see everything sees them in every kind of list.
    seen = {table for table in planted if f"CANARY-{table}-" in shown}
    assert seen >= {"unit_version", "official", "asset", "device", "link", "source", "user_grant",
                    "approval", "finding", "import_run", "app_user", "audit_entry"}  # fmt: skip


async def _write_inside(api: Api) -> tuple[str, str]:
    """Write what is within reach; return the user's token and that of its scrapes."""

    async def unguarded(session: Session) -> None:
        """Let it write: no other leader is about."""

    await api.write(make_inside())
    await coverage.refresh_now(api.services.db, api.clock(), unguarded)
    await api.add_user("beside", "viewer", 2)
    token = await api.token("admin", unit_id=2, name="local", kind="session")
    return token, await api.token("viewer", unit_id=2, name="prometheus", kind="scrape")


async def _snapshot(api: Api, planted: dict[str, Any]) -> dict[str, Any]:
    async with api.services.db.reading() as session:
        return await canaries.snapshot(session, planted)


async def test_every_route_that_changes_something_is_tried(
    database_url: str, tmp_path: Path
) -> None:
    """Name a new one in tests/support/canaries.py: in CHANGES, or in OPEN_ROUTES with the reason."""
    async with running_api(database_url, tmp_path) as api:
        routes = walk_access(api.app.routes)
    changing = {route for route in routes if route[0] != "GET"}

    assert changing - canaries.CHANGES.keys() - canaries.OPEN_ROUTES.keys() == set()
    assert canaries.CHANGES.keys() - changing == set()
