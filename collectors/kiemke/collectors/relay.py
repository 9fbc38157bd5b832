"""Agents of a site pass through their collector: bytes of TCP to the server and back, nothing read.

TLS and the pinned root stay between agent and server. Nothing is kept here: while the server cannot be
reached a connection is closed at once, and the agents' own outboxes hold what they have to say.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.files import write_private
from kiemke.wire.pin import DEFAULT_PORT, Address
from kiemke.wire.reach import OUTSIDE, Reach

log = logging.getLogger(__name__)

FILE_NAME = "relay.json"
LISTEN = Address("0.0.0.0", DEFAULT_PORT)  # noqa: S104 - the site's agents come from the LAN
CONNECTIONS = 256  # two descriptors each, of the 1024 a process has
MOST_CONNECTIONS = 4000
MOST_OF_ONE_ADDRESS = 8
IDLE_SECONDS = 900.0  # an agent posts every five minutes over a kept connection
LEAST_IDLE_SECONDS, MOST_IDLE_SECONDS = 60.0, 86_400.0
CONNECT_SECONDS = 10.0
HALF_CLOSED_SECONDS = 10.0
CHUNK_BYTES = 65_536
TOLD_SECONDS = 60.0  # a refused address is told in the log once in this time

Close = Callable[[], None]


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where the relay listens, how many connections it holds, and how long a silent one may stay."""

    listen: Address = LISTEN
    connections: int = CONNECTIONS
    idle_seconds: float = IDLE_SECONDS

    def __post_init__(self) -> None:
        """Raise ConfigError for what no relay could do."""
        if not 0 <= self.listen.port <= 65535:
            raise ConfigError(f"relay: port {self.listen.port} is not one of 1 to 65535")
        if not 1 <= self.connections <= MOST_CONNECTIONS:
            raise ConfigError(f"relay: connections must be 1 to {MOST_CONNECTIONS}")
        if not LEAST_IDLE_SECONDS <= self.idle_seconds <= MOST_IDLE_SECONDS:
            raise ConfigError(
                f"relay: idle seconds must be {LEAST_IDLE_SECONDS:g} to {MOST_IDLE_SECONDS:g}"
            )


