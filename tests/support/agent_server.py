"""A real server with one unit, and agents of this machine enrolled there: shared by all that ask for it."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from kiemke.agent.commands import enroll
from kiemke.agent.state import AgentIdentity, StateFolder
from kiemke.server.auth_users import add_user, issue_token
from kiemke.server.context import read_clock_ms
from kiemke.server.db import Database
from kiemke.wire.enrolment import parse_token
from tests.support.api import NO_PASSWORD
from tests.support.database import sqlite_template
from tests.support.office import Office
from tests.support.server_process import ServerProcess

AGENT = (sys.executable, "-m", "kiemke.agent.main")


@dataclass(slots=True)
class AgentServer:
    """The running server and what an administrator may ask of it."""

    process: ServerProcess
    token: str

    @property
    def database(self) -> Path:
        """Where its SQLite lies."""
        return Path(self.process.database_url.removeprefix("sqlite://"))

    def ask(
        self, method: str, path: str, body: Any = None, *, content: bytes = b"", **query: Any
    ) -> Any:
        """Make one request as the administrator; return the JSON of its good answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent = content if body is None else json.dumps(body).encode()
        where = f"/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        status, data, _ = self.process.request(method, where, sent, headers)
        assert status < 300, (status, data[:500])
        return json.loads(data) if data else None

    def enrolment_token(self, uses: int = 1) -> str:
        """Return a token that admits agents and approves them."""
        asked = {"unit": "U1", "approves": True, "uses": uses, "days": 1}
        return str(self.ask("POST", "/enrolment-tokens", asked)["token"])

    def enrolled(self, state: Path, token: str | None = None) -> AgentIdentity:
        """Enrol an agent with this state folder; return who it is."""
        assert enroll.run(state, token or self.enrolment_token()) == 0
        found = StateFolder(state).identity()
        assert found is not None
        return found

    def enrolled_state(self, state: Path) -> Path:
        """Enrol an agent with this state folder; return the folder."""
        self.enrolled(state)
        return state

    def token_id(self, token: str) -> str:
        """Return the public id of an enrolment token."""
        return parse_token(token).id

    def expire(self, token: str) -> None:
        """Let an enrolment token be over, as fourteen days do."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            connection.execute(
                "UPDATE enrolment_token SET expires_at_ms = 1 WHERE public_id = ?",
                (self.token_id(token),),
            )

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what the database says."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            return connection.execute(sql, values).fetchall()

    def events(self, source: str, name: str) -> list[dict[str, str]]:
        """Return the details of a source's events of one name, in order of arrival."""
        found = self.rows(
            "SELECT e.detail_json FROM source_event e JOIN source s ON s.id = e.source_id"
            " WHERE s.public_id = ? AND e.name = ? ORDER BY e.id",
            source,
            name,
        )
        return [json.loads(row[0]) for row in found]


async def _prepare(url: str) -> str:
    """Write one unit and an administrator; return his token."""
    database = Database(url)
    await database.open()
    try:
        office = Office()
        office.add_unit(name="Văn phòng")
        await office.write_to(database)
        now_ms = read_clock_ms()
        async with database.transaction() as session:
            user_id = await add_user(
                session, name="lan", password_hash=NO_PASSWORD, role="admin", unit_id=None,
                who="test", now_ms=now_ms,
            )  # fmt: skip
            made = await issue_token(
                session, user_id=user_id, kind="api", label=None, now_ms=now_ms, hours=24
            )
        return made.token
    finally:
        await database.close()


@contextmanager
def running_agent_server(folder: Path) -> Iterator[AgentServer]:
    """Run one on SQLite in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "kiemke.sqlite"
    shutil.copyfile(asyncio.run(sqlite_template()), file)
    process = ServerProcess(folder, f"sqlite://{file}")
    token = asyncio.run(_prepare(process.database_url))
    with process:
        yield AgentServer(process, token)


def run_agent(
    *words: str, program: tuple[str, ...] = AGENT, code: int = 0
) -> "subprocess.CompletedProcess[str]":
    """Run one command of the agent to its end; it must end with ``code``."""
    done = subprocess.run(
        [*program, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def copy_state(state: Path, target: Path) -> Path:
    """Copy a state folder as an image of a disk does; return the copy."""
    shutil.copytree(state, target)
    return target
