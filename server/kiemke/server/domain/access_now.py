"""Findings about who can get into devices: shared, writing and well-known secrets, strange addresses.

Nothing is tried to find out: a secret writes because somebody said so or its user is one that always may,
a device is written to because its own configuration or prompt says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.findings_now import Wanted, settle
from kiemke.server.domain.scope import common_unit, load_parents
from kiemke.server.domain.secrets import USES, Choice, load_choice
from kiemke.server.domain.sites import Sites, load_sites

Guard = Callable[[Session], Awaitable[None]]

SHARED = "secret_shared"
WELL_KNOWN = "secret_well_known"
SNMP_WRITES = "snmp_may_write"
SSH_CONFIGURES = "ssh_may_configure"
OUTSIDE = "device_outside"
KINDS = (SHARED, WELL_KNOWN, SNMP_WRITES, SSH_CONFIGURES, OUTSIDE)
MOST_NAMED = 8
# So many devices are looked at before others have their turn on the event loop.
DEVICES_A_STEP = 500

_SECRETS = "SELECT id, unit_id, kind, name, can_change, well_known FROM secret WHERE gone = 0"
_DEVICES = """
SELECT d.id, d.code, d.unit_id, d.address, d.credential, d.ssh_credential, x.user_name,
  x.may_configure, x.snmp_writers
FROM device d LEFT JOIN device_ssh x ON x.device_id = d.id
WHERE d.retired_at_ms IS NULL ORDER BY d.code
"""
_UNITS = """
SELECT unit_id, code FROM unit_version WHERE voided_at_ms IS NULL ORDER BY valid_from, id
"""


class Book:
    """What was found so far, with the tree that says who may see it."""

    def __init__(self, parents: dict[int, int | None]) -> None:
        self._parents = parents
        self.wanted: Wanted = {}

    def add(self, kind: str, subject: str, units: Iterable[int], *words: str, then: str) -> None:
        """Add a finding: names and figures, alike in both languages, then the command to type next."""
        text = " · ".join(word for word in words if word)
        detail = f"{text[: 497 - len(then)]} | {then}"
        self.wanted[kind, subject[:80]] = (detail, common_unit(self._parents, units))


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Make the open findings of KINDS exactly what is so now; return how many changed."""
    async with db.reading() as session:
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installed is None:
            return 0
        today = calendar.local_day(now_ms, installed["utc_offset_seconds"])
        sites = await load_sites(session, today, now_ms)
        choice = await load_choice(session, sites)
        secrets = {row["id"]: row for row in await session.fetch(_SECRETS)}
        devices = await session.fetch(_DEVICES)
        units = {row["unit_id"]: row["code"] for row in await session.fetch(_UNITS)}
        book = Book(await load_parents(session, today))
    used: dict[int, list[Row]] = {}
    for start in range(0, len(devices), DEVICES_A_STEP):
        for device in devices[start : start + DEVICES_A_STEP]:
            _look_at_device(book, device, sites, choice, used)
        await asyncio.sleep(0)
    for secret_id, row in secrets.items():
        _look_at_secret(book, row, used.get(secret_id, []), sites, units)
    return await settle(db, list(KINDS), book.wanted, now_ms, guard)


def _look_at_device(
    book: Book, device: Row, sites: Sites, choice: Choice, used: dict[int, list[Row]]
) -> None:
    code, unit = device["code"], device["unit_id"]
    subject = f"device:{code}"
    if device["address"] is not None and sites.reach(unit).why_not(device["address"]) is not None:
        book.add(OUTSIDE, subject, (unit,), device["address"], then="kiemke site subnet list")
    if device["snmp_writers"]:
        words = (f"SNMP RW: {device['snmp_writers']}",)
        book.add(SNMP_WRITES, subject, (unit,), *words, then=f"kiemke device config show {code}")
    if device["may_configure"]:
        user = device["user_name"] or ""
        book.add(SSH_CONFIGURES, subject, (unit,), user, then=f"kiemke device show {code}")
    for kind in USES:
        found = choice.of(device, kind)
        if found is not None:
            used.setdefault(found["id"], []).append(device)


def _look_at_secret(
    book: Book, secret: Row, devices: list[Row], sites: Sites, units: dict[int, str]
) -> None:
    """Look at a secret and the devices that use it; one that nothing uses still opens doors."""
    subject, name = f"secret:{secret['id']}", f"{secret['kind']} {secret['name']}"
    own = (secret["unit_id"],)
    rotate = f"kiemke secret rotate {secret['id']}"
    places = {sites.site_of(device["unit_id"]) or device["unit_id"] for device in devices}
    if len(places) > 1:
        codes = sorted(units.get(place, str(place)) for place in places)
        more = [f"+{len(codes) - MOST_NAMED}"] if len(codes) > MOST_NAMED else []
        named = ", ".join([*codes[:MOST_NAMED], *more])
        seen = (*own, *(device["unit_id"] for device in devices))
        book.add(SHARED, subject, seen, name, named, then="kiemke secret add")
    if secret["well_known"]:
        book.add(WELL_KNOWN, subject, own, name, then=rotate)
    if secret["can_change"]:
        kind = SNMP_WRITES if secret["kind"] == "snmp" else SSH_CONFIGURES
        book.add(kind, subject, own, name, then=rotate)
