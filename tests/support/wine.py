"""A Windows PC of a test's own: Wine, the real CPython for Windows, psutil's build and the agent."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kiemke.cli import session as cli_session
from kiemke.server.auth_users import add_user, issue_token
from kiemke.server.db import Session
from packages import windows_tree
from tests.support.database import fresh_database
from tests.support.peers import require_peer
from tests.support.reporting import add_unit, insert
from tests.support.server_process import ServerProcess
from tests.support.tree import ROOT

CACHE = ROOT / ".cache" / "wine"
TIMEOUT_SECONDS = 120
STATE = r"C:\ProgramData\kiemke-agent"


@dataclass(slots=True)
class WindowsPc:
    """One Wine prefix and the agent's folder in it. Paths given to programs are Windows paths.

    Standard streams are always pipes: CPython for Windows cannot use a Linux file under Wine.
    """

    wine: str
    prefix: Path
    program: Path

    @property
    def drive(self) -> Path:
        """Where C: lies."""
        return self.prefix / "drive_c"

    def environment(self) -> dict[str, str]:
        """Return what Wine needs; no display, no chatter."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | {
            "WINEPREFIX": str(self.prefix),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "DISPLAY": "",
            "LC_ALL": "C.UTF-8",
        }

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a Windows program; all three streams are pipes."""
        return subprocess.Popen(
            [self.wine, *words],
            env=self.environment(),
            cwd=self.drive,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a Windows program to its end; output is UTF-8 with CR taken off."""
        with self.start(*words) as process:
            try:
                out, err = process.communicate(text.encode(), TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(
            words, process.returncode, _unix(out), _own_words(_unix(err))
        )

    def agent_words(self, *words: str) -> list[str]:
        """Return the command of the agent in this PC."""
        return [str(self.program / "python.exe"), "-m", "kiemke.agent.main", *words]

    def agent(self, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run one command of the agent."""
        return self.run(*self.agent_words(*words), text=text)

    def python(self, code: str) -> "subprocess.CompletedProcess[str]":
        """Run a few lines in the PC's CPython."""
        return self.run(str(self.program / "python.exe"), "-c", code)

    def import_registry(self, file: Path) -> None:
        """Import a .reg file by ``regedit``."""
        done = self.run("regedit", "/S", windows_path(file))
        assert done.returncode == 0, done.stderr

    def shut_down(self) -> None:
        """End all that runs in this prefix, and nothing else."""
        words = [require_peer("wineserver"), "-k"]
        subprocess.run(words, env=self.environment(), timeout=30, check=False)


def windows_path(path: Path) -> str:
    """Return a Linux path as Windows programs under Wine see it."""
    return "Z:" + str(path).replace("/", "\\")


def _unix(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def _own_words(text: str) -> str:
    """Return the lines that are not Wine's own."""
    return "".join(
        line
        for line in text.splitlines(keepends=True)
        if not line.startswith(("wine: ", "it looks "))
    )


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Hold a lock among the test workers."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _call(words: Sequence[str], prefix: Path) -> None:
    pc = WindowsPc(words[0], prefix, prefix)
    subprocess.run(
        words, env=pc.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,  # what stays would hold a pipe open
        timeout=TIMEOUT_SECONDS, check=True,
    )  # fmt: skip


def pristine_prefix(wine: str) -> Path:
    """Return a Wine prefix that is Windows 10 and nobody has used; made once in .cache."""
    said = subprocess.run([wine, "--version"], capture_output=True, text=True, check=True)
    prefix = CACHE / said.stdout.split()[0]
    with _alone("prefix"):
        if not prefix.is_dir():
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as made:
                fresh = Path(made) / "prefix"
                _call([wine, "wineboot", "-i"], fresh)
                _call([wine, "winecfg", "-v", "win10"], fresh)
                WindowsPc(wine, fresh, fresh).shut_down()
                fresh.replace(prefix)
    return prefix


@contextlib.contextmanager
def running_pc() -> Iterator[WindowsPc]:
    """Yield a PC with the agent's folder as the installer would lay it, the agent not installed.

    Its files are hard links to those of the pristine prefix, its registry is its own.
    """
    wine = require_peer("wine")
    pristine = pristine_prefix(wine)
    home = Path(tempfile.mkdtemp(dir=CACHE, prefix="pc-"))
    pc = WindowsPc(wine, home / "prefix", home / "agent")
    try:
        subprocess.run(["cp", "-al", str(pristine), str(pc.prefix)], check=True)
        for registry in pc.prefix.glob("*.reg"):  # the one thing Wine writes in its place
            registry.unlink()
            shutil.copy(pristine / registry.name, registry)
        with _alone("tree"):
            windows_tree.build(pc.program)
        # It lives on between two commands: starting it anew takes seconds.
        _call([require_peer("wineserver"), "-p"], pc.prefix)
        _call([wine, "wineboot"], pc.prefix)
        yield pc
    finally:
        pc.shut_down()
        shutil.rmtree(home, ignore_errors=True)


def msi_table(installer: Path, name: str) -> dict[str, list[str]]:
    """Return a table of the installer, by the first column."""
    done = subprocess.run(
        [require_peer("msiinfo"), "export", str(installer), name],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split("\t") for line in done.stdout.splitlines()[3:]]
    return {line[0]: line[1:] for line in lines}


def kill_tree(process: "subprocess.Popen[bytes]") -> None:
    """End a started program at once, as a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


# --- a server for it ---------------------------------------------------------------------------


_API_TOKENS: dict[str, str] = {}  # of the administrator, by the database's URL


ROSTER = ("Nguyễn Văn An", "Trần Thị Bình", "Trần Đức Cường")


async def _add_official(session: Session, unit: int, code: str, name: str) -> None:
    official = await insert(
        session, "official", code=code, name=name, sort_key=code, search_key=name.lower(),
        created_at_ms=0,
    )  # fmt: skip
    await insert(
        session, "membership", valid_from=date(2020, 1, 1), recorded_at_ms=0, official_id=official,
        unit_id=unit, kind="cong_chuc", post="Công chức", is_primary=True,
    )  # fmt: skip


async def _database(folder: Path) -> str:
    """Return the URL of a new migrated database that has a unit X1 and an administrator "an"."""
    now_ms = time.time_ns() // 1_000_000
    async with fresh_database("sqlite", folder, None) as database:
        async with database.transaction() as session:
            unit = await add_unit(session, "X1")
            for number, name in enumerate(ROSTER, 1):
                await _add_official(session, unit, f"CB{number:03}", name)
            user = await add_user(
                session,
                name="an",
                password_hash="",
                role="admin",
                unit_id=None,
                who="test",
                now_ms=now_ms,
            )
            made = await issue_token(
                session, user_id=user, kind="api", label=None, now_ms=now_ms, hours=24
            )
        _API_TOKENS[database.url] = made.token
        return database.url


@contextlib.contextmanager
def running_server(folder: Path, host: str = "127.0.0.1") -> Iterator[ServerProcess]:
    """Yield a real server that has a unit X1 and an administrator."""
    # Not by its own commands: each is a program that takes seconds to start.
    with ServerProcess(folder, asyncio.run(_database(folder)), host=host) as made:
        yield made


def ask(server: ServerProcess, method: str, path: str, body: object = None) -> Any:
    """Ask the REST API as the administrator; return what it says."""
    headers = {
        "Authorization": f"Bearer {_API_TOKENS[server.database_url]}",
        "Content-Type": "application/json",
    }
    raw = b"" if body is None else json.dumps(body).encode()
    status, answer, _ = server.request(method, f"/api/v1{path}", raw, headers)
    assert status in (200, 201), answer
    return json.loads(answer)


def sign_in(server: ServerProcess, config_dir: Path) -> None:
    """Leave a session of the administrator for the command line."""
    url = f"https://127.0.0.1:{server.port}"
    made = cli_session.Session(
        url,
        _API_TOKENS[server.database_url],
        "an",
        "admin",
        server.root_pem,
        None,
        None,
        25_200,
        False,
    )
    cli_session.save(config_dir, made)


def enrolment_token(server: ServerProcess, kind: str = "agent", via: str | None = None) -> str:
    """Make a token for agents (or collectors) of unit X1, by the server's own API."""
    asked = {"unit": "X1", "kind": kind, "uses": 9, "approves": True, "via": [via] if via else []}
    token: str = ask(server, "POST", "/enrolment-tokens", asked)["token"]
    return token


def rows(server: ServerProcess, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Read from the server's database."""
    path = server.database_url.removeprefix("sqlite://")
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(sql, values).fetchall()


def events(server: ServerProcess, source: int) -> list[str]:
    """Return the names of a source's events, oldest first."""
    found = rows(server, "SELECT name FROM source_event WHERE source_id = ? ORDER BY id", source)
    return [name for (name,) in found]


def reporting(server: ServerProcess) -> set[int]:
    """Return the sources whose sample has arrived."""
    found = rows(server, "SELECT source_id FROM source_now WHERE last_sample_json IS NOT NULL")
    return {source for (source,) in found}
