"""Nobody and nothing is left without an end in a unit that ended: it would stand in no count."""

from collections.abc import Iterable, Mapping
from datetime import date

from kiemke.server.db import Session, as_date
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import Context, Plan, Rows
from kiemke.server.imports.table import TableRow

_ENDED = """
SELECT unit_id, MAX(valid_to) AS ended FROM unit_version
WHERE unit_id IN :[units] AND voided_at_ms IS NULL
GROUP BY unit_id HAVING COUNT(*) = COUNT(valid_to)
"""


async def refuse_ended(
    session: Session,
    rows: Iterable[TableRow],
    units: Mapping[str, int],
    timelines: Mapping[str, Rows],
    context: Context,
    plan: Plan,
) -> None:
    """Refuse what this file leaves for good in an ended unit; ``timelines`` by code, all rows put.

    Each value of a timeline begins with its unit. Who is there since before is not this file's fault.
    """
    found = await session.fetch(_ENDED, units=sorted(set(units.values())))
    ended = {row["unit_id"]: as_date(row["ended"]) for row in found}
    has_until = any(column.name == "valid_to" for column in context.template.columns)
    for row in rows:
        unit_id, timeline = units.get(row.values["unit"]), timelines.get(row.values["code"])
        if unit_id not in ended or timeline is None or not timeline.changes()[1]:
            continue
        last = timeline.last()
        if last is None or not any(value[0] == unit_id for value in last.value):
            continue
        if last.valid_to is None or last.valid_to > ended[unit_id]:
            plan.refuse(context, row, "unit", *_say(row.values["unit"], ended[unit_id], has_until))


def _say(code: str, ended: date, has_until: bool) -> tuple[Words, Words]:
    until_vi = f", hoặc “Đến trước ngày” muộn nhất {ended:%d/%m/%Y}" if has_until else ""
    until_en = f", or “Valid until before” {ended} at the latest" if has_until else ""
    return (
        Words(f"{code} kết thúc ngày {ended:%d/%m/%Y}", f"{code} ended on {ended}"),
        Words(
            f"ghi đơn vị tiếp nhận: kiemke don-vi lich-su {code}{until_vi}",
            f"give the unit that received it: kiemke unit history {code}{until_en}",
        ),
    )
