"""Column maps of imports, kept per source."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table."""

    dependencies = [("kiemke", "0008_identity")]

    operations = [
        ops.CreateModel(
            name="ImportMap",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("template", fields.CharField(max_length=40)),
                ("fingerprint", fields.CharField(max_length=64)),
                ("columns_json", fields.TextField(unique=False)),
                ("file_name", fields.CharField(max_length=200)),
                ("saved_at_ms", fields.BigIntField()),
                ("saved_by", fields.CharField(max_length=100)),
            ],
            options={
                "table": "import_map",
                "app": "kiemke",
                "unique_together": (("template", "fingerprint"),),
                "pk_attr": "id",
                "table_description": "Which column of a source's sheets is which column of a template, as a person agreed to it.",
            },
            bases=["Model"],
        ),
    ]
