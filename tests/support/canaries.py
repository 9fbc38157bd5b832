"""Two worlds that differ in what lies outside one user's reach, and every request that could tell.

``plant`` writes one row into every table, below a unit that the user may not see, its texts full of
the word CANARY. Whatever the user asks must be answered alike with and without those rows: the same
body, the same error, the same count. A table or a route added later is in it by itself; what cannot
be guessed is named here, and a test says what is missing:

- a column whose values are an enumeration: a line in VALUES;
- a route that changes something: its bodies in CHANGES, naming things outside by ``{table.column}``;
- a route or table that is about no unit: a line in OPEN_ROUTES or SHARED_TABLES with the reason.
"""

import io
import re
import zipfile
from datetime import date
from typing import Any

from tortoise import Tortoise, fields
from tortoise.models import Model

from kiemke.server.audit import encode_entry
from kiemke.server.db import Row, Session
from tests.support.office import FAR_BACK, MOMENT_MS, RECORDED_MS

OUTSIDE_ID = 1000
DAY = date(2026, 3, 1)

# Of a thing outside: an asset, a device's interface, a PC's adapter. A sweep inside sees each of them.
MACS = ("02:00:5e:00:00:01", "02:00:5e:00:00:02", "02:00:5e:00:00:03")

SHARED_TABLES = {
    "installation": "one row, facts of the whole installation",
    "lease": "who leads a job",
    "search_due": "taken by the next search, whoever asks it",
    "rule": "law and thresholds, the same for every unit",
    "holiday": "the calendar, the same for every unit",
    "agent_release": "programs, the same for every unit",
    "agent_release_part": "programs, the same for every unit",
}

# Values where the name of the column is not enough; "*.column" is for every table.
VALUES: dict[str, Any] = {
    "*.valid_from": FAR_BACK,
    "*.recorded_at_ms": RECORDED_MS,
    "*.rows_json": "[]",
    "*.reasons_json": "[]",
    "access_token.kind": "api",
    "access_token.expires_at_ms": MOMENT_MS * 2,
    "access_token.role": "viewer",
    "app_user.role": "viewer",
    "user_grant.role": "viewer",
    "approval.state": "waiting",
    "asset.kind": "desktop",
    "asset.mac_key": MACS[0].replace(":", "").upper(),
    "asset.ownership": "owned",
    "asset_fact.ownership": "owned",
    "asset_fact.kind": "desktop",
    "asset_fact.no_agent_reason": None,
    "asset.no_agent_reason": None,
    "asset_status.status": "in_use",
    "absence.reason": "leave",
    "audit_entry.entry": encode_entry(
        at_ms=1,
        who="CANARY-audit_entry-who",
        act="canary",
        subject="official:CANARY",
        before={"name": "CANARY"},
        after={"unit_id": OUTSIDE_ID},
        paper=None,
    ),
    "counted_asset.result": "seen",
    "coverage_now.kinds": "",
    "coverage_now.day": DAY,
    "coverage_target.kinds": "cong_chuc",
    "coverage_target.measure": "coverage",
    "device.kind": "switch",
    "device_version.kind": "switch",
    "device_hardware.macs": "AABBCCDDEEFF",
    "device.address": "203.0.113.99",
    "stock_take.reason": "year_end",
    "stock_take.day": DAY,
    "stock_take_version.state": "open",
    "stock_take_version.day": DAY,
    "stock_take_version.board_json": '[{"name": "CANARY"}]',
    "device_host_key.host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIENDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0ND",
    "device_ssh.administrators_json": '["CANARY"]',
    "device_ssh.parts_json": '[{"name": "CANARY"}]',
    "device_ssh.ports_json": '[{"name": "CANARY"}]',
    "enrolment_token.kind": "agent",
    "indicator.measure": "percent",
    "indicator_figure.role": "value",
    "interface_now.mac": MACS[1],
    "link_version.kind": "internet",
    "membership.kind": "cong_chuc",
    "network_stay.addresses": "203.0.113.97",
    "person_key.secret": "00" * 32,
    "place_version.kind": "one_stop_desk",
    "probe_target.address": "203.0.113.98",
    "site_subnet.subnet": "203.0.113.96/28",
    "source.kind": "agent",
    "source_evidence.kind": "mac",
    "source_evidence.value": MACS[2].replace(":", "").upper(),
    "source.state": "approved",
    "unit_succession.kind": "merge",
    "unit_version.type": "phong",
    "unit_version.parent_id": 1,
}
# Ends: a canary that is over, voided or revoked would not show even where it leaks.
_OVER = re.compile(r"^(valid_to|voided_.*|closed_.*|retired_.*|revoked_.*|disabled_.*|decided_(at|by).*"
                   r"|destroyed_.*|used_at_ms|totp_.*)$")  # fmt: skip
