"""Real peers for tests: snmpd, prometheus and postgresql, started on loopback and stopped by pid."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.children import free_port as free_port

ROOT = Path(__file__).resolve().parents[2]
PEERS_FILE = ROOT / "tests" / "peers.txt"
PATIENCE_SECONDS = 30.0
SLOW_PEERS_FILE = ROOT / "tests" / "peers-slow.txt"
SEARCH_PATH = os.pathsep.join(
    [os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"]
)


def read_peers(text: str) -> dict[str, str]:
    """Return {program: Debian package} of the lines of ``tests/peers.txt``."""
    packages: dict[str, str] = {}
    for line in text.splitlines():
        package, *programs = line.partition("#")[0].split() or [""]
        packages.update(dict.fromkeys(programs, package))
    return packages


def find_peer(program: str) -> str | None:
    """Return the program's path, None when it is not on this machine.

    PostgreSQL's programs lie in a folder of their version in Debian; the newest one wins.
    """
    versions = Path("/usr/lib/postgresql")
    newest_first = sorted(versions.glob("*/bin"), key=_version_of, reverse=True)
    for folder in newest_first:
        if os.access(folder / program, os.X_OK):
            return str(folder / program)
    return shutil.which(program, path=SEARCH_PATH)


def _version_of(folder: Path) -> float:
    """Return 15.0 of /usr/lib/postgresql/15/bin; -1.0 of a name that is no number."""
    try:
        return float(folder.parent.name)
    except ValueError:
        return -1.0


def require_peer(program: str) -> str:
    """Return the path of a real program, or skip the test and say how to have it.

    With CI=true there is no skipping: a missing peer fails the test.
    """
    found = find_peer(program)
    if found is not None:
        return found
    listed = "\n".join(file.read_text("utf-8") for file in (PEERS_FILE, SLOW_PEERS_FILE))
    package = read_peers(listed).get(program, program)
    advice = f"{program} is missing: run `PEERS=install make test` as root (package {package})"
    if os.environ.get("CI") == "true":
        pytest.fail(advice, pytrace=False)
    pytest.skip(advice)


def wait_until(
    is_so: Callable[[], bool],
    what: str,
    deadline_seconds: float = PATIENCE_SECONDS,
    every_seconds: float = 0.02,
) -> None:
    """Poll a real condition until it is so; AssertionError naming ``what`` after the deadline.

    What costs a connection to ask is asked less often.
    """
    end = time.monotonic() + deadline_seconds
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so after {deadline_seconds:g} s")
        time.sleep(every_seconds)


def end_process(
    process: subprocess.Popen[bytes], first: int = signal.SIGTERM, deadline_seconds: float = 30.0
) -> None:
    """Ask a process this test started to end, then kill it; returns when it is reaped."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait(deadline_seconds)


def run_daemon(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    death_signal: str = "KILL",
) -> subprocess.Popen[bytes]:
    """Start a daemon in the foreground, output to ``log``; it dies with the test run.

    The kernel sends it ``death_signal`` when the starting thread ends, however that ends.
    ``user`` drops root's rights first (only possible, and only done, as root).
    """
    setpriv = [require_peer("setpriv"), "--pdeathsig", death_signal]
    if user is not None and os.geteuid() == 0:
        setpriv += ["--reuid", user, "--regid", user, "--init-groups"]
    with log.open("ab") as out:
        return subprocess.Popen(
            [*setpriv, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(env or {})},
        )


