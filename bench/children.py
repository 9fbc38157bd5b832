"""Programs the demo and the benches start: each with its own log, ended by its own pid."""

import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 180.0  # a machine may be loaded; what takes longer has hung
PR_SET_PDEATHSIG = 1  # prctl(2)
# Below 32768, where Linux begins with any port (net.ipv4.ip_local_port_range); in an order of this
# process's own, whatever the seed of a test.
_PORTS = random.SystemRandom().sample(range(20_000, 32_000), 12_000)
PLACES = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


class ChildError(Exception):
    """A program did not do what it was started for; the message ends with its last words."""


def program(name: str) -> str:
    """Return the path of one of kiemke's programs in the running environment."""
    return str(Path(sys.executable).parent / name)


def find_program(name: str) -> str | None:
    """Return the path of a program of the system, None when there is none."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{PLACES}")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 that nobody holds (``kind`` SOCK_DGRAM for UDP), each one once.

    It is none of those the kernel gives to whoever asks for any port: nobody takes it by chance
    before its program listens, or while that one is away. Raises ChildError.
    """
    while _PORTS:
        port = _PORTS.pop()
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise ChildError("no free port below 32000 on 127.0.0.1")


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without settings of a kiemke installed on this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KIEMKE_")}
    return {**kept, **(more or {})}


def run_once(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    text: str = "",
    timeout_seconds: float = PATIENCE_SECONDS,
) -> str:
    """Run a program to its end and return what it printed. Raises ChildError."""
    try:
        ended = subprocess.run(
            command, env=environment, input=text, capture_output=True, text=True,
            timeout=timeout_seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ChildError(f"{command[0]}: not done after {timeout_seconds:g} s") from error
    if ended.returncode != 0:
        said = (ended.stderr or ended.stdout)[-2000:]
        raise ChildError(f"{' '.join(command[:3])} ended with {ended.returncode}:\n{said}")
    return ended.stdout


def _die_with_parent() -> None:
    """Ask the kernel to end this child when the demo ends, however it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Children:
    """Programs that run until ``end``; logs lie in ``folder``."""

    folder: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program; its output goes to ``NAME.log``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as out:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is ours: we end them, in order
                preexec_fn=_die_with_parent,
            )
        self._running[name] = process
        return process

    def log(self, name: str) -> Path:
        """Return the path of a program's log."""
        return self.folder / f"{name}.log"

    def pid(self, name: str) -> int:
        """Return the process id of a program that was started."""
        return self._running[name].pid

    def check(self) -> None:
        """Raise ChildError when a program has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ChildError(f"{name} ended with {process.returncode}:\n{self.tail(name)}")

    def tail(self, name: str) -> str:
        """Return the last lines a program wrote."""
        lines = self.log(name).read_text("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-12:])

    def wait_until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until a condition is so while all programs live. Raises ChildError."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            self.check()
            if time.monotonic() > end:
                raise ChildError(f"{what}: not so after {PATIENCE_SECONDS:g} s")
            time.sleep(0.05)

    def end(self) -> None:
        """End every program, newest first: politely, then for certain."""
        for name in reversed(list(self._running)):
            process = self._running.pop(name)
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15.0)
                except subprocess.TimeoutExpired:
                    process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5.0)


def is_listening(port: int) -> bool:
    """Whether something accepts connections on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True
