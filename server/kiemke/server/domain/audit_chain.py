"""The audit log's chain: entries sealed in one order, heads signed, and a verifier that says where.

A chain alone shows accidents, not its owner's hand: therefore each sealing's head is signed with a
key outside the database (Ed25519, RFC 8032), and heads can be exported as anchors to be kept
elsewhere. Verification finds an entry edited, removed, put in, put elsewhere, or, with an anchor, a
tail cut off; and a ledger's row that is not what its last entry says.
"""

import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiemke.server.db import Row, Session
from kiemke.server.domain.audit_rows import Known
from kiemke.server.domain.audit_words import FAULTS

START = "0" * 64
_PAGE = 1000
# A large import writes tens of thousands of entries at once; they are sealed within a few turns.
_SEALED_AT_ONCE = 20_000
# Numbers come from a sequence and commit out of order: so far back an entry may still turn up. The
# verifier reads the whole log and would name one that came later still.
_LATE_NUMBERS = 100_000
# An entry younger than this may still be on its way to the sealer.
PATIENCE_MS = 120_000


class AuditKeyError(Exception):
    """The signing key's file cannot be used; the text says which and what to do."""


def open_key(folder: Path) -> Ed25519PrivateKey:
    """Return the signing key in ``folder``, made there (mode 0600) when there is none."""
    file = folder / "audit.key"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            file.touch(mode=0o600, exist_ok=False)
            file.write_bytes(pem)
            return made
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise AuditKeyError(f"{file}: {error}; put it back from the backup") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditKeyError(f"{file}: is no Ed25519 key; put it back from the backup")
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public key as auditors keep it, base64."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def _link(chain: str, entry_sha256: str) -> str:
    return sha256(f"{chain}{entry_sha256}".encode("ascii")).hexdigest()


