"""What every request may use: settings, database, writer, clock, authority; held in app.state."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from litestar.connection import ASGIConnection

from kiemke.server.attempts import Attempts
from kiemke.server.ca import Authority
from kiemke.server.db import Database
from kiemke.server.settings import Settings


def read_clock_ms() -> int:
    """Return the server's wall clock, milliseconds since 1970-01-01T00:00Z."""
    return time.time_ns() // 1_000_000


class BackgroundPart(Protocol):
    """Something that works beside the requests: the ingest writer, the leader of the jobs."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """Finish what is under way and end."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The fixed facts of this installation's database."""

    public_id: str
    utc_offset_seconds: int
    demo: bool


@dataclass(slots=True)
class Services:
    """The parts of one running server. ``writer`` and ``installation`` are set at start."""

    settings: Settings
    db: Database
    authority: Authority
    clock: Callable[[], int] = read_clock_ms
    writer: Any = None
    installation: Installation | None = None
    login_failures: Attempts = field(default_factory=lambda: Attempts(limit=5))
    address_failures: Attempts = field(default_factory=lambda: Attempts(limit=100))
    code_failures: Attempts = field(default_factory=lambda: Attempts(limit=10))
    enrol_failures: Attempts = field(default_factory=lambda: Attempts(limit=20))

    verifications: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    # A large file takes half a gigabyte here and in its reader: one at a time.
    imports: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    # Reads every ledger whole.
    audits: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def today(self) -> date:
        """Return the local day it is now, at the installation's fixed UTC offset."""
        moment = datetime.fromtimestamp(self.clock() / 1000, UTC)
        return (moment + timedelta(seconds=self.offset_seconds)).date()

    @property
    def offset_seconds(self) -> int:
        """Return the installation's fixed UTC offset."""
        if self.installation is not None:
            return self.installation.utc_offset_seconds
        return self.settings.utc_offset_seconds


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """Return the Services of the app that answers this connection."""
    services = connection.app.state.services
    if not isinstance(services, Services):
        raise TypeError("app.state.services is not set: the app was not made by create_app")
    return services


def rfc3339(moment_ms: int | None) -> str | None:
    """Return a moment as RFC 3339 UTC text with milliseconds, None for None."""
    if moment_ms is None:
        return None
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
