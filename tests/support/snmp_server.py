"""A server's side of the wire for collector tests: enrolment, assignment, reports, over pinned TLS.

It acknowledges like the real one and keeps what came; the whole line with the real server is tested
elsewhere.
"""

import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kiemke.server.ca import open_authority, pem_sha256, renew_leaf, server_context
from kiemke.wire.clocks import now_utc
from kiemke.wire.enrolment import make_token

GZIP = 31


class TinyServer:
    """What the server knows, and what it was sent."""

    def __init__(self, folder: Path) -> None:
        self.authority = open_authority(folder)
        renew_leaf(self.authority, ("127.0.0.1",), now_utc())
        self.assignment: dict[str, Any] = {"poll_seconds": 10, "devices": [], "probes": []}
        self.assignment_status = 200
        self.accepts = True
        self.reports: list[dict[str, Any]] = []
        self.enrolled: list[dict[str, Any]] = []
        self.seen_headers: list[tuple[str | None, str | None]] = []
        self.port = 0

    @property
    def token(self) -> str:
        """A token for this server."""
        pem = self.authority.root_pem
        return make_token(
            (f"https://127.0.0.1:{self.port}",), "t1", "token-secret", pem_sha256(pem)
        )

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of this kind that came so far."""
        return [report["body"] for report in list(self.reports) if report["kind"] == kind]

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body for one request."""
        match method, path:
            case "GET", "/ca.pem":
                return 200, self.authority.root_pem.encode()
            case "POST", "/api/v1/enroll":
                self.enrolled.append(json.loads(body))
                return 201, json.dumps({"source": "c-1", "state": "approved"}).encode()
            case "GET", "/api/v1/assignment":
                return self.assignment_status, json.dumps(self.assignment).encode()
            case "POST", "/api/v1/reports":
                return self._take(json.loads(zlib.decompress(body, GZIP)))
        return 404, b"{}"

    def _take(self, batch: dict[str, Any]) -> tuple[int, bytes]:
        if not self.accepts:
            return 503, b"{}"
        acked: dict[str, int] = {}
        for report in batch["reports"]:
            self.reports.append(report)
            acked[str(report["stream"])] = report["seq"]
        return 200, json.dumps({"ack": acked, "rejected": [], "need": [], "settings": {}}).encode()


@contextmanager
def tiny_server(folder: Path) -> Iterator[TinyServer]:
    """Yield a server that listens on 127.0.0.1."""
    tiny = TinyServer(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith("/api/v1/") and "enroll" not in self.path:
                tiny.seen_headers.append(
                    (self.headers["Authorization"], self.headers["X-Kiemke-Source"])
                )
            status, answer = tiny.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = server_context(tiny.authority).wrap_socket(server.socket, server_side=True)
    tiny.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield tiny
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
