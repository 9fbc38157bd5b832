"""Who may give which right to whom: nobody beyond what he holds himself."""

from dataclasses import dataclass
from datetime import date

from kiemke.server.audit import record
from kiemke.server.auth import NO_ROLE, ROLES, Principal, rank
from kiemke.server.context import Services
from kiemke.server.db import Row, Session
from kiemke.server.domain.scope import covers, units_above
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both, Problem

NOUN_GRANT = Both("quyền", "grant")

_HELD = dated(
    "SELECT u.role, u.unit_id FROM app_user u WHERE u.id = :user AND u.role <> 'none'"
    " UNION ALL SELECT g.role, g.unit_id FROM user_grant g WHERE g.user_id = :user"
    " AND g.voided_at_ms IS NULL AND (g.valid_to IS NULL OR g.valid_to > :today)"
)


@dataclass(frozen=True, slots=True)
class GrantWish:
    """A right to give: from ``valid_from`` until before ``valid_to``, with the paper behind it."""

    role: str
    unit_id: int | None
    approves: bool
    valid_from: date
    valid_to: date | None
    instrument: str


def check_role(role: str, *, or_none: bool = False) -> None:
    """Raise Problem 400 for a role nobody knows."""
    known = (*ROLES, NO_ROLE) if or_none else ROLES
    if role not in known:
        raise Problem("bad_field", field="role", value=role[:40], wanted=" | ".join(known))


async def above_of(session: Session, unit_id: int | None, today: date) -> set[int] | None:
    """Return the units above a place, itself too; None for everything (see ``scope.covers``)."""
    return None if unit_id is None else await units_above(session, unit_id, today)


async def check_may_give(
    services: Services, session: Session, giver: Principal, role: str, unit_id: int | None
) -> None:
    """Raise Problem 403 unless ``giver`` is an admin over all that the right reaches."""
    above = await above_of(session, unit_id, services.today())
    for grant in giver.grants:
        within = covers(grant.unit_id, above)
        if grant.role == "admin" and within and (role == NO_ROLE or rank(role) <= rank("admin")):
            return
    raise Problem("forbidden", role=giver.role, needed="admin, " + _place(unit_id))


async def check_may_carry(
    services: Services, session: Session, holder: Principal, role: str | None, unit_id: int | None
) -> None:
    """Raise Problem 403 unless a token of this role and unit is within what its holder may."""
    above = await above_of(session, unit_id, services.today())
    wanted = rank(role) if role is not None else 0
    for grant in holder.grants:
        within = unit_id is None or covers(grant.unit_id, above)
        if rank(grant.role) >= wanted and within:
            return
    raise Problem("forbidden", role=holder.role, needed=f"{role or '-'}, {_place(unit_id)}")


def _place(unit_id: int | None) -> str:
    return "all units" if unit_id is None else f"unit {unit_id}"


async def manages(services: Services, session: Session, manager: Principal, user_id: int) -> bool:
    """Return whether every right a user holds, or will, lies within what ``manager`` administers.

    A user without any right belongs to those who administer everything.
    """
    roots = [grant.unit_id for grant in manager.grants if grant.role == "admin"]
    if None in roots:
        return True
    today = services.today()
    held = await session.fetch(_HELD, user=user_id, today=today)
    for row in held:
        above = await above_of(session, row["unit_id"], today)
        if not any(covers(root, above) for root in roots):
            return False
    return bool(held)


async def add_grant(session: Session, user: Row, wish: GrantWish, *, who: str, now_ms: int) -> int:
    """Insert a grant with its audit entry and return its id; the user's sessions go on."""
    row = await session.one(
        "INSERT INTO user_grant (user_id, role, unit_id, approves, valid_from, valid_to,"
        " instrument, recorded_at_ms, recorded_by) VALUES (:user, :role, :unit, :approves, :start,"
        " :end, :paper, :now, :who) RETURNING id",
        user=user["id"],
        role=wish.role,
        unit=wish.unit_id,
        approves=wish.approves,
        start=wish.valid_from,
        end=wish.valid_to,
        paper=wish.instrument,
        now=now_ms,
        who=who,
    )
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="grant.add",
        subject=f"user:{user['name']}",
        after={
            "role": wish.role,
            "unit_id": wish.unit_id,
            "approves": wish.approves,
            "valid_from": wish.valid_from,
            "valid_to": wish.valid_to,
        },
        paper=wish.instrument,
    )
    return int(row["id"]) if row else 0


async def end_grant(
    session: Session, grant: Row, *, day: date, instrument: str, who: str, now_ms: int
) -> None:
    """End a grant on a day: void the row and add the shorter one, if any of it was."""
    await session.execute(
        "UPDATE user_grant SET voided_at_ms = :now, voided_by = :who WHERE id = :id",
        now=now_ms,
        who=who,
        id=grant["id"],
    )
    if day > grant["valid_from"]:
        await session.execute(
            "INSERT INTO user_grant (user_id, role, unit_id, approves, valid_from, valid_to,"
            " instrument, recorded_at_ms, recorded_by) VALUES (:user, :role, :unit, :approves,"
            " :start, :end, :paper, :now, :who)",
            user=grant["user_id"],
            role=grant["role"],
            unit=grant["unit_id"],
            approves=bool(grant["approves"]),
            start=grant["valid_from"],
            end=day,
            paper=instrument,
            now=now_ms,
            who=who,
        )
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="grant.end",
        subject=f"user:{grant['user_name']}",
        before={
            "role": grant["role"],
            "unit_id": grant["unit_id"],
            "valid_to": grant["valid_to"],
        },
        after={"valid_to": day},
        paper=instrument,
    )
