"""Presence days folded into bits for the coverage recount, filled from the day rows that are there."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

_NUMBER = {
    "sqlite": "CAST(julianday(day) - 2440587.5 AS INTEGER)",
    "postgres": "(day - DATE '1970-01-01')",
}
_FILL = """
INSERT INTO presence_block (source_id, block, account, account_days, trusted_days)
SELECT source_id, number / 48, account, SUM(bit), SUM(CASE WHEN trusted_slots > 0 THEN bit ELSE 0 END)
FROM (
  SELECT source_id, number, COALESCE(main_account, '') AS account, trusted_slots,
    CAST(1 AS BIGINT) << (number % 48) AS bit
  FROM (SELECT source_id, main_account, trusted_slots, @number AS number FROM presence_day) AS days
) AS bits
GROUP BY source_id, number / 48, account
"""


async def _fill(_apps: Any, editor: Any) -> None:
    """Fold what is stored: the recount reads nothing else."""
    dialect = "sqlite" if editor.client.capabilities.dialect == "sqlite" else "postgres"
    await editor.client.execute_script(_FILL.replace("@number", _NUMBER[dialect]))


class Migration(migrations.Migration):
    """Create ``presence_block`` and fill it."""

    dependencies = [("kiemke", "0009_import_map")]

    initial = False

    operations = [
        ops.CreateModel(
            name="PresenceBlock",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "source",
                    fields.ForeignKeyField(
                        "kiemke.Source",
                        source_field="source_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="presence_blocks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("block", fields.IntField(db_index=True)),
                ("account", fields.CharField(max_length=100)),
                ("account_days", fields.BigIntField()),
                ("trusted_days", fields.BigIntField()),
            ],
            options={
                "table": "presence_block",
                "app": "kiemke",
                "unique_together": (("source_id", "block", "account"),),
                "pk_attr": "id",
                "table_description": "The days of one source in one block of days under one main account, as sets of bits.",
            },
            bases=["Model"],
        ),
        ops.RunPython(_fill),
        # Whether an account is any official's is asked in one spelling.
        ops.RunSQL("CREATE INDEX official_account_lower ON official (LOWER(account))"),
    ]
