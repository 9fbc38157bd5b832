"""Posts what waits in the outbox: one request in flight, first in first out, over pinned TLS."""

import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from kiemke.wire.chance import Chance, SystemChance
from kiemke.wire.clocks import Clock, hundredths
from kiemke.wire.codec import CodecError, decode_answer, encode_batch
from kiemke.wire.dates import read_http_date
from kiemke.wire.http1 import Reply
from kiemke.wire.link import Link, Unproven, Unreachable
from kiemke.wire.outbox import Outbox, Spooled
from kiemke.wire.pin import Address, PinError, Pins, der_sha256
from kiemke.wire.report import Answer

REPORTS_PATH = "/api/v1/reports"
TIMEOUT_SECONDS = 20.0
MAX_BATCH_REPORTS = 500
MAX_BATCH_BYTES = 1_000_000
BACKOFF_FIRST_SECONDS = 5.0
BACKOFF_MOST_SECONDS = 900.0
RETRY_AFTER_MOST_SECONDS = 3600.0
RETRY_SPREAD_SECONDS = 30.0  # at least: ten thousand that are sent away do not come back together
# How long to leave a server alone that does not want us: a person has to act first.
UNWANTED_SECONDS = 300.0
TOO_MUCH = frozenset({400, 413, 422})
GZIP_WINDOW_BITS = 31
GZIP_LEVEL = 9
PIN_DIGITS = 8  # enough to tell which of a handful of roots is known
PINS_EVERY_POSTS = (
    12  # an hour of posts: which roots are known is told then, and when it has changed
)


class Outcome(Enum):
    """What became of one attempt to post."""

    IDLE = "idle"  # nothing waits
    SENT = "sent"  # acknowledged, in whole or in part
    HALVED = "halved"  # the batch was refused: a smaller one follows at once
    REFUSED = "refused"  # a single report was refused and is set aside
    RETRY = "retry"  # server away, busy or in error: later
    UNPROVEN = "unproven"  # what answers is not proved by a root we know
    UNKNOWN_SENDER = "unknown sender"  # 401: this secret is not known there
    FORBIDDEN = "forbidden"  # 403: revoked
    CONFLICT = "conflict"  # 409: quarantined, another machine reports under this name


UNPROVEN_WORDS = (
    "what answers is not proved by the root certificate known here; if the server's administrator "
    "has changed it, ask for a new token and give it to: enroll --repin"
)

