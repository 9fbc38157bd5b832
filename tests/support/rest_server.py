"""A real HTTPS server on loopback that answers the REST contract with what a test lays out."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.tls_server import Certificates, make_certificates


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; ``query`` has one value a name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer: JSON, or the bytes given; ``cut`` closes the connection half-way."""

    value: Any = None
    status: int = 200
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(slots=True)
class RestServer:
    """The running server. ``answers`` maps (method, path) to an Answer or a function of the request."""

    certificates: Certificates
    url: str = ""
    answers: dict[tuple[str, str], Answer | Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, method: str, path: str, *value: Any, **fields: Any) -> None:
        """Lay out the answer to a request below /api/v1."""
        self.answers[method, f"/api/v1{path}"] = Answer(*value, **fields)

    def items(self, path: str, *rows: Any) -> None:
        """Lay out a list of one page."""
        self.on("GET", path, {"items": list(rows), "total": len(rows), "next": None})

    def refuse(self, method: str, path: str, status: int, detail: str, remedy: str) -> None:
        """Lay out a problem."""
        problem = {"title": "T", "status": status, "detail": detail, "remedy": remedy}
        self.on(method, path, problem, status, headers={"content-type": "application/problem+json"})

    def answer(self, asked: Asked) -> Answer:
        """Return what is laid out for a request; a problem 404 for anything else."""
        self.asked.append(asked)
        found = self.answers.get((asked.method, asked.path))
        if found is None:
            return Answer(
                {"title": "Không tìm thấy", "status": 404, "detail": asked.path, "remedy": "Xem."},
                404,
                headers={"content-type": "application/problem+json"},
            )
        return found(asked) if callable(found) else found


def _handler(server: RestServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            asked = Asked(self.command, unquote(parts.path), query, headers, body)
            if asked.path == "/ca.pem":
                answer = Answer(content=server.certificates.root_pem.encode())
            else:
                answer = server.answer(asked)
            content = answer.content
            if content is None:
                content = b"" if answer.value is None else json.dumps(answer.value).encode()
            self.send_response_only(answer.status)
            if "date" not in answer.headers:
                self.send_header("date", self.date_time_string())
            for name, value in ({"content-type": "application/json"} | answer.headers).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if answer.cut else content)
            self.close_connection = self.close_connection or answer.cut

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the test's own output matters."""

    return Handler


class _QuietServer(ThreadingHTTPServer):
    """A client that refuses the certificate leaves in the handshake: that is its test's matter."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@contextmanager
def running_rest_server(folder: Path, name: str = "server.kiemke.internal") -> Iterator[RestServer]:
    """Serve HTTPS on a free port of loopback with a new root and a leaf for ``name``."""
    certificates = make_certificates(folder, name)
    server = RestServer(certificates)
    http = _QuietServer(("127.0.0.1", 0), _handler(server))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.leaf_file, certificates.key_file)
    # The handshake belongs to the connection's thread: a client that leaves must not stop accept.
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    server.url = f"https://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(10)
