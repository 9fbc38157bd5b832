"""The server's root is replaced under a running agent: those who learned the next one go on."""

import asyncio
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from kiemke.agent.state import StateFolder
from kiemke.server import serve
from kiemke.server.app import create_app
from kiemke.server.ca import make_next_root, renew_leaf, server_context, switch_root
from kiemke.server.db import Database
from kiemke.server.settings import make
from kiemke.wire.enrolment import make_token
from kiemke.wire.pin import der_sha256
from tests.support.database import sqlite_template
from tests.support.peers import wait_until
from tests.support.reporting import add_unit, insert
from tests.support.server_process import ServerProcess

AGENT = (sys.executable, "-m", "kiemke.agent.main")
FAR_MS = 4_000_000_000_000  # the year 2096
USES = 9


@contextmanager
def serving(folder: Path, template: str) -> Iterator[ServerProcess]:
    """Run a server with a copy of a migrated SQLite in ``folder`` for the length of a block."""
    file = folder / "data" / "kiemke.sqlite"
    file.parent.mkdir()
    shutil.copyfile(template, file)
    server = ServerProcess(file.parent, f"sqlite://{file}")
    with server:
        yield server


async def make_pasted_token(server: ServerProcess) -> str:
    """Put an enrolment token into the server's database and return what a person pastes."""
    database = Database(server.database_url)
    await database.open()
    public_id, secret = secrets.token_hex(8), secrets.token_urlsafe(24)
    try:
        async with database.transaction() as session:
            await insert(
                session,
                "enrolment_token",
                public_id=public_id,
                secret_sha256=sha256(secret.encode()).hexdigest(),
                kind="agent",
                unit_id=await add_unit(session),
                uses_left=USES,
                expires_at_ms=FAR_MS,
                approves=True,
                created_at_ms=0,
            )
    finally:
        await database.close()
    return as_pasted(server, public_id, secret)


def as_pasted(server: ServerProcess, public_id: str, secret: str) -> str:
    return make_token(
        (f"https://127.0.0.1:{server.port}",), public_id, secret, der_sha256(server.root_pem)
    )


def agent(state: Path, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run one command of the agent to its end."""
    return subprocess.run(
        [*AGENT, words[0], "--state", str(state), *words[1:]],
        input=text, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def pins(state: Path) -> tuple[str | None, str | None]:
    """Return the agent's roots, in use and next, as hashes."""
    known = StateFolder(state).identity()
    assert known is not None
    pair = (known.ca_current_pem, known.ca_next_pem)
    current, following = (None if pem is None else der_sha256(pem) for pem in pair)
    return current, following


def told_hash(printed: str) -> str:
    """Return the hash in what ``kiemke-server ca`` printed, as the agent writes it."""
    line = next(line for line in printed.splitlines() if "SHA-256" in line)
    return line.split()[-1].replace(":", "").lower()


@pytest.fixture
def awake(tmp_path: Path) -> Path:
    return tmp_path / "awake"


@pytest.fixture
def asleep(tmp_path: Path) -> Path:
    return tmp_path / "asleep"


async def test_who_learned_the_next_root_goes_on_and_who_slept_is_told_what_to_do(
    tmp_path: Path, awake: Path, asleep: Path
) -> None:
    """A root is replaced once in years, and a fleet that cannot follow has to be visited."""
    with serving(tmp_path, await sqlite_template()) as server:
        pasted = await make_pasted_token(server)
        for state in (awake, asleep):
            enrolled = agent(state, "enroll", "-", text=pasted + "\n")
            assert enrolled.returncode == 0, enrolled.stderr
            assert agent(state, "run", "--once").returncode == 0
        old = der_sha256(server.root_pem)
        assert pins(awake) == (old, None)

        new = told_hash(server.run("ca", "next"))
        server.stop()
        server.start()
        assert agent(awake, "run", "--once").returncode == 0
        assert pins(awake) == (old, new), "the next root came with the answer"

        assert told_hash(server.run("ca", "switch")) == new
        server.stop()
        server.start()
        assert der_sha256(server.root_pem) == new
        posted = agent(awake, "run", "--once")
        assert posted.returncode == 0, posted.stderr
        assert pins(awake) == (new, None), "what proved the server is now the root in use"

        refused = agent(asleep, "run", "--once")
        assert refused.returncode == 1
        assert pins(asleep) == (old, None)
        said = agent(asleep, "status")
        assert said.returncode == 1
        assert (
            "not proved by the root certificate known here" in said.stdout
            and "--repin" in said.stdout
        )

        mended = as_pasted(server, "any", "any")
        assert agent(asleep, "enroll", "--repin", mended).returncode == 0
        assert agent(asleep, "run", "--once").returncode == 0
        assert pins(asleep) == (new, None)


async def test_a_running_server_takes_a_new_root_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own check, every few seconds, on the files another process has changed."""
    monkeypatch.setattr(serve, "AUTHORITY_CHECK_SECONDS", 0.02)
    settings = make(
        {"data_dir": str(tmp_path), "database_url": f"sqlite://{tmp_path / 'k.sqlite'}"}
    )
    services = create_app(settings).state.services
    first = services.authority
    renew_leaf(first, (), datetime.now(UTC))
    context = server_context(first)
    keeper = asyncio.create_task(serve._keep_authority(settings, services, context))
    try:
        following = await asyncio.to_thread(make_next_root, first.folder)
        await asyncio.to_thread(
            wait_until, lambda: services.authority.upcoming == following, "next"
        )
        await asyncio.to_thread(switch_root, first.folder)
        await asyncio.to_thread(
            wait_until, lambda: services.authority.root_sha256 == following.sha256, "switch"
        )
    finally:
        keeper.cancel()

    assert services.authority.upcoming is None
    assert first.leaf_file.read_text().endswith(following.pem)
