"""PCs that were surveyed by hand, with the day and by whom."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table."""

    dependencies = [("kiemke", "0026_lan_lookups")]

    operations = [
        ops.CreateModel(
            name="OneShot",
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
                        related_name="surveys",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("day", fields.DateField()),
                ("taken_by", fields.CharField(max_length=100)),
                ("file_name", fields.CharField(max_length=200)),
                ("file_sha256", fields.CharField(max_length=64)),
                ("recorded_at_ms", fields.BigIntField()),
                ("recorded_by", fields.CharField(max_length=100)),
            ],
            options={
                "table": "one_shot",
                "app": "kiemke",
                "unique_together": (("source_id", "file_sha256"),),
                "pk_attr": "id",
                "table_description": "A PC that cannot run the agent, as a script saw it on one day.",
            },
            bases=["Model"],
        ),
    ]
