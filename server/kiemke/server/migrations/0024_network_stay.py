"""Where each source stood in the network, from a day until a day."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table of stays; agents are asked for their adapters, and it fills."""

    dependencies = [("kiemke", "0023_device_event")]

    operations = [
        ops.CreateModel(
            name="NetworkStay",
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
                        related_name="network_stays",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("addresses", fields.CharField(max_length=400)),
                ("first_day", fields.DateField()),
                ("last_day", fields.DateField(null=True, db_index=True)),
                ("apart", fields.BooleanField(default=False, db_index=True)),
            ],
            options={
                "table": "network_stay",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "The addresses of a source from ``first_day`` through ``last_day`` (None: still).",
            },
            bases=["Model"],
        ),
    ]