# Columns by which a thing can be named in an address.
_NAMES = ("code", "public_id", "serial", "hostname", "address")

OPEN_ROUTES = {
    ("GET", "/api/v1"): "the API page holds no data",
    ("GET", "/api/v1/openapi.json"): "the API's document holds no data",
    ("GET", "/healthz"): "alive or not",
    ("GET", "/ca.pem"): "the root certificate is for everybody",
    ("POST", "/api/v1/login"): "asks nothing but a name and a password",
    ("POST", "/api/v1/enroll"): "a source's own enrolment",
    ("POST", "/api/v1/enroll/check"): "what a token itself says, to who holds it",
    ("GET", "/api/v1/assignment"): "a collector's own assignment",
    ("GET", "/api/v1/collector-secrets"): "the secrets of a collector's own devices",
    ("*", "/api/v1/reports"): "a source's own reports",
    ("GET", "/api/v1/agent-update"): "what a source itself is offered",
    ("GET", "/api/v1/agent-update/{release}/{number}"): "a program that every PC may have",
    ("POST", "/api/v1/me/totp"): "one's own, and each secret is another",
    ("POST", "/api/v1/me/totp/confirm"): "one's own",
    ("POST", "/api/v1/me/totp/remove"): "one's own",
    ("DELETE", "/api/v1/me/session"): "ends the very token it comes with",
}

