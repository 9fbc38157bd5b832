"""`kiemke-collector service`: the collector under the service manager of Windows."""

import argparse
import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.kept_token import keep_token, read_token_file
from kiemke.collectors.logs import set_up_logs
from kiemke.collectors.state import make_state
from kiemke.collectors.tongue import say
from kiemke.wire.windows_service import host, manager, owner
from kiemke.wire.windows_service.folders import system_program

NAME = "kiemke-collector"
LOG_FILE = "collector.log"
VERBS = ("install", "uninstall", "start", "stop", "run", "setup")
NET_SECONDS = 60.0


class Bell:
    """The wish that the collector should end: rung by another thread, heard on the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rung = False
        self._hear: Callable[[], object] | None = None
        self._ended = threading.Event()

    def ring(self, cause: str) -> None:
        """End soon; ``cause`` is "machine" or "service"."""
        with self._lock:
            self._rung = True
            self._ended.set()
            if self._hear is not None:
                self._hear()

    def attach(self, stop: asyncio.Event) -> None:
        """Set ``stop`` when it is rung, at once if it was; call it on the loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._hear = lambda: loop.call_soon_threadsafe(stop.set)
            if self._rung:
                stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, and no longer than until it is rung; return whether it was."""
        return self._ended.wait(seconds)

    def detach(self) -> None:
        """Hear nothing any more: the loop ends."""
        with self._lock:
            self._hear = None


def entry(program: Path, state: Path) -> manager.Service:
    """Return the service that runs the collector with its files in ``state``."""
    return manager.Service(
        NAME,
        "kiemke collector",
        "Polls the office's network gear by SNMP and SSH and tells the office's server.",
        f'"{program}" -m kiemke.collectors.main --state "{state}" service run',
    )


def add_service_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    service = commands.add_parser("service", help="run as a Windows service (on Linux: systemd)")
    service.add_argument(
        "verb",
        choices=VERBS,
        help='"run" is what the service manager starts, "setup" what the installer runs',
    )
    service.add_argument(
        "--token", default="", help="setup: enrol with it as soon as the server answers"
    )
    service.add_argument(
        "--token-file", default="", metavar="FILE", help="setup: it is there; deleted after use"
    )


def run_service(given: argparse.Namespace, run: Callable[[Bell], int]) -> int:
    """Do one of VERBS; ``run`` is the collector itself until the bell is rung. Raises ConfigError."""
    state: Path = given.state
    if sys.platform != "win32":
        raise ConfigError(
            "only Windows has this service manager; on Linux: systemctl (docs/packages.md)"
        )
    try:
        match given.verb:
            case "install":
                return _install(state)
            case "uninstall":
                manager.remove(NAME)
                say(f"{NAME} is no service any more; {state} is kept, delete it to forget all")
                return 0
            case "run":
                return _serve(state, run)
            case "setup":
                return _setup(state, given.token, given.token_file)
        return _net(given.verb)
    except OSError as err:
        raise ConfigError(f"service {given.verb}: {err}; run this as administrator") from err


def _setup(state: Path, token: str, token_file: str) -> int:
    """Mend the entry that the installer made, and keep a token for the service. Raises ConfigError."""
    _prepare(state)
    given = token.strip()
    keep_token(state, given or read_token_file(token_file))
    if token_file and not given:
        try:
            Path(token_file).unlink()
        except OSError as err:
            say(f"{token_file}: not deleted ({err}); delete it, it admits", sys.stderr)
    return 0


def _install(state: Path) -> int:
    """Make the service; nothing is started."""
    _prepare(state)
    say(f"{NAME} starts with Windows; next: kiemke-collector service start, then enroll TOKEN")
    return 0


def _prepare(state: Path) -> None:
    """Make or mend the entry, close the folder to others."""
    program = Path(sys.executable).with_name(f"{NAME}-service.exe")  # the installer's
    refused = manager.install(entry(program if program.exists() else Path(sys.executable), state))
    aside = owner.secure(state, NAME)
    make_state(state)
    if aside is not None:
        say(f"{state} was not ours alone; it lies in {aside} now and is not used", sys.stderr)
    for name in refused:
        say(f"service: {name} could not be set", sys.stderr)


def _net(verb: str) -> int:
    """Start or stop it by Windows' own program, which waits until it is done."""
    done = subprocess.run(  # noqa: S603 - Windows' own program, words of ours
        [system_program("net"), verb, NAME],
        capture_output=True, text=True, errors="replace", check=False, timeout=NET_SECONDS,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    said = (done.stdout or done.stderr).strip()
    say(said, sys.stderr if done.returncode else sys.stdout)
    return 1 if done.returncode else 0


def _serve(state: Path, run: Callable[[Bell], int]) -> int:
    bell = Bell()

    def work() -> int:
        set_up_logs()  # once more: into the file that stands for the console
        return run(bell)

    return host.serve(NAME, state / LOG_FILE, work, bell.ring)
