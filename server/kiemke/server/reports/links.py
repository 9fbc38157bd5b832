"""The lines: contract, what carries them, and their health as last computed."""

import json
from collections.abc import AsyncIterator
from typing import Any

from kiemke.server.db import Database
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.tables import (
    PAGE_ROWS,
    Column,
    Question,
    Report,
    Row,
    dated,
    params,
    subtree,
)
from kiemke.server.domain.text_labels import LINK_REASONS, Words

_LINKS = dated("""
SELECT l.id, l.code, v.name, v.kind, v.provider, v.contract_number, v.price_dong, v.payer,
  v.down_bits_per_second, v.up_bits_per_second, v.interface_name, w.code AS device_code,
  u.code AS unit_code, u.name AS unit_name, u.sort_key, n.verdict, n.reasons_json,
  n.availability_ppm, n.p95_receive_ppm, n.p95_transmit_ppm, n.sample_coverage_ppm, n.basis,
  (SELECT COUNT(*) FROM link_share h WHERE h.link_id = l.id AND {active h}) AS sharers
FROM link l
JOIN link_version v ON v.link_id = l.id AND {active v}
JOIN unit_version u ON u.unit_id = v.unit_id AND {active u}
LEFT JOIN device_version w ON w.device_id = v.device_id AND {active w}
LEFT JOIN link_now n ON n.link_id = l.id
WHERE (CAST(:all_units AS INTEGER) = 1 OR u.unit_id IN :[units] OR EXISTS (
    SELECT 1 FROM link_share s WHERE s.link_id = l.id AND s.unit_id IN :[units] AND {active s}))
  AND (u.sort_key, l.code, l.id)
    > (CAST(:after_unit AS VARCHAR), CAST(:after_code AS VARCHAR), CAST(:after_id AS BIGINT))
ORDER BY u.sort_key, l.code, l.id
LIMIT CAST(:page AS BIGINT)
""")

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column("code", Words("Mã", "Code"), "code", 12),
    Column("name", Words("Tên đường truyền", "Name"), "text", 28),
    Column("kind", Words("Loại", "Kind"), "choice", 16, choices=labels.LINK_KINDS),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 28),
    Column("sharers", Words("Số đơn vị dùng chung", "Units sharing"), "integer", 10),
    Column("provider", Words("Nhà cung cấp", "Provider"), "text", 16),
    Column("contract_number", Words("Số hợp đồng", "Contract"), "code", 16),
    Column("price_dong", Words("Giá tháng (đồng)", "Price a month"), "money", 16, total=True),
    Column("payer", Words("Đơn vị trả tiền", "Payer"), "text", 18),
    Column("down", Words("Tải xuống (Mbps)", "Down (Mbps)"), "mbps", 12),
    Column("up", Words("Tải lên (Mbps)", "Up (Mbps)"), "mbps", 12),
    Column("device", Words("Thiết bị", "Device"), "code", 12),
    Column("interface", Words("Cổng", "Interface"), "text", 12),
    Column("verdict", Words("Đánh giá", "Verdict"), "choice", 12, choices=labels.VERDICTS),
    Column("reasons", Words("Lý do", "Reasons"), "text", 28),
    Column("availability", Words("Khả dụng 30 ngày", "Availability"), "per_million", 12),
    Column("p95_receive", Words("p95 tải xuống", "p95 down"), "per_million", 12),
    Column("p95_transmit", Words("p95 tải lên", "p95 up"), "per_million", 12),
    Column("sample_coverage", Words("Số liệu có được", "Samples"), "per_million", 12),
    Column("basis", Words("Số liệu dựa trên", "Rests on"), "choice", 24, choices=labels.LINK_BASES),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the lines of the subtree's units, those they share included, by unit and code.

    The contract is that of the day; health is the newest known. Sources: link_version, link_now.
    """
    fixed = params(question, await subtree(db, question))
    after: dict[str, Any] = {"after_unit": "", "after_code": "", "after_id": 0}
    number = 0
    while links := await db.read(_LINKS, page=PAGE_ROWS, **fixed, **after):
        page = []
        for link in links:
            number += 1
            page.append(_row(number, link))
        yield page
        after = {
            "after_unit": links[-1]["sort_key"],
            "after_code": links[-1]["code"],
            "after_id": links[-1]["id"],
        }


def _row(number: int, link: dict[str, Any]) -> Row:
    reasons = json.loads(link["reasons_json"]) if link["reasons_json"] else []
    said = [LINK_REASONS[reason["code"]] for reason in reasons if reason["code"] in LINK_REASONS]
    why = Words(*("; ".join(each.say(language) for each in said) for language in ("vi", "en")))
    return (
        number,
        link["code"],
        link["name"],
        link["kind"],
        link["unit_code"],
        link["unit_name"],
        link["sharers"],
        link["provider"],
        link["contract_number"],
        link["price_dong"],
        link["payer"],
        link["down_bits_per_second"],
        link["up_bits_per_second"],
        link["device_code"],
        link["interface_name"],
        link["verdict"] or "unknown",
        why if said else None,
        link["availability_ppm"],
        link["p95_receive_ppm"],
        link["p95_transmit_ppm"],
        link["sample_coverage_ppm"],
        link["basis"],
    )


LINKS = Report("links", Words("Danh mục đường truyền", "Links"), COLUMNS, read)
