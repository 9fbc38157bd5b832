"""The real app in this test's own event loop, and signed-in clients of it."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from litestar import Litestar
from litestar.datastructures import State

from kiemke.server.app import create_app, make_services
from kiemke.server.auth_users import add_user, issue_token
from kiemke.server.context import Services
from kiemke.server.settings import Settings, make
from tests.support.office import MOMENT_MS, Office

PASSWORD = "đúng-là-mật-khẩu"
# A cheap argon2id hash of PASSWORD is made once: the real cost is paid where sign-in is tested.
NO_PASSWORD = "$argon2id$v=19$m=8,t=1,p=1$bm90aGluZ25vdGhpbmc$AAAA"


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now_ms: int = MOMENT_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        """Return the moment, epoch ms."""
        return self.now_ms


@dataclass(slots=True)
class Api:
    """A running app, its clock and its services."""

    app: Litestar
    services: Services
    clock: Clock
    folder: Path

    def client(
        self, token: str | None = None, address: str = "192.0.2.1", **headers: str
    ) -> httpx.AsyncClient:
        """Return a client that answers from the app itself, as if it called from ``address``."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        # httpx types ASGI messages as plain mappings, Litestar as typed dicts.
        app: Any = self.app
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50_000))
        return httpx.AsyncClient(
            transport=transport, base_url="https://server.kiemke.internal", headers=headers
        )

    async def ask(
        self, token: str, method: str, target: str, body: Any = None
    ) -> tuple[int, str, bytes]:
        """Make one request without a client, for who makes thousands: status, media type, body.

        ``target`` is the address below the host as it stands in a request.
        """
        path, _, query = target.partition("?")
        sent: bytes | None = b"" if body is None else json.dumps(body).encode()
        headers = {
            "host": "server.kiemke.internal",
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "content-length": str(len(sent or b"")),
        }
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "https", "path": unquote(path), "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "client": ("192.0.2.1", 50_000),
            "server": ("server.kiemke.internal", 443),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        answer: list[Any] = []
        ended = asyncio.Event()

        async def receive() -> Any:
            nonlocal sent
            if sent is None:  # the request is whole: next comes the client's leaving
                await ended.wait()
                return {"type": "http.disconnect"}
            message, sent = {"type": "http.request", "body": sent, "more_body": False}, None
            return message

        async def send(message: Any) -> None:
            answer.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended.set()

        app: Any = self.app
        await app(scope, receive, send)
        media = dict(answer[0]["headers"]).get(b"content-type", b"").decode()
        return answer[0]["status"], media, b"".join(m.get("body", b"") for m in answer[1:])

    async def add_user(self, name: str, role: str, unit_id: int | None = None) -> int:
        """Add a user that has no password anybody knows; return its id."""
        async with self.services.db.transaction() as session:
            return await add_user(
                session,
                name=name,
                password_hash=NO_PASSWORD,
                role=role,
                unit_id=unit_id,
                who="test",
                now_ms=self.clock(),
            )

    async def token(
        self,
        role: str,
        unit_id: int | None = None,
        kind: str = "api",
        hours: int = 24,
        name: str | None = None,
    ) -> str:
        """Return a token of a new user of that role."""
        user_id = await self.add_user(name or f"{role}-{secrets.token_hex(4)}", role, unit_id)
        async with self.services.db.transaction() as session:
            made = await issue_token(
                session,
                user_id=user_id,
                kind=kind,
                label=None,
                now_ms=self.clock(),
                hours=hours,
            )
        return made.token

    async def signed_in(self, role: str, unit_id: int | None = None) -> httpx.AsyncClient:
        """Return a client of a new user of that role."""
        return self.client(await self.token(role, unit_id))

    async def write(self, office: Office) -> None:
        """Write an office into the app's database."""
        await office.write_to(self.services.db)


# Making an app costs a quarter of a second of processor: one that a test is done with is used again,
# with services of its own and nothing left of the last ones.
_idle_apps: list[Litestar] = []


def _app_for(settings: Settings, clock: Clock) -> Litestar:
    if not _idle_apps:
        return create_app(settings, clock=clock)
    app = _idle_apps.pop()
    app.state = State({"services": make_services(settings, clock)})
    return app


@asynccontextmanager
async def running_api(url: str, folder: Path, **settings: Any) -> AsyncIterator[Api]:
    """Run the app on a migrated database for the length of a test."""
    clock = Clock()
    made = make({"data_dir": str(folder / "data"), "database_url": url, "jobs": False, **settings})
    app = _app_for(made, clock)
    ready, done = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        # One task enters and leaves: a fixture's two halves run in different ones.
        async with app.lifespan():
            ready.set()
            await done.wait()

    life = asyncio.create_task(live())
    started = asyncio.create_task(ready.wait())
    await asyncio.wait({life, started}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.is_set():
        started.cancel()
        await life
    try:
        yield Api(app, app.state.services, clock, folder)
    finally:
        done.set()
        await life
        _idle_apps.append(app)


def sha256_hex(text: str) -> str:
    """Return the hex SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def make_office() -> Office:
    """Return a district (U1) of two departments (U2, U3), a commune (U4), people, PCs, a link."""
    office = Office()
    district = office.add_unit(name="Huyện Thanh Giang")
    office_unit = office.add_unit(district, name="Văn phòng")
    office.add_unit(district, name="Phòng Tư pháp")
    commune = office.add_unit(district, name="Xã Minh Khai")
    for unit in (office_unit, office_unit, commune):
        official = office.add_official(unit)
        office.add_verified_pc(unit, official)
    collector = office.add_source(district, kind="collector")
    for number, unit in enumerate((office_unit, commune), 1):
        office.add(
            "device",
            code=f"SW-0{number}",
            name=f"Switch {number}",
            search_key=f"switch {number}",
            kind="switch",
            unit_id=unit,
            asset_id=None,
            collector_id=collector if unit == office_unit else None,
            address=f"192.0.2.{number}",
            port=161,
            credential=None,
            created_at_ms=MOMENT_MS,
            retired_at_ms=None,
        )
        link = office.add("link", code=f"DT-0{number}", created_at_ms=MOMENT_MS)
        office.add_dated(
            "link_version",
            link_id=link,
            unit_id=unit,
            device_id=number,
            interface_name="ether1",
            name=f"Đường truyền {number}",
            kind="internet",
            provider="VNPT",
            contract_number=f"HD-{number}",
            price_dong=1_100_000,
            payer=None,
            down_bits_per_second=100_000_000,
            up_bits_per_second=100_000_000,
        )
        office.add(
            "probe_target",
            link_id=link,
            collector_id=None,
            address=f"198.51.100.{number}",
            purpose="isp",
            echo_count=5,
            retired_at_ms=None,
        )
    return office
