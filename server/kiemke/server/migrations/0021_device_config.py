"""Visits by SSH: how the last one ended, host keys, configurations of devices by version."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


def _id() -> tuple[str, fields.Field[int]]:
    return (
        "id",
        fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True),
    )


def _reference(name: str, model: str, rows: str) -> tuple[str, fields.Field[int]]:
    return (
        name,
        fields.ForeignKeyField(
            f"kiemke.{model}",
            source_field=f"{name}_id",
            db_index=True,
            db_constraint=True,
            to_field="id",
            related_name=rows,
            on_delete=OnDelete.RESTRICT,
        ),
    )


class Migration(migrations.Migration):
    """Create the three tables and the columns of devices."""

    dependencies = [("kiemke", "0020_port_states")]

    operations = [
        ops.CreateModel(
            name="DeviceSsh",
            fields=[
                _id(),
                _reference("device", "Device", "ssh_rows"),
                _reference("source", "Source", "ssh_rows"),
                ("platform", fields.CharField(max_length=40)),
                ("outcome", fields.CharField(max_length=20)),
                ("detail", fields.CharField(null=True, max_length=500)),
                ("vendor", fields.CharField(null=True, max_length=100)),
                ("model", fields.CharField(null=True, max_length=200)),
                ("version", fields.CharField(null=True, max_length=200)),
                ("serial", fields.CharField(null=True, max_length=100)),
                ("name", fields.CharField(null=True, max_length=255)),
                ("parts_json", fields.TextField(null=True, unique=False)),
                ("ports_json", fields.TextField(null=True, unique=False)),
                ("user_name", fields.CharField(null=True, max_length=100)),
                ("may_configure", fields.BooleanField(null=True)),
                ("administrators_json", fields.TextField(null=True, unique=False)),
                ("snmp_writers", fields.IntField(null=True)),
                ("visited_at_ms", fields.BigIntField()),
                ("fetched_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "device_ssh",
                "app": "kiemke",
                "unique_together": (("device_id",),),
                "pk_attr": "id",
                "table_description": "How the last visit to a device ended, and what it told: facts, parts, ports, who may change it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeviceHostKey",
            fields=[
                _id(),
                _reference("device", "Device", "host_keys"),
                _reference("source", "Source", "host_keys"),
                ("host_key", fields.CharField(max_length=1000)),
                ("seen_at_ms", fields.BigIntField()),
                ("seen_last_ms", fields.BigIntField()),
                ("pinned_at_ms", fields.BigIntField(null=True)),
                ("pinned_by", fields.CharField(null=True, max_length=100)),
                ("ended_at_ms", fields.BigIntField(null=True)),
            ],
            options={
                "table": "device_host_key",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A host key a device showed: believed from ``pinned_at_ms`` on, waiting for a person where that is empty.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeviceConfig",
            fields=[
                _id(),
                _reference("device", "Device", "configs"),
                _reference("source", "Source", "configs"),
                ("platform", fields.CharField(max_length=40)),
                ("digest", fields.CharField(max_length=64)),
                ("text", fields.TextField(unique=False)),
                ("line_count", fields.IntField()),
                ("masked", fields.IntField(default=0)),
                ("read_at_ms", fields.BigIntField()),
                ("seen_at_ms", fields.BigIntField()),
                ("recorded_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "device_config",
                "app": "kiemke",
                "indexes": [Index(fields=["device_id", "read_at_ms"])],
                "pk_attr": "id",
                "table_description": "A version of a device's configuration, its secrets masked by the collector.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Device",
            name="ssh_platform",
            field=fields.CharField(null=True, max_length=40),
        ),
        ops.AddField(model_name="Device", name="ssh_port", field=fields.IntField(null=True)),
        ops.AddField(model_name="Device", name="ssh_visit_hours", field=fields.IntField(null=True)),
        ops.AddField(
            model_name="DeviceNow", name="by_ssh", field=fields.CharField(null=True, max_length=60)
        ),
    ]
