"""Surveys by hand: files of PCs that cannot run the agent, taken in as evidence of one day."""

import base64
import binascii
from dataclasses import dataclass

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.errors import Both, Problem
from kiemke.server.ingest import one_shot
from kiemke.server.resources.listing import Listing, ListQuery, Page, day_text, fetch_page
from kiemke.server.resources.tree import UnitRef, find_unit_id, now_of, visible_units
from kiemke.wire.clean import clean_text

LISTING = Listing(
    columns="z.id, z.day, z.taken_by, z.file_name, z.recorded_at_ms, z.recorded_by, s.public_id,"
    " s.hostname, v.code AS unit_code, v.name AS unit_name,"
    " (SELECT MIN(ms.machine_id) FROM machine_source ms WHERE ms.source_id = s.id AND {active ms})"
    " AS machine_id",
    tables="one_shot z JOIN source s ON s.id = z.source_id"
    " LEFT JOIN unit_version v ON v.unit_id = s.unit_id AND {active v}",
    where=("z.day <= :day", "z.recorded_at_ms <= :known"),
    key="z.id",
    id="z.id",
    in_units="s.unit_id IN :[units]",
    search=("s.hostname", "z.taken_by", "v.search_key"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class FileInput:
    """One file as it came from the PC, its bytes in base64."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class SurveyInput:
    """Files of PCs of one unit; ``taken_by`` is who went there, by default who asks."""

    unit: str
    files: list[FileInput]
    taken_by: str | None = None


@dataclass(frozen=True, slots=True)
class SurveyOutput:
    """One PC: ``outcome`` is "new" or "same"; ``source`` None until it is written."""

    file: str
    outcome: str
    day: str
    hostname: str | None
    system: str | None
    serial: str | None
    disks: int
    monitors: int
    source: str | None


@dataclass(frozen=True, slots=True)
class SurveysOutput:
    """What the files do, and whether it was written."""

    items: list[SurveyOutput]
    applied: bool


@dataclass(frozen=True, slots=True)
class RecordedSurvey:
    """A survey as it was taken in; ``machine`` None until the resolver has looked at it."""

    source: str
    machine: int | None
    hostname: str | None
    unit: UnitRef | None
    day: str | None
    taken_by: str
    file: str
    recorded_at: str | None
    recorded_by: str


MOST_FILES = 50
LARGEST_SURVEYS_BYTES = 8 << 20  # of one PC it is some 20 kB, with large tables of firmware 100


def _unreadable(name: str, why: Both) -> Problem:
    what = Both(
        f"{name}: không đọc được ({why.vi}). Lấy lại tệp từ máy đó bằng KHAO-SAT.cmd.",
        f"{name}: not readable ({why.en}). Take it from the PC again by SURVEY.cmd.",
    )
    return Problem("unreadable", what=what)


async def _read(data: SurveyInput) -> list[one_shot.Survey]:
    """Return what each file says. Raises Problem 400 naming the first that cannot be read."""
    if not 1 <= len(data.files) <= MOST_FILES:
        raise Problem("bad_field", field="files", value=len(data.files), wanted=f"1 – {MOST_FILES}")
    surveys = []
    for file in data.files:
        name = clean_text(file.name, 120)
        try:
            raw = base64.b64decode(file.content, validate=True)
            surveys.append(await one_shot.read(name, raw))
        except (binascii.Error, ValueError) as error:
            raise _unreadable(name, Both("không phải base64", "not base64")) from error
        except one_shot.FileRefused as error:
            raise _unreadable(name, error.why) from error
    return surveys


@post(
    "/api/v1/machines/surveys",
    status_code=200,
    opt={"role": "it"},
    tags=["machines"],
    request_max_body_size=LARGEST_SURVEYS_BYTES,
)
async def add_surveys(
    request: AppRequest, data: JSONBody[SurveyInput], apply: FromQuery[bool] = False
) -> SurveysOutput:
    """Say what files of surveyed PCs hold; with ``apply`` keep them: all or none."""
    services = services_of(request)
    moment = now_of(services)
    await visible_units(services, request.user, moment, data.unit)  # refuses a unit out of sight
    units = await visible_units(services, request.user, moment, None)
    unit_id = await find_unit_id(services, data.unit, moment)
    taken_by = clean_text(data.taken_by or request.user.name, 100) or request.user.name
    async with services.imports:
        surveys = await _read(data)
    for survey in surveys:
        if not one_shot.FIRST_DAY <= survey.day <= services.today():
            wanted = f"{one_shot.FIRST_DAY} – {services.today()}"
            raise Problem(
                "bad_field", field=f"taken ({survey.file_name})", value=survey.day, wanted=wanted
            )
    items = []
    async with services.db.transaction() as session:
        for survey in surveys:
            found = await one_shot.known(session, survey, units)
            source = None if found is None else str(found["public_id"])
            if apply and source is None:
                source = await one_shot.write(
                    session, survey, unit_id, taken_by=taken_by, who=request.user.name,
                    now_ms=services.clock(), offset=services.offset_seconds,
                )  # fmt: skip
            items.append(_told(survey, one_shot.NEW if found is None else one_shot.SAME, source))
    return SurveysOutput(items, apply)


def _told(survey: one_shot.Survey, outcome: str, source: str | None) -> SurveyOutput:
    words = (survey.said("system", "manufacturer"), survey.said("system", "product"))
    return SurveyOutput(
        file=survey.file_name,
        outcome=outcome,
        day=survey.day.isoformat(),
        hostname=survey.hostname,
        system=" ".join(word for word in words if word) or None,
        serial=survey.said("system", "serial"),
        disks=len(survey.sections.get("disks", ())),
        monitors=len(survey.sections.get("monitors", ())),
        source=source,
    )


@get("/api/v1/machines/surveys", opt={"role": "auditor"}, tags=["machines"])
async def list_surveys(
    request: AppRequest, asked: NamedDependency[ListQuery]
) -> Page[RecordedSurvey]:
    """List surveys, the last taken in first."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    items = [
        RecordedSurvey(
            source=row["public_id"],
            machine=row["machine_id"],
            hostname=row["hostname"],
            unit=UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
            day=day_text(row["day"]),
            taken_by=row["taken_by"],
            file=row["file_name"],
            recorded_at=rfc3339(row["recorded_at_ms"]),
            recorded_by=row["recorded_by"],
        )
        for row in rows
    ]
    return Page(items, total, cursor)


HANDLERS = (add_surveys, list_surveys)
