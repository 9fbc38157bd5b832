"""A sleep that a signal handler or another thread can end."""

import select
import socket


class Alarm:
    """Waits with a timeout; ``ring`` is safe in signal handlers, where locks are not."""

    def __init__(self) -> None:
        """Make the pair of sockets the ring travels through."""
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)

    def ring(self) -> None:
        """End the present wait, or the next one at once."""
        try:
            self._outside.send(b"\0")
        except OSError:
            pass  # it rings already, or nobody waits any more

    def wait(self, timeout_seconds: float) -> bool:
        """Wait; return whether it rang."""
        ready, _, _ = select.select([self._inside], [], [], max(0.0, timeout_seconds))
        if not ready:
            return False
        try:
            while self._inside.recv(4096):
                continue
        except BlockingIOError:
            pass  # drained
        return True

    def close(self) -> None:
        """Give the sockets back."""
        self._inside.close()
        self._outside.close()
