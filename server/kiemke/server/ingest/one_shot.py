"""Surveys by hand: a PC's file read in a limited child by the agent's own decoders, kept as one source.

Each file is a source of kind "one_shot": approved by who brings it, of one day, never heard again. Which
machine it is the resolver decides, as of any source. The same file again changes nothing.
"""

import asyncio
import hashlib
import json
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec

from kiemke.server.audit import record
from kiemke.server.db import Row, Session
from kiemke.server.errors import Both
from kiemke.server.ingest.decode import decode_rows
from kiemke.server.ingest.incoming import BadReport
from kiemke.wire.clean import clean_text

KIND = "one_shot"
MOST_FILE_BYTES = 8 * 2**20
WALL_SECONDS = 30.0
NOBODY_SHA256 = "0" * 64  # no secret has this hash: such a source cannot sign in
FIRST_DAY = date(2000, 1, 1)
NEW, SAME = "new", "same"
_CHILD = ("-I", "-X", "utf8", "-m", "kiemke.agent.main", "decode", "one-shot", "-")

_KNOWN = """
SELECT s.id, s.public_id FROM source s
WHERE s.kind = 'one_shot' AND s.install_id = :install
  AND (CAST(:all_units AS INTEGER) = 1 OR s.unit_id IN :[units]) ORDER BY s.id LIMIT 1
"""
_HANGS_ON = (
    "SELECT id FROM enrolment_token WHERE kind = 'one_shot' AND unit_id = :unit ORDER BY id LIMIT 1"
)
_ADD_PLACE = """
INSERT INTO enrolment_token (public_id, secret_sha256, kind, unit_id, uses_left, expires_at_ms, approves,
  created_at_ms, created_by, revoked_at_ms)
VALUES (:public_id, :sha, 'one_shot', :unit, 0, :now, :no, :now, :who, :now) RETURNING id
"""
_ADD_SOURCE = """
INSERT INTO source (public_id, kind, state, install_id, secret_sha256, token_id, unit_id, hostname,
  created_at_ms, approved_at_ms, approved_by)
VALUES (:public_id, 'one_shot', 'approved', :install, :sha, :token, :unit, :hostname, :at, :now, :who)
RETURNING id
"""
_ADD_NOW = """
INSERT INTO source_now (source_id, last_received_at_ms, last_true_at_ms, inventory_at_ms,
  identity_changed_at_ms, changed_at_ms) VALUES (:source, :at, :at, :at, :at, :now)
"""
_ADD_SECTION = """
INSERT INTO source_section (source_id, section, status, rows_json, observed_at_ms, changed_at_ms)
VALUES (:source, :section, 'ok', :rows, :at, :at)
"""
_ADD_SURVEY = """
INSERT INTO one_shot (source_id, day, taken_by, file_name, file_sha256, recorded_at_ms, recorded_by)
VALUES (:source, :day, :taken_by, :file, :sha, :now, :who)
"""


class FileRefused(Exception):
    """The file tells of no PC; ``why`` says it, in the decoder's words."""

    def __init__(self, why: Both) -> None:
        super().__init__(why.en)
        self.why = why


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file says. ``fingerprint`` is of what it says, not of how it is written."""

    file_name: str
    sha256: str
    fingerprint: str
    day: date
    hostname: str | None
    sections: dict[str, list[dict[str, Any]]]

    def said(self, section: str, name: str) -> str | None:
        """Return a field of a section's first row as text."""
        rows = self.sections.get(section) or [{}]
        value = rows[0].get(name)
        return value if isinstance(value, str) else None


