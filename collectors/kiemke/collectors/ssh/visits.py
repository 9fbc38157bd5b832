"""Which device is visited by SSH when: daily at a place of its own, soon when something about it changed.

What was visited when is kept in the state folder, so that a restart is no reason to log in everywhere.
A password that was refused, or a host key that changed, is not tried again before its next turn.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import FILE_NAME as CREDENTIALS_FILE
from kiemke.collectors.errors import ConfigError
from kiemke.collectors.files import write_private
from kiemke.collectors.poll import phase_seconds
from kiemke.collectors.server_secrets import ServerSecret
from kiemke.collectors.ssh.login import (
    Host,
    SshCredential,
    make_ssh_credential,
    read_ssh_credentials,
)
from kiemke.collectors.ssh.platform import load_platform
from kiemke.collectors.ssh.report import make_body
from kiemke.wire.report import Body, Config

if TYPE_CHECKING:
    from kiemke.collectors.ssh.read import Reading, SshReader

log = logging.getLogger(__name__)

FILE_NAME = "visits.json"
# New work is begun spread over this time, or over this much for each device.
FIRST_ROUND_SECONDS = 4.0
FIRST_ROUND_EACH_SECONDS = 0.5
RETRY_SECONDS = 3600.0
LONGEST_WAIT_SECONDS = 60.0
# What another try within the hour may mend; the rest is for a person to mend.
PASSING = frozenset({"timeout", "unreachable", "disconnected", "prompt", "error"})

Emit = Callable[[str, Body], Awaitable[None]]
MakeReader = Callable[[], "SshReader"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A device to visit, as whom (None: no secret was found), and what tells this plan from another."""

    task: DeviceTask
    credential: SshCredential | None
    mark: str


@dataclass(frozen=True, slots=True)
class Visited:
    """When a plan was carried out last (epoch seconds), how that ended, which key was believed then."""

    at: float
    mark: str
    outcome: str
    host_key: str | None = None


def next_visit(plan: Plan, last: Visited | None, now: float, round_seconds: float) -> float:
    """Return when to visit next, in epoch seconds; now or earlier: it is due.

    A plan that was never carried out, or that another host key stood against, is due within the
    round. A clock that was set back counts as never.
    """
    interval = plan.task.ssh_visit_seconds
    key = f"visit:{plan.task.device}"
    new = last is None or last.mark != plan.mark or last.at > now + 60.0
    accepted = (
        last is not None and last.outcome == "host_key" and (last.host_key != plan.task.host_key)
    )
    if last is None or new or accepted:
        return now + phase_seconds(key, round_seconds)
    if last.outcome in PASSING:
        return last.at + min(RETRY_SECONDS, interval)
    earliest = last.at + interval / 2
    place = phase_seconds(key, interval)
    return earliest + (place - earliest) % interval


