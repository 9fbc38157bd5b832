"""One group of batches applied in one transaction: lock, read, place in time, apply, acknowledge."""

from collections import defaultdict
from dataclasses import dataclass, field

from kiemke.server.db import Session
from kiemke.server.domain.findings import Found, open_finding
from kiemke.server.domain.quarantine import ADMITTED, aside_word, set_aside
from kiemke.server.ingest import clock
from kiemke.server.ingest.appliers import APPLIERS
from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.incoming import BadReport, IncomingBatch, IncomingReport, Outcome
from kiemke.server.ingest.link_days import lock_links
from kiemke.server.ingest.streams import Stream
from kiemke.wire.clean import clean_text
from kiemke.wire.report import AGENT_KINDS, COLLECTOR_KINDS

_KINDS = {"agent": frozenset(AGENT_KINDS), "collector": frozenset((*COLLECTOR_KINDS, "event"))}

# What is kept of one source's rejected reports; an honest one has a handful of a few kilobytes.
MAX_REJECTED_REPORTS = 500
MAX_REJECTED_BYTES = 256 * 1024

# A boot that comes back after another one means that two machines speak with one secret.
CLONE_REASON = "boots alternate: two machines use one enrolment"
_CLONE_REASON_VI = "hai lần khởi động xen kẽ nhau: hai máy dùng chung một lần ghi danh"


@dataclass(slots=True)
class _Hot:
    """A source's locked row and what this group makes of it."""

    state: str
    state_reason: str | None
    last_boot_id: str | None
    last_received_at_ms: int
    last_true_at_ms: int | None
    address: str | None = None
    pause: clock.Pause | None = None


