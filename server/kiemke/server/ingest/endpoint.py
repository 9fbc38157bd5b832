"""POST /api/v1/reports as a bare ASGI handler: check, inflate with a cap, decode, submit, answer.

Litestar's own body limit and argument parsing do not reach a raw handler, so method, size and
sender are checked here; errors are Problems like everywhere else.
"""

import asyncio
import hmac
from dataclasses import dataclass, field
from typing import cast

import msgspec
from litestar import asgi
from litestar.types import HTTPScope, Receive, Scope, Send

from kiemke.server.auth import hash_secret, read_bearer
from kiemke.server.context import Services
from kiemke.server.domain.collecting import read_probes
from kiemke.server.domain.takeover import take_probe_turns
from kiemke.server.errors import Both, Problem
from kiemke.server.ingest.decode import Inflater, decode_batch
from kiemke.server.ingest.incoming import BadBatch, IncomingBatch, Outcome
from kiemke.server.ingest.writer import Busy, Unavailable

REPORTS_PATH = "/api/v1/reports"
RETRY_SECONDS = 5
PIN_DIGITS = 8
MOST_PROBES = 6  # an agent takes no more
# Up to here decoding is quicker than handing it to a thread is worth.
_READ_AT_ONCE_BYTES = 128 * 1024
# How long a sender's secret is taken from memory. Its state is read in every transaction.
_REMEMBER_MS = 10_000
_REMEMBER_MOST = 50_000

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class _Sender:
    source_id: int
    kind: str
    is_probe: bool
    secret_sha256: str
    until_ms: int


@dataclass(slots=True)
class Senders:
    """Sources by public id, remembered for a few seconds; ``large`` admits one large body."""

    known: dict[str, _Sender] = field(default_factory=dict)
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def authenticate(
        self, services: Services, headers: dict[bytes, bytes]
    ) -> tuple[str, _Sender]:
        """Return the sender the headers prove. Raises Problem 401."""
        public_id = headers.get(b"x-kiemke-source", b"").decode("latin-1")
        secret = read_bearer(headers.get(b"authorization", b"").decode("latin-1"))
        if public_id and secret:
            sender = await self._find(services, public_id)
            if sender and hmac.compare_digest(sender.secret_sha256, hash_secret(secret)):
                return public_id, sender
        raise Problem("not_signed_in", headers={"WWW-Authenticate": 'Bearer realm="kiemke"'})

    async def _find(self, services: Services, public_id: str) -> _Sender | None:
        now = services.clock()
        sender = self.known.get(public_id)
        if sender is not None and sender.until_ms > now:
            return sender
        rows = await services.db.read(
            "SELECT id, kind, state, probe_since_ms, secret_sha256 FROM source"
            " WHERE public_id = :public_id",
            public_id=public_id[:40],
        )
        if not rows:
            return None
        if len(self.known) >= _REMEMBER_MOST:
            self.known.clear()
        row = rows[0]
        is_probe = row["probe_since_ms"] is not None and row["state"] == "approved"
        until_ms = now + _REMEMBER_MS
        sender = _Sender(row["id"], row["kind"], is_probe, row["secret_sha256"], until_ms)
        self.known[public_id] = sender
        return sender


def _bad(error: BadBatch, limit: int) -> Problem:
    if error.status == 413:
        return Problem("too_large", limit=limit)
    vi = f"Nội dung báo cáo không dùng được: {error.detail}"
    text = Both(vi, f"The body of reports cannot be used: {error.detail}")
    return Problem("bad_request" if error.status == 400 else "unreadable", what=text)


async def _read_body(scope: HTTPScope, receive: Receive, services: Services) -> bytes:
    """Return the inflated body. Raises Problem 400, 413 or 415."""
    headers = dict(scope["headers"])
    limit = services.settings.max_batch_bytes
    if headers.get(b"content-encoding", b"").strip().lower() != b"gzip":
        raise Problem("bad_request", what="Content-Encoding: gzip")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise Problem("too_large", limit=limit)
    inflater = Inflater(services.settings.max_inflated_bytes)
    taken = 0
    try:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Problem("bad_request", what="disconnected")
            piece = message["body"]
            taken += len(piece)
            if taken > limit:
                raise Problem("too_large", limit=limit)
            inflater.feed(piece)
            if not message["more_body"]:
                return inflater.finish()
    except BadBatch as error:
        raise _bad(error, services.settings.max_inflated_bytes) from error