def wait_ready(
    process: subprocess.Popen[bytes], log: Path, what: str, is_ready: Callable[[], bool]
) -> None:
    """Wait until a daemon answers; if it dies or stays silent, fail with the end of its log."""

    def ready_or_dead() -> bool:
        return process.poll() is not None or is_ready()

    try:
        wait_until(ready_or_dead, f"{what} answers")
    except AssertionError as err:
        end_process(process, signal.SIGKILL)
        raise AssertionError(f"{err}; its log ends:\n{_tail(log)}") from err
    if process.poll() is not None:
        raise AssertionError(f"{what} ended with {process.returncode}; its log ends:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])


# --- snmpd -------------------------------------------------------------------------------------


def _tlv(tag: int, value: bytes) -> bytes:
    return bytes([tag, len(value)]) + value


def sys_uptime_request(community: str) -> bytes:
    """Return an SNMPv2c GET of sysUpTime.0 in BER (RFC 3416); community of at most 60 octets."""
    oid = _tlv(0x06, bytes([0x2B, 6, 1, 2, 1, 1, 3, 0]))
    bindings = _tlv(0x30, _tlv(0x30, oid + _tlv(0x05, b"")))
    pdu = _tlv(0xA0, _tlv(0x02, b"\x01") + _tlv(0x02, b"\x00") + _tlv(0x02, b"\x00") + bindings)
    return _tlv(0x30, _tlv(0x02, b"\x01") + _tlv(0x04, community.encode()) + pdu)


@dataclass(slots=True)
class SnmpdPeer:
    """A running net-snmp agent: v2c by ``community``, v3 authPriv SHA-256/AES-128 by ``user``.

    ``restart()`` begins its sysUpTime anew on the same port; ``stop()`` leaves the port silent.
    """

    program: str
    folder: Path
    extra_config: str = ""
    host: str = "127.0.0.1"
    port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    community: str = "kiemke-read"
    user: str = "kiemke"
    auth_key: str = "auth-key-for-tests"
    priv_key: str = "priv-key-for-tests"
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port as one word."""
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Write the configuration, start snmpd and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "snmpd.conf"
        config.write_text(
            f"agentaddress udp:{self.host}:{self.port}\n"
            f"rocommunity {self.community} 127.0.0.1\n"
            f'createUser {self.user} SHA-256 "{self.auth_key}" AES "{self.priv_key}"\n'
            f"rouser {self.user} authpriv\n"
            f"{self.extra_config}\n"
        )
        log = self.folder / "snmpd.log"
        self.process = run_daemon(
            [self.program, "-f", "-Lo", "-C", "-c", str(config), "-p", str(self.folder / "pid")],
            log,
            env={"SNMP_PERSISTENT_DIR": str(self.folder / "state"), "SNMPCONFPATH": "/nonexistent"},
        )
        wait_ready(self.process, log, f"snmpd on {self.address}", self.is_answering)

    def is_answering(self) -> bool:
        """Whether a GET of sysUpTime.0 is answered within 0.2 s."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect((self.host, self.port))
                probe.send(sys_uptime_request(self.community))
                return bool(probe.recv(1500))
            except OSError:  # silence or an ICMP refusal: not yet
                return False

    def stop(self) -> None:
        """End the process; harmless when it has ended."""
        if self.process is not None:
            end_process(self.process)
            self.process = None

    def restart(self) -> None:
        """Stop and start: sysUpTime begins anew."""
        self.stop()
        self.start()


# --- postgresql --------------------------------------------------------------------------------


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Yield the URL of a new PostgreSQL cluster in ``folder``; its user may create databases.

    fsync stays on: durability is what the tests are about. As root the cluster runs as user
    ``postgres``, because PostgreSQL refuses root.
    """
    initdb, postgres = require_peer("initdb"), require_peer("postgres")
    setpriv = require_peer("setpriv")
    data, socket_folder, port = folder / "data", folder / "socket", free_port()
    password_file, password = folder / "password", os.urandom(12).hex()
    socket_folder.mkdir()
    password_file.write_text(password)
    user: list[str] = []
    if os.geteuid() == 0:
        user = [setpriv, "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        for path in (folder, socket_folder, password_file):
            shutil.chown(path, "postgres", "postgres")
    made = subprocess.run(
        [*user, initdb, "-D", str(data), "-U", "kiemke", "--pwfile", str(password_file)]
        + ["-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
    )
    assert made.returncode == 0, made.stderr
    log = folder / "postgres.log"
    log.touch()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(socket_folder),
        "max_connections": "100",
        "shared_buffers": "64MB",
        "max_wal_size": "512MB",
    }
    flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    process = run_daemon(
        [postgres, "-D", str(data), *flags], log, user="postgres", death_signal="INT"
    )
    try:
        wait_ready(process, log, "postgres", lambda: "ready to accept" in log.read_text("utf-8"))
        yield f"postgres://kiemke:{password}@127.0.0.1:{port}/postgres"
    finally:
        end_process(process, signal.SIGINT)  # fast shutdown: does not wait for clients
