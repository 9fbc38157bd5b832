"""`kiemke` in a real terminal (a pty): what it writes is recorded byte for byte."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Terminal:
    """One run. ``recorded`` is every byte that reached the terminal."""

    pid: int
    descriptor: int
    recorded: bytes = b""
    code: int | None = None

    @property
    def text(self) -> str:
        """What reached the terminal, as text."""
        return self.recorded.decode("utf-8", "replace")

    def _read(self, until: float) -> bool:
        """Take what is there; False at the end of the run."""
        ready, _, _ = select.select([self.descriptor], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TimeoutError(f"nothing more came; so far: {self.text!r}")
        try:
            piece = os.read(self.descriptor, 65_536)
        except OSError:  # EIO: Linux's way to say that the other side has closed
            return False
        self.recorded += piece
        return bool(piece)

    def wait_for(self, words: str) -> None:
        """Read until these words came. Raises TimeoutError."""
        until = time.monotonic() + PATIENCE_SECONDS
        while words not in self.text:
            if not self._read(until):
                raise TimeoutError(f"it ended before {words!r}: {self.text!r}")

    def type(self, keys: str) -> None:
        """Type on the keyboard."""
        os.write(self.descriptor, keys.encode())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self._read(until):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        return self.code


@contextmanager
def spawn(
    argv: Sequence[str], config_dir: Path, *, columns: int = 80, language: str = "vi"
) -> Iterator[Terminal]:
    """Run `kiemke` with a terminal of this width as its input and output."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "TERM": "xterm-256color",
        "KIEMKE_CONFIG_DIR": str(config_dir),
        "KIEMKE_LANG": language,
        "HOME": str(config_dir),
    }
    command = [sys.executable, "-m", "kiemke.cli.main", *argv]
    # A raw fork of a threaded test process may only exec; posix_spawn does just that.
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    actions = [(os.POSIX_SPAWN_DUP2, slave, fd) for fd in (0, 1, 2)]
    pid = os.posix_spawn(
        command[0],
        command,
        environment,
        file_actions=actions,
        setsid=True,
        setsigdef=[signal.SIGINT],
    )
    os.close(slave)
    terminal = Terminal(pid, master)
    try:
        yield terminal
    finally:
        if terminal.code is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(master)