async def _decode(
    data: bytes, public_id: str, sender: _Sender, now_ms: int, large: asyncio.Semaphore
) -> IncomingBatch:
    """Return the batch. Large ones are read in a thread, one at a time: they hold up nobody else."""
    if len(data) <= _READ_AT_ONCE_BYTES:
        return decode_batch(data, public_id, sender.source_id, sender.kind, now_ms)
    async with large:
        return await asyncio.to_thread(
            decode_batch, data, public_id, sender.source_id, sender.kind, now_ms
        )


async def _probes(services: Services, sender: _Sender) -> list[dict[str, object]]:
    """Return what an agent that is named its site's probe is to ping until it posts again."""
    now = services.clock()
    async with services.db.transaction() as session:
        turns = await take_probe_turns(
            session, sender.source_id, now, services.settings.poll_seconds
        )
        rows = await read_probes(session, turns, services.today(), now)
    return [
        {
            "target": row["id"],
            "address": row["address"],
            "count": row["echo_count"],
            "purpose": row["purpose"],
        }
        for row in rows[:MOST_PROBES]
    ]


def _answer(
    outcome: Outcome, services: Services, pins: bytes | None, probes: list[dict[str, object]]
) -> bytes:
    """Return the body of a 200; ``pins`` is the sender's X-Kiemke-Pins, None when it sent none."""
    said: dict[str, object] = {
        "ack": {str(stream): seq for stream, seq in outcome.ack.items()},
        "rejected": [
            {"stream": stream, "seq": seq, "reason": reason}
            for stream, seq, reason in outcome.rejected
        ],
        "need": outcome.need,
        "settings": {"poll_seconds": services.writer.poll_seconds},
    }
    if outcome.aside is not None:
        said["aside"] = outcome.aside
    if probes:
        said["probes"] = probes
    upcoming = services.authority.upcoming
    if upcoming is not None and pins is not None:
        known = [one.strip() for one in pins.decode("latin-1").split(",")]
        # A sender tells the beginning of each hash it knows, an older one the whole of it.
        if not any(len(one) >= PIN_DIGITS and upcoming.sha256.startswith(one) for one in known):
            said["ca_next"] = upcoming.pem
    return _ENCODER.encode(said)


async def take_batch(
    scope: HTTPScope, receive: Receive, services: Services, senders: Senders
) -> bytes:
    """Return the body of the 200, after the commit. Raises Problem."""
    if scope["method"] != "POST":
        raise Problem(
            "wrong_method",
            method=scope["method"],
            path=scope["path"],
            headers={"Allow": "POST"},
        )
    headers = dict(scope["headers"])
    public_id, sender = await senders.authenticate(services, headers)
    # Before the body: the sender read its uptime just now, a thin line takes minutes for the rest.
    received_at_ms = services.clock()
    data = await _read_body(scope, receive, services)
    try:
        batch = await _decode(data, public_id, sender, received_at_ms, senders.large)
    except BadBatch as error:
        raise _bad(error, services.settings.max_batch_bytes) from error
    client = scope.get("client")
    batch.address = client[0][:45] if client else None
    retry = {"Retry-After": str(RETRY_SECONDS)}
    try:
        outcome: Outcome = await services.writer.submit(batch)
    except Busy as error:
        raise Problem("busy", seconds=RETRY_SECONDS, headers=retry) from error
    except Unavailable as error:
        raise Problem("database", seconds=RETRY_SECONDS, headers=retry) from error
    if outcome.refused is not None:
        status, reason = outcome.refused
        if status == 401:
            raise Problem("not_signed_in")
        raise Problem("state", what="source", ref=public_id, state=reason)
    probes = await _probes(services, sender) if sender.is_probe else []
    return _answer(outcome, services, headers.get(b"x-kiemke-pins"), probes)


_SENDERS_KEY = "ingest_senders"


async def take_reports(scope: Scope, receive: Receive, send: Send) -> None:
    """Take one batch of reports from a source. Raises Problem before anything is sent."""
    state = scope["litestar_app"].state
    senders: Senders = state.setdefault(_SENDERS_KEY, Senders())
    body = await take_batch(cast(HTTPScope, scope), receive, state.services, senders)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@asgi(REPORTS_PATH, opt={"role": "source"}, copy_scope=False)
async def reports_endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    """Take one batch of reports from a source."""
    await take_reports(scope, receive, send)
