"""What stands on the local networks: stays at ports, addresses, what sweeps found, changes of ports.

A stay is one thing seen at one place from ``first_seen_ms`` to ``last_seen_ms``; ``gone_ms`` is when it
was seen elsewhere, or told to be no more, None while nothing says so. ``recorded_at_ms`` and
``ended_at_ms`` are when the server learned of its beginning and of its end.
"""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import reference


class DeviceTablesNow(Model):
    """When a source last read a device's tables, and how many rows each had (None: not read)."""

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "tables_now")
    source = reference("Source", "device_tables")
    outcome = fields.CharField(max_length=20)
    detail = fields.CharField(max_length=500, null=True)
    read_at_ms = fields.BigIntField()
    neighbours = fields.IntField(null=True)
    stations = fields.IntField(null=True)
    addresses = fields.IntField(null=True)

    class Meta:
        """Table name."""

        table = "device_tables_now"
        unique_together = (("device_id", "source_id"),)


class Stay(Model):
    """What every stay has; ``source`` is who saw it last."""

    id = fields.BigIntField(primary_key=True)
    first_seen_ms = fields.BigIntField()
    last_seen_ms = fields.BigIntField(db_index=True)
    gone_ms = fields.BigIntField(null=True)
    recorded_at_ms = fields.BigIntField()
    ended_at_ms = fields.BigIntField(null=True)

    class Meta:
        """No table of its own."""

        abstract = True


class NeighbourStay(Stay):
    """Who a device says is at the other end of one of its ports (LLDP, CDP, EDP, see wire.lan)."""

    device = reference("Device", "neighbour_stays")
    source = reference("Source", "neighbour_stays")
    protocol = fields.CharField(max_length=10)
    port = fields.CharField(max_length=255, default="")
    if_index = fields.BigIntField(null=True)
    chassis = fields.CharField(max_length=255, default="")
    chassis_kind = fields.CharField(max_length=20, null=True)
    far_port = fields.CharField(max_length=255, default="")
    far_kind = fields.CharField(max_length=20, null=True)
    far_label = fields.CharField(max_length=255, null=True)
    name = fields.CharField(max_length=255, null=True)
    description = fields.CharField(max_length=500, null=True)
    addresses_json = fields.TextField(default="[]")
    abilities = fields.CharField(max_length=100, default="")
    duplex = fields.CharField(max_length=10, null=True)
    vlan = fields.IntField(null=True)

    class Meta:
        """Table name."""

        table = "neighbour_stay"
        indexes = (("device_id", "gone_ms"),)


class StationStay(Stay):
    """A MAC that a switch learned on one of its ports (``vlan`` 0 where it tells none)."""

    device = reference("Device", "station_stays")
    source = reference("Source", "station_stays")
    mac = fields.CharField(max_length=17, db_index=True)
    vlan = fields.IntField(default=0)
    port = fields.CharField(max_length=255, default="")
    if_index = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "station_stay"
        indexes = (("device_id", "gone_ms"),)


class AddressStay(Stay):
    """An address that a MAC answered for, by a device's ARP or IPv6 neighbour table."""

    device = reference("Device", "address_stays")
    source = reference("Source", "address_stays")
    address = fields.CharField(max_length=45, db_index=True)
    mac = fields.CharField(max_length=17, db_index=True)
    if_index = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "address_stay"
        indexes = (("device_id", "gone_ms"),)


class LanHost(Stay):
    """An address of a unit's subnets at which a sweep saw something (another MAC is another stay).

    ``signs`` and ``open_ports`` are lists with commas between; the ``sys_*`` texts are what its SNMP
    agent told to everybody.
    """

    unit = reference("Unit", "lan_hosts")
    source = reference("Source", "lan_hosts")
    address = fields.CharField(max_length=45, db_index=True)
    mac = fields.CharField(max_length=17, null=True, db_index=True)
    signs = fields.CharField(max_length=40, default="")
    rtt_seconds = fields.FloatField(null=True)
    open_ports = fields.CharField(max_length=200, default="")
    snmp_version = fields.CharField(max_length=4, null=True)
    sys_descr = fields.CharField(max_length=500, null=True)
    sys_object_id = fields.CharField(max_length=200, null=True)
    sys_name = fields.CharField(max_length=255, null=True)

    class Meta:
        """Table name."""

        table = "lan_host"
        indexes = (("unit_id", "gone_ms"),)


class SweepNow(Model):
    """The last sweep of a unit's subnets by one source."""

    id = fields.BigIntField(primary_key=True)
    unit = reference("Unit", "sweeps")
    source = reference("Source", "sweeps")
    outcome = fields.CharField(max_length=20)
    detail = fields.CharField(max_length=500, null=True)
    subnets_json = fields.TextField()
    asked = fields.IntField()
    refused = fields.IntField()
    found = fields.IntField()
    spent_seconds = fields.FloatField()
    swept_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "sweep_now"
        unique_together = (("unit_id", "source_id"),)


class PortChange(Model):
    """A port that a poll found otherwise than the poll before: up or down, its speed, its duplex.

    ``changes`` is how often it went up or down in between, as far as the device tells.
    """

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "port_changes")
    source = reference("Source", "port_changes")
    if_index = fields.BigIntField()
    name = fields.CharField(max_length=255, null=True)
    at_ms = fields.BigIntField(db_index=True)
    recorded_at_ms = fields.BigIntField()
    changes = fields.IntField()
    oper_up = fields.BooleanField(null=True)
    speed_bits_per_second = fields.BigIntField(null=True)
    duplex = fields.CharField(max_length=10, null=True)

    class Meta:
        """Table name."""

        table = "port_change"
        indexes = (("device_id", "if_index", "at_ms"),)
