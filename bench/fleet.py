"""The fleet simulator: every PC and every site of a district over the real wire, past and present."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.district import District, Pc
from bench.https import Pool
from bench.lines import SLOT_SECONDS, Grid
from bench.office_life import make_sample, octets_live, past_reports, spread_of
from bench.site import Site, make_site
from bench.source import Source, Tally
from kiemke.wire.enrolment import Token

BOOTED_BEFORE = timedelta(days=40)
BOOT_SPREAD_MS = 9 * 86_400_000  # no two PCs were switched on in the same second
AT_ONCE = 6
LIVE_SECONDS = 60.0

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Fleet:
    """Plays a district against one server. ``progress`` is told (what, done, of how many)."""

    district: District
    pool: Pool
    utc_offset_seconds: int
    now: datetime
    progress: Progress
    tally: Tally = field(default_factory=Tally)
    sites: list[Site] = field(default_factory=list)
    pcs: list[tuple[Pc, Source]] = field(default_factory=list)

    @property
    def grid(self) -> Grid:
        """Return the slots of the day on which the play began."""
        return Grid.at(self.now, self.utc_offset_seconds)

    @property
    def last_slot(self) -> int:
        """Return the slot that was running when the play began."""
        return int(self.now.timestamp()) // SLOT_SECONDS

    async def enrol_sites(self, tokens: dict[str, Token]) -> None:
        """Enrol one collector for each unit of ``tokens``."""
        for unit, token in tokens.items():
            source = self._source("collector", secrets.token_hex(16), f"thu-thap-{unit.lower()}")
            await source.enrol(token)
            self.sites.append(Site(source, [], []))

    async def assign_sites(self) -> None:
        """Fetch every site's assignment; what it may not hold is refused by make_site."""
        gear = {gear.address: gear for gear in self.district.gear}
        lines = list(self.district.lines)
        self.sites = [
            make_site(site.source, await site.source.fetch_assignment(), gear, lines, self.grid)
            for site in self.sites
        ]

    async def play_lines(self) -> None:
        """Send the past of every line, up to the slot that runs now."""
        await self._all(
            "lines",
            [lambda site=site: self._play_site(site) for site in self.sites],  # type: ignore[misc]  # a default argument
        )

    async def _play_site(self, site: Site) -> None:
        await site.source.post_all(site.past_reports(self.grid, self.last_slot))

    async def play_pcs(self, tokens: dict[str, Token]) -> None:
        """Enrol every PC in its unit and send its past working days."""
        await self._all(
            "PCs",
            [lambda pc=pc: self._play_pc(pc, tokens[pc.unit]) for pc in self.district.pcs],  # type: ignore[misc]  # a default argument
        )

    async def _play_pc(self, pc: Pc, token: Token) -> None:
        source = self._source("agent", pc.install_id, pc.hostname, pc.clock_error)
        source.booted_at -= timedelta(milliseconds=spread_of(pc) % BOOT_SPREAD_MS)
        await source.enrol(token)
        today = (self.now + timedelta(seconds=self.utc_offset_seconds)).date()
        await source.post_all(past_reports(pc, source, today, self.utc_offset_seconds))
        self.pcs.append((pc, source))

    async def live_once(self) -> None:
        """Send what every site sees now, and in office hours what every PC does."""
        for site in self.sites:
            await site.source.post(list(site.live_reports(datetime.now(UTC))))
        if not self._is_office_time():
            return
        for pc, source in self.pcs:
            if pc.last_working_day == 1:
                now = datetime.now(UTC)
                since_start = int((now - self.now).total_seconds())
                sample = make_sample(pc, LIVE_SECONDS, octets_live(pc, since_start))
                await source.post([source.encode(now, "sample", sample)])

    def _is_office_time(self) -> bool:
        local = datetime.now(UTC) + timedelta(seconds=self.utc_offset_seconds)
        return local.weekday() < 5 and 8 <= local.hour < 17

    def _source(
        self, kind: str, install_id: str, hostname: str, clock_error: timedelta = timedelta()
    ) -> Source:
        booted_at = self.now - BOOTED_BEFORE
        return Source(
            self.pool, self.tally, kind, install_id, booted_at,
            hostname=hostname, clock_error=clock_error,
        )  # fmt: skip

    async def _all(self, what: str, plays: list[Callable[[], Awaitable[None]]]) -> None:
        """Run plays, a few at once; the first failure ends them all."""
        done = 0
        waiting: Iterator[Callable[[], Awaitable[None]]] = iter(plays)

        async def work() -> None:
            nonlocal done
            for play in waiting:
                await play()
                done += 1
                self.progress(what, done, len(plays))

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
