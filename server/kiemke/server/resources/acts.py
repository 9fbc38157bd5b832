"""What every change by a paper shares: its number and day are checked, a refusal is told one way."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from kiemke.server.approval_kinds import refused
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.refusal import Refused
from kiemke.server.errors import A_PAPER, UP_TO_TODAY, Problem
from kiemke.server.resources.tree import NOUN_UNIT, Moment, find_unit_id, now_of, visible_units
from kiemke.wire.clean import clean_text


def paper_of(request: AppRequest, day: date, instrument: str) -> str:
    """Return the cleaned number of a paper. Raises Problem without one, or for a day to come."""
    number = clean_text(instrument, 200)
    if not number:
        raise Problem("bad_field", field="instrument", value="", wanted=A_PAPER)
    check_day(request, day)
    return number


def check_day(request: AppRequest, day: date) -> None:
    """Raise Problem for a day to come."""
    if day > services_of(request).today():
        raise Problem("bad_field", field="day", value=str(day), wanted=UP_TO_TODAY)


async def allowed_now(request: AppRequest) -> list[int] | None:
    """Return the units the user may change today, None for all.

    Rights are those of today: a paper of last year gives nobody the units of last year.
    """
    services = services_of(request)
    return await visible_units(services, request.user, now_of(services), None)


async def unit_on(request: AppRequest, code: str, day: date) -> int:
    """Return the id of the unit a code means on the day, if the user may change it. Problem 404."""
    services = services_of(request)
    unit_id = await find_unit_id(services, code, Moment(day, services.clock()))
    allowed = await allowed_now(request)
    if allowed is not None and unit_id not in allowed:
        raise Problem("not_found", what=NOUN_UNIT, ref=code)
    return unit_id


@contextmanager
def told() -> Iterator[None]:
    """Tell what the ledger refuses as a Problem with what and remedy."""
    try:
        yield
    except Refused as error:
        raise refused(error) from error