def load_relay(state: Path) -> RelaySettings | None:
    """Return the relay's settings, None when it is off. Raises ConfigError for a damaged file."""
    path = state / FILE_NAME
    try:
        said = json.loads(path.read_text("utf-8"))
        listen = Address(str(said["listen"]["host"]), int(said["listen"]["port"]))
        return RelaySettings(listen, int(said["connections"]), float(said["idle_seconds"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise ConfigError(
            f"{path}: cannot be read ({type(err).__name__}); run kiemke-collector relay on"
        ) from err


def save_relay(state: Path, settings: RelaySettings | None) -> None:
    """Keep the settings for the running collector; None turns the relay off. Raises ConfigError."""
    path = state / FILE_NAME
    try:
        if settings is None:
            path.unlink(missing_ok=True)
        else:
            write_private(path, json.dumps(asdict(settings)))
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written ({err.strerror}); run as its owner") from err


def why_not(client: str, sites: Sequence[Reach]) -> str | None:
    """Return why an address may not pass (a key of REASONS), None when one of the sites has it.

    A site without registered subnets lets nobody pass: an open relay is everybody's.
    """
    reason: str | None = OUTSIDE
    for site in sites:
        if site.allow is None:
            continue
        reason = site.why_not(client)
        if reason is None:
            return None
    return reason


class Relay:
    """One listening socket and what passes through it. ``sites`` is asked at each new connection."""

    def __init__(
        self,
        settings: RelaySettings,
        servers: Sequence[Address],
        sites: Callable[[], Sequence[Reach]],
    ) -> None:
        """Prepare; ``servers`` are those the collector was enrolled with, tried in turn."""
        self.settings = settings
        self.passed = 0
        self.refused = 0
        self.unreachable = 0
        self.octets = 0
        self._servers = tuple(servers)
        self._sites = sites
        self._listener: asyncio.Server | None = None
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: dict[str, float] = {}

    @property
    def port(self) -> int:
        """The port it listens on, 0 before it does."""
        sockets = self._listener.sockets if self._listener is not None else ()
        return int(sockets[0].getsockname()[1]) if sockets else 0

    @property
    def open_connections(self) -> int:
        """How many clients pass right now."""
        return self._open.total()

    async def start(self) -> None:
        """Listen. Raises ConfigError when the address cannot be had."""
        listen = self.settings.listen
        try:
            self._listener = await asyncio.start_server(
                self._take, listen.host, listen.port, limit=CHUNK_BYTES
            )
        except OSError as err:
            raise ConfigError(f"relay: {listen.host}:{listen.port}: {err.strerror}") from err

    async def close(self) -> None:
        """Stop listening and end what passes."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def state(self) -> dict[str, object]:
        """Return what the status shows."""
        listen = self.settings.listen
        return {
            "listen": f"{listen.host}:{self.port or listen.port}",
            "open": self.open_connections,
            "passed": self.passed,
            "refused": self.refused,
            "unreachable": self.unreachable,
            "octets": self.octets,
        }

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let one client pass, or close its connection."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio calls this in a task of its own
        self._tasks.add(task)
        client = str((writer.get_extra_info("peername") or ("",))[0])
        try:
            reason = self._refusal(client)
            if reason is not None:
                self.refused += 1
                self._tell(client, reason)
                return
            self._open[client] += 1
            try:
                await self._pass_on(reader, writer)
            finally:
                self._open[client] -= 1
                if not self._open[client]:
                    del self._open[client]
        except asyncio.CancelledError:
            pass  # the relay closes: the client is told by its connection's end
        finally:
            self._tasks.discard(task)
            await _end(writer)

    def _refusal(self, client: str) -> str | None:
        reason = why_not(client, self._sites())
        if reason is not None:
            return reason
        if self.open_connections >= self.settings.connections:
            return "all connections are in use"
        if self._open[client] >= MOST_OF_ONE_ADDRESS:
            return f"{MOST_OF_ONE_ADDRESS} connections of this address are open"
        return None

    def _tell(self, client: str, reason: str) -> None:
        """Log a refusal; the same address again only after a while, so that it fills no disk."""
        now = time.monotonic()
        if len(self._told) > MOST_CONNECTIONS:
            self._told.clear()
        if now - self._told.get(client, -TOLD_SECONDS) >= TOLD_SECONDS:
            self._told[client] = now
            log.warning("relay refuses", extra={"client": client, "reason": reason})

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for server in self._servers:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(
                        server.host, server.port, limit=CHUNK_BYTES
                    )
        return None

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dialled = await self._dial()
        if dialled is None:
            self.unreachable += 1
            return
        self.passed += 1
        up_reader, up_writer = dialled
        last = [time.monotonic()]
        ways = [
            asyncio.create_task(self._copy(reader, up_writer, last)),
            asyncio.create_task(self._copy(up_reader, writer, last)),
        ]
        try:
            await self._watch(ways, last)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await _end(up_writer)

    async def _watch(self, ways: list["asyncio.Task[None]"], last: list[float]) -> None:
        """Return when both ways are over, one has been for a while, or nothing passed for too long."""
        idle_seconds = self.settings.idle_seconds
        while True:
            left = last[0] + idle_seconds - time.monotonic()
            if left <= 0:
                return
            done, _ = await asyncio.wait(ways, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if done:
                await asyncio.wait(ways, timeout=HALF_CLOSED_SECONDS)
                return

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, last: list[float]
    ) -> None:
        """Copy until the end; the other side's end is passed on, its half may still speak."""
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                last[0] = time.monotonic()
                self.octets += len(data)
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()


async def _end(writer: asyncio.StreamWriter) -> None:
    """Close a connection: what was written leaves in a moment, or never does."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(HALF_CLOSED_SECONDS):
            await writer.wait_closed()
            return
    writer.transport.abort()