def _message(place: int, chain: str, sealed_at_ms: int) -> bytes:
    return f"kiemke audit {place} {chain} {sealed_at_ms}".encode("ascii")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A signed head, to be kept outside: the chain up to ``place`` had this hash at that time."""

    place: int
    chain_sha256: str
    sealed_at_ms: int
    signature: str
    public_key: str

    def to_json(self) -> str:
        """Return the anchor as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def read_anchor(text: str) -> Anchor:
    """Read an exported anchor. Raises ValueError."""
    try:
        raw = json.loads(text)
        return Anchor(
            int(raw["place"]),
            str(raw["chain_sha256"]),
            int(raw["sealed_at_ms"]),
            str(raw["signature"]),
            str(raw["public_key"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no anchor: {error}") from error


async def seal(
    session: Session, key: Ed25519PrivateKey, now_ms: int, most: int = _SEALED_AT_ONCE
) -> int:
    """Give places to entries that have none, sign the new head; return how many were sealed.

    To be run by one process at a time. Times of sealing never run backwards.
    """
    head = await session.one("SELECT * FROM audit_link ORDER BY place DESC LIMIT 1")
    place, chain = (head["place"], head["chain_sha256"]) if head else (0, START)
    sealed_at_ms = max(now_ms, head["sealed_at_ms"]) if head else now_ms
    entries = await session.fetch(
        "SELECT e.id, e.sha256 FROM audit_entry e WHERE e.id > :floor AND NOT EXISTS"
        " (SELECT 1 FROM audit_link l WHERE l.entry_id = e.id) ORDER BY e.id LIMIT :most",
        floor=(head["entry_id"] if head else 0) - _LATE_NUMBERS,
        most=most,
    )
    rows = []
    for entry in entries:
        place, chain = place + 1, _link(chain, entry["sha256"])
        last = entry is entries[-1]
        signed = key.sign(_message(place, chain, sealed_at_ms)) if last else None
        rows.append(
            {
                "place": place,
                "entry": entry["id"],
                "chain": chain,
                "at": sealed_at_ms,
                "signature": base64.b64encode(signed).decode() if signed else None,
            }
        )
    await session.many(
        "INSERT INTO audit_link (place, entry_id, chain_sha256, sealed_at_ms, signature)"
        " VALUES (:place, :entry, :chain, :at, :signature)",
        rows,
    )
    return len(rows)


async def anchor(session: Session, key: Ed25519PrivateKey) -> Anchor | None:
    """Return the newest signed head, None when nothing is sealed yet."""
    head = await session.one(
        "SELECT * FROM audit_link WHERE signature IS NOT NULL ORDER BY place DESC LIMIT 1"
    )
    if head is None:
        return None
    return Anchor(
        head["place"],
        head["chain_sha256"],
        head["sealed_at_ms"],
        head["signature"],
        public_text(key),
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and at which place of the chain (None: with the log as a whole).

    ``code`` is of ``audit_words``, ``values`` what its words name.
    """

    place: int | None
    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """Return the fault in English."""
        return self.say(vietnamese=False)

    def say(self, *, vietnamese: bool) -> str:
        """Return the fault in one of the languages."""
        return FAULTS[self.code][vietnamese].format(**self.values)


@dataclass(slots=True)
class Report:
    """What a verification found. ``checked`` entries were read; no faults means all is well."""

    checked: int = 0
    signed_heads: int = 0
    unsealed: int = 0
    faults: tuple[Fault, ...] = ()


async def verify(
    session: Session, public_key: Ed25519PublicKey, now_ms: int, anchors: tuple[Anchor, ...] = ()
) -> Report:
    """Read the whole chain and say every place where it is not what was sealed."""
    report = Report()
    faults: list[Fault] = []
    chain, place, sealed_at_ms, last_signed = START, 0, 0, False
    wanted = {a.place: a for a in anchors}
    async for row in _places(session):
        if row["place"] != place + 1:
            faults.append(
                Fault(place + 1, "places_gone", {"first": place + 1, "last": row["place"] - 1})
            )
        place = row["place"]
        faults += _check_entry(row)
        linked = _link(chain, row["entry_sha256"] or "")
        if linked != row["chain_sha256"]:
            faults.append(Fault(place, "chain_broken"))
        chain = row["chain_sha256"]
        if row["sealed_at_ms"] < sealed_at_ms:
            faults.append(Fault(place, "sealed_backwards"))
        sealed_at_ms = row["sealed_at_ms"]
        if row["signature"] is not None:
            report.signed_heads += 1
            message = _message(place, chain, sealed_at_ms)
            if not _is_signed(public_key, row["signature"], message):
                faults.append(Fault(place, "signature"))
        found = wanted.pop(place, None)
        if found is not None and found.chain_sha256 != chain:
            faults.append(Fault(place, "anchor_differs"))
        report.checked += 1
        last_signed = row["signature"] is not None
    faults += [Fault(p, "tail_cut") for p in wanted]
    if place and not last_signed:
        faults.append(Fault(place, "tail_unsigned"))
    for a in anchors:
        if not _is_signed(
            public_key, a.signature, _message(a.place, a.chain_sha256, a.sealed_at_ms)
        ):
            faults.append(Fault(a.place, "anchor_signature"))
    waiting = await session.fetch(
        "SELECT e.at_ms FROM audit_entry e WHERE NOT EXISTS"
        " (SELECT 1 FROM audit_link l WHERE l.entry_id = e.id)"
    )
    report.unsealed = len(waiting)
    old = sum(1 for row in waiting if row["at_ms"] < now_ms - PATIENCE_MS)
    if old:
        faults.append(Fault(None, "unsealed", {"count": old}))
    report.faults = (*faults, *[fault async for fault in _check_rows(session)])
    return report


async def _check_rows(session: Session) -> AsyncIterator[Fault]:
    """Yield where a ledger's row is not what its last entry says, and where a time runs backwards."""
    known, at_ms, after = Known(), 0, 0
    while True:
        rows = await session.fetch(
            "SELECT id, at_ms, entry FROM audit_entry WHERE id > :after ORDER BY id LIMIT :page",
            after=after,
            page=_PAGE,
        )
        for row in rows:
            try:
                entry = json.loads(bytes(row["entry"]))
                known.take(entry)
                told = int(entry["at_ms"])
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # its bytes are not those that were hashed: that was said already
            # Entries of 0.1 have no "from"; theirs were taken by clocks that nothing held together.
            if "from" in entry and told < at_ms:
                yield Fault(None, "time_backwards", {"entry": row["id"]})
            at_ms = max(at_ms, told)
        if len(rows) < _PAGE:
            break
        after = rows[-1]["id"]
    async for table, row_id, code in known.compare(session):
        yield Fault(None, code, {"table": table, "row": row_id})


async def _places(session: Session) -> AsyncIterator[Row]:
    after = 0
    while True:
        rows = await session.fetch(
            "SELECT l.place, l.chain_sha256, l.sealed_at_ms, l.signature, e.entry,"
            " e.sha256 AS entry_sha256 FROM audit_link l LEFT JOIN audit_entry e"
            " ON e.id = l.entry_id WHERE l.place > :after ORDER BY l.place LIMIT :page",
            after=after,
            page=_PAGE,
        )
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        after = rows[-1]["place"]


def _check_entry(row: Row) -> list[Fault]:
    if row["entry"] is None:
        return [Fault(row["place"], "entry_gone")]
    if sha256(bytes(row["entry"])).hexdigest() != row["entry_sha256"]:
        return [Fault(row["place"], "entry_edited")]
    return []


def _is_signed(public_key: Ed25519PublicKey, signature: str, message: bytes) -> bool:
    try:
        public_key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
