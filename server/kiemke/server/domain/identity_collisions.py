"""What must not be one: two live installs with one evidence, one install on two PCs, doubtful pairs.

Both sides are set aside, never one overwritten by the other, and a finding shows both. A person's word
ends it: approving both, merging, or telling them apart.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any, Self

from kiemke.server.daypack import Presence
from kiemke.server.db import Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.findings import Found, close_finding, open_finding, units_of
from kiemke.server.domain.identity import DIFFERENT, Comparison, compare
from kiemke.server.domain.identity_index import Choice, Index, StayKey
from kiemke.server.domain.identity_rows import WHO, active_rows, replace_row
from kiemke.server.domain.quarantine import (
    ADMITTED,
    ONE_INSTALL,
    SAME_EVIDENCE,
    let_in,
    set_aside,
)

DOUBTFUL, CLONED, COPIED_INSTALL = "doubtful_machine", "cloned_identity", "cloned_install"
_WEAK = frozenset({"monitor", "model"})
_OVERLAP_DAYS = 14

_DECISIONS = "SELECT kind, machine_id, other_id, undone_at_ms FROM machine_decision ORDER BY id"
_OPEN = """
SELECT id, kind, subject, opened_at_ms, evidence_json FROM finding
WHERE closed_at_ms IS NULL AND kind IN :[kinds.text] ORDER BY id
"""
_PRESENCE = """
SELECT source_id, day, packed FROM presence_day
WHERE source_id IN :[ids] AND day >= :since AND trusted_slots > 0
"""


@dataclass(slots=True)
class Collisions:
    """One run's look at what collides. ``sources`` are all agents' rows by id."""

    session: Session
    index: Index
    sources: dict[int, Row]
    now_ms: int
    apart: set[frozenset[int]] = field(default_factory=set)
    learned: set[str] = field(default_factory=set)
    copies: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0

    @classmethod
    async def load(
        cls, session: Session, index: Index, sources: dict[int, Row], now_ms: int
    ) -> Self:
        """Read what people decided before."""
        made = cls(session, index, sources, now_ms)
        for row in await session.fetch(_DECISIONS):
            pair = frozenset((row["machine_id"], row["other_id"]))
            undone = row["undone_at_ms"] is not None
            if (row["kind"] == "apart") != undone:
                made.apart.add(pair)
            else:
                made.apart.discard(pair)
        rows = await session.fetch(
            "SELECT subject, MAX(opened_at_ms) AS at FROM finding WHERE kind = :kind"
            " GROUP BY subject",
            kind=COPIED_INSTALL,
        )
        made.copies = {row["subject"].removeprefix("source:"): row["at"] for row in rows}
        return made

    # --- one install on two PCs ----------------------------------------------------------------

    def has_returned(self, own: StayKey, choice: Choice, at_ms: int, offset_seconds: int) -> bool:
        """Whether an install is back on hardware it left lately: then it runs on both."""
        if choice.by != "moved":
            return False
        source, number = own
        earlier = {self.index.machine_of.get((source, n)) for n in range(number)}
        began = calendar.local_day(self.index.stays[own].seen_ms, offset_seconds)
        day = calendar.local_day(at_ms, offset_seconds)
        return (
            choice.machine in earlier
            and day <= began + timedelta(days=self.index.weights.return_days)
            and not self._approved_since(source)
        )

    def _approved_since(self, source: int) -> bool:
        """Whether a person let the source in again after it was set aside as a copy."""
        opened = self.copies.get(str(self.sources[source]["public_id"]))
        approved = self.sources[source]["approved_at_ms"]
        return opened is not None and approved is not None and approved >= opened

    async def set_aside_copy(self, own: StayKey, choice: Choice) -> None:
        """Quarantine an install that runs on two PCs."""
        source = own[0]
        machines = sorted({self.index.machine_of[own], choice.machine or 0})
        reason = f"{ONE_INSTALL}{machines[0]} and {machines[1]} by turns: a copied disk"
        await self._quarantine([source], reason)
        found = Found(
            COPIED_INSTALL,
            f"source:{self.sources[source]['public_id']}",
            f"{self._label(source)}: {reason}; enrol each PC anew",
            f"{self._label(source)}: một bản cài chạy luân phiên trên máy {machines[0]} và"
            f" {machines[1]}: ổ đĩa bị nhân bản; hãy ghi danh lại từng máy",
            [self.sources[source]["unit_id"], *await units_of(self.session, machines=machines)],
            {"machines": machines, "sources": [source]},
        )
        await open_finding(self.session, found, self.now_ms)

    # --- pairs ---------------------------------------------------------------------------------

    async def doubt(self, key: StayKey, choice: Choice) -> None:
        """Open a finding for each machine that a new one may be."""
        machine = self.index.machine_of[key]
        for other, comparison in choice.doubts:
            if other != machine and frozenset((machine, other)) not in self.apart:
                await self._open_pair(DOUBTFUL, machine, other, comparison)

    async def look(self) -> None:
        """Set aside what collides now, and close what holds no more."""
        for machine, keys in sorted(self.index.members.items()):
            if len(keys) > 1:
                await self._look_within(machine)
        for finding in await self.session.fetch(_OPEN, kinds=[DOUBTFUL, CLONED]):
            evidence = json.loads(finding["evidence_json"] or "{}")
            if len(evidence.get("machines", ())) == 2:
                await self._look_at(finding, *evidence["machines"])

    async def _look_within(self, machine: int) -> None:
        """Part the installs of one machine of which an older is heard after a newer began."""
        here = sorted(self._open_stays(machine), key=self._began)
        for older, newer in pairwise(here):
            if not self._live_together(older, newer):
                continue
            row = (await active_rows(self.session, [newer[0]]))[newer]
            if row["decision_id"] is not None:  # a person made them one
                continue
            comparison = self._compare_stays(older, newer)
            if await self._is_dual_boot(older[0], newer[0], comparison):
                continue
            other = await self._part(newer, row)
            await self._set_aside_pair(machine, other, (older[0], newer[0]), comparison)

    async def _look_at(self, finding: Row, left: int, right: int) -> None:
        comparison = self.index.compare_machines(left, right)
        sides = [self._sources_of(machine) for machine in (left, right)]
        decided = frozenset((left, right)) in self.apart
        if not all(sides) or decided or self._is_answered(finding, sides):
            await close_finding(self.session, finding["id"], self.now_ms)
            return
        telling = comparison.agreeing - _WEAK
        # What made one ask may lie in one install having been on both: only a value's loss ends that.
        if comparison.verdict == DIFFERENT and (finding["kind"] == CLONED or not telling):
            await self._release(finding, [*sides[0], *sides[1]])
            return
        if finding["kind"] != DOUBTFUL:
            return
        live = await self._find_live(left, right, thorough=comparison.copied)
        if live is not None:
            await close_finding(self.session, finding["id"], self.now_ms)
            if comparison.copied:
                await self._set_aside_pair(left, right, live, comparison)

    async def _find_live(self, left: int, right: int, *, thorough: bool) -> tuple[int, int] | None:
        """Return a source of each machine that live at once; ``thorough`` looks at their days too."""
        pairs = [(a, b) for a in self._open_stays(left) for b in self._open_stays(right)]
        for one, two in pairs:
            if self._live_together(one, two):
                return one[0], two[0]
        for one, two in pairs if thorough else ():
            if await self._on_at_once(one[0], two[0]):
                return one[0], two[0]
        return None

    def _sources_of(self, machine: int) -> list[int]:
        return sorted(
            {
                source
                for source, _ in self.index.members.get(machine, ())
                if source in self.sources and self.sources[source]["state"] != "revoked"
            }
        )

    def _is_answered(self, finding: Row, sides: list[list[int]]) -> bool:
        """Whether a person let both sides in after the finding was opened."""
        return finding["kind"] == CLONED and all(
            any(
                self.sources[source]["state"] == "approved"
                and (self.sources[source]["approved_at_ms"] or 0) >= finding["opened_at_ms"]
                for source in side
            )
            for side in sides
        )

    def _open_stays(self, machine: int) -> list[StayKey]:
        """Return the stays of a machine in which an admitted source is now."""
        return [
            (source, stay)
            for source, stay in self.index.members.get(machine, ())
            if stay == self.index.newest[source]
            and source in self.sources
            and self.sources[source]["state"] in ADMITTED
        ]

    def _began(self, key: StayKey) -> tuple[int, int]:
        """Return when a stay began, to be compared; the source's number decides between equals."""
        created: int = self.sources[key[0]]["created_at_ms"]
        stay = self.index.stays.get(key)
        began = stay.began_ms if stay is not None and key[1] > 0 else created
        return began, key[0]

    def _live_together(self, left: StayKey, right: StayKey) -> bool:
        """Whether the older of two was heard when the newer had been there for some time."""
        older, newer = sorted((left, right), key=self._began)
        heard = self.sources[older[0]]["last_received_at_ms"] or 0
        return bool(heard > self._began(newer)[0] + self.index.weights.both_live_ms)

    def _compare_stays(self, left: StayKey, right: StayKey) -> Comparison:
        sides = [self.index.stays[k].values if k in self.index.stays else {} for k in (left, right)]
        return compare(sides[0], sides[1], self.index.weights, self.index.is_worthless)

    async def _is_dual_boot(self, left: int, right: int, comparison: Comparison) -> bool:
        """Whether two installs take turns on one PC: the same parts, and never on at once."""
        if not {"mac", "disk"} <= comparison.agreeing:
            return False
        return await self._on_at_once(left, right) is False

    async def _on_at_once(self, left: int, right: int) -> bool | None:
        """Whether two sources were on in one slot of the last days; None where one told of none."""
        since = calendar.local_day(self.now_ms, 0) - timedelta(days=_OVERLAP_DAYS)
        days: dict[int, dict[str, int]] = {left: {}, right: {}}
        for row in await self.session.fetch(_PRESENCE, ids=[left, right], since=since):
            days[row["source_id"]][str(row["day"])] = Presence.unpack(bytes(row["packed"])).trusted
        if not days[left] or not days[right]:
            return None
        return any(slots & days[right].get(day, 0) for day, slots in days[left].items())

    async def _part(self, key: StayKey, row: Row) -> int:
        """Give a stay a machine of its own, as if it had always been."""
        made = await self.session.one(
            "INSERT INTO machine (created_at_ms) VALUES (:now) RETURNING id", now=self.now_ms
        )
        if made is None:
            raise RuntimeError("INSERT ... RETURNING gave no row")
        machine = int(made["id"])
        await replace_row(
            self.session, row, self.now_ms, WHO, machine_id=machine, decided_by="collision"
        )
        self.index.assign(key, machine)
        return machine

    async def _set_aside_pair(
        self, left: int, right: int, live: tuple[int, int], comparison: Comparison
    ) -> None:
        reason = f"{SAME_EVIDENCE} as another live source: machines {left} and {right}"
        await self._quarantine(live, reason)
        await self._open_pair(CLONED, left, right, comparison, live)

    async def _open_pair(
        self,
        kind: str,
        left: int,
        right: int,
        comparison: Comparison,
        sources: Iterable[int] = (),
    ) -> None:
        first, second = sorted((left, right))
        last = {*self._sources_of(left)[-1:], *self._sources_of(right)[-1:]}
        named = sorted(sources) or sorted(last)
        labels = [self._label(source) for source in named] or [str(first), str(second)]
        why, why_vi = (f"{comparison.in_words(each)} = {comparison.score}" for each in ("en", "vi"))
        if kind == CLONED:
            advice = "approve both when they are two PCs, merge when they are one"
            advice_vi = "duyệt cả hai nếu là hai máy, gộp nếu là một máy"
        else:
            pair = f"{first} {second}"
            advice = f"one PC? kiemke machine merge {pair}; two? kiemke machine apart {pair}"
            advice_vi = f"một máy? kiemke machine merge {pair}; hai? kiemke machine apart {pair}"
        found = Found(
            kind,
            f"machine:{first},{second}",
            f"{' and '.join(labels)}: {why}; {advice}",
            f"{' và '.join(labels)}: {why_vi}; {advice_vi}",
            await units_of(self.session, machines=(first, second)),
            {"machines": [first, second], "sources": named, **comparison.as_json()},
        )
        await open_finding(self.session, found, self.now_ms)

    async def _quarantine(self, sources: Iterable[int], reason: str) -> None:
        wanted = [s for s in sources if self.sources[s]["state"] in ADMITTED]
        for source in await set_aside(self.session, wanted, reason, "identity", self.now_ms):
            self.sources[source]["state"] = "quarantined"
            self.quarantined += 1

    async def _release(self, finding: Row, sources: list[int]) -> None:
        """Let in again what was set aside by a value that turned out to be worth nothing."""
        back = [s for s in sources if self.sources[s]["state"] == "quarantined"]
        for source in back if finding["kind"] == CLONED else ():
            state = "pending" if self.sources[source]["approved_at_ms"] is None else "approved"
            await let_in(self.session, source, state, SAME_EVIDENCE, "identity", self.now_ms)
            self.sources[source]["state"] = state
        await close_finding(self.session, finding["id"], self.now_ms)

    # --- shared adapters -----------------------------------------------------------------------

    async def keep_learned(self) -> None:
        """Store the adapters that were learned to be shared."""
        await self.session.many(
            "INSERT INTO shared_adapter (mac, learned_at_ms) VALUES (:mac, :now)"
            " ON CONFLICT (mac) DO NOTHING",
            [{"mac": mac, "now": self.now_ms} for mac in sorted(self.learned)],
        )

    def _label(self, source: int) -> str:
        row: dict[str, Any] = self.sources[source]
        return f"{row['public_id']} ({row['hostname'] or '?'})"
