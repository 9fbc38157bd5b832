"""The lines day by day: octets beside what they rest on, a sum of PCs in rows of its own."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from kiemke.server.db import Database, as_date
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.links_now import UPNP
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
from kiemke.server.domain.text_labels import Words

DAYS = 31

# A day's basis is judged by the line's contract of that day. One line's days of one basis have one row for
# each who counted them: two observers of a line are never summed.
_ROWS = dated("""
SELECT x.link_id, l.code, v.name, u.code AS unit_code, u.name AS unit_name, x.day, x.part, x.seen,
  x.basis, x.received, x.sent, x.gap_in, x.gap_out, x.seconds, x.pcs, x.pcs_expected
FROM (
  SELECT y.link_id, y.day, 0 AS part, y.source_id AS seen,
    CASE WHEN y.receive_octets IS NULL AND y.receive_gap_octets IS NULL THEN 'probes_only'
      WHEN d.credential = :upnp THEN 'igd' ELSE 'counters' END AS basis,
    y.receive_octets AS received, y.transmit_octets AS sent, y.receive_gap_octets AS gap_in,
    y.transmit_gap_octets AS gap_out, y.known_seconds AS seconds,
    CAST(NULL AS INTEGER) AS pcs, CAST(NULL AS INTEGER) AS pcs_expected
  FROM link_day y
  LEFT JOIN link_version c ON c.link_id = y.link_id AND c.valid_from <= y.day
    AND (c.valid_to IS NULL OR c.valid_to > y.day) AND c.voided_at_ms IS NULL
  LEFT JOIN device d ON d.id = c.device_id
  WHERE y.day > :first AND y.day <= :day
  UNION ALL
  SELECT z.link_id, z.day, 1, 0, 'pcs_lower_bound', z.receive_octets, z.transmit_octets,
    z.receive_gap_octets, z.transmit_gap_octets, z.counted_seconds, z.pcs, z.pcs_expected
  FROM link_pcs_day z WHERE z.day > :first AND z.day <= :day
) x
JOIN link l ON l.id = x.link_id
JOIN link_version v ON v.link_id = l.id AND {active v}
JOIN unit_version u ON u.unit_id = v.unit_id AND {active u}
WHERE (CAST(:all_units AS INTEGER) = 1 OR u.unit_id IN :[units] OR EXISTS (
    SELECT 1 FROM link_share s WHERE s.link_id = l.id AND s.unit_id IN :[units] AND {active s}))
  AND (l.code, l.id, x.day, x.part, x.seen) > (CAST(:after_code AS VARCHAR),
    CAST(:after_id AS BIGINT), :after_day, CAST(:after_part AS INTEGER),
    CAST(:after_seen AS BIGINT))
ORDER BY l.code, l.id, x.day, x.part, x.seen
LIMIT CAST(:page AS BIGINT)
""")

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column("code", Words("Mã", "Code"), "code", 12),
    Column("name", Words("Tên đường truyền", "Name"), "text", 28),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 28),
    Column("day", Words("Ngày", "Day"), "date", 12),
    Column("basis", Words("Số liệu dựa trên", "Rests on"), "choice", 30, choices=labels.LINK_BASES),
    Column("received", Words("Byte tải xuống", "Bytes down"), "integer", 18),
    Column("sent", Words("Byte tải lên", "Bytes up"), "integer", 18),
    Column("gap_in", Words("Byte xuống không rõ giờ", "Bytes down, hour unknown"), "integer", 18),
    Column("gap_out", Words("Byte lên không rõ giờ", "Bytes up, hour unknown"), "integer", 18),
    Column("seconds", Words("Số giây đo được", "Seconds known"), "integer", 12),
    Column("pcs", Words("Số máy có số liệu", "PCs that told"), "integer", 12),
    Column("pcs_expected", Words("Tổng số máy", "PCs in all"), "integer", 12),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the last 31 days of the subtree's lines up to the day asked of, by line and day.

    Octets that are not known are empty. Sources: link_day, link_pcs_day.
    """
    fixed = params(question, await subtree(db, question))
    first = question.day - timedelta(days=DAYS)
    after: dict[str, Any] = {
        "after_code": "", "after_id": 0, "after_day": first, "after_part": 0, "after_seen": 0,
    }  # fmt: skip
    number = 0
    while rows := await db.read(_ROWS, page=PAGE_ROWS, first=first, upnp=UPNP, **fixed, **after):
        yield [_row(place, row) for place, row in enumerate(rows, number + 1)]
        number += len(rows)
        last = rows[-1]
        after = {
            "after_code": last["code"],
            "after_id": last["link_id"],
            "after_day": last["day"],
            "after_part": last["part"],
            "after_seen": last["seen"],
        }


def _row(number: int, row: dict[str, Any]) -> Row:
    octets = [
        None if row[name] is None else int(row[name])
        for name in ("received", "sent", "gap_in", "gap_out")
    ]
    return (
        number, row["code"], row["name"], row["unit_code"], row["unit_name"], as_date(row["day"]),
        row["basis"], *octets, row["seconds"], row["pcs"], row["pcs_expected"],
    )  # fmt: skip


LINK_DAYS = Report(
    "link-days",
    Words("Lưu lượng đường truyền theo ngày", "Traffic of lines by day"),
    COLUMNS,
    read,
)
