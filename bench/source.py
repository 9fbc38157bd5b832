"""One simulated sender: it enrols by token, stamps reports by its own clock, and posts them in order."""

import asyncio
import gzip
import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.https import HttpError, Pool
from kiemke.wire.codec import decode_answer, encode_batch, encode_report
from kiemke.wire.enrolment import Token
from kiemke.wire.report import Body, Rejected, Report

ENROLL_PATH = "/api/v1/enroll"
REPORTS_PATH = "/api/v1/reports"
ASSIGNMENT_PATH = "/api/v1/assignment"
BATCH_REPORTS = 500
PATIENCE_TRIES = 60


class SenderError(Exception):
    """The server did not take what a simulated sender had to say."""


@dataclass(slots=True)
class Tally:
    """What all senders together have seen: reports taken, set aside, batches, times told to wait."""

    reports: int = 0
    batches: int = 0
    waits: int = 0
    rejected: list[Rejected] = field(default_factory=list)


class Source:
    """A sender with one boot that began at ``booted_at`` and a wall clock that may be wrong."""

    def __init__(
        self,
        pool: Pool,
        tally: Tally,
        kind: str,
        install_id: str,
        booted_at: datetime,
        *,
        hostname: str = "",
        clock_error: timedelta = timedelta(),
    ) -> None:
        self.kind = kind
        self.install_id = install_id
        self.hostname = hostname
        self.booted_at = booted_at
        self.boot_id = f"boot-{install_id[:12]}"
        self.clock_error = clock_error
        self.source = ""
        self.state = ""
        self.wanted: tuple[str, ...] = ()
        self._secret = secrets.token_urlsafe(32)
        self.stream = secrets.randbits(64)
        self._seq = 0
        self._pool = pool
        self._tally = tally

    async def enrol(self, token: Token) -> None:
        """Become known to the server. Raises SenderError or HttpError."""
        request = {
            "token": token.id,
            "token_secret": token.secret,
            "install_id": self.install_id,
            "secret_sha256": hashlib.sha256(self._secret.encode()).hexdigest(),
            "hostname": self.hostname,
            "kind": self.kind,
        }
        body = json.dumps(request).encode()
        reply = await self._pool.request("POST", ENROLL_PATH, body, _JSON)
        if reply.status not in (200, 201):
            raise SenderError(
                f"enrolment of {self.hostname!r}: {reply.status} {reply.body[:300]!r}"
            )
        said = reply.json()
        self.source, self.state = str(said["source"]), str(said["state"])

    async def fetch_assignment(self) -> dict[str, list[dict[str, object]]]:
        """Return what a collector is to poll and probe. Raises SenderError or HttpError."""
        reply = await self._pool.request("GET", ASSIGNMENT_PATH, b"", self.headers())
        if reply.status != 200:
            raise SenderError(f"assignment of {self.hostname}: {reply.status} {reply.body[:300]!r}")
        found: dict[str, list[dict[str, object]]] = reply.json()
        return found

    def encode(self, at: datetime, kind: str, body: Body) -> bytes:
        """Return the next report of this sender, about the true moment ``at`` of its one boot."""
        self._seq += 1
        return encode_report(
            Report(
                stream=self.stream,
                seq=self._seq,
                boot_id=self.boot_id,
                at=at + self.clock_error,
                uptime_seconds=(at - self.booted_at).total_seconds(),
                kind=kind,
                body=body,
            )
        )

    async def post_all(self, reports: Iterable[bytes]) -> None:
        """Post encoded reports in batches, in order. Raises SenderError or HttpError."""
        batch: list[bytes] = []
        for report in reports:
            batch.append(report)
            if len(batch) == BATCH_REPORTS:
                await self.post(batch)
                batch = []
        if batch:
            await self.post(batch)

    async def post(self, batch: list[bytes]) -> None:
        """Post one batch until it is acknowledged whole. Raises SenderError or HttpError."""
        for _ in range(PATIENCE_TRIES):
            now = datetime.now(UTC)
            uptime_seconds = (now - self.booted_at).total_seconds()
            plain = encode_batch(
                self.source, now + self.clock_error, uptime_seconds, self.boot_id, batch
            )
            body = gzip.compress(plain, 1)
            reply = await self._pool.request("POST", REPORTS_PATH, body, self.headers())
            if reply.status == 503:
                self._tally.waits += 1
                await asyncio.sleep(min(float(reply.headers.get("retry-after", "1")), 5.0))
                continue
            if reply.status != 200:
                raise SenderError(f"{self.hostname}: {reply.status} {reply.body[:300]!r}")
            answer = decode_answer(reply.body)
            if answer.ack.get(self.stream, 0) < self._seq_of(batch):
                raise SenderError(f"{self.hostname}: acknowledged {answer.ack}, not all was taken")
            self.wanted = answer.need
            self._tally.reports += len(batch)
            self._tally.batches += 1
            self._tally.rejected.extend(answer.rejected)
            return
        raise HttpError(f"{self.hostname}: the server stayed busy")

    def _seq_of(self, batch: list[bytes]) -> int:
        """Return the seq of the batch's last report."""
        return int(json.loads(batch[-1])["seq"])

    def headers(self) -> dict[str, str]:
        """Return what proves this sender, and what its batches are."""
        return {
            "Authorization": f"Bearer {self._secret}",
            "X-Kiemke-Source": self.source,
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }


_JSON = {"Content-Type": "application/json"}
