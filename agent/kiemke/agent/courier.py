"""The thread that posts: on time, at once when rung for, and no sooner than a back-off allows."""

import sqlite3
import threading
from collections.abc import Callable

from kiemke.agent.journal import warn
from kiemke.wire.chance import Chance, SystemChance
from kiemke.wire.client import Attempt, Outcome, Sender
from kiemke.wire.outbox import OutboxError

DRAIN_SECONDS = 120.0
JITTER_RATIO = 0.1  # posts of a building that was switched on together drift apart
BROKEN_OUTBOX_WAIT_SECONDS = 60.0


def rest_after(attempt: Attempt, interval_seconds: float, chance: Chance) -> float:
    """Return the seconds until the next post: what the attempt asks for, else nearly an interval."""
    return attempt.wait_seconds or interval_seconds * chance.uniform(1.0 - JITTER_RATIO, 1.0)


class Courier:
    """Runs a Sender in a thread of its own."""

    def __init__(
        self,
        sender: Sender,
        interval_seconds: Callable[[], float],
        on_attempt: Callable[[Attempt], None],
        first_wait_seconds: float = 0.0,
    ) -> None:
        """Prepare; ``first_wait_seconds`` spreads the first contacts of many machines."""
        self._sender = sender
        self._interval_seconds = interval_seconds
        self._on_attempt = on_attempt
        self._first_wait_seconds = first_wait_seconds
        self._changed = threading.Condition()
        self._hurried = False
        self._stopping = False
        self._chance = SystemChance()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin posting."""
        self._thread.start()

    def hurry(self) -> None:
        """Post at once, or when the back-off that runs is over."""
        with self._changed:
            self._hurried = True
            self._changed.notify()

    def stop(self, timeout_seconds: float) -> bool:
        """Post what waits a last time and end; return whether it ended in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        """Post until told to stop."""
        wait = self._first_wait_seconds
        may_hurry = wait == 0.0
        while True:
            self._sleep(wait, may_hurry)
            if self._stopping and not may_hurry:
                return  # a back-off: the server is away, or does not want us now
            attempt = self._attempt()
            self._on_attempt(attempt)
            if self._stopping:
                return
            may_hurry = attempt.wait_seconds == 0.0
            wait = rest_after(attempt, self._interval_seconds(), self._chance)

    def _sleep(self, seconds: float, may_hurry: bool) -> None:
        """Sleep; a call to hurry ends it when that is allowed, a call to stop always."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or (may_hurry and self._hurried), timeout=seconds
            )
            self._hurried = False

    def _attempt(self) -> Attempt:
        """Return what became of posting all that waits."""
        try:
            return self._sender.drain(DRAIN_SECONDS)
        except (OutboxError, sqlite3.Error) as err:
            warn("outbox cannot be used", reason=str(err))
            return Attempt(Outcome.RETRY, BROKEN_OUTBOX_WAIT_SECONDS, str(err))
