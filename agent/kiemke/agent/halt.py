"""The wish that the service should end: rung once, from a signal handler or another thread."""

from collections.abc import Callable

from kiemke.agent.alarm import Alarm


class Halt:
    """Remembers why the service should end, and wakes whoever waits for it."""

    def __init__(self) -> None:
        """Nobody wants it to end yet."""
        self.cause: str | None = None
        self._alarm = Alarm()
        self._pass_on: Callable[[str], None] | None = None

    def ring(self, cause: str) -> None:
        """End soon; safe in a signal handler. ``cause`` is "machine" or "service"."""
        self.cause = cause
        self._alarm.ring()
        if self._pass_on is not None:
            self._pass_on(cause)

    def pass_on(self, to: Callable[[str], None]) -> None:
        """Call ``to`` with the cause when it is rung, at once if it was."""
        self._pass_on = to
        if self.cause is not None:
            to(self.cause)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait; return whether the service should end."""
        if self.cause is None:
            self._alarm.wait(timeout_seconds)
        return self.cause is not None

    def close(self) -> None:
        """Give the alarm's sockets back."""
        self._alarm.close()
