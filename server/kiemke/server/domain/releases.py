"""Signed releases of the agent: kept in parts, given to a share of the sources, taken back.

A source is offered the newest release of its system that is above its own version, is not withdrawn,
has not expired and whose share it is in. What it does with the offer is its own affair: it believes the
signature, not the server.
"""

from kiemke.server.db import Row, Session
from kiemke.wire.update import (
    LARGEST_PACKAGE_BYTES,
    PART_BYTES,
    Signed,
    bucket_of,
    number_of,
)

MOST_PARTS = -(-LARGEST_PACKAGE_BYTES // PART_BYTES)

_OFFERED = (
    "SELECT id, version, percent, signed, size_bytes FROM agent_release WHERE system = :system"
    " AND gone = 0 AND expires_at_ms > :now"
)


async def publish(
    session: Session, signed: Signed, package: bytes, *, percent: int, who: str, now_ms: int
) -> int:
    """Keep a release whose package was found to be the signed one; return its id.

    Raises Refused when this version is offered for this system already.
    """
    manifest = signed.manifest
    row = await session.one(
        "INSERT INTO agent_release (version, system, file_name, size_bytes, sha256, signed,"
        " expires_at_ms, percent, published_at_ms, published_by, changed_at_ms, gone) VALUES"
        " (:version, :system, :file, :size, :sha256, :signed, :expires, :percent, :now, :who, :now, 0)"
        " RETURNING id",
        version=manifest.version, system=manifest.system, file=manifest.file,
        size=manifest.size_bytes, sha256=manifest.sha256, signed=signed.encode().decode("ascii"),
        expires=round(manifest.expires_at.timestamp() * 1000), percent=percent, now=now_ms, who=who,
    )  # fmt: skip
    if row is None:
        raise RuntimeError("the new release's id did not come back")
    for number, start in enumerate(range(0, len(package), PART_BYTES)):
        await session.execute(
            "INSERT INTO agent_release_part (release_id, number, data) VALUES (:id, :number, :data)",
            id=row["id"],
            number=number,
            data=package[start : start + PART_BYTES],
        )
    return int(row["id"])


async def set_percent(session: Session, release_id: int, percent: int, now_ms: int) -> bool:
    """Give a release to more of the sources, or to fewer; False when it is offered no more."""
    done = await session.one(
        "UPDATE agent_release SET percent = :percent, changed_at_ms = :now WHERE id = :id"
        " AND gone = 0 RETURNING id",
        percent=percent,
        now=now_ms,
        id=release_id,
    )
    return done is not None


async def withdraw(session: Session, release_id: int, reason: str | None, now_ms: int) -> bool:
    """Offer a release to nobody any more and forget its parts; PCs that have it keep it.

    False when it was withdrawn before: what was said then stays.
    """
    done = await session.one(
        "UPDATE agent_release SET withdrawn_at_ms = :now, withdrawn_reason = :reason, gone = id"
        " WHERE id = :id AND gone = 0 RETURNING id",
        now=now_ms,
        reason=reason,
        id=release_id,
    )
    if done is None:
        return False
    await session.execute("DELETE FROM agent_release_part WHERE release_id = :id", id=release_id)
    return True


async def find_offer(
    session: Session, source: str, system: str, version: str, now_ms: int
) -> Row | None:
    """Return the release that a source on this version may take, None when there is none.

    Raises ManifestError when ``version`` is no version.
    """
    mine = number_of(version)
    rows = await session.fetch(_OFFERED, system=system, now=now_ms)
    found = [
        row
        for row in rows
        if number_of(row["version"]) > mine and bucket_of(source, row["version"]) < row["percent"]
    ]
    return max(found, key=lambda row: number_of(row["version"]), default=None)


async def find_part(session: Session, release_id: int, number: int) -> bytes | None:
    """Return a part of a release that is offered, None when there is no such part."""
    if not (0 < release_id < 2**63 and 0 <= number < MOST_PARTS):
        return None
    row = await session.one(
        "SELECT p.data FROM agent_release_part p JOIN agent_release r ON r.id = p.release_id"
        " WHERE p.release_id = :id AND p.number = :number AND r.gone = 0",
        id=release_id,
        number=number,
    )
    return None if row is None else bytes(row["data"])
