"""Column maps kept per source: sheets with the same headings are read the same way next time."""

import json
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.text import clean_text
from kiemke.server.imports.headings import heading_key
from kiemke.server.imports.ledger import Context
from kiemke.server.imports.script import Script
from kiemke.server.imports.table import DERIVED_MARK, Table

Maps = dict[str, dict[str, str]]


async def load_maps(session: Session, template: str) -> Maps:
    """Return every saved map of a template: column names by heading key, by fingerprint."""
    rows = await session.fetch(
        "SELECT fingerprint, columns_json FROM import_map WHERE template = :template"
        " ORDER BY id DESC LIMIT 500",
        template=template,
    )
    return {row["fingerprint"]: json.loads(row["columns_json"]) for row in rows}


def map_of(table: Table) -> dict[str, str]:
    """Return what is kept of a mapping; "" is a column left aside because a person said so."""
    found: dict[str, str] = {}
    for mapped in table.mapping:
        if mapped.heading is None:
            found[f"{DERIVED_MARK}{mapped.column}"] = mapped.column or ""
        elif mapped.column is not None or mapped.how in ("user", "saved"):
            found[heading_key(mapped.heading)] = mapped.column or ""
    return found


async def keep_map(
    script: Script, table: Table, saved: Maps, file_name: str, context: Context
) -> None:
    """Keep the map of a foreign sheet that was just agreed to, unless it is kept already."""
    columns = map_of(table)
    before = saved.get(table.fingerprint)
    if not table.foreign or before == columns:
        return
    fields: dict[str, Any] = {
        "template": context.template.name,
        "fingerprint": table.fingerprint,
        "columns_json": json.dumps(columns, ensure_ascii=False),
        "file_name": clean_text(file_name, 200) or "-",
        "saved_at_ms": context.now_ms,
        "saved_by": context.who,
    }
    if before is None:
        fields["id"] = await script.new_id("import_map")
    names = ", ".join(fields)
    marks = ", ".join(f":{name}" for name in fields)
    sql = (
        f"INSERT INTO import_map ({names}) VALUES ({marks})"  # noqa: S608  # names above
        if before is None
        else "UPDATE import_map SET columns_json = :columns_json, file_name = :file_name,"
        " saved_at_ms = :saved_at_ms, saved_by = :saved_by"
        " WHERE template = :template AND fingerprint = :fingerprint"
    )
    await script.execute(sql, **fields)
    await context.audit(
        script,
        at_ms=context.now_ms,
        who=context.who,
        act="import.map",
        subject=f"import_map:{context.template.name}:{table.fingerprint[:16]}",
        before=before,
        after=columns,
        paper=None,
    )
