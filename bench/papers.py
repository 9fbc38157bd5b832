"""The district's papers as offices keep them: one import file a template, CSV or XLSX, in Vietnamese."""

import csv
import io
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

from bench.district import District
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.templates import TEMPLATES

FOUNDED = date(2020, 1, 1)
APPOINTED = date(2022, 3, 1)
RULED = date(2022, 3, 25)
NFD_UNIT = "TG-X02"  # whoever wrote this commune's list typed on a Mac
# A name and what TCVN 5712:1993 makes of it when its bytes are read as Latin-1.
OLD_ROSTER_NAME = "Trần Văn Việt"
OLD_ROSTER_TEXT = "Tr\xc7n V\xa8n Vi\xd6t"
AS_XLSX = ("officials", "assets")

Cells = dict[str, Any]


def write_papers(district: District, folder: Path, only: Collection[str] = ()) -> dict[str, Path]:
    """Write the import files into ``folder``; return {template: file} in the order to import them.

    ``only`` names the templates to write, none means all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for template, rows_of in ROWS.items():
        if only and template not in only:
            continue
        rows = list(rows_of(district))
        as_xlsx = template in AS_XLSX
        path = folder / f"{template}.{'xlsx' if as_xlsx else 'csv'}"
        table = [_heading(template, rows[0]), *(_line(template, row) for row in rows)]
        path.write_bytes(_xlsx(table) if as_xlsx else _csv(table))
        written[template] = path
    return written


def write_old_roster(folder: Path) -> Path:
    """Write a roster as it comes out of a file in a .VnTime font, to be refused with a question."""
    names = [TEMPLATES["officials"].column(n).heading.vi for n in ("code", "name", "unit", "kind")]
    path = folder / "officials-tcvn3.csv"
    path.write_bytes(_csv([names, ["CB8001", OLD_ROSTER_TEXT, "TG-VP", "công chức"]]))
    return path


def _units(district: District) -> Iterable[Cells]:
    for unit in district.units:
        yield {
            "code": unit.code,
            "name": unit.name,
            "type": unit.type,
            "parent": unit.parent or "",
            "valid_from": FOUNDED,
            "instrument": "01/NQ-HĐND (mẫu)",
        }


def _officials(district: District) -> Iterable[Cells]:
    for person in district.people:
        form = "NFD" if person.unit == NFD_UNIT else "NFC"
        yield {
            "code": person.code,
            "name": unicodedata.normalize(form, person.name),  # type: ignore[arg-type]  # a Literal
            "unit": person.unit,
            "kind": person.kind,
            "post": person.post,
            "phone": person.phone,
            "mailbox": person.mailbox,
            "account": person.account,
            "valid_from": APPOINTED,
            "valid_to": person.left_on or "",
            "instrument": "25/QĐ-UBND (mẫu)",
        }


def _assets(district: District) -> Iterable[Cells]:
    for thing in district.things:
        yield {
            "code": thing.code,
            "tag": thing.tag,
            "kind": thing.kind,
            "name": thing.name,
            "manufacturer": thing.manufacturer,
            "model": thing.model,
            "serial": thing.serial or "",
            "price_dong": _price(thing.price_dong),
            "in_use_since": thing.in_use_since,
            "funding_source": "Ngân sách huyện",
            "ownership": thing.ownership,
            "status": "in_use",
            "unit": thing.unit,
            "official": thing.person or "",
            "place": thing.place or "",
            "valid_from": max(thing.in_use_since, APPOINTED),
            "instrument": "Biên bản bàn giao (mẫu)",
        }


def _devices(district: District) -> Iterable[Cells]:
    for gear in district.gear:
        yield {
            "code": gear.code,
            "name": gear.name,
            "kind": gear.kind,
            "unit": gear.unit,
            "address": gear.address,
            "port": str(gear.port),
            "credential": "default",
            "asset": gear.asset or "",
        }


def _links(district: District) -> Iterable[Cells]:
    for line in district.lines:
        yield {
            "code": line.code,
            "name": line.name,
            "unit": line.unit,
            "kind": line.kind,
            "provider": line.provider,
            "contract_number": line.contract,
            "price_dong": _price(line.price_dong),
            "payer": "Ngân sách huyện",
            "down_mbps": str(line.down_mbps or ""),
            "up_mbps": str(line.up_mbps or ""),
            "device": line.device,
            "interface_name": line.interface,
            "shared_by": "; ".join(line.shared_by),
            "probes": "; ".join(line.probes),
            "valid_from": RULED,
            "instrument": line.contract,
        }


def _targets(district: District) -> Iterable[Cells]:
    for target in district.targets:
        yield {
            "unit": target.unit,
            "measure": target.measure,
            "kinds": target.kinds,
            "target": f"{target.percent} %",
            "source": target.source,
            "valid_from": RULED,
            "instrument": "12/KH-UBND (mẫu)",
        }


ROWS: Mapping[str, Callable[[District], Iterable[Cells]]] = {
    "units": _units,
    "officials": _officials,
    "assets": _assets,
    "devices": _devices,
    "links": _links,
    "targets": _targets,
}


def _price(dong: int) -> str:
    """Return 15.000.000; below a million one point could also begin a fraction, so none is set."""
    if dong < 1_000_000:
        return str(dong or "")
    return f"{dong:,}".replace(",", ".")


def _heading(template: str, row: Cells) -> list[str]:
    return [TEMPLATES[template].column(name).heading.vi for name in row]


def _line(template: str, row: Cells) -> list[str]:
    """Write each cell as a clerk would: the words of a choice, 25/03/2022, text for the rest."""
    cells: list[str] = []
    for name, value in row.items():
        choices: dict[str, Words] | None = TEMPLATES[template].column(name).choices
        if value in ("", ()):
            cells.append("")
        elif choices is not None:
            several = value if isinstance(value, tuple) else (value,)
            cells.append("; ".join(choices[each].vi for each in several))
        elif isinstance(value, date):
            cells.append(f"{value:%d/%m/%Y}")
        else:
            cells.append(str(value))
    return cells


def _csv(table: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    return text.getvalue().encode("utf-8-sig")


def _xlsx(table: list[list[str]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Danh sách")
        for row, cells in enumerate(table):
            for column, cell in enumerate(cells):
                sheet.write_string(row, column, cell)
    return out.getvalue()