_PAPER = {"day": DAY.isoformat(), "instrument": "1/QĐ"}
# Bodies (None: no body) of every route that changes something; a path's {ref} is tried by itself.
CHANGES: dict[tuple[str, str], tuple[dict[str, Any] | None, ...]] = {
    ("POST", "/api/v1/agent-releases"): ({},),
    ("POST", "/api/v1/agent-releases/{ref}/stage"): ({"percent": 5},),
    ("POST", "/api/v1/agent-releases/{ref}/withdraw"): ({},),
    ("POST", "/api/v1/approvals/{ref}/yes"): ({},),
    ("POST", "/api/v1/approvals/{ref}/no"): ({},),
    ("POST", "/api/v1/approvals/{ref}/withdraw"): ({},),
    ("PATCH", "/api/v1/devices/{ref}"): ({"port": 1}, {"collector": "{source.public_id}"}),
    ("POST", "/api/v1/devices/{ref}/acts"): (
        {"act": "change", "name": "Q"},
        {"act": "change", "unit": "{unit_version.code}"},
        {"act": "change", "asset": "{asset.code}"},
        {"act": "retire"},
    ),
    ("POST", "/api/v1/devices/{ref}/host-key"): ({}, {"host_key": "SHA256:x"}),
    ("POST", "/api/v1/enrolment-tokens"): ({"unit": "{unit_version.code}"},),
    ("DELETE", "/api/v1/enrolment-tokens/{ref}"): (None,),
    ("POST", "/api/v1/grants"): (
        {"user": "{app_user.name}", "role": "viewer", "unit": "U2", "instrument": "1/QĐ"},
        {"user": "beside", "role": "viewer", "unit": "{unit_version.code}", "instrument": "1/QĐ"},
    ),
    ("POST", "/api/v1/grants/{ref}/end"): ({"instrument": "1/QĐ"},),
    ("POST", "/api/v1/handovers"): (
        {"giver": {"official": "{official.code}"}, "receiver": {"unit": "U2"}, **_PAPER},
        {"giver": {"official": "P1"}, "receiver": {"unit": "{unit_version.code}"}, **_PAPER},
        {"giver": {"official": "P1"}, "receiver": {"official": "{official.code}"}, **_PAPER},
        {"giver": {"unit": "U2"}, "receiver": {"unit": "U2"}, "assets": ["{asset.code}"], **_PAPER},
    ),
    ("POST", "/api/v1/handovers/{ref}/signed"): ({"day": DAY.isoformat()},),
    ("POST", "/api/v1/imports"): ({},),
    ("POST", "/api/v1/officials/{ref}/erase"): ({"instrument": "1/QĐ"},),
    ("POST", "/api/v1/reorganisations"): ({**_PAPER, "changes": []},),
    ("POST", "/api/v1/reorganisations/{ref}/undo"): ({"reason": "x"},),
    ("POST", "/api/v1/sources/{ref}/approve"): (None,),
    ("POST", "/api/v1/sources/{ref}/revoke"): (None,),
    ("POST", "/api/v1/sources/{ref}/probe"): ({"on": True}, {"on": False}),
    ("POST", "/api/v1/tokens"): (
        {"kind": "api", "user": "{app_user.name}"},
        {"kind": "api", "unit": "{unit_version.code}"},
    ),
    ("DELETE", "/api/v1/tokens/{ref}"): (None,),
    ("DELETE", "/api/v1/users/{name}/totp"): (None,),
    ("POST", "/api/v1/users"): (
        {"name": "new", "password": "0123456789", "role": "it", "unit": "{unit_version.code}"},
    ),
    ("PATCH", "/api/v1/users/{name}"): ({"role": "viewer"},),
    ("POST", "/api/v1/places"): (
        {"code": "Q1", "name": "Q", "kind": "one_stop_desk", "unit": "{unit_version.code}", **_PAPER},
    ),
    ("PATCH", "/api/v1/places/{ref}"): ({**_PAPER, "name": "Q"}, {**_PAPER, "end": True}),
    ("POST", "/api/v1/assets"): ({"machine": "1000"}, {"machine": "{source.hostname}"}),
    ("POST", "/api/v1/assets/{ref}/status"): ({"status": "broken", **_PAPER},),
    ("POST", "/api/v1/assets/{ref}/facts"): ({"price_dong": 5, **_PAPER},),
    ("POST", "/api/v1/matches"): (
        {"machine": "{source.hostname}", "asset": "A1"},
        {"machine": "pc-1", "asset": "{asset.code}"},
    ),
    ("DELETE", "/api/v1/matches/{ref}"): (None,),
    ("DELETE", "/api/v1/import-maps/{ref}"): (None,),
    ("POST", "/api/v1/rules"): ({"name": "fleet_series_max", "value": 1, **_PAPER},),
    ("POST", "/api/v1/officials"): (
        {"code": "Q1", "name": "Q", "unit": "{unit_version.code}", "kind": "cong_chuc", **_PAPER},
    ),
    ("POST", "/api/v1/officials/{ref}/acts"): (
        {"act": "post", "post": "Q", **_PAPER},
        {"act": "move", "unit": "{unit_version.code}", **_PAPER},
    ),
    ("POST", "/api/v1/devices/{ref}/match"): ({"asset": "A1"}, {"asset": "{asset.code}"}),
    ("DELETE", "/api/v1/devices/{ref}/match"): (None,),
    ("POST", "/api/v1/devices/{ref}/identity"): ({"said": "same"}, {"said": "other"}),
    ("POST", "/api/v1/audit/verify"): ({"anchors": []},),
    ("POST", "/api/v1/machines/surveys"): ({"unit": "{unit_version.code}", "files": []},),
    ("POST", "/api/v1/machines/{ref}/merge"): ({"other": "1"}, {"other": "1000"}),
    ("POST", "/api/v1/machines/{ref}/unmerge"): ({"other": "1"},),
    ("POST", "/api/v1/machines/{ref}/apart"): ({"other": "1"},),
    ("POST", "/api/v1/reconcile/hardware/{ref}/settle"): ({"instrument": "1/QĐ"},),
    ("POST", "/api/v1/secrets"): (
        {"name": "q", "unit": "{unit_version.code}", "kind": "snmp", "values": {"community": "q9"}},
    ),
    ("POST", "/api/v1/secrets/{ref}/rotate"): ({"values": {"community": "q9"}},),
    ("DELETE", "/api/v1/secrets/{ref}"): (None,),
    ("POST", "/api/v1/site-subnets"): ({"subnet": "10.9.0.0/24", "unit": "{unit_version.code}"},),
    ("POST", "/api/v1/site-subnets/{ref}/end"): ({},),
    ("POST", "/api/v1/counts"): (
        {"asset": "{asset.code}", "result": "seen", **_PAPER},
    ),
    ("POST", "/api/v1/stock-takes"): (
        {"unit": "{unit_version.code}", **_PAPER},
    ),
    ("POST", "/api/v1/stock-takes/{ref}/found"): (
        {"items": [{"number": "{asset.code}", "result": "found"}], "counted_by": "Q"},
    ),
    ("POST", "/api/v1/stock-takes/{ref}/files"): ({},),
    ("POST", "/api/v1/stock-takes/{ref}/correct"): ({"instrument": "1/QĐ", "day": "2026-02-01"},),
    ("POST", "/api/v1/stock-takes/{ref}/close"): ({"instrument": "1/QĐ"},),
    ("POST", "/api/v1/stock-takes/{ref}/withdraw"): ({"instrument": "1/QĐ"},),
    ("POST", "/api/v1/indicators"): (
        {"unit": "{unit_version.code}", "indicator": "{indicator.code}", "role": "value",
         "value": 1, "source": "x", **_PAPER},
    ),
}  # fmt: skip


