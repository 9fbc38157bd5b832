"""Devices, links and what collectors read of them: registered targets, last readings, day rows."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

DEVICE_KINDS = (
    "switch", "router", "firewall", "access_point", "modem", "printer", "copier", "scanner", "ups",
    "nas", "camera", "server", "other",
)  # fmt: skip
LINK_KINDS = ("internet", "tslcd", "leased", "police")


class Device(Model):
    """A piece of network gear registered for polling. ``credential`` is a name at the collector.

    ``ssh_credential`` is another: each names a secret of the server, or a section of the collector's own file.
    ``ssh_port`` None is 22. It is visited by SSH every ``ssh_visit_hours``, None every day, 0 never.
    """

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=60, unique=True)
    name = fields.CharField(max_length=200)
    search_key = fields.CharField(max_length=400)
    kind = fields.CharField(max_length=30)
    unit = reference("Unit", "devices")
    asset = reference("Asset", "devices", null=True)
    collector = reference("Source", "devices", null=True)
    address = fields.CharField(max_length=100, null=True)
    port = fields.IntField(default=161)
    credential = fields.CharField(max_length=60, null=True)
    ssh_credential = fields.CharField(max_length=60, null=True)
    ssh_platform = fields.CharField(max_length=40, null=True)
    ssh_port = fields.IntField(null=True)
    ssh_visit_hours = fields.IntField(null=True)
    created_at_ms = fields.BigIntField()
    retired_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "device"
        indexes = (("address",),)


class DeviceVersion(Dated):
    """Code, name, kind, unit and asset of a device over a span of days. The device's own are today's."""

    device = reference("Device", "versions")
    unit = reference("Unit", "device_versions")
    asset = reference("Asset", "device_versions", null=True)
    code = fields.CharField(max_length=60, db_index=True)
    name = fields.CharField(max_length=200)
    search_key = fields.CharField(max_length=400)
    kind = fields.CharField(max_length=30)

    class Meta:
        """Table name."""

        table = "device_version"


class DeviceNow(Model):
    """The last word of one source on a device (system group), and when it last answered.

    From ``vendor`` to ``seen_location``: what it said it is when it was last asked. ``by_ssh`` names
    those of the facts that came from a visit by SSH (see ``ingest.ssh_facts``), "" or None for none.
    """

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "now_rows")
    source = reference("Source", "device_rows")
    outcome = fields.CharField(max_length=20)
    detail = fields.CharField(max_length=500, null=True)
    polled_at_ms = fields.BigIntField()
    answered_at_ms = fields.BigIntField(null=True)
    sys_descr = fields.CharField(max_length=500, null=True)
    sys_object_id = fields.CharField(max_length=200, null=True)
    sys_name = fields.CharField(max_length=255, null=True)
    sys_location = fields.CharField(max_length=255, null=True)
    sys_contact = fields.CharField(max_length=255, null=True)
    sys_uptime_seconds = fields.FloatField(null=True)
    vendor = fields.CharField(max_length=100, null=True)
    seen_kind = fields.CharField(max_length=30, null=True)
    model = fields.CharField(max_length=200, null=True)
    version = fields.CharField(max_length=200, null=True)
    serial = fields.CharField(max_length=100, null=True)
    seen_name = fields.CharField(max_length=255, null=True)
    seen_location = fields.CharField(max_length=255, null=True)
    identified_at_ms = fields.BigIntField(null=True)
    by_ssh = fields.CharField(max_length=60, null=True)
    changed_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "device_now"
        unique_together = (("device_id", "source_id"),)


class DeviceReadingNow(Model):
    """What a device says of its own state, a reading a row, as its collector last read it.

    The unit stands in ``name`` ("temperature_celsius"); ``part`` is a row of the MIB's table, "" where
    there is one only, ``label`` what the device calls it.
    """

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "readings")
    source = reference("Source", "device_readings")
    name = fields.CharField(max_length=40)
    part = fields.CharField(max_length=60)
    label = fields.CharField(max_length=100, null=True)
    value = fields.FloatField()
    read_at_ms = fields.BigIntField()
    changed_at_ms = fields.BigIntField(db_index=True)

    class Meta:
        """Table name."""

        table = "device_reading_now"
        unique_together = (("device_id", "source_id", "name", "part"),)


class InterfaceNow(Model):
    """The last raw reading of one interface by one source: what the next interval starts from.

    Counters are unsigned decimals as text. ``name`` is ifName, or ifDescr where there is none.
    ``state_at_ms`` is since when the port is up or down, None where that cannot be told;
    ``state_changes`` how often it went up or down since its first reading, as far as was seen.
    """

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "interfaces")
    source = reference("Source", "interface_rows")
    if_index = fields.BigIntField()
    name = fields.CharField(max_length=255, null=True)
    alias = fields.CharField(max_length=255, null=True)
    type = fields.IntField(null=True)
    mac = fields.CharField(max_length=40, null=True)
    admin_up = fields.BooleanField(null=True)
    oper_up = fields.BooleanField(null=True)
    speed_bits_per_second = fields.BigIntField(null=True)
    duplex = fields.CharField(max_length=10, null=True)
    counter_bits = fields.IntField(null=True)
    in_octets = fields.CharField(max_length=20, null=True)
    out_octets = fields.CharField(max_length=20, null=True)
    in_errors = fields.CharField(max_length=20, null=True)
    out_errors = fields.CharField(max_length=20, null=True)
    read_at_ms = fields.BigIntField()
    sys_uptime_seconds = fields.FloatField(null=True)
    discontinuity_seconds = fields.FloatField(null=True)
    last_quality = fields.CharField(max_length=12, null=True)
    in_discards = fields.CharField(max_length=20, null=True)
    out_discards = fields.CharField(max_length=20, null=True)
    last_change_seconds = fields.FloatField(null=True)
    state_at_ms = fields.BigIntField(null=True)
    state_changes = fields.IntField(null=True)

    class Meta:
        """Table name."""

        table = "interface_now"
        unique_together = (("device_id", "source_id", "if_index"),)
        indexes = (("mac",),)


class DeviceEvent(Model):
    """What a device proved to have said by itself: a trap signed by SNMPv3, and what it tells of a port."""

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "events")
    source = reference("Source", "device_events")
    at_ms = fields.BigIntField()
    clock = fields.CharField(max_length=10)
    name = fields.CharField(max_length=200)
    detail_json = fields.TextField()

    class Meta:
        """Table name."""

        table = "device_event"
        indexes = (("device_id", "at_ms"),)


class Link(Model):
    """The immutable identity of a line, its contract is in its versions."""

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=60, unique=True)
    created_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "link"


class LinkVersion(Dated):
    """A line's contract and the port that carries it over a span of days.

    Rates are bits per second as sold; ``interface_name`` is ifName on ``device`` (its in octets are
    the line's received, i.e. downloaded, octets). ``price_dong`` is a month's price.
    """

    link = reference("Link", "versions")
    unit = reference("Unit", "links")
    device = reference("Device", "link_versions", null=True)
    interface_name = fields.CharField(max_length=255, null=True)
    name = fields.CharField(max_length=200)
    kind = fields.CharField(max_length=20)
    provider = fields.CharField(max_length=100, null=True)
    contract_number = fields.CharField(max_length=100, null=True)
    price_dong = fields.BigIntField(null=True)
    payer = fields.CharField(max_length=200, null=True)
    down_bits_per_second = fields.BigIntField(null=True)
    up_bits_per_second = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "link_version"


class LinkShare(Dated):
    """A unit that uses a line."""

    link = reference("Link", "shares")
    unit = reference("Unit", "link_shares")

    class Meta:
        """Table name."""

        table = "link_share"


class ProbeTarget(Model):
    """An address whose ICMP echo stands for a line: ``purpose`` is "gateway", "isp" or "domestic"."""

    id = fields.BigIntField(primary_key=True)
    link = reference("Link", "probe_targets")
    collector = reference("Source", "probe_targets", null=True)
    address = fields.CharField(max_length=100)
    purpose = fields.CharField(max_length=20, default="domestic")
    echo_count = fields.IntField(default=5)
    retired_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "probe_target"


class LinkNow(Model):
    """The live state of a line. Totals advance only by fresh intervals of the assigned source.

    ``*_ppm`` are ratios in millionths. ``state`` is "up", "down" or "unknown".
    """

    link_id = fields.BigIntField(primary_key=True, generated=False)
    source = reference("Source", "link_rows", null=True)
    state = fields.CharField(max_length=10, default="unknown")
    state_at_ms = fields.BigIntField(null=True)
    receive_octets_total = fields.CharField(max_length=20, default="0")
    transmit_octets_total = fields.CharField(max_length=20, default="0")
    receive_bits_per_second = fields.BigIntField(null=True)
    transmit_bits_per_second = fields.BigIntField(null=True)
    rate_at_ms = fields.BigIntField(null=True)
    negotiated_bits_per_second = fields.BigIntField(null=True)
    duplex = fields.CharField(max_length=10, null=True)
    rtt_seconds = fields.FloatField(null=True)
    jitter_seconds = fields.FloatField(null=True)
    loss_ppm = fields.IntField(null=True)
    probe_at_ms = fields.BigIntField(null=True)
    verdict = fields.CharField(max_length=12, default="unknown")
    reasons_json = fields.TextField(default="[]")
    basis = fields.CharField(max_length=20, null=True)
    p95_receive_ppm = fields.IntField(null=True)
    p95_transmit_ppm = fields.IntField(null=True)
    sample_coverage_ppm = fields.IntField(null=True)
    availability_ppm = fields.IntField(null=True)
    availability_coverage_ppm = fields.IntField(null=True)
    delivered_receive_ppm = fields.IntField(null=True)
    delivered_transmit_ppm = fields.IntField(null=True)
    computed_at_ms = fields.BigIntField(null=True)
    changed_at_ms = fields.BigIntField(db_index=True)

    class Meta:
        """Table name."""

        table = "link_now"


class LinkDay(Model):
    """One local day of one line as one source saw it: packed slots beside plain sums.

    Octets are absent, not 0, on a day on which no counter was read.
    """

    id = fields.BigIntField(primary_key=True)
    link = reference("Link", "days")
    source = reference("Source", "link_days")
    day = fields.DateField(db_index=True)
    packed = fields.BinaryField()
    known_seconds = fields.IntField(default=0)
    up_seconds = fields.IntField(default=0)
    receive_octets = fields.CharField(max_length=20, null=True)
    transmit_octets = fields.CharField(max_length=20, null=True)
    receive_gap_octets = fields.CharField(max_length=20, null=True)
    transmit_gap_octets = fields.CharField(max_length=20, null=True)
    changed_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "link_day"
        unique_together = (("link_id", "source_id", "day"),)


class PresenceDay(Model):
    """One local day of one source: which five-minute slots it was on and watched.

    ``trusted_slots`` counts slots whose time is sure; only they are evidence of coverage.
    ``user_slots_json`` maps account names to slots with that account at the console;
    ``main_account`` is the one with the most slots (see ``domain.coverage_accounts``), None when nobody was.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "presence_days")
    day = fields.DateField(db_index=True)
    packed = fields.BinaryField()
    slots = fields.IntField(default=0)
    trusted_slots = fields.IntField(default=0)
    user_slots_json = fields.TextField(null=True)
    main_account = fields.CharField(max_length=100, null=True)
    changed_at_ms = fields.BigIntField()

    class Meta:
        """Table name, and the two indexes that alone answer a coverage recount."""

        table = "presence_day"
        unique_together = (("source_id", "day"),)
        indexes = (("source_id", "day", "trusted_slots"), ("source_id", "main_account", "day"))


