"""One pass over a site's registered subnets: who answers a ping, an SNMP hello or a knock at a port.

Each packet has leave of the door. Silent addresses get two echoes, two SNMP questions and a knock at the
quiet ports; hosts that answer get a knock at each port of the list once.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kiemke.collectors.discover import kernel_table, tcp
from kiemke.collectors.discover.door import Door, Leave, NotAllowed
from kiemke.collectors.discover.snmp_hello import SNMP_PORT, Asker
from kiemke.collectors.reachability import icmp
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.hello import Hello
from kiemke.collectors.snmp.reader import format_oid
from kiemke.collectors.snmp.values import read_text
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.lan import LanAddress, LanHost, Sweep

AT_ONCE = 32
ECHO_BUDGET_SECONDS = 1.2
ECHOES = 2
SNMP_QUESTIONS = 2
LAST_ANSWERS_SECONDS = 1.0
MAX_V6 = 2_000


@dataclass(slots=True)
class _Found:
    """What one address showed so far."""

    rtt_seconds: float | None = None
    signs: set[str] = field(default_factory=set)
    open_ports: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Sweeper:
    """Sweeps one site. ``ports`` and ``snmp_port`` are other ones in tests alone."""

    site: int
    door: Door
    ports: Sequence[tcp.Port] = field(default_factory=tcp.load_ports)
    snmp_port: int = SNMP_PORT
    at_once: int = AT_ONCE
    read_table: Callable[[], list[LanAddress]] = kernel_table.read
    trace: Trace = no_trace
    _found: dict[str, _Found] = field(default_factory=dict)
    _cannot_ping: str | None = None

    async def run(self) -> Sweep:
        """Sweep all addresses once and return what was found."""
        begun = time.monotonic()
        wide = self.door.too_wide()
        asker = Asker(self.snmp_port)
        await asker.open()
        try:
            waiting = iter(self.door.addresses())
            async with asyncio.TaskGroup() as group:
                for _ in range(self.at_once):
                    group.create_task(self._work(waiting, asker))
            if self._found:
                await asyncio.sleep(LAST_ANSWERS_SECONDS)
        finally:
            asker.close()
        hosts = self._hosts(asker.answers, await asyncio.to_thread(self.read_table))
        problems = [f"{net}: too wide to sweep; register narrower subnets" for net in wide]
        if self._cannot_ping is not None:
            problems.append(self._cannot_ping)
        return Sweep(
            self.site,
            "partial" if problems else "ok",
            tuple(str(net) for net in self.door.subnets if net not in wide),
            len(self._found),
            self.door.refused,
            round(time.monotonic() - begun, 3),
            hosts,
            "; ".join(problems) or None,
        )

    async def _work(self, waiting: "object", asker: Asker) -> None:
        for address in waiting:  # type: ignore[attr-defined]  # an iterator that all workers share
            try:
                await self._look(address, asker)
            except NotAllowed as err:
                self.trace("left alone", {"address": address, "because": str(err)})

    async def _look(self, address: str, asker: Asker) -> None:
        leave = await self.door.enter(address, ECHOES)
        found = self._found.setdefault(address, _Found())
        found.rtt_seconds = await self._ping(leave)
        if found.rtt_seconds is not None:
            found.signs.add("icmp")
        asker.ask(await self.door.enter(address, SNMP_QUESTIONS))
        for port in self.ports:
            if port.quiet or found.signs:
                answer = await tcp.knock(await self.door.enter(address), port.number)
                if answer is not None:
                    found.signs.add("tcp")
                if answer:
                    found.open_ports.append(port.number)

    async def _ping(self, leave: Leave) -> float | None:
        """Return the round trip of the first echo that came back, None when none did."""
        for _ in range(ECHOES):
            answer = await icmp.probe(
                0, leave.address, 1, budget_seconds=ECHO_BUDGET_SECONDS, trace=self.trace
            )
            if answer.received:
                return answer.rtt_avg_seconds
            if not answer.sent and answer.detail == icmp.NO_PERMISSION:
                self._cannot_ping = answer.detail
                return None
        return None

    def _hosts(self, agents: dict[str, Hello], table: Sequence[LanAddress]) -> tuple[LanHost, ...]:
        macs = {row.address: row.mac for row in table}
        made = []
        for address, found in self._found.items():
            agent = agents.get(address)
            signs = found.signs | ({"snmp"} if agent else set())
            if address in macs:
                signs |= {"table"}
            if signs:
                made.append(_host(address, macs.get(address), found, signs, agent))
        v6 = [row for row in table if ":" in row.address and self.door.may_name(row.address)]
        made += [LanHost(row.address, row.mac, ("table",)) for row in v6[:MAX_V6]]
        return tuple(made)


def _host(
    address: str, mac: str | None, found: _Found, signs: set[str], agent: Hello | None
) -> LanHost:
    values = agent.values if agent else {}
    object_id = values.get(oids.SYS_OBJECT_ID)
    return LanHost(
        address,
        mac,
        tuple(sorted(signs)),
        found.rtt_seconds,
        tuple(sorted(found.open_ports)),
        agent.version if agent else None,
        read_text(values.get(oids.SYS_DESCR)),
        format_oid(object_id) if isinstance(object_id, tuple) else None,
        read_text(values.get(oids.SYS_NAME)),
    )