def tables() -> dict[str, type[Model]]:
    """Return every table's model by the table's name."""
    models = Tortoise.apps["kiemke"].values()
    return {model._meta.db_table: model for model in models}


async def plant(session: Session) -> dict[str, Row]:
    """Write a row into every table, outside; return them by table."""
    planted: dict[str, Row] = {}
    known = tables()
    by_model = {f"kiemke.{model.__name__}": name for name, model in known.items()}

    async def put(table: str) -> None:
        if table in planted or table in SHARED_TABLES:
            return
        planted[table] = {}  # a table may name itself
        model = known[table]
        for field in model._meta.fk_fields:
            target = getattr(model._meta.fields_map[field], "model_name", None)
            await put(by_model[str(target)])
        row = _row(table, model)
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        await session.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", **row)  # noqa: S608
        planted[table] = row

    for table in known:
        await put(table)
    return planted


def _row(table: str, model: type[Model]) -> Row:
    row: Row = {}
    for name, column in model._meta.fields_db_projection.items():
        field = model._meta.fields_map[name]
        key = f"{table}.{column}"
        if key in VALUES or f"*.{column}" in VALUES:
            row[column] = VALUES.get(key, VALUES.get(f"*.{column}"))
        elif field.null and _OVER.match(column):
            row[column] = None
        else:
            row[column] = _value(table, column, field)
    return row


def _value(table: str, column: str, field: fields.Field[Any]) -> Any:
    if (
        field.pk
        or column.endswith("_id")
        and isinstance(field, fields.BigIntField | fields.IntField)
    ):
        return OUTSIDE_ID
    if isinstance(field, fields.BooleanField):
        return False
    if isinstance(field, fields.BigIntField | fields.IntField | fields.SmallIntField):
        return MOMENT_MS if column.endswith("_ms") else 1
    if isinstance(field, fields.DateField):
        return DAY
    if isinstance(field, fields.DecimalField | fields.FloatField):
        return 1
    if isinstance(field, fields.BinaryField):
        return b""
    if column.endswith("_json"):
        return "{}"
    word = f"canary {table}" if column.endswith("_key") else f"CANARY-{table}-{column}"
    return word[: getattr(field, "max_length", None) or 200]


async def snapshot(session: Session, planted: dict[str, Row]) -> dict[str, list[Row]]:
    """Return the planted rows as they are now."""
    found = {}
    for table, row in planted.items():
        key = next(iter(tables()[table]._meta.fields_db_projection.values()))
        pk = tables()[table]._meta.db_pk_column or key
        found[table] = await session.fetch(
            f"SELECT * FROM {table} WHERE {pk} = :pk",  # noqa: S608
            pk=row[pk],
        )
    return found


def names_of(planted: dict[str, Row]) -> list[str]:
    """Return what things outside are called by: an id and every code, number and name."""
    found = [str(OUTSIDE_ID), str(planted["app_user"]["name"])]
    for row in planted.values():
        found += [str(row[name]) for name in _NAMES if isinstance(row.get(name), str)]
    return list(dict.fromkeys(found))


def fill(body: Any, planted: dict[str, Row]) -> Any:
    """Return a body with each ``{table.column}`` made the planted value."""
    if isinstance(body, dict):
        return {key: fill(value, planted) for key, value in body.items()}
    if isinstance(body, list):
        return [fill(value, planted) for value in body]
    match = re.fullmatch(r"\{(\w+)\.(\w+)\}", body) if isinstance(body, str) else None
    return planted[match[1]][match[2]] if match else body


def readable(content: bytes, media_type: str) -> str:
    """Return an answer as text; of a workbook its cells, since the file names the moment it was made."""
    if "spreadsheetml" not in media_type:
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(n).decode() for n in book.namelist() if n.startswith("xl/"))
