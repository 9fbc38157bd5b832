"""A small district as import files, and the import itself as the server's users run it."""

import csv
import io
from typing import Any

from kiemke.server import audit
from kiemke.server.db import Database
from kiemke.server.imports.run import ImportResult, run_import

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


async def load(
    database: Database, template: str, rows: list[list[Any]], *, apply: bool = True
) -> ImportResult:
    return await run_import(
        database, template, as_csv(rows), "f.csv",
        apply=apply, who="tester", now_ms=NOW_MS, audit=audit.record,
    )  # fmt: skip
