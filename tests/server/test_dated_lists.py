"""Lists against random histories: what the API shows of any day, as known at any time, is replayed.

The histories are kept as the ledgers keep them (a correction voids and adds); the oracle knows only
the acts, in the order in which they were recorded.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import Api, running_api
from tests.support.office import RECORDED_MS, Office

FIRST = date(2025, 1, 1)
DAYS, ACTS, PROBES = 30, 5, 8
UNITS, THINGS = 7, 6
DAY_MS = 86_400_000


@dataclass(slots=True)
class History:
    """One subject's acts ("from this day to that one it is so") and the rows that tell of them."""

    acts: list[tuple[int, date, date | None, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def act(self, at_ms: int, start: date, end: date | None, value: Any) -> None:
        """Record that ``value`` (None: nothing) is so from ``start`` until before ``end``."""
        self.acts.append((at_ms, start, end, value))
        for row in [row for row in self.rows if row["voided_at_ms"] is None]:
            later = row["valid_to"]
            if (end is not None and row["valid_from"] >= end) or (later and later <= start):
                continue
            row["voided_at_ms"] = at_ms
            if row["valid_from"] < start:
                self._add(at_ms, row["valid_from"], start, row["value"])
            if end is not None and (later is None or later > end):
                self._add(at_ms, end, later, row["value"])
        if value is not None:
            self._add(at_ms, start, end, value)

    def _add(self, at_ms: int, start: date, end: date | None, value: Any) -> None:
        self.rows.append(
            {
                "valid_from": start,
                "valid_to": end,
                "recorded_at_ms": at_ms,
                "voided_at_ms": None,
                "value": value,
            }
        )

    def find(self, day: date, known_ms: int) -> Any:
        """Return what was so on a day by the acts recorded until then: the last one that covers it."""
        found = None
        for at_ms, start, end, value in self.acts:
            if at_ms <= known_ms and start <= day and (end is None or day < end):
                found = value
        return found


@dataclass(slots=True)
class World:
    """Every subject's history, by kind and id. A unit's value is its (name, parent)."""

    units: dict[int, History] = field(default_factory=dict)
    officials: dict[int, History] = field(default_factory=dict)
    custodies: dict[int, History] = field(default_factory=dict)
    links: dict[int, History] = field(default_factory=dict)

    def below(self, root: int, day: date, known_ms: int) -> set[int]:
        """Return a unit and the units under it, by walking up from each."""
        found = {root}
        for unit in self.units:
            at: int | None = unit
            while at is not None:
                if at == root:
                    found.add(unit)
                now = self.units[at].find(day, known_ms)
                at = None if now is None else now[1]
        return found


def make_world(chance: random.Random) -> tuple[World, Office]:
    """Return a random world and the rows that tell of it."""
    world, office, clock = World(), Office(), [RECORDED_MS]

    def live(choose: Any) -> History:
        history = History()
        for _ in range(chance.randint(1, ACTS)):
            clock[0] += chance.randint(1, 3)
            start = FIRST + timedelta(chance.randrange(DAYS))
            end = None if chance.random() < 0.5 else start + timedelta(chance.randint(1, DAYS))
            history.act(clock[0], start, end, choose())
        return history

    def name() -> str:
        return f"name {chance.randrange(1000)}"

    for unit in range(1, UNITS + 1):
        # Parents have the lower number, so that no random history makes a ring.
        world.units[unit] = live(
            lambda unit=unit: (
                None
                if chance.random() < 0.15
                else (name(), chance.randrange(1, unit) if unit > 1 else None)
            )
        )
    for thing in range(1, THINGS + 1):
        world.officials[thing] = live(lambda: chance.choice([None, *range(1, UNITS + 1)]))
        world.custodies[thing] = live(lambda: chance.choice([None, *range(1, UNITS + 1)]))
        world.links[thing] = live(lambda: (name(), chance.randrange(1, UNITS + 1)))
    write_rows(world, office)
    return world, office


def write_rows(world: World, office: Office) -> None:
    """Queue the rows of every history, in the order in which they were recorded."""
    for unit, history in world.units.items():
        office.add("unit", created_at_ms=RECORDED_MS, demo=False)
        for row in history.rows:
            called, parent = row["value"]
            office.add_unit_version(unit, parent, called, **times(row))
    for number in range(1, THINGS + 1):
        office.add("official", **office._person(None))
        office.add_asset()
        office.add("link", code=f"L{number}", created_at_ms=RECORDED_MS)
    for official, history in world.officials.items():
        for row in history.rows:
            office.add_membership(official, row["value"], **times(row))
    for asset, history in world.custodies.items():
        for row in history.rows:
            office.add_custody(asset, row["value"], **times(row))
    for link, history in world.links.items():
        for row in history.rows:
            called, unit = row["value"]
            add_link_version(office, link, unit, called, **times(row))


def times(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row's two times."""
    return {key: value for key, value in row.items() if key != "value"}


def add_link_version(office: Office, link: int, unit: int, name: str, **dated: Any) -> None:
    """Queue one version of a line's contract."""
    office.add_dated(
        "link_version",
        link_id=link,
        unit_id=unit,
        device_id=None,
        interface_name=None,
        name=name,
        kind="internet",
        provider=None,
        contract_number=None,
        price_dong=None,
        payer=None,
        down_bits_per_second=None,
        up_bits_per_second=None,
        **dated,
    )


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        yield running


async def read_all(client: httpx.AsyncClient, path: str, **asked: Any) -> list[dict[str, Any]]:
    """Return every row of a list, by pages of two, checking the total on each."""
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        query = {**asked, "limit": 2, **({"after": after} if after else {})}
        answer = await client.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page["items"]
        after = page["next"]
        if after is None:
            assert page["total"] == len(rows)
            return rows


def code_of(ref: dict[str, Any] | None) -> str | None:
    """Return the code of a unit as other things name it."""
    return None if ref is None else str(ref["code"])


@pytest.mark.parametrize("seed", range(3))
async def test_lists_show_what_was_so_and_what_was_known(api: Api, seed: int) -> None:
    chance = random.Random(seed)
    world, office = make_world(chance)
    await api.write(office)
    last_ms = max(row["recorded_at_ms"] for h in world.units.values() for row in h.rows) + 5
    limited_to = chance.randrange(1, UNITS + 1)
    free = await api.signed_in("auditor")
    limited = await api.signed_in("auditor", unit_id=limited_to)
    async with free, limited:
        for _ in range(PROBES):
            day = FIRST + timedelta(chance.randrange(-2, DAYS + 10))
            known_ms = chance.randint(RECORDED_MS, last_ms)
            await check(free, world, day, known_ms, None)
            mine = standing_now(world, limited_to, api.services.today(), api.clock())
            then = world.below(limited_to, day, known_ms)
            await check(limited, world, day, known_ms, mine & then)


def standing_now(world: World, root: int, today: date, now_ms: int) -> set[int]:
    """Return the units whose way up, each by its newest place as known now, leads to ``root``."""
    parents: dict[int, int | None] = {}
    for unit, history in world.units.items():
        kept = [row for row in history.rows if row["voided_at_ms"] is None]
        kept.sort(key=lambda row: (row["valid_from"] <= today, row["valid_from"]))
        parents[unit] = kept[-1]["value"][1] if kept else None
    found = {root}
    for unit in world.units:
        at: int | None = unit
        while at is not None:
            if at == root:
                found.add(unit)
            at = parents[at]
    return found


async def check(
    client: httpx.AsyncClient, world: World, day: date, known_ms: int, allowed: set[int] | None
) -> None:
    """Compare every list with the acts. ``allowed`` are the units in sight, None is all."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=known_ms)
    asked = {"as_of": day.isoformat(), "known_at": moment.isoformat(timespec="milliseconds")}
    so = {unit: history.find(day, known_ms) for unit, history in world.units.items()}
    seen = set(so) if allowed is None else allowed

    def name_of(unit: int | None) -> str | None:
        return None if unit is None or so[unit] is None else f"U{unit}"

    units = await read_all(client, "units", **asked)
    assert {(u["code"], u["name"], code_of(u["parent"])) for u in units} == {
        (f"U{unit}", value[0], name_of(value[1]))
        for unit, value in so.items()
        if value is not None and unit in seen
    }
    officials = await read_all(client, "officials", **asked)
    assert {(o["id"], code_of(o["unit"])) for o in officials} == {
        (official, name_of(unit))
        for official, history in world.officials.items()
        if (unit := history.find(day, known_ms)) is not None and unit in seen
    }
    assets = await read_all(client, "assets", **asked)
    holders = {asset: h.find(day, known_ms) for asset, h in world.custodies.items()}
    assert {(a["id"], code_of(a["unit"])) for a in assets} == {
        (asset, name_of(unit))
        for asset, unit in holders.items()
        if allowed is None or unit in allowed
    }
    links = await read_all(client, "links", **asked)
    assert {(found["code"], found["name"], code_of(found["unit"])) for found in links} == {
        (f"L{link}", value[0], name_of(value[1]))
        for link, history in world.links.items()
        if (value := history.find(day, known_ms)) is not None and value[1] in seen
    }
