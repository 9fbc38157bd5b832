"""Officials by date: who they were, part-time duty, why and by which paper a membership ended."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

_VERSIONS = """
INSERT INTO official_version (official_id, name, phone, mailbox, account, valid_from, recorded_at_ms)
SELECT id, name, phone, mailbox, account, '1900-01-01', created_at_ms FROM official
"""


class Migration(migrations.Migration):
    """Create the table and columns, and say of every official on the books that it was always so."""

    dependencies = [("kiemke", "0006_section_changes")]

    operations = [
        ops.CreateModel(
            name="OfficialVersion",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("valid_from", fields.DateField()),
                ("valid_to", fields.DateField(null=True)),
                ("instrument", fields.CharField(null=True, max_length=200)),
                ("recorded_at_ms", fields.BigIntField()),
                ("recorded_by", fields.CharField(null=True, max_length=100)),
                ("voided_at_ms", fields.BigIntField(null=True)),
                ("voided_by", fields.CharField(null=True, max_length=100)),
                (
                    "official",
                    fields.ForeignKeyField(
                        "kiemke.Official",
                        source_field="official_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                ("family_name", fields.CharField(null=True, max_length=100)),
                ("middle_name", fields.CharField(null=True, max_length=100)),
                ("given_name", fields.CharField(null=True, max_length=100)),
                ("phone", fields.CharField(null=True, max_length=30)),
                ("mailbox", fields.CharField(null=True, max_length=200)),
                ("account", fields.CharField(null=True, max_length=100)),
            ],
            options={
                "table": "official_version",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Who an official was over a span of days: name, phone, mailbox, account.",
            },
            bases=["Dated"],
        ),
        ops.AddField(
            model_name="Membership",
            name="duty",
            field=fields.CharField(null=True, max_length=30),
        ),
        ops.AddField(
            model_name="Membership",
            name="ended_as",
            field=fields.CharField(null=True, max_length=20),
        ),
        ops.AddField(
            model_name="Membership",
            name="ended_by",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.RunSQL(_VERSIONS),
    ]