# Why the server does not want us, and what a person can do about it.
UNWANTED: dict[int, tuple[Outcome, str]] = {
    401: (Outcome.UNKNOWN_SENDER, "the server does not know this sender; enrol it again"),
    403: (Outcome.FORBIDDEN, "the server has shut this sender out; ask its administrator"),
    409: (
        Outcome.CONFLICT,
        "two machines report as one (a cloned disk?); the server keeps both apart: enrol this one "
        "again with a fresh state folder",
    ),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to the server and how we know it. ``secret`` never shows in a repr."""

    source: str
    secret: str
    addresses: tuple[Address, ...]
    pins: Pins

    def __repr__(self) -> str:
        """Return it without the secret."""
        return f"Credentials(source={self.source!r}, secret=***, addresses={self.addresses!r})"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: its outcome, how long to wait before the next, and words for the status."""

    outcome: Outcome
    wait_seconds: float
    detail: str = ""
    answer: Answer | None = None


def clock_offset(told: float, sent_at: float, answered_at: float) -> float:
    """Return the server's clock less ours in whole seconds (epoch seconds in).

    ``told`` is cut to the second and was written somewhere between the two moments: within what that
    leaves open there is no offset.
    """
    if told <= answered_at and told + 1.0 >= sent_at:
        return 0.0
    return float(round(told + 0.5 - (sent_at + answered_at) / 2))


class Sender:
    """Outbox and client together. One thread at a time posts; the outbox may be filled meanwhile."""

    def __init__(
        self,
        outbox: Outbox,
        credentials: Credentials,
        clock: Clock,
        *,
        on_answer: Callable[[Answer], None] | None = None,
        on_pins: Callable[[Pins], None] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        max_reports: int = MAX_BATCH_REPORTS,
        rng: Chance | None = None,
        link: Link | None = None,
    ) -> None:
        """Prepare; ``on_answer`` is called with each 200 before its reports are forgotten.

        ``on_pins`` is called with the pins to keep when the server announced its next root, or has
        begun to use it. ``link`` is another way to the server, for simulations. Raises PinError when
        the pinned root is no certificate.
        """
        self._outbox = outbox
        self._credentials = credentials
        self._clock = clock
        self._on_answer = on_answer
        self._on_pins = on_pins
        self._link = link or Link(
            credentials.addresses, credentials.pins, timeout_seconds, on_switch=on_pins
        )
        self._max_reports = max_reports
        self._limit = max_reports
        self._failures = 0
        self._rng = rng or SystemChance()
        self._in_flight = threading.Lock()
        self._clock_offset_seconds: float | None = None
        self._pins_told = ""
        self._posts_until_pins = 0

    def post_once(self) -> Attempt:
        """Post one batch and act on the answer; never raises for what a server or network does."""
        with self._in_flight:
            batch = self._outbox.head(self._limit, MAX_BATCH_BYTES)
            if not batch:
                return Attempt(Outcome.IDLE, 0.0)
            sent_at = self._clock.now().timestamp()
            try:
                reply = self._link.request("POST", REPORTS_PATH, self._body(batch), self._headers())
            except Unproven as err:
                return self._later(f"{UNPROVEN_WORDS} ({err})", outcome=Outcome.UNPROVEN)
            except Unreachable as err:
                return self._later(f"no server answers: {err}")
            self._compare_clocks(reply, sent_at, self._clock.now().timestamp())
            return self._act(reply, batch)

    def drain(self, deadline_seconds: float) -> Attempt:
        """Post until nothing waits, an attempt must wait, or the time is over; return the last."""
        end = self._clock.awake_seconds() + deadline_seconds
        while True:
            attempt = self.post_once()
            if attempt.outcome is Outcome.IDLE or attempt.wait_seconds > 0:
                return attempt
            if self._clock.awake_seconds() >= end:
                return attempt

    @property
    def peer(self) -> str | None:
        """Return the IP address of the server that answered last, None before the first."""
        return self._link.peer

    @property
    def clock_offset_seconds(self) -> float | None:
        """Return the server's clock less this machine's as of the last answer: above 0, ours is behind.

        Whole seconds, the server tells no more; None before the first answer.
        """
        return self._clock_offset_seconds

    def _compare_clocks(self, reply: Reply, sent_at: float, answered_at: float) -> None:
        """Learn how far the clocks are apart, unless ours was set in between."""
        told = read_http_date(reply.headers.get("date", ""))
        if told is not None and 0.0 <= answered_at - sent_at <= TIMEOUT_SECONDS:
            self._clock_offset_seconds = clock_offset(told, sent_at, answered_at)

    def close(self) -> None:
        """Close the connection."""
        with self._in_flight:
            self._link.close()

    def _headers(self) -> dict[str, str]:
        """Return the headers of a batch; the roots known here, told now and then, let the server announce others."""
        pins = ",".join(
            der_sha256(pem)[:PIN_DIGITS]
            for pem in (self._link.pins.current, self._link.pins.next)
            if pem
        )
        self._posts_until_pins -= 1
        is_told = pins == self._pins_told and self._posts_until_pins > 0
        if not is_told:
            self._pins_told, self._posts_until_pins = pins, PINS_EVERY_POSTS
        return {
            **({} if is_told else {"X-Kiemke-Pins": pins}),
            "Authorization": f"Bearer {self._credentials.secret}",
            "X-Kiemke-Source": self._credentials.source,
            "Content-Encoding": "gzip",
        }

    def _body(self, batch: Sequence[Spooled]) -> bytes:
        """Return the compressed batch, stamped with this moment."""
        plain = encode_batch(
            self._credentials.source,
            hundredths(self._clock.now()),
            round(self._clock.uptime_seconds(), 2),
            self._clock.boot_id,
            [one.body for one in batch],
        )
        pack = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW_BITS)
        return pack.compress(plain) + pack.flush()

    def _act(self, reply: Reply, batch: Sequence[Spooled]) -> Attempt:
        """Do what the server's status asks for."""
        if reply.status == 200:
            try:
                answer = decode_answer(reply.body)
            except CodecError as err:
                return self._later(str(err))
            return self._accept(answer, batch)
        if reply.status in TOO_MUCH:
            return self._smaller(reply, batch)
        if reply.status in UNWANTED:
            outcome, words = UNWANTED[reply.status]
            wait = max(UNWANTED_SECONDS, self._asked_wait(reply))
            return Attempt(outcome, wait * self._rng.uniform(1.0, 1.5), words)
        return self._later(f"the server answered {reply.status}", self._asked_wait(reply))

    def _accept(self, answer: Answer, batch: Sequence[Spooled]) -> Attempt:
        """Forget what the server has; an answer that moves nothing counts as a failure."""
        self._heed_next_root(answer.ca_next)
        if self._on_answer is not None:
            self._on_answer(answer)
        gone = self._outbox.reject(answer.rejected)
        gone += self._outbox.ack(answer.ack)
        moved = gone or any(one.seq <= answer.ack.get(one.stream, 0) for one in batch)
        if not moved:
            return self._later("the server acknowledged nothing of what was sent")
        self._failures = 0
        self._limit = min(self._max_reports, self._limit * 2)
        return Attempt(Outcome.SENT, 0.0, answer=answer)

    def _heed_next_root(self, pem: str | None) -> None:
        """Keep the root the server will use next; one that is no certificate is left alone."""
        try:
            pins = None if pem is None else self._link.learn_next(pem)
        except PinError:
            return  # it is announced again with every answer: nothing is lost
        if pins is not None and self._on_pins is not None:
            self._on_pins(pins)

    def _smaller(self, reply: Reply, batch: Sequence[Spooled]) -> Attempt:
        """Halve a refused batch; a report refused alone is set aside and the server told."""
        if len(batch) > 1:
            self._limit = len(batch) // 2
            return Attempt(Outcome.HALVED, 0.0, f"the server answered {reply.status}")
        reason = f"{reply.status} {reply.body[:300].decode('utf-8', 'replace')}".strip()
        self._outbox.refuse(batch[0], reason)
        return Attempt(Outcome.REFUSED, 0.0, reason)

    def _later(
        self, detail: str, at_least_seconds: float = 0.0, outcome: Outcome = Outcome.RETRY
    ) -> Attempt:
        """Return a wait: exponential with full jitter, never below what the server asked for."""
        most = min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2.0 ** min(self._failures, 20))
        self._failures += 1
        if at_least_seconds:
            # The asked wait is the same for everybody: what follows it is spread, wider each time.
            spread = self._rng.uniform(0.0, max(RETRY_SPREAD_SECONDS, most))
            return Attempt(outcome, at_least_seconds + spread, detail)
        return Attempt(outcome, max(self._rng.uniform(0.0, most), 0.1), detail)

    def _asked_wait(self, reply: Reply) -> float:
        """Return the seconds of a Retry-After (RFC 9110, 10.2.3); 0.0 when there is none."""
        text = reply.headers.get("retry-after", "").strip()
        if text.isdecimal():
            seconds = float(text)
        elif not text:
            return 0.0
        else:
            # Megabytes for the rare server that names a date in place of seconds.
            from email.utils import parsedate_to_datetime

            try:
                seconds = (parsedate_to_datetime(text) - self._clock.now()).total_seconds()
            except (ValueError, TypeError):  # not a date, or one without a zone
                return 0.0
        return min(max(seconds, 0.0), RETRY_AFTER_MOST_SECONDS)
