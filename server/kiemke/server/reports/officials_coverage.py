"""The persons behind the coverage figures: state, PC, reason, and what to do next."""

from collections.abc import AsyncIterator

from kiemke.server.db import Database
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.coverage_who import WhoRow, coverage_who
from kiemke.server.domain.tables import PAGE_ROWS, Column, Question, Report, Row, dated
from kiemke.server.domain.text_labels import Words

_ROOTS = dated("""
SELECT v.unit_id FROM unit_version v
WHERE v.parent_id IS NULL AND {active v} ORDER BY v.sort_key, v.unit_id
""")
_STATES = {**labels.STATES, "excluded": Words("không tính", "not counted")}

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column("code", Words("Mã cán bộ", "Code"), "code", 12),
    Column("name", Words("Họ và tên", "Name"), "text", 26),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 28),
    Column("kind", Words("Đối tượng", "Kind"), "choice", 16, choices=labels.OFFICIAL_KINDS),
    Column("post", Words("Chức vụ", "Post"), "text", 20),
    Column("state", Words("Trạng thái", "State"), "choice", 14, choices=_STATES),
    Column("asset", Words("Mã tài sản", "Asset code"), "code", 14),
    Column("last_day", Words("Ngày có tín hiệu", "Last day seen"), "date", 14),
    Column("why", Words("Vì sao", "Why"), "text", 44),
    Column("next", Words("Làm gì tiếp", "Next"), "text", 40),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the persons of the subtree (or of every topmost unit), by unit and given name."""
    roots = [question.unit_id]
    if question.unit_id is None:
        rows = await db.read(_ROOTS, day=question.day, known=question.known_ms)
        roots = [row["unit_id"] for row in rows]
    number = 0
    for root in roots:
        async with db.reading() as session:
            persons = await coverage_who(
                session, int(root or 0), question.day, question.known_ms, seen=question.within
            )
        if question.within is not None:
            persons = [person for person in persons if person.unit_id in question.within]
        for start in range(0, len(persons), PAGE_ROWS):
            page = []
            for person in persons[start : start + PAGE_ROWS]:
                number += 1
                page.append(_row(number, person))
            yield page


def _row(number: int, person: WhoRow) -> Row:
    return (
        number,
        person.official_code,
        person.official_name,
        person.unit_code,
        person.unit_name,
        person.kind,
        person.post,
        person.state,
        person.asset_code,
        person.last_day,
        Words(person.why.vi, person.why.en),
        person.next_command,
    )


OFFICIALS_COVERAGE = Report(
    "officials_coverage",
    Words("Danh sách cán bộ và máy tính", "Officials and their PCs"),
    COLUMNS,
    read,
)
