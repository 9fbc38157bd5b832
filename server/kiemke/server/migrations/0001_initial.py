"""The first schema: three ledgers, access, figures."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create every table."""

    initial = True

    operations = [
        ops.CreateModel(
            name="Asset",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("code", fields.CharField(unique=True, max_length=60)),
                ("tag", fields.CharField(null=True, db_index=True, max_length=60)),
                ("kind", fields.CharField(db_index=True, max_length=30)),
                ("name", fields.CharField(max_length=200)),
                ("search_key", fields.CharField(max_length=400)),
                ("manufacturer", fields.CharField(null=True, max_length=120)),
                ("model", fields.CharField(null=True, max_length=120)),
                ("serial", fields.CharField(null=True, max_length=120)),
                ("serial_key", fields.CharField(null=True, db_index=True, max_length=120)),
                ("price_dong", fields.BigIntField(null=True)),
                ("in_use_since", fields.DateField(null=True)),
                ("funding_source", fields.CharField(null=True, max_length=200)),
                ("ownership", fields.CharField(default="owned", max_length=20)),
                ("no_agent_reason", fields.CharField(null=True, max_length=30)),
                ("created_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "asset",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "One thing on the book. Prices are integer đồng, ``tag`` is the number on the sticker.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AssetStatus",
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
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="statuses",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("status", fields.CharField(max_length=30)),
            ],
            options={
                "table": "asset_status",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "What condition an asset was in over a span of days (see ASSET_STATUSES).",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("at_ms", fields.BigIntField(db_index=True)),
                ("entry", fields.BinaryField()),
                ("sha256", fields.CharField(max_length=64)),
            ],
            options={
                "table": "audit_entry",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "One act, as the very bytes that stand for it (UTF-8 JSON with sorted keys). Append-only.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditLink",
            fields=[
                (
                    "place",
                    fields.BigIntField(
                        generated=False, primary_key=True, unique=True, db_index=True
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
                        related_name="places",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("chain_sha256", fields.CharField(max_length=64)),
                ("sealed_at_ms", fields.BigIntField()),
                ("signature", fields.CharField(null=True, max_length=100)),
            ],
            options={
                "table": "audit_link",
                "app": "kiemke",
                "unique_together": (("entry_id",),),
                "pk_attr": "place",
                "table_description": "An audit entry's place in the chain: ``chain_sha256`` = SHA-256(previous chain + entry's).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CountedAsset",
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
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="counts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("result", fields.CharField(max_length=10)),
            ],
            options={
                "table": "counted_asset",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A person's count of an asset: seen or missing on ``valid_from`` (a one-day row).",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="CoverageNow",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("unit_id", fields.BigIntField()),
                ("kinds", fields.CharField(max_length=100)),
                ("day", fields.DateField()),
                ("own_officials", fields.IntField()),
                ("own_can_bo", fields.IntField()),
                ("own_cong_chuc", fields.IntField()),
                ("own_vien_chuc", fields.IntField()),
                ("own_hop_dong", fields.IntField()),
                ("own_no_pc", fields.IntField()),
                ("own_verified", fields.IntField()),
                ("own_counted", fields.IntField()),
                ("own_contradicted", fields.IntField()),
                ("own_silent", fields.IntField()),
                ("own_unmatched", fields.IntField()),
                ("own_excluded", fields.IntField()),
                ("own_shared_access", fields.IntField()),
                ("own_pcs", fields.IntField()),
                ("officials", fields.IntField()),
                ("no_pc", fields.IntField()),
                ("verified", fields.IntField()),
                ("counted", fields.IntField()),
                ("contradicted", fields.IntField()),
                ("silent", fields.IntField()),
                ("unmatched", fields.IntField()),
                ("excluded", fields.IntField()),
                ("shared_access", fields.IntField()),
                ("pcs", fields.IntField()),
                ("target_thousandths", fields.IntField(null=True)),
                ("ratio_target_thousandths", fields.IntField(null=True)),
                ("evidence_age_working_days", fields.IntField(null=True)),
                ("changed_at_ms", fields.BigIntField(db_index=True)),
            ],
            options={
                "table": "coverage_now",
                "app": "kiemke",
                "unique_together": (("unit_id", "kinds"),),
                "pk_attr": "id",
                "table_description": "One unit's coverage as last recounted: its own people (``own_*``) and its subtree's.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Finding",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("kind", fields.CharField(max_length=40)),
                ("subject", fields.CharField(max_length=80)),
                ("detail", fields.CharField(max_length=500)),
                ("opened_at_ms", fields.BigIntField()),
                ("updated_at_ms", fields.BigIntField()),
                ("closed_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "finding",
                "app": "kiemke",
                "indexes": [Index(fields=["kind", "subject"])],
                "pk_attr": "id",
                "table_description": "Something a person should look at. One open finding per (kind, subject).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Holiday",
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
                ("day", fields.DateField(db_index=True)),
                ("working", fields.BooleanField(default=False)),
                ("name", fields.CharField(max_length=200)),
            ],
            options={
                "table": "holiday",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A day that is not a working day (or, with ``working``, a weekend day worked instead).",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="ImportRun",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("template", fields.CharField(max_length=40)),
                ("file_name", fields.CharField(max_length=200)),
                ("file_sha256", fields.CharField(max_length=64)),
                ("row_count", fields.IntField()),
                ("applied_at_ms", fields.BigIntField()),
                ("applied_by", fields.CharField(max_length=100)),
            ],
            options={
                "table": "import_run",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "One applied import: which file, how many rows, by whom.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    fields.IntField(generated=False, primary_key=True, unique=True, db_index=True),
                ),
                ("public_id", fields.CharField(max_length=40)),
                ("utc_offset_seconds", fields.IntField()),
                ("demo", fields.BooleanField(default=False)),
                ("created_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "installation",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "One row: facts written at first start and never changed (UTC offset of a local day).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Lease",
            fields=[
                (
                    "name",
                    fields.CharField(primary_key=True, unique=True, db_index=True, max_length=60),
                ),
                ("holder", fields.CharField(max_length=80)),
                ("fence", fields.BigIntField()),
                ("expires_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "lease",
                "app": "kiemke",
                "pk_attr": "name",
                "table_description": "Who leads a job until when, ``fence`` grows with each new holder.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Link",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("code", fields.CharField(unique=True, max_length=60)),
                ("created_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "link",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "The immutable identity of a line, its contract is in its versions.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Machine",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("created_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "machine",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A PC found behind one or more sources. What it is lives in the sources' sections.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AssetMatch",
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
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="matches",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "machine",
                    fields.ForeignKeyField(
                        "kiemke.Machine",
                        source_field="machine_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="matches",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("decided_by", fields.CharField(max_length=40)),
                ("evidence_json", fields.TextField(unique=False)),
            ],
            options={
                "table": "asset_match",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Which machine is which asset, with who or what decided it.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="Official",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("code", fields.CharField(unique=True, max_length=40)),
                ("name", fields.CharField(max_length=200)),
                ("sort_key", fields.CharField(max_length=800)),
                ("search_key", fields.CharField(max_length=400)),
                ("phone", fields.CharField(null=True, max_length=30)),
                ("mailbox", fields.CharField(null=True, max_length=200)),
                ("account", fields.CharField(null=True, db_index=True, max_length=100)),
                ("created_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "official",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A person who holds a post. ``account`` is the login name that stands for this person, if any.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Absence",
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
                        related_name="absences",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("reason", fields.CharField(max_length=40)),
            ],
            options={
                "table": "absence",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Why an official is left out of the population over a span of days (see ABSENCE_REASONS).",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="Rule",
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
                ("name", fields.CharField(db_index=True, max_length=80)),
                ("subject", fields.CharField(default="", max_length=80)),
                ("value_json", fields.TextField(unique=False)),
                ("source_text", fields.CharField(null=True, max_length=300)),
            ],
            options={
                "table": "rule",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A threshold, norm, calendar or other rule: ``value_json`` by ``name``, for one subject or all.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="SoftwareTitle",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                ("version", fields.CharField(max_length=100)),
                ("publisher", fields.CharField(max_length=200)),
            ],
            options={
                "table": "software_title",
                "app": "kiemke",
                "unique_together": (("name", "version", "publisher"),),
                "pk_attr": "id",
                "table_description": "One name, version and publisher of software, shared by all sources. Carries no counters.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SourceNow",
            fields=[
                (
                    "source_id",
                    fields.BigIntField(
                        generated=False, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("last_received_at_ms", fields.BigIntField(null=True)),
                ("last_true_at_ms", fields.BigIntField(null=True)),
                ("last_boot_id", fields.CharField(null=True, max_length=64)),
                ("last_sample_json", fields.TextField(null=True, unique=False)),
                ("inventory_at_ms", fields.BigIntField(null=True)),
                ("identity_changed_at_ms", fields.BigIntField(null=True)),
                ("resolved_at_ms", fields.BigIntField(null=True)),
                ("changed_at_ms", fields.BigIntField(db_index=True)),
            ],
            options={
                "table": "source_now",
                "app": "kiemke",
                "pk_attr": "source_id",
                "table_description": "The hot row of a source: the lock of its ingest and when it was last heard.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Unit",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("created_at_ms", fields.BigIntField()),
                ("demo", fields.BooleanField(default=False)),
            ],
            options={
                "table": "unit",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "The immutable identity of a unit, what it is called and where it stands is in its versions.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CoverageTarget",
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
                        related_name="targets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("measure", fields.CharField(max_length=20)),
                ("kinds", fields.CharField(max_length=100)),
                ("target_thousandths", fields.IntField()),
                ("source_text", fields.CharField(null=True, max_length=300)),
            ],
            options={
                "table": "coverage_target",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "What share of which kinds a unit's subtree must reach.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="Custody",
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
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="custodies",
                        on_delete=OnDelete.RESTRICT,
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
                        related_name="custodies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "official",
                    fields.ForeignKeyField(
                        "kiemke.Official",
                        source_field="official_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="custodies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("place", fields.CharField(null=True, max_length=200)),
            ],
            options={
                "table": "custody",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Who answers for an asset: always a unit, with ``official`` it is personal custody.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="EnrolmentToken",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("public_id", fields.CharField(unique=True, max_length=40)),
                ("secret_sha256", fields.CharField(max_length=64)),
                ("kind", fields.CharField(max_length=20)),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="enrolment_tokens",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("uses_left", fields.IntField()),
                ("expires_at_ms", fields.BigIntField()),
                ("approves", fields.BooleanField(default=False)),
                ("created_at_ms", fields.BigIntField()),
                ("created_by", fields.CharField(null=True, max_length=100)),
                ("revoked_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "enrolment_token",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A pasteable token that admits sources of one kind to one unit, some times, until some day.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LinkShare",
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
                    "link",
                    fields.ForeignKeyField(
                        "kiemke.Link",
                        source_field="link_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="shares",
                        on_delete=OnDelete.RESTRICT,
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
                        related_name="link_shares",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "link_share",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A unit that uses a line.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="Membership",
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
                        related_name="memberships",
                        on_delete=OnDelete.RESTRICT,
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
                        related_name="memberships",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(max_length=30)),
                ("post", fields.CharField(null=True, max_length=200)),
                ("is_primary", fields.BooleanField(default=True)),
            ],
            options={
                "table": "membership",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "An official's place in a unit: kind (see OFFICIAL_KINDS) and post. Coverage counts primaries.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="Source",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("public_id", fields.CharField(unique=True, max_length=40)),
                ("kind", fields.CharField(max_length=20)),
                ("state", fields.CharField(db_index=True, max_length=20)),
                ("state_reason", fields.CharField(null=True, max_length=300)),
                ("install_id", fields.CharField(max_length=64)),
                ("secret_sha256", fields.CharField(max_length=64)),
                (
                    "token",
                    fields.ForeignKeyField(
                        "kiemke.EnrolmentToken",
                        source_field="token_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sources",
                        on_delete=OnDelete.RESTRICT,
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
                        related_name="sources",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("hostname", fields.CharField(null=True, max_length=200)),
                ("created_at_ms", fields.BigIntField()),
                ("approved_at_ms", fields.BigIntField(null=True)),
                ("approved_by", fields.CharField(null=True, max_length=100)),
            ],
            options={
                "table": "source",
                "app": "kiemke",
                "unique_together": (("token_id", "install_id"),),
                "pk_attr": "id",
                "table_description": "One install of an agent or a collector. Only approved sources count anywhere.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("code", fields.CharField(unique=True, max_length=60)),
                ("name", fields.CharField(max_length=200)),
                ("search_key", fields.CharField(max_length=400)),
                ("kind", fields.CharField(max_length=30)),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "collector",
                    fields.ForeignKeyField(
                        "kiemke.Source",
                        source_field="collector_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="devices",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("address", fields.CharField(null=True, max_length=100)),
                ("port", fields.IntField(default=161)),
                ("credential", fields.CharField(null=True, max_length=60)),
                ("created_at_ms", fields.BigIntField()),
                ("retired_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "device",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A piece of network gear registered for polling. ``credential`` is a name at the collector.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeviceNow",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="now_rows",
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
                        related_name="device_rows",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("outcome", fields.CharField(max_length=20)),
                ("detail", fields.CharField(null=True, max_length=500)),
                ("polled_at_ms", fields.BigIntField()),
                ("answered_at_ms", fields.BigIntField(null=True)),
                ("sys_descr", fields.CharField(null=True, max_length=500)),
                ("sys_object_id", fields.CharField(null=True, max_length=200)),
                ("sys_name", fields.CharField(null=True, max_length=255)),
                ("sys_location", fields.CharField(null=True, max_length=255)),
                ("sys_contact", fields.CharField(null=True, max_length=255)),
                ("sys_uptime_seconds", fields.FloatField(null=True)),
                ("changed_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "device_now",
                "app": "kiemke",
                "unique_together": (("device_id", "source_id"),),
                "pk_attr": "id",
                "table_description": "The last word of one source on a device (system group), and when it last answered.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InterfaceNow",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="interfaces",
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
                        related_name="interface_rows",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("if_index", fields.BigIntField()),
                ("name", fields.CharField(null=True, max_length=255)),
                ("alias", fields.CharField(null=True, max_length=255)),
                ("type", fields.IntField(null=True)),
                ("mac", fields.CharField(null=True, max_length=40)),
                ("admin_up", fields.BooleanField(null=True)),
                ("oper_up", fields.BooleanField(null=True)),
                ("speed_bits_per_second", fields.BigIntField(null=True)),
                ("duplex", fields.CharField(null=True, max_length=10)),
                ("counter_bits", fields.IntField(null=True)),
                ("in_octets", fields.CharField(null=True, max_length=20)),
                ("out_octets", fields.CharField(null=True, max_length=20)),
                ("in_errors", fields.CharField(null=True, max_length=20)),
                ("out_errors", fields.CharField(null=True, max_length=20)),
                ("read_at_ms", fields.BigIntField()),
                ("sys_uptime_seconds", fields.FloatField(null=True)),
                ("discontinuity_seconds", fields.FloatField(null=True)),
                ("last_quality", fields.CharField(null=True, max_length=12)),
            ],
            options={
                "table": "interface_now",
                "app": "kiemke",
                "unique_together": (("device_id", "source_id", "if_index"),),
                "pk_attr": "id",
                "table_description": "The last raw reading of one interface by one source: what the next interval starts from.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LinkDay",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "link",
                    fields.ForeignKeyField(
                        "kiemke.Link",
                        source_field="link_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="days",
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
                        related_name="link_days",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("day", fields.DateField(db_index=True)),
                ("packed", fields.BinaryField()),
                ("known_seconds", fields.IntField(default=0)),
                ("up_seconds", fields.IntField(default=0)),
                ("receive_octets", fields.CharField(null=True, max_length=20)),
                ("transmit_octets", fields.CharField(null=True, max_length=20)),
                ("receive_gap_octets", fields.CharField(null=True, max_length=20)),
                ("transmit_gap_octets", fields.CharField(null=True, max_length=20)),
                ("changed_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "link_day",
                "app": "kiemke",
                "unique_together": (("link_id", "source_id", "day"),),
                "pk_attr": "id",
                "table_description": "One local day of one line as one source saw it: packed slots beside plain sums.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LinkNow",
            fields=[
                (
                    "link_id",
                    fields.BigIntField(
                        generated=False, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "source",
                    fields.ForeignKeyField(
                        "kiemke.Source",
                        source_field="source_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="link_rows",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("state", fields.CharField(default="unknown", max_length=10)),
                ("state_at_ms", fields.BigIntField(null=True)),
                ("receive_octets_total", fields.CharField(default="0", max_length=20)),
                ("transmit_octets_total", fields.CharField(default="0", max_length=20)),
                ("receive_bits_per_second", fields.BigIntField(null=True)),
                ("transmit_bits_per_second", fields.BigIntField(null=True)),
                ("rate_at_ms", fields.BigIntField(null=True)),
                ("negotiated_bits_per_second", fields.BigIntField(null=True)),
                ("duplex", fields.CharField(null=True, max_length=10)),
                ("rtt_seconds", fields.FloatField(null=True)),
                ("jitter_seconds", fields.FloatField(null=True)),
                ("loss_ppm", fields.IntField(null=True)),
                ("probe_at_ms", fields.BigIntField(null=True)),
                ("verdict", fields.CharField(default="unknown", max_length=12)),
                ("reasons_json", fields.TextField(default="[]", unique=False)),
                ("basis", fields.CharField(null=True, max_length=20)),
                ("p95_receive_ppm", fields.IntField(null=True)),
                ("p95_transmit_ppm", fields.IntField(null=True)),
                ("sample_coverage_ppm", fields.IntField(null=True)),
                ("availability_ppm", fields.IntField(null=True)),
                ("availability_coverage_ppm", fields.IntField(null=True)),
                ("delivered_receive_ppm", fields.IntField(null=True)),
                ("delivered_transmit_ppm", fields.IntField(null=True)),
                ("computed_at_ms", fields.BigIntField(null=True)),
                ("changed_at_ms", fields.BigIntField(db_index=True)),
            ],
            options={
                "table": "link_now",
                "app": "kiemke",
                "pk_attr": "link_id",
                "table_description": "The live state of a line. Totals advance only by fresh intervals of the assigned source.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LinkVersion",
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
                    "link",
                    fields.ForeignKeyField(
                        "kiemke.Link",
                        source_field="link_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
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
                        related_name="links",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="link_versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("interface_name", fields.CharField(null=True, max_length=255)),
                ("name", fields.CharField(max_length=200)),
                ("kind", fields.CharField(max_length=20)),
                ("provider", fields.CharField(null=True, max_length=100)),
                ("contract_number", fields.CharField(null=True, max_length=100)),
                ("price_dong", fields.BigIntField(null=True)),
                ("payer", fields.CharField(null=True, max_length=200)),
                ("down_bits_per_second", fields.BigIntField(null=True)),
                ("up_bits_per_second", fields.BigIntField(null=True)),
            ],
            options={
                "table": "link_version",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A line's contract and the port that carries it over a span of days.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="MachineSource",
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
                    "machine",
                    fields.ForeignKeyField(
                        "kiemke.Machine",
                        source_field="machine_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="source_rows",
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
                        related_name="machine_rows",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("decided_by", fields.CharField(max_length=40)),
                ("evidence_json", fields.TextField(unique=False)),
            ],
            options={
                "table": "machine_source",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Which source belongs to which machine, with the evidence that decided it.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="PresenceDay",
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
                        related_name="presence_days",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("day", fields.DateField(db_index=True)),
                ("packed", fields.BinaryField()),
                ("slots", fields.IntField(default=0)),
                ("trusted_slots", fields.IntField(default=0)),
                ("user_slots_json", fields.TextField(null=True, unique=False)),
                ("main_account", fields.CharField(null=True, max_length=100)),
                ("changed_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "presence_day",
                "app": "kiemke",
                "unique_together": (("source_id", "day"),),
                "indexes": [
                    Index(fields=["source_id", "day", "trusted_slots"]),
                    Index(fields=["source_id", "main_account", "day"]),
                ],
                "pk_attr": "id",
                "table_description": "One local day of one source: which five-minute slots it was on and watched.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ProbeTarget",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "link",
                    fields.ForeignKeyField(
                        "kiemke.Link",
                        source_field="link_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="probe_targets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "collector",
                    fields.ForeignKeyField(
                        "kiemke.Source",
                        source_field="collector_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="probe_targets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("address", fields.CharField(max_length=100)),
                ("purpose", fields.CharField(default="domestic", max_length=20)),
                ("echo_count", fields.IntField(default=5)),
                ("retired_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "probe_target",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": 'An address whose ICMP echo stands for a line: ``purpose`` is "gateway", "isp" or "domestic".',
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RejectedReport",
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
                        related_name="rejected",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("stream", fields.CharField(max_length=20)),
                ("seq", fields.BigIntField()),
                ("kind", fields.CharField(null=True, max_length=40)),
                ("reason", fields.CharField(max_length=500)),
                ("report_bytes", fields.BinaryField()),
                ("received_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "rejected_report",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A report that could never be applied, kept raw with its reason.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SourceBoot",
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
                        related_name="boots",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("boot_id", fields.CharField(max_length=64)),
                ("offset_ms", fields.BigIntField()),
                ("booted_at_ms", fields.BigIntField()),
                ("updated_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "source_boot",
                "app": "kiemke",
                "unique_together": (("source_id", "boot_id"),),
                "pk_attr": "id",
                "table_description": "The wall-clock error of one boot of a source: true time = sender's time + offset.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SourceEvent",
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
                        related_name="events",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("at_ms", fields.BigIntField()),
                ("clock", fields.CharField(max_length=10)),
                ("name", fields.CharField(max_length=40)),
                ("detail_json", fields.TextField(unique=False)),
            ],
            options={
                "table": "source_event",
                "app": "kiemke",
                "indexes": [Index(fields=["source_id", "at_ms"])],
                "pk_attr": "id",
                "table_description": "Something a source reported as having happened: boot, shutdown, link-speed change, ...",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SourceSection",
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
                        related_name="sections",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("section", fields.CharField(max_length=40)),
                ("status", fields.CharField(max_length=20)),
                ("token", fields.CharField(null=True, max_length=128)),
                ("detail", fields.CharField(null=True, max_length=500)),
                ("rows_json", fields.TextField(null=True, unique=False)),
                ("observed_at_ms", fields.BigIntField()),
                ("changed_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "source_section",
                "app": "kiemke",
                "unique_together": (("source_id", "section"),),
                "pk_attr": "id",
                "table_description": "The latest rows of one inventory section of a source, as JSON text, opaque token beside.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SourceSoftware",
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
                        related_name="software",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "title",
                    fields.ForeignKeyField(
                        "kiemke.SoftwareTitle",
                        source_field="title_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sources",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "source_software",
                "app": "kiemke",
                "unique_together": (("source_id", "title_id"),),
                "pk_attr": "id",
                "table_description": "Which titles a source has installed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SourceStream",
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
                        related_name="streams",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("stream", fields.CharField(max_length=20)),
                ("last_seq", fields.BigIntField()),
                ("missing", fields.TextField(default="", unique=False)),
                ("gap_reports", fields.BigIntField(default=0)),
                ("updated_at_ms", fields.BigIntField(db_index=True)),
            ],
            options={
                "table": "source_stream",
                "app": "kiemke",
                "unique_together": (("source_id", "stream"),),
                "pk_attr": "id",
                "table_description": "How far a stream of a source is acknowledged. ``stream`` is an unsigned 64-bit decimal text.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UnitFigureNow",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("family", fields.CharField(max_length=40)),
                ("unit_id", fields.BigIntField()),
                ("label", fields.CharField(max_length=120)),
                ("value", fields.BigIntField(null=True)),
                ("changed_at_ms", fields.BigIntField(db_index=True)),
            ],
            options={
                "table": "unit_figure_now",
                "app": "kiemke",
                "unique_together": (("family", "unit_id", "label"),),
                "pk_attr": "id",
                "table_description": "One counted figure of a unit's own things, by family and label (see domain.coverage_figures).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UnitSuccession",
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
                        related_name="successions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "successor",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="successor_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="origins",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(max_length=20)),
            ],
            options={
                "table": "unit_succession",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Which unit came of which, from ``valid_from`` on: the decision is the ``instrument``.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="UnitVersion",
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
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "parent",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="parent_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="child_versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(db_index=True, max_length=40)),
                ("name", fields.CharField(max_length=200)),
                ("type", fields.CharField(max_length=30)),
                ("sort_key", fields.CharField(max_length=800)),
                ("search_key", fields.CharField(max_length=400)),
            ],
            options={
                "table": "unit_version",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Code, name, type and parent of a unit over a span of days. ``parent`` None is a root.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("name", fields.CharField(unique=True, max_length=100)),
                ("password_hash", fields.CharField(max_length=300)),
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
                        related_name="users",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at_ms", fields.BigIntField()),
                ("disabled_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "app_user",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A person or program that signs in. ``unit`` limits what is seen to that subtree, None is all.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AccessToken",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("public_id", fields.CharField(unique=True, max_length=40)),
                ("secret_sha256", fields.CharField(max_length=64)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "kiemke.User",
                        source_field="user_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="tokens",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(max_length=20)),
                ("label", fields.CharField(null=True, max_length=100)),
                ("created_at_ms", fields.BigIntField()),
                ("expires_at_ms", fields.BigIntField()),
                ("revoked_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "access_token",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A bearer token of a user, only the SHA-256 of its secret is kept.",
            },
            bases=["Model"],
        ),
    ]
