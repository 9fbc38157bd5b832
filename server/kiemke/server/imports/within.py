"""What a file may touch when its user may see some units only: rows of them, things and people of them.

Asked before rows are compared, so that no difference, no sticker's owner and no name of what lies
outside is ever told: what is out of sight is answered like what does not exist.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kiemke.server.db import Session
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import ASSET, OFFICIAL, UNIT, Context, unknown
from kiemke.server.imports.statement import starts
from kiemke.server.imports.table import RowError, TableRow

# Templates whose every row belongs to one unit; the others speak of units themselves or of everybody.
SCOPED = ("assets", "officials", "absences", "devices")

_UNITS = """
SELECT code AS ref, unit_id FROM unit_version WHERE voided_at_ms IS NULL AND code IN :[refs.text]
  AND (valid_to IS NULL OR valid_to > :since)
"""
_ASSETS = """
SELECT a.{column} AS ref, c.unit_id FROM asset a
LEFT JOIN custody c ON c.asset_id = a.id AND c.voided_at_ms IS NULL
  AND (c.valid_to IS NULL OR c.valid_to > :since)
WHERE a.{column} IN :[refs.text]
"""
_PEOPLE = """
SELECT o.code AS ref, m.unit_id FROM official o
LEFT JOIN membership m ON m.official_id = o.id AND m.voided_at_ms IS NULL
  AND (m.valid_to IS NULL OR m.valid_to > :since)
WHERE o.code IN :[refs.text]
"""
_DEVICES = """
SELECT d.code AS ref, w.unit_id FROM device d
LEFT JOIN device_version w ON w.device_id = d.id AND w.voided_at_ms IS NULL
  AND (w.valid_to IS NULL OR w.valid_to > :since)
WHERE d.code IN :[refs.text]
"""

_TAKEN = Words("đã có nơi khác dùng", "another office uses it")
_OTHER = Words("ghi mã khác", "write another one")


@dataclass(frozen=True, slots=True)
class _Look:
    """A column, how its values are looked up, and whether a value that is not there yet is fine."""

    column: str
    sql: str
    may_be_new: bool
    noun: Words | None = None
    table: str = ""


_LOOKS: dict[str, tuple[_Look, ...]] = {
    "assets": (
        _Look("unit", _UNITS, False, UNIT, "units"),
        _Look("official", _PEOPLE, False, OFFICIAL, "officials"),
        _Look("code", _ASSETS.replace("{column}", "code"), True),
        _Look("tag", _ASSETS.replace("{column}", "tag"), True),
    ),
    "officials": (
        _Look("unit", _UNITS, False, UNIT, "units"),
        _Look("code", _PEOPLE, True),
    ),
    "absences": (_Look("official", _PEOPLE, False, OFFICIAL, "officials"),),
    "devices": (
        _Look("unit", _UNITS, False, UNIT, "units"),
        _Look("code", _DEVICES, True),
        _Look("asset", _ASSETS.replace("{column}", "code"), False, ASSET, "assets"),
    ),
}


async def outside(
    session: Session,
    asked: list[TableRow],
    resolved: list[TableRow],
    context: Context,
) -> list[RowError]:
    """Return an error for each cell that names what is out of sight; none: the file may be compared.

    ``asked`` are the rows as the file has them: what a name was resolved to is not told.
    """
    within, template = context.within, context.template
    if within is None:
        return []
    # A row that begins in the past changes what was so then: whose the thing was then counts too.
    since = min((starts(row, context) for row in resolved), default=context.today)
    errors = []
    for look in _LOOKS[template.name]:
        refs = {ref for row in resolved for ref in _values(row, look.column)}
        seen = _seen(await session.fetch(look.sql, refs=sorted(refs), since=since), within)
        for written, row in zip(asked, resolved, strict=True):
            for ref in _values(row, look.column):
                if seen.get(ref, look.may_be_new):
                    continue
                said = next(iter(_values(written, look.column)), None)
                message, remedy = (
                    (_TAKEN, _OTHER)
                    if look.noun is None
                    else unknown(look.noun, look.table, said or "")
                )
                heading = template.column(look.column).heading
                errors.append(RowError(row.number, heading, said, message, remedy, row.sheet))
    return errors


def _values(row: TableRow, column: str) -> tuple[str, ...]:
    value = row.values.get(column)
    if value is None or value == "":
        return ()
    return tuple(str(each) for each in value) if isinstance(value, tuple | list) else (str(value),)


def _seen(rows: Iterable[Mapping[str, object]], within: frozenset[int]) -> dict[str, bool]:
    """Return of each thing that is there whether every unit of it is within."""
    found: dict[str, bool] = {}
    for row in rows:
        ref = str(row["ref"])
        found[ref] = found.get(ref, True) and row["unit_id"] in within
    return found
