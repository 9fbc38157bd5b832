"""A real kiemke-server of our own on loopback, and its REST API from the outside."""

import hashlib
import json
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from bench.children import Children, clean_environment, free_port, is_listening, program, run_once
from bench.https import Pool, Reply
from kiemke.wire.enrolment import Token, parse_token
from kiemke.wire.pin import Address, Pins

ADMIN = "admin"


class ApiError(Exception):
    """The API answered something else than hoped for."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where, what clients pin, and its first administrator."""

    address: Address
    pins: Pins
    password: str

    @property
    def fingerprint(self) -> str:
        """Return the hex SHA-256 of the root, as people compare it."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pins.current)).hexdigest()


def start_server(
    children: Children,
    data_dir: Path,
    *,
    demo: bool,
    database_url: str | None = None,
    settings: dict[str, str] | None = None,
) -> Server:
    """Make a new installation in ``data_dir``, start it and wait until it listens.

    Raises ChildError.
    """
    port = free_port()
    password = secrets.token_urlsafe(12)
    environment = clean_environment(
        {
            "KIEMKE_DATA_DIR": str(data_dir),
            "KIEMKE_LISTEN_HOST": "127.0.0.1",
            "KIEMKE_LISTEN_PORT": str(port),
            "KIEMKE_PUBLIC_URLS": f"https://127.0.0.1:{port}",
            **({"KIEMKE_DATABASE_URL": database_url} if database_url else {}),
            **(settings or {}),
        }
    )
    server = program("kiemke-server")
    run_once([server, "migrate", *(["--demo"] if demo else [])], environment)
    run_once([server, "user", "add", ADMIN, "--role", "admin"], environment, text=f"{password}\n")
    children.start("server", [server, "run"], environment)
    children.wait_until(lambda: is_listening(port), "the server listens")
    pem = next(data_dir.rglob("root.pem")).read_text()
    return Server(Address("127.0.0.1", port), Pins(pem), password)


class Api:
    """The REST API as the administrator sees it."""

    def __init__(self, pool: Pool, server: Server) -> None:
        self._pool = pool
        self._server = server
        self._token = ""

    async def login(self) -> None:
        """Sign in. Raises ApiError or HttpError."""
        said = await self.post("/login", {"name": ADMIN, "password": self._server.password})
        self._token = said["token"]

    async def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON of GET /api/v1PATH. Raises ApiError or HttpError."""
        return await self._call("GET", path + (f"?{urlencode(query)}" if query else ""))

    async def items(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """Return every item of a listing, page by page."""
        found: list[dict[str, Any]] = []
        after: dict[str, str | int] = {}
        while True:
            page = await self.get(path, **{"limit": 1000, **query, **after})
            found += page["items"]
            if page.get("next") is None:
                return found
            after = {"after": page["next"]}

    async def post(self, path: str, body: Any = None) -> Any:
        """POST JSON and return the JSON answered."""
        return await self._call("POST", path, json.dumps(body).encode(), "application/json")

    async def import_file(self, template: str, file: Path, *, apply: bool) -> Any:
        """Import one file; ``apply`` False is the dry run."""
        query = urlencode(
            {"template": template, "apply": str(apply).lower(), "filename": file.name}
        )
        return await self._call(
            "POST", f"/imports?{query}", file.read_bytes(), "application/octet-stream"
        )

    async def make_enrolment_token(
        self, unit: str, kind: str, uses: int, *, approves: bool
    ) -> tuple[str, Token]:
        """Return the pasteable token and what it says."""
        said = await self.post(
            "/enrolment-tokens",
            {"unit": unit, "kind": kind, "uses": uses, "days": 1, "approves": approves},
        )
        return said["token"], parse_token(said["token"])

    async def text(self, path: str, token: str) -> str:
        """Return a page outside the base path, as text, with another token."""
        headers = {"Authorization": f"Bearer {token}"}
        reply = await self._pool.request("GET", path, b"", headers)
        if reply.status != 200:
            raise ApiError(f"GET {path}: {reply.status} {reply.body[:500]!r}")
        return reply.body.decode()

    async def file(self, path: str) -> bytes:
        """Return the bytes of GET /api/v1PATH. Raises ApiError or HttpError."""
        return (await self._ask("GET", path)).body

    async def _call(
        self, method: str, path: str, body: bytes = b"", content_type: str | None = None
    ) -> Any:
        return (await self._ask(method, path, body, content_type)).json()

    async def _ask(
        self, method: str, path: str, body: bytes = b"", content_type: str | None = None
    ) -> Reply:
        headers = {"Accept-Language": "en"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if content_type is not None:
            headers["Content-Type"] = content_type
        safe = quote(path, safe="/?&=%+-_.~")
        reply = await self._pool.request(method, f"/api/v1{safe}", body, headers)
        if reply.status not in (200, 201):
            raise ApiError(f"{method} {path}: {reply.status} {reply.body[:1500].decode()}")
        return reply
