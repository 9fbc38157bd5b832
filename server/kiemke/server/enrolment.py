"""Enrolment: tokens that admit agents and collectors, and the sources they admit.

A source is known by (token, install_id): asking again with the same secret gives the same answer and
costs no use, so a lost answer costs nothing. Another secret for a known install is refused: it is a
copy of a machine, or someone who pretends to be it.
"""

import hmac
import re
import secrets
from dataclasses import dataclass

from kiemke.server.assignment import assign_unassigned
from kiemke.server.attempts import network_of
from kiemke.server.audit import record
from kiemke.server.auth import hash_secret
from kiemke.server.context import Services
from kiemke.server.db import Row, Session
from kiemke.server.domain.findings import Found, open_finding
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import Both, Problem
from kiemke.wire.enrolment import MAX_URLS, make_token
from kiemke.wire.pin import parse_address

DAY_MS = 86_400_000
LONGEST_DAYS = 14
MOST_USES = 100_000
KINDS = ("agent", "collector")

NOUN_TOKEN = Both("mã ghi danh", "enrolment token")
NOUN_SOURCE = Both("nguồn", "source")

_HEX = re.compile(r"[0-9a-f]{16,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    """What a sender says of itself; ``secret_sha256`` is the hex hash of the secret it made."""

    token: str
    token_secret: str
    install_id: str
    secret_sha256: str
    kind: str
    hostname: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The source's public id and its state; ``created`` is False when it was known already."""

    source: str
    state: str
    created: bool


@dataclass(frozen=True, slots=True)
class NewEnrolmentToken:
    """A token as shown once, its public id, uses and when it ends (epoch ms)."""

    token: str
    public_id: str
    uses: int
    expires_at_ms: int


async def enrol(services: Services, request: EnrolRequest, address: str) -> Enrolled:
    """Admit a source. Raises Problem 400, 403, 409, or 429 after repeated failures."""
    now = services.clock()
    address = network_of(address)
    wait = services.enrol_failures.wait_seconds(address, now)
    if wait:
        raise Problem("too_many", seconds=wait, headers={"Retry-After": str(wait)})
    _check_request(request)
    try:
        async with services.db.transaction() as session:
            return await _admit(session, request, now)
    except Problem as refusal:
        services.enrol_failures.fail(address, now)
        if refusal.key == "install_conflict":
            await _open_finding(services, request, now)
        raise


@dataclass(frozen=True, slots=True)
class TokenQuestion:
    """A token whose remaining time is asked for."""

    token: str
    token_secret: str
    kind: str


async def look_at_token(services: Services, asked: TokenQuestion, address: str) -> tuple[int, int]:
    """Return how many sources a token still admits, and until when (epoch ms).

    Raises Problem 403 for one that admits none, 429 after repeated failures.
    """
    now = services.clock()
    address = network_of(address)
    wait = services.enrol_failures.wait_seconds(address, now)
    if wait:
        raise Problem("too_many", seconds=wait, headers={"Retry-After": str(wait)})
    rows = await services.db.read(
        "SELECT secret_sha256, kind, uses_left, expires_at_ms, revoked_at_ms FROM enrolment_token"
        " WHERE public_id = :id",
        id=clean_text(asked.token, 40) or "",
    )
    for row in rows:
        if (
            hmac.compare_digest(row["secret_sha256"], hash_secret(asked.token_secret))
            and row["kind"] == asked.kind
            and row["revoked_at_ms"] is None
            and row["uses_left"] > 0
            and row["expires_at_ms"] > now
        ):
            return row["uses_left"], row["expires_at_ms"]
    services.enrol_failures.fail(address, now)
    raise Problem("enrolment_refused")


def _check_request(request: EnrolRequest) -> None:
    checks = (
        ("install_id", _HEX.fullmatch(request.install_id), "16-64 hex"),
        ("secret_sha256", _SHA256.fullmatch(request.secret_sha256), "64 hex"),
        ("kind", request.kind in KINDS, " | ".join(KINDS)),
    )
    for field, right, wanted in checks:
        if not right:
            value = clean_text(str(getattr(request, field)), 80) or ""
            raise Problem("bad_field", field=field, value=value, wanted=wanted)


async def _admit(session: Session, request: EnrolRequest, now: int) -> Enrolled:
    # An update that changes nothing takes the row's lock, the same way on both databases.
    token = await session.one(
        "UPDATE enrolment_token SET uses_left = uses_left WHERE public_id = :id RETURNING *",
        id=clean_text(request.token, 40) or "",
    )
    if (
        token is None
        or not hmac.compare_digest(token["secret_sha256"], hash_secret(request.token_secret))
        or token["kind"] != request.kind
        or token["revoked_at_ms"] is not None
    ):
        raise Problem("enrolment_refused")
    known = await session.one(
        "SELECT id, public_id, state, secret_sha256 FROM source"
        " WHERE token_id = :token AND install_id = :install",
        token=token["id"],
        install=request.install_id,
    )
    if known is not None:
        if not hmac.compare_digest(known["secret_sha256"], request.secret_sha256):
            raise Problem("install_conflict")
        if known["state"] == "revoked":
            raise Problem("enrolment_refused")
        return Enrolled(known["public_id"], known["state"], created=False)
    if token["expires_at_ms"] <= now:
        raise Problem("enrolment_refused")
    used = await session.one(
        "UPDATE enrolment_token SET uses_left = uses_left - 1"
        " WHERE id = :id AND uses_left > 0 RETURNING uses_left",
        id=token["id"],
    )
    if used is None:
        raise Problem("enrolment_refused")
    return await _create(session, token, request, now)


async def _create(session: Session, token: Row, request: EnrolRequest, now: int) -> Enrolled:
    public_id = secrets.token_hex(8)
    state = "approved" if token["approves"] else "pending"
    who = f"token:{token['public_id']}"
    hostname = clean_text(request.hostname or "", 200)
    row = await session.one(
        "INSERT INTO source (public_id, kind, state, install_id, secret_sha256, token_id, unit_id,"
        " hostname, created_at_ms, approved_at_ms, approved_by) VALUES (:public_id, :kind, :state,"
        " :install, :sha, :token, :unit, :hostname, :now, :approved_at, :approved_by) RETURNING id",
        public_id=public_id,
        kind=request.kind,
        state=state,
        install=request.install_id,
        sha=request.secret_sha256,
        token=token["id"],
        unit=token["unit_id"],
        hostname=hostname,
        now=now,
        approved_at=now if token["approves"] else None,
        approved_by=who if token["approves"] else None,
    )
    if row is None:
        raise RuntimeError("the new source's id did not come back")
    await session.execute(
        "INSERT INTO source_now (source_id, changed_at_ms) VALUES (:id, :now)"
        " ON CONFLICT (source_id) DO NOTHING",
        id=row["id"],
        now=now,
    )
    await record(
        session,
        at_ms=now,
        who=who,
        act="source.enrol",
        subject=f"source:{public_id}",
        after={"kind": request.kind, "state": state, "hostname": hostname},
    )
    if state == "approved" and request.kind == "collector":
        await assign_unassigned(session, who=who, now_ms=now)
    return Enrolled(public_id, state, created=True)


async def _open_finding(services: Services, request: EnrolRequest, now: int) -> None:
    subject = f"install:{request.install_id}"
    detail = (
        "enrolled again with another secret: a copied machine, or someone who pretends to be it"
    )
    detail_vi = "ghi danh lại với mã bí mật khác: máy bị nhân bản, hoặc có kẻ giả làm máy này"
    async with services.db.transaction() as session:
        token = await session.one(
            "SELECT unit_id FROM enrolment_token WHERE public_id = :id",
            id=clean_text(request.token, 40) or "",
        )
        units = () if token is None else (token["unit_id"],)
        found = Found("enrolment_conflict", subject, detail, detail_vi, units)
        await open_finding(session, found, now)


async def make_enrolment_token(
    session: Session,
    services: Services,
    *,
    unit_id: int,
    head_count: int,
    kind: str,
    uses: int | None,
    days: int,
    approves: bool,
    who: str,
    via: tuple[str, ...] = (),
) -> NewEnrolmentToken:
    """Insert a token for a unit; agents' uses default to its head-count, a collector's to one.

    ``via``: addresses of relays, which the token names before the server's own.
    """
    urls = _ways(via, services.settings.public_urls)
    wanted_uses = uses if uses is not None else (max(1, head_count) if kind == "agent" else 1)
    for field, value, right, wanted in (
        ("kind", kind, kind in KINDS, " | ".join(KINDS)),
        ("uses", wanted_uses, 1 <= wanted_uses <= MOST_USES, f"1-{MOST_USES}"),
        ("days", days, 1 <= days <= LONGEST_DAYS, f"1-{LONGEST_DAYS}"),
    ):
        if not right:
            raise Problem("bad_field", field=field, value=value, wanted=wanted)
    now = services.clock()
    public_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    expires = now + days * DAY_MS
    await session.execute(
        "INSERT INTO enrolment_token (public_id, secret_sha256, kind, unit_id, uses_left,"
        " expires_at_ms, approves, created_at_ms, created_by) VALUES (:public_id, :sha, :kind,"
        " :unit, :uses, :expires, :approves, :now, :who)",
        public_id=public_id,
        sha=hash_secret(secret),
        kind=kind,
        unit=unit_id,
        uses=wanted_uses,
        expires=expires,
        approves=approves,
        now=now,
        who=who,
    )
    await record(
        session,
        at_ms=now,
        who=who,
        act="enrolment_token.add",
        subject=f"enrolment_token:{public_id}",
        after={"unit_id": unit_id, "kind": kind, "uses": wanted_uses, "approves": approves},
    )
    token = make_token(urls, public_id, secret, services.authority.root_sha256)
    return NewEnrolmentToken(token, public_id, wanted_uses, expires)


def _ways(via: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses a token names: relays, then the server itself, as many as there is room."""
    wanted = f"https://ADDRESS:PORT, 1-{MAX_URLS - 1}"
    try:
        relays = tuple(dict.fromkeys(str(parse_address(url)) for url in via))
    except ValueError:
        raise Problem("bad_field", field="via", value=", ".join(via), wanted=wanted) from None
    if len(relays) >= MAX_URLS:
        raise Problem("bad_field", field="via", value=len(relays), wanted=wanted)
    return (*relays, *(url for url in own if url not in relays))[:MAX_URLS]


async def revoke_enrolment_token(session: Session, token: Row, *, who: str, now: int) -> None:
    """Revoke a token and every source it admitted."""
    await session.execute(
        "UPDATE enrolment_token SET revoked_at_ms = COALESCE(revoked_at_ms, :now) WHERE id = :id",
        now=now,
        id=token["id"],
    )
    admitted = await session.fetch(
        "SELECT id, public_id, state, kind FROM source WHERE token_id = :id AND state <> 'revoked'"
        " ORDER BY id",
        id=token["id"],
    )
    for source in admitted:
        await set_source_state(
            session, source, state="revoked", reason="its token was revoked", who=who, now=now
        )
    await record(
        session,
        at_ms=now,
        who=who,
        act="enrolment_token.revoke",
        subject=f"enrolment_token:{token['public_id']}",
        after={"revoked_sources": [source["public_id"] for source in admitted]},
    )


async def set_source_state(
    session: Session, source: Row, *, state: str, reason: str | None, who: str, now: int
) -> None:
    """Approve or revoke a source. Raises Problem 409 when a revoked one is to be approved."""
    # Its state as it is now, and held: what the caller read before may have been revoked since.
    held = await session.one(
        "UPDATE source SET state = state WHERE id = :id RETURNING state, probe_since_ms",
        id=source["id"],
    )
    before = held["state"] if held else source["state"]
    if before == "revoked" and state != "revoked":
        raise Problem(
            "state",
            what=NOUN_SOURCE,
            ref=source["public_id"],
            state=Both("đã thu hồi", "revoked"),
        )
    approved = state == "approved"
    await session.execute(
        "UPDATE source SET state = :state, state_reason = :reason,"
        " approved_at_ms = CASE WHEN :approved THEN CAST(:now AS BIGINT) ELSE approved_at_ms END,"
        " approved_by = CASE WHEN :approved THEN CAST(:who AS TEXT) ELSE approved_by END"
        " WHERE id = :id",
        state=state,
        reason=reason,
        approved=approved,
        now=now,
        who=who,
        id=source["id"],
    )
    await session.execute(
        "UPDATE source_now SET changed_at_ms = :now WHERE source_id = :id",
        now=now,
        id=source["id"],
    )
    await record(
        session,
        at_ms=now,
        who=who,
        act=f"source.{'approve' if approved else 'revoke'}",
        subject=f"source:{source['public_id']}",
        before={"state": before},
        after={"state": state, "reason": reason},
    )
    if source["kind"] == "collector" or (held and held["probe_since_ms"] is not None):
        if not approved:
            await release(session, source, who, now)
        await assign_unassigned(session, who=who, now_ms=now)


async def release(session: Session, source: Row, who: str, now: int) -> None:
    """Take a revoked collector's devices and probe targets away, so that another may have them."""
    devices = await session.fetch(
        "UPDATE device SET collector_id = NULL WHERE collector_id = :id RETURNING id",
        id=source["id"],
    )
    targets = await session.fetch(
        "UPDATE probe_target SET collector_id = NULL WHERE collector_id = :id RETURNING id",
        id=source["id"],
    )
    await record(
        session,
        at_ms=now,
        who=who,
        act="collector.release",
        subject=f"source:{source['public_id']}",
        before={
            "device_ids": sorted(row["id"] for row in devices),
            "probe_target_ids": sorted(row["id"] for row in targets),
        },
    )