class Visits:
    """Carries out visits until cancelled."""

    def __init__(
        self, state: Path, emit: Emit, make_reader: MakeReader, now: Callable[[], float] = time.time
    ) -> None:
        self._state = state
        self._emit = emit
        self._make_reader = make_reader
        self._now = now
        self._reader: SshReader | None = None
        self._plans: dict[int, Plan] = {}
        self._due: dict[int, float] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self.last = _load(state)

    def assign(self, tasks: Iterable[DeviceTask], secrets: Iterable[ServerSecret]) -> None:
        """Take over what is to be visited; plans that stayed the same keep their turn."""
        plans = {plan.task.device: plan for plan in self._make_plans(tasks, secrets)}
        round_seconds = max(FIRST_ROUND_SECONDS, FIRST_ROUND_EACH_SECONDS * len(plans))
        now = self._now()
        self._due = {
            device: self._due[device]
            if device in self._due and _is_same(plan, self._plans.get(device))
            else next_visit(plan, self.last.get(device), now, round_seconds)
            for device, plan in plans.items()
        }
        self._plans = plans
        self._changed.set()

    def _make_plans(
        self, tasks: Iterable[DeviceTask], secrets: Iterable[ServerSecret]
    ) -> Iterable[Plan]:
        local, stamp = self._read_local()
        by_id = {each.id: each for each in secrets if each.kind == "ssh"}
        for task in tasks:
            if not task.ssh_visit_seconds or task.ssh_platform is None:
                continue
            if task.ssh_credential is None and task.ssh_secret is None:
                continue
            credential, name = local.get(task.ssh_credential or ""), stamp
            given = by_id.get(task.ssh_secret or 0)
            if credential is None and given is not None:
                where = f"secret {given.id}:"
                with contextlib.suppress(ConfigError):
                    credential = make_ssh_credential(given.reveal(), where)
                name = f"{given.id}.{given.version}"
            yield Plan(task, credential, _mark(task, name if credential else ""))

    def _read_local(self) -> tuple[Mapping[str, SshCredential], str]:
        """Return the accounts of the collector's own file, and what changes when it is written anew."""
        path = self._state / CREDENTIALS_FILE
        try:
            stamp = f"local {path.stat().st_mtime_ns}"
        except OSError:
            return {}, ""
        try:
            return read_ssh_credentials(path), stamp
        except ConfigError as err:
            log.error("credentials not read", extra={"reason": str(err)})
            return {}, ""

    async def run(self) -> None:
        """Visit what is due, until cancelled; then end every session."""
        try:
            while True:
                self._changed.clear()
                now = self._now()
                waiting = {d: due for d, due in self._due.items() if d not in self._running}
                for device in [d for d, due in waiting.items() if due <= now]:
                    name = f"visit {device}"
                    work = self._visit(self._plans[device])
                    self._running[device] = asyncio.create_task(work, name=name)
                    del waiting[device]
                pause = min([LONGEST_WAIT_SECONDS, *(due - now for due in waiting.values())])
                with contextlib.suppress(TimeoutError):
                    # wait_for of Python 3.11 may swallow a cancellation that comes with the event.
                    async with asyncio.timeout(max(0.05, pause)):
                        await self._changed.wait()
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            if self._reader is not None:
                self._reader.close()

    async def _visit(self, plan: Plan) -> None:
        device = plan.task.device
        try:
            body = await self._carry_out(plan)
            await self._emit("config", body)
            self.last[device] = Visited(self._now(), plan.mark, body.outcome, plan.task.host_key)
            self._save()  # a few kilobytes, a few times a day
        finally:
            self._running.pop(device, None)
            current = self._plans.get(device)
            if current is not None:
                self._due[device] = next_visit(
                    current, self.last.get(device), self._now(), FIRST_ROUND_SECONDS
                )
            self._changed.set()

    async def _carry_out(self, plan: Plan) -> Config:
        task, name = plan.task, plan.task.ssh_platform or ""
        if plan.credential is None:
            detail = (
                f'no secret "{task.ssh_credential}": neither from the server (is the device within'
                " a registered subnet?) nor in credentials.toml of this collector"
            )
            return Config(task.device, "error", name, detail)
        try:
            platform = load_platform(name)
            reader = self._reader = self._reader or self._make_reader()
            host = Host(task.address, task.ssh_port, task.host_key)
            found: Reading = await reader.read(platform, host, plan.credential)
        except ConfigError as err:
            return Config(task.device, "error", name, str(err))
        except Exception as err:  # a bug must end one visit, not all of them
            log.exception("bug in a visit", extra={"device": task.device})
            detail = f"fault in the collector ({type(err).__name__}); its log says more"
            return Config(task.device, "error", name, detail)
        log.info("visited", extra={"device": task.device, "outcome": found.outcome})
        return make_body(task.device, name, plan.credential.user, found)

    def _save(self) -> None:
        rows = {
            str(device): asdict(each)
            for device, each in list(self.last.items())
            if device in self._plans
        }
        try:
            write_private(self._state / FILE_NAME, json.dumps(rows))
        except OSError as err:
            log.warning("visits not kept", extra={"reason": err.strerror})


def _is_same(plan: Plan, before: Plan | None) -> bool:
    return before is not None and (plan.mark, plan.task) == (before.mark, before.task)


def _mark(task: DeviceTask, credential: str) -> str:
    """Return what changes when a visit may end otherwise than the last one; it holds no secret."""
    parts = (task.address, task.ssh_port, task.ssh_platform, credential)
    return sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _load(state: Path) -> dict[int, Visited]:
    """Return what is kept, nothing where it is damaged: a visit too many does no harm."""
    try:
        rows = json.loads((state / FILE_NAME).read_text("utf-8"))
        return {
            int(device): Visited(
                float(row["at"]), str(row["mark"]), str(row["outcome"]), row.get("host_key")
            )
            for device, row in rows.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
