"""Names turned into codes: a unit by its name or the section it stands in, a person by his name.

Registers and rosters of offices rarely carry codes. What is found is told; what fits twice is an error.
"""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.text import search_key, serial_key
from kiemke.server.domain.text_labels import ASSET_KINDS, SYNONYMS, Words
from kiemke.server.imports.ledger import ids_by_code, units_by_code, wanted
from kiemke.server.imports.table import RowError, Table, TableRow
from kiemke.server.imports.templates import Template
from kiemke.server.imports.unit_names import UnitNames

_UNIT_COLUMNS = ("unit", "parent")
_LONGEST_CODE = 40

_NAME_IT = Words("thêm --set unit=MÃ ĐƠN VỊ", "add --set unit=UNIT CODE")
_NAME_SECTION = Words(
    "ghi mã đơn vị vào dòng nhóm bên trên, hoặc thêm --set unit=MÃ ĐƠN VỊ cho mọi dòng",
    "write the code into the section row above, or add --set unit=UNIT CODE for all rows",
)


@dataclass(slots=True)
class Resolved:
    """Rows with codes, what could not be found, and what a person should be told of."""

    rows: list[TableRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notices: list[Words] = field(default_factory=list)


def _kind_words() -> dict[str, str]:
    words = {search_key(words.vi): kind for kind, words in ASSET_KINDS.items() if kind != "other"}
    words |= {word: kind for word, kind in SYNONYMS.items() if kind in ASSET_KINDS}
    words |= {
        "laptop": "laptop",
        "ups": "ups",
        "luu dien": "ups",
        "tivi": "other",
        "may fax": "other",
    }
    words |= {
        "may chieu": "other",
        "dieu hoa": "other",
        "ban lam viec": "other",
        "tu ho so": "other",
    }
    words.pop("khac", None)
    return dict(sorted(words.items(), key=lambda item: -len(item[0])))


_KINDS = _kind_words()


def kind_of(*texts: str | None) -> str | None:
    """Return the kind of thing that a name, or else its section, tells of; the longest word decides."""
    for text in texts:
        key = f" {search_key(text or '')} "
        for word, kind in _KINDS.items():
            if f" {word} " in key:
                return kind
    return None


async def resolve(
    session: Session, table: Table, template: Template, within: frozenset[int] | None
) -> Resolved:
    """Return the table's rows with every code filled in that can be; names of units ``within`` alone."""
    found = Resolved(rows=list(table.rows))
    if any(column.name in _UNIT_COLUMNS for column in template.columns):
        await _units(session, found, template, table, within)
    if template.name == "assets":
        await _custodians(session, found, template)
        _kinds(found, template)
        _asset_codes(found)
    if template.name == "officials":
        await _official_codes(session, found)
    return found


def _refuse(
    found: Resolved, row: TableRow, template: Template, name: str, value: str | None, message: Words,
    remedy: Words,
) -> None:  # fmt: skip
    heading = template.column(name).heading
    found.errors.append(RowError(row.number, heading, value, message, remedy, row.sheet))


async def _units(
    session: Session,
    found: Resolved,
    template: Template,
    table: Table,
    within: frozenset[int] | None,
) -> None:
    """A unit's name, or the section or sheet a row stands in, does as well as its code."""
    named = wanted(found.rows, *_UNIT_COLUMNS, "shared_by")
    sections = {row.section for row in found.rows if row.section}
    brings_units = template.name == "units"
    own = {r.values["code"]: r.values["name"] or "" for r in found.rows} if brings_units else {}
    units = await UnitNames.load(session, named | sections, own, within)
    for position, row in enumerate(found.rows):
        values = dict(row.values)
        for name in _UNIT_COLUMNS:
            if values.get(name) is not None:
                values[name] = units.code_of(values[name])
        if values.get("shared_by"):
            values["shared_by"] = tuple(units.code_of(text) for text in values["shared_by"])
        if "unit" not in values and table.foreign and "unit" in {c.name for c in template.columns}:
            section = row.section
            code = units.code_of(section) if section else None
            if section is not None and code is not None and units.is_unit(section, code):
                values["unit"] = code
            else:
                _refuse(
                    found, row, template, "unit", section,
                    Words("không biết dòng này thuộc đơn vị nào", "no telling whose this row is"),
                    _NAME_IT if section is None else _NAME_SECTION,
                )  # fmt: skip
        found.rows[position] = replace(row, values=values)
    # Beside the requests: what comes near is looked for among all units' names.
    found.notices.extend(await asyncio.to_thread(units.notices))


async def _people(session: Session, units: set[str]) -> dict[tuple[str, str], list[str]]:
    """Return official codes by (unit code, name key) of those who are in these units now."""
    ids = await units_by_code(session, units)
    codes = {id_: code for code, id_ in ids.items()}
    rows = await session.fetch(
        "SELECT DISTINCT o.code, o.search_key, m.unit_id FROM official o"
        " JOIN membership m ON m.official_id = o.id AND m.voided_at_ms IS NULL"
        " AND m.valid_to IS NULL WHERE m.unit_id IN :[units] ORDER BY o.code",
        units=sorted(codes),
    )
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        found[codes[row["unit_id"]], row["search_key"]].append(row["code"])
    return found


async def _custodians(session: Session, found: Resolved, template: Template) -> None:
    """A person may be named; the name must fit one person of the row's unit."""
    known = await ids_by_code(session, "official", wanted(found.rows, "official"))
    named = [row for row in found.rows if set(row.values.get("official") or ()) - set(known)]
    if not named:
        return
    people = await _people(session, {row.values["unit"] for row in named if "unit" in row.values})
    count = 0
    for position, row in enumerate(found.rows):
        codes: list[str] = []
        for text in row.values.get("official") or ():
            fits = people.get((row.values.get("unit", ""), search_key(text)), [])
            if text in known or not fits:
                codes.append(text)
            elif len(fits) == 1:
                codes.append(fits[0])
                count += 1
            else:
                _refuse(
                    found, row, template, "official", text,
                    Words(f"{len(fits)} người trong đơn vị có tên này: {', '.join(fits[:5])}",
                          f"{len(fits)} people of the unit have this name: {', '.join(fits[:5])}"),
                    Words("ghi mã cán bộ", "write the official's code"),
                )  # fmt: skip
        if "official" in row.values:
            values = {**row.values, "official": tuple(codes)}
            found.rows[position] = replace(row, values=values)
    if count:
        found.notices.append(Words(
            f"{count} ô ghi tên người sử dụng, đã đổi ra mã",
            f"{count} cells name a person, taken as the code",
        ))  # fmt: skip


def _kinds(found: Resolved, template: Template) -> None:
    for position, row in enumerate(found.rows):
        if row.values.get("kind") is not None:
            continue
        kind = kind_of(row.values.get("name"), row.section)
        if kind is None:
            _refuse(
                found, row, template, "kind", row.values.get("name"),
                Words("không rõ đây là loại gì", "no telling what kind of thing this is"),
                Words("thêm cột “Loại”, hoặc --set kind=other", "add “Kind”, or --set kind=other"),
            )  # fmt: skip
        found.rows[position] = replace(row, values={**row.values, "kind": kind or "other"})


def _digest(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:8].upper()


def _asset_codes(found: Resolved) -> None:
    """Derive codes that the same register gives again: by serial, else by unit, name, price, year."""
    seen = Counter[str]()
    for position, row in enumerate(found.rows):
        values = row.values
        if values.get("code") is not None:
            continue
        serial = serial_key(values["serial"]) if values.get("serial") else None
        if serial is not None:
            base = f"SN-{serial}"[:_LONGEST_CODE]
        else:
            facts = (values.get(name) for name in ("kind", "price_dong", "in_use_since", "place"))
            told = _digest(search_key(values.get("name") or ""), *facts)
            base = f"{values.get('unit', 'X')}-{told}"
        seen[base] += 1
        code = base if seen[base] == 1 else f"{base}-{seen[base]}"
        found.rows[position] = replace(row, values={**values, "code": code})


async def _official_codes(session: Session, found: Resolved) -> None:
    """A roster without codes: those known by name in their unit keep theirs, the others get one."""
    if all(row.values.get("code") is not None for row in found.rows):
        return
    people = await _people(
        session, {row.values["unit"] for row in found.rows if "unit" in row.values}
    )
    seen = Counter[tuple[str, str]]()
    kept = 0
    for position, row in enumerate(found.rows):
        if row.values.get("code") is not None:
            continue
        unit, name = row.values.get("unit", ""), search_key(row.values.get("name") or "")
        fits = people.get((unit, name), [])
        nth = seen[unit, name]
        seen[unit, name] += 1
        if nth < len(fits):
            code = fits[nth]
            kept += 1
        else:
            suffix = "" if nth == 0 else f"-{nth + 1}"
            code = f"{unit}-{name.replace(' ', '')}"[: _LONGEST_CODE - len(suffix)] + suffix
        found.rows[position] = replace(row, values={**row.values, "code": code})
    if kept:
        found.notices.append(Words(
            f"{kept} người được nhận ra theo họ tên trong đơn vị",
            f"{kept} people were recognised by their name in the unit",
        ))  # fmt: skip


def since_today(rows: Sequence[TableRow], template: Template, today: date) -> list[Words]:
    """Return a notice of rows that say no first day: they hold from today on."""
    if not any(column.name == "valid_from" for column in template.columns):
        return []
    count = sum(row.values.get("valid_from") is None for row in rows)
    if not count:
        return []
    return [Words(
        f"{count} dòng không ghi từ ngày nào: có hiệu lực từ hôm nay {today:%d/%m/%Y};"
        f" từ ngày khác thì thêm --set valid_from=NGÀY",
        f"{count} rows do not say since when: they hold from today, {today:%d/%m/%Y}, on;"
        f" for another day add --set valid_from=DAY",
    )]  # fmt: skip


def same_names(rows: Sequence[TableRow]) -> list[Words]:
    """Return a notice for each full name that stands twice in one unit of the file."""
    found: dict[tuple[str, str], list[TableRow]] = defaultdict(list)
    for row in rows:
        key = row.values.get("unit", ""), search_key(row.values.get("name") or "")
        found[key].append(row)
    told = []
    for (unit, _), twins in found.items():
        codes = sorted({row.values.get("code", "") for row in twins})
        if len(codes) > 1:
            name, both = twins[0].values["name"], ", ".join(codes[:5])
            told.append(Words(
                f"{len(codes)} người tên {name} trong {unit}: {both}",
                f"{len(codes)} people named {name} in {unit}: {both}",
            ))  # fmt: skip
    return told
