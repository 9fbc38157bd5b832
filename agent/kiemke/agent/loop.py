"""The agent at work: samples, events and inventories into the outbox, a courier that posts them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from kiemke.agent import evidence, inventory, privacy, slim
from kiemke.agent.alarm import Alarm
from kiemke.agent.budget import Budget
from kiemke.agent.courier import Courier
from kiemke.agent.files import StateError
from kiemke.agent.host import Host
from kiemke.agent.journal import warn
from kiemke.agent.pace import Intervals
from kiemke.agent.probing import POST_SECONDS, Prober
from kiemke.agent.sensors.sampler import LinkState, Sampler, read_cost, read_links
from kiemke.agent.sensors.seat import console_user
from kiemke.agent.state import Memory, StateFolder
from kiemke.agent.update.renewal import Renewal
from kiemke.wire import __version__
from kiemke.wire.client import Attempt, Outcome, Sender
from kiemke.wire.clocks import Clock, hundredths
from kiemke.wire.codec import CodecError
from kiemke.wire.outbox import Outbox, OutboxError
from kiemke.wire.report import Answer, Body, Event, Inventory, Reach, Report, Sample

SUSPEND_NOTICED_SECONDS = 5.0  # the two clocks are not read at the same instant
NEED_REST_SECONDS = 30.0  # a server that always needs something is not answered faster
STOP_SECONDS = 8.0  # Windows gives a service little more at shutdown


@dataclass(frozen=True, slots=True)
class SentInventory:
    """An inventory that waits for its acknowledgement, and the tokens it makes known."""

    stream: int
    seq: int
    tokens: dict[str, str]


class Agent:
    """One running agent. ``run`` returns after ``stop`` was called (a signal handler may)."""

    def __init__(
        self,
        folder: StateFolder,
        host: Host,
        clock: Clock,
        outbox: Outbox,
        sender: Sender,
        reach: Callable[[], tuple[Reach, ...] | None] = lambda: None,
        renewal: Renewal | None = None,
    ) -> None:
        """Prepare; ``sender`` must call this agent's ``heed`` with each answer, ``reach`` may ping.

        ``renewal`` looks for releases of this program, where there is one.
        """
        self._folder = folder
        self._host = host
        self._clock = clock
        self._outbox = outbox
        self._sender = sender
        self._reach = reach
        self._renewal = renewal
        self._alarm = Alarm()
        self._guard = threading.Lock()  # what the courier's thread changes, below
        self._intervals = Intervals()
        self._need: frozenset[str] = frozenset()
        self._sent_inventory: SentInventory | None = None
        self._memory = folder.memory()
        self._stop_cause: str | None = None
        self._aside = folder.status().get("aside")  # as the server told last
        self.copy_found: dict[str, str] | None = None  # set once: this disk is another machine's
        self._sampler = Sampler(clock)
        self._switches = privacy.Switches(folder.path)
        self._asleep_seconds = self._asleep()
        self._links: dict[str, LinkState] = {}
        self._user: str | None = None
        self._last_inventory_seconds = float("-inf")
        self._budget = Budget(read_cost)
        self._has_grown = False  # since code that is seldom needed was last given back
        self._prober = Prober(folder.path, lambda body: self._spool("reachability", body))

    # --- what may be called from elsewhere ---

    def stop(self, cause: str) -> None:
        """End the run soon; safe in a signal handler."""
        self._stop_cause = cause
        self._alarm.ring()

    def heed(self, answer: Answer) -> None:
        """Take what the server asks for; called by the courier's thread."""
        with self._guard:
            self._intervals = self._intervals.adjusted(answer.settings)
            self._need |= frozenset(answer.need)
            self._aside = answer.aside
            sent = self._sent_inventory
            rejected = {(one.stream, one.seq) for one in answer.rejected}
            if sent is not None and answer.ack.get(sent.stream, 0) >= sent.seq:
                if (sent.stream, sent.seq) not in rejected:
                    self._remember(replace(self._memory, acked_tokens=sent.tokens))
                self._sent_inventory = None
        self._prober.heed(answer.probes)
        if answer.need:
            self._alarm.ring()

    def note_attempt(self, attempt: Attempt) -> None:
        """Write down how posting goes, for the status command; called by the courier's thread."""
        said = self._folder.status()
        now = self._clock.now().isoformat(timespec="seconds")
        said |= {"tried_at": now, "outcome": attempt.outcome.value, "detail": attempt.detail}
        if attempt.outcome in (Outcome.SENT, Outcome.IDLE):
            said["sent_at"] = now
        said |= {"version": __version__, "unsaved": str(self._outbox.unsaved)}
        said.pop("aside", None)
        if self._aside is not None:
            said["aside"] = self._aside
        said |= {
            "post_seconds": f"{self._post_interval():.0f}",
            "slowed_by": f"{self._budget.factor:.0f}",
        }
        if self._sender.clock_offset_seconds is not None:
            said["clock_offset_seconds"] = f"{self._sender.clock_offset_seconds:.0f}"
        try:
            self._folder.save_status(said)
        except StateError as err:
            warn("status not written", reason=str(err))
        if self._has_grown and attempt.outcome in (Outcome.SENT, Outcome.IDLE):
            self._has_grown = False
            slim.give_back()
        if attempt.detail:
            warn("post", outcome=attempt.outcome.value, reason=attempt.detail)

    def close(self) -> None:
        """Give back what the agent itself holds; outbox and sender stay the caller's."""
        self._alarm.close()

    # --- the run ---

    def run(self, first_wait_seconds: float) -> None:
        """Work until told to stop; everything spooled is durable when this returns."""
        self._begin()
        courier = Courier(self._sender, self._post_interval, self.note_attempt, first_wait_seconds)
        self._take_inventory()
        if self.copy_found is not None:
            return
        self._take_sample(courier)
        courier.start()
        next_sample = self._clock.awake_seconds() + self._pace.sample_seconds
        while self._stop_cause is None:
            self._alarm.wait(next_sample - self._clock.awake_seconds())
            if self._stop_cause is not None:
                break
            if self._clock.awake_seconds() >= next_sample or self._has_slept():
                self._take_sample(courier)
                next_sample = self._clock.awake_seconds() + self._pace.sample_seconds
            if self._inventory_is_due():
                self._take_inventory()
                courier.hurry()
        self._end(self._stop_cause)
        courier.stop(STOP_SECONDS)

    def run_once(self, deadline_seconds: float) -> Attempt:
        """Spool one inventory and one sample, post all that waits, return the last attempt.

        A section the server needs after that is sent too.
        """
        self._begin()
        self._take_inventory()
        if self.copy_found is not None:
            return Attempt(Outcome.CONFLICT, 0.0, "this disk is a copy of another machine's")
        self._spool("sample", self._sample(self._switches.tells(privacy.SEAT)))
        attempt = self._sender.drain(deadline_seconds)
        if self._need and attempt.outcome is Outcome.IDLE:
            self._take_inventory()
            attempt = self._sender.drain(deadline_seconds)
        self.note_attempt(attempt)
        return attempt

    def _post_interval(self) -> float:
        """Return the seconds between posts."""
        post = self._pace.post_seconds
        return min(POST_SECONDS, post) if self._prober.tasks else post

    @property
    def _pace(self) -> Intervals:
        """Return the intervals as they are kept: longer while the agent costs more than it may."""
        return self._intervals.stretched(self._budget.factor)

    def _begin(self) -> None:
        """Tell of a new boot and how the last run ended; note that this one has not."""
        if self._memory.boot_id != self._clock.boot_id:
            ended = {True: "clean", False: "unclean", None: "unknown"}[self._memory.ended_clean]
            self._spool("event", Event("boot", {"previous_end": ended}))
        if self._memory.copied_from is not None:
            self._spool("event", Event("identity", {"copied_from": self._memory.copied_from}))
        self._links = read_links()
        self._user = console_user() if self._switches.tells(privacy.SEAT) else None
        with self._guard:
            self._remember(
                replace(
                    self._memory, boot_id=self._clock.boot_id, ended_clean=False, copied_from=None
                )
            )

    def _end(self, cause: str) -> None:
        """Tell of an orderly end."""
        self._spool("event", Event("shutdown", {"cause": cause}))
        with self._guard:
            self._remember(replace(self._memory, ended_clean=True))

    def _remember(self, memory: Memory) -> None:
        """Keep for the next run; a disk that cannot is told in the log and costs only work."""
        self._memory = memory
        try:
            self._folder.save_memory(memory)
        except StateError as err:
            warn("memory not written", reason=str(err))

    def _spool(self, kind: str, body: Body) -> Report | None:
        """Put one report into the outbox; None when it could not be kept."""
        report = Report(
            stream=0,
            seq=0,
            boot_id=self._clock.boot_id,
            at=hundredths(self._clock.now()),
            uptime_seconds=round(self._clock.uptime_seconds(), 2),
            kind=kind,
            body=body,
        )
        try:
            # Samples come every minute: what a power cut takes of the last is not worth waking the disk.
            return self._outbox.put(report, forced=kind != "sample")
        except (OutboxError, CodecError) as err:
            warn("report lost", kind=kind, reason=str(err))
            return None

    # --- samples and events ---

    def _waiting(self) -> int | None:
        """Return how many reports wait, None when the outbox cannot tell."""
        try:
            return self._outbox.counts().reports
        except OutboxError as err:
            warn("outbox not read", reason=err)
            return None

    def _asleep(self) -> float:
        """Return the seconds this boot has been suspended."""
        return self._clock.uptime_seconds() - self._clock.awake_seconds()

    def _has_slept(self) -> bool:
        """Tell whether the machine was suspended since the last sample."""
        return self._asleep() - self._asleep_seconds > SUSPEND_NOTICED_SECONDS

    def _sample(self, tells_user: bool) -> Sample:
        """Return a sample of this moment."""
        return self._sampler.take(
            self._waiting(),
            tells_user=tells_user,
            reach=self._reach(),
            clock_offset_seconds=self._sender.clock_offset_seconds,
        )

    def _take_sample(self, courier: Courier) -> None:
        """Spool a sample and the events since the last one; events are posted at once."""
        events = []
        if self._has_slept():
            slept = self._asleep() - self._asleep_seconds
            events.append(Event("resume", {"asleep_seconds": f"{slept:.0f}"}))
            self._sampler.forget()
        self._asleep_seconds = self._asleep()
        links = read_links()
        events += link_events(self._links, links)
        events += self._renewed()
        if (over := self._budget.judge(self._clock.awake_seconds())) is not None:
            events.append(over)
        if self._budget.is_large:
            self._has_grown, self._budget.is_large = True, False
        self._links = links
        tells_user = self._switches.tells(privacy.SEAT)
        sample = self._sample(tells_user)
        if tells_user:  # once it is off, not even who leaves is told
            events += session_events(self._user, sample.user)
        self._user = sample.user
        for event in events:
            self._spool("event", event)
        self._spool("sample", sample)
        self._prober.begin()
        if events:
            courier.hurry()

    def _renewed(self) -> list[Event]:
        """Look after releases of this program; return the event of what became of one, once."""
        if self._renewal is None:
            return []
        self._renewal.look(self._clock.awake_seconds())
        news = self._renewal.news(self._memory.told_update)
        if news is None:
            return []
        with self._guard:
            self._remember(replace(self._memory, told_update=news[0]))
        return [news[1]]

    # --- inventory ---

    def _is_copy(self, body: Inventory) -> bool:
        """Tell whether the machine below is another than the one this install was on; then stop.

        Sections without rows are as they were acknowledged; what they say was heeded then.
        """
        rows = {name: one.rows for name, one in body.sections.items() if one.rows is not None}
        before, now = self._memory.evidence, evidence.of_rows(rows)
        if evidence.is_another(before, now):
            self.copy_found = {"before": evidence.told(before), "now": evidence.told(now)}
            self.stop("copy")
            return True
        if any(before.get(kind) != told for kind, told in now.items()):
            with self._guard:
                self._remember(replace(self._memory, evidence={**before, **now}))
        return False

    def _inventory_is_due(self) -> bool:
        """Tell whether a day has passed, or the server needs a section and we have rested."""
        age = self._clock.uptime_seconds() - self._last_inventory_seconds
        if age >= self._intervals.inventory_seconds:
            return True
        return bool(self._need) and age >= NEED_REST_SECONDS

    def _take_inventory(self) -> None:
        """Read every sensor and spool the inventory: news and what was asked for, with rows."""
        self._last_inventory_seconds = self._clock.uptime_seconds()
        with self._guard:
            need, self._need = self._need, frozenset()
            acked = self._memory.acked_tokens
        body, tokens = inventory.take(self._host, acked, need)
        if self._is_copy(body):
            return
        # The courier may answer for it at once: it must know of it before it can be acknowledged.
        with self._guard:
            report = self._spool("inventory", body)
            self._has_grown = True
            if report is not None:
                self._sent_inventory = SentInventory(report.stream, report.seq, tokens)


def link_events(before: dict[str, LinkState], now: dict[str, LinkState]) -> list[Event]:
    """Return one "link_speed" event for each adapter whose link is not what it was.

    Adapters that came or went are no such event: the inventory tells of them.
    """
    events = []
    for name in sorted(before.keys() & now.keys()):
        if before[name] != now[name]:
            detail = {"adapter": name, "link": "up" if now[name].is_up else "down"}
            for moment, state in (("before", before[name]), ("now", now[name])):
                if state.is_up and state.speed_mbits:
                    detail[f"{moment}_bits_per_second"] = str(state.speed_mbits * 1_000_000)
                if state.is_up and state.duplex:
                    detail[f"{moment}_duplex"] = state.duplex
            events.append(Event("link_speed", detail))
    return events


def session_events(before: str | None, now: str | None) -> list[Event]:
    """Return the "session" events of a change at the seat: who left, who came."""
    if before == now:
        return []
    events = []
    if before is not None:
        events.append(Event("session", {"user": before, "change": "ended"}))
    if now is not None:
        events.append(Event("session", {"user": now, "change": "began"}))
    return events
