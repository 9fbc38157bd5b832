"""Who did what to which subject, so that the audit log can be asked for it."""

import json
from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

_BATCH = 2000
_MARK = {"sqlite": "?, ?, ?, ?, ?", "postgres": "$1, $2, $3, $4, $5"}


async def _fill(_apps: Any, editor: Any) -> None:
    """Index by bytes, so that what begins alike are neighbours; read the entries there are."""
    client = editor.client
    dialect = "sqlite" if client.capabilities.dialect == "sqlite" else "postgres"
    order = "" if dialect == "sqlite" else ' COLLATE "C"'
    for column in ("act", "subject"):
        await client.execute_script(
            f"CREATE INDEX audit_about_{column} ON audit_about ({column}{order}, entry_id)"
        )
    last = 0
    while rows := await client.execute_query_dict(
        f"SELECT id, at_ms, entry FROM audit_entry WHERE id > {last} ORDER BY id LIMIT {_BATCH}"  # noqa: S608 - numbers
    ):
        last = rows[-1]["id"]
        await client.execute_many(
            "INSERT INTO audit_about (entry_id, at_ms, who, act, subject)"  # noqa: S608 - names of this file
            f" VALUES ({_MARK[dialect]})",
            [[row["id"], row["at_ms"], *_said(row["entry"])] for row in rows],
        )


def _said(entry: Any) -> list[str]:
    """Return who, act and subject; empty where somebody has spoilt the entry."""
    try:
        said = json.loads(entry if isinstance(entry, str) else bytes(entry))
        return [str(said[name])[:200] for name in ("who", "act", "subject")]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ["", "", ""]


class Migration(migrations.Migration):
    """Create ``audit_about`` and fill it."""

    dependencies = [("kiemke", "0033_pc_traffic")]

    initial = False

    operations = [
        ops.CreateModel(
            name="AuditAbout",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("entry_id", fields.BigIntField(unique=True)),
                ("at_ms", fields.BigIntField()),
                ("who", fields.CharField(max_length=200)),
                ("act", fields.CharField(max_length=200)),
                ("subject", fields.CharField(max_length=200)),
            ],
            options={
                "table": "audit_about",
                "app": "kiemke",
                "indexes": [Index(fields=["who", "entry_id"])],
                "pk_attr": "id",
                "table_description": "What an audit entry is asked for by, cut to 200 characters. Made from the entry, which alone counts.",
            },
            bases=["Model"],
        ),
        ops.RunPython(_fill),
    ]
