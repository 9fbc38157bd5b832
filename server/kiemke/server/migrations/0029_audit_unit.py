"""Which units each entry of the audit log concerns."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table; the leader fills it, for the entries there are as well."""

    dependencies = [("kiemke", "0028_device_version")]

    operations = [
        ops.CreateModel(
            name="AuditUnit",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "entry",
                    fields.ForeignKeyField(
                        "kiemke.AuditEntry",
                        source_field="entry_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="units",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="audit_entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "audit_unit",
                "app": "kiemke",
                "unique_together": (("entry_id", "unit_id"),),
                "pk_attr": "id",
                "table_description": "A unit that an audit entry concerns, None: one that belongs to no unit, or cannot be told.",
            },
            bases=["Model"],
        ),
    ]
