"""A sender for tests: makes reports, and a source's rows straight in the database."""

import gzip
import itertools
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from kiemke.server.db import Database, Session
from kiemke.server.ingest.decode import decode_batch
from kiemke.server.ingest.incoming import IncomingBatch
from kiemke.wire.codec import encode_batch, encode_report
from kiemke.wire.report import Body, Report
from tests.support.office import DEVICE_SAID, FAR_BACK

NOW_MS = 1_795_320_000_000  # 2026-11-22T04:00:00Z, 11:00 in Viet Nam, a Sunday


def moment(at_ms: int) -> datetime:
    """Return epoch milliseconds as an aware datetime."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


async def insert(session: Session, table: str, **values: Any) -> int:
    """Insert one row as it is and return its id."""
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    sql = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING *"  # noqa: S608
    row = await session.one(sql, **values)
    assert row is not None
    if table == "device":  # it stands on the books by a version
        said = {name: row[name] for name in DEVICE_SAID}
        await insert(
            session, "device_version", valid_from=FAR_BACK, recorded_at_ms=0, device_id=row["id"],
            **said,
        )  # fmt: skip
    return int(row.get("id") or next(iter(row.values())))


async def add_unit(session: Session, code: str = "X1", parent: int | None = None) -> int:
    """Add a unit valid since 2020."""
    unit = await insert(session, "unit", created_at_ms=0, demo=False)
    await insert(
        session,
        "unit_version",
        valid_from=date(2020, 1, 1),
        recorded_at_ms=0,
        unit_id=unit,
        parent_id=parent,
        code=code,
        name=f"Xã {code}",
        type="xa",
        sort_key=code,
        search_key=code.lower(),
    )
    return unit


async def add_source(
    database: Database, *, kind: str = "agent", state: str = "approved", unit: int | None = None
) -> "Sender":
    """Add an enrolled source and return the one who speaks for it."""
    sender = Sender(source=secrets.token_hex(8), kind=kind)
    async with database.transaction() as session:
        if unit is None:
            unit = await add_unit(session, f"X{secrets.token_hex(4)}")
        token = await insert(
            session,
            "enrolment_token",
            public_id=secrets.token_hex(8),
            secret_sha256="0" * 64,
            kind=kind,
            unit_id=unit,
            uses_left=1,
            expires_at_ms=NOW_MS,
            approves=False,
            created_at_ms=0,
        )
        sender.source_id = await insert(
            session,
            "source",
            public_id=sender.source,
            kind=kind,
            state=state,
            install_id=secrets.token_hex(16),
            secret_sha256=sha256(sender.secret.encode()).hexdigest(),
            token_id=token,
            unit_id=unit,
            created_at_ms=0,
        )
        await session.execute(
            "INSERT INTO source_now (source_id, changed_at_ms) VALUES (:id, 0)",
            id=sender.source_id,
        )
    return sender


@dataclass(slots=True)
class Sender:
    """One install: numbers its reports and keeps its own clock, ``clock_error_ms`` off."""

    source: str
    kind: str = "agent"
    source_id: int = 0
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    stream: int = field(default_factory=lambda: secrets.randbits(64))
    boot_id: str = field(default_factory=lambda: secrets.token_hex(8))
    booted_ms: int = NOW_MS - 10 * 86_400_000
    clock_error_ms: int = 0
    seqs: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def report(self, kind: str, body: Body, at_ms: int, *, seq: int | None = None) -> Report:
        """Return the next report, made at the true moment ``at_ms``."""
        return Report(
            stream=self.stream,
            seq=next(self.seqs) if seq is None else seq,
            boot_id=self.boot_id,
            at=moment(at_ms + self.clock_error_ms),
            uptime_seconds=(at_ms - self.booted_ms) / 1000,
            kind=kind,
            body=body,
        )

    def body(self, reports: list[Report] | list[bytes], sent_ms: int = NOW_MS) -> bytes:
        """Return the JSON of a batch sent at the true moment ``sent_ms``."""
        encoded = [r if isinstance(r, bytes) else encode_report(r) for r in reports]
        return encode_batch(
            self.source,
            moment(sent_ms + self.clock_error_ms),
            (sent_ms - self.booted_ms) / 1000,
            self.boot_id,
            encoded,
        )

    def post(self, reports: list[Report] | list[bytes], sent_ms: int = NOW_MS) -> bytes:
        """Return what travels: the batch, gzipped."""
        return gzip.compress(self.body(reports, sent_ms))

    def batch(self, reports: list[Report] | list[bytes], sent_ms: int = NOW_MS) -> IncomingBatch:
        """Return the batch as the endpoint would hand it to the writer on arrival."""
        data = self.body(reports, sent_ms)
        return decode_batch(data, self.source, self.source_id, self.kind, sent_ms)

    def headers(self) -> dict[str, str]:
        """Return the headers of a POST."""
        return {
            "Authorization": f"Bearer {self.secret}",
            "X-Kiemke-Source": self.source,
            "Content-Encoding": "gzip",
            "Content-Type": "application/json",
        }
