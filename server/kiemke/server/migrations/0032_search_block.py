"""Numbers packed together, for who looks for a piece of one; the server fills it once it runs."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

_KINDS = ("unit", "place", "official", "asset", "device", "link", "source")
_DUE = tuple(
    f"INSERT INTO search_due (kind, subject_id) SELECT '{kind}', id FROM {kind} ORDER BY id"  # noqa: S608 - names of this file
    for kind in _KINDS
)


class Migration(migrations.Migration):
    """Create ``search_block``; everything is due."""

    dependencies = [("kiemke", "0031_search_unit")]

    initial = False

    operations = [
        ops.CreateModel(
            name="SearchBlock",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("kind", fields.CharField(max_length=10)),
                ("block", fields.BigIntField()),
                ("words", fields.TextField(unique=False)),
            ],
            options={
                "table": "search_block",
                "app": "kiemke",
                "unique_together": (("kind", "block"),),
                "pk_attr": "id",
                "table_description": "The numbers of some things whose ids follow each other, in one text that is looked through for a piece.",
            },
            bases=["Model"],
        ),
        *(ops.RunSQL(sql) for sql in _DUE),
    ]
