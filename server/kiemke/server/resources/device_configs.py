"""Configurations of network devices by version: list, one version's text, what changed between two."""

import asyncio
import difflib
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain.calendar import day_start_ms
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.devices import find_device
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page
from kiemke.server.resources.tree import Moment, as_id

NOUN = Both("phiên bản cấu hình", "configuration version")
# Equal lines of two texts, each with each: from there on looking for the best fit takes minutes or hours.
MOST_PAIRS = 2_000_000
COLUMNS = "c.id, c.platform, c.line_count, c.masked, c.read_at_ms, c.seen_at_ms"

LISTING = Listing(
    columns=COLUMNS,
    tables="device_config c JOIN device d ON d.id = c.device_id",
    where=("c.device_id = :device", "c.recorded_at_ms <= :known", "c.read_at_ms < :end"),
    key="c.read_at_ms",
    id="c.id",
    in_units="d.unit_id IN :[units]",
    descending=True,
)


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """A version: so from ``read_at`` to ``seen_at`` at least; ``masked`` secrets were taken out."""

    id: int
    platform: str
    lines: int
    masked: int
    read_at: str | None
    seen_at: str | None


@dataclass(frozen=True, slots=True)
class ConfigText(ConfigVersion):
    """A version with its text."""

    text: str


@dataclass(frozen=True, slots=True)
class ConfigDiff:
    """What changed from one version to another, as a unified diff; empty where nothing did."""

    before: ConfigVersion
    after: ConfigVersion
    lines: list[str]


def _make(row: Row) -> ConfigVersion:
    return ConfigVersion(
        row["id"],
        row["platform"],
        row["line_count"],
        row["masked"],
        rfc3339(row["read_at_ms"]),
        rfc3339(row["seen_at_ms"]),
    )


@get("/api/v1/devices/{ref:str}/configs", opt={"role": "it"}, tags=["devices"])
async def list_configs(
    request: AppRequest, ref: FromPath[str], asked: NamedDependency[ListQuery]
) -> Page[ConfigVersion]:
    """List the versions of a device's configuration, the newest first."""
    device = await find_device(request, ref, asked.moment)
    services = services_of(request)
    end = end_ms(services, asked.moment.day)
    rows, total, cursor = await fetch_page(services, LISTING, asked, device=device["id"], end=end)
    return Page([_make(row) for row in rows], total, cursor)


@get("/api/v1/devices/{ref:str}/configs/{version:str}", opt={"role": "it"}, tags=["devices"])
async def get_config(
    request: AppRequest,
    ref: FromPath[str],
    version: FromPath[str],
    moment: NamedDependency[Moment],
) -> ConfigText:
    """Return a version's text: by number, by day (what was so at its end), or "latest"."""
    device = await find_device(request, ref, moment)
    row = await _find(services_of(request), device["id"], version, moment)
    made = _make(row)
    return ConfigText(
        made.id, made.platform, made.lines, made.masked, made.read_at, made.seen_at, row["text"]
    )


@get("/api/v1/devices/{ref:str}/config-diff", opt={"role": "it"}, tags=["devices"])
async def diff_configs(
    request: AppRequest,
    ref: FromPath[str],
    moment: NamedDependency[Moment],
    before: Annotated[str | None, QueryParameter(description="number or YYYY-MM-DD")] = None,
    after: Annotated[str, QueryParameter(description="number, YYYY-MM-DD or latest")] = "latest",
) -> ConfigDiff:
    """Return what changed between two versions; by default by the last change."""
    services = services_of(request)
    device = await find_device(request, ref, moment)
    new = await _find(services, device["id"], after, moment)
    if before is None:
        rows = await services.db.read(
            "SELECT * FROM device_config WHERE device_id = :device AND read_at_ms < :at"
            " AND recorded_at_ms <= :known ORDER BY read_at_ms DESC, id DESC LIMIT 1",
            device=device["id"],
            at=new["read_at_ms"],
            known=moment.known_ms,
        )
        old = rows[0] if rows else new
    else:
        old = await _find(services, device["id"], before, moment)
    # A long text takes seconds to compare: the event loop has others to serve.
    lines = await asyncio.to_thread(_compare, old["text"], new["text"])
    return ConfigDiff(_make(old), _make(new), lines)


def end_ms(services: Services, day: date) -> int:
    """Return when a local day ends."""
    offset = services.installation.utc_offset_seconds if services.installation else 0
    return day_start_ms(day + timedelta(days=1), offset)


def _compare(old: str, new: str) -> list[str]:
    before, after = old.splitlines(), new.splitlines()
    times = Counter(before)
    if sum(times[line] for line in after) > MOST_PAIRS:
        return _all_anew(before, after)
    compared = difflib.unified_diff(before, after, lineterm="", n=3)
    return list(compared)[2:]  # the two lines of file names say nothing here


def _all_anew(before: list[str], after: list[str]) -> list[str]:
    """Return what lies between the first and the last difference as wholly replaced."""
    if before == after:
        return []
    shorter = min(len(before), len(after))
    head = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if before[-1 - n] != after[-1 - n]), rest)
    gone, come = before[head : len(before) - tail], after[head : len(after) - tail]
    place = f"@@ -{head + 1},{len(gone)} +{head + 1},{len(come)} @@"
    return [place, *(f"-{line}" for line in gone), *(f"+{line}" for line in come)]


async def _find(services: Services, device: int, version: str, moment: Moment) -> Row:
    """Return a version with its text. Raises Problem 404."""
    day, number = moment.day, as_id(version)
    if number is None and version != "latest":
        try:
            day = min(day, date.fromisoformat(version))
        except ValueError as error:
            raise Problem("not_found", what=NOUN, ref=clean_text(version, 60)) from error
    rows = await services.db.read(
        "SELECT * FROM device_config WHERE device_id = :device AND recorded_at_ms <= :known"
        " AND (id = :number OR (CAST(:number AS BIGINT) IS NULL AND read_at_ms < :end))"
        " ORDER BY read_at_ms DESC, id DESC LIMIT 1",
        device=device,
        known=moment.known_ms,
        end=end_ms(services, day),
        number=number,
    )
    if not rows:
        raise Problem("not_found", what=NOUN, ref=clean_text(version, 60))
    return rows[0]


HANDLERS = (list_configs, get_config, diff_configs)
