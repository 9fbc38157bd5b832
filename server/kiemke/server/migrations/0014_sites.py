"""Registered subnets, sealed secrets and who was given them; the SSH secret of a device."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the tables and the column of devices."""

    dependencies = [("kiemke", "0013_search")]

    operations = [
        ops.CreateModel(
            name="Secret",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="secrets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=60)),
                ("kind", fields.CharField(max_length=10)),
                ("sealed", fields.TextField(null=True, unique=False)),
                ("version", fields.IntField(default=1)),
                ("can_change", fields.BooleanField(null=True)),
                ("well_known", fields.BooleanField(default=False)),
                ("created_at_ms", fields.BigIntField()),
                ("changed_at_ms", fields.BigIntField()),
                ("removed_at_ms", fields.BigIntField(null=True)),
                ("gone", fields.BigIntField(default=0)),
            ],
            options={
                "table": "secret",
                "app": "kiemke",
                "unique_together": (("unit_id", "kind", "name", "gone"),),
                "pk_attr": "id",
                "table_description": "A community, key or password by name, sealed by a key outside the database (see ``vault``).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SecretHandout",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "secret",
                    fields.ForeignKeyField(
                        "kiemke.Secret",
                        source_field="secret_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="handouts",
                        on_delete=OnDelete.RESTRICT,
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
                        related_name="handouts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("version", fields.IntField()),
                ("first_at_ms", fields.BigIntField()),
                ("last_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "secret_handout",
                "app": "kiemke",
                "unique_together": (("secret_id", "source_id", "version"),),
                "pk_attr": "id",
                "table_description": "A version of a secret that was given to a source, first and last when. Never deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SiteSubnet",
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
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="subnets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "place",
                    fields.ForeignKeyField(
                        "kiemke.Place",
                        source_field="place_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="subnets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "authority",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="authority_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="subnets_registered",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("subnet", fields.CharField(max_length=50)),
                ("deny", fields.BooleanField(default=False)),
                ("note", fields.CharField(null=True, max_length=200)),
            ],
            options={
                "table": "site_subnet",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A subnet of a unit (in CIDR form) where its devices stand, or with ``deny`` never looked at.",
            },
            bases=["Dated"],
        ),
        ops.AddField(
            model_name="Device",
            name="ssh_credential",
            field=fields.CharField(null=True, max_length=60),
        ),
    ]
