"""The demo's one act, step by step: server, papers, real machine, fleet, and what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import stock_takes, this_machine
from bench.children import Children
from bench.desks import Desks, compare_desks, place_of, units_with_desks
from bench.district import District
from bench.fleet import Fleet
from bench.https import Pool
from bench.papers import OLD_ROSTER_NAME, write_old_roster, write_papers
from bench.reform import make_reform
from bench.server import Api, ApiError, Server, start_server
from bench.stock_takes import Plan, TakeLine
from bench.strangers import Seen, compare_strangers, plant
from bench.thanh_giang import SEED, make_district
from bench.truth import (
    CoverageLine,
    LinkLine,
    compare_coverage,
    compare_links,
    compare_metrics,
    compare_people,
)
from bench.yen_ha import with_second_district
from kiemke.wire.enrolment import Token

UTC_OFFSET_SECONDS = 25_200
CONNECTIONS = 8
# The server recounts every half minute and judges the lines every minute: two rounds, and some.
SETTLE_SECONDS = 150.0
SCRAPE_TOKEN_FILE = "scrape-token"
REFORM_FILE = "cai-cach-2025.toml"
LOOK_EVERY_SECONDS = 3.0
LIVE_EVERY_SECONDS = 60.0

Tell = Callable[[str, int, int], None]


@dataclass(slots=True)
class Found:
    """What one look at the server gave, compared with the truth."""

    coverage: list[CoverageLine] = field(default_factory=list)
    links: list[LinkLine] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    machine: dict[str, Any] | None = None
    own_link: dict[str, Any] | None = None
    strangers: list[str] = field(default_factory=list)
    takes: list[TakeLine] = field(default_factory=list)
    desks: Desks = field(default_factory=lambda: Desks(0, 0, Counter(), []))
    other: list[str] = field(default_factory=list)

    @property
    def differences(self) -> list[str]:
        """Return a sentence for each figure that is not the true one."""
        coverage = [
            f"coverage of {line.code}: {line.seen}, truly {line.true}"
            for line in self.coverage
            if line.differs
        ]
        links = [
            f"link {one.line.code}: {', '.join(one.problems)}" for one in self.links if one.problems
        ]
        takes = [problem for take in self.takes for problem in take.problems]
        seen = coverage + links + self.people + self.strangers + self.desks.problems
        return seen + takes + self.other


@dataclass(slots=True)
class Play:
    """One performance in ``folder``; ``tell`` is told (step, done, of how many).

    ``use_snmpd`` False polls kiemke's own responder even where snmpd is installed.
    """

    folder: Path
    communes: int
    children: Children
    tell: Tell
    use_snmpd: bool = True
    district: District = field(init=False)
    server: Server = field(init=False)
    api: Api = field(init=False)
    fleet: Fleet = field(init=False)
    plans: tuple[Plan, ...] = ()
    takes: list[int] = field(default_factory=list)
    snmp_agent: str = ""
    scrape_token: str = ""
    began: float = field(default_factory=time.monotonic)
    played_seconds: float = 0.0

    async def run(self, act: "Callable[[Play], Awaitable[int]]") -> int:
        """Play the whole district, then hand over to ``act`` while the connections are open.

        Raises ChildError, ApiError, HttpError or SenderError (perhaps in an ExceptionGroup).
        """
        port, self.snmp_agent = this_machine.start_snmp_agent(
            self.children, self.folder / "snmpd", use_snmpd=self.use_snmpd
        )
        planted = plant(make_district(self.communes), SEED)
        whole = with_second_district(planted, self.communes)
        self.district = _with_this_machine(whole, port)
        self.tell("server", 0, 1)
        self.server = await asyncio.to_thread(
            start_server, self.children, self.folder / "server", demo=True
        )
        self.tell("server", 1, 1)
        async with Pool(self.server.address, self.server.pins, CONNECTIONS) as pool:
            self.api = Api(pool, self.server)
            await self.api.login()
            await self._import()
            await self._open_desks()
            self.plans = stock_takes.make_plans(self.district)
            self.takes = await stock_takes.hold(self.api, self.plans, UTC_OFFSET_SECONDS)
            self.fleet = Fleet(
                self._simulated(), pool, UTC_OFFSET_SECONDS, datetime.now(UTC), self.tell
            )
            await self._enrol_this_machine()
            await self.fleet.enrol_sites(await self._tokens(self._sites(), "collector"))
            await self.fleet.assign_sites()
            await self.fleet.play_pcs(await self._tokens(self._heads(), "agent"))
            await self.fleet.play_lines()
            await self.fleet.live_once()
            self.scrape_token = await self._make_scrape_token()
            self.played_seconds = time.monotonic() - self.began
            return await act(self)

    async def _import(self) -> None:
        """Import every paper, each first as a dry run. Raises ApiError when one is refused."""
        papers = write_papers(self.district, self.folder / "papers")
        for number, (template, file) in enumerate(papers.items()):
            self.tell("papers", number, len(papers))
            for apply in (False, True):
                said = await self.api.import_file(template, file, apply=apply)
                wrong = said["errors"][:5] or said["questions"]
                if wrong or said["applied"] != apply:
                    raise ApiError(f"import of {file.name}: {wrong or 'not written'}")
        self.tell("papers", len(papers), len(papers))
        await self._try_old_roster()

    async def _open_desks(self) -> None:
        """Make the communes' one-stop desks: what stands there is named in the papers."""
        for unit in units_with_desks(self.district):
            await self.api.post("/places?apply=true", place_of(unit))

    async def rehearse_reform(self) -> dict[str, Any]:
        """Leave the reform of 01/07/2025 as a file beside the papers; return what it would do.

        Raises ApiError when the server foretells another number of units than the reform has.
        """
        reform = make_reform(self._simulated())
        (self.folder / "papers" / REFORM_FILE).write_text(reform.as_toml(), "utf-8")
        told: dict[str, Any] = await self.api.post("/reorganisations", reform.decision)
        made = {row["code"] for row in told["created"]}
        if told["applied"] or made != set(reform.people_after):
            raise ApiError(f"the reform would make {sorted(made)}")
        return told

    async def _try_old_roster(self) -> None:
        """Offer a roster in the encoding of old fonts: nothing may be written before somebody agrees.

        Raises ApiError when it was not recognised, or was written unasked.
        """
        file = write_old_roster(self.folder / "papers")
        said = await self.api.import_file("officials", file, apply=True)
        read = [sample["after"] for repair in said["repairs"] for sample in repair["samples"]]
        asked = [question["about"] for question in said["questions"]]
        if said["applied"] or asked != ["repair"] or OLD_ROSTER_NAME not in read:
            raise ApiError(f"a roster in TCVN3 was taken for {read}, asked about: {asked}")

    async def _enrol_this_machine(self) -> None:
        self.tell("this machine", 0, 2)
        unit = this_machine.UNIT
        pasted, _ = await self.api.make_enrolment_token(unit, "collector", 1, approves=True)
        await asyncio.to_thread(
            this_machine.start_collector, self.children, self.folder / "collector", pasted
        )
        self.tell("this machine", 1, 2)
        pasted, _ = await self.api.make_enrolment_token(unit, "agent", 1, approves=True)
        await asyncio.to_thread(
            this_machine.start_agent, self.children, self.folder / "agent", pasted
        )
        self.tell("this machine", 2, 2)

    def _simulated(self) -> District:
        """Return the district without what is real in it."""
        return replace(
            self.district,
            gear=tuple(g for g in self.district.gear if g.code != this_machine.DEVICE),
            lines=tuple(n for n in self.district.lines if n.code != this_machine.LINE),
        )

    def _sites(self) -> Counter[str]:
        return Counter({gear.unit: 1 for gear in self._simulated().gear})

    def _heads(self) -> Counter[str]:
        return Counter(pc.unit for pc in self.district.pcs)

    async def _tokens(self, uses: Counter[str], kind: str) -> dict[str, Token]:
        """Return an enrolment token for each unit.

        PCs of communes wait for approval, which the server itself gives to one whose serial number
        is booked in its unit; everyone else is approved by the token.
        """
        return {
            unit: (
                await self.api.make_enrolment_token(
                    unit, kind, count, approves=kind == "collector" or not unit.startswith("TG-X")
                )
            )[1]
            for unit, count in uses.items()
        }

    async def _make_scrape_token(self) -> str:
        """Make a token for Prometheus and leave it beside the data, for its owner alone."""
        said = await self.api.post("/tokens", {"kind": "scrape", "label": "prometheus", "days": 30})
        token: str = said["token"]
        file = self.folder / SCRAPE_TOKEN_FILE
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(token)
        return token

    async def export(self) -> Path:
        """Export the equipment inventory as an auditor would; return the file.

        Raises ApiError when a booked thing is missing from it.
        """
        file = self.folder / "equipment.csv"
        file.write_bytes(await self.api.file("/exports/equipment.csv?lang=vi"))
        text = file.read_text("utf-8-sig")
        missing = [t.code for t in self.district.things if f'"{t.code}"' not in text]
        if missing or "DỮ LIỆU MẪU" not in text:
            raise ApiError(f"the export lacks {missing[:3] or 'its mark'}")
        return file

    async def settle(self) -> Found:
        """Look until every figure is the true one, or long enough; return the last look."""
        end = time.monotonic() + SETTLE_SECONDS
        started = time.monotonic()
        next_live = started + LIVE_EVERY_SECONDS
        while True:
            found = await self.look()
            now = time.monotonic()
            self.tell("figures", int(min(now - started, SETTLE_SECONDS)), int(SETTLE_SECONDS))
            if not found.differences or now > end:
                return found
            self.children.check()
            if now >= next_live:
                await self.fleet.live_once()
                next_live = now + LIVE_EVERY_SECONDS
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> Found:
        """Ask the server for every figure and compare."""
        simulated = self._simulated()
        links = await self.api.items("/links")
        found = Found(
            coverage=compare_coverage(self.district, await self.api.items("/coverage")),
            people=compare_people(self.district, await self.api.items("/coverage/who")),
            links=compare_links(simulated, links, self.fleet.now, UTC_OFFSET_SECONDS),
            desks=compare_desks(self.district, await self.api.items("/desks")),
            own_link=next((row for row in links if row["code"] == this_machine.LINE), None),
            machine=await self._find_machine(),
            takes=await stock_takes.look(self.api, self.plans, self.takes),
        )
        found.strangers = compare_strangers(
            self.district,
            Seen(
                findings=await self.api.items("/findings"),
                sources=await self.api.items("/sources"),
                machines=await self.api.items("/machines"),
                differences=await self.api.items("/reconcile"),
                adapters=await self.api.items("/shared-adapters"),
            ),
        )
        metrics = await self.api.text("/metrics/fleet", self.scrape_token)
        found.other = await self._other_problems(found)
        found.other += compare_metrics(simulated, metrics, found.links)
        return found

    async def _find_machine(self) -> dict[str, Any] | None:
        """Return this machine as the server has it, None while it has not."""
        name = this_machine.hostname()
        rows = await self.api.items("/machines", unit=this_machine.UNIT)
        row = next((row for row in rows if row["hostname"] == name), None)
        if row is None:
            return None
        one: dict[str, Any] = await self.api.get(f"/machines/{row['id']}")
        return one

    async def _other_problems(self, found: Found) -> list[str]:
        problems: list[str] = []
        if found.machine is None:
            problems.append("this machine is not seen")
        state = None if found.own_link is None else found.own_link["state"]
        # Who may not ping cannot know; a system that said "up" or "down" would be guessing.
        true_state = "up" if this_machine.may_ping() else "unknown"
        if state != true_state:
            problems.append(f"this machine's own network is {state}, truly {true_state}")
        rejected = self.fleet.tally.rejected
        if rejected:
            problems.append(f"{len(rejected)} reports were set aside: {rejected[0].reason}")
        problems += await self._device_problems()
        trap = await self.api.get("/assets/TS-PC-0005")
        if trap["in_use_since"] != "2022-04-05":
            problems.append(f"05/04/2022 was read as {trap['in_use_since']}")
        me = await self.api.get("/me")
        if not me["demo"]:
            problems.append("the server does not say that these are sample data")
        return problems

    async def _device_problems(self) -> list[str]:
        """Compare each device's last outcome with how it truly behaves; the real one must answer."""
        outcomes = {row["code"]: row["outcome"] for row in await self.api.items("/devices")}
        return [
            f"device {gear.code}: {outcomes.get(gear.code)}, truly {true}"
            for gear in self.district.gear
            if outcomes.get(gear.code) != (true := _true_outcome(gear.behaviour))
        ]


def _true_outcome(behaviour: str) -> str:
    return "timeout" if behaviour == "silent" else "ok"


def _with_this_machine(district: District, snmp_port: int) -> District:
    """Add the machine the demo runs on: a device to poll and a line to probe."""
    gear, line = this_machine.make_gear(snmp_port, this_machine.find_route())
    return replace(district, gear=(*district.gear, gear), lines=(*district.lines, line))
