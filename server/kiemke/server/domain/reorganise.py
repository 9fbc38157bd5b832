"""A decision that reorganises units: create, rename, retype, move, merge, split, assign, end.

One decision holds any number of changes that take effect on one day; codes and names may be reused
within it, so uniqueness is checked once, at the end. Nothing is edited: rows that are open on the
day are voided and said again as they now are, so that history stays on the old unit and the past as
it was known stays readable. A split never guesses: what it is not told goes to a unit "chưa phân
bổ" for an officer to assign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.reorganise_decision import (
    CHANGE_KINDS,
    CannotReorganise,
    Change,
    Decision,
    refuse,
)
from kiemke.server.domain.reorganise_later import check_later
from kiemke.server.domain.reorganise_rows import Holding, Transfer, holdings_of
from kiemke.server.domain.reorganise_takes import concerned, uncounted
from kiemke.server.domain.text import search_key, sort_key
from kiemke.server.models.organisation import UNIT_TYPES

UNASSIGNED_SUFFIX = "-CPB"


@dataclass(slots=True)
class _Unit:
    """A unit on the day, as the decision leaves it. ``id`` is negative until it is made."""

    id: int
    code: str
    name: str
    type: str
    parent_id: int | None
    row: Row | None = None
    ended: bool = False
    touched: bool = False


@dataclass(frozen=True, slots=True)
class Succession:
    """Unit ``old_id`` lives on in ``new_id`` (negative: made by this decision)."""

    old_id: int
    new_id: int
    kind: str


@dataclass(slots=True)
class Plan:
    """Everything a decision would do; ``apply`` does exactly this, and tells what it moved without a date."""

    decision: Decision
    today: date
    units: dict[int, _Unit]
    successions: list[Succession] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    cut_targets: list[Row] = field(default_factory=list)
    stock_takes: list[dict[str, Any]] = field(default_factory=list)
    uncounted: list[int] = field(default_factory=list)
    undated: list[tuple[str, int, str, Any, Any]] = field(default_factory=list)

    def consequences(self) -> dict[str, Any]:
        """Return what would happen, for a person to read before it does."""
        names = {unit.id: {"code": unit.code, "name": unit.name} for unit in self.units.values()}
        return {
            "created": [names[u.id] | {"type": u.type} for u in self.units.values() if u.id < 0],
            "ended": [names[u.id] for u in self.units.values() if u.ended],
            "changed": [
                names[u.id]
                | {"type": u.type, "parent": names[u.parent_id] if u.parent_id else None}
                for u in self.units.values()
                if u.touched and not u.ended and u.id > 0
            ],
            "moved": [
                {
                    "what": t.holding.what,
                    "code": t.holding.code,
                    "name": t.holding.name,
                    "from": names[t.holding.unit_id],
                    "to": names[t.to_unit_id],
                }
                for t in self.transfers
            ],
            "targets_ended": len(self.cut_targets),
            "stock_takes": [
                take | {"unit": names.get(take["unit"]), "to": names.get(take["to"])}
                for take in self.stock_takes
            ],
            "uncounted": [names[unit_id] for unit_id in self.uncounted],
        }


async def plan(session: Session, decision: Decision, today: date) -> Plan:
    """Return what the decision would do on the ledger as it stands. Raises CannotReorganise."""
    if decision.day > today:
        raise refuse(
            f"Quyết định có hiệu lực từ {decision.day:%d/%m/%Y}, chưa tới ngày.",
            f"The decision takes effect on {decision.day}, which is still to come.",
            "Nhập vào ngày có hiệu lực hoặc sau đó.",
            "Enter it on that day or later.",
        )
    return await _Planner(session, decision, today).plan()


class _Planner:
    """Plays a decision's changes on the tree of its day."""

    def __init__(self, session: Session, decision: Decision, today: date) -> None:
        self._today = today
        self._session = session
        self._decision = decision
        self._units: dict[int, _Unit] = {}
        self._old_codes, self._new_codes = dict[str, int](), dict[str, int]()

    async def plan(self) -> Plan:
        await self._load()
        self._make_new()
        made = Plan(self._decision, self._today, self._units)
        for change in self._decision.changes:
            await self._play(change, made)
        self._check_tree()
        await self._check_ended(made)
        ended = [unit.id for unit in self._units.values() if unit.ended]
        made.cut_targets = await self._session.fetch(
            "SELECT * FROM coverage_target WHERE unit_id IN :[units] AND voided_at_ms IS NULL"
            " AND (valid_to IS NULL OR valid_to > :day)",
            units=ended,
            day=self._decision.day,
        )
        receivers = [succession.new_id for succession in made.successions]
        await check_later(self._session, self._units, receivers, self._decision.day)
        made.stock_takes = await concerned(
            self._session, self._units, made.transfers, receivers, self._decision.day
        )
        olds = [succession.old_id for succession in made.successions]
        made.uncounted = await uncounted(self._session, self._units, olds)
        return made

    async def _load(self) -> None:
        rows = await self._session.fetch(
            "SELECT * FROM unit_version WHERE voided_at_ms IS NULL AND valid_from <= :day"
            " AND (valid_to IS NULL OR valid_to > :day) ORDER BY id",
            day=self._decision.day,
        )
        for row in rows:
            self._units[row["unit_id"]] = _Unit(
                row["unit_id"], row["code"], row["name"], row["type"], row["parent_id"], row
            )
            self._old_codes[row["code"]] = row["unit_id"]

    def _make_new(self) -> None:
        for number, new in enumerate(self._decision.new, start=1):
            if new.code in self._new_codes:
                raise refuse(
                    f"Quyết định tạo mã {new.code} hai lần.",
                    f"The decision makes the code {new.code} twice.",
                    "Bỏ một lần.",
                    "Leave one out.",
                )
            self._check_type(new.type)
            self._new_codes[new.code] = -number
            self._units[-number] = _Unit(-number, new.code, new.name, new.type, None, touched=True)
        for new in self._decision.new:
            if new.parent is not None:
                self._units[self._new_codes[new.code]].parent_id = self._find(new.parent).id

    def _check_type(self, type_: str) -> None:
        if type_ not in UNIT_TYPES:
            raise refuse(
                f"Không có loại đơn vị {type_}.",
                f"There is no unit type {type_}.",
                f"Dùng một trong: {', '.join(UNIT_TYPES)}.",
                f"Use one of: {', '.join(UNIT_TYPES)}.",
            )

    def _find(self, code: str) -> _Unit:
        """Return the unit a code means after the day: a new one first."""
        unit_id = self._new_codes.get(code, self._old_codes.get(code))
        if unit_id is None:
            raise self._unknown(code)
        return self._units[unit_id]

    def _old(self, code: str) -> _Unit:
        """Return the unit a code meant before the day."""
        if code not in self._old_codes:
            raise self._unknown(code)
        return self._units[self._old_codes[code]]

    def _unknown(self, code: str) -> CannotReorganise:
        day = self._decision.day
        return refuse(
            f"Ngày {day:%d/%m/%Y} không có đơn vị mã {code}.",
            f"On {day} there is no unit with the code {code}.",
            "Xem mã: kiemke don-vi list --ngay; đơn vị mới thì nêu cả tên: merge có --ten, --loai.",
            "See kiemke unit list --as-of; a new one needs a name: merge takes --name, --type.",
        )

    async def _play(self, change: Change, made: Plan) -> None:
        olds = [self._old(code) for code in change.units]
        if not olds or (change.kind in ("split", "assign", "rename", "move") and len(olds) != 1):
            raise refuse(
                f"{change.kind}: số đơn vị không đúng.",
                f"{change.kind}: the wrong number of units.",
                "Nêu đúng một đơn vị (merge: một hay nhiều).",
                "Name exactly one unit (merge: one or more).",
            )
        if change.kind == "merge":
            await self._merge(olds, self._parts(change, 1)[0], made)
        elif change.kind in ("split", "assign"):
            await self._split(change, olds[0], made)
        elif change.kind in ("rename", "retype", "move"):
            self._alter(change, olds)
        elif change.kind == "end":
            for unit in olds:
                unit.ended = unit.touched = True
        else:
            raise refuse(
                f"Không có thay đổi kiểu {change.kind}.",
                f"There is no change of kind {change.kind}.",
                f"Dùng một trong: {', '.join(CHANGE_KINDS)}.",
                f"Use one of: {', '.join(CHANGE_KINDS)}.",
            )

    def _parts(self, change: Change, least: int) -> list[_Unit]:
        parts = [self._find(code) for code in change.into]
        if len(parts) < least:
            raise refuse(
                f"{change.kind}: thiếu đơn vị tiếp nhận.",
                f"{change.kind}: the receiving unit is missing.",
                "Nêu mã đơn vị tiếp nhận.",
                "Name the code of the unit that receives.",
            )
        return parts

    def _alter(self, change: Change, olds: Sequence[_Unit]) -> None:
        for unit in olds:
            unit.touched = True
            if change.kind == "rename":
                unit.name = change.name or unit.name
                unit.code = change.code or unit.code
            elif change.kind == "retype":
                self._check_type(change.type or "")
                unit.type = change.type or unit.type
            else:
                unit.parent_id = self._find(change.parent).id if change.parent else None

    async def _merge(self, olds: Sequence[_Unit], into: _Unit, made: Plan) -> None:
        gone = [unit for unit in olds if unit.id != into.id]
        for unit in gone:
            unit.ended = unit.touched = True
            made.successions.append(Succession(unit.id, into.id, "merge"))
            self._hand_children(unit.id, into.id)
        for holding in await self._holdings([unit.id for unit in gone]):
            made.transfers.append(Transfer(holding, into.id))

    def _hand_children(self, old_id: int, new_id: int) -> None:
        for child in self._units.values():
            if child.parent_id == old_id and child.id != new_id and not child.ended:
                child.parent_id, child.touched = new_id, True

    async def _holdings(self, unit_ids: list[int]) -> list[Holding]:
        return await holdings_of(self._session, unit_ids, self._decision.day)

    async def _split(self, change: Change, old: _Unit, made: Plan) -> None:
        parts = self._parts(change, 1 if change.kind == "assign" else 2)
        by_code = {part.code: part for part in parts}
        holdings = await self._holdings([old.id])
        self._check_assigned(change, holdings, by_code)
        chosen: dict[str, int] = {}
        for key, code in change.assign.items():
            chosen[key] = by_code[code].id
        undecided = []
        for holding in holdings:
            target = chosen.get(holding.key)
            if target is None and holding.follows is not None:
                target = chosen.get(holding.follows)
            if target is None:
                undecided.append(holding)
            else:
                made.transfers.append(Transfer(holding, target))
        made.successions += [Succession(old.id, part.id, change.kind) for part in parts]
        if change.kind == "assign":
            old.touched = True
            old.ended = not undecided
            return
        old.ended = old.touched = True
        children = [u for u in self._units.values() if u.parent_id == old.id and not u.ended]
        if undecided or children:
            waiting = self._make_waiting(old)
            made.successions.append(Succession(old.id, waiting.id, "split"))
            made.transfers += [Transfer(holding, waiting.id) for holding in undecided]
            self._hand_children(old.id, waiting.id)

    def _check_assigned(
        self, change: Change, holdings: Sequence[Holding], parts: Mapping[str, _Unit]
    ) -> None:
        held = {holding.key for holding in holdings}
        for key, code in change.assign.items():
            if key not in held:
                raise refuse(
                    f"{key} không thuộc đơn vị {change.units[0]}.",
                    f"{key} is not held by the unit {change.units[0]}.",
                    "Sửa hoặc bỏ dòng này.",
                    "Correct or leave out that line.",
                )
            if code not in parts:
                raise refuse(
                    f"{key} được giao cho {code}, không phải đơn vị tiếp nhận.",
                    f"{key} is assigned to {code}, which receives nothing here.",
                    f"Dùng một trong: {', '.join(parts)}.",
                    f"Use one of: {', '.join(parts)}.",
                )

    def _make_waiting(self, old: _Unit) -> _Unit:
        number = min([0, *self._units]) - 1
        parent = old.parent_id
        while parent is not None and self._units[parent].ended:
            parent = self._units[parent].parent_id
        waiting = _Unit(
            number,
            f"{old.code}{UNASSIGNED_SUFFIX}"[:40],
            f"Chưa phân bổ ({old.name})"[:200],
            "khac",
            parent,
            touched=True,
        )
        self._units[number] = waiting
        return waiting

    def _check_tree(self) -> None:
        """Codes are unique, parents live on, and nobody is below himself."""
        living = [unit for unit in self._units.values() if not unit.ended]
        seen: dict[str, int] = {}
        for unit in living:
            if unit.code in seen:
                raise refuse(
                    f"Sau quyết định có hai đơn vị cùng mã {unit.code}.",
                    f"After the decision two units would have the code {unit.code}.",
                    "Đổi mã của một đơn vị, hoặc cho đơn vị cũ kết thúc.",
                    "Change one unit's code, or let the old unit end.",
                )
            seen[unit.code] = unit.id
        for unit in living:
            chain, parent = {unit.id}, unit.parent_id
            while parent is not None:
                if parent in chain:
                    raise refuse(
                        f"{unit.code} sẽ nằm dưới chính nó.",
                        f"{unit.code} would stand below itself.",
                        "Chọn đơn vị cấp trên khác.",
                        "Choose another parent.",
                    )
                chain.add(parent)
                above = self._units.get(parent)
                if above is None or above.ended:
                    raise refuse(
                        f"Đơn vị cấp trên của {unit.code} không còn sau quyết định.",
                        f"The parent of {unit.code} does not live on after the decision.",
                        "Chuyển (move) đơn vị này trong cùng quyết định.",
                        "Move that unit within the same decision.",
                    )
                parent = above.parent_id

    async def _check_ended(self, made: Plan) -> None:
        """A unit that only ends may hold nothing: people and things do not vanish with it."""
        succeeded = {succession.old_id for succession in made.successions}
        bare = [u.id for u in self._units.values() if u.ended and u.id not in succeeded]
        left = await self._holdings(bare)
        if left:
            shown = ", ".join(holding.key for holding in left[:5])
            raise refuse(
                f"Đơn vị kết thúc còn giữ {len(left)} mục: {shown}.",
                f"A unit that ends still holds {len(left)} things: {shown}.",
                "Dùng merge hoặc split để có đơn vị tiếp nhận.",
                "Use merge or split, so that a unit receives them.",
            )


def version_values(unit: _Unit, day: date) -> dict[str, Any]:
    """Return the columns of a unit's version from the day on."""
    valid_to = as_date(unit.row["valid_to"]) if unit.row and unit.row["valid_to"] else None
    return {
        "unit_id": unit.id,
        "parent_id": unit.parent_id,
        "code": unit.code,
        "name": unit.name,
        "type": unit.type,
        "sort_key": sort_key(unit.name),
        "search_key": search_key(unit.name),
        "valid_from": day,
        "valid_to": valid_to,
    }
