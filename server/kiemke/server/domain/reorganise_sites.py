"""Networks and secrets in a reorganisation: they go to who receives their unit, and go on serving its devices."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.reorganise import Plan
from kiemke.server.domain.reorganise_rows import EXTRA, reopen

Real = Callable[[int], int]
_LONGEST_NAME = 60

_OPEN = """
SELECT * FROM site_subnet WHERE voided_at_ms IS NULL AND (valid_to IS NULL OR valid_to > :day) ORDER BY id
"""
_SECRETS = "SELECT unit_id, kind, name FROM secret WHERE gone = 0"
# How a device names a secret of each kind; an empty one means "default" where that is a name.
_USERS = {
    "snmp": "UPDATE device SET credential = :new WHERE unit_id IN :[units]"
    " AND COALESCE(credential, 'default') = :name",
    "ssh": "UPDATE device SET ssh_credential = :new WHERE unit_id IN :[units]"
    " AND ssh_credential = :name",
}


class Networks:
    """The subnets that are open on the day, as the plan is written: ``real`` turns planned ids into real ones."""

    def __init__(
        self, plan: Plan, real: Real, rows: list[Row], secrets: set[tuple[int, str, str]]
    ) -> None:
        self._plan, self._real, self._rows, self._secrets = plan, real, rows, secrets
        self._before = frozenset(secrets)
        self._heirs = {s.old_id: s.new_id for s in plan.successions if s.kind == "merge"}
        self._held = {self._key(row, row["unit_id"], row["authority_id"]) for row in rows}
        self._moved: set[int] = set()

    @classmethod
    async def load(cls, session: Session, plan: Plan, real: Real) -> "Networks":
        """Return those of the database."""
        rows = await session.fetch(_OPEN, day=plan.decision.day)
        secrets = {
            (row["unit_id"], row["kind"], row["name"]) for row in await session.fetch(_SECRETS)
        }
        return cls(plan, real, rows, secrets)

    @staticmethod
    def _key(row: Mapping[str, Any], unit_id: int, authority: int | None) -> tuple[Any, ...]:
        return (unit_id, row["subnet"], bool(row["deny"]), authority)

    def _authority(self, unit_id: int, authority: int | None) -> int | None:
        """Return who answers for a subnet of a planned unit: who did, else his heir, else the unit itself.

        Only who stands at or above the unit can: a subnet opens the secrets of units below him.
        """
        if authority is None:
            return None
        line: list[int] = []
        at: int | None = unit_id
        while at is not None and at not in line:
            line.append(at)
            at = self._plan.units[at].parent_id if at in self._plan.units else None
        for each in (authority, self._heirs.get(authority)):
            if each in line and each is not None and not self._plan.units[each].ended:
                return self._real(each)
        return self._real(unit_id)

    async def carry(
        self, session: Session, row: Mapping[str, Any], unit_id: int, stamp: Mapping[str, Any]
    ) -> None:
        """Hand a subnet over to a planned unit; what that unit has alike already ends with the old one."""
        self._moved.add(row["id"])
        plain = {name: value for name, value in row.items() if name not in EXTRA}
        authority, target = self._authority(unit_id, row["authority_id"]), self._real(unit_id)
        changes: dict[str, Any] | None = {"unit_id": target, "authority_id": authority}
        same = {self._key(row, target, who) for who in (authority, None)}
        if same & self._held:
            changes = None
        self._held.add(self._key(row, target, authority))
        await reopen(session, "site_subnet", plain, self._day, changes, **stamp)

    @property
    def _day(self) -> date:
        return self._plan.decision.day

    async def settle(self, session: Session, stamp: Mapping[str, Any]) -> None:
        """Give the subnets of units that live on to those who answer for them now."""
        for row in self._rows:
            unit = self._plan.units.get(row["unit_id"])
            owner = self._plan.units.get(row["authority_id"] or 0)
            if row["id"] in self._moved or unit is None or unit.ended:
                continue
            if owner is None or not owner.ended:
                continue
            changes = {"authority_id": self._authority(unit.id, row["authority_id"])}
            await reopen(session, "site_subnet", row, self._day, changes, **stamp)

    async def carry_secret(self, session: Session, row: Mapping[str, Any], unit_id: int) -> None:
        """Hand a secret over; under another name where the unit has one of its name: its devices follow."""
        target, kind, name = self._real(unit_id), row["kind"], row["name"]
        new, number = name, 1
        while (target, kind, new) in self._secrets:
            tail = f"-{row['unit_code']}" if number == 1 else f"-{row['unit_code']}-{number}"
            new, number = name[: _LONGEST_NAME - len(tail)] + tail, number + 1
        self._secrets.add((target, kind, new))
        await session.execute(
            "UPDATE secret SET unit_id = :unit, name = :name WHERE id = :id",
            unit=target,
            name=new,
            id=row["id"],
        )
        self._plan.undated.append(("secret", row["id"], "unit_id", row["unit_id"], target))
        if new != name:
            self._plan.undated.append(("secret", row["id"], "name", name, new))
            units = self._served(row["unit_id"], kind, name)
            await session.execute(_USERS[kind], new=new, units=units, name=name)

    def _served(self, unit_id: int, kind: str, name: str) -> list[int]:
        """Return a unit and those below it before the day that had no nearer secret of the name."""
        served = [unit_id]
        for above in served:
            served += [
                unit.id
                for unit in self._plan.units.values()
                if unit.row is not None
                and unit.row["parent_id"] == above
                and unit.id not in served
                and (unit.id, kind, name) not in self._before
            ]
        return served
