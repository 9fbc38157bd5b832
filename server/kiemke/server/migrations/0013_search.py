"""The words by which things are found; they are made by the server once it runs."""

from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

_INDEX = "CREATE INDEX search_word_word ON search_word (kind, word @order, unit_id, subject_id)"


async def _index(_apps: Any, editor: Any) -> None:
    """Index the words by their bytes: only so are those that begin alike neighbours."""
    order = "" if editor.client.capabilities.dialect == "sqlite" else 'COLLATE "C"'
    await editor.client.execute_script(_INDEX.replace("@order", order))


class Migration(migrations.Migration):
    """Create ``search_word`` and ``search_due``."""

    dependencies = [("kiemke", "0012_device_identity")]

    initial = False

    operations = [
        ops.CreateModel(
            name="SearchWord",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("kind", fields.CharField(max_length=10)),
                ("word", fields.CharField(max_length=140)),
                ("subject_id", fields.BigIntField()),
                ("unit_id", fields.BigIntField()),
            ],
            options={
                "table": "search_word",
                "app": "kiemke",
                "indexes": [Index(fields=["subject_id", "kind"])],
                "pk_attr": "id",
                "table_description": "A way to find a thing: ``word`` as ``domain.search_words`` makes it, without diacritics.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SearchDue",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("kind", fields.CharField(max_length=10)),
                ("subject_id", fields.BigIntField()),
            ],
            options={
                "table": "search_due",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A thing whose words are to be made anew: triggers write it with the change itself.",
            },
            bases=["Model"],
        ),
        ops.RunPython(_index),
    ]
