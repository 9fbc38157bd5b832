"""A real ``kiemke-server run`` of a test's own: started, killed, started again on the same data."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.peers import end_process, free_port, wait_until

PROGRAM = Path(sys.executable).with_name("kiemke-server")
SERVER_NAME = "server.kiemke.internal"


@cache
def _context(root_pem: str) -> ssl.SSLContext:
    # OpenSSL takes milliseconds to make one; who asks until a server answers asks often.
    return ssl.create_default_context(cadata=root_pem)


class PinnedConnection(http.client.HTTPSConnection):
    """HTTPS to a server of a test that trusts one root and asks for the server's fixed name."""

    def __init__(
        self, port: int, root_pem: str, timeout: float = 30.0, host: str = "127.0.0.1"
    ) -> None:
        self._pinned = _context(root_pem)
        # Given none, it would read every certificate of the system's, for each connection.
        super().__init__(host, port, timeout=timeout, context=self._pinned)

    def connect(self) -> None:
        """Connect and verify."""
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._pinned.wrap_socket(plain, server_hostname=SERVER_NAME)


@dataclass(slots=True)
class ServerProcess:
    """One installation: its folder, database and port stay while the process comes and goes."""

    data_dir: Path
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    host: str = "127.0.0.1"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log_file(self) -> Path:
        """Where the server's log goes."""
        return self.data_dir / f"server-{self.port}.log"

    @property
    def root_pem(self) -> str:
        """The root certificate, PEM."""
        return (self.data_dir / "ca" / "root.pem").read_text("ascii")

    def environment(self) -> dict[str, str]:
        """Return the environment the server runs in."""
        return {
            "PATH": os.environ["PATH"],
            "KIEMKE_DATA_DIR": str(self.data_dir),
            "KIEMKE_DATABASE_URL": self.database_url,
            "KIEMKE_LISTEN_HOST": self.host,
            "KIEMKE_LISTEN_PORT": str(self.port),
            "KIEMKE_PUBLIC_URLS": f"https://{self.host}:{self.port}",
            "KIEMKE_JOBS": "false",
            **self.settings,
        }

    def run(self, *arguments: str, text: str = "") -> str:
        """Run another command of the program and return what it printed."""
        done = subprocess.run(
            [str(PROGRAM), *arguments],
            env=self.environment(),
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def start(self) -> None:
        """Start and wait until it answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "run"], env=self.environment(), stdout=log, stderr=log
            )
        # Until the first start has made the root there is nothing to pin.
        wait_until(self._answers, f"the server on port {self.port} answers", 60)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log_file.read_text()[-3000:]}")
        try:
            socket.create_connection((self.host, self.port), 30.0).close()  # it listens: now ask
            return self.request("GET", "/healthz")[0] == 200
        except (OSError, ssl.SSLError):
            return False

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """Make one request on a connection of its own: status, body, headers."""
        connection = PinnedConnection(self.port, self.root_pem, host=self.host)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        """End it as an operator would."""
        if self.process is not None and self.process.poll() is None:
            end_process(self.process)

    def __enter__(self) -> "ServerProcess":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()
