"""Stays at ports, addresses, hosts that sweeps found, and changes of ports."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the tables."""

    dependencies = [("kiemke", "0021_device_config")]

    operations = [
        ops.CreateModel(
            name="AddressStay",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("first_seen_ms", fields.BigIntField()),
                ("last_seen_ms", fields.BigIntField(db_index=True)),
                ("gone_ms", fields.BigIntField(null=True)),
                ("recorded_at_ms", fields.BigIntField()),
                ("ended_at_ms", fields.BigIntField(null=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="address_stays",
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
                        related_name="address_stays",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("address", fields.CharField(db_index=True, max_length=45)),
                ("mac", fields.CharField(db_index=True, max_length=17)),
                ("if_index", fields.BigIntField(null=True)),
            ],
            options={
                "table": "address_stay",
                "app": "kiemke",
                "indexes": [Index(fields=["device_id", "gone_ms"])],
                "pk_attr": "id",
                "table_description": "An address that a MAC answered for, by a device's ARP or IPv6 neighbour table.",
            },
            bases=["Stay"],
        ),
        ops.CreateModel(
            name="DeviceTablesNow",
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
                        related_name="tables_now",
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
                        related_name="device_tables",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("outcome", fields.CharField(max_length=20)),
                ("detail", fields.CharField(null=True, max_length=500)),
                ("read_at_ms", fields.BigIntField()),
                ("neighbours", fields.IntField(null=True)),
                ("stations", fields.IntField(null=True)),
                ("addresses", fields.IntField(null=True)),
            ],
            options={
                "table": "device_tables_now",
                "app": "kiemke",
                "unique_together": (("device_id", "source_id"),),
                "pk_attr": "id",
                "table_description": "When a source last read a device's tables, and how many rows each had (None: not read).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LanHost",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("first_seen_ms", fields.BigIntField()),
                ("last_seen_ms", fields.BigIntField(db_index=True)),
                ("gone_ms", fields.BigIntField(null=True)),
                ("recorded_at_ms", fields.BigIntField()),
                ("ended_at_ms", fields.BigIntField(null=True)),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="lan_hosts",
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
                        related_name="lan_hosts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("address", fields.CharField(db_index=True, max_length=45)),
                ("mac", fields.CharField(null=True, db_index=True, max_length=17)),
                ("signs", fields.CharField(default="", max_length=40)),
                ("rtt_seconds", fields.FloatField(null=True)),
                ("open_ports", fields.CharField(default="", max_length=200)),
                ("snmp_version", fields.CharField(null=True, max_length=4)),
                ("sys_descr", fields.CharField(null=True, max_length=500)),
                ("sys_object_id", fields.CharField(null=True, max_length=200)),
                ("sys_name", fields.CharField(null=True, max_length=255)),
            ],
            options={
                "table": "lan_host",
                "app": "kiemke",
                "indexes": [Index(fields=["unit_id", "gone_ms"])],
                "pk_attr": "id",
                "table_description": "An address of a unit's subnets at which a sweep saw something (another MAC is another stay).",
            },
            bases=["Stay"],
        ),
        ops.CreateModel(
            name="NeighbourStay",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("first_seen_ms", fields.BigIntField()),
                ("last_seen_ms", fields.BigIntField(db_index=True)),
                ("gone_ms", fields.BigIntField(null=True)),
                ("recorded_at_ms", fields.BigIntField()),
                ("ended_at_ms", fields.BigIntField(null=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="neighbour_stays",
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
                        related_name="neighbour_stays",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("protocol", fields.CharField(max_length=10)),
                ("port", fields.CharField(default="", max_length=255)),
                ("if_index", fields.BigIntField(null=True)),
                ("chassis", fields.CharField(default="", max_length=255)),
                ("chassis_kind", fields.CharField(null=True, max_length=20)),
                ("far_port", fields.CharField(default="", max_length=255)),
                ("far_kind", fields.CharField(null=True, max_length=20)),
                ("far_label", fields.CharField(null=True, max_length=255)),
                ("name", fields.CharField(null=True, max_length=255)),
                ("description", fields.CharField(null=True, max_length=500)),
                ("addresses_json", fields.TextField(default="[]", unique=False)),
                ("abilities", fields.CharField(default="", max_length=100)),
                ("duplex", fields.CharField(null=True, max_length=10)),
                ("vlan", fields.IntField(null=True)),
            ],
            options={
                "table": "neighbour_stay",
                "app": "kiemke",
                "indexes": [Index(fields=["device_id", "gone_ms"])],
                "pk_attr": "id",
                "table_description": "Who a device says is at the other end of one of its ports (LLDP, CDP, EDP, see wire.lan).",
            },
            bases=["Stay"],
        ),
        ops.CreateModel(
            name="PortChange",
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
                        related_name="port_changes",
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
                        related_name="port_changes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("if_index", fields.BigIntField()),
                ("name", fields.CharField(null=True, max_length=255)),
                ("at_ms", fields.BigIntField(db_index=True)),
                ("recorded_at_ms", fields.BigIntField()),
                ("changes", fields.IntField()),
                ("oper_up", fields.BooleanField(null=True)),
                ("speed_bits_per_second", fields.BigIntField(null=True)),
                ("duplex", fields.CharField(null=True, max_length=10)),
            ],
            options={
                "table": "port_change",
                "app": "kiemke",
                "indexes": [Index(fields=["device_id", "if_index", "at_ms"])],
                "pk_attr": "id",
                "table_description": "A port that a poll found otherwise than the poll before: up or down, its speed, its duplex.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StationStay",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("first_seen_ms", fields.BigIntField()),
                ("last_seen_ms", fields.BigIntField(db_index=True)),
                ("gone_ms", fields.BigIntField(null=True)),
                ("recorded_at_ms", fields.BigIntField()),
                ("ended_at_ms", fields.BigIntField(null=True)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="station_stays",
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
                        related_name="station_stays",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("mac", fields.CharField(db_index=True, max_length=17)),
                ("vlan", fields.IntField(default=0)),
                ("port", fields.CharField(default="", max_length=255)),
                ("if_index", fields.BigIntField(null=True)),
            ],
            options={
                "table": "station_stay",
                "app": "kiemke",
                "indexes": [Index(fields=["device_id", "gone_ms"])],
                "pk_attr": "id",
                "table_description": "A MAC that a switch learned on one of its ports (``vlan`` 0 where it tells none).",
            },
            bases=["Stay"],
        ),
        ops.CreateModel(
            name="SweepNow",
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
                        related_name="sweeps",
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
                        related_name="sweeps",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("outcome", fields.CharField(max_length=20)),
                ("detail", fields.CharField(null=True, max_length=500)),
                ("subnets_json", fields.TextField(unique=False)),
                ("asked", fields.IntField()),
                ("refused", fields.IntField()),
                ("found", fields.IntField()),
                ("spent_seconds", fields.FloatField()),
                ("swept_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "sweep_now",
                "app": "kiemke",
                "unique_together": (("unit_id", "source_id"),),
                "pk_attr": "id",
                "table_description": "The last sweep of a unit's subnets by one source.",
            },
            bases=["Model"],
        ),
    ]
