"""Grants, two-step sign-in, approvals, keys of persons, and rows changed without an audit entry."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("kiemke", "0004_counts_indicators")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("kind", fields.CharField(max_length=40)),
                ("subject", fields.CharField(db_index=True, max_length=100)),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="approvals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("payload_json", fields.TextField(unique=False)),
                ("instrument", fields.CharField(max_length=200)),
                ("state", fields.CharField(db_index=True, max_length=20)),
                ("asked_at_ms", fields.BigIntField()),
                (
                    "asked_by",
                    fields.ForeignKeyField(
                        "kiemke.User",
                        source_field="asked_by_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="approvals_asked",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("decided_at_ms", fields.BigIntField(null=True)),
                (
                    "decided_by",
                    fields.ForeignKeyField(
                        "kiemke.User",
                        source_field="decided_by_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="approvals_decided",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("answer", fields.CharField(null=True, max_length=500)),
            ],
            options={
                "table": "approval",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A change that waits for a second person. ``payload_json`` is what its kind needs to make it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditTouched",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("table_name", fields.CharField(max_length=40)),
                ("row_id", fields.BigIntField()),
                ("before_json", fields.TextField(null=True, unique=False)),
                ("turn", fields.BigIntField()),
            ],
            options={
                "table": "audit_touched",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A ledger's row that was written and has no audit entry yet, filled by triggers.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PersonKey",
            fields=[
                (
                    "official",
                    fields.ForeignKeyField(
                        "kiemke.Official",
                        source_field="official_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="keys",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("secret", fields.CharField(null=True, max_length=64)),
                ("created_at_ms", fields.BigIntField()),
                ("destroyed_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "person_key",
                "app": "kiemke",
                "unique_together": (("official_id",),),
                "pk_attr": "id",
                "table_description": "The key of one official's personal values in the audit log, None once it was destroyed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RecoveryCode",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "user",
                    fields.ForeignKeyField(
                        "kiemke.User",
                        source_field="user_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="recovery_codes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code_sha256", fields.CharField(max_length=64)),
                ("used_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "recovery_code",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A code that stands in once for a lost TOTP device, only its SHA-256 is kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UserGrant",
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
                    "user",
                    fields.ForeignKeyField(
                        "kiemke.User",
                        source_field="user_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="grants",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("role", fields.CharField(max_length=20)),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="grants",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("approves", fields.BooleanField(default=False)),
            ],
            options={
                "table": "user_grant",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A further right of a user for a span of days: a role over a unit's subtree, None is all.",
            },
            bases=["Dated"],
        ),
        ops.AddField(
            model_name="AccessToken",
            name="role",
            field=fields.CharField(null=True, max_length=20),
        ),
        ops.AddField(
            model_name="AccessToken",
            name="unit",
            field=fields.ForeignKeyField(
                "kiemke.Unit",
                source_field="unit_id",
                null=True,
                db_index=True,
                db_constraint=True,
                to_field="id",
                related_name="tokens",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="User",
            name="totp_confirmed_at_ms",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="User",
            name="totp_last_step",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="User",
            name="totp_secret",
            field=fields.CharField(null=True, max_length=200),
        ),
    ]
