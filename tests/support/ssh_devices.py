"""Devices that speak SSH on loopback: recorded answers played back by asyncssh, and a real sshd.

A played device echoes what is typed, as real gear does, notes every line it was sent, and can be slow,
show half a prompt, hang up, or change its host key.
"""

import asyncio
import contextlib
import re
import subprocess
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from tests.support.peers import end_process, free_port, require_peer, run_daemon, wait_until
from tests.support.tree import ROOT

RECORDED = ROOT / "tests" / "recorded" / "ssh"
USER, PASSWORD = "kiemke", "pass-Pl4ntZZ"


@dataclass(slots=True)
class Recording:
    """What one device answers. ``facts`` is what ought to be read out of it."""

    prompt: str
    answers: dict[str, str]
    greeting: str = ""
    page_lines: int = 0
    facts: dict[str, str] = field(default_factory=dict)


def read_recording(name: str) -> Recording:
    """Return the recording of a platform from tests/recorded/ssh."""
    text = (RECORDED / f"{name}.txt").read_text("utf-8")
    head, *sections = re.split(r"(?m)^=== (.*)\n", text)
    found = Recording("", dict(zip(sections[::2], sections[1::2], strict=True)))
    for word, value in re.findall(r"(?m)^@(\w+) (.*)$", head):
        match word:
            case "prompt":
                found.prompt = value
            case "greeting":
                found.greeting = value
            case "more":
                found.page_lines = int(value)
            case "fact":
                fact, _, said = value.partition(" ")
                found.facts[fact] = said
    return found


@dataclass(slots=True)
class Played:
    """A running device; ``lines`` is all that was typed. The rest may be changed while it runs."""

    recording: Recording
    port: int = 0
    lines: list[str] = field(default_factory=list)
    logins: int = 0
    answer_delay_seconds: float = 0.0
    half_prompt: bool = False
    hang_up_after: str | None = None
    enabled: bool = True
    password: str = PASSWORD
    enable_password: str | None = None
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)


class _Server(asyncssh.SSHServer):
    def __init__(self, played: Played) -> None:
        self._played = played

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._played.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        # RouterOS takes options behind a plus sign.
        ok = (username.partition("+")[0], password) == (USER, self._played.password)
        self._played.logins += ok
        return ok


async def _shell(process: "asyncssh.SSHServerProcess[str]", played: Played) -> None:
    out = process.stdout
    prompt = played.recording.prompt
    if not played.enabled:
        prompt = prompt[:-1] + ">"
    if played.recording.greeting:
        out.write(played.recording.greeting + "\r\n")
    out.write("\r\n" + (prompt[: len(prompt) // 2] if played.half_prompt else prompt))
    line = ""
    with contextlib.suppress(asyncssh.Error, ConnectionError):
        while typed := await process.stdin.read(1):
            if typed not in "\r\n":
                line += typed
                continue
            if not line and typed == "\n" and played.lines[-1:] == ["\r"]:
                continue
            out.write(line + "\r\n")
            played.lines.append(line or typed)
            if played.half_prompt:
                line = ""
                continue
            if played.hang_up_after is not None and line == played.hang_up_after:
                out.write("! half of the answ")
                process.channel.get_connection().abort()
                return
            if line == "enable" and not played.enabled:
                out.write("Password: ")
                typed = (await _read_line(process)).strip()
                if played.enable_password in (None, typed):
                    prompt = played.recording.prompt
            elif line in played.recording.answers:
                await asyncio.sleep(played.answer_delay_seconds)
                await _answer(process, played.recording, played.recording.answers[line])
            elif line in ("exit", "quit", "logout"):
                process.exit(0)
                return
            out.write(prompt)
            line = ""


async def _read_line(process: "asyncssh.SSHServerProcess[str]") -> str:
    line = ""
    while (typed := await process.stdin.read(1)) not in ("", "\r", "\n"):
        line += typed
    return line


async def _answer(
    process: "asyncssh.SSHServerProcess[str]", recording: Recording, text: str
) -> None:
    lines = text.rstrip("\n").split("\n")
    step = recording.page_lines or len(lines)
    for start in range(0, len(lines), step):
        if start:
            process.stdout.write("--More-- ")
            await process.stdin.read(1)
            process.stdout.write("\r         \r")
        process.stdout.write("".join(f"{line}\r\n" for line in lines[start : start + step]))


@contextlib.asynccontextmanager
async def play(
    recording: Recording, key: asyncssh.SSHKey | None = None, port: int = 0
) -> AsyncIterator[Played]:
    """Play a device on a loopback port until the block ends; ``key`` is its host key (a new one)."""
    async with _serve(Played(recording, port), key) as played:
        yield played


@contextlib.asynccontextmanager
async def _serve(played: Played, key: asyncssh.SSHKey | None) -> AsyncIterator[Played]:
    server = await asyncssh.create_server(
        lambda: _Server(played),
        "127.0.0.1",
        played.port,
        server_host_keys=[key or asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=lambda process: _shell(process, played),
        line_editor=False,
        encoding="utf-8",
    )
    played.port = server.sockets[0].getsockname()[1]
    try:
        yield played
    finally:
        server.close()
        for connection in played.connections:
            connection.abort()
            await connection.wait_closed()
        await server.wait_closed()
        await asyncio.sleep(0)  # let the closed sockets' callbacks run


@contextlib.contextmanager
def playing(played: Played, key: asyncssh.SSHKey | None = None) -> Iterator[Played]:
    """Play a device in a thread of its own, for tests that do not run on an event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="played device")
    thread.start()
    stack = contextlib.AsyncExitStack()

    def run(work: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(30)

    try:
        run(stack.enter_async_context(_serve(played, key)))
        yield played
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running OpenSSH server that lets ``user`` in with the private key.

    With ``keys["slow"]`` the shell never says a word, with ``keys["half"]`` half a prompt;
    ``keys["strange"]`` opens nothing.
    """

    port: int
    user: str
    private_key: str
    key_file: Path
    fingerprint: str
    keys: dict[str, str]


@contextlib.contextmanager
def run_sshd(folder: Path) -> Iterator[Sshd]:
    """Run the real sshd on a loopback port, for the user of this test, until the block ends."""
    program, keygen = require_peer("sshd"), require_peer("ssh-keygen")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host", "user", "slow", "half", "strange"):
        subprocess.run(
            [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    shown = subprocess.run(
        [keygen, "-l", "-f", str(folder / "host.pub")], check=True, capture_output=True, text=True
    )
    commands = {
        "user": "",
        "slow": 'command="sleep 60" ',
        "half": 'command="printf kiem; sleep 60" ',
    }
    lines = (command + (folder / f"{name}.pub").read_text() for name, command in commands.items())
    (folder / "authorized").write_text("".join(lines))
    port = free_port()
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized\nPidFile none\nPrintMotd no\nPrintLastLog no\n"
        "PermitRootLogin yes\nPasswordAuthentication no\nSetEnv PS1=test$ \n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    log = folder / "sshd.log"
    process = run_daemon([program, "-D", "-e", "-f", str(folder / "sshd_config")], log)
    try:
        wait_until(lambda: "Server listening" in log.read_text("utf-8"), "sshd listens")
        user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True)
        keys = {name: (folder / name).read_text() for name in ("slow", "half", "strange")}
        own = (folder / "user").read_text()
        yield Sshd(port, user.stdout.strip(), own, folder / "user", shown.stdout.split()[1], keys)
    finally:
        end_process(process)
