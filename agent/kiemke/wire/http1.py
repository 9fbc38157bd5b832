"""One HTTP/1.1 connection over pinned TLS: as much of RFC 9112 as a sender needs, and bounded.

Not http.client: with the mail parser it brings along it would be megabytes on every office PC. An
answer that breaks the rules, is too large or too slow is an HttpError, never a wrong answer.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

from kiemke.wire.pin import SERVER_NAME, Address

MAX_LINE_BYTES = 8192
MAX_HEADERS = 100
MAX_SKIPPED_ANSWERS = 5  # 1xx answers before the true one
RECEIVE_BYTES = 16384
# A server that drips one byte at a time keeps each single wait short; this bounds the whole answer.
MOST_TIMEOUTS_AN_ANSWER = 3


class HttpError(Exception):
    """What came back is no HTTP answer, or one we do not take; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer to one request. Header names are in lower case, the first of each counts."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection that asks for SERVER_NAME at whatever address it was given. One thread's own."""

    def __init__(self, address: Address, context: ssl.SSLContext, timeout_seconds: float) -> None:
        """Prepare; nothing is sent before the first request."""
        self._address = address
        self._context = context
        self._timeout_seconds = timeout_seconds
        self._socket: ssl.SSLSocket | None = None
        self._buffer = bytearray()
        self._end_seconds = 0.0
        self.peer: str | None = None  # the IP address that took the connection

    @property
    def is_open(self) -> bool:
        """Tell whether a further request may go over it."""
        return self._socket is not None

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        max_body_bytes: int,
    ) -> Reply:
        """Send one request and read its whole answer; connects at the first.

        Raises OSError (ssl.SSLError is one) or HttpError; the connection is closed then.
        """
        head = self._head(method, path, body, headers)
        try:
            if self._socket is None:
                self._socket = self._connect()
            self._end_seconds = time.monotonic() + MOST_TIMEOUTS_AN_ANSWER * self._timeout_seconds
            self._socket.settimeout(self._timeout_seconds)
            self._socket.sendall(head + (body or b""))
            return self._answer(max_body_bytes)
        except BaseException:  # whatever it was: half an answer must not begin the next one
            self.close()
            raise

    def close(self) -> None:
        """Close it; the next request connects again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._buffer.clear()

    def _connect(self) -> ssl.SSLSocket:
        """Open the socket and prove the server."""
        plain = _dial(self._address, self._timeout_seconds)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peer = str(plain.getpeername()[0])
            return self._context.wrap_socket(plain, server_hostname=SERVER_NAME.encode())
        except BaseException:
            plain.close()
            raise

    def _head(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> bytes:
        """Return the request up to its body. Raises HttpError when a header would break its line."""
        host = self._address.host
        fields = {"Host": f"[{host}]" if ":" in host else host, **headers}
        fields["Host"] += f":{self._address.port}"
        if body is not None:
            fields["Content-Length"] = str(len(body))
        for name, value in fields.items():
            if not value.isascii() or not value.isprintable():
                raise HttpError(f"header {name}: must be printable ASCII")
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    # --- reading ---

    def _answer(self, max_body_bytes: int) -> Reply:
        """Read one answer; close the connection when the server will not go on with it."""
        for _ in range(MAX_SKIPPED_ANSWERS):
            version, status = self._status_line()
            headers = self._headers()
            if status >= 200:
                break
        else:
            raise HttpError("interim answers without end")
        said = headers.get("connection", "").lower()
        body, is_delimited = self._body(status, headers, max_body_bytes)
        if not is_delimited or "close" in said or (version == b"HTTP/1.0" and "keep" not in said):
            self.close()
        return Reply(status, headers, body)

    def _status_line(self) -> tuple[bytes, int]:
        """Return the protocol version and the status."""
        line = self._line()
        version, _, rest = line.partition(b" ")
        digits = rest[:3]
        if version not in (b"HTTP/1.0", b"HTTP/1.1") or not digits.isdigit() or len(digits) != 3:
            raise HttpError(f"no HTTP answer: {line[:60]!r}")
        return version, int(digits)

    def _headers(self) -> dict[str, str]:
        """Return the header fields up to the empty line (trailers of a chunked body too)."""
        found: dict[str, str] = {}
        for _ in range(MAX_HEADERS):
            line = self._line()
            if not line:
                return found
            name, colon, value = line.partition(b":")
            if not colon:
                raise HttpError(f"no header: {line[:60]!r}")
            found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())
        raise HttpError(f"more than {MAX_HEADERS} headers")

    def _body(self, status: int, headers: Mapping[str, str], most: int) -> tuple[bytes, bool]:
        """Return the body, and whether its end was told rather than seen (RFC 9112, 6.3)."""
        if status in (204, 304):
            return b"", True
        coding = headers.get("transfer-encoding", "").lower()
        if coding == "chunked":
            return self._chunks(most), True
        if coding:
            raise HttpError(f"transfer coding {coding[:40]!r}")
        if "content-length" in headers:
            length = _size(headers["content-length"].encode("latin-1"), 10, most)
            return self._exactly(length), True
        while len(self._buffer) <= most:
            if not self._receive():
                return self._exactly(len(self._buffer)), False
        raise HttpError(f"an answer above {most} bytes")

    def _chunks(self, most: int) -> bytes:
        """Return a chunked body (RFC 9112, 7.1)."""
        body = bytearray()
        while size := _size(self._line().partition(b";")[0].strip(), 16, most - len(body)):
            body += self._exactly(size)
            if self._line():
                raise HttpError("a chunk longer than it said")
        self._headers()
        return bytes(body)

    def _line(self) -> bytes:
        """Return the next line without its end."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise HttpError("a line without end")
            self._receive_more()
        if end > MAX_LINE_BYTES:
            raise HttpError("a line without end")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _exactly(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        while len(self._buffer) < size:
            self._receive_more()
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _receive_more(self) -> None:
        """Read what has come. Raises HttpError when nothing will come any more."""
        if not self._receive():
            raise HttpError("the server hung up before the end of its answer")

    def _receive(self) -> bool:
        """Read what has come into the buffer; False at the end of the stream."""
        if self._socket is None:
            raise HttpError("the connection is closed")
        left = self._end_seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer came too slowly")
        self._socket.settimeout(min(self._timeout_seconds, left))
        data = self._socket.recv(RECEIVE_BYTES)
        self._buffer += data
        return bool(data)


def _dial(address: Address, timeout_seconds: float) -> socket.socket:
    """Return a socket connected to the first of the host's addresses that takes it.

    socket.create_connection but for the name's type. Raises OSError of the last one tried.
    """
    # Bytes: for text Python would load its tables of international names, a megabyte.
    host = address.host.encode() if address.host.isascii() else address.host
    last: OSError | None = None
    for family, kind, protocol, _, where in socket.getaddrinfo(
        host, address.port, type=socket.SOCK_STREAM
    ):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(timeout_seconds)
            plain.connect(where)
        except OSError as err:
            plain.close()
            last = err
        else:
            return plain
    raise last or OSError("the name has no address")


def _size(text: bytes, base: int, most: int) -> int:
    """Return a size that is written in plain digits and not above ``most``. Raises HttpError."""
    digits = b"0123456789abcdefABCDEF" if base == 16 else b"0123456789"
    # 16 digits: no number of a true answer is longer, and int() of a megabyte of them takes long.
    if not text or len(text) > 16 or text.strip(digits):
        raise HttpError(f"no size: {text[:40]!r}")
    size = int(text, base)
    if size > most:
        raise HttpError(f"an answer above the {most} bytes that are left to it")
    return size