@dataclass(slots=True)
class Group:
    """Applies batches. ``utc_offset_seconds`` is the local day's, ``poll_seconds`` what is live."""

    session: Session
    utc_offset_seconds: int
    poll_seconds: float
    hot: dict[int, _Hot] = field(default_factory=dict)
    streams: dict[tuple[int, int], Stream] = field(default_factory=dict)
    boots: dict[tuple[int, str], clock.Boot] = field(default_factory=dict)
    new_boots: set[tuple[int, str]] = field(default_factory=set)
    clones: set[int] = field(default_factory=set)

    async def apply(self, batches: list[IncomingBatch]) -> list[Outcome]:
        """Apply all batches, or raise and apply none. Outcomes stand in the batches' order."""
        await self._load(batches)
        outcomes = [Outcome() for _ in batches]
        items: dict[str, list[Item]] = defaultdict(list)
        rejected: list[tuple[IncomingBatch, IncomingReport, str]] = []
        for batch, outcome in zip(batches, outcomes, strict=True):
            self._take(batch, outcome, items, rejected)
        applying = Applying(self.session, self.utc_offset_seconds, self.poll_seconds)
        await lock_links(applying, items["interfaces"], items["reachability"])
        for kind, applier in APPLIERS.items():
            if items[kind]:
                for item, reason in await applier(applying, items[kind]):
                    rejected.append((item.batch, item.report, reason))
        by_batch = {id(b): o for b, o in zip(batches, outcomes, strict=True)}
        for batch, report, reason in rejected:
            by_batch[id(batch)].rejected.append((report.stream, report.seq, reason))
        for batch, outcome in zip(batches, outcomes, strict=True):
            outcome.need = sorted(applying.need.get(batch.source_id, ()))
            outcome.applied -= len(outcome.rejected)
        await self._save(batches, applying, rejected)
        return outcomes

    async def _load(self, batches: list[IncomingBatch]) -> None:
        """Lock the sources in id order and read what is known of them."""
        ids = sorted({batch.source_id for batch in batches})
        lock = " FOR UPDATE OF n" if self.session.dialect == "postgres" else ""
        for row in await self.session.fetch(
            "SELECT n.source_id, n.last_boot_id, n.last_received_at_ms, n.last_true_at_ms,"  # noqa: S608 - the lock is a constant
            " s.state, s.state_reason FROM source_now n JOIN source s ON s.id = n.source_id"
            f" WHERE n.source_id IN :[ids] ORDER BY n.source_id{lock}",
            ids=ids,
        ):
            self.hot[row["source_id"]] = _Hot(
                row["state"],
                row["state_reason"],
                row["last_boot_id"],
                row["last_received_at_ms"] or 0,
                row["last_true_at_ms"],
            )
        names = sorted({str(r.stream) for batch in batches for r in batch.reports})
        for row in await self.session.fetch(
            "SELECT source_id, stream, last_seq, missing FROM source_stream"
            " WHERE source_id IN :[ids] AND stream IN :[names.text]",
            ids=ids,
            names=names,
        ):
            key = (row["source_id"], int(row["stream"]))
            self.streams[key] = Stream.read(row["last_seq"], row["missing"])
        boot_ids = {r.boot_id for batch in batches for r in batch.reports}
        boot_ids |= {batch.sent_boot_id for batch in batches}
        for row in await self.session.fetch(
            "SELECT source_id, boot_id, booted_at_ms, offset_ms FROM source_boot"
            " WHERE source_id IN :[ids] AND boot_id IN :[boots.text]",
            ids=ids,
            boots=sorted(boot_ids),
        ):
            key2 = (row["source_id"], row["boot_id"])
            self.boots[key2] = clock.Boot(row["booted_at_ms"], row["offset_ms"])

    def _take(
        self,
        batch: IncomingBatch,
        outcome: Outcome,
        items: dict[str, list[Item]],
        rejected: list[tuple[IncomingBatch, IncomingReport, str]],
    ) -> None:
        """Sort a batch's reports into new, repeated and hopeless ones."""
        hot = self.hot.get(batch.source_id)
        if hot is None or hot.state == "revoked":
            outcome.refused = (401, "this source is not enrolled here, or was revoked")
            return
        key = (batch.source_id, batch.sent_boot_id)
        if hot.state_reason == CLONE_REASON:
            outcome.refused = (409, CLONE_REASON)
            return
        if hot.last_boot_id not in (None, batch.sent_boot_id) and key in self.boots:
            hot.state, hot.state_reason = "quarantined", CLONE_REASON
            # Whoever speaks first after a person has let the source in again is taken for it.
            hot.last_boot_id = None
            self.clones.add(batch.source_id)
            outcome.refused = (409, CLONE_REASON)
            return
        outcome.aside = aside_word(hot.state, hot.state_reason)
        hot.last_boot_id = batch.sent_boot_id
        hot.pause = self._learn_boot(key, batch, hot.last_received_at_ms)
        hot.last_received_at_ms = max(hot.last_received_at_ms, batch.received_at_ms)
        hot.address = batch.address
        for report in batch.in_order():
            stream = self.streams.setdefault((batch.source_id, report.stream), Stream())
            if not stream.take(report.seq):
                outcome.repeated += 1
            else:
                self._sort(batch, hot, report, items, rejected)
                outcome.applied += 1
            outcome.ack[report.stream] = stream.last_seq

    def _learn_boot(
        self, key: tuple[int, str], batch: IncomingBatch, last_received_at_ms: int
    ) -> clock.Pause | None:
        known = self.boots.get(key)
        boot = clock.learn(known, batch.received_at_ms, batch.sent_at_ms, batch.sent_uptime_seconds)
        if boot is not known:
            self.boots[key] = boot
            self.new_boots.add(key)
        return clock.find_pause(known, boot, last_received_at_ms)

    def _sort(
        self,
        batch: IncomingBatch,
        hot: _Hot,
        report: IncomingReport,
        items: dict[str, list[Item]],
        rejected: list[tuple[IncomingBatch, IncomingReport, str]],
    ) -> None:
        try:
            if report.problem is not None:
                raise BadReport(report.problem)
            if report.kind not in _KINDS.get(batch.source_kind, ()):
                raise BadReport(f"a source of kind {batch.source_kind} may not say {report.kind}")
            same_boot = report.boot_id == batch.sent_boot_id
            if same_boot and report.uptime_seconds > batch.sent_uptime_seconds + 1:
                raise BadReport("uptime_seconds: later than the batch that carries it")
            boot = self.boots.get((batch.source_id, report.boot_id))
            pause = hot.pause if same_boot else None
            heard = pause is not None and report.uptime_seconds <= pause.heard_uptime_seconds
            report.at_ms, report.sure = clock.place(
                batch.received_at_ms,
                round(report.at.timestamp() * 1000),
                report.uptime_seconds,
                pause.before if pause is not None and heard else boot,
                batch.received_at_ms - batch.sent_at_ms,
            )
            if pause is not None and not heard:
                report.sure = False  # before the pause or after it: nobody can tell
        except BadReport as error:
            rejected.append((batch, report, str(error)))
            return
        if report.sure:
            hot.last_true_at_ms = max(hot.last_true_at_ms or 0, report.at_ms)
        items[report.kind].append(Item(batch, report))

    async def _save(
        self,
        batches: list[IncomingBatch],
        applying: Applying,
        rejected: list[tuple[IncomingBatch, IncomingReport, str]],
    ) -> None:
        received = max(batch.received_at_ms for batch in batches)
        await self._save_streams(batches, received)
        await self._save_boots(received)
        await self._save_sources(batches, applying, received)
        await self._save_quarantined(received)
        await self._save_rejected(rejected)

    async def _save_rejected(
        self, rejected: list[tuple[IncomingBatch, IncomingReport, str]]
    ) -> None:
        """Keep what was set aside, of each source the newest, so that garbage fills no disk."""
        await self.session.many(
            "INSERT INTO rejected_report (source_id, stream, seq, kind, reason, report_bytes,"
            " received_at_ms) VALUES (:source, :stream, :seq, :kind, :reason, :raw, :received)",
            [
                {
                    "source": batch.source_id,
                    "stream": str(report.stream),
                    "seq": report.seq,
                    "kind": report.kind[:40] or None,
                    "reason": clean_text(reason, 500),
                    "raw": report.raw[:MAX_REJECTED_BYTES],
                    "received": batch.received_at_ms,
                }
                for batch, report, reason in rejected
            ],
        )
        await self.session.many(
            "DELETE FROM rejected_report WHERE source_id = :source AND id <= (SELECT id FROM"
            " rejected_report WHERE source_id = :source ORDER BY id DESC LIMIT 1 OFFSET :kept)",
            [
                {"source": source, "kept": MAX_REJECTED_REPORTS}
                for source in sorted({batch.source_id for batch, _, _ in rejected})
            ],
        )

    async def _save_streams(self, batches: list[IncomingBatch], received: int) -> None:
        touched = {
            (batch.source_id, r.stream)
            for batch in batches
            for r in batch.reports
            if (batch.source_id, r.stream) in self.streams
        }
        await self.session.many_distinct(
            "INSERT INTO source_stream (source_id, stream, last_seq, missing, gap_reports,"
            " updated_at_ms) VALUES (:source, :stream, :last, :missing, :gap, :now)"
            " ON CONFLICT (source_id, stream) DO UPDATE SET last_seq = excluded.last_seq,"
            " missing = excluded.missing, gap_reports = excluded.gap_reports,"
            " updated_at_ms = excluded.updated_at_ms",
            [
                {
                    "source": source,
                    "stream": str(stream),
                    "last": self.streams[source, stream].last_seq,
                    "missing": self.streams[source, stream].missing_text(),
                    "gap": self.streams[source, stream].gap_reports,
                    "now": received,
                }
                for source, stream in sorted(touched)
            ],
        )

    async def _save_boots(self, received: int) -> None:
        await self.session.many_distinct(
            "INSERT INTO source_boot (source_id, boot_id, offset_ms, booted_at_ms, updated_at_ms)"
            " VALUES (:source, :boot, :offset, :booted, :now) ON CONFLICT (source_id, boot_id)"
            " DO UPDATE SET offset_ms = excluded.offset_ms, booted_at_ms = excluded.booted_at_ms,"
            " updated_at_ms = excluded.updated_at_ms",
            [
                {
                    "source": source,
                    "boot": boot_id,
                    "offset": self.boots[source, boot_id].offset_ms,
                    "booted": self.boots[source, boot_id].booted_at_ms,
                    "now": received,
                }
                for source, boot_id in sorted(self.new_boots)
            ],
        )

    async def _save_sources(
        self, batches: list[IncomingBatch], applying: Applying, received: int
    ) -> None:
        # The rows are there and locked; an INSERT may have many rows at once.
        await self.session.many_distinct(
            "INSERT INTO source_now (source_id, last_received_at_ms, last_true_at_ms, last_boot_id,"
            " changed_at_ms, last_address, last_sample_json, inventory_at_ms, identity_changed_at_ms)"
            " VALUES (:source, :heard, :true_at, :boot, :now, :address, :sample, :inventory, :identity)"
            " ON CONFLICT (source_id) DO UPDATE SET"
            " last_received_at_ms = excluded.last_received_at_ms,"
            " last_true_at_ms = excluded.last_true_at_ms, last_boot_id = excluded.last_boot_id,"
            " changed_at_ms = excluded.changed_at_ms,"
            " last_address = COALESCE(excluded.last_address, source_now.last_address),"
            " last_sample_json = COALESCE(excluded.last_sample_json, source_now.last_sample_json),"
            " inventory_at_ms = COALESCE(excluded.inventory_at_ms, source_now.inventory_at_ms),"
            " identity_changed_at_ms ="
            " COALESCE(excluded.identity_changed_at_ms, source_now.identity_changed_at_ms)",
            [
                {
                    "heard": hot.last_received_at_ms or None,
                    "true_at": hot.last_true_at_ms,
                    "boot": hot.last_boot_id,
                    "address": hot.address,
                    "now": received,
                    "sample": applying.last_sample.get(source),
                    "inventory": applying.inventory_at_ms.get(source),
                    "identity": applying.identity_changed_at_ms.get(source),
                    "source": source,
                }
                for source, hot in sorted(self.hot.items())
            ],
        )

    async def _save_quarantined(self, received: int) -> None:
        # Only those found in this group: a person may be letting an older one in again right now.
        for source in sorted(self.clones):
            await set_aside(
                self.session, [source], CLONE_REASON, "ingest", received, (*ADMITTED, "quarantined")
            )
            row = await self.session.one("SELECT unit_id FROM source WHERE id = :id", id=source)
            units = () if row is None else (row["unit_id"],)
            found = Found(
                "cloned_source", f"source:{source}", CLONE_REASON, _CLONE_REASON_VI, units
            )
            await open_finding(self.session, found, received)
