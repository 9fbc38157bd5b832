"""A small district as import files, and the import itself as the server's users run it."""

import csv
import io
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from kiemke.server import audit
from kiemke.server.db import Database
from kiemke.server.imports import run
from kiemke.server.imports.dictionary import known_keys
from kiemke.server.imports.headings import find_heading
from kiemke.server.imports.options import Options
from kiemke.server.imports.parse import Line, Reading, Sheet, read_sheets
from kiemke.server.imports.result import ImportResult
from kiemke.server.imports.templates import Template

NOW_MS = 1_767_240_000_000  # 2026-01-01T04:00Z, so 01/01/2026 in Việt Nam
UNITS = [
    ["Mã", "Tên", "Loại", "Mã đơn vị cấp trên", "Từ ngày"],
    ["TG-NV", "Phòng Nội vụ", "phòng, ban", "TG", "01/01/2024"],
    ["TG", "Huyện Thanh Giang", "huyện", "", "01/01/2024"],
    ["TG-TP", "Phòng Tư pháp", "phòng", "TG", "01/01/2024"],
]
OFFICIALS = [
    ["code", "name", "unit", "kind", "post", "phone", "account", "valid_from"],
    ["001", "Nguyễn Văn An", "TG-NV", "công chức", "Chuyên viên", "0900000001", "nvan", "01/01/2024"],
    ["002", "Trần Thị Ánh", "TG-NV", "Viên chức", "", "0900000002", "", "01/01/2024"],
]  # fmt: skip
ASSETS = [
    ["Mã", "Số tem", "Loại", "Tên tài sản", "Số sê-ri", "Nguyên giá (đồng)", "Mã đơn vị",
     "Mã người sử dụng", "Nơi sử dụng", "Từ ngày"],
    ["TS1", "T1", "PC", "Máy Dell", "AB-12 c", "15.000.000", "TG-NV", "001", "P201", "01/01/2024"],
    ["TS2", "T2", "máy in", "Máy in", "", "9 triệu", "TG-NV", "001; 002", "P201", "01/01/2024"],
]  # fmt: skip


def as_csv(rows: list[list[Any]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return ("\ufeff" + out.getvalue()).encode()


async def load_district(database: Database) -> None:
    """Import units, officials and assets."""
    for template, rows in (("units", UNITS), ("officials", OFFICIALS), ("assets", ASSETS)):
        result = await load(database, template, rows)
        assert result.errors == () and result.applied


def told_sheet(lines: list[Line], template: Template, name: str = "") -> Sheet:
    """Return these lines as the reader would tell them of a sheet, its headings found."""
    last = max(line.number for line in lines)
    by_number = {line.number: line.cells for line in lines}
    found = find_heading([by_number.get(n, ()) for n in range(1, last + 1)], known_keys(template))
    if found is None:
        return Sheet(name, lines, None, (), ())
    return Sheet(name, lines, (found.first + 1, found.last + 1), found.labels, ())


async def load(
    database: Database, template: str, rows: list[list[Any]], *, apply: bool = True
) -> ImportResult:
    return await load_file(database, template, as_csv(rows), Options(), apply=apply)


# What the real child told of a file. Many tests begin by importing the very same papers.
_told: dict[tuple[bytes, str], list[Sheet]] = {}


async def _read_once(data: bytes, how: Reading) -> list[Sheet]:
    key = (data, how.as_json())
    if key not in _told:
        _told[key] = await read_sheets(data, how)
    return [replace(sheet, lines=list(sheet.lines)) for sheet in _told[key]]


async def load_file(
    database: Database,
    template: str,
    data: bytes,
    options: Options,
    *,
    apply: bool = True,
    within: frozenset[int] | None = None,
) -> ImportResult:
    # Where several are loaded at once the first one sets it and takes it away; the rest ask the child.
    ours = patch.object(run, "read_sheets", _read_once)
    with nullcontext() if run.__dict__["read_sheets"] is _read_once else ours:
        return await run.run_import(
            database, template, data, "f.csv",
            apply=apply, who="tester", now_ms=NOW_MS, audit=audit.record, options=options,
            within=within,
        )  # fmt: skip
