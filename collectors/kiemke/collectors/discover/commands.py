"""``kiemke-collector discover``: sweep the site's registered subnets now, or go from device to device."""

import argparse
import asyncio
import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence

from kiemke.collectors.assignment import Assignment, DeviceTask, load_assignment
from kiemke.collectors.credentials import FILE_NAME, Credential, read_credentials
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.device_poll import find_credential
from kiemke.collectors.discover.crawl import Step, crawl
from kiemke.collectors.discover.door import Door
from kiemke.collectors.discover.sweep import Sweeper
from kiemke.collectors.discover.task import SweepTask
from kiemke.collectors.discover.visits import TableVisits
from kiemke.collectors.errors import ConfigError
from kiemke.collectors.server_secrets import load_secrets, snmp_credentials
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.tongue import in_tongue, say
from kiemke.collectors.trace import Trace, no_trace, trace_to
from kiemke.wire.clean import clean_text
from kiemke.wire.lan import LanHost, Neighbours, Sweep
from kiemke.wire.reach import read_networks

SNMP_PORT = 161
BUDGET_SECONDS = 60.0
LONGEST_SHOWN = 60
NO_SUBNETS = (
    "no registered subnets to sweep: kiemke site subnet add SUBNET --unit UNIT on the server, "
    "then let kiemke-collector run fetch them"
)


def run(given: argparse.Namespace) -> int:
    """Run the command. Returns 0, or 1 when something was not complete. Raises ConfigError."""
    assignment = load_assignment(given.state)
    tasks = [
        task
        for task in (assignment.sweeps if assignment else ())
        if given.site in (None, task.site)
    ]
    if assignment is None or not tasks:
        raise ConfigError(NO_SUBNETS)
    trace = trace_to(sys.stderr) if given.debug else no_trace
    if given.crawl:
        return asyncio.run(_crawl(given, assignment, tasks, trace))
    return asyncio.run(_sweep(tasks, as_json=given.json, trace=trace))


async def _sweep(tasks: Sequence[SweepTask], *, as_json: bool, trace: Trace) -> int:
    whole = True
    for task in tasks:
        found = await Sweeper(task.site, task.door(), trace=trace).run()
        whole = whole and found.outcome == "ok"
        lines = [json.dumps(dataclasses.asdict(found))] if as_json else show_sweep(found)
        print("\n".join(lines if as_json else map(in_tongue, lines)), flush=True)
    return 0 if whole else 1


def show_sweep(found: Sweep) -> Iterable[str]:
    """Return a sweep as lines for a reader; what strangers say cannot move the cursor."""
    yield (
        f"site {found.site}: {', '.join(found.subnets)}: {found.asked} addresses asked, "
        f"{found.refused} left alone, {len(found.hosts)} found, {found.seconds:.0f} s"
    )
    for host in found.hosts:
        yield "  " + clean_text(_line(host))
    if found.detail is not None:
        yield f"  trouble: {found.detail}"


def _line(host: LanHost) -> str:
    parts = [f"{host.address:15}", host.mac or "-" * 17, ",".join(host.signs)]
    if host.open_ports:
        parts.append("ports " + ",".join(map(str, host.open_ports)))
    if host.snmp_version is not None:
        parts.append(f"SNMP {host.snmp_version}")
    parts += [text[:LONGEST_SHOWN] for text in (host.sys_name, host.sys_descr) if text]
    return "  ".join(parts)


async def _crawl(
    given: argparse.Namespace, assignment: Assignment, tasks: Sequence[SweepTask], trace: Trace
) -> int:
    local = given.state / FILE_NAME
    known = dict(snmp_credentials(load_secrets(given.state)))
    if local.exists():
        known.update(read_credentials(local))
    devices = {device.address: device for device in assignment.devices}
    engines = Engines()
    visits = TableVisits(engines, known, 0.0, trace=trace)

    async def read(address: str) -> Neighbours:
        task = devices.get(address)
        credential: Credential | None = None
        if task is not None:
            credential = find_credential(known, task)
        elif given.credential is not None:
            credential = known.get(given.credential)
        if credential is None:
            return Neighbours(0, "error", detail="not asked: no credential for it")
        task = task or DeviceTask(0, address, SNMP_PORT, credential.name)
        return await visits.read(task, credential, Deadline(BUDGET_SECONDS))

    door = _door(tasks)
    seeds = given.seed or [device.address for device in assignment.devices]
    for seed in seeds:
        if (reason := door.why_not(seed)) is not None:
            say(f"{clean_text(seed)}: left alone, it {reason}", sys.stderr)
    try:
        steps = await crawl(seeds, read, door, trace=trace)
    finally:
        engines.close()
        await asyncio.sleep(0)  # let the closed sockets' callbacks run before the loop ends
    for step in steps:
        lines = [json.dumps(dataclasses.asdict(step))] if given.json else show_step(step)
        print("\n".join(lines if given.json else map(in_tongue, lines)), flush=True)
    return 0 if steps and all(step.tables.outcome == "ok" for step in steps) else 1


def _door(tasks: Sequence[SweepTask]) -> Door:
    """Return one door to all the sites: what one of them denies is denied to all."""
    allow = [text for task in tasks for text in task.subnets]
    deny = [text for task in tasks for text in task.deny]
    return Door(read_networks(allow), read_networks(deny))


def show_step(step: Step) -> Iterable[str]:
    """Return one device of a crawl as lines for a reader."""
    told = f", told by {step.told_by}" if step.told_by else ""
    outcome = step.tables.outcome
    yield f"{step.address}{told}: {outcome}" + (
        f" ({clean_text(step.tables.detail)})" if step.tables.detail else ""
    )
    for beside in step.tables.neighbours or ():
        far = beside.name or beside.chassis or "?"
        where = f"{beside.port or '?'} -- {beside.far_port or '?'} of {far}"
        said = f"{beside.protocol}: {', '.join(beside.addresses)}"
        yield "  " + clean_text(f"{where} ({said.strip().rstrip(':')})")
    if step.tables.stations:
        yield f"  {len(step.tables.stations)} MACs learned"
