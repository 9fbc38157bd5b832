"""A small pool of kept-alive HTTPS connections to one pinned server: HTTP/1.1 over asyncio streams.

One process plays hundreds of senders, so connections are shared: each request carries its sender's
own secret. What is asked for is sent again once when a kept connection turns out to be closed.
"""

import asyncio
import json
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kiemke.wire.pin import SERVER_NAME, Address, Pins, pinned_context

TIMEOUT_SECONDS = 60.0
MAX_HEAD_BYTES = 65_536


class HttpError(Exception):
    """The server cannot be reached, or does not speak HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers by small name, the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body read as JSON. Raises HttpError when it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise HttpError(f"{self.status}: not JSON: {self.body[:200]!r}") from error


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Pool:
    """At most ``size`` connections to one address; use it as an asynchronous context manager."""

    def __init__(self, address: Address, pins: Pins, size: int = 8) -> None:
        self._address = address
        self._context: ssl.SSLContext = pinned_context(pins)
        self._idle: list[_Connection] = []
        self._seats = asyncio.Semaphore(size)

    async def __aenter__(self) -> Self:
        """Return the pool; connections are opened when needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every idle connection."""
        while self._idle:
            _close(self._idle.pop())

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        """Send one request and return its answer. Raises HttpError."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {SERVER_NAME}\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        message = head.encode() + b"\r\n" + body
        async with self._seats:
            if self._idle:
                try:
                    return await self._exchange(self._idle.pop(), message)
                except (OSError, EOFError, TimeoutError):
                    pass  # the server had closed it: no news about the server
            try:
                # Not wait_for: before Python 3.12 it drops a cancellation that comes with an answer.
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    connection = await self._open()
                return await self._exchange(connection, message)
            except (OSError, EOFError, TimeoutError) as error:
                raise HttpError(
                    f"{self._address}{path}: {error or type(error).__name__}"
                ) from error

    async def _open(self) -> _Connection:
        reader, writer = await asyncio.open_connection(
            self._address.host,
            self._address.port,
            ssl=self._context,
            server_hostname=SERVER_NAME,
            limit=MAX_HEAD_BYTES,
        )
        return _Connection(reader, writer)

    async def _exchange(self, connection: _Connection, message: bytes) -> Reply:
        """Send and read one answer; keep the connection only when all of it went well."""
        kept = False
        try:
            connection.writer.write(message)
            await connection.writer.drain()
            async with asyncio.timeout(TIMEOUT_SECONDS):
                reply = await _read_reply(connection.reader)
            kept = reply.headers.get("connection", "").lower() != "close"
            return reply
        finally:
            if kept:
                self._idle.append(connection)
            else:
                _close(connection)


def _close(connection: _Connection) -> None:
    connection.writer.transport.abort()


async def _read_reply(reader: asyncio.StreamReader) -> Reply:
    """Read one answer with a length or in chunks. Raises HttpError or EOFError."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError as error:
        raise HttpError("the answer's head has no end") from error
    status = int(lines[0].split(" ", 2)[1])
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Reply(status, headers, await _read_chunks(reader))
    return Reply(status, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while (await reader.readline()) not in (b"\r\n", b""):
        pass  # trailers say nothing we need
    return b"".join(parts)