class PresenceBlock(Model):
    """The days of one source in one block of days under one main account, as sets of bits.

    Follows ``presence_day`` (see ``domain.presence_blocks``); ``account`` is "" where nobody was at
    the console. ``trusted_days`` are those of ``account_days`` with a trusted slot.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "presence_blocks")
    block = fields.IntField(db_index=True)
    account = fields.CharField(max_length=100)
    account_days = fields.BigIntField()
    trusted_days = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "presence_block"
        unique_together = (("source_id", "block", "account"),)


class DeviceHardware(Dated):
    """The hardware that answered as a device: equal ``hardware`` numbers are one thing.

    ``serial`` and ``macs`` (by spaces) are keys; ``decided_by`` is new, moved, twin or person.
    ``seen_at_ms`` is when the device last said what it is.
    """

    device = reference("Device", "hardware")
    hardware = fields.BigIntField(db_index=True)
    object_id = fields.CharField(max_length=200, null=True)
    serial = fields.CharField(max_length=100, null=True, db_index=True)
    vendor = fields.CharField(max_length=100, null=True)
    model = fields.CharField(max_length=200, null=True)
    macs = fields.CharField(max_length=600)
    lowest_mac = fields.CharField(max_length=12, null=True, db_index=True)
    decided_by = fields.CharField(max_length=40)
    seen_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "device_hardware"
