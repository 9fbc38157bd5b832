"""The running collector: assignment in, polls out, until it is told to stop."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from kiemke.collectors.assignment import (
    Assignment,
    DeviceTask,
    ProbeTask,
    by_snmp,
    load_assignment,
    reaches_of,
    save_assignment,
)
from kiemke.collectors.assignment_client import fetch_assignment
from kiemke.collectors.credentials import FILE_NAME, Credential, read_credentials
from kiemke.collectors.device_poll import DevicePoller
from kiemke.collectors.discover.sweeps import Sweeps
from kiemke.collectors.discover.visits import TableVisits
from kiemke.collectors.errors import AssignmentError, ConfigError, RevokedError
from kiemke.collectors.files import write_private
from kiemke.collectors.learned import FILE_NAME as LEARNED_FILE
from kiemke.collectors.learned import Learned
from kiemke.collectors.poll import Job, PollLoop, Work
from kiemke.collectors.reachability import icmp
from kiemke.collectors.relay import Relay, RelaySettings, load_relay
from kiemke.collectors.reporter import Reporter
from kiemke.collectors.revoked import shut_out
from kiemke.collectors.server_secrets import (
    ServerSecret,
    fetch_secrets,
    forget_secrets,
    load_secrets,
    save_secrets,
    snmp_credentials,
)
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.visits import Visits
from kiemke.collectors.state import REVOKED_WORDS, STATUS_FILE, load_enrolment
from kiemke.collectors.traps import TrapWatch
from kiemke.wire.lan import Neighbours
from kiemke.wire.report import Device, Reachability

if TYPE_CHECKING:
    from kiemke.collectors.ssh.read import SshReader

log = logging.getLogger(__name__)

REFRESH_SECONDS = 60.0
REFRESH_RETRY_SECONDS = 15.0
IDLE_REFRESH_SECONDS = 10.0
FIRST_ANSWER_SECONDS = 5.0  # then the kept assignment is worked on meanwhile
STATUS_SECONDS = 5.0
REVOKED_STATUS = 403  # of a source that waits for approval the assignment is empty

# How often the server's secrets changed, then mtime and inode of credentials.toml (None: absent).
Stamp = tuple[int, int | None, int | None]


def pause_after(assignment: Assignment) -> float:
    """Return the seconds until it is asked for again: twice an interval, which holds the lease on it.

    A collector without work is new: somebody is about to approve it and give it some.
    """
    is_idle = not (assignment.devices or assignment.probes)
    return IDLE_REFRESH_SECONDS if is_idle else assignment.poll_seconds / 2


class Collector:
    """Everything of one run that lives on the event loop."""

    def __init__(
        self,
        state: Path,
        reporter: Reporter,
        *,
        concurrency: int = 64,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self._state = state
        self._reporter = reporter
        self._refresh_seconds = refresh_seconds
        self._loop = PollLoop(self._report_bug, concurrency=concurrency)
        self._engines = Engines()
        self._local: Mapping[str, Credential] = {}
        self._known: Mapping[str, Credential] = {}
        self._secrets: tuple[ServerSecret, ...] = ()
        self._secrets_turn = 0
        self._snmp_stamp: Stamp | None = None
        self._learned = Learned(state / LEARNED_FILE)
        self._poller = DevicePoller(self._engines, {}, learned=self._learned)
        self._visits = Visits(state, reporter.emit, lambda: _make_ssh_reader(state))
        self._tables: TableVisits | None = None
        self._sweeps = Sweeps(state, reporter.emit)
        self._assignment: Assignment | None = None
        self._trouble: str | None = None
        self._traps = TrapWatch(state, self._poll_now, reporter.emit)
        self._relay: Relay | None = None
        self._relay_settings: RelaySettings | None = None
        self._relay_trouble: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; then end every poll, write and send what is in hand.

        Raises RevokedError once the server has revoked this collector: every poll was ended then too.
        """
        tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("assignment", self._keep_assigned()),
                ("writer", self._reporter.write()),
                ("sender", self._reporter.send()),
                ("status", self._keep_status()),
                ("visits", self._visits.run()),
            )
        ]
        waiter = asyncio.create_task(stop.wait())
        try:
            # One of these ending by itself is a bug: better a restart by the service manager
            # than a collector that seems to run.
            await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._loop.close()
            self._traps.close()
            await self._sweeps.close()
            if self._relay is not None:
                await self._relay.close()
            for task in [waiter, *tasks]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await self._reporter.finish()
            self._engines.close()
            await self._learned.keep(at_once=True)
            self._write_status()
        for result in ended:
            if isinstance(result, Exception):
                raise result

    def _fetch_assignment(self) -> Assignment:
        """Return the assignment, asked for with the server's roots as the sender last kept them.

        Secrets it names and that are not at hand are fetched with it. Raises AssignmentError,
        ConfigError, or RevokedError: every credential is deleted by then.
        """
        enrolled = load_enrolment(self._state).credentials()
        try:
            assignment = fetch_assignment(enrolled)
            wanted = {each.id: each.version for each in assignment.secrets}
            if wanted != {each.id: each.version for each in self._secrets}:
                self._keep_secrets(fetch_secrets(enrolled) if wanted else ())
        except AssignmentError as err:
            if err.status != REVOKED_STATUS:
                raise
            shut_out(self._state)
            raise RevokedError(REVOKED_WORDS) from err
        return assignment

    def _keep_secrets(self, secrets: tuple[ServerSecret, ...]) -> None:
        self._secrets = secrets
        self._secrets_turn += 1
        try:
            if secrets:
                save_secrets(self._state, secrets)
            else:
                forget_secrets(self._state)
        except OSError as err:
            log.warning("secrets not kept", extra={"reason": err.strerror})

    async def _keep_assigned(self) -> None:
        """Fetch the assignment at start and twice an interval; go on with the kept one meanwhile."""
        self._secrets = await asyncio.to_thread(load_secrets, self._state)
        kept = await asyncio.to_thread(load_assignment, self._state)
        asked = asyncio.create_task(asyncio.to_thread(self._fetch_assignment))
        # One that was revoked while it was off asks no device before it knows.
        await asyncio.wait({asked}, timeout=FIRST_ANSWER_SECONDS)
        if kept is not None and not asked.done():
            await self._take_over(kept)
        pause = await self._refresh(asked)
        if kept is not None and self._assignment is None:
            await self._take_over(kept)
        while True:
            await asyncio.sleep(pause)
            pause = await self._refresh(asyncio.to_thread(self._fetch_assignment))

    async def _refresh(self, asked: Awaitable[Assignment]) -> float:
        """Take over what the server says. Returns the seconds until the next time.

        Raises RevokedError, which ends the run.
        """
        try:
            assignment = await asked
        except RevokedError as err:
            self._trouble = str(err)
            log.error("revoked", extra={"reason": str(err)})
            raise
        except (AssignmentError, ConfigError) as err:
            self._trouble = str(err)
            log.warning("assignment not fetched", extra={"reason": str(err)})
            return min(REFRESH_RETRY_SECONDS, self._refresh_seconds)
        self._trouble = None
        for reason in assignment.refused:
            log.warning("entry of the assignment refused", extra={"reason": reason})
        try:
            await asyncio.to_thread(save_assignment, self._state, assignment)
        except OSError as err:
            log.warning("assignment not kept", extra={"reason": err.strerror})
        await self._take_over(assignment)
        return min(pause_after(assignment), self._refresh_seconds)

    async def _take_over(self, assignment: Assignment) -> None:
        retired = self._read_credentials()
        self._assignment = assignment
        pace = assignment.neighbours_seconds
        if pace is None:
            self._tables = None
        elif retired is not None or self._tables is None or self._tables.every_seconds != pace:
            self._tables = TableVisits(self._engines, self._known, pace)
        jobs: dict[str, Job] = {}
        for device in assignment.devices:
            key = f"device:{device.device}"
            jobs[key] = Job(key, (by_snmp(device), self._snmp_stamp), self._device_work(device))
            if self._tables is not None:
                key = f"tables:{device.device}"
                subject = (by_snmp(device), self._snmp_stamp, pace)
                jobs[key] = Job(key, subject, self._tables_work(device, self._tables))
        for probe in assignment.probes:
            key = f"probe:{probe.target}"
            jobs[key] = Job(key, probe, self._probe_work(probe))
        await self._loop.assign(jobs, assignment.poll_seconds)
        self._visits.assign(assignment.devices, self._secrets)
        self._traps.assign(assignment.devices, self._known)
        self._sweeps.assign(assignment.sweeps)
        if retired is not None:
            retired.close()  # only now: polls that used them have been ended
        log.info(
            "assignment",
            extra={"devices": len(assignment.devices), "probes": len(assignment.probes)},
        )

    def _stamp_credentials(self) -> Stamp:
        """Return what changes when credentials.toml is written anew, or the server's secrets change."""
        try:
            found = (self._state / FILE_NAME).stat()
        except OSError:
            return self._secrets_turn, None, None
        return self._secrets_turn, found.st_mtime_ns, found.st_ino

    def _read_credentials(self) -> Engines | None:
        """Read credentials.toml when it changed; a broken one is told and the last good one kept.

        Returns the engines that knew the old credentials, to be closed when nobody uses them.
        """
        stamp = self._stamp_credentials()
        if stamp == self._snmp_stamp:
            return None
        self._snmp_stamp = stamp
        if stamp[1] is None:
            self._local = {}
        else:
            try:
                self._local = read_credentials(self._state / FILE_NAME)
            except ConfigError as err:
                log.error("credentials not read", extra={"reason": str(err)})
        # Engines know their credentials from the first use on: new ones need new engines.
        old, self._engines = self._engines, Engines()
        self._known = {**snmp_credentials(self._secrets), **self._local}
        self._learned.wake_all()
        self._poller = DevicePoller(self._engines, self._known, learned=self._learned)
        return old

    def _poll_now(self, task: DeviceTask) -> None:
        """Give a device a turn at once: it has something to tell."""
        self._learned.tuning(task.address, task.port).wake()
        self._loop.nudge(f"device:{task.device}")

    def _device_work(self, task: DeviceTask) -> Work:
        async def work(budget_seconds: float) -> str:
            return await self._poller.poll(task, budget_seconds, self._reporter.emit)

        return work

    def _tables_work(self, task: DeviceTask, visits: TableVisits) -> Work:
        async def work(budget_seconds: float) -> str:
            return await visits.visit(task, budget_seconds, self._reporter.emit)

        return work

    def _probe_work(self, task: ProbeTask) -> Work:
        async def work(budget_seconds: float) -> str:
            found = await icmp.probe(
                task.target, task.address, task.count, budget_seconds=budget_seconds
            )
            await self._reporter.emit("reachability", found)
            if found.received:
                return "ok"
            return "timeout" if found.sent else "error"

        return work

    async def _report_bug(self, key: str, bug: BaseException) -> None:
        """Tell the server that a target was not polled because of a fault in the collector."""
        kind, _, number = key.partition(":")
        detail = f"fault in the collector ({type(bug).__name__}); its log says more"
        if kind == "device":
            await self._reporter.emit("device", Device(int(number), "error", detail))
        elif kind == "tables":
            await self._reporter.emit("neighbours", Neighbours(int(number), "error", detail=detail))
        else:
            await self._reporter.emit(
                "reachability", Reachability(int(number), 0, 0, detail=detail)
            )

    async def _keep_status(self) -> None:
        """Write the status, and look whether the operator has changed credentials.toml or the relay."""
        while True:
            await self._keep_relay()
            await self._traps.keep()
            await asyncio.to_thread(self._write_status)
            await self._learned.keep()
            await asyncio.sleep(STATUS_SECONDS)
            if self._assignment is not None and self._stamp_credentials() != self._snmp_stamp:
                await self._take_over(self._assignment)

    async def _keep_relay(self) -> None:
        """Begin, change or end the relay as relay.json says; trouble is told and tried again."""
        try:
            wanted = load_relay(self._state)
            if wanted == self._relay_settings and self._relay_trouble is None:
                return
            if self._relay is not None:
                await self._relay.close()
                self._relay = None
            self._relay_settings = wanted
            if wanted is not None:
                servers = load_enrolment(self._state).addresses
                relay = Relay(wanted, servers, lambda: reaches_of(self._assignment))
                await relay.start()
                self._relay = relay
                log.info("relay", extra=relay.state())
            self._relay_trouble = None
        except ConfigError as err:
            if str(err) != self._relay_trouble:
                log.error("relay not open", extra={"reason": str(err)})
            self._relay_trouble = str(err)

    def _write_status(self) -> None:
        """Write what ``kiemke-collector status`` shows."""
        last = self._reporter.last
        status = {
            "trouble": self._trouble or self._relay_trouble or self._traps.trouble,
            "traps": self._traps.state(),
            "relay": self._relay.state() if self._relay is not None else None,
            "poll_seconds": self._assignment.poll_seconds if self._assignment else None,
            "refused": list(self._assignment.refused) if self._assignment else [],
            "sweeps": dict(self._sweeps.told),
            "targets": {key: asdict(turns) for key, turns in list(self._loop.turns.items())},
            "visits": {key: each.outcome for key, each in list(self._visits.last.items())},
            "reports_written": self._reporter.written,
            "last_post": {"outcome": last.outcome.value, "detail": last.detail} if last else None,
        }
        try:
            write_private(self._state / STATUS_FILE, json.dumps(status))
        except OSError as err:
            log.warning("status not written", extra={"reason": err.strerror})


def _make_ssh_reader(state: Path) -> "SshReader":
    from kiemke.collectors.ssh.read import SshReader  # netmiko: 0.8 s and 30 MB to import

    return SshReader(HostKeys(state))
