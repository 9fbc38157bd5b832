"""Who may use which route: the table of docs/api.md is the law, and every route is tried by all."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from litestar import get

from kiemke.server.auth import ROLES, RouteWithoutRole, walk_access
from tests.support.api import Api, make_office, running_api

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
METHODS = ("GET", "POST", "PATCH", "DELETE")
ACCESS_OF_WORDS = {
    "-": "public",
    "a source": "source",
    "a collector": "source",
    "an agent": "source",
    "admin of all units": "admin",
    "scrape token": "scrape",
    "any (own), admin (all)": "any",
}
RAW = {"/api/v1/reports", "/metrics", "/metrics/fleet"}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


def read_document() -> dict[tuple[str, str], str]:
    """Return (method, path) -> access as the document's table says; parameters are ``{}``."""
    table = {}
    for line in DOCUMENT.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split(" | ")]
        if not re.match(r"\| (GET|POST|PATCH|DELETE)\b", line):
            continue
        base = "" if "no base path" in cells[0] else "/api/v1"
        methods: list[str] = []
        path_seen = False
        for word in re.findall(r"GET|POST|PATCH|DELETE|/[\w./?=&-]*", cells[0]):
            if word in METHODS:
                methods = [word] if path_seen else [*methods, word]
                path_seen = False
            else:
                path_seen = True
                plain = (base + word.partition("?")[0]).rstrip("/")
                path = re.sub(r"/[A-Z][A-Z.]*", "/{}", plain)
                for method in methods:
                    table[method, path] = ACCESS_OF_WORDS.get(cells[1], cells[1])
    return table


def read_routes(api: Api) -> dict[tuple[str, str], str]:
    """Return (method, path) -> access as the app has it."""
    table = {}
    for (method, path), access in walk_access(api.app.routes).items():
        plain = re.sub(r"{\w+}", "{}", path)
        # A raw handler takes every method and refuses all but its own by itself.
        known = "POST" if plain == "/api/v1/reports" else "GET"
        table[known if method == "*" else method, plain] = access
    return table


async def test_the_routes_are_exactly_those_of_the_document(api: Api) -> None:
    """A route that is not in the document is one nobody decided who may use."""
    assert read_routes(api) == read_document()


def expected(access: str, who: str) -> bool:
    """Return whether ``who`` may pass the guard of a route."""
    if access in ("public", "source"):
        return True
    if who in ("anonymous", "expired", "revoked", "disabled", "forged"):
        return False
    if access == "scrape" or who == "scrape":
        return access == "scrape" and who == "scrape"
    return access == "any" or ROLES.index(who) >= ROLES.index(access)


async def make_clients(api: Api) -> dict[str, httpx.AsyncClient]:
    """Return a client for every kind of caller."""
    expired = await api.token("admin", hours=-1)
    revoked, disabled = await api.token("admin"), await api.token("admin", name="gone")
    async with api.services.db.transaction() as session:
        await session.execute(
            "UPDATE access_token SET revoked_at_ms = 1 WHERE public_id = :id",
            id=revoked.split("_")[1],
        )
        await session.execute("UPDATE app_user SET disabled_at_ms = 1 WHERE name = 'gone'")
    tokens = {role: await api.token(role, kind="session") for role in ROLES}
    tokens |= {"expired": expired, "revoked": revoked, "disabled": disabled}
    tokens["forged"] = tokens["admin"][:-4] + "AAAA"
    tokens["scrape"] = await api.token("admin", kind="scrape")
    return {"anonymous": api.client(), **{who: api.client(t) for who, t in tokens.items()}}


async def test_every_route_lets_in_exactly_the_roles_of_the_document(api: Api) -> None:
    """Walks each route with every kind of caller; 401 and 403 are the guard's own answers."""
    wrong = []
    clients = await make_clients(api)
    for (method, path), access in read_document().items():
        if access in ("public", "source"):
            continue
        for who, client in clients.items():
            # A body nobody can use: whoever passes the guard is refused after it, unharmed.
            body = b"{" if method in ("POST", "PATCH") else None
            address = path.replace("{}", "no-such-thing")
            address += "?template=none" if path.endswith("/imports") else ""
            if (method, path) == ("DELETE", "/api/v1/me/session") and expected(access, who):
                continue  # it would sign this caller out of the rest of the walk
            answer = await client.request(method, address, content=body)
            passed = answer.status_code not in (401, 403)
            if passed != expected(access, who):
                wrong.append((method, path, who, answer.status_code))

    assert wrong == []


async def test_nobody_reaches_an_unknown_address_or_method_unanswered(api: Api) -> None:
    async with api.client() as client:
        unknown = await client.get("/api/v1/nothing")
        wrong = await client.put("/api/v1/units")

    assert (unknown.status_code, wrong.status_code) == (404, 405)
    assert {"title", "status", "detail", "remedy"} <= unknown.json().keys() & wrong.json().keys()


def test_a_route_without_a_role_keeps_the_server_from_starting(tmp_path: Path) -> None:
    from litestar import Litestar

    @get("/open", sync_to_thread=False)
    def forgotten() -> str:
        return "open to all"

    app = Litestar([forgotten], openapi_config=None)

    with pytest.raises(RouteWithoutRole, match="/open"):
        walk_access(app.routes)
