"""The reconciliation: every difference between the book and what is seen, with the next command."""

from collections.abc import AsyncIterator

from kiemke.server.db import Database
from kiemke.server.domain import reconcile, text_labels
from kiemke.server.domain.findings_now import part_text
from kiemke.server.domain.reconcile import Difference
from kiemke.server.domain.tables import PAGE_ROWS, Column, Question, Report, Row, subtree
from kiemke.server.domain.text_labels import Words

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column(
        "kind", Words("Chênh lệch", "Difference"), "choice", 28, choices=text_labels.DIFFERENCES
    ),
    Column("asset_code", Words("Mã tài sản", "Asset code"), "code", 14),
    Column("asset", Words("Tên tài sản", "Asset"), "text", 32),
    Column("asset_kind", Words("Loại", "Kind"), "choice", 20, choices=text_labels.ASSET_KINDS),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 28),
    Column("official", Words("Người giữ theo sổ", "Held by"), "text", 26),
    Column("hostname", Words("Tên máy thấy được", "Host name seen"), "text", 20),
    Column("device", Words("Thiết bị mạng", "Network device"), "text", 20),
    Column("seen_unit", Words("Thấy ở đơn vị", "Seen in the unit"), "text", 28),
    Column("seen_official", Words("Thấy người dùng", "Seen with"), "text", 26),
    Column("days", Words("Số ngày", "Days"), "integer", 8),
    Column("gone", Words("Bộ phận mất đi", "Parts gone"), "text", 40),
    Column("come", Words("Bộ phận thêm vào", "Parts come"), "text", 40),
    Column("at", Words("Thấy lúc", "Seen at"), "moment", 18),
    Column("owner", Words("Bên cho mượn", "Lender"), "text", 24),
    Column("return_on", Words("Hạn trả", "Due back"), "date", 12),
    Column("next", Words("Lệnh tiếp theo", "Next command"), "text", 60),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the differences by kind. Sources: book, matches, sources, presence, hardware events."""
    asked = reconcile.Question(question.day, question.known_ms, await subtree(db, question))
    after, number = None, 0
    while True:
        async with db.reading() as session:
            page = await reconcile.read(session, asked, (), PAGE_ROWS, after)
        if not page:
            return
        yield [_row(number + place, found) for place, found in enumerate(page, 1)]
        number += len(page)
        after = (page[-1].question, page[-1].key)


def _row(number: int, found: Difference) -> Row:
    return (
        number,
        found.kind,
        found.asset.code if found.asset else None,
        found.asset.name if found.asset else None,
        found.asset_kind,
        found.unit.code if found.unit else None,
        found.unit.name if found.unit else None,
        found.person.name if found.person else None,
        found.hostname,
        found.device.name if found.device else None,
        found.seen_unit.name if found.seen_unit else None,
        found.seen_person.name if found.seen_person else None,
        found.days,
        "; ".join(map(part_text, found.gone)) or None,
        "; ".join(map(part_text, found.come)) or None,
        found.at_ms,
        found.owner,
        found.return_on,
        found.next_command,
    )


RECONCILIATION = Report(
    "reconciliation",
    Words("Đối chiếu sổ với thực tế thấy được", "The book against what is seen"),
    COLUMNS,
    read,
)
