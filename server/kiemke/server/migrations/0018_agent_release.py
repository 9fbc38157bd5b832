"""Signed releases of the agent and their parts."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create both tables."""

    dependencies = [("kiemke", "0017_software_words")]

    operations = [
        ops.CreateModel(
            name="AgentRelease",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("version", fields.CharField(max_length=20)),
                ("system", fields.CharField(max_length=20)),
                ("file_name", fields.CharField(max_length=100)),
                ("size_bytes", fields.BigIntField()),
                ("sha256", fields.CharField(max_length=64)),
                ("signed", fields.TextField(unique=False)),
                ("expires_at_ms", fields.BigIntField()),
                ("percent", fields.IntField()),
                ("published_at_ms", fields.BigIntField()),
                ("published_by", fields.CharField(max_length=100)),
                ("changed_at_ms", fields.BigIntField()),
                ("withdrawn_at_ms", fields.BigIntField(null=True)),
                ("withdrawn_reason", fields.CharField(null=True, max_length=300)),
                ("gone", fields.BigIntField(default=0)),
            ],
            options={
                "table": "agent_release",
                "app": "kiemke",
                "unique_together": (("version", "system", "gone"),),
                "pk_attr": "id",
                "table_description": "A package for one system with its signed manifest (``signed``, the file as it was signed).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AgentReleasePart",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "release",
                    fields.ForeignKeyField(
                        "kiemke.AgentRelease",
                        source_field="release_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="parts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                ("data", fields.BinaryField()),
            ],
            options={
                "table": "agent_release_part",
                "app": "kiemke",
                "unique_together": (("release_id", "number"),),
                "pk_attr": "id",
                "table_description": "A piece of a package: ``number`` from 0, each of ``wire.update.PART_BYTES`` but the last.",
            },
            bases=["Model"],
        ),
    ]
