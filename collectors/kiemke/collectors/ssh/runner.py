"""The one door to netmiko: a session that logs in, runs commands of its platform's list, and ends.

Everything here blocks and belongs into a thread. No session outlives its deadline: every wait within is
cut to what is left of it, and ``abort`` closes the socket under a session that is stuck all the same.
"""

import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kiemke.collectors.errors import PollError
from kiemke.collectors.ssh.hostkeys import HostKeys, Pinned, as_pinned, host_name
from kiemke.collectors.ssh.login import Host, SshCredential, SshError
from kiemke.collectors.ssh.mask import MASK
from kiemke.collectors.ssh.netmiko_session import Broken, TooMuch, make_session
from kiemke.collectors.ssh.platform import Platform, load_general
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.host_key import split_key

CONNECT_SECONDS = 10.0
SHOWN_CHARACTERS = 60
LONGEST_PROMPT = 400
READ_PAUSE_SECONDS = 0.02
# A prompt is the end when nothing follows it; where no echo was seen (none comes), only after longer.
SETTLE_SECONDS = 0.05
MUTE_SECONDS = 3.0

# Both write what passes between us and a device into the log, which is no place for it.
logging.getLogger("netmiko").setLevel(logging.CRITICAL)
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class CommandRunner:
    """One session with one device. Use it as a context manager, in a thread."""

    def __init__(
        self,
        platform: Platform,
        host: Host,
        credential: SshCredential,
        keys: HostKeys,
        budget_seconds: float,
        trace: Trace = no_trace,
    ) -> None:
        self._platform = platform
        self._host = host
        self._credential = credential
        self._keys = keys
        self._ends_at = time.monotonic() + budget_seconds
        self._trace = trace
        self._aborted = threading.Event()
        self._socket: socket.socket | None = None
        self._session: Any = None
        self._phase = "connect"
        self._tail = ""
        self.prompt = ""
        self.pinned: Pinned | None = None

    @property
    def user(self) -> str:
        """Return who logs in."""
        return self._credential.user

    @property
    def left_seconds(self) -> float:
        """What is left of the deadline, at least a little: 0 would mean "for ever" to the libraries."""
        return max(0.05, self._ends_at - time.monotonic())

    def abort(self) -> None:
        """End the session from another thread, whatever it waits for."""
        self._aborted.set()
        if self._socket is not None:
            with _quiet():
                self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "CommandRunner":
        """Log in. Raises SshError."""
        try:
            with self._outcomes():
                self._connect()
        except SshError:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the session politely, as far as its time allows."""
        if self._session is not None and not self._aborted.is_set():
            with _quiet():
                self._ends_at = min(self._ends_at, time.monotonic() + 2.0)
                self._session.write_channel(self._session.kiemke_goodbye)
        self.close()

    def close(self) -> None:
        """Close the connection; nothing is waited for."""
        if self._session is not None:
            with _quiet():
                self._session.paramiko_cleanup()
        if self._socket is not None:
            with _quiet():
                self._socket.close()

    def run(self, command: str) -> str:
        """Return a command's answer, without echo and prompt. Raises SshError; ValueError off the list."""
        if command not in self._platform.commands:
            raise ValueError(f"{command!r} is not on the list of {self._platform.name}")
        begun = time.monotonic()
        self._phase = f'"{command}"'
        with self._outcomes():
            answer = self._ask(command)
        seconds = round(time.monotonic() - begun, 3)
        self._trace(
            "command", {"command": command, "lines": answer.count("\n"), "seconds": seconds}
        )
        head = "\n".join(answer.strip().splitlines()[:3])
        if len(answer) < 400 and any(
            pattern.search(line) for line in head.splitlines() for pattern in load_general().refused
        ):
            raise self._error(
                "refused",
                f"the device refuses {command!r}: {self._shown(head)[:SHOWN_CHARACTERS]!r}",
            )
        return answer

    def _ask(self, command: str) -> str:
        """Type a command and return what comes between its echo and the next prompt.

        Only what follows the echo counts: a prompt that was late belongs to an earlier line, and
        taking it for an end would shift every answer by one.
        """
        session, more = self._session, self._platform.more
        ended = re.compile(rf"(?:\A|\n)[ \t]*{re.escape(self.prompt)}[ \t]*\Z")
        echo = re.compile(r"\s*".join(map(re.escape, command.replace(" ", ""))) + r"[^\S\n]*\n")
        paged = re.compile(rf"\r?{more}[^\n]*\Z") if more else None
        session.write_channel(session.normalize_cmd(command))
        text, start, quiet_since = "", None, time.monotonic()
        while True:
            piece = session.read_channel()
            if piece:
                text, quiet_since = text + piece, time.monotonic()
                continue
            if start is None:
                match = echo.search(text)
                start = match.end() if match else None
            quiet_seconds = time.monotonic() - quiet_since
            from_where = 0 if start is None else start
            tail = text[max(from_where, len(text) - LONGEST_PROMPT) :]
            if paged is not None and (page := paged.search(tail)):
                text = text[: len(text) - len(page.group())]
                session.write_channel(" ")
                quiet_since = time.monotonic()
            elif ended.search(tail) and quiet_seconds > (SETTLE_SECONDS if start else MUTE_SECONDS):
                break
            time.sleep(READ_PAUSE_SECONDS)
        answer = ended.sub("", text[from_where:])
        # RouterOS draws its line again and again: what still ends in the command is echo.
        first, newline, rest = answer.partition("\n")
        return rest if newline and first.rstrip().endswith(command) else answer

    def _connect(self) -> None:
        where = (self._host.address, self._host.port)
        limit = min(CONNECT_SECONDS, self.left_seconds)
        self._socket = socket.create_connection(where, timeout=limit)
        if self._aborted.is_set():
            raise Broken("stopped")
        self._phase = "log in"
        name = host_name(self._host.address, self._host.port)
        kept = self._keys.all().get(name)
        self.pinned = kept if self._host.host_key is None else as_pinned(self._host.host_key)
        self._session = make_session(
            self._platform,
            self._host,
            self._credential,
            self._socket,
            self.left_seconds,
            pinned=self.pinned,
            on_new_key=lambda kind, key: self._pin(name, kind, key),
            on_read=self._check,
            on_shell=self._note_shell,
        )
        self._session.kiemke_open()
        self.prompt = self._session.find_prompt().strip()
        if kept is not None and self.pinned is not None and kept.key != self.pinned.key:
            self._pin(name, *split_key(f"{self.pinned.type} {self.pinned.key}"))
        self._trace("logged in", {"host": name, "left_seconds": round(self.left_seconds, 1)})

    def _pin(self, name: str, kind: str, key: bytes) -> None:
        self.pinned = self._keys.pin(name, kind, key)
        self._trace("host key pinned", {"host": name, "fingerprint": self.pinned.fingerprint})

    def _note_shell(self) -> None:
        self._phase = "prompt"

    def _check(self, text: str, is_over: bool) -> None:
        """Look at each piece that is read: is there time, is there an end, is it too much?"""
        if self._aborted.is_set() or time.monotonic() >= self._ends_at:
            raise TimeoutError
        if text:
            self._tail = (self._tail + text)[-SHOWN_CHARACTERS:]
        elif is_over:
            raise Broken("the device closed the connection")

    def _shown(self, text: str) -> str:
        """Return what a device said without our own secrets: some echo what they are given."""
        given = (self._credential.password, self._credential.enable_password)
        for value in (each.reveal() for each in given if each is not None):
            text = text.replace(value, MASK) if value else text
        return text

    def _error(self, outcome: str, detail: str, host_key: str | None = None) -> SshError:
        host = host_name(self._host.address, self._host.port)
        return SshError(host, outcome, detail, host_key)

    @contextmanager
    def _outcomes(self) -> Iterator[None]:
        """Turn whatever the libraries raise into one SshError."""
        try:
            yield
        except PollError:
            raise
        except Exception as err:  # netmiko and paramiko raise what they like
            raise self._told(err) from err

    def _told(self, err: Exception) -> SshError:
        from kiemke.collectors.ssh.netmiko_session import changed_key, is_auth, is_lost

        seen = changed_key(err)
        if seen is not None:
            return self._changed(*seen)
        if is_auth(err):
            return self._error(
                "auth", f"the device refuses user {self._credential.user} with this password or key"
            )
        if isinstance(err, TooMuch):
            return self._error("error", str(err))
        if self._aborted.is_set():
            return self._error("timeout", "stopped before it was done")
        if self._phase == "connect":
            return self._connect_error(err)
        if is_lost(err):
            return self._error(
                "disconnected", f"the device closed the connection at: {self._phase}"
            )
        if self._phase == "prompt":
            return self._error(
                "prompt",
                "logged in, but no prompt was recognised; the last that came was "
                f"{self._shown(self._tail.strip())!r}: is {self._platform.name} the right platform?",
            )
        return self._error(
            "timeout", f"no whole answer in time at: {self._phase} ({type(err).__name__})"
        )

    def _changed(self, kind: str, key: bytes) -> SshError:
        now = Pinned.of(kind, key)
        known = self.pinned.fingerprint if self.pinned else "unknown"
        remedy = (
            f"run kiemke-collector hostkey forget {self._host.address}"
            if self._host.host_key is None
            else "compare it with the device's own and run kiemke device host-key accept"
        )
        detail = (
            f"the host key changed: {now.fingerprint}, pinned is {known}; if the device was "
            f"replaced, {remedy}"
        )
        return self._error("host_key", detail, now.line)

    def _connect_error(self, err: Exception) -> SshError:
        if isinstance(err, TimeoutError):
            return self._error("timeout", "no answer to the connection")
        if isinstance(err, OSError):
            return self._error("unreachable", err.strerror or type(err).__name__)
        return self._error("error", type(err).__name__)


@contextmanager
def _quiet() -> Iterator[None]:
    try:
        yield
    except Exception as err:  # noqa: BLE001  # on the way out nothing more can be done about it
        logging.getLogger(__name__).debug("closing", extra={"reason": type(err).__name__})
