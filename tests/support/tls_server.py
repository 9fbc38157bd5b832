"""A real HTTPS server on loopback with its own authority, which stores reports as the wire asks.

It is a peer, not a double of kiemke's server: what it does to a report is written here in the open,
and its failures are set by the test (``script``).
"""

import gzip
import hashlib
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2049, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Certificates:
    """A root, and the files of a leaf it signed for ``server.kiemke.internal``."""

    root_pem: str
    root_sha256: str
    leaf_file: Path
    key_file: Path


def make_certificates(
    folder: Path, name: str = "server.kiemke.internal", not_after: datetime = NOT_AFTER
) -> Certificates:
    """Return a new root and leaf; the leaf bears ``name`` and ends at ``not_after``."""
    folder.mkdir(parents=True, exist_ok=True)
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    root = (
        x509.CertificateBuilder()
        .subject_name(root_name)
        .issuer_name(root_name)
        .public_key(root_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")]))
        .issuer_name(root_name)
        .public_key(leaf_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    leaf_file, key_file = folder / "leaf.pem", folder / "leaf.key"
    leaf_file.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    der = root.public_bytes(serialization.Encoding.DER)
    pem = root.public_bytes(serialization.Encoding.PEM).decode()
    return Certificates(pem, hashlib.sha256(der).hexdigest(), leaf_file, key_file)


@dataclass(frozen=True, slots=True)
class Scripted:
    """An answer the test wants in place of the true one."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    drop: bool = False  # act as asked, then cut the connection without an answer


@dataclass(slots=True)
class Requests:
    """What came in: batches, stored reports by (stream, seq), enrolments; and what to answer."""

    certificates: Certificates
    batches: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stored: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    repeats: int = 0
    enrolments: list[dict[str, Any]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    script: deque[Scripted] = field(default_factory=deque)
    refuse: Callable[[dict[str, Any]], bool] = lambda report: False
    reject: Callable[[dict[str, Any]], str | None] = lambda report: None
    need: list[str] = field(default_factory=list)
    settings: dict[str, float] = field(default_factory=dict)
    ca_next: str | None = None
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}"

    def reports(self, kind: str) -> list[dict[str, Any]]:
        """Return the stored reports of one kind, in order of arrival."""
        return [one for one in self.stored.values() if one["kind"] == kind]

    def store(self, batch: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Store a batch as the wire asks: once each, acknowledged by stream."""
        self.batches.append(batch)
        if any(self.refuse(one) for one in batch["reports"]):
            return 422, {"title": "not understood", "status": 422}
        ack: dict[str, int] = {}
        rejected = []
        for one in batch["reports"]:
            key = (one["stream"], one["seq"])
            self.repeats += key in self.stored
            reason = self.reject(one)
            if reason is not None:
                rejected.append({"stream": key[0], "seq": key[1], "reason": reason})
            else:
                self.stored.setdefault(key, one)
            ack[str(key[0])] = max(ack.get(str(key[0]), 0), key[1])
        need = self.need if any(r["kind"] == "inventory" for r in batch["reports"]) else []
        answer: dict[str, Any] = {
            "ack": ack,
            "rejected": rejected,
            "need": need,
            "settings": self.settings,
        }
        if self.ca_next is not None:
            answer["ca_next"] = self.ca_next
        return 200, answer


def _handler(seen: Requests) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer(200, seen.certificates.root_pem.encode())

        def do_POST(self) -> None:
            seen.connections.add(self.client_address)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/api/v1/enroll":
                seen.enrolments.append(json.loads(body))
                said = {"source": "src-" + seen.enrolments[-1]["install_id"][:8]}
                self.answer(201, json.dumps({**said, "state": "pending"}).encode())
                return
            seen.headers.append(dict(self.headers.items()))
            batch = json.loads(gzip.decompress(body))
            scripted = seen.script.popleft() if seen.script else None
            if scripted is not None and not scripted.drop:
                seen.batches.append(batch)
                self.answer(scripted.status, scripted.body, scripted.headers)
                return
            status, answer = seen.store(batch)
            if scripted is not None:
                self.close_connection = True
                return
            self.answer(status, json.dumps(answer).encode())

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    open_sockets: list[socket.socket]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, to cut it when the server ends."""
        self.open_sockets.append(request)
        super().process_request(request, client_address)

    def cut_connections(self) -> None:
        """End every connection, as the end of a process does."""
        for one in self.open_sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: tests make them do so."""


@contextmanager
def tls_server(certificates: Certificates, port: int = 0) -> Iterator[Requests]:
    """Run the server for the length of a block."""
    seen = Requests(certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.leaf_file, certificates.key_file)
    server = _Server(("127.0.0.1", port), _handler(seen))
    server.open_sockets = []
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    seen.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.cut_connections()
        server.server_close()
        thread.join()