async def read(file_name: str, data: bytes) -> Survey:
    """Return what a file says. Raises FileRefused; the child never outlives this call."""
    if len(data) > MOST_FILE_BYTES:
        size = MOST_FILE_BYTES >> 20
        raise FileRefused(Both(f"lớn hơn {size} MB", f"over {size} MB"))
    out, err = await _ask_child(data, "en")
    try:
        told = msgspec.json.decode(out)
        sections = {
            str(name): decode_rows(str(name), msgspec.Raw(msgspec.json.encode(rows)))
            for name, rows in told["sections"].items()
        }
        day = date.fromisoformat(told["taken_on"])
        hostname = clean_text(told["hostname"] or "", 200) or None
    except (
        msgspec.DecodeError,
        BadReport,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        english = _words(err)
        if not english:  # it said nothing: its rows are not what they should be
            why = Both("bộ đọc trả về dữ liệu không hiểu được", clean_text(str(error), 300))
            raise FileRefused(why) from error
        _, err = await _ask_child(data, "vi")
        raise FileRefused(Both(_words(err) or english, english)) from error
    plain = json.dumps([told["taken_on"], hostname, sections], sort_keys=True, ensure_ascii=True)
    return Survey(
        clean_text(file_name, 200) or "?",
        hashlib.sha256(data).hexdigest(),
        hashlib.sha256(plain.encode()).hexdigest(),
        day,
        hostname,
        sections,
    )


def _words(printed: bytes) -> str:
    """Return what the decoder complained of."""
    return clean_text(printed.decode("utf-8", "replace").strip().removeprefix("-: "), 300)


async def _ask_child(data: bytes, language: str) -> tuple[bytes, bytes]:
    """Return what the decoder printed; it limits its own memory and is killed at the deadline."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, *_CHILD,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"KIEMKE_LANG": language},
    )  # fmt: skip
    try:
        async with asyncio.timeout(WALL_SECONDS):
            return await child.communicate(data)
    except TimeoutError as error:
        seconds = f"{WALL_SECONDS:.0f}"
        why = Both(f"đọc quá {seconds} giây", f"reading it took more than {seconds} s")
        raise FileRefused(why) from error
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def known(session: Session, survey: Survey, units: list[int] | None) -> Row | None:
    """Return the source that this very survey made in ``units`` (None: all), None when it is new."""
    all_units = 1 if units is None else 0
    return await session.one(
        _KNOWN, install=survey.fingerprint, all_units=all_units, units=units or []
    )


async def write(
    session: Session,
    survey: Survey,
    unit_id: int,
    *,
    taken_by: str,
    who: str,
    now_ms: int,
    offset: int,
) -> str:
    """Keep a new survey as a source of the unit, with its audit entry; return its public id."""
    noon = datetime.combine(survey.day, time(12), UTC)
    # The middle of that day, local; of today not later than now.
    at_ms = min(int(noon.timestamp() - offset) * 1000, now_ms)
    public_id = secrets.token_hex(8)
    made = await session.one(
        _ADD_SOURCE,
        public_id=public_id, install=survey.fingerprint, sha=NOBODY_SHA256,
        token=await _token(session, unit_id, who, now_ms), unit=unit_id, hostname=survey.hostname,
        at=at_ms, now=now_ms, who=who,
    )  # fmt: skip
    if made is None:
        raise RuntimeError("the new source's id did not come back")
    source = made["id"]
    await session.execute(_ADD_NOW, source=source, at=at_ms, now=now_ms)
    await session.many(
        _ADD_SECTION,
        [
            {
                "source": source,
                "section": name,
                "rows": json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
                "at": at_ms,
            }
            for name, rows in sorted(survey.sections.items())
        ],
    )
    await session.execute(
        _ADD_SURVEY, source=source, day=survey.day, taken_by=taken_by, file=survey.file_name,
        sha=survey.sha256, now=now_ms, who=who,
    )  # fmt: skip
    after = {"hostname": survey.hostname, "day": survey.day, "taken_by": taken_by}
    await record(
        session, at_ms=now_ms, who=who, act="machine.import", subject=f"source:{public_id}",
        after={**after, "file": survey.file_name, "sha256": survey.sha256},
    )  # fmt: skip
    return public_id


async def _token(session: Session, unit_id: int, who: str, now_ms: int) -> int:
    """Return what a unit's surveys hang on: a token that admits nobody."""
    found = await session.one(_HANGS_ON, unit=unit_id) or await session.one(
        _ADD_PLACE, public_id=secrets.token_hex(8), sha=NOBODY_SHA256, unit=unit_id, now=now_ms, no=False, who=who,
    )  # fmt: skip
    if found is None:
        raise RuntimeError("the new token's id did not come back")
    return int(found["id"])
