"""What tests of the sending side share: a clock set by hand, small reports, credentials."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kiemke.wire.client import Credentials
from kiemke.wire.outbox import Outbox
from kiemke.wire.pin import Pins, parse_address
from kiemke.wire.report import Event, Report
from tests.support.tls_server import Certificates


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only when told. ``asleep_seconds`` is the suspended part of the uptime."""

    boot_id: str = "0d6f2c1e-1111-4222-8333-944455556666"
    moment: datetime = field(default_factory=lambda: datetime(2026, 3, 10, 1, 0, tzinfo=UTC))
    up_seconds: float = 1000.0
    asleep_seconds: float = 0.0

    def now(self) -> datetime:
        """Return the wall clock."""
        return self.moment

    def uptime_seconds(self) -> float:
        """Return the uptime, suspend included."""
        return self.up_seconds

    def awake_seconds(self) -> float:
        """Return the uptime without suspend."""
        return self.up_seconds - self.asleep_seconds

    def pass_time(self, seconds: float, *, asleep: bool = False) -> None:
        """Let time go by, awake or suspended."""
        self.moment += timedelta(seconds=seconds)
        self.up_seconds += seconds
        if asleep:
            self.asleep_seconds += seconds


def event(clock: ManualClock, text: str = "tester") -> Report:
    """Return a small report that says ``text``."""
    return Report(
        stream=0,
        seq=0,
        boot_id=clock.boot_id,
        at=clock.now(),
        uptime_seconds=clock.uptime_seconds(),
        kind="event",
        body=Event("session", {"user": text, "change": "began"}),
    )


def credentials(certificates: Certificates, *urls: str) -> Credentials:
    """Return the credentials of one enrolled sender."""
    addresses = tuple(parse_address(url) for url in urls)
    return Credentials("src-1", "c2VjcmV0", addresses, Pins(certificates.root_pem))


def numbers(outbox: Outbox) -> list[tuple[int, int]]:
    """Return (stream, seq) of all that waits, in order."""
    return [(one.stream, one.seq) for one in outbox.head(100_000, 1 << 40)]


def users(outbox: Outbox) -> list[str]:
    """Return what each waiting ``event`` says, in order."""
    return [json.loads(one.body)["body"]["detail"]["user"] for one in outbox.head(1000, 1 << 30)]


def losses_told(outbox: Outbox) -> list[dict[str, str]]:
    """Return the details of the outbox's own events that wait."""
    bodies = [json.loads(one.body)["body"] for one in outbox.head(100_000, 1 << 40)]
    return [body["detail"] for body in bodies if body.get("name") == "outbox"]
