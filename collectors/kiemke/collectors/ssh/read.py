"""One visit to one device: log in, ask what it is, fetch its configuration, mask it, log out."""

import asyncio
import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.ssh.access import Access, read_access
from kiemke.collectors.ssh.facts import Row, Told, read_facts
from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.login import Host, SshCredential, SshError
from kiemke.collectors.ssh.mask import Masked, mask
from kiemke.collectors.ssh.platform import Platform
from kiemke.collectors.ssh.runner import CommandRunner
from kiemke.collectors.trace import Trace, no_trace

BUDGET_SECONDS = 120.0
MAX_SESSIONS = 8
MAX_CONFIG_BYTES = 2_000_000
# A session that is told to end has this long until its thread is given up on.
GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a visit gave. ``config`` is masked, None when it could not be had whole (``detail`` says why).

    ``host_key`` is the key the device showed (see ``wire.host_key``), also one that was refused; None
    before there was one, or when it is too long to travel. ``access`` comes with the configuration.
    """

    outcome: str
    detail: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    config: Masked | None = None
    host_key: str | None = None
    access: Access | None = None
    seconds: float = 0.0


class SshReader:
    """Visits devices, at most MAX_SESSIONS at once, each in a thread of its own."""

    def __init__(
        self, keys: HostKeys, trace: Trace = no_trace, sessions: int = MAX_SESSIONS
    ) -> None:
        self._keys = keys
        self._trace = trace
        self._threads = ThreadPoolExecutor(sessions, thread_name_prefix="ssh")
        self._free = asyncio.Semaphore(sessions)

    def close(self) -> None:
        """Take no more visits; sessions still open end by their deadlines."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def read(
        self,
        platform: Platform,
        host: Host,
        credential: SshCredential,
        budget_seconds: float = BUDGET_SECONDS,
    ) -> Reading:
        """Visit one device within its time. Every failure is an outcome."""
        async with self._free:
            begun = time.monotonic()
            runner = CommandRunner(
                platform, host, credential, self._keys, budget_seconds, self._trace
            )
            loop = asyncio.get_running_loop()
            visit = loop.run_in_executor(self._threads, _visit, runner, platform)
            try:
                await asyncio.wait({visit}, timeout=budget_seconds + GRACE_SECONDS)
            finally:
                if not visit.done():
                    runner.abort()
            if not visit.done():
                await asyncio.wait({visit}, timeout=GRACE_SECONDS)
            if not visit.done():
                found = Reading("timeout", "the session did not end when it was told to")
            else:
                found = visit.result()
            return dataclasses.replace(found, seconds=round(time.monotonic() - begun, 3))


def _visit(runner: CommandRunner, platform: Platform) -> Reading:
    """Do the whole visit, in a thread. What was known when it failed is kept."""
    told = Told()
    outcome, detail, shown, text = "ok", None, None, None
    try:
        with runner:
            read_facts(runner.run, platform, told)
            text = runner.run(platform.config)
    except SshError as err:
        outcome = "partial" if told.facts and err.outcome == "refused" else err.outcome
        detail, shown = err.detail, err.host_key
    except ConfigError as err:
        outcome, detail = "error", str(err)
    if shown is None and runner.pinned is not None:
        shown = runner.pinned.line
    found = Reading(outcome, detail, told.facts, told.tables, host_key=shown)
    return found if text is None else _with_config(found, text, platform, runner)


def _with_config(found: Reading, text: str, platform: Platform, runner: CommandRunner) -> Reading:
    """Return the reading with its configuration, or why that is not kept."""
    size = len(text.encode())
    if size > MAX_CONFIG_BYTES:
        detail = f"the configuration has {size:,} bytes, more than {MAX_CONFIG_BYTES:,}"
        return dataclasses.replace(found, outcome="partial", detail=detail)
    masked = mask(text, platform)
    if not masked.text.strip():
        return dataclasses.replace(found, outcome="partial", detail="the configuration is empty")
    if platform.config_end is not None and not platform.config_end.search(masked.text):
        detail = "the configuration is not whole: its last line is missing"
        return dataclasses.replace(found, outcome="partial", detail=detail)
    access = read_access(masked.text, platform.access, runner.user, runner.prompt)
    return dataclasses.replace(found, config=masked, access=access)
