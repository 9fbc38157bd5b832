"""Evidence by install, shared adapters, decisions on machines, and where a source was heard from."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

# The evidence of every install is read anew, once.
_READ_ANEW = "UPDATE source_now SET resolved_at_ms = NULL"


class Migration(migrations.Migration):
    """Create the tables and let the resolver read every inventory again."""

    dependencies = [("kiemke", "0007_official")]

    operations = [
        ops.CreateModel(
            name="MachineDecision",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("kind", fields.CharField(max_length=10)),
                (
                    "machine",
                    fields.ForeignKeyField(
                        "kiemke.Machine",
                        source_field="machine_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="decisions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "other",
                    fields.ForeignKeyField(
                        "kiemke.Machine",
                        source_field="other_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="decisions_as_other",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("reason", fields.CharField(null=True, max_length=300)),
                ("moved_json", fields.TextField(null=True, unique=False)),
                ("recorded_at_ms", fields.BigIntField()),
                ("recorded_by", fields.CharField(null=True, max_length=100)),
                ("undone_at_ms", fields.BigIntField(null=True)),
                ("undone_by", fields.CharField(null=True, max_length=100)),
            ],
            options={
                "table": "machine_decision",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "What a person said of two machines: that they are one (merge) or never will be (apart).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SharedAdapter",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("mac", fields.CharField(unique=True, max_length=12)),
                ("learned_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "shared_adapter",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A network adapter seen with several machines: a dock, a USB adapter, a card moved about.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SourceEvidence",
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
                        related_name="evidence",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("stay", fields.IntField()),
                ("kind", fields.CharField(max_length=20)),
                ("value", fields.CharField(db_index=True, max_length=120)),
                ("first_seen_ms", fields.BigIntField()),
                ("gone_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "source_evidence",
                "app": "kiemke",
                "unique_together": (("source_id", "stay", "kind", "value"),),
                "pk_attr": "id",
                "table_description": "One value by which a machine can be known, shown by one stay of a source (domain.evidence).",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Finding",
            name="evidence_json",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name="MachineSource",
            name="decision_id",
            field=fields.BigIntField(null=True, db_index=True),
        ),
        ops.AddField(
            model_name="MachineSource",
            name="replaces_id",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="MachineSource",
            name="stay",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddIndex(
            model_name="SourceBoot",
            index=Index(fields=["boot_id"]),
        ),
        ops.AddField(
            model_name="SourceNow",
            name="last_address",
            field=fields.CharField(null=True, max_length=45),
        ),
        ops.RunSQL(_READ_ANEW),
    ]
